"""PostgreSQL's binary values: both ways, to the edges."""

from __future__ import annotations

import datetime
import struct
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasm_lab.scenarios.spin.interfaces import pg_types as pg
from wasm_lab.scenarios.spin.interfaces.pg_types import ValueFailure, WrongType, decode, encode


@given(st.dates())
def test_dates_as_python_has_them(date):
    value = (date.year, date.month, date.day)
    assert pg.days_of(*value) == (date - datetime.date(1970, 1, 1)).days
    assert decode(pg.DATE, encode("Date", value, pg.DATE)) == value


@given(st.integers(-2_000_000, 2_000_000))
def test_days_beyond_python(days):
    assert pg.days_of(*pg.civil(days)) == days


@given(st.datetimes())
def test_datetimes(moment):
    clock = (moment.hour, moment.minute, moment.second, moment.microsecond * 1000)
    value = (moment.year, moment.month, moment.day, *clock)
    assert decode(pg.TIMESTAMP, encode("Datetime", value, pg.TIMESTAMP)) == value
    assert decode(pg.TIME, encode("Time", clock, pg.TIME)) == clock


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None))
def test_decimals(number):
    text = format(number, "f")
    if abs(number.adjusted()) > 1000:
        return
    back = decode(pg.NUMERIC, encode("Decimal", text, pg.NUMERIC))
    assert Decimal(back) == Decimal(text)
    assert "E" not in back


@pytest.mark.parametrize(
    ("case", "oid", "value"),
    [
        ("Boolean", pg.BOOL, True),
        ("Int16", pg.INT2, -(2**15)),
        ("Int32", pg.INT4, 2**31 - 1),
        ("Int64", pg.INT8, -(2**63)),
        ("Floating64", pg.FLOAT8, 0.1),
        ("Str", pg.VARCHAR, "ä\n"),
        ("Binary", pg.BYTEA, b"\x00\xff"),
        ("Uuid", pg.UUID, "12345678-1234-5678-1234-567812345678"),
        ("Jsonb", pg.JSONB, b'{"a":[1]}'),
        ("ArrayInt32", pg.INT4_ARRAY, [1, None, -3]),
        ("ArrayInt64", pg.INT8_ARRAY, []),
        ("ArrayStr", pg.TEXT_ARRAY, ["a", None, ""]),
        ("ArrayDecimal", pg.NUMERIC_ARRAY, ["1.50", None]),
        ("RangeInt32", pg.INT4RANGE, ((1, "inclusive"), (5, "exclusive"))),
        ("RangeInt64", pg.INT8RANGE, (None, (5, "inclusive"))),
        ("RangeDecimal", pg.NUMRANGE, (("0.5", "exclusive"), None)),
        ("Decimal", pg.NUMERIC, "-12345678901234567890.000123"),
        ("Decimal", pg.NUMERIC, "0"),
        ("Decimal", pg.NUMERIC, "0.00"),
        ("Decimal", pg.NUMERIC, "10000"),
        ("Decimal", pg.NUMERIC, "0.0001"),
    ],
)
def test_there_and_back(case, oid, value):
    assert decode(oid, encode(case, value, oid)) == value


def test_an_interval():
    value = SimpleNamespace(micros=1, days=-2, months=3)
    assert decode(pg.INTERVAL, encode("Interval", value, pg.INTERVAL)) == vars(value)


@pytest.mark.parametrize(
    ("case", "oid", "value"),
    [
        ("Date", pg.DATE, (2023, 2, 29)),
        ("Date", pg.DATE, (2023, 13, 1)),
        ("Date", pg.DATE, (2023, 0, 1)),
        ("Date", pg.DATE, (2**31 - 1, 1, 1)),
        ("Time", pg.TIME, (24, 0, 0, 0)),
        ("Datetime", pg.TIMESTAMP, (2023, 1, 1, 0, 0, 0, 2_000_000_000)),
        ("Timestamp", pg.TIMESTAMPTZ, 2**63 - 1),
        ("Uuid", pg.UUID, "no uuid"),
        ("Jsonb", pg.JSONB, b"{"),
        ("Jsonb", pg.JSONB, b"\xff"),
        ("Decimal", pg.NUMERIC, "NaN"),
        ("Decimal", pg.NUMERIC, "1e999999999"),
        ("Decimal", pg.NUMERIC, "many"),
        ("ArrayDecimal", pg.NUMERIC_ARRAY, ["x"]),
    ],
)
def test_what_is_no_value(case, oid, value):
    with pytest.raises(ValueFailure):
        encode(case, value, oid)


def test_nothing_is_cast_in_silence():
    with pytest.raises(WrongType):
        encode("Int64", 1, pg.INT4)


@pytest.mark.parametrize(
    ("oid", "data"),
    [
        (pg.DATE, struct.pack("!i", 0x7FFFFFFF)),
        (pg.TIMESTAMP, struct.pack("!q", -0x8000000000000000)),
        (pg.NUMERIC, struct.pack("!hhHH", 0, 0, 0xC000, 0)),
        (pg.INT4RANGE, b"\x01"),
        (pg.INT4_ARRAY, struct.pack("!iii", 2, 0, pg.INT4)),
    ],
)
def test_values_that_the_guests_types_have_no_room_for(oid, data):
    with pytest.raises(ValueFailure):
        decode(oid, data)
