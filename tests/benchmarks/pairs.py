"""Timing two things in turn: A B A B …, so that a machine whose speed drifts favours neither."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """What we do and its reference, timed in turn; times in nanoseconds."""

    name: str
    ours_ns: list[int]
    reference_ns: list[int]
    asked: str  #: what the ratio (or the difference) must be
    difference: bool = False  #: compare by subtraction rather than by division

    @property
    def ours(self) -> float:
        return statistics.median(self.ours_ns)

    @property
    def reference(self) -> float:
        return statistics.median(self.reference_ns)

    @property
    def compared(self) -> list[float]:
        """The ratio of each turn, or its difference in nanoseconds."""
        turns = zip(self.ours_ns, self.reference_ns, strict=True)
        return [a - b if self.difference else a / b for a, b in turns]


def in_turn(
    name: str,
    ours: Callable[[], object],
    reference: Callable[[], object],
    *,
    turns: int,
    asked: str,
    batch: int = 1,
    difference: bool = False,
) -> Pair:
    """Time both in turn after one uncounted turn; ``batch`` calls make one timing."""
    times: tuple[list[int], list[int]] = ([], [])
    for turn in range(turns + 1):
        # Which goes first alternates, so that neither always runs on the other's warm caches.
        order = (0, 1) if turn % 2 else (1, 0)
        for which in order:
            took = _time((ours, reference)[which], batch)
            if turn:
                times[which].append(took // batch)
    return Pair(name, *times, asked=asked, difference=difference)


def _time(function: Callable[[], object], batch: int) -> int:
    start = time.perf_counter_ns()
    for _ in range(batch):
        function()
    return time.perf_counter_ns() - start
