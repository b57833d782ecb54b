"""PostgreSQL's values in its binary form, and the cases of Spin's variants that carry them.

The binary form does not depend on what a guest may set (``DateStyle``, ``bytea_output``). Like Spin,
a parameter must have the very type that the statement wants: nothing is cast in silence.

Source: PostgreSQL's ``src/backend/utils/adt`` (the ``*_send`` and ``*_recv`` functions).
"""

from __future__ import annotations

import json
import re
import struct
import uuid
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

BOOL, BYTEA, CHAR, NAME, INT8, INT2, INT4, TEXT = 16, 17, 18, 19, 20, 21, 23, 25
JSON, FLOAT4, FLOAT8, UNKNOWN, BPCHAR, VARCHAR = 114, 700, 701, 705, 1042, 1043
DATE, TIME, TIMESTAMP, TIMESTAMPTZ, INTERVAL, NUMERIC, UUID = 1082, 1083, 1114, 1184, 1186, 1700, 2950
JSONB, INT4RANGE, NUMRANGE, INT8RANGE = 3802, 3904, 3906, 3926
INT4_ARRAY, TEXT_ARRAY, BPCHAR_ARRAY, VARCHAR_ARRAY, INT8_ARRAY, NUMERIC_ARRAY = (
    1007,
    1009,
    1014,
    1015,
    1016,
    1231,
)

#: The case of a column's type, for each type that has one.
COLUMN_CASES = {
    BOOL: "Boolean",
    BYTEA: "Binary",
    FLOAT4: "Floating32",
    FLOAT8: "Floating64",
    INT2: "Int16",
    INT4: "Int32",
    INT8: "Int64",
    TEXT: "Str",
    VARCHAR: "Str",
    BPCHAR: "Str",
    TIMESTAMP: "Datetime",
    TIMESTAMPTZ: "Datetime",
    DATE: "Date",
    TIME: "Time",
    UUID: "Uuid",
    JSONB: "Jsonb",
    NUMERIC: "Decimal",
    INT4RANGE: "RangeInt32",
    INT8RANGE: "RangeInt64",
    NUMRANGE: "RangeDecimal",
    INT4_ARRAY: "ArrayInt32",
    INT8_ARRAY: "ArrayInt64",
    NUMERIC_ARRAY: "ArrayDecimal",
    TEXT_ARRAY: "ArrayStr",
    VARCHAR_ARRAY: "ArrayStr",
    BPCHAR_ARRAY: "ArrayStr",
    INTERVAL: "Interval",
}

#: The types that a parameter of a case may stand for.
PARAMETER_TYPES = {
    "Boolean": (BOOL,),
    "Int8": (CHAR,),
    "Int16": (INT2,),
    "Int32": (INT4,),
    "Int64": (INT8,),
    "Floating32": (FLOAT4,),
    "Floating64": (FLOAT8,),
    "Str": (TEXT, VARCHAR, BPCHAR, NAME, UNKNOWN),
    "Binary": (BYTEA,),
    "Date": (DATE,),
    "Time": (TIME,),
    "Datetime": (TIMESTAMP,),
    "Timestamp": (TIMESTAMPTZ,),
    "Uuid": (UUID,),
    "Jsonb": (JSONB, JSON),
    "Decimal": (NUMERIC,),
    "RangeInt32": (INT4RANGE,),
    "RangeInt64": (INT8RANGE,),
    "RangeDecimal": (NUMRANGE,),
    "ArrayInt32": (INT4_ARRAY,),
    "ArrayInt64": (INT8_ARRAY,),
    "ArrayDecimal": (NUMERIC_ARRAY,),
    "ArrayStr": (TEXT_ARRAY, VARCHAR_ARRAY, BPCHAR_ARRAY),
    "Interval": (INTERVAL,),
}

#: Days from 1970-01-01 to 2000-01-01, PostgreSQL's zero.
EPOCH_DAYS = 10957
DAY_US = 86_400_000_000

#: Arrays of text, and what their elements are.
_STRINGS = {TEXT_ARRAY: TEXT, VARCHAR_ARRAY: VARCHAR, BPCHAR_ARRAY: BPCHAR}

_RANGE_EMPTY, _RANGE_LOWER_IN, _RANGE_UPPER_IN, _RANGE_NO_LOWER, _RANGE_NO_UPPER = 1, 2, 4, 8, 16
_NUMERIC_NEGATIVE, _NUMERIC_SPECIAL = 0x4000, 0xC000


#: Takes away what is no part of a value: a string is matched as a whole, and stays.
_BLANKS = re.compile(rb'("(?:[^"\\]|\\.)*")|\s+').sub


class ValueFailure(ValueError):
    """A value cannot be brought from one side to the other."""


def decode(oid: int, data: bytes) -> Any:
    """A value of one of `COLUMN_CASES`, as the interface's payload.

    Raises:
        ValueFailure: the guest's type has no room for it, such as for infinity.
    """
    return _DECODERS[oid](data)


