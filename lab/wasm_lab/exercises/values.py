"""Whether a value that a guest gave is the one that a case expects."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

#: Longer values are shown in part.
SHOWN = 200

#: A value with more items, those inside of its items counted, is not written out to be cut: a YAML text of ten lines
#: can mean millions.
ITEMS = 100_000


def equal(got: Any, expected: Any) -> bool:
    """Whether two values are the same, arrays and what is inside of lists too.

    A list, a tuple and an array with the same items are equal; NaN equals NaN; ``True`` is not 1.

    Example:
        >>> equal([1, 2], (1, 2)), equal(True, 1), equal([float("nan")], [float("nan")])
        (True, False, True)
    """
    return _agree(got, expected, lambda one, other: bool(one == other))


def near(got: Any, expected: Any, within: float) -> bool:
    """As `equal`, but numbers may differ by ``within``, absolute or relative to the larger one.

    Example:
        >>> near([0.1 + 0.2], [0.3], 1e-9), near(1.0, 1.1, 1e-9)
        (True, False)
    """

    def close(one: Any, other: Any) -> bool:
        if isinstance(one, int | float) and isinstance(other, int | float):
            return math.isclose(one, other, rel_tol=within, abs_tol=within)
        return bool(one == other)

    return _agree(got, expected, close)


def shown(value: Any) -> str:
    """The value as Python writes it, shortened in the middle where it is long.

    Example:
        >>> shown("a" * 1000).count("a") < 300
        True
    """
    plain = _plain(value)
    text = reprlib.repr(plain) if _items(plain, ITEMS) > ITEMS else repr(plain)
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]} … {text[-SHOWN // 4 :]}"


def _items(value: Any, most: int) -> int:
    """How many values a value holds, itself included; counted until they are more than ``most``."""
    waiting, found = [value], 0
    while waiting and found <= most:
        one = waiting.pop()
        found += 1
        if isinstance(one, Mapping):
            waiting += one.values()
        elif _is_list(one):
            waiting += one
    return found


def _plain(value: Any) -> Any:
    """An array's items as a list; everything else as it is."""
    return value.tolist() if hasattr(value, "tolist") else value


def _agree(got: Any, expected: Any, same: Any) -> bool:
    got, expected = _plain(got), _plain(expected)
    if isinstance(got, bool) or isinstance(expected, bool):
        return type(got) is type(expected) and got == expected
    if _is_nan(got) and _is_nan(expected):
        return True
    if _is_list(got) and _is_list(expected):
        return len(got) == len(expected) and all(
            _agree(one, other, same) for one, other in zip(got, expected, strict=True)
        )
    if isinstance(got, Mapping) and isinstance(expected, Mapping):
        return got.keys() == expected.keys() and all(_agree(got[key], expected[key], same) for key in got)
    return bool(same(got, expected))


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)
