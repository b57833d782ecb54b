"""Statistics: from samples to medians, ratios with intervals, and what may be said of them.

Values of one process resemble each other more than those of two, so processes are what is counted:
each gives the median of its warm values, and round r, one fresh process of each subject with their
batches interleaved, gives one ratio.
"""

from __future__ import annotations

import bisect
import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wasm_lab.errors import MeasureError, UsageError
from wasm_lab.measure.intervals import interval
from wasm_lab.measure.warmup import warm_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.measure.sample import Sample
    from wasm_lab.measure.store import Measurements

__all__ = ["Comparison", "Summary", "compare", "outlying", "relative_width", "summarise", "warm_from"]

#: Fewer values have no quartiles worth the name.
_FEWEST_FOR_FENCES = 8

_LARGEST = 709.0  #: the logarithm of about the largest float


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What was measured of one subject in one phase."""

    workload: str
    input: str
    subject: str
    phase: str
    unit: str
    median: float  #: of the processes' medians
    low: float  #: the 95 % interval of that median over processes; nan for a single process
    high: float
    n: int  #: warm values
    processes: int
    outliers: int  #: of the warm values, by the rule of `outlying`; they are in the median all the same
    warmup_discarded: int  #: values before warm-up was over, which are not in the median


#: What may be said of a ratio whose interval holds 1.
NO_DIFFERENCE = "no difference shown"
TOO_NOISY = "too noisy to tell"

#: An interval that holds 1 and whose ends are further apart than this factor holds twice as fast and twice as
#: slow, or nearly: it tells of the noise, and calling it "no difference" would be taken for equality.
NOISY_SPAN = 4.0


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How many times as long ``subject`` takes as ``baseline``; above 1 is slower."""

    workload: str
    input: str
    phase: str
    subject: str
    baseline: str
    ratio: float
    low: float  #: the 95 % interval; from 0 to infinity where nothing can be said
    high: float
    processes: int  #: of each subject
    unit: str = "ns"
    note: str = ""  #: what has to be known beside the figure

    @property
    def shown(self) -> bool:
        """Whether a difference was shown: the interval leaves 1 out."""
        return self.low > 1 or self.high < 1

    @property
    def verdict(self) -> str:
        """``slower``, ``faster`` (for bytes ``more``, ``less``), ``no difference shown`` or ``too noisy to tell``."""
        words = ("slower", "faster") if self.unit == "ns" else ("more", "less")
        if self.shown:
            return words[0] if self.low > 1 else words[1]
        noisy = math.isfinite(self.high) and self.high > self.low * NOISY_SPAN
        return TOO_NOISY if noisy else NO_DIFFERENCE

    @property
    def sentence(self) -> str:
        """What may be said, in one sentence with the interval and the number of processes."""
        what = f"{self.workload}({self.input})" if self.input else self.workload
        note = f" {self.note}" if self.note else ""
        if not math.isfinite(self.high):
            return (
                f"{what}, {self.phase}: {_counted(self.processes)} each of {self.subject} and "
                f"{self.baseline} cannot show a difference.{note}"
            )
        decimals = _figures(self.low, self.high)
        spread = (
            f"{self.low:.{decimals}f} to {self.high:.{decimals}f} with 95 % confidence, "
            f"{_counted(self.processes)} each"
        )
        if not self.shown:
            return (
                f"{what}, {self.phase}: {self.verdict} between {self.subject} and {self.baseline} "
                f"(ratio {spread}).{note}"
            )
        verb, measure = ("takes", "long") if self.unit == "ns" else ("uses", "much")
        return (
            f"{what}, {self.phase}: {self.subject} {verb} {self.ratio:.{decimals}f} times as {measure} as "
            f"{self.baseline} ({spread}).{note}"
        )


def _counted(processes: int) -> str:
    return f"{processes} process{'es' * (processes != 1)}"


def relative_width(comparison: Comparison) -> float:
    """How much the upper end of the interval lies above its lower end: 0.06 is 6 %."""
    return comparison.high / comparison.low - 1 if comparison.low > 0 else math.inf


def compare(measurements: Measurements, *, subject: str, baseline: str, phase: str) -> Comparison:
    """The ratio of two subjects' times in one phase, paired by round.

    Each round gives the logarithm of one ratio of medians; `wasm_lab.measure.intervals.interval`
    gives their centre and its 95 % interval. Exchanging subject and baseline gives the reciprocals.
    Values before warm-up was over are left out; outliers are not.

    Raises:
        UsageError: the measurements are of several workloads, inputs or units.
        MeasureError: there are no rounds in which both were measured, or a value is not positive.
    """
    logs = logs_by_round(measurements, subject=subject, baseline=baseline, phase=phase)
    if not logs:
        raise MeasureError(
            f"{subject} and {baseline} were never measured in the same round of {str(phase)!r}.",
            hint="Measure them together.",
        )
    first = next(s for s in measurements.samples if s.subject == subject and s.phase == phase)
    centre, low, high = interval(tuple(logs.values()))
    return Comparison(
        workload=first.workload,
        input=first.input,
        phase=str(phase),
        subject=subject,
        baseline=baseline,
        ratio=ratio_of(centre),
        low=ratio_of(low),
        high=ratio_of(high),
        processes=len(logs),
        unit=first.unit,
    )