def encode(case: str, value: Any, oid: int) -> bytes:
    """A parameter for a statement that wants the type ``oid``.

    Raises:
        ValueFailure: it is another type's, or out of range.
    """
    if oid not in PARAMETER_TYPES[case]:
        raise WrongType
    try:
        if case == "Jsonb":
            json.loads(value)
            return b"\x01" + value if oid == JSONB else bytes(value)
        if case == "ArrayStr":
            return _array_bytes(_STRINGS[oid], str.encode)(value)
        return _ENCODERS[case](value)
    except (struct.error, UnicodeError, InvalidOperation, ValueError, OverflowError) as error:
        raise ValueFailure(str(error)) from None


class WrongType(ValueFailure):
    """The statement wants another type."""


def civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of days since 1970-01-01, in the proleptic Gregorian calendar.

    Source: H. Hinnant, chrono-Compatible Low-Level Date Algorithms. Python's own dates end at 9999.
    """
    days += 719_468
    era, day_of_era = divmod(days, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


def days_of(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01; the other way of `civil`.

    Raises:
        ValueFailure: there is no such day.
    """
    before = year - (month <= 2)
    era, year_of_era = divmod(before, 400)
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    days = era * 146_097 + day_of_era - 719_468
    if not 1 <= month <= 12 or civil(days) != (year, month, day):
        raise ValueFailure(f"{year}-{month}-{day} is no date")
    return days


def _date(data: bytes) -> tuple[int, int, int]:
    (days,) = struct.unpack("!i", data)
    if abs(days) >= 0x7FFFFFFF:
        raise ValueFailure("a date is infinite")
    return civil(days + EPOCH_DAYS)


def _clock(microseconds: int) -> tuple[int, int, int, int]:
    seconds, rest = divmod(microseconds, 1_000_000)
    return seconds // 3600, seconds // 60 % 60, seconds % 60, rest * 1000


def _datetime(data: bytes) -> tuple[int, ...]:
    (microseconds,) = struct.unpack("!q", data)
    if abs(microseconds) >= 0x7FFFFFFFFFFFFFFF:
        raise ValueFailure("a timestamp is infinite")
    days, rest = divmod(microseconds, DAY_US)
    return (*civil(days + EPOCH_DAYS), *_clock(rest))


def _micros(hour: int, minute: int, second: int, nanosecond: int) -> int:
    if not (hour < 24 and minute < 60 and second < 60 and nanosecond < 1_000_000_000):
        raise ValueFailure(f"{hour}:{minute}:{second} and {nanosecond} ns is no time of day")
    return (hour * 3600 + minute * 60 + second) * 1_000_000 + nanosecond // 1000


def _datetime_bytes(value: tuple[int, ...]) -> bytes:
    days = days_of(*value[:3]) - EPOCH_DAYS
    return struct.pack("!q", days * DAY_US + _micros(*value[3:]))


def _jsonb(data: bytes) -> bytes:
    """JSON without blanks, as Spin gives it; numbers and the order of keys stay the server's."""
    return _BLANKS(rb"\1", data[1:])  # the first byte is the version


def _numeric(data: bytes) -> str:
    count, weight, sign, scale = struct.unpack("!hhHH", data[:8])
    if sign & _NUMERIC_SPECIAL == _NUMERIC_SPECIAL:
        raise ValueFailure("a numeric is NaN or infinite")
    groups = struct.unpack(f"!{count}h", data[8:])
    digits = "".join(f"{group:04}" for group in groups)
    point = (weight + 1) * 4
    whole = digits[: max(point, 0)].ljust(max(point, 0), "0").lstrip("0") or "0"
    part = ("0" * max(-point, 0) + digits[max(point, 0) :]).ljust(scale, "0")[:scale]
    minus = "-" if sign == _NUMERIC_NEGATIVE else ""
    return f"{minus}{whole}.{part}" if scale else minus + whole


