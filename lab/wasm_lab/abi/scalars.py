"""Python values as plain Rust values: what is taken, and what is said of the rest."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from wasm_lab.abi.misfit import Misfit, type_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.abi.types import Plain

#: From here on a float rounds to an infinite f32: half a unit above the largest finite one.
F32_LIMIT = float.fromhex("0x1.ffffffp127")

SURROGATES = range(0xD800, 0xE000)


def check(plain: Plain) -> Callable[[Any], Any]:
    """What turns a Python value into a plain one: an int, float, bool or, for char, its code point.

    The returned function raises Misfit.
    """
    match plain.kind:
        case "int":
            return lambda value: to_int(value, plain)
        case "float":
            return to_f32 if plain.size == 4 else to_float
        case "bool":
            return to_bool
        case _:
            return to_code_point


def to_int(value: Any, plain: Plain) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise Misfit(TypeError, f"must be an integer that fits {plain.name}, not {type_of(value)}") from None
    if not plain.low <= number <= plain.high:
        raise Misfit(
            OverflowError, f"must fit {plain.name}, from {plain.low} to {plain.high}, not {_short(number)}"
        )
    return number


def _short(number: int) -> str:
    return str(number) if number.bit_length() < 200 else f"a number of {number.bit_length()} bits"


def to_float(value: Any) -> float:
    if isinstance(value, (str, bytes, bytearray)) or getattr(value, "ndim", None):
        raise Misfit(TypeError, f"must be a number, not {type_of(value)}")
    try:
        return float(value)
    except TypeError:
        raise Misfit(TypeError, f"must be a number, not {type_of(value)}") from None
    except OverflowError:
        raise Misfit(OverflowError, "must fit f64, and this integer is too large") from None


def to_f32(value: Any) -> float:
    number = to_float(value)
    if abs(number) >= F32_LIMIT and number - number == 0:
        raise Misfit(OverflowError, f"must fit f32, at most about 3.4e38, not {number!r}")
    return number


def to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if type(value).__module__ == "numpy" and getattr(getattr(value, "dtype", None), "kind", "") == "b":
        return bool(value)
    raise Misfit(TypeError, f"must be True or False, not {type_of(value)}")


def to_code_point(value: Any) -> int:
    if not isinstance(value, str):
        raise Misfit(TypeError, f"must be a str of one character, not {type_of(value)}")
    if len(value) != 1:
        raise Misfit(ValueError, f"must be a str of one character, not of {len(value)}")
    code = ord(value)
    if code in SURROGATES:
        raise Misfit(ValueError, f"must be a Unicode character, and {value!r} is half of a surrogate pair")
    return code


def to_utf8(value: Any) -> bytes:
    if not isinstance(value, str):
        raise Misfit(TypeError, f"must be a str, not {type_of(value)}")
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        at = value[error.start]
        raise Misfit(
            ValueError, f"must be Unicode text, and {at!r} at {error.start} is half of a surrogate pair"
        ) from None
