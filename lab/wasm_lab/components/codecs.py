"""From Python values to the engine's and back: one codec for each WIT type, built once.

Here are those of values made of others; `plain` has the rest, and says how they work.
"""

from __future__ import annotations

import enum
from ctypes import string_at
from operator import attrgetter
from struct import Struct
from typing import TYPE_CHECKING, Any

from wasm_lab.components import native, plain
from wasm_lab.components.names import constant, pascal, snake
from wasm_lab.components.native import address_of_bytes
from wasm_lab.components.nouns import (
    EnumOf,
    FlagsOf,
    Handle,
    ListOf,
    OptionOf,
    Primitive,
    Record,
    ResultOf,
    TupleOf,
    Unsupported,
    Variant,
)
from wasm_lab.components.plain import NUMBERS, ONE, TWO, Codec, scalar_format, word, words2, words3
from wasm_lab.components.values import Err, Ok, Some
from wasm_lab.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.components.nouns import Type
    from wasm_lab.components.plain import Lift
    from wasm_lab.components.pytypes import PythonTypes
    from wasm_lab.components.resources import HandleCodecs
    from wasm_lab.components.state import State

_P, _V = native.VAL_BYTES, native.ENTRY_BYTES
_NAME = Struct("<QQ")
_NONE = ONE.pack(native.OPTION, 0)
_HEAD = Struct("<B7x")


