"""What grading is about, as plain data: jobs, outcomes, notes and the report of one run.

Every noun becomes JSON and comes back as it was (``record_of``, ``from_record``), because the journal,
the workers of a cluster and the reports all pass them on as text. Nothing here is trusted with markup:
every string may have been written by a student, and whoever shows it escapes it.
"""

from __future__ import annotations

import types
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from wasm_lab.errors import UsageError

#: What a note can be about. ``refused`` is a part of a submission that had no effect.
NoteKind = Literal[
    "late",  #: came in after the deadline
    "duplicate",  #: more than one file for the same exercise; the message says which one counts
    "renamed",  #: another file name; matched by the exercise's grade ids
    "truncated",  #: the file ends in the middle
    "foreign",  #: no file of these exercises
    "refused",  #: not read, or read and without effect; the message says why
    "edited",  #: something that the master owns was changed in the submission; it had no effect
    "collision",  #: two students, or two files, that would be one
    "missing",  #: nothing was submitted, or an answer cell is not there
]
CellKind = Literal["auto", "written"]
Status = Literal[
    "graded",  #: executed to its end, or nothing in it needs to be executed
    "not_compiled",  #: executed; at least one answer did not compile, its tests have no points
    "refused",  #: nothing of it was executed; a note says why
    "stopped",  #: reached the deadline of the whole notebook and was killed
    "crashed",  #: the process that judged it died; one loss is one loss
    "missing",  #: the student submitted nothing for this exercise
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One line of the report about a file or a submission; never a reason to stop the batch."""

    kind: NoteKind
    student: str  #: empty where no student could be found out
    file: str  #: as it was named in the submission; may hold anything
    message: str  #: one sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOutcome:
    """One case of a test cell."""

    name: str
    passed: bool
    message: str = ""  #: empty when passed; data of the guest may stand in it, capped
    hidden: bool = False  #: not in the released form: a student's page never shows the message


@dataclass(frozen=True, slots=True, kw_only=True)
class CellOutcome:
    """The marks of one graded cell."""

    grade_id: str
    kind: CellKind
    points: float | None  #: None: a written answer that no person has marked yet
    max_points: float
    cases: tuple[CaseOutcome, ...] = ()
    message: str = ""  #: why there are no points, where no case says it; or a person's comment
    answer: str = ""  #: the text of a written answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a program touched, as its audit has it: equal calls are one line."""

    cell: str  #: the answer's name
    call: str  #: the host call, such as ``path_open``
    subject: str  #: the path, host or name it was about; empty where there is none
    result: str
    allowed: bool
    count: int = 1
    #: In a run that a hidden test made. A program can put what it was given into a path, so a student's page
    #: does not show it.
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one student's submission of one exercise."""

    student: str  #: the key of a `Student`
    assignment: str  #: the chapter's stem, such as ``01_rust_cells``
    exercise: str
    status: Status
    cells: tuple[CellOutcome, ...] = ()  #: every graded cell of the master, in its order
    notes: tuple[Note, ...] = ()
    audit: tuple[Access, ...] = ()
    duration_ns: int = 0  #: of the execution; 0 where nothing was executed
    submitted_at: str = ""  #: ISO 8601; empty when it is not known
    digest: str = ""  #: of everything that decides the marks; equal digests are graded once
    answers: dict[str, str] = field(default_factory=dict)  #: the bodies that were taken, by grade id
    message: str = ""  #: why it was stopped, refused or lost; what the compiler said (capped)

    @property
    def points(self) -> float:
        """The sum over all cells that have points so far, to six decimals."""
        return round(sum(cell.points or 0.0 for cell in self.cells), 6)

    @property
    def max_points(self) -> float:
        """The most that can be reached.

        Example:
            >>> cell = CellOutcome(grade_id="t", kind="auto", points=1.0, max_points=2.0)
            >>> one = Outcome(student="ada", assignment="01", exercise="add", status="graded", cells=(cell,))
            >>> one.points, one.max_points, one.is_complete
            (1.0, 2.0, True)
        """
        return sum(cell.max_points for cell in self.cells)

    @property
    def is_complete(self) -> bool:
        """False while a written answer waits for a person."""
        return all(cell.points is not None for cell in self.cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How submissions are judged; part of every digest."""

    deadline_s: float = 120.0  #: for the whole notebook, compiling included; then its processes are killed
    walls: bool = True  #: False: graded without walls around the compiler, because the instructor said so


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything that is needed to grade one submission of one exercise, on any machine."""

    student: str
    assignment: str
    exercise: str
    master: str  #: the full notebook, hidden tests and all, as JSON text
    released: str  #: the form that students got, as JSON text
    bodies: dict[str, str]  #: by grade id; only bodies of answer cells, never a magic line
    digest: str
    settings: Settings = field(default_factory=Settings)
    notes: tuple[Note, ...] = ()
    submitted_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Student:
    """Who submitted. Every name may hold anything; it was chosen by its bearer."""

    key: str  #: what outcomes and notes call them; unique in a report, also where case does not count
    name: str  #: as a person reads it
    lms: Literal["", "moodle", "canvas"] = ""  #: whose export the submission came in
    lms_id: str = ""  #: the participant's number in Moodle, the user's in Canvas


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedCell:
    """A cell of a master that has points."""

    grade_id: str
    kind: CellKind
    max_points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedExercise:
    """What a report says of an exercise."""

    name: str
    assignment: str
    title: str
    minutes: int  #: what the master says a learner needs; 0 when it does not say
    cells: tuple[GradedCell, ...]
    refused: str = ""  #: why nothing of it can be graded, which is the master's fault and no student's

    @property
    def max_points(self) -> float:
        return sum(cell.max_points for cell in self.cells)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run over a batch of submissions. Sorted, so that equal inputs give equal reports."""

    exercises: tuple[GradedExercise, ...]  #: by assignment and name
    students: tuple[Student, ...]  #: by key
    outcomes: tuple[Outcome, ...]  #: by student, assignment, exercise; one for each pair
    notes: tuple[Note, ...] = ()  #: those of files that belong to no outcome
    walls: str = ""  #: what stood around the compiler and the guests, or that nothing did
    versions: dict[str, str] = field(default_factory=dict)  #: wasm-lab, rustc, wasmtime, nbgrader
    started_at: str = ""  #: ISO 8601, UTC
    duration_ns: int = 0  #: of this run; of the submissions graded in it
    complete: bool = True  #: False: some outcomes are not there, because not all was graded yet
    interrupted: bool = False  #: by Ctrl-C; the same command goes on


Noun = TypeVar("Noun")


def record_of(noun: Any) -> dict[str, Any]:
    """The noun as what JSON knows: objects, arrays, text, numbers.

    Example:
        >>> record_of(Note(kind="late", student="ada", file="add.ipynb", message="An hour late."))["kind"]
        'late'
    """
    record: dict[str, Any] = _plain(noun)
    return record


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {part.name: _plain(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value


def from_record(noun: type[Noun], record: Any) -> Noun:
    """The noun again, from what ``record_of`` gave and JSON carried.

    Raises:
        UsageError: the record has another shape: a part is missing, unknown, or of another type.

    Example:
        >>> note = Note(kind="late", student="ada", file="add.ipynb", message="An hour late.")
        >>> from_record(Note, record_of(note)) == note
        True
    """
    value: Noun = _read(noun, record, noun.__name__)
    return value


@cache
def _types(noun: type) -> dict[str, Any]:
    return get_type_hints(noun)


def _read(wanted: Any, value: Any, where: str) -> Any:
    origin = get_origin(wanted)
    if is_dataclass(wanted):
        kinds = _types(wanted)  # type: ignore[arg-type]
        if not isinstance(value, dict) or not set(value) <= set(kinds):
            raise _misshapen(where)
        parts = {key: _read(kinds[key], one, f"{where}.{key}") for key, one in value.items()}
        try:
            return wanted(**parts)  # type: ignore[operator]
        except TypeError:  # a part without a default is missing
            raise _misshapen(where) from None
    if origin is tuple and isinstance(value, list):
        return tuple(_read(get_args(wanted)[0], one, where) for one in value)
    if origin is dict and isinstance(value, dict):
        return {str(key): _read(get_args(wanted)[1], one, where) for key, one in value.items()}
    if origin is Literal and value in get_args(wanted):
        return value
    if origin in (Union, types.UnionType):
        return None if value is None else _read(get_args(wanted)[0], value, where)
    if wanted is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(wanted, type) and type(value) is wanted:
        return value
    raise _misshapen(where)


def _misshapen(where: str) -> UsageError:
    return UsageError(f"{where} does not have the shape that this version of wasm-lab writes.")
