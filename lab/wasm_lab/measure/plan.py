"""Plan: what is to be measured, for how long, and what decides that it is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError
from wasm_lab.run import Phase

if TYPE_CHECKING:
    from wasm_lab.measure.subject import Subject

#: Seconds that one comparison takes unless told otherwise.
DEFAULT_BUDGET_S = 20.0

#: An interval is narrow enough when its upper end is at most this much above its lower end.
DEFAULT_WIDTH = 0.06

#: Fresh processes of each subject. Layout in memory and hashing differ from process to process,
#: so one process, however long it runs, says nothing of the next (Kalibera and Jones, "Rigorous
#: benchmarking in reasonable time", ISMM 2013).
MIN_ROUNDS = 6
MAX_ROUNDS = 100

#: How long a batch must take at least, so that reading the clock (tens of nanoseconds, 100 µs in
#: the coarsest case) is far below 1 % of it.
BATCH_NS = 5_000_000


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Subjects × phases, in rounds of fresh processes.

    Args:
        subjects: what is compared; names are unique for each workload and input.
        phases: what is timed of each subject that can tell it apart.
        baseline: the name of the subject that ratios are taken against; the first by default.
        deciding: the phase whose ratios must be known narrowly enough; the last by default.
        budget_s: seconds after which no further round begins.
        target_width: relative width of each deciding interval that is narrow enough; 0.06 is 6 %.
        seed: of the order in which subjects take their turns.

    Raises:
        UsageError: nothing to measure, two subjects of one name, or an unknown baseline.
    """

    subjects: tuple[Subject, ...]
    phases: tuple[Phase, ...] = (Phase.CALL,)
    baseline: str = ""
    deciding: Phase | None = None
    budget_s: float = DEFAULT_BUDGET_S
    target_width: float = DEFAULT_WIDTH
    min_rounds: int = MIN_ROUNDS
    max_rounds: int = MAX_ROUNDS
    batch_ns: int = BATCH_NS
    weigh: bool = True  #: read the processes' memory before the first phase and after the last
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.subjects or not self.phases:
            raise UsageError("There is nothing to measure.", hint="Name at least one runtime and one phase.")
        keys = [(subject.workload, subject.input, subject.name) for subject in self.subjects]
        for key in keys:
            if keys.count(key) > 1:
                raise UsageError(f"{key[2]} stands twice in the plan for {key[0]}.")
        if self.baseline and self.baseline not in self.names:
            raise UsageError(
                f"{self.baseline} is not among what is measured, so nothing can be compared with it.",
                hint=f"Measured are {', '.join(self.names)}.",
            )
        if self.budget_s <= 0 or not 1 <= self.min_rounds <= self.max_rounds:
            raise UsageError("A plan needs a positive budget and at least one round.")

    @property
    def names(self) -> tuple[str, ...]:
        """The subjects' names, each once, in their order."""
        return tuple(dict.fromkeys(subject.name for subject in self.subjects))

    @property
    def compared_with(self) -> str:
        return self.baseline or self.names[0]

    @property
    def decided_by(self) -> Phase:
        return self.deciding or self.phases[-1]
