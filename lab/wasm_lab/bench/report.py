"""Report: what a comparison showed, what it did not, and all the samples that it rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from wasm_lab.measure.statistics import NO_DIFFERENCE, TOO_NOISY, Comparison, Summary, compare, summarise
from wasm_lab.run import Phase

if TYPE_CHECKING:
    from wasm_lab.bench.answers import Checked
    from wasm_lab.measure.machine import Machine
    from wasm_lab.measure.sampling import Sampling
    from wasm_lab.measure.store import Measurements

#: The runtime whose guards can be measured, which is also the name of its unguarded subject.
_GUARDED = "wasmtime"


@dataclass(frozen=True, kw_only=True, repr=False)
class Report:
    """One comparison: of a function or a program, in several places."""

    workload: str
    baseline: str  #: the subject that ratios are taken against
    phase: str  #: the phase that decided when to stop
    sampling: Sampling
    checked: tuple[Checked, ...]  #: one for each input
    machine: Machine
    unavailable: dict[str, str] = field(default_factory=dict)  #: place or subject, to why it was not measured

    def __repr__(self) -> str:
        subjects = len(self.measurements.values_of("subject"))
        return (
            f"<Report on {self.workload}: {subjects} subjects, {self.sampling.rounds} rounds; "
            f"its .measurements are {len(self.measurements)} samples>"
        )

    @property
    def measurements(self) -> Measurements:
        return self.sampling.measurements

    @property
    def interrupted(self) -> bool:
        return self.measurements.interrupted

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(each.input for each in self.checked)

    @cached_property
    def summaries(self) -> tuple[Summary, ...]:
        """The median of each subject and phase, with its interval."""
        return summarise(self.measurements)

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        """The ratio of every other subject to the baseline, for each input, in the deciding phase."""
        return self._against(self.baseline, self.measurements)

    @cached_property
    def guard_prices(self) -> tuple[Comparison, ...]:
        """How many times as long each guarded subject takes as the same one without guards."""
        guarded = self.measurements.where(runtime=_GUARDED)
        return self._against(_GUARDED, guarded) if len(guarded.values_of("guards")) > 1 else ()

    def _against(self, baseline: str, measurements: Measurements) -> tuple[Comparison, ...]:
        found = []
        for given in measurements.values_of("input"):
            here = measurements.where(input=given, phase=self.phase)
            rounds = set(here.where(subject=baseline).values_of("process"))
            for name in here.values_of("subject"):
                if name == baseline or not rounds & set(here.where(subject=name).values_of("process")):
                    continue
                found.append(compare(here, subject=name, baseline=baseline, phase=self.phase))
        return tuple(found)

    @property
    def sentence(self) -> str:
        """What was shown and what was not, in a few clauses that can stand alone."""
        parts = [self._shown(given) for given in self.inputs]
        stopped = f"{self.sampling.rounds} fresh processes of each in {self.sampling.duration_s:.0f} s"
        why = f" ({self.sampling.stopped.value})"
        missing = f" Not measured: {', '.join(self.unavailable)}." if self.unavailable else ""
        unshown = f"{self._caution()}Not shown: other inputs and other machines."
        return f"{' '.join(parts)} {stopped}{why}.{missing} {unshown}"

    def _shown(self, given: str) -> str:
        what = f"{self.workload}({given})" if given else self.workload
        ratios = [one for one in self.comparisons if one.input == given]
        clear = [one for one in ratios if one.shown]
        clauses = [f"{one.subject} {_how_much(one)}" for one in sorted(clear, key=lambda one: one.ratio)]
        for verdict in (NO_DIFFERENCE, TOO_NOISY):
            unclear = [one.subject for one in ratios if one.verdict == verdict]
            if unclear:
                clauses.append(f"{verdict} for {' and '.join(unclear)}")
        if not clauses:
            alone = [s for s in self.summaries if s.input == given and s.phase == self.phase]
            if not alone:
                return f"{what}: too little was measured to say anything."
            one = alone[0]
            took = f"{one.subject} takes {_time(one.median)}"
            return f"{what}, {self.phase}: {took}; there is nothing to compare it with."
        same = "answers equal" if self._equal(given) else "exit status equal, output changes from run to run"
        return f"{what}, {self.phase}, {same}, against {self.baseline}: {'; '.join(clauses)}."

    def _caution(self) -> str:
        names = [one.subject for one in self.comparisons]
        if self.phase == Phase.RUN.value and "native" in names:
            return "A native program's run is its whole process, start and end included. "
        return ""

    def _equal(self, given: str) -> bool:
        return not any(each.changing for each in self.checked if each.input == given)


def _how_much(one: Comparison) -> str:
    """The ratio as a speed, with its interval: ``2.6 times as fast (2.5 to 2.7)``."""
    ratio, low, high = one.ratio, one.low, one.high
    word = "slow"
    if one.verdict == "faster":
        ratio, low, high, word = 1 / ratio, 1 / high, 1 / low if low > 0 else math.inf, "fast"
    return f"{_figure(ratio)} times as {word} ({_figure(low)} to {_figure(high)})"


def _figure(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def _time(value_ns: float) -> str:
    for unit, factor in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if value_ns >= factor:
            return f"{value_ns / factor:.3g} {unit}"
    return f"{value_ns:.3g} ns"
