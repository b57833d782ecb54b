"""Codecs of values that are made of no others: numbers, text, and lists of numbers.

`Codec.lower` gives the 32 bytes of a ``wasmtime_component_val_t``. What these point to are bytes
objects, kept alive in ``state.keep`` until the engine has copied them. `Codec.lift` reads a value
out of the engine's memory or a copy of it. Neither checks what C code checks anyway: when one fails,
`explain` walks the value again and finds out where.
"""

from __future__ import annotations

import ctypes
from array import array
from ctypes import string_at
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from wasm_lab.components import native
from wasm_lab.components.native import address_of_bytes
from wasm_lab.components.nouns import Primitive

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.components.nouns import Type
    from wasm_lab.components.state import State

Lower: TypeAlias = "Callable[[Any, State], bytes]"
Lift: TypeAlias = "Callable[[bytes | memoryview, int, State], Any]"


class Codec(NamedTuple):
    """How values of one type cross."""

    lower: Lower
    lift: Lift
    flat: bool = False  #: the 32 bytes point to nothing
    boxed: bool = False  #: a handle: lowering makes one that belongs to whoever receives it


_P = native.VAL_BYTES
ONE = Struct("<B7xQ16x")  #: kind and one word
TWO = Struct("<B7xQQ8x")  #: kind and two words
words2 = Struct("<QQ").unpack_from
words3 = Struct("<QQQ").unpack_from
word = Struct("<Q").unpack_from

#: Name of a number type, its letter for `struct`, and how many bytes it has.
NUMBERS = {
    "s8": ("b", 1),
    "u8": ("B", 1),
    "s16": ("h", 2),
    "u16": ("H", 2),
    "s32": ("i", 4),
    "u32": ("I", 4),
    "s64": ("q", 8),
    "u64": ("Q", 8),
    "f32": ("f", 4),
    "f64": ("d", 8),
}


def scalar_format(kind: Type) -> str:
    """The `struct` format of a number's 32 bytes: the kind, then the number; empty for other types."""
    if not isinstance(kind, Primitive) or kind.name not in NUMBERS:
        return ""
    letter, size = NUMBERS[kind.name]
    return f"B7x{letter}{24 - size}x"


_TRUE, _FALSE = ONE.pack(native.BOOL, 1), ONE.pack(native.BOOL, 0)


def number(name: str) -> Codec:
    kind, (letter, size) = native.KINDS[name], NUMBERS[name]
    pack = Struct(f"<B7x{letter}{24 - size}x").pack
    read = Struct(f"<{letter}").unpack_from

    def lower(value: Any, state: State) -> bytes:
        return pack(kind, value)

    def lift(raw: bytes | memoryview, at: int, state: State) -> Any:
        return read(raw, at + 8)[0]

    return Codec(lower, lift, flat=True)


def lower_bool(value: Any, state: State) -> bytes:
    if value is True:
        return _TRUE
    if value is False:
        return _FALSE
    raise TypeError


def lift_bool(raw: bytes | memoryview, at: int, state: State) -> bool:
    return raw[at + 8] != 0


def lower_char(value: Any, state: State) -> bytes:
    number = ord(value)
    if 0xD800 <= number <= 0xDFFF:
        raise ValueError
    return ONE.pack(native.CHAR, number)


def lift_char(raw: bytes | memoryview, at: int, state: State) -> str:
    return chr(word(raw, at + 8)[0] & 0xFFFFFFFF)


def lower_string(value: Any, state: State) -> bytes:
    data = str.encode(value)
    state.keep.append(data)
    return TWO.pack(native.STRING, len(data), address_of_bytes(data))


def lift_string(raw: bytes | memoryview, at: int, state: State) -> str:
    size, place = words2(raw, at + 8)
    return string_at(place, size).decode()


# Lists of numbers: the values lie 32 bytes apart, and are gathered and scattered by slices ---


def lower_bytes(value: Any, state: State) -> bytes:
    if not isinstance(value, (bytes, bytearray)):
        if isinstance(value, (str, int)):
            raise TypeError
        value = bytes(value)
    size = len(value)
    if size == 0:
        return _EMPTY_LIST
    buffer = bytearray(_BLANK_BYTE * size)
    buffer[8::_P] = value
    return _list_in(buffer, size, state)


def lift_bytes(raw: bytes | memoryview, at: int, state: State) -> bytes:
    count, place = words2(raw, at + 8)
    return string_at(place + 8, count * _P - 24)[::_P] if count else b""


_BLANK_BYTE = ONE.pack(native.U8, 0)
_EMPTY_LIST = TWO.pack(native.LIST, 0, 0)


def _list_in(buffer: bytearray, size: int, state: State) -> bytes:
    anchor = ctypes.c_char.from_buffer(buffer)
    state.keep.append(anchor)
    return TWO.pack(native.LIST, size, ctypes.addressof(anchor))


def list_of_numbers(name: str) -> Codec:
    kind, (letter, size) = native.KINDS[name], NUMBERS[name]
    blank, step, first = ONE.pack(kind, 0), _P // size, 8 // size

    def lower(value: Any, state: State) -> bytes:
        if isinstance(value, (str, bytes, bytearray, dict)):
            raise TypeError
        numbers = array(letter, value)
        count = len(numbers)
        if count == 0:
            return _EMPTY_LIST
        buffer = bytearray(blank * count)
        memoryview(buffer).cast(letter)[first::step] = memoryview(numbers)  # type: ignore[call-overload]
        return _list_in(buffer, count, state)

    def lift(raw: bytes | memoryview, at: int, state: State) -> Any:
        count, place = words2(raw, at + 8)
        if not count:
            return []
        return memoryview(string_at(place, count * _P)).cast(letter)[first::step].tolist()  # type: ignore[call-overload]

    return Codec(lower, lift)
