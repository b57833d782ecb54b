"""Arguments that do not fit: the exception, its words, and that the guest is not entered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import FakeGuest

WRONG = [
    ("fn f(n: u32)", "7", TypeError, "f() argument 'n' must be an integer that fits u32, not str"),
    ("fn f(n: u32)", 1.0, TypeError, "f() argument 'n' must be an integer that fits u32, not float"),
    ("fn f(n: u32)", None, TypeError, "f() argument 'n' must be an integer that fits u32, not None"),
    ("fn f(n: u32)", np.float64(1), TypeError, "must be an integer that fits u32, not numpy.float64"),
    ("fn f(n: u32)", -1, OverflowError, "f() argument 'n' must fit u32, from 0 to 4294967295, not -1"),
    ("fn f(n: usize)", 1 << 32, OverflowError, "must fit usize, from 0 to 4294967295, not 4294967296"),
    ("fn f(n: i8)", np.int64(-129), OverflowError, "must fit i8, from -128 to 127, not -129"),
    ("fn f(n: i128)", 1 << 127, OverflowError, "must fit i128"),
    ("fn f(n: u64)", 1 << 2000, OverflowError, "not a number of 2001 bits"),
    ("fn f(x: f64)", "1", TypeError, "f() argument 'x' must be a number, not str"),
    ("fn f(x: f64)", 1j, TypeError, "f() argument 'x' must be a number, not complex"),
    ("fn f(x: f64)", np.ones(1), TypeError, "f() argument 'x' must be a number, not an array of float64"),
    ("fn f(x: f64)", 10**400, OverflowError, "must fit f64, and this integer is too large"),
    ("fn f(x: f32)", 1e39, OverflowError, "must fit f32, at most about 3.4e38, not 1e+39"),
    ("fn f(b: bool)", 1, TypeError, "f() argument 'b' must be True or False, not int"),
    ("fn f(c: char)", "ab", ValueError, "f() argument 'c' must be a str of one character, not of 2"),
    ("fn f(c: char)", "\ud800", ValueError, "'\\ud800' is half of a surrogate pair"),
    ("fn f(c: char)", 97, TypeError, "f() argument 'c' must be a str of one character, not int"),
    ("fn f(s: &str)", b"ab", TypeError, "f() argument 's' must be a str, not bytes"),
    ("fn f(s: &str)", "ab\udfff", ValueError, "'\\udfff' at 2 is half of a surrogate pair"),
    ("fn f(xs: &[f64])", np.arange(3), TypeError, "sequence of float64, not an array of int64; convert it with .astype(np.float64)"),
    ("fn f(xs: &[f64])", np.ones(2, ">f8"), TypeError, "not an array of big-endian float64; convert it with"),
    ("fn f(xs: &[f64])", np.array(["2020"], "M8[D]"), TypeError, "not an array of datetime64[D]"),
    ("fn f(xs: &[f64])", np.array([1, None]), TypeError, "must be a sequence of float64, not an array of"),
    ("fn f(xs: &[f64])", np.ones((2, 2)), ValueError, "must have one dimension, not 2; .ravel() makes it one"),
    ("fn f(xs: &[f64])", np.array(1.0), ValueError, "must have one dimension, not 0"),
    ("fn f(xs: &[f64])", b"12345678", TypeError, "not bytes; convert it with np.frombuffer(…, np.float64)"),
    ("fn f(xs: &[f64])", "ab", TypeError, "must be a sequence of float64, not str"),
    ("fn f(xs: &[f64])", 1.5, TypeError, "must be a sequence of float64, not float"),
    ("fn f(xs: &[f64])", {1.0}, TypeError, "must be a sequence of float64, not set"),
    ("fn f(xs: &[f64])", [0, "x"], TypeError, "f() argument 'xs'[1] must be a number, not str"),
    ("fn f(xs: &[f32])", [1e39], OverflowError, "f() argument 'xs'[0] must fit f32"),
    ("fn f(xs: &[usize])", np.arange(3), TypeError, "must be a sequence of uint32 (usize), not an array of int64; convert it with .astype(np.uint32)"),
    ("fn f(xs: Vec<u8>)", [1, 256], OverflowError, "f() argument 'xs'[1] must fit u8, from 0 to 255, not 256"),
    ("fn f(xs: Vec<u8>)", np.ones(2, bool), TypeError, "must be a sequence of uint8, not an array of bool"),
    ("fn f(xs: &[bool])", [True, 1], TypeError, "f() argument 'xs'[1] must be True or False, not int"),
    ("fn f(xs: &[char])", ["ab"], ValueError, "'xs'[0] must be a str of one character, not of 2"),
    ("fn f(xs: [f64; 3])", [1, 2], ValueError, "f() argument 'xs' must have 3 items, not 2"),
    ("fn f(xs: &mut [u8])", b"ab", TypeError, "must be writable, since the function changes it in place, and this bytes is not"),
    ("fn f(xs: &mut [u8])", (1, 2), TypeError, "sequence of uint8 that can be changed in place, not tuple"),
    ("fn f(xs: &mut [f32])", np.ones(2), TypeError, "not an array of float64; convert it with .astype"),
    ("fn f(xs: Vec<Vec<u8>>)", [b"", [1, -1]], OverflowError, "f() argument 'xs'[1][1] must fit u8"),
    ("fn f(xs: Vec<String>)", "ab", TypeError, "f() argument 'xs' must be a list, not str"),
    ("fn f(xs: Vec<String>)", ["a", 1], TypeError, "f() argument 'xs'[1] must be a str, not int"),
    ("fn f(xs: Vec<(f64, u8)>)", [(1, 2), (1, 300)], OverflowError, "f() argument 'xs'[1][1] must fit u8"),
    ("fn f(xs: Vec<(f64, u8)>)", [(1, 2), b"ab"], TypeError, "'xs'[1] must be a tuple of 2, not bytes"),
    ("fn f(x: (u8, String))", (1,), ValueError, "f() argument 'x' must have 2 items, not 1"),
    ("fn f(x: (u8, String))", {1: 2}, TypeError, "f() argument 'x' must be a tuple of 2, not dict"),
    ("fn f(x: Option<u8>)", "", TypeError, "f() argument 'x' must be an integer that fits u8 or None, not str"),
    ("fn f(x: Option<u8>)", 300, OverflowError, "f() argument 'x' must fit u8, from 0 to 255, not 300"),
    ("fn f(m: HashMap<String, u8>)", [("a", 1)], TypeError, "f() argument 'm' must be a dict, not list"),
    ("fn f(m: HashMap<String, u8>)", {"a": -1}, OverflowError, "f() argument 'm'['a'] must fit u8"),
    ("fn f(m: HashMap<String, u8>)", {1: 1}, TypeError, "f() argument 'm' key 1 must be a str, not int"),
    ("fn f(m: HashSet<u8>)", [1], TypeError, "f() argument 'm' must be a set, not list"),
    ("fn f(m: HashSet<u8>)", {256}, OverflowError, "f() argument 'm' member 256 must fit u8"),
]  # fmt: skip


@pytest.mark.parametrize(("declaration", "value", "error", "words"), WRONG, ids=range(len(WRONG)))
def test_an_argument_that_does_not_fit(
    declaration: str,
    value: Any,
    error: type[Exception],
    words: str,
    bound: Callable[..., Any],
    fake_guest: type[FakeGuest],
) -> None:
    guest = fake_guest()
    with pytest.raises(error) as caught:
        bound(declaration, guest)(value)
    assert caught.type is error
    assert words in str(caught.value)
    assert not guest.entered


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ((), {}, "f() missing 2 required positional arguments: 'n' and 's'"),
        ((1,), {}, "f() missing 1 required positional argument: 's'"),
        ((1, "", 2), {}, "f() takes 2 positional arguments but 3 were given"),
        ((1,), {"n": 1}, "f() got multiple values for argument 'n'"),
        ((1, ""), {"m": 1}, "f() got an unexpected keyword argument 'm'"),
    ],
)
def test_arguments_are_counted_and_named_as_python_does(
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    words: str,
    bound: Callable[..., Any],
    fake_guest: type[FakeGuest],
) -> None:
    guest = fake_guest()
    with pytest.raises(TypeError) as caught:
        bound("fn f(n: u32, s: &str)", guest)(*args, **kwargs)
    assert str(caught.value) == words
    assert not guest.entered


def test_a_later_argument_is_checked_before_an_earlier_one_is_copied(
    bound: Callable[..., Any], fake_guest: type[FakeGuest]
) -> None:
    guest = fake_guest()
    with pytest.raises(OverflowError):
        bound("fn f(s: &str, n: u8)", guest)("text", 256)
    assert not guest.entered
    assert not any(guest.memory)


@pytest.mark.parametrize(
    ("declaration", "value"),
    [
        ("fn f(n: u32)", True),
        ("fn f(n: u32)", np.uint8(3)),
        ("fn f(n: u32)", np.array(3)),
        ("fn f(x: f64)", 3),
        ("fn f(x: f64)", np.float32(3)),
        ("fn f(x: f32)", float("inf")),
        ("fn f(x: f32)", 3.4028235677973366e38 * (1 - 2**-53)),
        ("fn f(b: bool)", np.True_),
        ("fn f(xs: &[char])", "abc"),
        ("fn f(xs: Vec<String>)", np.array(["a", "b"])),
    ],
)
def test_what_python_would_take_too_is_taken(
    declaration: str, value: Any, bound: Callable[..., Any], fake_guest: type[FakeGuest]
) -> None:
    guest = fake_guest()
    assert bound(declaration, guest)(value) is None
    assert guest.entered