def logs_by_round(measurements: Measurements, *, subject: str, baseline: str, phase: str) -> dict[int, float]:
    """The logarithm of the ratio of medians, for each round in which both have warm values."""
    of: dict[str, dict[int, list[float]]] = {subject: {}, baseline: {}}
    kinds = set()
    for sample in measurements.samples:
        if sample.subject in of and sample.phase == phase and sample.warm:
            of[sample.subject].setdefault(sample.process, []).append(sample.value)
            kinds.add((sample.workload, sample.input, sample.unit))
    if len(kinds) > 1:
        raise UsageError(
            f"These are measurements of {len(kinds)} workloads, inputs or units; a ratio is of one.",
            hint="Choose with measurements.where(workload=…, input=…).",
        )
    rounds = sorted(of[subject].keys() & of[baseline].keys())
    return {
        number: log_of(median(of[subject][number])) - log_of(median(of[baseline][number]))
        for number in rounds
    }


def summarise(measurements: Measurements) -> tuple[Summary, ...]:
    """One summary for each workload, input, subject, phase and unit, in order of appearance."""
    groups: dict[tuple[str, ...], list[Sample]] = defaultdict(list)
    for sample in measurements.samples:
        key = (sample.workload, sample.input, sample.subject, str(sample.phase), sample.unit)
        groups[key].append(sample)
    return tuple(_summary(key, samples) for key, samples in groups.items())


def _summary(key: tuple[str, ...], samples: list[Sample]) -> Summary:
    workload, given, subject, phase, unit = key
    warm = [sample for sample in samples if sample.warm] or samples
    processes: dict[int, list[float]] = defaultdict(list)
    for sample in warm:
        processes[sample.process].append(sample.value)
    medians = [median(values) for values in processes.values()]
    low, high = median_interval(medians)
    return Summary(
        workload=workload,
        input=given,
        subject=subject,
        phase=phase,
        unit=unit,
        median=median(medians),
        low=low,
        high=high,
        n=len(warm),
        processes=len(medians),
        outliers=_outliers(processes),
        warmup_discarded=len(samples) - len(warm),
    )


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the median of independent values; nan for a single one.

    Between order statistics, so of any distribution, interpolated after Hettmansperger and
    Sheather ("Confidence intervals based on interpolated order statistics", 1986). Fewer than six
    values cannot reach 95 % in this way; for them it is Student's t interval about their mean,
    widened to hold the median.
    """
    n = len(values)
    if n < 2:
        return math.nan, math.nan
    ordered = sorted(values)
    # P(the median lies below the k-th of n) is the binomial tail; take the largest k that is safe.
    tails = [sum(math.comb(n, i) for i in range(k + 1)) / 2**n for k in range(n // 2 + 1)]
    if tails[0] > 0.025:
        # On logarithms where that can be, since no time and no size is below zero.
        logs = min(values) > 0
        _, low, high = interval(tuple(math.log(value) if logs else value for value in values))
        middle = median(values)
        ends = (ratio_of(low), ratio_of(high)) if logs else (low, high)
        return min(ends[0], middle), max(ends[1], middle)
    k = bisect.bisect_right(tails, 0.025)  # the rank, from 1, of the outer order statistic
    outer, inner = 1 - 2 * tails[k - 1], 1 - 2 * tails[min(k, len(tails) - 1)]
    part = (outer - 0.95) / (outer - inner) if outer > inner else 0.0
    weight = (n - k) * part / (k + (n - 2 * k) * part)
    low = (1 - weight) * ordered[k - 1] + weight * ordered[k]
    high = (1 - weight) * ordered[n - k] + weight * ordered[n - k - 1]
    return low, high


def outlying(values: Sequence[float]) -> int:
    """How many values lie more than 1.5 interquartile ranges outside the quartiles (Tukey 1977).

    Fewer than eight values have none: their quartiles say too little.
    """
    if len(values) < _FEWEST_FOR_FENCES:
        return 0
    array = np.asarray(values, dtype=float)
    q1, q3 = np.quantile(array, [0.25, 0.75])
    reach = 1.5 * (q3 - q1)
    return int(((array < q1 - reach) | (array > q3 + reach)).sum())


def _outliers(processes: dict[int, list[float]]) -> int:
    """Within each process; where processes gave few values each, among those of all."""
    if max(len(values) for values in processes.values()) >= _FEWEST_FOR_FENCES:
        return sum(outlying(values) for values in processes.values())
    return outlying([value for values in processes.values() for value in values])


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two in the middle. Plain, since it is called so often."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def log_of(value: float) -> float:
    if value <= 0:
        raise MeasureError(
            f"A value of {value:g} has no ratio to another.",
            hint="Let more calls make one batch, so that the clock sees them.",
        )
    return math.log(value)


def ratio_of(log: float) -> float:
    """Back from a logarithm; beyond what a float holds, 0 or infinity."""
    return math.inf if log > _LARGEST else math.exp(log)


def _figures(low: float, high: float) -> int:
    """Decimals that show the interval's width, and on which side of 1 it ends."""
    for decimals in range(2, 7):
        ends = {round(low, decimals), round(high, decimals)}
        if len(ends | {1.0}) == len({low, high, 1.0}) and (high - low) * 10**decimals >= 2:
            return decimals
    return 2 if low == high else 6
