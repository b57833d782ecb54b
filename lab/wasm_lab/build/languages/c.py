"""C and C++: Zig's clang and wasm-ld, started one after the other."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.abi import needs_room
from wasm_lab.build.languages import clang_messages, zig_home
from wasm_lab.build.languages.c_library import library
from wasm_lab.build.languages.making import Made, Making, run_compiler, work_folder
from wasm_lab.cells.languages import exported_functions
from wasm_lab.cells.languages.c import find_main
from wasm_lab.source import Kind, Profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.artifact import Artifact
    from wasm_lab.build.languages.zig_home import ZigHome
    from wasm_lab.build.progress import Progress
    from wasm_lab.source import Source

#: What is undefined and is found while the program runs, unoptimised: a trap at its line.
_CHECKS = ",".join(
    "signed-integer-overflow integer-divide-by-zero shift-base shift-exponent array-bounds local-bounds null return "
    "unreachable".split()
)

#: Words of clang for each profile. Line tables let a trap tell the cell's lines.
PROFILE_WORDS: dict[Profile, tuple[str, ...]] = {
    Profile.DEV: (
        "-O0",
        "-debug-info-kind=constructor",
        f"-fsanitize={_CHECKS}",
        f"-fsanitize-trap={_CHECKS}",
        "-fsanitize-debug-trap-reasons=none",  # which would stand in a trap's frames as functions
    ),
    Profile.RELEASE: ("-O2", "-debug-info-kind=line-tables-only"),
    Profile.SIZE: ("-Oz",),
}

#: Shown without being asked for: they find real mistakes and seldom cry wolf.
WARNINGS = ("-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-missing-field-initializers")

STANDARDS = {"c": "-std=gnu23", "cpp": "-std=gnu++23"}

#: Bytes of a guest's stack: as Rust's target has them.
STACK_BYTES = 1 << 20

#: Where the header stands that the compiler looks for last: a learner's own comes before it.
_HEADERS = "wasm-lab-headers"

#: Where a text of `_STARTS` stands.
_START_FILE = "start.c"

#: The one mark of Emscripten's that samples for WebAssembly need. What a cell exports is decided when it is
#: linked; the rest of Emscripten's headers is about the JavaScript around a guest, which is not here.
EMSCRIPTEN_HEADER = """\
#pragma once
#define EMSCRIPTEN_KEEPALIVE __attribute__((used))
"""

#: What Python calls to make room for what it passes by address.
ALLOCATOR = ("malloc", "free")

#: What clang calls a ``main`` that WASI's start calls, in the two forms that it may have.
_MAINS = (b"__main_void", b"__main_argc_argv")

#: Whether a ``main`` returns a number, and how many parameters it has, in those two forms.
_STARTED = ((True, 0), (True, 2))

#: Other forms that programs have, to what starts them. clang leaves their symbol as it is, ``main``.
_STARTS = {
    (False, 0): """\
void own(void) __asm__("main");
int main(int count, char **words) { own(); return 0; }
""",
    (True, 3): """\
extern char **environ;
int own(int, char **, char **) __asm__("main");
int main(int count, char **words) { return own(count, words, environ); }
""",
}

#: What clang calls the folder that it works in; frames of a trap then tell the file's name alone.
_HERE = "-fdebug-compilation-dir="


def build(source: Source, *, progress: Progress | None = None) -> Artifact:
    """See `wasm_lab.build.languages.build_language`."""
    making = Making(source)
    home = zig_home.home(progress)
    words = [*PROFILE_WORDS[source.profile], STANDARDS[source.language], *WARNINGS]
    return making.artifact(
        compiler=f"zig {home.zig.version} (clang)",
        decides=[
            words,
            STACK_BYTES,
            [each.decode() for each in _MAINS],
            EMSCRIPTEN_HEADER,
            [*_STARTS.values()],
            source.folder,
        ],
        make=lambda: _make(making, home, words, progress),
        read=clang_messages.read,
        hint=clang_messages.hint,
    )


def source_text(source: Source) -> str:
    """The cell's text, whose lines and name the compiler takes for those of the cell."""
    label = source.label.replace("\\", "\\\\").replace('"', '\\"')
    return f'#line {source.first_line} "{label}"\n{source.code}\n'


def exports(source: Source) -> list[str]:
    """The names that the module exports; one that is not defined in the end is left out."""
    if source.kind is not Kind.FUNCTIONS:
        return []
    functions = exported_functions(source)
    return [*(each.name for each in functions), *(ALLOCATOR if any(map(needs_room, functions)) else ())]


