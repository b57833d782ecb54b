"""What must hold of a module before any engine is asked to time it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.artifact import CORE_PREAMBLE
from wasm_lab.build.sections import leb128, sections
from wasm_lab.errors import LoadError, UnsupportedError

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact

#: Number of the export section (core specification 2.0, 5.5.10) and the kind of a function there.
_EXPORTS, _FUNCTION = 7, 0


def check_core_module(artifact: Artifact) -> None:
    """Refuse what is no core module.

    Raises:
        UnsupportedError: it is a component.
        LoadError: it is no WebAssembly.
    """
    if artifact.is_component:
        raise UnsupportedError(
            f"{artifact.label} is a component, and only core modules are timed yet.",
            hint="Build it for wasm32-wasip1.",
        )
    if artifact.wasm[:8] != CORE_PREAMBLE:
        raise LoadError(f"{artifact.label} is no WebAssembly module.", hint="Is it the right file?")


def check_command(artifact: Artifact) -> None:
    """Refuse what is no command, which some engines would pass over in silence.

    Raises:
        UnsupportedError: it is a component.
        LoadError: it is no WebAssembly, is damaged, or has no ``_start``.
    """
    check_core_module(artifact)
    try:
        functions = exported_functions(artifact.wasm)
    except LoadError as error:
        raise LoadError(f"{artifact.label} is damaged. {error.message}") from None
    if "_start" not in functions:
        exports = ", ".join(functions) or "nothing"
        raise LoadError(
            f"{artifact.label} is a library, not a program: it has no _start, but exports {exports}.",
            hint="Its numeric exports can be timed one by one.",
        )


def exported_functions(wasm: bytes) -> tuple[str, ...]:
    """The names of the functions that a core module exports.

    Raises:
        LoadError: its frame is damaged.
    """
    names = []
    for part in sections(wasm):
        if part.number != _EXPORTS:
            continue
        count, at = leb128(wasm, part.body)
        for _ in range(count):
            length, at = leb128(wasm, at)
            name, at = wasm[at : at + length], at + length
            kind, at = leb128(wasm, at)
            _, at = leb128(wasm, at)
            if kind == _FUNCTION:
                names.append(name.decode("utf-8", "replace"))
    return tuple(names)
