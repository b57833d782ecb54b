"""From subjects to a report: compare answers, carry out the plan."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wasm_lab.bench.answers import check_answers
from wasm_lab.bench.report import Report
from wasm_lab.measure.machine import machine
from wasm_lab.measure.plan import DEFAULT_BUDGET_S, DEFAULT_WIDTH, MAX_ROUNDS, MIN_ROUNDS, Plan
from wasm_lab.measure.sampling import sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wasm_lab.measure.sample import Sample
    from wasm_lab.measure.subject import Subject
    from wasm_lab.run import Phase

#: How wasmtime can guard a guest; the price of each is measured against none.
GUARDS = ("epochs", "fuel", "audit")

#: Whom others are compared with: the first of these that is measured.
BASELINES = ("JavaScript (node)", "native", "wasmtime")


@dataclass(frozen=True, kw_only=True)
class Watcher:
    """Who wants to see a comparison while it goes on."""

    on_step: Callable[[str], None] | None = None  #: what is done now, in words
    on_samples: Callable[[Sequence[Sample]], None] | None = None
    on_time: Callable[[float, float], None] | None = None  #: seconds spent, seconds left at most

    def step(self, what: str) -> None:
        if self.on_step:
            self.on_step(what)


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is measured.

    Args:
        phases: what is timed; the last one decides when it is enough.
        budget_s: seconds after which no further round begins.
        rounds: fresh processes of each at least.
        target_width: relative width of an interval that is narrow enough; infinity for as many rounds
            as were asked for, whatever they show.
        baseline: whom ratios are taken against; the JavaScript twin where there is one.
    """

    phases: tuple[Phase, ...] = ()
    budget_s: float = DEFAULT_BUDGET_S
    rounds: int = MIN_ROUNDS
    target_width: float = DEFAULT_WIDTH
    baseline: str = ""
    seed: int = 0

    def given(self, phase: Phase, *, baseline: str) -> Effort:
        """The same, with a phase and a baseline where none was chosen."""
        return replace(self, phases=self.phases or (phase,), baseline=self.baseline or baseline)


def compare_subjects(
    subjects: Sequence[Subject],
    effort: Effort,
    watcher: Watcher,
    unavailable: dict[str, str],
) -> Report:
    """Check answers, then measure.

    Raises:
        AnswersDiffer: two answers differ; nothing was timed.
        MeasureError: nothing could be measured.
    """
    groups: dict[tuple[str, str], list[Subject]] = defaultdict(list)
    for subject in subjects:
        groups[subject.workload, subject.input].append(subject)
    failed: dict[str, str] = {}
    checked = tuple(check_answers(each, failed=failed, on_step=watcher.on_step) for each in groups.values())
    able = tuple(subject for subject in subjects if subject.name not in failed)
    names = {subject.name for subject in able}
    wanted = (effort.baseline, *BASELINES)
    baseline = next((name for name in wanted if name in names), able[0].name)
    watcher.step("measuring")
    plan = Plan(
        subjects=able,
        phases=effort.phases,
        baseline=baseline,
        deciding=effort.phases[-1],
        budget_s=effort.budget_s,
        min_rounds=effort.rounds,
        max_rounds=max(effort.rounds, MAX_ROUNDS if effort.target_width < math.inf else 1),
        target_width=effort.target_width,
        seed=effort.seed,
    )
    sampling = sample(plan, on_samples=watcher.on_samples, on_time=watcher.on_time)
    return Report(
        workload=able[0].workload,
        baseline=baseline,
        phase=effort.phases[-1].value,
        sampling=sampling,
        checked=checked,
        machine=machine(),
        unavailable=unavailable | failed | sampling.failed,
    )
