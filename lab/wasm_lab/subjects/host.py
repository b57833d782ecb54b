"""The harness as a program of this machine."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.build.cache import default_cache
from wasm_lab.build.unit import PROFILE_FLAGS, compiler_environment
from wasm_lab.errors import CompileError, ToolchainError, UnsupportedError
from wasm_lab.toolchains.rust import find_rust

if TYPE_CHECKING:
    from wasm_lab.source import Source

_KIND = "host-program"


def host_program(source: Source) -> bytes:
    """The executable file of a PROGRAM Source, for this machine, optimised as for Wasm.

    Raises:
        CompileError: rustc refuses it here.
        UnsupportedError: it has dependencies.
    """
    used = source.uses[0] if source.uses else None
    if source.dependencies or (used and (used.dependencies or used.uses)):
        raise UnsupportedError("Code with dependencies cannot be built for this machine yet.")
    toolchain = find_rust(source.target)
    flags = [*PROFILE_FLAGS[source.profile], "-Ccodegen-units=1"]
    parts = (toolchain.verbose, flags, source.code, used and used.code, source.edition, used and used.edition)
    key = hashlib.sha256(repr(parts).encode()).hexdigest()
    found = default_cache().get(_KIND, key)
    if found is not None:
        return found
    with tempfile.TemporaryDirectory(prefix="wasm-lab-") as name:
        folder = Path(name)
        words: list[str] = []
        if used:
            _rustc(toolchain.rustc, used, folder, ["--crate-type=rlib", *flags])
            words = [f"--extern={used.name}={folder / f'lib{used.name}.rlib'}"]
        _rustc(toolchain.rustc, replace(source, name="harness"), folder, ["--crate-type=bin", *flags, *words])
        data = (folder / "harness").read_bytes()
    default_cache().put(_KIND, key, data)
    return data


def _rustc(rustc: Path, source: Source, folder: Path, flags: list[str]) -> None:
    file = folder / f"{source.name}.rs"
    file.write_text(source.code, encoding="utf-8")
    words = [str(rustc), str(file), f"--crate-name={source.name}", f"--edition={source.edition}", *flags]
    done = subprocess.run(
        [*words, f"--out-dir={folder}"],
        capture_output=True,
        text=True,
        env=compiler_environment(),
        check=False,
    )
    if done.returncode:
        if "linker" in done.stderr and "not found" in done.stderr:
            raise ToolchainError(
                "There is no linker for programs of this machine.", hint="Install gcc or clang."
            )
        raise CompileError(f"{source.label} did not compile for this machine.", rendered=done.stderr)
