"""Intervals: what a handful of rounds says of a ratio, and how surely."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CONFIDENCE = 0.95

#: Resamplings for each interval. More narrow nothing: their own scatter is far below the interval's.
_RESAMPLINGS = 1999

#: The part that is trimmed at each end before the mean is taken.
_TRIM = 0.2

#: Below this many rounds too few different resamplings exist, and Student's distribution is used.
_FEWEST_TO_RESAMPLE = 6


class Interval(NamedTuple):
    centre: float
    low: float
    high: float


def interval(values: Sequence[float]) -> Interval:
    """The 20 % trimmed mean of independent values and its 95 % interval.

    The interval is the symmetric bootstrap-t interval of the trimmed mean (Wilcox, "Introduction to
    Robust Estimation and Hypothesis Testing", section 4.4.3; standard error after Tukey and
    McLaughlin 1963, from the winsorized deviation). Below six values Student's t takes the
    bootstrap's place (Yuen 1974); a single value has no interval: minus to plus infinity.
    """
    sample = np.asarray(values, dtype=float)
    n = len(sample)
    centre = float(_trimmed_mean(np.sort(sample)[None, :])[0])
    if n < 2:
        return Interval(centre, -math.inf, math.inf)
    error = float(_standard_error(np.sort(sample)[None, :])[0])
    half = _quantile(sample, centre) * error
    return Interval(centre, centre - half, centre + half)


def _quantile(sample: NDArray[np.float64], centre: float) -> float:
    n = len(sample)
    if n < _FEWEST_TO_RESAMPLE:
        return _student(n - 2 * int(_TRIM * n) - 1)
    resampled = sample[_draws(n)]
    resampled.sort(axis=1)
    errors = _standard_error(resampled)
    distances = np.abs(_trimmed_mean(resampled) - centre)
    # A resampling in which all is equal has no error of its own; it says nothing of the spread.
    told = errors > 0
    if told.sum() < _RESAMPLINGS // 2:
        return _student(n - 2 * int(_TRIM * n) - 1)
    return float(np.quantile(distances[told] / errors[told], CONFIDENCE))


@functools.lru_cache(maxsize=256)
def _draws(n: int) -> NDArray[np.intp]:
    """Which values each resampling takes: the same for each n, so that equal samples give equal intervals."""
    draws: NDArray[np.intp] = np.random.default_rng(n).integers(0, n, size=(_RESAMPLINGS, n), dtype=np.intp)
    draws.setflags(write=False)
    return draws


def _student(freedom: int) -> float:
    from scipy.special import stdtrit  # scipy.stats takes ten times as long to import

    return float(stdtrit(freedom, (1 + CONFIDENCE) / 2))


def _trimmed_mean(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    n = rows.shape[1]
    cut = int(_TRIM * n)
    mean: NDArray[np.float64] = rows[:, cut : n - cut].mean(axis=1)
    return mean


def _standard_error(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    n = rows.shape[1]
    cut = int(_TRIM * n)
    inner = rows[:, cut : n - cut]
    total = inner.sum(axis=1) + cut * (inner[:, 0] + inner[:, -1])
    squares = (inner**2).sum(axis=1) + cut * (inner[:, 0] ** 2 + inner[:, -1] ** 2)
    variance = np.maximum(squares - total**2 / n, 0) / (n - 1)
    error: NDArray[np.float64] = np.sqrt(variance) / ((1 - 2 * cut / n) * math.sqrt(n))
    return error