def _numeric_bytes(text: str) -> bytes:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueFailure(f"{text[:40]!r} is no decimal number")
    sign, _, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    scale = max(0, -exponent)
    if scale > 16_383 or number.adjusted() > 100_000:
        raise ValueFailure("the number has too many digits")
    whole, _, part = format(number.copy_abs(), "f").partition(".")
    whole = whole.lstrip("0")
    whole = whole.rjust(-(-len(whole) // 4) * 4, "0")
    part = part.ljust(-(-len(part) // 4) * 4, "0")
    weight = len(whole) // 4 - 1
    digits = whole + part
    groups = [int(digits[at : at + 4]) for at in range(0, len(digits), 4)]
    head = struct.pack("!hhHH", len(groups), weight, _NUMERIC_NEGATIVE if sign else 0, scale)
    return head + struct.pack(f"!{len(groups)}h", *groups)


def _range(decode_one: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def read(data: bytes) -> Any:
        flags, at = data[0], 1
        if flags & _RANGE_EMPTY:
            raise ValueFailure("a range is empty")
        bounds: list[Any] = []
        for absent, included in ((_RANGE_NO_LOWER, _RANGE_LOWER_IN), (_RANGE_NO_UPPER, _RANGE_UPPER_IN)):
            if flags & absent:
                bounds.append(None)
                continue
            (size,) = struct.unpack_from("!i", data, at)
            kind = "inclusive" if flags & included else "exclusive"
            bounds.append((decode_one(data[at + 4 : at + 4 + size]), kind))
            at += 4 + size
        return tuple(bounds)

    return read


def _range_bytes(encode_one: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    def write(value: Any) -> bytes:
        flags, parts = 0, b""
        sides = ((value[0], _RANGE_NO_LOWER, _RANGE_LOWER_IN), (value[1], _RANGE_NO_UPPER, _RANGE_UPPER_IN))
        for bound, absent, included in sides:
            if bound is None:
                flags |= absent
                continue
            if str(getattr(bound[1], "name", bound[1])).lower() == "inclusive":
                flags |= included
            data = encode_one(bound[0])
            parts += struct.pack("!i", len(data)) + data
        return bytes([flags]) + parts

    return write


def _array(decode_one: Callable[[bytes], Any]) -> Callable[[bytes], list[Any]]:
    def read(data: bytes) -> list[Any]:
        dimensions, _, _ = struct.unpack_from("!iii", data, 0)
        if dimensions == 0:
            return []
        if dimensions != 1:
            raise ValueFailure(f"an array has {dimensions} dimensions, and one can be carried")
        (count,) = struct.unpack_from("!i", data, 12)
        at, values = 20, []
        for _ in range(count):
            (size,) = struct.unpack_from("!i", data, at)
            at += 4
            values.append(None if size < 0 else decode_one(data[at : at + size]))
            at += max(size, 0)
        return values

    return read


def _array_bytes(element: int, encode_one: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    def write(values: list[Any]) -> bytes:
        nulls = any(value is None for value in values)
        head = struct.pack("!iii", 1 if values else 0, nulls, element)
        if not values:
            return head
        parts = [head, struct.pack("!ii", len(values), 1)]
        for value in values:
            if value is None:
                parts.append(struct.pack("!i", -1))
            else:
                data = encode_one(value)
                parts += [struct.pack("!i", len(data)), data]
        return b"".join(parts)

    return write


def _packed(form: str) -> Callable[[Any], bytes]:
    return lambda value: struct.pack(form, value)


def _unpacked(form: str) -> Callable[[bytes], Any]:
    return lambda data: struct.unpack(form, data)[0]


def _interval(data: bytes) -> dict[str, int]:
    micros, days, months = struct.unpack("!qii", data)
    return {"micros": micros, "days": days, "months": months}


_int4, _int8, _text = _unpacked("!i"), _unpacked("!q"), bytes.decode
_DECODERS: dict[int, Callable[[bytes], Any]] = {
    BOOL: lambda data: data != b"\x00",
    BYTEA: bytes,
    FLOAT4: _unpacked("!f"),
    FLOAT8: _unpacked("!d"),
    INT2: _unpacked("!h"),
    INT4: _int4,
    INT8: _int8,
    TEXT: _text,
    VARCHAR: _text,
    BPCHAR: _text,
    TIMESTAMP: _datetime,
    TIMESTAMPTZ: _datetime,
    DATE: _date,
    TIME: lambda data: _clock(_int8(data)),
    UUID: lambda data: str(uuid.UUID(bytes=data)),
    JSONB: _jsonb,
    NUMERIC: _numeric,
    INT4RANGE: _range(_int4),
    INT8RANGE: _range(_int8),
    NUMRANGE: _range(_numeric),
    INT4_ARRAY: _array(_int4),
    INT8_ARRAY: _array(_int8),
    NUMERIC_ARRAY: _array(_numeric),
    TEXT_ARRAY: _array(_text),
    VARCHAR_ARRAY: _array(_text),
    BPCHAR_ARRAY: _array(_text),
    INTERVAL: _interval,
}
_ENCODERS: dict[str, Callable[[Any], bytes]] = {
    "Boolean": _packed("?"),
    "Int8": _packed("!b"),
    "Int16": _packed("!h"),
    "Int32": _packed("!i"),
    "Int64": _packed("!q"),
    "Floating32": _packed("!f"),
    "Floating64": _packed("!d"),
    "Str": str.encode,
    "Binary": bytes,
    "Date": lambda value: struct.pack("!i", days_of(*value) - EPOCH_DAYS),
    "Time": lambda value: struct.pack("!q", _micros(*value)),
    "Datetime": _datetime_bytes,
    "Timestamp": lambda value: struct.pack("!q", (value - EPOCH_DAYS * 86_400) * 1_000_000),
    "Uuid": lambda value: uuid.UUID(value).bytes,
    "Decimal": _numeric_bytes,
    "RangeInt32": _range_bytes(_packed("!i")),
    "RangeInt64": _range_bytes(_packed("!q")),
    "RangeDecimal": _range_bytes(_numeric_bytes),
    "ArrayInt32": _array_bytes(INT4, _packed("!i")),
    "ArrayInt64": _array_bytes(INT8, _packed("!q")),
    "ArrayDecimal": _array_bytes(NUMERIC, _numeric_bytes),
    "Interval": lambda value: struct.pack("!qii", value.micros, value.days, value.months),
}
