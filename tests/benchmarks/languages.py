"""From an edited cell in C, C++, Zig or Go to its output, beside the bare compiler and wasmtime-py.

The bare compiler is called by its best command line, with its caches warm and the same optimisation. Zig keeps
debug information by default, and so does ours, which tells a trap's line.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
from pathlib import Path

import wasmtime
from tests.benchmarks.builds import start_by_hand
from tests.benchmarks.pairs import Pair, in_turn

from wasm_lab.cells.languages import parse_language_cell
from wasm_lab.session import Session, raise_for_failure
from wasm_lab.toolchains.go import find_go
from wasm_lab.toolchains.zig import ensure_zig

SAMPLES = Path(__file__).parents[2] / "wasm_samples" / "languages"

#: What each edit adds; no cache has seen its number.
EDITS = {
    "c": "\nint edit{edit}(void) {{ return {edit}; }}\n",
    "cpp": "\nint edit{edit}() {{ return {edit}; }}\n",
    "zig": "\nexport fn edit{edit}() u32 {{ return {edit}; }}\n",
    "go": "\nfunc edit{edit}() int {{ return {edit} }}\n",
}

_edits = itertools.count(int.from_bytes(os.urandom(3), "big") + 1000)


def _command(language: str) -> list[str]:
    if language == "go":
        go = find_go()
        assert go is not None, "this benchmark needs Go"
        return [str(go.program), "build", "-ldflags=-s -w", "-o", "cell.wasm", "cell.go"]
    zig = str(ensure_zig(print).program)
    words = {
        "c": ["cc", "-target", "wasm32-wasi", "-O2", "-s", "cell.c", "-o", "cell.wasm"],
        "cpp": [
            "c++",
            "-target",
            "wasm32-wasi",
            "-O2",
            "-s",
            "-fno-exceptions",
            "-std=gnu++23",
            "cell.cpp",
            "-o",
            "cell.wasm",
        ],
        "zig": ["build-exe", "-target", "wasm32-wasi", "-OReleaseFast", "cell.zig", "-femit-bin=cell.wasm"],
    }
    return [zig, *words[language]]


def _edited(language: str, folder: Path, thin: int) -> Pair:
    session, command = Session(), _command(language)
    code = (SAMPLES / f"program.{language}").read_text(encoding="utf-8")
    work = folder / language
    work.mkdir()
    env = {
        **os.environ,
        "GOOS": "wasip1",
        "GOARCH": "wasm",
        "GOPROXY": "off",
        "GOCACHE": str(folder / "go-cache"),
        "ZIG_GLOBAL_CACHE_DIR": str(folder / "zig-cache"),
        "ZIG_LOCAL_CACHE_DIR": str(folder / "zig-local"),
    }

    def edited() -> str:
        return code + EDITS[language].format(edit=next(_edits))

    def ours() -> None:
        run = session.run(session.compile(parse_language_cell(edited(), language=language, first_line=2)))
        raise_for_failure(run)
        assert run.stdout == b"primes: 1229\nwords: 0\n"

    def reference() -> None:
        (work / f"cell.{language}").write_text(edited(), encoding="utf-8")
        subprocess.run(command, check=True, cwd=work, env=env, capture_output=True)
        with contextlib.suppress(wasmtime.ExitTrap):  # Go ends by proc_exit
            start_by_hand(wasmtime.Engine(), (work / "cell.wasm").read_bytes(), folder / "stdout")
        said = (folder / "stdout").read_bytes()
        assert said == b"primes: 1229\nwords: 0\n"

    return in_turn(
        f"edited {language} cell to output", ours, reference, turns=max(2, 12 // thin), asked="≤ 1.1×"
    )


def edited_c(folder: Path, thin: int) -> Pair:
    return _edited("c", folder, thin)


def edited_cpp(folder: Path, thin: int) -> Pair:
    return _edited("cpp", folder, thin)


def edited_zig(folder: Path, thin: int) -> Pair:
    return _edited("zig", folder, thin)


def edited_go(folder: Path, thin: int) -> Pair:
    return _edited("go", folder, thin)