def _make(making: Making, home: ZigHome, words: list[str], progress: Progress | None) -> Made:
    source = making.source
    made = library(home, source.language, progress)
    making.step("prepare")
    with work_folder() as folder:
        (folder / f"cell.{source.language}").write_text(source_text(source), encoding="utf-8")
        for file in ("emscripten.h", "emscripten/emscripten.h"):
            (folder / _HEADERS / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / _HEADERS / file).write_text(EMSCRIPTEN_HEADER, encoding="utf-8")
        zig = functools.partial(_zig, home, folder, source.label)
        include = [*(["-I", source.folder] if source.folder else []), "-idirafter", _HEADERS]
        compile_words = [*made.frontend, *words, *include, _HERE, "-fcolor-diagnostics", "-emit-obj"]
        compile_words += ["-main-file-name", source.label, "-dependency-file", "cell.d", "-MT", "cell"]
        file = f"cell.{source.language}"
        compile_words += ["-o", "cell.o", "-x", "c++" if source.language == "cpp" else "c", file]
        status, said = zig("-cc1", *compile_words, reads=[Path(source.folder)] if source.folder else [])
        making.step("clang")
        if status:
            return Made(None, said, status)
        if refused := _refused_main(source):
            return Made(None, said + refused, 1)
        compiled = (folder / "cell.o").read_bytes()
        startable = any(name in compiled for name in _MAINS)
        objects = ["cell.o"]
        if not startable and (start := _start(source)):
            (folder / _START_FILE).write_text(start, encoding="utf-8")
            status, told = zig(
                "-cc1", *made.frontend, "-O2", "-emit-obj", "-o", "start.o", "-x", "c", _START_FILE
            )
            if status:
                return Made(None, told, status)
            objects.append("start.o")
        if source.kind is Kind.FUNCTIONS and startable:
            # Only clang sees a main that a macro writes.
            source = replace(source, kind=Kind.PROGRAM)
        files = made.files(reactor=source.kind is Kind.FUNCTIONS)
        status, told = zig(
            "wasm-ld",
            *made.linker,
            *_link_words(source),
            "-o",
            "cell.wasm",
            *objects,
            *files,
            reads=[made.folder],
        )
        making.step("wasm-ld")
        output = folder / "cell.wasm"
        module = output.read_bytes() if status == 0 and output.exists() else None
        turned_out = source.kind if source.kind is not making.source.kind else None
        return Made(module, said + told, status, tuple(_own_inputs(folder / "cell.d", home)), turned_out)


def _zig(
    home: ZigHome, folder: Path, label: str, *words: str | Path, reads: Sequence[Path] = ()
) -> tuple[int, str]:
    """Run one of the programs in Zig to its end, behind walls; gives its status and what it said."""
    return run_compiler(
        [home.zig.program, *words],
        folder=folder,
        env=home.environment(folder),
        label=label,
        reads=reads,
        executes=home.executes,
    )


def _start(source: Source) -> str:
    """A text of C that starts a ``main`` of another form than WASI's start calls; empty where none is needed."""
    main = find_main(source.code, source.language) if source.kind is not Kind.FUNCTIONS else None
    return _STARTS.get((main.returns, main.parameters), "") if main else ""


def _refused_main(source: Source) -> str:
    """What to say of a ``main`` that nothing starts, which would be a trap without a reason; else ""."""
    main = find_main(source.code, source.language) if source.kind is not Kind.FUNCTIONS else None
    if main is None or (main.returns, main.parameters) in {*_STARTED, *_STARTS}:
        return ""
    forms = "int main(void) or int main(int argc, char *argv[])"
    place = f"{source.label}:{main.line + source.first_line}:{main.column + 1}"
    return f"{place}: error: main is started as {forms} only\n"


def _link_words(source: Source) -> list[str]:
    words = ["--color-diagnostics", "--allow-undefined-file=/dev/null", "-z", f"stack-size={STACK_BYTES}"]
    if source.kind is Kind.FUNCTIONS:
        words += ["--no-entry", "--export-if-defined=_initialize"]
        words += [f"--export-if-defined={name}" for name in exports(source)]
    else:
        words += ["--entry", "_start"]
    return [*words, *(["-s"] if source.profile is Profile.SIZE else [])]


def _own_inputs(listed: Path, home: ZigHome) -> list[str]:
    """The learner's own files among those that clang says that it read, as a makefile lists them."""
    if not listed.exists():
        return []
    text = listed.read_text(encoding="utf-8").partition(":")[2].replace("\\\n", " ")
    files = [Path(word.replace("\\ ", " ")) for word in re.findall(r"(?:\\ |\S)+", text)]
    own = [each for each in files if each.is_absolute() and not each.is_relative_to(home.zig.library)]
    return [str(each) for each in own if not each.is_relative_to(home.zig.program.resolve().parent)]
