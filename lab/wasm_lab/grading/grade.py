"""Grading a batch: collect, grade what is not in the journal yet, and make the report."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Protocol

from wasm_lab.errors import UsageError, WasmLabError
from wasm_lab.grading.answers import digest_of
from wasm_lab.grading.candidates import Submission
from wasm_lab.grading.collect import Collected, collect
from wasm_lab.grading.course import Course, Master, read_course
from wasm_lab.grading.journal import Journal, Selection
from wasm_lab.grading.marks import lost_outcome
from wasm_lab.grading.nouns import Job, Note, Outcome, Report, Settings
from wasm_lab.grading.walls import check_walls, walls_in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from wasm_lab.grading.crew import Crew


class Watcher(Protocol):
    """Hears how far a run is."""

    def begin(self, total: int, known: int) -> None:
        """So many submissions in all, of which so many are graded already."""
        ...

    def done(self, outcome: Outcome) -> None:
        """One more is graded."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is to be graded, by what, and where the report goes."""

    submissions: Path
    master: Path
    out: Path
    due: datetime | None = None
    assignments: tuple[
        str, ...
    ] = ()  #: what the report is about; empty: all of which somebody handed in something
    selection: Selection = field(default_factory=Selection)
    settings: Settings = field(default_factory=Settings)


def grade_batch(batch: Batch, crew: Callable[[], Crew], watcher: Watcher | None = None) -> Report:
    """Grade a batch, or go on with it; gives the report on all of it.

    Args:
        crew: makes who does the grading; called when there is something to grade.

    Raises:
        UsageError: the submissions, the masters or the folder of the report cannot be used.
        UnsupportedError: walls are asked for, and this machine has none.
    """
    started = time.monotonic_ns()
    started_at = datetime.now(UTC)
    if batch.settings.walls:
        check_walls()
    course = read_course(batch.master)
    _check_names(batch.assignments, course.assignments, "assignment", "--assignment")
    chosen = {name for name, master in course.masters.items() if _is_about(batch, master)}
    of = f" of {', '.join(batch.assignments)}" if batch.assignments else ""
    _check_names(batch.selection.exercises, chosen, f"exercise{of}", "--exercise")
    journal = Journal(batch.out)
    try:
        collected = collect(batch.submissions, course, due=batch.due)
        keys = [student.key for student in collected.students]
        _check_names(batch.selection.students, keys, "student among the submissions", "--student")
        scope = set(batch.selection.exercises) or (chosen if batch.assignments else _scope(collected, course))
        goes_on = journal.begin(batch.selection, scope)
        run = _Run(batch, course, collected, journal, goes_on)
        interrupted = run.grade(crew, watcher)
        if not interrupted:
            journal.end()
        outcomes = run.all_outcomes()
    finally:
        journal.close()
    masters = [course.masters[name] for name in run.scope]
    exercises = sorted((master.graded() for master in masters), key=lambda one: (one.assignment, one.name))
    return Report(
        exercises=tuple(exercises),
        students=collected.students,
        outcomes=outcomes,
        notes=(*collected.notes, *_left_out(batch, collected, course), *course.notes),
        walls=walls_in_words(batch.settings.walls),
        versions=versions(),
        started_at=started_at.isoformat(timespec="seconds"),
        duration_ns=time.monotonic_ns() - started,
        complete=not interrupted and len(outcomes) == len(exercises) * len(collected.students),
        interrupted=interrupted,
    )


