"""What a class did, in numbers: totals, who needs help, which tests were hard, how long it took."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wasm_lab.grading.nouns import CellOutcome, GradedExercise, Note, Outcome, Report, Student

#: The part of the points below which a student is listed among those who need help.
HELP_BELOW = 0.5

#: Quantile of the normal distribution for an interval of 95 %.
_Z = 1.959964

#: What is said of an exercise that was not graded to its end.
TROUBLES = {
    "missing": "not submitted",
    "not_compiled": "did not compile",
    "refused": "refused",
    "stopped": "ran out of time",
    "crashed": "lost in a crash",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Points as far as they are decided."""

    points: float = 0.0
    decided: float = 0.0  #: the most that the decided parts could have given
    open: float = 0.0  #: the most that a person's marks, or grading again, can still add
    answers: int = 0  #: written answers that wait for a person

    @property
    def max_points(self) -> float:
        return self.decided + self.open

    @property
    def share(self) -> float | None:
        """Of the decided points; None where nothing is decided."""
        return self.points / self.decided if self.decided else None

    def __add__(self, other: Points) -> Points:
        return Points(
            points=self.points + other.points,
            decided=self.decided + other.decided,
            open=self.open + other.open,
            answers=self.answers + other.answers,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One student over all exercises."""

    student: Student
    total: Points
    outcomes: dict[str, Outcome]  #: by exercise; without those that an interrupted run did not reach
    reasons: tuple[str, ...]  #: why this student may need help; empty: nothing says so

    @property
    def notes(self) -> tuple[Note, ...]:
        return tuple(note for outcome in self.outcomes.values() for note in outcome.notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResults:
    """One test over the class: a case, or a test cell that has none."""

    exercise: str
    name: str
    hidden: bool
    failed: int
    tried: int  #: submissions in which it ran
    low: float  #: the 95 % interval of the share that fails
    high: float

    __test__ = False  #: pytest collects classes by their names

    @property
    def share(self) -> float:
        return self.failed / self.tried


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseResults:
    """One exercise over the class."""

    exercise: GradedExercise
    submitted: int
    full: int  #: reached all points
    middle: float | None  #: the median of points, of those who submitted; None where nobody did
    troubles: dict[str, int]  #: by `TROUBLES`' keys
    answers: int  #: written answers that wait for a person
    duration_ns: int  #: the median over what was executed
    longest_ns: int


def decided(outcome: Outcome | None, exercise: GradedExercise) -> Points:
    """The points of one exercise.

    What was not submitted, or ended by its own doing, has none and is decided. What was lost in a crash is open, as
    what an interrupted run did not reach: it will be graded again. Where the master cannot be graded, all is open.
    """
    if exercise.refused or outcome is None or (outcome.status == "crashed" and not outcome.cells):
        return Points(open=exercise.max_points)
    if outcome.status == "missing" or not outcome.cells:
        return Points(decided=exercise.max_points)
    waiting = [cell for cell in outcome.cells if is_open(outcome, cell)]
    return Points(
        points=outcome.points,
        decided=sum(cell.max_points for cell in outcome.cells if cell not in waiting),
        open=sum(cell.max_points for cell in waiting),
        answers=sum(cell.kind == "written" for cell in waiting),
    )


def is_open(outcome: Outcome, cell: CellOutcome) -> bool:
    """Whether the points of a cell are still to come: from a person, or from grading again."""
    return cell.points is None or (outcome.status == "crashed" and cell.kind == "auto")


def standings(report: Report) -> tuple[Standing, ...]:
    """One for each student, in the report's order."""
    found: dict[str, dict[str, Outcome]] = defaultdict(dict)
    for outcome in report.outcomes:
        found[outcome.student][outcome.exercise] = outcome
    return tuple(_standing(student, found[student.key], report.exercises) for student in report.students)


def _standing(
    student: Student, outcomes: dict[str, Outcome], exercises: Sequence[GradedExercise]
) -> Standing:
    total = sum((decided(outcomes.get(one.name), one) for one in exercises), Points())
    troubles: dict[str, list[str]] = defaultdict(list)
    for one in exercises:
        outcome = outcomes.get(one.name)
        # What was lost in a crash says nothing of the student, nor does a master that cannot be graded.
        of_student = outcome is not None and outcome.status != "crashed" and not one.refused
        if outcome is not None and of_student and outcome.status in TROUBLES:
            troubles[outcome.status].append(one.name)
    reasons = [f"{TROUBLES[status]}: {', '.join(names)}" for status, names in sorted(troubles.items())]
    if total.share is not None and total.share < HELP_BELOW:
        reasons.insert(0, f"below {HELP_BELOW * 100:.0f} % of the points")
    return Standing(student=student, total=total, outcomes=outcomes, reasons=tuple(reasons))


def handed_in(one: Standing, report: Report, assignment: str) -> bool:
    """Whether a student handed in anything of an assignment, readable or not; True while that is not known."""
    names = (each.name for each in report.exercises if each.assignment == assignment)
    found = [one.outcomes.get(name) for name in names]
    return not all(outcome is not None and outcome.status == "missing" for outcome in found)


def several_assignments(report: Report, everyone: Sequence[Standing]) -> str:
    """What to know of a report on more than one assignment; empty for all others.

    One stray file of another week is enough for that, and whoever sent it says so to nobody.
    """
    names = list(dict.fromkeys(one.assignment for one in report.exercises))
    if len(names) < 2:
        return ""
    counts = {name: sum(handed_in(one, report, name) for one in everyone) for name in names}
    listed = ", ".join(f"{name} ({count} of {len(everyone)} students)" for name, count in counts.items())
    most = max(names, key=lambda name: counts[name])
    return (
        f"Something was handed in for {len(names)} assignments: {listed}. Each has its own marks, and none where a "
        f"student handed in nothing of it. For one alone, add --assignment {most}."
    )


def cannot_be_graded(report: Report) -> list[str]:
    """What to know of each master that cannot be graded."""
    return [
        f"{one.name} cannot be graded, which is no student's fault: {one.refused} It has no points, and totals with it "
        "stay empty in the files for Moodle and Canvas."
        for one in report.exercises
        if one.refused
    ]


def in_need(everyone: Sequence[Standing]) -> list[Standing]:
    """Those whom something speaks for helping, the lowest share of points first."""
    found = [one for one in everyone if one.reasons]
    return sorted(found, key=lambda one: (one.total.share or 0.0, -len(one.reasons), one.student.key))


def histogram(everyone: Sequence[Standing], bins: int = 10) -> tuple[int, ...]:
    """How many students reached which part of the points; the last bin holds those who reached all.

    Those of whom nothing is decided yet are left out.
    """
    counts = [0] * bins
    for one in everyone:
        if one.total.share is not None:
            counts[min(int(one.total.share * bins + 1e-9), bins - 1)] += 1
    return tuple(counts)


def hardest(report: Report) -> list[TestResults]:
    """Every test, those first that surely fail for many: by the lower end of the interval of the share."""
    tried: Counter[tuple[str, str, str, bool]] = Counter()
    failed: Counter[tuple[str, str, str, bool]] = Counter()
    for outcome in report.outcomes:
        for key, passed in _tests(outcome):
            tried[key] += 1
            failed[key] += not passed
    found = []
    for key, count in tried.items():
        exercise, _, name, hidden = key
        low, high = wilson(failed[key], count)
        found.append(
            TestResults(
                exercise=exercise,
                name=name,
                hidden=hidden,
                failed=failed[key],
                tried=count,
                low=low,
                high=high,
            )
        )
    return sorted(found, key=lambda one: (-one.low, -one.share, one.exercise, one.name))


def _tests(outcome: Outcome) -> Iterator[tuple[tuple[str, str, str, bool], bool]]:
    if outcome.status != "graded":  # what did not compile says nothing of a test
        return
    for cell in outcome.cells:
        for case in cell.cases:
            yield (outcome.exercise, cell.grade_id, case.name, case.hidden), case.passed
        if cell.kind == "auto" and not cell.cases and cell.points is not None:
            passed = cell.points >= cell.max_points
            yield (outcome.exercise, cell.grade_id, cell.grade_id, False), passed


def wilson(failed: int, tried: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, "Probable inference", 1927): good for few tries too.

    Example:
        >>> [round(end, 2) for end in wilson(1, 1)]
        [0.21, 1.0]
    """
    if not tried:
        return 0.0, 1.0
    share, square = failed / tried, _Z * _Z
    middle = (share + square / (2 * tried)) / (1 + square / tried)
    half = _Z / (1 + square / tried) * math.sqrt(share * (1 - share) / tried + square / (4 * tried * tried))
    return max(0.0, middle - half), min(1.0, middle + half)


def by_exercise(report: Report) -> list[ExerciseResults]:
    """One for each exercise, in the report's order."""
    found: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in report.outcomes:
        found[outcome.exercise].append(outcome)
    return [_exercise(one, found[one.name]) for one in report.exercises]


def _exercise(exercise: GradedExercise, outcomes: Sequence[Outcome]) -> ExerciseResults:
    submitted = [one for one in outcomes if one.status != "missing"]
    points = [decided(one, exercise) for one in submitted]
    durations = [one.duration_ns for one in submitted if one.duration_ns]
    counts = Counter[str](one.status for one in outcomes)
    return ExerciseResults(
        exercise=exercise,
        submitted=len(submitted),
        full=sum(not one.open and one.points >= exercise.max_points - 1e-9 for one in points),
        middle=median([one.points for one in points]) if points and not exercise.refused else None,
        troubles={status: counts[status] for status in TROUBLES if counts[status]},
        answers=sum(one.answers for one in points),
        duration_ns=int(median(durations)) if durations else 0,
        longest_ns=max(durations, default=0),
    )
