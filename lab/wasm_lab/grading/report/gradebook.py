"""nbgrader's gradebook: the same marks in the database that its formgrader and ``nbgrader export`` read.

The database is changed as a copy, which then takes its place: a run that is ended leaves the one before. Marks and
comments that a person gave in formgrader stay. Those of earlier reports go when the report has them no longer: a table
of our own in the database, which nbgrader does not read, says which they were.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import warnings
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError
from wasm_lab.grading.nouns import Outcome
from wasm_lab.grading.report.cells import cell
from wasm_lab.grading.report.names import file_stem
from wasm_lab.grading.report.summary import is_open
from wasm_lab.grading.report.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbgrader.api import Grade, Gradebook, SubmittedNotebook  # type: ignore[import-untyped]

    from wasm_lab.exercises import Exercise
    from wasm_lab.grading.nouns import CellOutcome, GradedExercise, Report, Student
    from wasm_lab.grading.report.summary import Standing

#: What nbgrader keeps as a student's id: a part of paths and addresses, and of a CSV file that it does not quote.
_PLAIN_ID = re.compile(r"[\w][\w .@+-]{0,99}")

#: What the last report said of each grade cell of a submitted notebook; NULL where it gave no mark by hand.
_TABLE = """CREATE TABLE IF NOT EXISTS wasm_lab_mark (
    notebook VARCHAR(32), cell VARCHAR(128), points FLOAT, comment TEXT, PRIMARY KEY (notebook, cell)
) WITHOUT ROWID"""


@dataclass(frozen=True, slots=True)
class _Ours:
    """Marks and comments that reports gave, by submitted notebook and cell: by nothing else are they told from those
    that a person gave in formgrader.
    """

    before: dict[tuple[str, str], tuple[float | None, str | None]] = field(default_factory=dict)
    now: dict[tuple[str, str], tuple[float | None, str | None]] = field(default_factory=dict)


def update_gradebook(
    report: Report, everyone: Sequence[Standing], file: Path, *, exercises: Mapping[str, Exercise]
) -> list[str]:
    """Write the marks of a report into a gradebook, which is made where it is missing.

    Chapters are its assignments and exercises their notebooks. A cell that its exercise no longer has is removed.

    Args:
        exercises: the masters by name, whose cells nbgrader wants to know; may be empty.

    Returns:
        What a person should know, in sentences: marks that only the gradebook has.

    Raises:
        UsageError: nbgrader is not installed, or the file is no gradebook of its version.
    """
    try:
        from nbgrader.api import Gradebook
        from sqlalchemy import text
        from sqlalchemy.exc import SAWarning, SQLAlchemyError
    except ImportError as error:
        raise UsageError(
            f"{file.name} was not written: nbgrader is not installed.",
            hint="For nbgrader's gradebook: pip install 'wasm-lab[grading]'",
        ) from error
    copy = file.with_name(f"{file.name}.part")
    try:
        _copied(file, copy)
        # nbgrader's own code makes SQLAlchemy warn of the order in which it adds rows.
        with (
            warnings.catch_warnings(category=SAWarning, action="ignore"),
            contextlib.closing(Gradebook(f"sqlite:///{copy}")) as book,
        ):
            # A copy need not survive a power cut; nbgrader commits after every row.
            book.db.execute(text("PRAGMA synchronous=OFF"))
            # Nobody else writes to the copy, so what was read once need not be read again after each commit.
            book.db().expire_on_commit = False
            ours = _read_ours(book)
            for exercise in report.exercises:
                _save_exercise(book, exercise, exercises.get(exercise.name))
            known = {
                chapter: {one.student.id for one in book.assignment_submissions(chapter)}
                for chapter in {exercise.assignment for exercise in report.exercises}
            }
            kept = sum(_save_student(book, one, report, known, ours) for one in everyone)
            kept += _empty_those_who_left(book, everyone, report, ours)
            _write_ours(book, ours)
            book.db.commit()
        with copy.open("rb") as done:
            os.fsync(done.fileno())
        copy.replace(file)
    except (SQLAlchemyError, ValueError, OSError) as error:  # nbgrader's InvalidEntry is a ValueError
        raise UsageError(
            f"{file} was left as it was: {shown(str(error).splitlines()[0], 300, lines=False)}",
            hint=f"If an older nbgrader made it: nbgrader db upgrade --db sqlite:///{file}",
        ) from error
    finally:
        copy.unlink(missing_ok=True)
    if not kept:
        return []
    return [
        f"{file.name} keeps {kept} mark{'s' * (kept != 1)} given in nbgrader that this report does not have."
    ]


def student_id(student: Student) -> str:
    """What nbgrader calls a student: the key, or a plain name made of it.

    Example:
        >>> from wasm_lab.grading.nouns import Student
        >>> student_id(Student(key="ada", name="Ada")), student_id(Student(key="=1,2", name=""))
        ('ada', '1-2-d0d4eac66669')
    """
    return student.key if _PLAIN_ID.fullmatch(student.key) else file_stem(student.key)


def _copied(file: Path, copy: Path) -> None:
    """A copy to be changed. What a run that was killed has left of it is removed, with what SQLite kept beside it."""
    for ending in ("", "-journal", "-wal", "-shm"):
        copy.with_name(copy.name + ending).unlink(missing_ok=True)
    if file.exists():
        shutil.copyfile(file, copy)
    else:
        copy.parent.mkdir(parents=True, exist_ok=True)
        _begin(copy)


def _begin(file: Path) -> None:
    """An empty gradebook that says which schema it has.

    nbgrader would start ``alembic`` for that, which takes seconds and is not on the PATH of every environment.
    """
    import nbgrader  # type: ignore[import-untyped]
    from alembic.script import ScriptDirectory

    head = ScriptDirectory(str(Path(nbgrader.__file__).parent / "alembic")).get_current_head()
    with contextlib.closing(sqlite3.connect(file)) as book, book:
        book.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        book.execute("INSERT INTO alembic_version VALUES (?)", (head,))


def _save_exercise(book: Gradebook, exercise: GradedExercise, master: Exercise | None) -> None:
    chapter, name = exercise.assignment, exercise.name
    book.update_or_create_assignment(chapter)
    notebook = book.update_or_create_notebook(name, chapter)
    for one in exercise.cells:
        written = one.kind == "written"
        kind = "markdown" if written else "code"
        book.update_or_create_grade_cell(
            one.grade_id, name, chapter, max_score=one.max_points, cell_type=kind
        )
        if written:
            book.update_or_create_solution_cell(one.grade_id, name, chapter)
    for each in master.cells if master else ():
        if each.grade_id:
            book.update_or_create_source_cell(
                each.grade_id,
                name,
                chapter,
                cell_type=each.kind,
                source=each.text,
                locked=each.role.value != "answer",
            )
    known = {one.grade_id for one in exercise.cells}
    for gone in [one for one in notebook.grade_cells if one.name not in known]:
        for grade in list(gone.grades):
            book.db.delete(grade)
        book.db.delete(gone)
    book.db.commit()


def _read_ours(book: Gradebook) -> _Ours:
    from sqlalchemy import text

    book.db.execute(text(_TABLE))
    rows = book.db.execute(text("SELECT notebook, cell, points, comment FROM wasm_lab_mark"))
    return _Ours(before={(notebook, name): (points, comment) for notebook, name, points, comment in rows})


def _write_ours(book: Gradebook, ours: _Ours) -> None:
    from sqlalchemy import text

    rows = [
        {"notebook": notebook, "cell": name, "points": points, "comment": comment}
        for (notebook, name), (points, comment) in ours.now.items()
    ]
    if rows:
        book.db.execute(
            text("INSERT OR REPLACE INTO wasm_lab_mark VALUES (:notebook, :cell, :points, :comment)"), rows
        )


def _save_student(
    book: Gradebook, one: Standing, report: Report, known: Mapping[str, set[str]], ours: _Ours
) -> int:
    """Save all marks of a student. Gives how many marks the book has that the report has not.

    Args:
        known: the ids of those of whom the book has a submission already, by chapter.
    """
    student = one.student
    key = student_id(student)
    name = cell(shown(student.name, 120, lines=False)).replace(",", " ").replace('"', "'")
    book.update_or_create_student(key, last_name=name, lms_user_id=student.lms_id or None)
    kept = 0
    for chapter in dict.fromkeys(exercise.assignment for exercise in report.exercises):
        exercises = {each.name: each for each in report.exercises if each.assignment == chapter}
        outcomes = {each: one.outcomes[each] for each in exercises if each in one.outcomes}
        if key not in known[chapter] and all(outcome.status == "missing" for outcome in outcomes.values()):
            continue  # no submission, which nbgrader counts as none of the points
        submission = book.update_or_create_submission(chapter, key, **_timestamp(outcomes.values()))
        notebooks = {notebook.name: notebook for notebook in submission.notebooks}
        for each, outcome in outcomes.items():
            notebook = notebooks.get(each) or _submitted_later(book, submission.id, each, chapter)
            open_ = exercises[each].refused and outcome.status != "missing"
            kept += _save_notebook(book, notebook, _not_graded(outcome) if open_ else outcome, ours)
    return kept


def _not_graded(outcome: Outcome) -> Outcome:
    """The outcome of an exercise whose master cannot be graded: every mark is still to come."""
    cells = tuple(replace(one, points=None) for one in outcome.cells)
    return replace(outcome, status="graded", cells=cells)


def _empty_those_who_left(book: Gradebook, everyone: Sequence[Standing], report: Report, ours: _Ours) -> int:
    """Take back what earlier reports gave students of whom nothing lies among the submissions any more.

    What nbgrader itself knows of somebody whom no report was about is left alone.
    """
    here = {student_id(one.student) for one in everyone}
    mine = {notebook for notebook, _ in ours.before}
    kept = 0
    for exercise in report.exercises:
        for notebook in book.notebook_submissions(exercise.name, exercise.assignment):
            who = notebook.student.id
            if who in here or notebook.id not in mine:
                continue
            gone = Outcome(
                student=who, assignment=exercise.assignment, exercise=exercise.name, status="missing"
            )
            kept += _save_notebook(book, notebook, gone, ours)
    return kept


def _submitted_later(book: Gradebook, submission: str, exercise: str, chapter: str) -> SubmittedNotebook:
    """An exercise that its chapter did not have when the gradebook first heard of the submission."""
    from nbgrader.api import SubmittedNotebook

    found = SubmittedNotebook(assignment_id=submission, notebook_id=book.find_notebook(exercise, chapter).id)
    book.db.add(found)
    book.db.flush()
    return found


def _save_notebook(book: Gradebook, notebook: SubmittedNotebook, outcome: Outcome, ours: _Ours) -> int:
    from nbgrader.api import Comment, Grade

    cells = {one.grade_id: one for one in outcome.cells}
    grades = {grade.cell_id: grade for grade in notebook.grades}
    kept = 0
    for grade_cell in notebook.notebook.grade_cells:
        grade = grades.get(grade_cell.id)
        if grade is None:  # the cell is newer than the submission
            grade = Grade(cell_id=grade_cell.id, notebook_id=notebook.id)
            book.db.add(grade)
        place = (notebook.id, grade_cell.name)
        points, _ = ours.before.get(place, (None, None))
        if points is not None and grade.manual_score == points:
            grade.manual_score = None
        kept += _save_grade(grade, cells.get(grade_cell.name), outcome)
        ours.now[place] = (_by_hand(cells.get(grade_cell.name), outcome), None)
    comments = {comment.cell_id: comment for comment in notebook.comments}
    for solution_cell in notebook.notebook.solution_cells:
        place = (notebook.id, solution_cell.name)
        comment = comments.get(solution_cell.id)
        _, said = ours.before.get(place, (None, None))
        if comment is not None and said and comment.manual_comment == said:
            comment.manual_comment = None
        one = cells.get(solution_cell.name)
        if one is None or one.kind != "written":
            continue
        if comment is None:
            comment = Comment(cell_id=solution_cell.id, notebook_id=notebook.id)
            book.db.add(comment)
        comment.auto_comment = None if one.answer.strip() else "No response."
        says = shown(one.message, 10_000) or None
        comment.manual_comment = says or comment.manual_comment
        ours.now[place] = (_by_hand(one, outcome), says)
    return kept


def _by_hand(one: CellOutcome | None, outcome: Outcome) -> float | None:
    """The mark that formgrader shows as a person's; None where the report has none, or where no person gives it."""
    if one is None or one.kind == "auto" or outcome.status in ("missing", "refused"):
        return None
    return one.points


def _save_grade(grade: Grade, one: CellOutcome | None, outcome: Outcome) -> int:
    """As nbgrader's own autograding does it; a person's mark goes where formgrader puts it.

    Gives 1 where a mark that was given in nbgrader stays, which the report does not have.
    """
    points = _by_hand(one, outcome)
    if points is not None:
        grade.auto_score, grade.manual_score, grade.needs_manual_grade = None, points, False
        return 0
    if one is None or outcome.status in ("missing", "refused"):
        grade.auto_score, grade.needs_manual_grade = 0.0, False
    elif is_open(outcome, one):
        grade.auto_score, grade.needs_manual_grade = None, True
    else:
        grade.auto_score, grade.needs_manual_grade = one.points, False
    return int(grade.manual_score is not None)


def _timestamp(outcomes: Any) -> dict[str, datetime]:
    """When the last file of an assignment came in, where that is known; nbgrader wants UTC without saying so."""
    found = []
    for outcome in outcomes:
        with contextlib.suppress(ValueError):
            when = datetime.fromisoformat(outcome.submitted_at)
            found.append(when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when)
    return {"timestamp": max(found)} if found else {}
