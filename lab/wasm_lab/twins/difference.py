"""The first place in which two answers differ."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

#: Longest form of a value in a message, in characters.
_SHOWN = 60

#: Where a value is, from the innermost step outwards: ``(outer place, step)``.
_Place = tuple[Any, str] | None
#: Two parts that are to be compared, and where they are.
_Pair = tuple[_Place, Any, Any]


class _Nothing:
    """What stands for a part that one of the two lacks."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING = _Nothing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first difference of two answers: where it is and what stands there.

    Example:
        >>> print(first_difference([{"x": 1}, {"x": 2}], [{"x": 1}, {"x": 5}]))
        at [1].x: expected 2, found 5
    """

    where: str  #: a path such as ``[3].x``, ``["a b"]``; empty when the answers differ as a whole
    expected: Any  #: what stands there; NOTHING where there is no such part
    found: Any
    tolerance: str = ""  #: how far apart floats may be, in words; empty where nothing is tolerated

    def __str__(self) -> str:
        return self.sentence("expected", "found")

    def sentence(self, expected_by: str, found_by: str) -> str:
        """The difference in one line, each value after the name of what gave it.

        Example:
            >>> first_difference(1, 2).sentence("Rust:", "JavaScript:")
            'Rust: 1, JavaScript: 2'
        """
        place = f"at {self.where}: " if self.where else ""
        expected, found = _shown(self.expected), _shown(self.found)
        if _kind(self.expected) != _kind(self.found) and NOTHING not in (self.expected, self.found):
            expected = f"{expected} ({_kind(self.expected)})"
            found = f"{found} ({_kind(self.found)})"
        tolerance = f" ({self.tolerance})" if self.tolerance else ""
        return f"{place}{expected_by} {expected}, {found_by} {found}{tolerance}"


def first_difference(
    expected: Any, found: Any, *, rel_tol: float = 1e-9, abs_tol: float = 1e-12
) -> Difference | None:
    """The first difference of two answers, from the front; None when they are equal.

    Text, bytes, ints, bools and None are compared exactly, a float that is a whole number with an
    int too. Floats are equal when ``|a - b| <= max(rel_tol * max(|a|, |b|), abs_tol)``, as
    `math.isclose` has it; NaN equals NaN, an infinity only itself. Where an int is expected, a
    float has to be that very number. Lists, tuples and arrays are equal when their items are; bytes
    equal a list of the same numbers. The order of a mapping's keys does not matter.

    Args:
        expected: what the other is compared with, such as Rust's answer.
        rel_tol: how far apart floats may be, as a share of the larger.
        abs_tol: how far apart floats may be in any case, for those near zero.

    Example:
        >>> first_difference([1.0, float("nan")], (1, float("nan"))) is None
        True
        >>> first_difference("kitten", "kitchen").where
        '[3]'
    """
    # A stack of its own, since an answer may be nested deeper than Python can call.
    pending: list[Iterator[_Pair]] = [iter([(None, expected, found)])]
    while pending:
        pair = next(pending[-1], None)
        if pair is None:
            pending.pop()
            continue
        place, left, right = pair[0], _plain(pair[1]), _plain(pair[2])
        parts = _parts(place, left, right)
        if parts is not None:
            pending.append(parts)
        elif not _equal(left, right, rel_tol, abs_tol):
            floats = isinstance(left, float) and isinstance(right, (int, float))
            tolerance = f"floats may differ by {rel_tol:g} of their size, or by {abs_tol:g}" if floats else ""
            return Difference(
                where=_path(place),
                expected=left,
                found=right,
                tolerance="" if isinstance(right, bool) else tolerance,
            )
    return None


def _plain(value: Any) -> Any:
    """Arrays and NumPy's numbers as lists and Python's own; the kinds of bytes as one."""
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    return value


def _parts(place: _Place, left: Any, right: Any) -> Iterator[_Pair] | None:
    """What two answers of the same form consist of; None when they are to be compared as they are."""
    if isinstance(left, str) and isinstance(right, str):
        return _text_parts(place, left, right)
    if isinstance(left, bytes) and left == right:
        return iter(())
    if _is_sequence(left) and _is_sequence(right):
        return _items(place, left, right)
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return _entries(place, left, right)
    if isinstance(left, Set) and isinstance(right, Set):
        return _members(place, left, right)
    return None


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _text_parts(place: _Place, left: str, right: str) -> Iterator[_Pair]:
    """The rest of two texts from where they differ: a character alone says too little."""
    if left != right:
        pairs = zip(left, right, strict=False)
        shorter = min(len(left), len(right))
        at = next((at for at, (a, b) in enumerate(pairs) if a != b), shorter)
        if len(left) <= _SHOWN and len(right) <= _SHOWN:
            yield (place, f"[{at}]"), _Text(left), _Text(right)
        else:
            yield (place, f"[{at}]"), _Text(left, at), _Text(right, at)


class _Text:
    """A text that differs from another, shown from a little before the difference."""

    def __init__(self, text: str, at: int = 0) -> None:
        start = max(0, at - 10)
        self.text = text
        piece = text[start : start + _SHOWN - 10]
        before = "…" if start else ""
        after = "…" if start + len(piece) < len(text) else ""
        self.shown = f"{before}{piece!r}{after}"

    def __repr__(self) -> str:
        return self.shown


def _items(place: _Place, left: Sequence[Any], right: Sequence[Any]) -> Iterator[_Pair]:
    for at, (a, b) in enumerate(zip(left, right, strict=False)):
        yield (place, f"[{at}]"), a, b
    shorter = min(len(left), len(right))
    if len(left) > shorter:
        yield (place, f"[{shorter}]"), left[shorter], NOTHING
    elif len(right) > shorter:
        yield (place, f"[{shorter}]"), NOTHING, right[shorter]


def _entries(place: _Place, left: Mapping[Any, Any], right: Mapping[Any, Any]) -> Iterator[_Pair]:
    for key, value in left.items():
        yield (place, _step(key)), value, right.get(key, NOTHING)
    for key, value in right.items():
        if key not in left:
            yield (place, _step(key)), NOTHING, value


def _members(place: _Place, left: Set[Any], right: Set[Any]) -> Iterator[_Pair]:
    for member in left:
        if member not in right:
            yield (place, f"{{{member!r}}}"), member, NOTHING
    for member in right:
        if member not in left:
            yield (place, f"{{{member!r}}}"), NOTHING, member


def _step(key: Any) -> str:
    return f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"


def _path(place: _Place) -> str:
    steps: list[str] = []
    while place is not None:
        place, step = place
        steps.append(step)
    return "".join(reversed(steps))


def _equal(left: Any, right: Any, rel_tol: float, abs_tol: float) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, float) and isinstance(right, (int, float)):
        try:
            if math.isnan(left) or math.isnan(right):
                return math.isnan(left) and math.isnan(right)
            return math.isclose(left, right, rel_tol=rel_tol, abs_tol=abs_tol)
        except OverflowError:  # an int beyond any float
            return False
    if isinstance(left, _Text) or isinstance(right, _Text):
        return False
    return (type(left) is type(right) and bool(left == right)) or _both_numbers(left, right)


def _both_numbers(left: Any, right: Any) -> bool:
    return isinstance(left, (int, complex)) and isinstance(right, (int, float, complex)) and left == right


def _kind(value: Any) -> str:
    return "str" if isinstance(value, _Text) else type(value).__name__


def _shown(value: Any) -> str:
    import reprlib

    if isinstance(value, (_Text, _Nothing, int, float)):
        return repr(value)
    form = reprlib.Repr()
    form.maxstring = form.maxother = _SHOWN
    return form.repr(value)
