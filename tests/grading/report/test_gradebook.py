"""nbgrader's gradebook, checked with nbgrader's own interface and commands."""

from __future__ import annotations

import csv
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from wasm_lab.errors import UsageError
from wasm_lab.grading.nouns import Student
from wasm_lab.grading.report.gradebook import student_id, update_gradebook
from wasm_lab.grading.report.summary import standings
from wasm_lab.views.grades import write_report

from .conftest import sample_report

if TYPE_CHECKING:
    from wasm_lab.exercises import Exercise
    from wasm_lab.grading.nouns import Outcome, Report

pytestmark = [
    pytest.mark.slow,  # importing nbgrader takes seconds
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::sqlalchemy.exc.SAWarning"),
]


def _save(report: Report, file: Path, course: list[Exercise] | None = None) -> list[str]:
    masters = {one.name: one for one in course or []}
    return update_gradebook(report, standings(report), file, exercises=masters)


def _with_marks(report: Report, points: float) -> Report:
    """Every written answer marked."""
    return replace(
        report,
        outcomes=tuple(
            replace(
                one,
                cells=tuple(
                    replace(cell, points=points, message="Good, but why?")
                    if cell.kind == "written" and one.status != "missing"
                    else cell
                    for cell in one.cells
                ),
            )
            for one in report.outcomes
        ),
    )


def _totals(file: Path) -> dict[str, tuple[float, bool]]:
    from nbgrader.api import Gradebook

    with closing(Gradebook(f"sqlite:///{file}")) as book:
        return {
            one.id: (one.score, any(each.needs_manual_grade for each in one.submissions))
            for one in book.students
        }