class _Run:
    """One run over a batch."""

    def __init__(
        self, batch: Batch, course: Course, collected: Collected, journal: Journal, goes_on: bool
    ) -> None:
        self.batch = batch
        self.course = course
        self.journal = journal
        self.goes_on = goes_on
        self.students = [student.key for student in collected.students]
        self.submissions = {(one.student, one.exercise): one for one in collected.submissions}
        known = (name for name in journal.scope if name in course.masters)
        self.scope = sorted(name for name in known if _is_about(batch, course.masters[name]))
        self.outcomes: dict[tuple[str, str], Outcome] = {}

    def grade(self, crew: Callable[[], Crew], watcher: Watcher | None) -> bool:
        """Grade what has to be; True when it was interrupted."""
        jobs = []
        for student in self.students:
            for name in self.scope:
                job = self._job(student, self.course.masters[name])
                known = self._known(job)
                if known:
                    self.outcomes[student, name] = known
                elif self._selected(student, name):
                    jobs.append(job)
        if watcher:
            total = len(self.students) * len(self.scope)
            watcher.begin(total=total, known=total - len(jobs))
        if not jobs:
            return False
        workers = crew()
        try:
            for outcome in workers.run(jobs):
                self.journal.keep(outcome)
                self.outcomes[outcome.student, outcome.exercise] = outcome
                if watcher:
                    watcher.done(outcome)
        except KeyboardInterrupt:
            return True
        finally:
            workers.close()
        return False

    def all_outcomes(self) -> tuple[Outcome, ...]:
        order = sorted(self.outcomes.values(), key=lambda one: (one.student, one.assignment, one.exercise))
        return tuple(order)

    def _selected(self, student: str, exercise: str) -> bool:
        selection = self.batch.selection
        return (not selection.exercises or exercise in selection.exercises) and (
            not selection.students or student in selection.students
        )

    def _job(self, student: str, master: Master) -> Job:
        one = self.submissions.get((student, master.name)) or Submission(
            student=student, exercise=master.name, file=""
        )
        return Job(
            student=student,
            assignment=master.assignment,
            exercise=master.name,
            master=master.text,
            released=master.released_text,
            bodies=one.bodies,
            digest=digest_of(master, one.bodies, self.batch.settings),
            settings=self.batch.settings,
            notes=one.notes,
            submitted_at=one.submitted_at,
        )

    def _known(self, job: Job) -> Outcome | None:
        """The outcome of a job that nothing has to be executed for, or that was done already."""
        master = self.course.masters[job.exercise]
        one = self.submissions.get((job.student, job.exercise))
        if one is None:
            return lost_outcome(job, master.exercise, "missing", "Nothing was submitted for this exercise.")
        why = master.refused or one.refused
        if why:
            note = Note(kind="refused", student=job.student, file=one.file, message=why)
            return lost_outcome(
                replace(job, notes=(*job.notes, note), bodies={}), master.exercise, "refused", why
            )
        known = self.journal.outcome(job.student, job.exercise)
        if known is None or known.digest != job.digest or known.status == "crashed":
            return None
        named = bool(self.batch.selection.exercises or self.batch.selection.students)
        graded_now = self.goes_on and self.journal.graded_in_this_run(job.student, job.exercise)
        if named and self._selected(job.student, job.exercise) and not graded_now:
            return None  # asked for by name: it is graded again
        # What is said of the file may have changed since, such as how late it was.
        return replace(known, assignment=job.assignment, notes=job.notes, submitted_at=job.submitted_at)


def versions() -> dict[str, str]:
    """Versions of what decides the marks."""
    found = {}
    for name in ("wasm-lab", "wasmtime", "papermill", "nbgrader"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    from wasm_lab.toolchains.rust import find_rust

    try:
        found["rustc"] = find_rust().version
    except WasmLabError:
        found["rustc"] = "none"
    return found


def _is_about(batch: Batch, master: Master) -> bool:
    return not batch.assignments or master.assignment in batch.assignments


def _left_out(batch: Batch, collected: Collected, course: Course) -> Iterator[Note]:
    """What is said of submissions of other assignments than those that were asked for."""
    for one in collected.submissions:
        master = course.masters[one.exercise]
        if not _is_about(batch, master):
            message = (
                f"It is of {master.assignment}, and this run is about {', '.join(batch.assignments)} alone."
            )
            yield Note(kind="foreign", student=one.student, file=one.file, message=message)


def _scope(collected: Collected, course: Course) -> set[str]:
    """All exercises of the assignments of which somebody submitted something."""
    touched = {course.masters[one.exercise].assignment for one in collected.submissions}
    return {name for name, master in course.masters.items() if master.assignment in touched}


def _check_names(wanted: Iterable[str], known: Iterable[str], what: str, option: str) -> None:
    import difflib

    names = sorted(known)
    for name in wanted:
        if name not in names:
            near = difflib.get_close_matches(name, names, 3)
            there = ", ".join(near or names[:5])
            more = "" if near or len(names) <= 5 else f" and {len(names) - 5} more"
            raise UsageError(
                f"There is no {what} named {name!r} ({option}).",
                hint=f"Did you mean {there}?" if near else f"There is: {there}{more}",
            )
