"""Arguments and results of WASI 0.1 calls, read out of guest memory for people.

A guest may pass anything. So every address goes through the reader that the runtime
gives, which raises IndexError outside of memory; text that is not UTF-8 is shown with
escapes; and long lists and paths are cut off.
"""

from __future__ import annotations

import datetime
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from wasm_lab.wasi.tables import ENUMS, FLAGS, POINTER, Call, Value

if TYPE_CHECKING:
    from wasm_lab.wasi.descriptors import Descriptors

#: Reads guest memory: address and size in bytes. Raises IndexError when out of bounds.
ReadMemory = Callable[[int, int], bytes]

#: Shown in place of what lies outside of memory.
OUTSIDE = "<outside of memory>"

#: Longest path shown, in bytes; hosts allow 4096 (Linux, PATH_MAX).
PATH_BYTES = 4096

#: Buffers of one read or write that are added up; more are told as "at least".
IOVECS = 1024

_TELLING_RIGHTS = frozenset({"fd_read", "fd_write", "fd_readdir"})
_INHERITING = "inheriting"

_DAY_ONE = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def arguments(call: Call, raw: Sequence[int], read: ReadMemory, descriptors: Descriptors) -> dict[str, Any]:
    """The arguments of one call by name, before it is made.

    Args:
        raw: the core Wasm arguments, signed or unsigned.
    """
    shown: dict[str, Any] = {}
    position = 0
    for value in call.parameters:
        width = len(value.core_types)
        part = [number & (2**64 - 1 if kind == "i64" else 2**32 - 1)
                for number, kind in zip(raw[position : position + width], value.core_types, strict=True)]  # fmt: skip
        position += width
        if value.kind != POINTER and value.name != _INHERITING:
            shown[value.name] = _argument(value, part, read, descriptors)
    return shown


def result(call: Call, raw: Sequence[int], read: ReadMemory) -> str:
    """What a successful call wrote for the guest, in words; ``success`` when nothing."""
    pointers = raw[len(raw) - len(call.results) :] if call.results else ()
    parts = []
    for value, pointer in zip(call.results, pointers, strict=True):
        try:
            parts.append(_result(value, pointer & (2**32 - 1), read))
        except IndexError:
            parts.append(OUTSIDE)
    return ", ".join(parts) or "success"


def path(address: int, length: int, read: ReadMemory) -> str:
    """A path out of guest memory. Raises IndexError when it is not inside."""
    text = read(address, min(length, PATH_BYTES)).decode(errors="backslashreplace")
    return text if length <= PATH_BYTES else f"{text}… ({length} bytes)"


def _argument(value: Value, part: list[int], read: ReadMemory, descriptors: Descriptors) -> Any:
    number = part[0]
    match value.kind:
        case "fd":
            return descriptors.name(number)
        case "path":
            try:
                return path(number, part[1], read)
            except IndexError:
                return OUTSIDE
        case "iovs":
            return _buffers(number, part[1], read)
        case "buffer":
            return f"{part[1]} bytes"
        case "s64":
            return number - 2**64 if number >= 2**63 else number
        case kind if kind in FLAGS:
            return _flags(kind, number)
        case kind if kind in ENUMS:
            return _enum(kind, number)
        case _:
            return number


def _flags(kind: str, bits: int) -> str:
    names = FLAGS[kind]
    known = [name for position, name in enumerate(names) if bits >> position & 1]
    rest = bits >> len(names) << len(names)
    if kind == "rights":
        # Libraries ask for nearly all rights at each opening; these are the ones that tell something.
        return "|".join(name for name in known if name in _TELLING_RIGHTS) or "none"
    return "|".join([*known, *([hex(rest)] if rest else [])]) or "none"


def _enum(kind: str, number: int) -> str:
    names = ENUMS[kind]
    return names[number] if number < len(names) else f"{kind} {number}"


def _buffers(address: int, count: int, read: ReadMemory) -> str:
    shown = min(count, IOVECS)
    try:
        words = struct.unpack(f"<{shown * 2}I", read(address, shown * 8))
    except IndexError:
        return OUTSIDE
    total = sum(words[1::2])
    return f"at least {total} bytes" if count > shown else f"{total} bytes"


def _result(value: Value, pointer: int, read: ReadMemory) -> str:
    match value.kind:
        case "size":
            return f"{_u32(pointer, read)} bytes"
        case "u32":
            return f"{value.name} {_u32(pointer, read)}"
        case "fd":
            return f"fd {_u32(pointer, read)}"
        case "size64":
            return f"{value.name} {_u64(pointer, read)}"
        case "u64":
            return f"{_u64(pointer, read)} {value.name}"
        case "timestamp":
            return timestamp(_u64(pointer, read))
        case "prestat":
            return f"a folder, its name has {_u32(pointer + 4, read)} bytes"
        case "fdstat":
            return _enum("filetype", read(pointer, 1)[0])
        case "filestat":
            data = read(pointer, 64)
            return f"{_enum('filetype', data[16])}, {struct.unpack_from('<Q', data, 32)[0]} bytes"
        case _:
            return value.name


def timestamp(nanoseconds: int) -> str:
    """A time since 1970 as ISO 8601; as seconds when it is too early or late to be one."""
    seconds, rest = divmod(nanoseconds, 10**9)
    if not 10**8 < seconds < 10**11:  # a monotonic clock counts from the start of the machine
        return f"{nanoseconds / 1e9:.9f} s"
    moment = _DAY_ONE + datetime.timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _u32(address: int, read: ReadMemory) -> int:
    return int.from_bytes(read(address, 4), "little")


def _u64(address: int, read: ReadMemory) -> int:
    return int.from_bytes(read(address, 8), "little")
