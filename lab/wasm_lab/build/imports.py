"""From which modules a core module imports, read from its import section (core specification 5.5.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.artifact import CORE_PREAMBLE
from wasm_lab.build.sections import IMPORT, leb128, sections

if TYPE_CHECKING:
    from collections.abc import Iterator

_FUNCTION, _TABLE, _MEMORY, _GLOBAL = range(4)


def import_modules(wasm: bytes) -> tuple[str, ...]:
    """The names of the modules that a core module imports from, each once; none of a component.

    Raises:
        LoadError: the bytes are damaged.

    Example:
        >>> import_modules(CORE_PREAMBLE)
        ()
    """
    if not wasm.startswith(CORE_PREAMBLE):
        return ()
    for section in sections(wasm):
        if section.number == IMPORT:
            return tuple(dict.fromkeys(_modules(wasm, section.body)))
    return ()


def _modules(wasm: bytes, offset: int) -> Iterator[str]:
    count, offset = leb128(wasm, offset)
    for _ in range(count):
        length, offset = leb128(wasm, offset)
        yield wasm[offset : offset + length].decode("utf-8", "replace")
        offset += length
        length, offset = leb128(wasm, offset)
        offset += length
        kind, offset = wasm[offset], offset + 1
        if kind == _FUNCTION:
            _, offset = leb128(wasm, offset)
        elif kind == _GLOBAL:
            offset += 2
        elif kind in (_TABLE, _MEMORY):
            offset += kind == _TABLE  # the type of a table's elements
            bounded = wasm[offset] & 1
            _, offset = leb128(wasm, offset + 1)
            if bounded:
                _, offset = leb128(wasm, offset)
        else:
            return  # of a proposal that this does not know
