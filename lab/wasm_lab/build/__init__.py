"""Source to Artifact: cache, compiler call, diagnostics, dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.build.progress import Progress

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact, HostProgram
    from wasm_lab.source import Source

__all__ = ["Progress", "build", "build_for_host"]


def build(source: Source, *, progress: Progress | None = None, incremental: bool = True) -> Artifact:
    """Compile ``source``, or take what an earlier compile of the same gave from the cache.

    Rust is compiled here; every other language in `wasm_lab.build.languages`.

    Args:
        progress: called while crates of the dependencies build, or a toolchain is unpacked.
        incremental: whether code with dependencies may be compiled in many small units, so that
            an edit takes a fifth of the time. Its own loops then run up to a quarter slower, so
            whoever measures them says False. Code without dependencies is one unit either way.

    Raises:
        CompileError: the code is refused; carries the compiler's diagnostics.
        DependencyError: cargo could not resolve, fetch or build a crate.
        ToolchainError: no compiler here works for the target.
        UnsupportedError: this kind of code cannot be built for this target.

    Example:
        >>> from wasm_lab.source import Kind, Source
        >>> build(Source(code="fn main() {}", kind=Kind.PROGRAM)).is_component
        False
    """
    if source.language != "rust":
        from wasm_lab.build.languages import build_language

        return build_language(source, progress=progress)
    from wasm_lab.build.pipeline import Build

    return Build(source, progress=progress, incremental=incremental).artifact()


def build_for_host(
    source: Source, *, progress: Progress | None = None, incremental: bool = True
) -> HostProgram:
    """Compile a program for this machine, or take what an earlier compile gave from the cache.

    Its profile's flags are those of the Wasm build, its panics abort as they do there, and its
    crates are of the same versions. ``source.target`` is not looked at.

    Args:
        progress, incremental: as for `build`.

    Raises:
        CompileError, DependencyError: as for `build`.
        ToolchainError: no compiler here works, or nothing links programs of this machine.
        UnsupportedError: the code is no program.

    Example:
        >>> from wasm_lab.source import Kind, Source
        >>> build_for_host(Source(code="fn main() {}", kind=Kind.PROGRAM)).executable[:4] != b"\\0asm"
        True
    """
    from wasm_lab.build.pipeline import Build

    return Build(source, progress=progress, incremental=incremental).host_program()
