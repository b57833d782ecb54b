"""Python values as the streams that the glue's ``In`` reads (see `rust` for the form)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from wasm_lab.abi.buffers import pack_all, to_run
from wasm_lab.abi.misfit import Misfit, type_of
from wasm_lab.abi.scalars import check, to_utf8
from wasm_lab.abi.types import MAPS, PLAIN, SEQUENCES, SETS, TEXTS, array_length, element, row_format

if TYPE_CHECKING:
    from wasm_lab.abi.types import Plain
    from wasm_lab.cells.signatures import RustType

#: Appends a value to the stream. Raises Misfit.
Encoder = Callable[[Any, bytearray], None]

_count = struct.Struct("<I").pack


def encoder(kind: RustType) -> Encoder:
    """The encoder of a type that `obstacle` lets pass as a parameter."""
    name, args = kind.name, kind.args
    if name in PLAIN:
        return _plain(PLAIN[name])
    if name in TEXTS:
        return _text
    if name in SEQUENCES:
        plain = element(kind)
        length = array_length(kind) if name == "array" else None
        return _run(plain, length) if plain else _sequence(args[0], length)
    if name == "Option":
        return _option(encoder(args[0]))
    if name == "tuple":
        return _tuple([encoder(arg) for arg in args])
    if name in MAPS:
        return _map(encoder(args[0]), encoder(args[1]))
    if name in SETS:
        return _set(encoder(args[0]))
    raise AssertionError(kind)


def _plain(plain: Plain) -> Encoder:
    take = check(plain)

    def encode(value: Any, out: bytearray) -> None:
        out += pack_all([take(value)], plain)

    if not plain.form:
        return encode
    pack = struct.Struct(f"<{plain.form}").pack

    def encode_packed(value: Any, out: bytearray) -> None:
        out += pack(take(value))

    return encode_packed


def _text(value: Any, out: bytearray) -> None:
    data = to_utf8(value)
    out += _count(len(data))
    out += data


def _run(plain: Plain, length: int | None) -> Encoder:
    align = plain.size - 1

    def encode(value: Any, out: bytearray) -> None:
        data, count = to_run(value, plain)
        check_length(count, length)
        out += _count(count)
        out += bytes(-len(out) & align)
        out += data

    return encode


def check_length(count: int, length: int | None) -> None:
    if length is not None and count != length:
        raise Misfit(ValueError, f"must have {length} items, not {count}")
    if count > 0xFFFFFFFF:
        raise Misfit(OverflowError, f"has {count} items, more than a guest with 32-bit addresses can hold")


def _items(value: Any, what: str) -> list[Any] | tuple[Any, ...]:
    if isinstance(value, (list, tuple)):
        return value
    if (
        isinstance(value, (str, bytes, bytearray, Mapping, set, frozenset))
        or not hasattr(value, "__len__")
        or not hasattr(value, "__getitem__")
        or getattr(value, "ndim", 1) == 0
    ):
        raise Misfit(TypeError, f"must be {what}, not {type_of(value)}")
    return list(value)


def _sequence(kind: RustType, length: int | None) -> Encoder:
    encode_item = encoder(kind)
    form = row_format(kind)
    pack = struct.Struct(form).pack if form else None

    def encode(value: Any, out: bytearray) -> None:
        items = _items(value, "a list")
        check_length(len(items), length)
        out += _count(len(items))
        if pack and all(item.__class__ is tuple for item in items):
            try:
                out += b"".join([pack(*item) for item in items])
                return
            except (struct.error, OverflowError, TypeError, ValueError):
                pass  # found again below, one by one, by an encoder that can say which it is
        for index, item in enumerate(items):
            try:
                encode_item(item, out)
            except Misfit as misfit:
                raise misfit.inside(f"[{index}]") from None

    return encode


def _option(encode_value: Encoder) -> Encoder:
    def encode(value: Any, out: bytearray) -> None:
        if value is None:
            out.append(0)
        else:
            out.append(1)
            try:
                encode_value(value, out)
            except Misfit as misfit:
                if not misfit.path and misfit.error is TypeError:
                    misfit.what = misfit.what.replace(", not ", " or None, not ", 1)
                raise

    return encode


def _tuple(encoders: list[Encoder]) -> Encoder:
    size = len(encoders)

    def encode(value: Any, out: bytearray) -> None:
        items = _items(value, f"a tuple of {size}")
        check_length(len(items), size)
        for index, (encode_item, item) in enumerate(zip(encoders, items, strict=True)):
            try:
                encode_item(item, out)
            except Misfit as misfit:
                raise misfit.inside(f"[{index}]") from None

    return encode


def _map(encode_key: Encoder, encode_value: Encoder) -> Encoder:
    def encode(value: Any, out: bytearray) -> None:
        if not isinstance(value, Mapping):
            raise Misfit(TypeError, f"must be a dict, not {type_of(value)}")
        check_length(len(value), None)
        out += _count(len(value))
        for key, item in value.items():
            try:
                encode_key(key, out)
            except Misfit as misfit:
                raise misfit.inside(f" key {key!r}") from None
            try:
                encode_value(item, out)
            except Misfit as misfit:
                raise misfit.inside(f"[{key!r}]") from None

    return encode


def _set(encode_item: Encoder) -> Encoder:
    def encode(value: Any, out: bytearray) -> None:
        if not isinstance(value, (set, frozenset)):
            raise Misfit(TypeError, f"must be a set, not {type_of(value)}")
        check_length(len(value), None)
        out += _count(len(value))
        for item in value:
            try:
                encode_item(item, out)
            except Misfit as misfit:
                raise misfit.inside(f" member {item!r}") from None

    return encode
