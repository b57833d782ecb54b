"""levenshtein.rs in Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence  # noqa: TC003
from itertools import islice


def levenshtein(a: str, b: str) -> int:
    """How many characters have to be put in, left out or replaced to make ``b`` of ``a``."""
    return _distance(a, b)


def _distance(a: Sequence[object], b: Sequence[object]) -> int:
    row = list(range(len(b) + 1))
    for index, x in enumerate(a):
        diagonal = row[0]
        left = row[0] = index + 1
        for j, y in enumerate(b, 1):
            above = row[j]
            row[j] = left = min(diagonal + (x != y), above + 1, left + 1)
            diagonal = above
    return row[-1]


def _letters() -> Iterator[int]:
    state = 2463534242
    while True:
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        yield state >> 30


def levenshtein_of_noise(length: int) -> int:
    """The distance of two texts of so many letters out of four, drawn by xorshift from 2463534242 on."""
    letters = _letters()
    return _distance(list(islice(letters, length)), list(islice(letters, length)))