class Codecs:
    """The codecs of one component's types.

    Args:
        types: its Python classes.
        handles: how its resources cross.
    """

    def __init__(self, types: PythonTypes, handles: HandleCodecs) -> None:
        self._types = types
        self._handles = handles
        self._made: dict[Type, Codec] = {}
        self._names: list[bytes] = []  # what entries point to, for as long as the codecs live

    def of(self, kind: Type) -> Codec:
        """The codec of a type.

        Raises:
            UnsupportedError: the type cannot cross here.
        """
        made = self._made.get(kind)
        if made is None:
            made = self._made[kind] = self._make(kind)
        return made

    def _make(self, kind: Type) -> Codec:
        match kind:
            case Primitive("string"):
                return Codec(plain.lower_string, plain.lift_string)
            case Primitive("char"):
                return Codec(plain.lower_char, plain.lift_char, flat=True)
            case Primitive("bool"):
                return Codec(plain.lower_bool, plain.lift_bool, flat=True)
            case Primitive():
                return plain.number(kind.name)
            case ListOf():
                return self._list(kind)
            case TupleOf():
                return self._tuple(kind)
            case OptionOf():
                return self._option(kind)
            case ResultOf():
                return self._result(kind)
            case Record():
                return self._record(kind)
            case Variant():
                return self._variant(kind)
            case EnumOf():
                return self._enum(kind)
            case FlagsOf():
                return self._flags(kind)
            case Handle():
                return self._handles.of(kind)
            case Unsupported("stream" | "future" | "error-context" as name):
                raise UnsupportedError(
                    f"A value of type {name} belongs to WASI 0.3, and components run here up to WASI 0.2.",
                    hint="Build the component for WASI 0.2 (with Spin: SDK 5).",
                )
            case _:
                raise UnsupportedError(f"A value of type {kind} cannot cross between Python and a component.")

    def _name(self, name: str) -> bytes:
        """A ``wasm_name_t``: how long the name is and where it lies."""
        data = name.encode()
        self._names.append(data)
        return _NAME.pack(len(data), address_of_bytes(data))

    # Compounds ----------------------------------------------------------------------------

    def _list(self, kind: ListOf) -> Codec:
        item = kind.item
        if isinstance(item, Primitive) and item.name == "u8":
            return Codec(plain.lower_bytes, plain.lift_bytes)
        if isinstance(item, Primitive) and item.name in NUMBERS:
            return plain.list_of_numbers(item.name)
        lower_item, lift_item = self.of(item)[:2]

        def lower(value: Any, state: State) -> bytes:
            if isinstance(value, (str, dict)):
                raise TypeError
            data = b"".join([lower_item(one, state) for one in value])
            state.keep.append(data)
            return TWO.pack(native.LIST, len(data) // _P, address_of_bytes(data))

        def lift(raw: bytes | memoryview, at: int, state: State) -> list[Any]:
            count, place = words2(raw, at + 8)
            data = string_at(place, count * _P)
            return [lift_item(data, i, state) for i in range(0, count * _P, _P)]

        return Codec(lower, lift)

    def _tuple(self, kind: TupleOf) -> Codec:
        codecs = [self.of(item) for item in kind.items]
        lowers = [codec.lower for codec in codecs]
        lifts = [(number * _P, codec.lift) for number, codec in enumerate(codecs)]
        size = len(codecs)

        def lower(value: Any, state: State) -> bytes:
            if len(value) != size or isinstance(value, (str, dict)):
                raise TypeError
            data = b"".join([one(part, state) for one, part in zip(lowers, value)])  # noqa: B905 - counted above
            state.keep.append(data)
            return TWO.pack(native.TUPLE, size, address_of_bytes(data))

        def lift(raw: bytes | memoryview, at: int, state: State) -> tuple[Any, ...]:
            data = string_at(word(raw, at + 16)[0], size * _P)
            return tuple([one(data, i, state) for i, one in lifts])

        return Codec(lower, lift)

    def _record(self, kind: Record) -> Codec:
        made = self._types.of(kind)
        names = [self._name(field) for field, _ in kind.fields]
        codecs = [self.of(part) for _, part in kind.fields]
        fields = [snake(field) for field, _ in kind.fields]
        count = len(fields)
        lifts = [(number * _V + 16, codec.lift) for number, codec in enumerate(codecs)]
        parts = list(zip(names, [codec.lower for codec in codecs], strict=True))
        one_value = attrgetter(fields[0])
        read: Callable[[Any], tuple[Any, ...]] = (
            attrgetter(*fields) if count > 1 else lambda v: (one_value(v),)
        )

        def values(value: Any) -> tuple[Any, ...]:
            if isinstance(value, dict):
                if len(value) != count:
                    raise TypeError
                return tuple([value[field] for field in fields])
            return read(value)

        formats = [scalar_format(part) for _, part in kind.fields]
        if all(formats):
            return self._flat_record(kind, made, names, formats, values)

        def lower(value: Any, state: State) -> bytes:
            content = values(value)
            data = b"".join([name + one(part, state) for (name, one), part in zip(parts, content)])  # noqa: B905
            state.keep.append(data)
            return TWO.pack(native.RECORD, count, address_of_bytes(data))

        def lift(raw: bytes | memoryview, at: int, state: State) -> Any:
            data = string_at(word(raw, at + 16)[0], count * _V)
            return made(*[one(data, i, state) for i, one in lifts])

        return Codec(lower, lift)

    def _flat_record(
        self,
        kind: Record,
        made: Any,
        names: list[bytes],
        formats: list[str],
        values: Callable[[Any], tuple[Any, ...]],
    ) -> Codec:
        """A record of numbers: all of it goes through one `struct`, the kinds as constants."""
        count = len(names)
        constants = [
            (native.KINDS[part.name], name)
            for name, (_, part) in zip(names, kind.fields, strict=True)
            if isinstance(part, Primitive)
        ]
        pack = Struct("<" + "".join(f"16s{one}" for one in formats)).pack
        read = Struct("<" + "".join("24x" + one.removeprefix("B7x") for one in formats)).unpack

        def lower(value: Any, state: State) -> bytes:
            words: list[Any] = []
            for (number, name), part in zip(constants, values(value)):  # noqa: B905 - one for each field
                words += (name, number, part)
            data = pack(*words)
            state.keep.append(data)
            return TWO.pack(native.RECORD, count, address_of_bytes(data))

        def lift(raw: bytes | memoryview, at: int, state: State) -> Any:
            return made(*read(string_at(word(raw, at + 16)[0], count * _V)))

        return Codec(lower, lift)

    def _option(self, kind: OptionOf) -> Codec:
        lower_item, lift_item = self.of(kind.item)[:2]
        nested = isinstance(kind.item, OptionOf)

        def lower(value: Any, state: State) -> bytes:
            if value is None:
                return _NONE
            if nested:
                if type(value) is not Some:
                    raise TypeError
                value = value.value
            data = lower_item(value, state)
            state.keep.append(data)
            return ONE.pack(native.OPTION, address_of_bytes(data))

        def lift(raw: bytes | memoryview, at: int, state: State) -> Any:
            place = word(raw, at + 8)[0]
            if not place:
                return None
            value = lift_item(string_at(place, _P), 0, state)
            return Some(value) if nested else value

        return Codec(lower, lift)

    def _result(self, kind: ResultOf) -> Codec:
        ok = None if kind.ok is None else self.of(kind.ok)
        err = None if kind.err is None else self.of(kind.err)

        def lower(value: Any, state: State) -> bytes:
            good = isinstance(value, Ok)
            if not good and not isinstance(value, Err):
                raise TypeError
            codec = ok if good else err
            if codec is None:
                if value.value is not None:
                    raise TypeError
                return TWO.pack(native.RESULT, good, 0)
            data = codec.lower(value.value, state)
            state.keep.append(data)
            return TWO.pack(native.RESULT, good, address_of_bytes(data))

        def lift(raw: bytes | memoryview, at: int, state: State) -> Any:
            good, place = raw[at + 8] != 0, word(raw, at + 16)[0]
            codec = ok if good else err
            value = codec.lift(string_at(place, _P), 0, state) if codec is not None and place else None
            return Ok(value) if good else Err(value)

        return Codec(lower, lift)

    def _variant(self, kind: Variant) -> Codec:
        made = self._types.of(kind)
        cases = {
            name: (self._name(name), None if part is None else self.of(part)) for name, part in kind.cases
        }
        by_class_name = {pascal(name): name for name, _ in kind.cases}
        lifted: dict[bytes, tuple[Any, Lift | None]] = {}

        def find(value: Any) -> tuple[str, Any]:
            """The case, and the payload."""
            if isinstance(value, str):
                return value, None
            if isinstance(value, tuple):
                name, payload = value
                return name, payload
            if isinstance(value, enum.Enum):
                return str(value.value), None
            return by_class_name[type(value).__name__], getattr(value, "value", None)

        def lower(value: Any, state: State) -> bytes:
            name, payload = find(value)
            head, codec = cases[name]
            if codec is None:
                if payload is not None:
                    raise TypeError
                return _kind_and_name(native.VARIANT, head, 0)
            data = codec.lower(payload, state)
            state.keep.append(data)
            return _kind_and_name(native.VARIANT, head, address_of_bytes(data))

        def lift(raw: bytes | memoryview, at: int, state: State) -> Any:
            size, place, payload = words3(raw, at + 8)
            name = string_at(place, size)
            known = lifted.get(name)
            if known is None:
                text = name.decode()
                codec = cases[text][1]
                known = lifted[name] = (getattr(made, pascal(text)), None if codec is None else codec.lift)
            case, lift_payload = known
            return case() if lift_payload is None else case(lift_payload(string_at(payload, _P), 0, state))

        return Codec(lower, lift)

    def _enum(self, kind: EnumOf) -> Codec:
        made = self._types.of(kind)
        lowered = {}
        for name in kind.cases:
            value = _kind_and_name(native.ENUM, self._name(name), 0)
            lowered.update(dict.fromkeys((name, snake(name), constant(name), made[constant(name)]), value))
        lifted = {name.encode(): made[constant(name)] for name in kind.cases}

        def lower(value: Any, state: State) -> bytes:
            known = lowered.get(value)
            # Another enum of the same names will do: a host has its own before it knows the component.
            return lowered[value.name.upper()] if known is None else known

        def lift(raw: bytes | memoryview, at: int, state: State) -> Any:
            size, place = words2(raw, at + 8)
            return lifted[string_at(place, size)]

        return Codec(lower, lift)

    def _flags(self, kind: FlagsOf) -> Codec:
        made = self._types.of(kind)
        heads = [(1 << number, self._name(flag)) for number, flag in enumerate(kind.flags)]
        bits = {flag.encode(): 1 << number for number, flag in enumerate(kind.flags)}
        by_name = {
            name: bits[flag.encode()] for flag in kind.flags for name in (flag, constant(flag), snake(flag))
        }

        def lower(value: Any, state: State) -> bytes:
            if isinstance(value, enum.Flag):
                number = value.value
            elif isinstance(value, (list, tuple, set, frozenset)):
                number = sum({by_name[flag] for flag in value})
            else:
                raise TypeError
            if number >> len(heads):
                raise ValueError
            data = b"".join([head for bit, head in heads if number & bit])
            state.keep.append(data)
            return TWO.pack(native.FLAGS, len(data) // 16, address_of_bytes(data))

        def lift(raw: bytes | memoryview, at: int, state: State) -> Any:
            count, place = words2(raw, at + 8)
            data, number = string_at(place, count * 16), 0
            for start in range(0, count * 16, 16):
                size, name = words2(data, start)
                number |= bits[string_at(name, size)]
            return made(number)

        return Codec(lower, lift)


def _kind_and_name(kind: int, name: bytes, word: int) -> bytes:
    """The 32 bytes of an enum or a variant; ``name`` is what `Codecs._name` made."""
    return _HEAD.pack(kind) + name + word.to_bytes(8, "little")
