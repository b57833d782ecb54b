"""The library of parameters: each kind crosses, and what cannot cross is named."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wasm_lab.errors import GuestError, GuestTrap, PoisonedError
from wasm_lab.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.live import LiveCell
    from wasm_lab.source import Source


@pytest.fixture(scope="module")
def cell(source: Callable[..., Source]) -> LiveCell:
    session = Session()
    return session.define(session.compile(source("libraries/parameters.rs")))


@pytest.fixture
def call(cell: LiveCell) -> Callable[..., Any]:
    return lambda name, *args: cell.functions[name](*args)


BITS = [8, 16, 32, 64, 128]


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        *((f"same_i{bits}", -(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in BITS),
        *((f"same_u{bits}", 0, 2**bits - 1) for bits in BITS),
        ("same_isize", -(2**31), 2**31 - 1),  # wasm32
        ("same_usize", 0, 2**32 - 1),
    ],
)
def test_integers_cross_up_to_their_limits(call: Callable[..., Any], name: str, low: int, high: int) -> None:
    for value in (low, low + 1, 0, 1, high // 2, high - 1, high):
        assert call(name, value) == value
    for value in (low - 1, high + 1):
        with pytest.raises(OverflowError):
            call(name, value)
    for wrong in (1.5, "1", None, [1]):
        with pytest.raises(TypeError):
            call(name, wrong)


def test_floats_cross(call: Callable[..., Any]) -> None:
    for value in (0.0, -0.0, 1.5, -1e300, 5e-324, math.inf, -math.inf):
        result = call("same_f64", value)
        assert (result, math.copysign(1, result)) == (value, math.copysign(1, value))
    assert math.isnan(call("same_f64", math.nan))
    assert call("same_f32", 0.1) == float(np.float32(0.1))
    assert call("same_f64", 3) == 3.0
    with pytest.raises(TypeError):
        call("same_f64", "3")


def test_every_argument_arrives_in_its_place(call: Callable[..., Any]) -> None:
    assert call("weighted", -1, 20, -300, 4000, 0.5, 0.25, True, 10**20) == float(10**20 + 3719) + 1.75


def test_truth_letters_and_text(call: Callable[..., Any]) -> None:
    assert call("not", True) is False
    assert call("next_char", "a") == "b"
    assert call("next_char", "\ud7ff") == "\ue000"
    assert call("next_char", "\U0010ffff") is None
    assert call("lengths", "naïve 🦀") == (11, 7)
    assert call("lengths", "") == (0, 0)
    assert call("greet", "Ада\0") == "Hello, Ада\0!"
    assert call("shout", "be quiet") == "BE QUIET!"
    for wrong in ("", "ab", 97):
        with pytest.raises((TypeError, ValueError)):
            call("next_char", wrong)
    with pytest.raises(ValueError):  # a lone surrogate is no UTF-8  # noqa: PT011
        call("greet", "\ud800")


def test_bytes(call: Callable[..., Any]) -> None:
    data = bytes(range(256))
    checksum = 0
    for byte in data:
        checksum = ((checksum << 1 | checksum >> 31) & 0xFFFFFFFF) ^ byte
    for kind in (bytes, bytearray, memoryview, lambda raw: np.frombuffer(raw, np.uint8)):
        assert call("checksum", kind(data)) == checksum
        assert bytes(call("reversed", kind(data))) == data[::-1]
    assert call("checksum", b"") == 0


@pytest.mark.parametrize("kind", ["f64", "f32", "i8", "i16", "i32", "i64", "u16", "u32", "u64"])
def test_slices_of_numbers(call: Callable[..., Any], kind: str) -> None:
    dtype = np.dtype(kind[0] + str(int(kind[1:]) // 8))
    values = np.arange(100, dtype=dtype)
    assert call(f"sum_{kind}", values) == 4950
    assert call(f"sum_{kind}", values[::2]) == 2450, "not contiguous"
    assert call(f"sum_{kind}", values[:0]) == 0
    with pytest.raises(TypeError):
        call(f"sum_{kind}", values.astype(np.complex128))


def test_vectors_come_back_as_arrays(call: Callable[..., Any]) -> None:
    scaled = call("scaled", np.array([1.0, 2.5]), 2.0)
    assert isinstance(scaled, np.ndarray)
    assert (scaled.dtype, scaled.tolist()) == (np.float64, [2.0, 5.0])
    assert call("dot", np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 11.0
    numbers = np.array([3, -1, 2], dtype=np.int32)
    assert call("sorted", numbers).tolist() == [-1, 2, 3]
    assert numbers.tolist() == [3, -1, 2], "the guest has a copy"
    assert call("counting", 5).tolist() == [0, 1, 2, 3, 4]
    assert call("counting", 0).tolist() == []


def test_a_mutable_slice_changes_the_callers_array(call: Callable[..., Any]) -> None:
    values = np.array([1.0, -4.0, 2.0])
    assert call("normalise", values) is None
    assert values.tolist() == [0.25, -1.0, 0.5]
    values.flags.writeable = False
    with pytest.raises((TypeError, ValueError)):
        call("normalise", values)


def test_maps_sets_and_nested_lists(call: Callable[..., Any]) -> None:
    assert call("total", {"a": 1, "b": 2**40}) == 2**40 + 1
    assert call("total", {}) == 0
    assert call("letters", "ababç") == {"a": 2, "b": 2, "ç": 1}
    assert call("distinct", ["b", "a", "b"]) == {"a", "b"}
    assert list(call("row_lengths", [b"abc", b"", [1, 2]])) == [3, 0, 2]


def test_results_outlive_the_next_call(call: Callable[..., Any]) -> None:
    first = call("counting", 1000)
    for _ in range(50):
        call("counting", 1000)[:] = 7
    assert first.tolist() == list(range(1000))


def test_lists_tuples_options_and_results(call: Callable[..., Any]) -> None:
    assert call("join", ["a", "", "ç"], ", ") == "a, , ç"
    assert call("join", [], ", ") == ""
    assert list(call("split", " a  bc ")) == ["a", "bc"]
    assert call("divide_with_rest", -7, 2) == (-4, 1)
    assert (call("halve", 4), call("halve", 3)) == (2, None)
    assert (call("or_zero", None), call("or_zero", 5)) == (0, 5)
    assert call("parse_number", " 42 ") == 42
    assert call("square_root", 9.0) == 3.0
    assert call("check_even", 2) is None
    assert call("nothing") is None
    with pytest.raises(GuestError, match="invalid digit found in string"):
        call("parse_number", "x")
    with pytest.raises(GuestError, match="-1 has no real square root"):
        call("square_root", -1.0)
    with pytest.raises(GuestError, match="3 is odd"):
        call("check_even", 3)
    assert call("first_number", "2.5 x") == 2.5
    for text, words in (("", "there is no word"), ("x", "invalid float literal")):
        with pytest.raises(GuestError, match=words):
            call("first_number", text)
    assert call("parse_number", "1") == 1, "an Err does not poison"


def test_state_lives_until_a_reset_and_a_trap_poisons(source: Callable[..., Source]) -> None:
    session = Session()
    cell = session.define(session.compile(source("libraries/parameters.rs")))
    count, element = cell.functions["count_calls"], cell.functions["element"]
    assert [count(), count(), count()] == [1, 2, 3]
    cell.reset()
    assert count() == 1
    numbers = np.array([10, 20], dtype=np.int32)
    assert element(numbers, 1) == 20
    with pytest.raises(GuestTrap, match="index out of bounds: the len is 2 but the index is 2"):
        element(numbers, 2)
    with pytest.raises(PoisonedError):
        count()
    cell.reset()
    assert count() == 1


def test_what_cannot_cross_is_named_and_the_rest_works(cell: LiveCell) -> None:
    refused = dict(cell.refused)
    assert set(refused) == {"largest", "append", "apply", "length"}
    assert "text: &mut String" in refused["append"]
    assert "Point" in refused["length"]
    assert all(len(why) > 10 for why in refused.values())
    assert len(cell.functions) >= 40


def test_functions_describe_themselves(cell: LiveCell) -> None:
    import inspect

    function = cell.functions["next_char"]
    assert function.__name__ == "next_char"
    assert "skipping those that do not exist" in (function.__doc__ or "")
    assert list(inspect.signature(function).parameters) == ["x"]
    assert list(inspect.signature(cell.functions["join"]).parameters) == ["words", "separator"]
