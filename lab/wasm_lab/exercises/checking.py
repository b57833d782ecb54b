"""What a learner is told of their answers: each case, and why it failed; hidden ones by name only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from wasm_lab.exercises.notebook import Exercise
from wasm_lab.exercises.running import run_exercise

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.exercises.copies import Answers
    from wasm_lab.exercises.running import CellResult


#: For each call, where the exercise does not say: a learner who wrote an endless loop waits for it.
DEADLINE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseVerdict:
    """One case as a learner sees it."""

    name: str
    passed: bool
    message: str = ""
    hidden: bool = False  #: not in the learner's notebook: its message is kept back


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check of one exercise found."""

    exercise: str
    title: str
    solved: bool
    points: float
    max_points: float  #: of the cells that run; written answers are marked by a person
    cases: tuple[CaseVerdict, ...] = ()
    broken: dict[str, str] = field(default_factory=dict)  #: answers that did not compile: why
    notes: tuple[str, ...] = ()  #: what is off in the notebook, and what was not checked
    untouched: bool = False  #: nothing has been written yet
    duration_ns: int = 0
    file: str = ""

    @property
    def passed(self) -> int:
        """How many cases passed."""
        return sum(case.passed for case in self.cases)


def check_answers(released: Exercise, master: Path | None, answers: Answers) -> Verdict:
    """Run an exercise with a learner's answers.

    Args:
        master: with hidden tests; None where this installation has none.
    """
    full = Exercise.read(master) if master else released
    bodies = {grade_id: body for grade_id, body in answers.bodies.items() if full.cell(grade_id)}
    answered = full.with_bodies(bodies)
    checked = run_exercise(replace(answered, deadline_s=full.deadline_s or DEADLINE_S))
    notes = list(answers.notes)
    cases: list[CaseVerdict] = []
    for test in checked.tests:
        found = _cases(test, released)
        cases += found
        if test.message and not checked.broken and not found:
            notes.append(f"{test.grade_id}: {test.message}")
    if released.written:
        words = " and ".join(cell.grade_id for cell in released.written)
        notes.append(f"Written in words, so not checked here: {words}.")
    if not master and any(not test.cases for test in checked.tests):
        notes.append("Hidden tests are not in this installation; they run when the exercise is graded.")
    solved = checked.solved if released.tests else not answers.untouched
    return Verdict(
        exercise=released.name,
        title=released.title,
        solved=solved,
        points=checked.points,
        max_points=sum(test.max_points for test in checked.tests),
        cases=tuple(cases),
        broken=checked.broken,
        notes=tuple(notes),
        untouched=answers.untouched,
        duration_ns=checked.duration_ns,
    )


def _cases(test: CellResult, released: Exercise) -> list[CaseVerdict]:
    seen = [
        CaseVerdict(
            name=case.name, passed=case.passed, message=case.message, hidden=released.hides(case.name)
        )
        for case in test.cases
    ]
    return [replace(case, message="") if case.hidden else case for case in seen]
