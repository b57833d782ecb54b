"""Written answers: a file with a row for each, which a person fills in and `with_marks` reads back.

The file is CSV that a spreadsheet opens, and it comes back as spreadsheets leave it: with semicolons or tabs, decimal
commas, a byte order mark, in UTF-16 or Windows' own encoding. Each row has a name of its own, because a spreadsheet
may change what stands in the other columns (007 becomes 7).
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wasm_lab.errors import MarksError
from wasm_lab.grading.marks import UNTOUCHED
from wasm_lab.grading.report.cells import cell, csv_text, number, uncell
from wasm_lab.grading.report.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.grading.nouns import CellOutcome, Outcome, Report

COLUMNS = ("row", "student", "exercise", "grade_id", "max_points", "points", "comment", "answer")

_POINTS = re.compile(r"\d{1,6}(?:[.,]\d{1,6})?")
_ROW_NAME = re.compile(r"w[0-9a-f]{12}")
_NOT_EMPTY = re.compile(r"\S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A mistake in a file of marks."""

    row: int  #: as a spreadsheet counts: the headings are row 1
    line: int  #: as a text editor counts; more than ``row`` where answers have several lines
    message: str

    def __str__(self) -> str:
        where = (
            f"Row {self.row}" if self.row == self.line else f"Row {self.row} (line {self.line} of the text)"
        )
        return f"{where}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A report with the marks of a file in it."""

    report: Report
    taken: int  #: how many answers got their marks from the file
    lost: tuple[str, ...] = ()  #: rows whose marks were not taken, and why; nothing is wrong with the file
    others: tuple[tuple[str, ...], ...] = ()  #: rows of answers that this report has not, as they were
    told: tuple[
        str, ...
    ] = ()  #: those of `others` that have marks, though the report is about their exercise


def marks_text(report: Report, others: tuple[tuple[str, ...], ...] = ()) -> str:
    """The file: headings, then a row for each written answer, with the marks that it has so far.

    Args:
        others: more rows, as `Marked.others` has them.
    """
    rows: list[tuple[str, ...]] = [COLUMNS]
    for outcome, one in _written(report):
        # A 0 that no person gave stands in no column of a person's marks: it would be read back as one.
        untouched = one.message == UNTOUCHED
        points = "" if one.points is None or untouched else number(one.points)
        rows.append(
            (
                _row_name(outcome, one),
                outcome.student,
                outcome.exercise,
                one.grade_id,
                number(one.max_points),
                points,
                "" if untouched else one.message,
                cell(one.answer),
            )
        )
    # Excel takes a file without the mark for one in the encoding of Windows.
    return "\ufeff" + csv_text([*rows, *others])


