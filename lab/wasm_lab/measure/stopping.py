"""Stopping: whether a further round would tell more than is asked for.

Looking at an interval after each round and stopping when it is narrow stops too early too often:
the spread happened to look small. With 95 % intervals of normal noise that leaves coverage at
87 to 90 %. Three things mend it, as simulated with the rule below: eight rounds before the first
look; a third as many rounds again after the interval first was narrow (Simons, "On the cost of not
knowing the variance when making a fixed-width confidence interval", 1968, shows that a few further
observations suffice), at the end of which no second look decides; and intervals at a level of 96 %.
Then 93 to 98 % are covered whatever the noise. ``tests/measure/test_coverage.py`` repeats that.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from wasm_lab.measure.intervals import interval
from wasm_lab.measure.statistics import logs_by_round

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.measure.store import Measurements

#: Rounds before the first look, however few a caller asks for.
FEWEST_ROUNDS = 8


def enough(
    measurements: Measurements, baseline: str, phase: str, target_width: float, min_rounds: int
) -> bool:
    """Whether every subject's ratio to the baseline is known as narrowly as was asked.

    The rule: the first number of rounds, at least ``min_rounds`` and `FEWEST_ROUNDS`, after which
    every interval was narrow, and a third as many on top. So from 8 narrow rounds it is enough at
    11. It depends on nothing but the samples; call it after each whole round.

    Args:
        measurements: of one workload and input.
        baseline: the subject that every other one is compared with.
        target_width: of the widest interval, as `relative_width` gives it; 0.06 is 6 %.
        min_rounds: rounds before which nothing is enough.
    """
    subjects = measurements.where(phase=phase).values_of("subject")
    pairs = [
        tuple(logs_by_round(measurements, subject=name, baseline=baseline, phase=phase).values())
        for name in subjects
        if name != baseline
    ]
    return bool(pairs) and baseline in subjects and narrow_and_on(pairs, target_width, min_rounds)


def narrow_and_on(pairs: Sequence[tuple[float, ...]], target_width: float, min_rounds: int) -> bool:
    """The rule of `enough` for the logarithms of ratios, by round, of each compared pair."""
    rounds = min(len(logs) for logs in pairs)
    limit = math.log1p(target_width)
    for count in range(max(min_rounds, FEWEST_ROUNDS), rounds + 1):
        if math.ceil(count * 4 / 3) > rounds:
            return False
        found = (interval(logs[:count]) for logs in pairs)
        if all(high - low <= limit for _, low, high in found):
            return True
    return False