@pytest.fixture(scope="module")
def a_book(a_class: Report, a_course: list[Exercise], tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("book") / "gradebook.db"
    assert _save(a_class, file, a_course) == []
    return file


def test_totals_are_ours(a_book: Path, a_class: Report) -> None:
    found = _totals(a_book)
    assert found == {
        student_id(one.student): (pytest.approx(one.total.points), bool(one.total.answers))
        for one in standings(a_class)
    }


def test_formgrader_shows_the_same(a_book: Path, a_class: Report) -> None:
    """What formgrader's tables are made of (`student_dicts`, `submission_dicts`)."""
    from nbgrader.api import Gradebook

    with closing(Gradebook(f"sqlite:///{a_book}")) as book:
        shown = {one["id"]: one for one in book.student_dicts()}
        assert {one["max_score"] for one in shown.values()} == {21.0}
        for one in standings(a_class):
            assert shown[student_id(one.student)]["score"] == pytest.approx(one.total.points)
        chapter = book.find_assignment("02_sandbox")
        for row in book.submission_dicts(chapter.id):
            ours = [
                one
                for one in a_class.outcomes
                if one.student == row["student"] and one.assignment == "02_sandbox"
            ]
            assert row["score"] == pytest.approx(sum(one.points for one in ours))
            assert row["max_score"] == 8.0


def test_again_updates_and_doubles_nothing(a_class: Report, a_course: list[Exercise], tmp_path: Path) -> None:
    file = tmp_path / "gradebook.db"
    small = sample_report(4)
    _save(small, file, a_course)
    before = _rows(file)
    _save(small, file, a_course)
    assert _rows(file) == before
    marked = _with_marks(small, 0.5)
    _save(marked, file, a_course)
    assert {table: len(rows) for table, rows in _rows(file).items()} == {
        t: len(rows) for t, rows in before.items()
    }
    assert _totals(file) == {
        student_id(one.student): (pytest.approx(one.total.points), False) for one in standings(marked)
    }
    assert [path.name for path in tmp_path.iterdir()] == ["gradebook.db"]


def test_a_whole_report_has_it_and_writing_again_changes_no_row(
    a_course: list[Exercise], tmp_path: Path
) -> None:
    report = sample_report(3)
    first = write_report(report, tmp_path, exercises=a_course)
    assert first.messages == ()
    assert tmp_path / "gradebook.db" in first.files
    before = _rows(tmp_path / "gradebook.db")
    assert write_report(report, tmp_path, exercises=a_course) == first
    assert _rows(tmp_path / "gradebook.db") == before
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(first.files)


def _rows(file: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(file)) as book:
        tables = [row[0] for row in book.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: book.execute(f"SELECT * FROM {table}").fetchall() for table in tables}


def test_marks_given_in_formgrader_stay(tmp_path: Path) -> None:
    from nbgrader.api import Gradebook

    file = tmp_path / "gradebook.db"
    report = sample_report(3)
    _save(report, file)
    outcome = next(one for one in report.outcomes if not one.is_complete and one.status == "graded")
    with closing(Gradebook(f"sqlite:///{file}")) as book:
        place = (
            outcome.exercise,
            outcome.assignment,
            student_id(next(s for s in report.students if s.key == outcome.student)),
        )
        book.find_grade("words", *place).manual_score = 0.25
        book.find_comment("words", *place).manual_comment = "Said in formgrader."
        book.db.commit()
    (message,) = _save(report, file)
    assert "keeps 1 mark given in nbgrader" in message
    with closing(Gradebook(f"sqlite:///{file}")) as book:
        assert book.find_grade("words", *place).manual_score == 0.25
        assert book.find_comment("words", *place).manual_comment == "Said in formgrader."


def _first(report: Report, change: Any) -> Report:
    """The report with the first outcome that has a written answer changed."""
    first = next(one for one in report.outcomes if one.cells[-1].kind == "written" and one.status == "graded")
    return replace(report, outcomes=tuple(change(one) if one is first else one for one in report.outcomes))


def _emptied(one: Outcome) -> Outcome:
    return replace(one, cells=(*one.cells[:-1], replace(one.cells[-1], points=None, message="")))


def _missing(one: Outcome) -> Outcome:
    cells = tuple(replace(cell, points=0.0, message="", answer="") for cell in one.cells)
    return replace(one, status="missing", cells=cells)


@pytest.mark.parametrize("change", [_emptied, _missing])
def test_a_mark_of_an_earlier_report_goes_with_its_comment(change: Any, tmp_path: Path) -> None:
    file = tmp_path / "gradebook.db"
    marked = _with_marks(sample_report(3), 0.5)
    _save(marked, file)
    before = _said(file)
    later = _first(marked, change)
    assert _save(later, file) == []
    assert _totals(file) == {
        student_id(one.student): (pytest.approx(one.total.points), bool(one.total.answers))
        for one in standings(later)
    }
    assert len(_said(file)) == len(before) - 1


def test_an_exercise_whose_master_cannot_be_graded_waits(tmp_path: Path) -> None:
    file = tmp_path / "gradebook.db"
    report = sample_report(2)
    bad = report.exercises[0]
    _save(
        replace(
            report,
            exercises=(replace(bad, refused="Python answers."), *report.exercises[1:]),
            outcomes=tuple(
                replace(one, status="refused") if one.exercise == bad.name else one for one in report.outcomes
            ),
        ),
        file,
    )
    with closing(sqlite3.connect(file)) as book:
        rows = book.execute(
            "SELECT needs_manual_grade, auto_score FROM grade JOIN submitted_notebook AS one ON grade.notebook_id = one.id "
            "JOIN notebook ON one.notebook_id = notebook.id WHERE notebook.name = ?",
            (bad.name,),
        ).fetchall()
    assert set(rows) == {(1, None)}


def _said(file: Path) -> list[Any]:
    with closing(sqlite3.connect(file)) as book:
        return book.execute("SELECT id FROM comment WHERE manual_comment IS NOT NULL").fetchall()


@pytest.mark.parametrize("listed", [True, False], ids=["among the students", "not even a folder"])
def test_a_student_of_whom_nothing_is_left_has_no_points(listed: bool, tmp_path: Path) -> None:
    file = tmp_path / "gradebook.db"
    marked = _with_marks(sample_report(3), 0.5)
    _save(marked, file)
    gone = marked.students[0]
    later = replace(
        marked,
        students=marked.students[not listed :],
        outcomes=tuple(
            _missing(one) if one.student == gone.key else one
            for one in marked.outcomes
            if listed or one.student != gone.key
        ),
    )
    assert _save(later, file) == []
    expected = {student_id(one.student): pytest.approx(one.total.points) for one in standings(later)}
    assert {key: score for key, (score, _) in _totals(file).items()} == {student_id(gone): 0.0, **expected}
    assert _save(marked, file) == []  # and back again
    assert {key: score for key, (score, _) in _totals(file).items()} == {
        student_id(one.student): pytest.approx(one.total.points) for one in standings(marked)
    }


def test_a_mark_given_in_formgrader_to_what_is_missing_now_stays_and_is_told(tmp_path: Path) -> None:
    from nbgrader.api import Gradebook

    file = tmp_path / "gradebook.db"
    marked = _with_marks(sample_report(3), 0.5)
    _save(marked, file)
    later = _first(marked, _missing)
    outcome = next(new for new, old in zip(later.outcomes, marked.outcomes, strict=True) if new is not old)
    student = student_id(next(each for each in marked.students if each.key == outcome.student))
    with closing(Gradebook(f"sqlite:///{file}")) as book:
        book.find_grade("words", outcome.exercise, outcome.assignment, student).manual_score = 0.25
        book.db.commit()
    (message,) = _save(later, file)
    assert "keeps 1 mark given in nbgrader" in message


def test_a_cell_that_is_gone_gives_no_points_any_more(tmp_path: Path) -> None:
    file = tmp_path / "gradebook.db"
    report = sample_report(3)
    _save(report, file)
    shorter = replace(
        report,
        exercises=tuple(replace(one, cells=one.cells[:1]) for one in report.exercises),
        outcomes=tuple(replace(one, cells=one.cells[:1]) for one in report.outcomes),
    )
    _save(shorter, file)
    assert {key: score for key, (score, _) in _totals(file).items()} == {
        student_id(one.student): pytest.approx(one.total.points) for one in standings(shorter)
    }
    _save(report, file)  # and back again
    assert {key: score for key, (score, _) in _totals(file).items()} == {
        student_id(one.student): pytest.approx(one.total.points) for one in standings(report)
    }


def test_an_exercise_that_is_new_in_its_chapter_counts(tmp_path: Path) -> None:
    file = tmp_path / "gradebook.db"
    report = sample_report(3)
    first = {"first_function", "read_an_audit"}
    _save(
        replace(
            report,
            exercises=tuple(one for one in report.exercises if one.name in first),
            outcomes=tuple(one for one in report.outcomes if one.exercise in first),
        ),
        file,
    )
    _save(report, file)
    assert {key: score for key, (score, _) in _totals(file).items()} == {
        student_id(one.student): pytest.approx(one.total.points) for one in standings(report)
    }


HOSTILE = {
    "a formula": "=HYPERLINK(1)",
    "columns": 'a,b,"c',
    "lines": "a\nb",
    "a path": "../../etc",
    "markup": "<script>alert(1)</script>",
    "a surrogate": "a\ud800",
    "quotes of SQL": "x'); DROP TABLE student;--",
    "long": "x" * 300,
    "nothing": "",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_name_is_one_student_with_a_plain_id(name: str) -> None:
    key = student_id(Student(key=name, name=name))
    assert key.replace("-", "").isalnum()
    assert len(key) < 128


def test_hostile_names_break_no_row_of_the_export(tmp_path: Path) -> None:
    report = sample_report(1)
    people = tuple(
        sorted(
            (Student(key=name, name=name, lms_id="7") for name in HOSTILE.values()), key=lambda one: one.key
        )
    )
    outcomes = tuple(replace(one, student=person.key) for person in people for one in report.outcomes)
    file = tmp_path / "gradebook.db"
    hostile = replace(report, students=people, outcomes=outcomes)
    _save(hostile, file)
    rows = _exported(file, tmp_path)
    assert len(rows) == 3 * len(HOSTILE)
    assert {row["student_id"] for row in rows} == {student_id(one) for one in people}
    assert not [row for row in rows if None in row or not row["max_score"]]


def _exported(book: Path, folder: Path) -> list[dict[str, str]]:
    """What nbgrader's own plugin for CSV writes."""
    from nbgrader.api import Gradebook
    from nbgrader.plugins.export import CsvExportPlugin

    plugin = CsvExportPlugin()
    plugin.to = str(folder / "grades.csv")
    with closing(Gradebook(f"sqlite:///{book}")) as opened:
        plugin.export(opened)
    return _csv(folder / "grades.csv")


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


#: One process for all commands, because importing nbgrader takes seconds.
COMMANDS = """
import sys
from nbgrader.apps import NbGraderApp
for words in (["db", "upgrade"], ["db", "student", "list"], ["export", "--to=grades.csv"]):
    NbGraderApp.launch_instance([*words, sys.argv[1]])
    NbGraderApp.clear_instance()
"""


def test_nbgraders_own_commands_take_it(a_book: Path, a_class: Report, tmp_path: Path) -> None:
    book = tmp_path / "gradebook.db"
    book.write_bytes(a_book.read_bytes())
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-c", COMMANDS, f"--db=sqlite:///{book}"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert f"There are {len(a_class.students)} students" in done.stdout
    ours = {student_id(one.student): one.total.points for one in standings(a_class)}
    rows = _csv(tmp_path / "grades.csv")
    assert len(rows) == 3 * len(ours)
    assert {
        key: sum(float(row["score"]) for row in rows if row["student_id"] == key) for key in ours
    } == pytest.approx(ours)


def test_a_file_that_is_no_gradebook_is_left_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "gradebook.db"
    file.write_bytes(b"no database at all" * 100)
    with pytest.raises(UsageError, match="was left as it was"):
        _save(sample_report(1), file)
    assert file.read_bytes() == b"no database at all" * 100
    assert list(tmp_path.iterdir()) == [file]
