"""Go by ``go build`` for ``wasip1``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.abi import needs_room
from wasm_lab.artifact import CORE_PREAMBLE
from wasm_lab.build.languages import go_messages
from wasm_lab.build.languages.making import (
    Made,
    Making,
    compiler_environment,
    run_compiler,
    teller,
    work_folder,
)
from wasm_lab.cells.languages import exported_functions, read_code
from wasm_lab.errors import ToolchainError
from wasm_lab.source import Kind, Profile
from wasm_lab.toolchains.go import HOW, OLDEST_FOR_EXPORTS, Go, find_go, go_missing, numbers

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.build.progress import Progress
    from wasm_lab.source import Source

PROFILE_FLAGS: dict[Profile, tuple[str, ...]] = {
    Profile.DEV: ("-gcflags=-N -l",),
    Profile.RELEASE: ("-ldflags=-s -w",),
    Profile.SIZE: ("-ldflags=-s -w",),
}

GLUE_FILE = "wasm_lab_glue.go"

_GLUE = """\
package main

import "unsafe"

var wasmLabRoom []byte

//go:wasmexport __wasm_lab_frame
func wasmLabFrame(size uint32) unsafe.Pointer {
	wasmLabRoom = make([]byte, size)
	return unsafe.Pointer(&wasmLabRoom[0])
}
"""


def build(source: Source, *, progress: Progress | None = None) -> Artifact:
    """See `wasm_lab.build.languages.build_language`."""
    making = Making(source)
    go = _go(source)
    flags = [
        *PROFILE_FLAGS[source.profile],
        *(["-buildmode=c-shared"] if source.kind is Kind.FUNCTIONS else []),
    ]
    return making.artifact(
        compiler=f"go {go.version}",
        decides=[flags],
        make=lambda: _make(making, go, flags, progress),
        read=go_messages.read,
        hint=go_messages.hint,
    )


def _go(source: Source) -> Go:
    go = find_go()
    if go is None:
        raise ToolchainError(f"{source.label} takes a Go compiler. {go_missing()}", hint=f"To get one: {HOW}")
    if source.kind is Kind.FUNCTIONS and numbers(go.version) < OLDEST_FOR_EXPORTS:
        oldest = ".".join(map(str, OLDEST_FOR_EXPORTS))
        raise ToolchainError(
            f"{source.label} exports functions, which takes Go {oldest} or later, and {go.program} is {go.version}.",
            hint=f"To get one: {HOW}",
        )
    return go


def _has_glue(source: Source) -> bool:
    return source.kind is Kind.FUNCTIONS and any(map(needs_room, exported_functions(source)))


def source_text(source: Source) -> str:
    """The cell's text, whose lines and name the compiler takes for those of the cell."""
    return f"//line {source.label}:{source.first_line}:1\n{source.code}\n"


def _make(making: Making, go: Go, flags: list[str], progress: Progress | None) -> Made:
    source = making.source
    cache = making.cache.folder("go", "build")
    with work_folder() as folder:
        (folder / "cell.go").write_text(source_text(source), encoding="utf-8")
        files = ["cell.go"]
        glue = [] if not _has_glue(source) else [_GLUE]
        if source.kind is Kind.FUNCTIONS and not read_code("go", source.code).has_main:
            glue = [*(glue or ["package main\n"]), "\nfunc main() {}\n"]
        if glue:
            (folder / GLUE_FILE).write_text("".join(glue), encoding="utf-8")
            files.append(GLUE_FILE)
        root = go.program.resolve().parent.parent
        status, said = run_compiler(
            [go.program, "build", *flags, "-o", "cell.wasm", *files],
            folder=folder,
            env=compiler_environment(
                GOOS="wasip1",
                GOARCH="wasm",
                GOCACHE=str(cache),
                GOPROXY="off",
                GOFLAGS="-mod=mod -trimpath",
                GOTOOLCHAIN="local",
                GOENV="off",
                GOTELEMETRY="off",
                CGO_ENABLED="0",
                HOME=str(folder),
                TMPDIR=str(folder),
            ),
            label=source.label,
            reads=[],
            writes=[cache],
            executes=[root, folder],
            on_wait=teller(f"Compiling {source.label}, with Go's own library the first time", progress),
        )
        making.step("go build")
        output = folder / "cell.wasm"
        module = output.read_bytes() if status == 0 and output.exists() else None
        if module is not None and not module.startswith(
            CORE_PREAMBLE
        ):  # an archive, of a package that is not main
            return Made(None, _other_package(source))
        return Made(module, said, status)


def _other_package(source: Source) -> str:
    """What to say of a package that is no program, which go itself builds without a word."""
    lines = source.code.split("\n")
    number = next((index for index, line in enumerate(lines) if line.startswith("package ")), 0)
    name = lines[number].partition(" ")[2]
    return f"{source.label}:{number + source.first_line}:1: this is package {name}, and a program is package main"
