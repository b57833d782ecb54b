"""Warm-up: from which value on a process does its work as it will go on doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Fewer values show no trend that could be told from noise.
_FEWEST = 6

#: A start that differs by less than this part, or by fewer deviations, is no warm-up.
_PART = 0.01
_DEVIATIONS = 5.0


def warm_from(values_ns: Sequence[float]) -> int:
    """The index of the first value after warm-up; at most half of the values are warm-up.

    The start is cut where the standard error of the mean of what follows is least (MSER, White,
    "An effective truncation heuristic for bias reduction in simulation output", Simulation 69,
    1997), on logarithms clipped to Tukey's outer fences of the second half, so that one interrupted
    batch does not decide. The cut is made only where the median of what would be cut off differs
    from the rest by more than 1 % and by more than five standard errors of it.

    Args:
        values_ns: the values of one process and phase in the order in which they were taken.

    Gives 0 for fewer than six values: too few to tell warm-up from noise.

    Example:
        >>> warm_from([90.0, 40.0, 20.0, 10.1, 10.0, 10.1, 9.9, 10.0, 10.1, 9.9, 10.0, 10.0])
        3
    """
    n = len(values_ns)
    if n < _FEWEST:
        return 0
    logs = np.log(np.maximum(np.asarray(values_ns, dtype=float), np.finfo(float).tiny))
    q1, q3 = np.quantile(logs[n // 2 :], [0.25, 0.75])
    fence = 3 * (q3 - q1)
    clipped = np.clip(logs, q1 - max(fence, 0.5), q3 + max(fence, 0.5))
    # Sums from each index to the end give the variance of every remainder at once.
    left = np.arange(n, 0, -1)
    sums = np.cumsum(clipped[::-1])[::-1]
    squares = np.cumsum((clipped**2)[::-1])[::-1]
    errors = np.maximum(squares - sums**2 / left, 0) / left**2
    cut = int(np.argmin(errors[: n // 2 + 1]))
    if cut == 0:
        return 0
    head, rest = logs[:cut], logs[cut:]
    deviation = 1.4826 * np.median(np.abs(rest - np.median(rest)))
    difference = abs(np.median(head) - np.median(rest))
    return cut if difference > max(_PART, _DEVIATIONS * deviation / np.sqrt(cut)) else 0
