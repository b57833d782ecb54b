"""Marks as the files that Moodle and Canvas import.

Where a written answer still waits for a person, a submission was lost in a crash, or a master cannot be graded, the
cell of a total stays empty, so that no total is imported that is going to change. So does that of an assignment of
which a student handed in nothing: the batch may hold a stray file of another week, and a zero would take the place of
everybody's marks there.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from wasm_lab.grading.report.cells import csv_text, number
from wasm_lab.grading.report.safe import sentence
from wasm_lab.grading.report.summary import Points, Standing, decided, handed_in
from wasm_lab.grading.report.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.grading.nouns import Report

_NAME = 120


#: Moodle's columns of a grading worksheet.
_WORKSHEET = (
    "Identifier",
    "Full name",
    "Grade",
    "Maximum Grade",
    "Last modified (grade)",
    "Feedback comments",
)


def moodle_files(report: Report, everyone: Sequence[Standing]) -> dict[str, str]:
    """Moodle's grading worksheets by their files' names: one for each assignment, because a grade there is of one.

    "Upload grading worksheet" of an assignment takes it. It needs the columns Identifier, Grade and "Last modified
    (grade)"; feedback comments are HTML there. The last column, named as the assignment, is left alone by it, and is
    for "Import: CSV file" of the gradebook.
    """
    assignments = _assignments(report)
    if len(assignments) < 2:
        return {"moodle.csv": _worksheet(report, everyone, *assignments)}
    return {f"moodle-{each}.csv": _worksheet(report, everyone, each) for each in assignments}


def is_worksheet(text: str) -> bool:
    """Whether this is the beginning of a file of `moodle_files`."""
    return text.startswith(",".join(_WORKSHEET))


def _worksheet(report: Report, everyone: Sequence[Standing], *assignments: str) -> str:
    most = sum(one.max_points for one in report.exercises if one.assignment in assignments)
    rows: list[Sequence[str | float | None]] = [(*_WORKSHEET, *assignments)]
    for one in everyone:
        student = one.student
        identifier = f"Participant {student.lms_id}" if student.lms == "moodle" else student.key
        grades = [_grade(one, report, assignment) for assignment in assignments]
        feedback = [line for assignment in assignments for line in _feedback(report, one, assignment)]
        rows.append(
            (
                _line(identifier),
                _line(student.name),
                grades[0] if grades else None,
                most,
                "",  # Moodle writes when it was last marked there; empty is never
                "<br>".join(html.escape(line) for line in feedback),
                *grades,
            )
        )
    return csv_text(rows)


def canvas_text(report: Report, everyone: Sequence[Standing]) -> str:
    """Canvas's gradebook import: its five columns of a student, then one for each assignment, with its maximum.

    Canvas finds a student by ID, else by SIS Login ID. A column that is named as an assignment fills that one; to fill
    another, rename the column to "Name (id)" as Canvas exports it.
    """
    assignments = _assignments(report)
    student_columns = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
    most = [
        sum(one.max_points for one in report.exercises if one.assignment == assignment)
        for assignment in assignments
    ]
    rows: list[Sequence[str | float | None]] = [
        (*student_columns, *assignments),
        ("Points Possible", "", "", "", "", *most),
    ]
    for one in everyone:
        student, ours = one.student, one.student.lms == "canvas"
        # A row whose first cell holds these words sets the maximum of every assignment.
        name = _line(student.name).replace("Points Possible", "Points-Possible")
        rows.append(
            (
                name,
                student.lms_id if ours else "",
                "",
                "" if ours else _line(student.key),
                "",
                *(_grade(one, report, assignment) for assignment in assignments),
            )
        )
    return csv_text(rows)


def _assignments(report: Report) -> list[str]:
    return list(dict.fromkeys(one.assignment for one in report.exercises))


def _grade(one: Standing, report: Report, assignment: str) -> float | None:
    if not handed_in(one, report, assignment):
        return None
    exercises = (each for each in report.exercises if each.assignment == assignment)
    points = sum((decided(one.outcomes.get(each.name), each) for each in exercises), Points())
    return None if points.open else round(points.points, 4)


def _feedback(report: Report, one: Standing, assignment: str) -> list[str]:
    if not handed_in(one, report, assignment):
        return []
    lines = []
    for exercise in (each for each in report.exercises if each.assignment == assignment):
        outcome = one.outcomes.get(exercise.name)
        if exercise.refused:
            lines.append(f"{exercise.title}: not graded.")
            continue
        points = decided(outcome, exercise)
        lines.append(
            f"{exercise.title}: {number(points.points)} of {number(exercise.max_points)}. {sentence(outcome)}".strip()
        )
    return lines


def _line(text: str) -> str:
    return shown(text, _NAME, lines=False)
