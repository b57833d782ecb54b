"""Bounding a guest's memory: by what its module declares, and behind that by its process.

wasmer-sdk has no limit of its own. The module's memories are therefore given a maximum before it
is compiled, which every engine keeps to exactly. RLIMIT_DATA on the worker stands behind that for
what lies outside of linear memory, such as tables.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from wasm_lab.build.sections import encode_leb128, leb128, sections

PAGE_BYTES = 65536

#: What the engine itself may take beside the guest's memory while it runs, in bytes.
ENGINE_BYTES = 512 * 1024 * 1024

#: The unit of statm.
PAGE_OF_HOST_BYTES = os.sysconf("SC_PAGESIZE") if hasattr(os, "sysconf") else 4096

_MEMORY_SECTION = 5
_HAS_MAXIMUM = (
    0x01  # bits of a memory type's flags (core specification 5.3.8, and memory64, custom page sizes)
)
_CUSTOM_PAGES = 0x08


class TooLarge(Exception):
    """Inside this room: the module asks for more memory than it may have from the start."""


def bounded(wasm: bytes, limit_bytes: int | None) -> bytes:
    """The module with its own memories kept to ``limit_bytes`` together.

    Raises:
        TooLarge: they begin larger than that.
        LoadError: the bytes are no module.

    Example:
        >>> bounded(b"\\0asm\\x01\\0\\0\\0" + bytes((5, 3, 1, 0, 1)), 2 * PAGE_BYTES).hex()[16:]
        '050401010102'
    """
    if limit_bytes is None:
        return wasm
    for section in sections(wasm):
        if section.number == _MEMORY_SECTION:
            body = _bounded_section(wasm[section.body : section.end], limit_bytes)
            return b"".join(
                (
                    wasm[: section.start],
                    bytes((_MEMORY_SECTION,)),
                    encode_leb128(len(body)),
                    body,
                    wasm[section.end :],
                )
            )
    return wasm


def _bounded_section(body: bytes, limit_bytes: int) -> bytes:
    count, offset = leb128(body, 0)
    made = [encode_leb128(count)]
    for _ in range(count):
        flags, offset = leb128(body, offset)
        smallest, offset = leb128(body, offset)
        largest = None
        if flags & _HAS_MAXIMUM:
            largest, offset = leb128(body, offset)
        page_bytes, tail = PAGE_BYTES, b""
        if flags & _CUSTOM_PAGES:
            exponent, offset = leb128(body, offset)
            page_bytes, tail = 1 << exponent, encode_leb128(exponent)
        most = limit_bytes // count // page_bytes
        if smallest > most:
            raise TooLarge
        largest = most if largest is None else min(largest, most)
        made += [encode_leb128(flags | _HAS_MAXIMUM), encode_leb128(smallest), encode_leb128(largest), tail]
    return b"".join(made)


def bound_process(limit_bytes: int | None) -> None:
    """Keep this process to what it has now, and the guest's limit, and what the engine may need. Linux only."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = hard
    if limit_bytes is not None:
        soft = _data_bytes() + limit_bytes + ENGINE_BYTES
        if hard != resource.RLIM_INFINITY:
            soft = min(soft, hard)
    with contextlib.suppress(ValueError, OSError):  # no more than a second wall
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int:
    """What RLIMIT_DATA counts now, and the stack (the field ``data`` of statm in proc(5))."""
    return int(Path("/proc/self/statm").read_bytes().split()[5]) * PAGE_OF_HOST_BYTES
