"""The streams of the glue's ``Out`` as Python values. Whatever the guest wrote, within bounds."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wasm_lab.abi.buffers import from_run
from wasm_lab.abi.scalars import SURROGATES
from wasm_lab.abi.types import MAPS, PLAIN, SEQUENCES, SETS, TEXTS, element, row_format
from wasm_lab.errors import LoadError

if TYPE_CHECKING:
    from wasm_lab.abi.types import Plain
    from wasm_lab.cells.signatures import RustType

#: Takes the bytes and where the value begins; gives the value and where the next begins.
Decoder = Callable[["memoryview | bytes", int], tuple[Any, int]]

_read_count = struct.Struct("<I").unpack_from


def decoder(kind: RustType, what: str) -> Decoder:
    """The decoder of a type that `obstacle` lets pass as a result; ``what`` names the function.

    The decoder raises LoadError where the bytes are no value of the type.
    """
    name, args = kind.name, kind.args
    if name in PLAIN:
        return _plain(PLAIN[name], what)
    if name in TEXTS:
        return _text(what)
    if name in ("ref", "Cow"):
        return decoder(args[-1], what)
    if name in SEQUENCES:
        plain = element(kind)
        return _run(plain, what) if plain else _sequence(args[0], what)
    if name == "Option":
        return _option(decoder(args[0], what), what)
    if name == "tuple":
        return _tuple([decoder(arg, what) for arg in args])
    if name in MAPS:
        return _map(decoder(args[0], what), decoder(args[1], what), what)
    if name in SETS:
        items = _sequence(args[0], what)

        def members(data: memoryview | bytes, at: int) -> tuple[Any, int]:
            found, at = items(data, at)
            return set(found), at

        return members
    raise AssertionError(kind)


def ended(what: str) -> LoadError:
    return LoadError(f"{what} returned a value that ends before it is whole.")


def count_at(data: memoryview | bytes, at: int, what: str) -> tuple[int, int]:
    """A count, which may not promise more items than there are bytes left."""
    if at + 4 > len(data):
        raise ended(what)
    count: int = _read_count(data, at)[0]
    if count > len(data) - at - 4:
        raise LoadError(f"{what} returned a length of {count} where {len(data) - at - 4} bytes are left.")
    return count, at + 4


def _plain(plain: Plain, what: str) -> Decoder:
    size, kind, signed = plain.size, plain.kind, plain.low < 0
    if kind in ("int", "float") and plain.form:
        unpack = struct.Struct(f"<{plain.form}").unpack_from

        def number(data: memoryview | bytes, at: int) -> tuple[Any, int]:
            if at + size > len(data):
                raise ended(what)
            return unpack(data, at)[0], at + size

        return number

    def other(data: memoryview | bytes, at: int) -> tuple[Any, int]:
        if at + size > len(data):
            raise ended(what)
        value = int.from_bytes(data[at : at + size], "little", signed=signed)
        return special(value, plain, what), at + size

    return other


def special(value: int, plain: Plain, what: str) -> Any:
    """A bool or char from its number; other numbers as they are."""
    if plain.kind == "bool":
        if value not in (0, 1):
            raise LoadError(f"{what} returned {value} for a bool.")
        return value == 1
    if plain.kind == "char":
        if not 0 <= value < 0x110000 or value in SURROGATES:
            raise LoadError(f"{what} returned {value:#x} for a char.")
        return chr(value)
    return value


def decoded(data: memoryview | bytes, what: str) -> str:
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise LoadError(f"{what} returned text that is no UTF-8 ({error.reason} at {error.start}).") from None


def _text(what: str) -> Decoder:
    def decode(data: memoryview | bytes, at: int) -> tuple[str, int]:
        count, at = count_at(data, at, what)
        return decoded(data[at : at + count], what), at + count

    return decode


def _run(plain: Plain, what: str) -> Decoder:
    size = plain.size
    convert = from_run(plain, what)

    def decode(data: memoryview | bytes, at: int) -> tuple[Any, int]:
        count, at = count_at(data, at, what)
        end = at + count * size
        if end > len(data):
            raise ended(what)
        return convert(memoryview(data)[at:end]), end

    return decode


def _sequence(kind: RustType, what: str) -> Decoder:
    form = row_format(kind)
    if form:
        return _rows(struct.Struct(form), what)
    decode_item = decoder(kind, what)

    def decode(data: memoryview | bytes, at: int) -> tuple[list[Any], int]:
        count, at = count_at(data, at, what)
        items = []
        for _ in range(count):
            item, at = decode_item(data, at)
            items.append(item)
        return items, at

    return decode


def _rows(row: struct.Struct, what: str) -> Decoder:
    def decode(data: memoryview | bytes, at: int) -> tuple[list[Any], int]:
        count, at = count_at(data, at, what)
        end = at + count * row.size
        if end > len(data):
            raise ended(what)
        return list(row.iter_unpack(data[at:end])), end

    return decode


def _option(decode_value: Decoder, what: str) -> Decoder:
    def decode(data: memoryview | bytes, at: int) -> tuple[Any, int]:
        if at >= len(data):
            raise ended(what)
        tag = data[at]
        if tag > 1:
            raise LoadError(f"{what} returned {tag} where 0 (None) or 1 (Some) stands.")
        return decode_value(data, at + 1) if tag else (None, at + 1)

    return decode


def _tuple(decoders: list[Decoder]) -> Decoder:
    def decode(data: memoryview | bytes, at: int) -> tuple[tuple[Any, ...], int]:
        items = []
        for decode_item in decoders:
            item, at = decode_item(data, at)
            items.append(item)
        return tuple(items), at

    return decode


def _map(decode_key: Decoder, decode_value: Decoder, what: str) -> Decoder:
    def decode(data: memoryview | bytes, at: int) -> tuple[dict[Any, Any], int]:
        count, at = count_at(data, at, what)
        found = {}
        for _ in range(count):
            key, at = decode_key(data, at)
            found[key], at = decode_value(data, at)
        return found, at

    return decode


def whole(decode: Decoder, what: str) -> Callable[[memoryview], Any]:
    """What decodes one value that must be all there is."""

    def read(view: memoryview) -> Any:
        # A slice of bytes costs half of a slice of a view; a large value is not copied first.
        data = view.tobytes() if len(view) < 1 << 16 else view
        value, at = decode(data, 0)
        if at != len(data):
            raise LoadError(f"{what} returned {len(data)} bytes where its value has {at}.")
        return value

    return read
