"""The masters of a course: an nbgrader course directory, its exercises and what each can be graded by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from wasm_lab.errors import ExerciseError, UsageError
from wasm_lab.exercises import Cell, Exercise
from wasm_lab.exercises.notebook import Role
from wasm_lab.grading.nouns import GradedCell, GradedExercise, Note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Magics whose bodies are never executed by Python.
_OURS = ("wasm_rust", "answer")

_NOT_RELEASED = (
    "This master has no released form, so nobody can have answered it: wasm-lab exercises release makes it."
)

PYTHON_REFUSED = (
    "Python answer cells are refused for now: what a student writes runs in a Wasm sandbox or not at all."
)


@dataclass(frozen=True, kw_only=True)
class Master:
    """One exercise with all that is needed to grade it."""

    exercise: Exercise  #: the full notebook
    released: Exercise  #: the form that students got
    assignment: str  #: the folder below ``source``
    refused: str = ""  #: why nothing of it can be graded; empty when it can be
    text: str = field(default="", repr=False)  #: the full notebook as JSON
    released_text: str = field(default="", repr=False)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of both forms."""
        return hashlib.sha256(f"{self.text}\0{self.released_text}".encode()).hexdigest()

    @property
    def name(self) -> str:
        return self.exercise.name

    @property
    def answers(self) -> dict[str, Cell]:
        """The cells that a student fills in, as they were released, by grade id."""
        cells = (*self.released.answers, *self.released.written)
        return {cell.grade_id: cell for cell in cells}

    @cached_property
    def grade_ids(self) -> set[str]:
        """Of all of its cells."""
        return {cell.grade_id for cell in self.released.cells if cell.grade_id}

    def graded(self) -> GradedExercise:
        """What a report says of it."""
        cells = tuple(
            GradedCell(
                grade_id=cell.grade_id,
                kind="auto" if cell.role is Role.TEST else "written",
                max_points=cell.points,
            )
            for cell in self.exercise.cells
            if cell.role is Role.TEST or (cell.role is Role.WRITTEN and cell.points)
        )
        return GradedExercise(
            name=self.name,
            assignment=self.assignment,
            title=self.exercise.title,
            minutes=self.exercise.minutes,
            cells=cells,
            refused=self.refused,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """All exercises of a course directory, by name."""

    masters: dict[str, Master] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()  #: masters that are left out, and why

    @property
    def assignments(self) -> set[str]:
        return {master.assignment for master in self.masters.values()}


def read_course(folder: Path) -> Course:
    """Read ``source/<assignment>/<exercise>.ipynb`` and the released form of each in ``release``.

    A master without a released form has not been given to anybody, and is left out with a note.

    Raises:
        UsageError: there is no master; two have one name; one cannot be read or lacks what grading needs.
    """
    if folder.resolve().name == "source" and not (folder / "source").is_dir():
        folder = folder.resolve().parent
    source = folder / "source"
    masters: dict[str, Master] = {}
    notes = []
    for path in sorted(source.glob("*/*.ipynb")):
        if path.parent.name.startswith("."):
            continue
        release = folder / "release" / path.parent.name / path.name
        master = _master(path, release)
        if master is None:
            file = f"{path.parent.name}/{path.name}"
            notes.append(Note(kind="refused", student="", file=file, message=_NOT_RELEASED))
            continue
        if other := masters.get(master.name):
            raise UsageError(
                f"Two masters are named {master.name}: in {other.assignment} and in {master.assignment}.",
                hint="A submission is matched by the exercise's name; give each its own.",
            )
        masters[master.name] = master
    if not masters and not notes:
        raise UsageError(
            f"There is no master notebook in {folder}.",
            hint="--master names a course directory with source/<assignment>/<exercise>.ipynb.",
        )
    return Course(masters=masters, notes=tuple(notes))


def _master(path: Path, release: Path) -> Master | None:
    exercise = Exercise.read(path)
    refused = _why_refused(exercise)
    if not release.is_file() and not refused:
        return None
    released = Exercise.read(release) if release.is_file() else exercise
    _check(exercise, released, path)
    return Master(
        exercise=exercise,
        released=released,
        assignment=path.parent.name,
        refused=refused,
        text=exercise.dumps(),
        released_text=released.dumps(),
    )


def _check(exercise: Exercise, released: Exercise, path: Path) -> None:
    """That both forms have the same cells to fill in and to grade, each with a name of its own."""
    named = [cell for cell in exercise.cells if cell.role is not Role.GIVEN]
    ids = [cell.grade_id for cell in named]
    if "" in ids or len(set(ids)) < len(ids):
        raise ExerciseError(
            f"{path}: two graded cells have one grade_id, or one has none.",
            hint="nbgrader's Validate finds them: nbgrader validate FILE.",
        )
    shapes = [[(cell.grade_id, cell.role, cell.points) for cell in one.cells if cell.role is not Role.GIVEN]
              for one in (exercise, released)]  # fmt: skip
    if shapes[0] != shapes[1]:
        raise ExerciseError(
            f"{path}: its released form has other cells than the master.",
            hint="Make it anew, and tell the students: wasm-lab exercises release.",
        )


def _why_refused(exercise: Exercise) -> str:
    for cell in _code_answers(exercise):
        words = cell.magic.removeprefix("%%").split()
        if not words or words[0] not in _OURS:
            what = f"the magic %%{words[0]}" if words else "no magic"
            return f"{PYTHON_REFUSED} The cell {cell.grade_id} has {what}; %%wasm_rust and %%answer can be graded."
    return ""


def _code_answers(exercise: Exercise) -> Iterator[Cell]:
    """The cells of code that a student fills in, those too that a person marks: they would be executed."""
    return (
        cell for cell in exercise.cells if cell.kind == "code" and cell.role in (Role.ANSWER, Role.WRITTEN)
    )