def with_marks(report: Report, content: bytes, *, name: str = "the file of marks") -> Marked:
    """The report with the points and comments that a person wrote into a file of `marks_text`.

    Args:
        name: the file's, for messages.

    Raises:
        MarksError: the file is no such file, or some of its rows are wrong; each is told with its row.
    """
    rows = _rows(content, name)
    known = {_row_name(outcome, one): (outcome, one) for outcome, one in _written(report)}
    places = {_place(outcome.student, outcome.exercise, one.grade_id) for outcome, one in _written(report)}
    exercises = {exercise.name for exercise in report.exercises}
    students = {_loose(student.key) for student in report.students}
    marks: dict[str, tuple[float | None, str]] = {}
    seen: dict[str, int] = {}
    problems: list[Problem] = []
    lost: list[str] = []
    others: list[tuple[str, ...]] = []
    told: list[str] = []
    for row in rows:
        key = row["row"].strip()
        given = bool(row["points"].strip() or row["comment"].strip())
        if key in known:
            wrong = _wrong(row, *known[key], students)
            if key in seen:
                wrong = f"the answer stands in row {seen[key]} already. Remove one of the two."
            seen.setdefault(key, row.row)
            if wrong:
                problems.append(row.problem(wrong))
            else:
                marks[key] = (_points(row["points"]), uncell(row["comment"].strip()))
        elif row["exercise"].strip() not in exercises and _ROW_NAME.fullmatch(key):
            others.append(tuple(row[column] for column in COLUMNS))
        elif _place(row["student"], row["exercise"], row["grade_id"]) in places:
            if given:
                lost.append(
                    f"Row {row.row}: {row['points'].strip() or 'a comment'} for an earlier answer of "
                    f"{shown(row['student'], 60, lines=False)} to {row['exercise']}: the answer has changed since."
                )
        elif given:
            who = shown(f"{row['student']}, {row['exercise']}, {row['grade_id']}", 120, lines=False)
            if _ROW_NAME.fullmatch(key):
                # Of somebody who handed in nothing this time, or a file that cannot be read: both may come again.
                others.append(tuple(row[column] for column in COLUMNS))
                told.append(
                    f"Row {row.row} counts for nothing: there is no written answer of {who} in this run. It stays in "
                    "the file, should the answer come again."
                )
            else:
                problems.append(
                    row.problem(f"there is no written answer of {who} in this run. Remove the row.")
                )
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems[:20])
        more = f"\n  and {len(problems) - 20} more" if len(problems) > 20 else ""
        raise MarksError(
            f"{name} has {len(problems)} mistake{'s' * (len(problems) != 1)}, so none of its marks is taken:"
            f"\n{listed}{more}",
            problems=tuple(problems),
            hint="Mend the rows and run the same command again: nothing is graded twice.",
        )
    taken = sum(points is not None for points, _ in marks.values())
    return Marked(
        report=_filled(report, marks), taken=taken, lost=tuple(lost), others=tuple(others), told=tuple(told)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    row: int
    line: int
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values[column]

    def problem(self, message: str) -> Problem:
        return Problem(row=self.row, line=self.line, message=message)


def _written(report: Report) -> Iterator[tuple[Outcome, CellOutcome]]:
    for outcome in report.outcomes:
        for one in outcome.cells:
            # Of what was not handed in, or could not be read, there is no answer to mark.
            if one.kind == "written" and outcome.status not in ("missing", "refused"):
                yield outcome, one


def _row_name(outcome: Outcome, one: CellOutcome) -> str:
    """A name that changes with the answer; its first letter keeps a spreadsheet from taking it for a number."""
    parts = (outcome.student, outcome.assignment, outcome.exercise, one.grade_id, one.answer)
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return f"w{hashlib.sha256(text).hexdigest()[:12]}"


def _place(student: str, exercise: str, grade_id: str) -> tuple[str, ...]:
    """What names an answer, as it may come back from a spreadsheet."""
    return tuple(_loose(value) for value in (student, exercise, grade_id))


def _loose(value: str) -> str:
    """A cell without what a spreadsheet does to it: apostrophes gone, spaces as one, numbers as numbers."""
    value = " ".join(cell(value).split()).lstrip("'").strip()
    try:
        return repr(float(value.replace(",", ".")))
    except ValueError:
        return value


def _wrong(row: _Row, outcome: Outcome, one: CellOutcome, students: set[str]) -> str:
    """What is wrong with a row whose name is known; empty when nothing is.

    A name may come back with question marks for letters that Windows' encoding has not. What tells of a column that
    was sorted alone is the name of somebody else.
    """
    says = _loose(row["student"])
    if says != _loose(outcome.student) and says in students:
        student = shown(outcome.student, 60, lines=False)
        return (
            f"this row's name belongs to {student}, and the row says {shown(row['student'], 60, lines=False)!r}. "
            "Sort whole rows, never one column alone."
        )
    text = row["points"].strip()
    if not text:
        return ""
    if not _POINTS.fullmatch(text):
        return (
            f"points {shown(text, 40, lines=False)!r} are no number. Write such as 1.5 or 1,5; a spreadsheet may have "
            "made a date of it."
        )
    if float(text.replace(",", ".")) > one.max_points + 1e-9:
        return f"{text} points are more than the {number(one.max_points)} that the answer is worth."
    return ""


def _points(text: str) -> float | None:
    return float(text.strip().replace(",", ".")) if text.strip() else None


def _filled(report: Report, marks: dict[str, tuple[float | None, str]]) -> Report:
    return replace(
        report,
        outcomes=tuple(
            replace(outcome, cells=tuple(_cell_with(outcome, one, marks) for one in outcome.cells))
            for outcome in report.outcomes
        ),
    )


def _cell_with(outcome: Outcome, one: CellOutcome, marks: dict[str, tuple[float | None, str]]) -> CellOutcome:
    if one.kind != "written" or outcome.status in ("missing", "refused"):
        return one
    points, comment = marks.get(_row_name(outcome, one), (None, ""))
    if points is not None:
        return replace(one, points=points, message=comment)
    return replace(one, message=comment) if comment else one


def _rows(content: bytes, name: str) -> list[_Row]:
    text = _decoded(content, name)
    first, _, rest = text.partition("\n")
    skipped = 0
    if re.fullmatch(r"\"?sep=.\"?\s*", first, re.IGNORECASE):  # Excel's own line that names the delimiter
        text, first, skipped = rest, rest.partition("\n")[0], 1
    delimiter = max(";\t,", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    # A cell holds an answer, which may be longer than the 128 KiB that the reader takes at first.
    limit = csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    try:
        return list(_read(reader, name, skipped))
    except csv.Error as error:
        raise MarksError(
            f"{name} is no CSV at line {reader.line_num + skipped}: {error}.",
            hint="Save it from the spreadsheet as CSV again; quotation marks have to come in pairs.",
        ) from error
    finally:
        csv.field_size_limit(limit)


def _read(reader: Iterator[list[str]], name: str, skipped: int) -> Iterator[_Row]:
    headings = [heading.strip().lower() for heading in next(reader, [])]
    missing = [
        column for column in ("row", "student", "exercise", "grade_id", "points") if column not in headings
    ]
    if missing:
        raise MarksError(
            f"{name} has no column {' and no column '.join(missing)}.",
            hint=f"Its first line has to be: {','.join(COLUMNS)}",
        )
    begin = reader.line_num + 1  # type: ignore[attr-defined]
    for count, values in enumerate(reader, start=2):
        found = dict(zip(headings, values, strict=False))
        if any(_NOT_EMPTY.search(value) for value in values):
            whole = {column: found.get(column, "") for column in COLUMNS}
            yield _Row(row=count + skipped, line=begin + skipped, values=whole)
        begin = reader.line_num + 1  # type: ignore[attr-defined]


def _decoded(content: bytes, name: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise MarksError(f"{name} is text in no encoding that is known here.", hint="Save it as CSV in UTF-8.")
