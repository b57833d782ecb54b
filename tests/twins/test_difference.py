"""Equality of answers: what is equal, and how the first difference is told."""

from __future__ import annotations

import array
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasm_lab.twins import first_difference
from wasm_lab.twins.difference import NOTHING

NAN = math.nan

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (1, 1),
        (3, 3.0),
        (3.0, 3),
        (2**63, float(2**63)),
        (1.0, 1.0 + 1e-10),
        (0.0, 1e-13),
        (0.0, -0.0),
        (NAN, NAN),
        (math.inf, math.inf),
        ([1, NAN], (1.0, NAN)),
        (b"ab", [97, 98]),
        (b"ab", np.array([97, 98], np.uint8)),
        (bytearray(b"ab"), memoryview(b"ab")),
        ([1.5, 2.5], np.array([1.5, 2.5])),
        (array.array("d", [1.5]), [1.5]),
        (np.int64(4), 4),
        ([[1, 2], [3, 4]], np.array([[1, 2], [3, 4]])),
        ({"a": 1, "b": [None]}, {"b": [None], "a": 1}),
        ({1, 2}, frozenset({2, 1})),
        ("naïve", "naïve"),
        ([], ()),
        (None, None),
    ],
)
def test_equal(expected: Any, found: Any) -> None:
    assert first_difference(expected, found) is None
    assert first_difference(found, expected) is None


@pytest.mark.parametrize(
    ("expected", "found", "message"),
    [
        (1, 2, "expected 1, found 2"),
        (2**53 + 1, float(2**53), "expected 9007199254740993 (int), found 9007199254740992.0 (float)"),
        (3, 3.0000000001, "expected 3 (int), found 3.0000000001 (float)"),
        (1.0, 1.1, "expected 1.0, found 1.1 (floats may differ by 1e-09 of their size, or by 1e-12)"),
        (1, "1", "expected 1 (int), found '1' (str)"),
        (True, 1, "expected True (bool), found 1 (int)"),
        (1.0, True, "expected 1.0 (float), found True (bool)"),
        (None, 0, "expected None (NoneType), found 0 (int)"),
        (10**400, 1.5, f"expected {10**400} (int), found 1.5 (float)"),
        ([1, 2, 3], [1, 9, 8], "at [1]: expected 2, found 9"),
        ([1, 2], [1], "at [1]: expected 2, found nothing"),
        ([1], [1, 2], "at [1]: expected nothing, found 2"),
        (b"abc", b"abd", "at [2]: expected 99, found 100"),
        (b"ab", "ab", "expected b'ab' (bytes), found 'ab' (str)"),
        ("kitten", "kitchen", "at [3]: expected 'kitten', found 'kitchen'"),
        ("ab", "abc", "at [2]: expected 'ab', found 'abc'"),
        ([0, 0, 0, {"x": 1}], [0, 0, 0, {"x": 2}], "at [3].x: expected 1, found 2"),
        ({"a b": (1, 2)}, {"a b": (1, 3)}, "at ['a b'][1]: expected 2, found 3"),
        ({"a": 1}, {}, "at .a: expected 1, found nothing"),
        ({}, {7: 1}, "at [7]: expected nothing, found 1"),
        ({1}, {2}, "at {1}: expected 1, found nothing"),
        ([math.inf], [-math.inf], "at [0]: expected inf, found -inf (floats may differ"),
        ([NAN], [0.0], "at [0]: expected nan, found 0.0 (floats may differ"),
    ],
)
def test_different(expected: Any, found: Any, message: str) -> None:
    difference = first_difference(expected, found)
    assert difference is not None
    assert str(difference).startswith(message) if "may differ" in message else str(difference) == message
    # The other way round a float is expected, for which an int may be near enough.
    if not (type(expected) is int and type(found) is float):
        assert first_difference(found, expected) is not None


def test_tolerance_is_stated_and_kept() -> None:
    assert first_difference(100.0, 101.0, rel_tol=0.02) is None
    assert first_difference(0.0, 0.5, abs_tol=0.6) is None
    difference = first_difference([100.0], [101.0], rel_tol=0.001, abs_tol=0.0)
    assert difference is not None
    assert (difference.where, difference.expected, difference.found) == ("[0]", 100.0, 101.0)
    assert difference.tolerance == "floats may differ by 0.001 of their size, or by 0"


def test_a_difference_names_who_gave_what() -> None:
    difference = first_difference([1], [2])
    assert difference is not None
    assert difference.sentence("Rust gave", "JavaScript gave") == "at [0]: Rust gave 1, JavaScript gave 2"


def test_a_long_text_is_shown_around_its_difference() -> None:
    expected = "x" * 100_000 + "here" + "y" * 100_000
    difference = first_difference(expected, expected.replace("here", "hare"))
    assert difference is not None
    assert difference.where == "[100001]"
    assert str(difference).startswith("at [100001]: expected …'xxxxxxxxxhere")
    assert "hare" in str(difference)
    assert len(str(difference)) < 200


def test_a_large_value_is_shown_short() -> None:
    difference = first_difference([list(range(100_000))], [None])
    assert difference is not None
    assert len(str(difference)) < 200
    missing = first_difference(["x" * 10_000], [])
    assert missing is not None
    assert missing.found is NOTHING
    assert len(str(missing)) < 200


def test_nesting_deeper_than_python_calls() -> None:
    one: Any = 1
    other: Any = 2
    for _ in range(20_000):
        one, other = [one], [other]
    difference = first_difference(one, other)
    assert difference is not None
    assert difference.where == "[0]" * 20_000
    while isinstance(one, list):  # so that freeing them does not nest either
        one, other = one[0], other[0]


@given(VALUES)
def test_a_value_equals_itself(value: Any) -> None:
    assert first_difference(value, value) is None


@given(VALUES, VALUES)
def test_difference_is_symmetric_without_tolerance(one: Any, other: Any) -> None:
    there = first_difference(one, other, rel_tol=0, abs_tol=0)
    back = first_difference(other, one, rel_tol=0, abs_tol=0)
    assert (there is None) == (back is None)
