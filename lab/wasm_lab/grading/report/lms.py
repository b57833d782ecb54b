"""Marks as the files that Moodle and Canvas import.

Where a written answer still waits for a person, or a submission was lost in a crash, the cell of a total stays empty,
so that no total is imported that is going to change.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from wasm_lab.grading.report.cells import csv_text, number
from wasm_lab.grading.report.safe import sentence
from wasm_lab.grading.report.summary import Points, Standing, decided
from wasm_lab.grading.report.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.grading.nouns import Report

_NAME = 120


def moodle_text(report: Report, everyone: Sequence[Standing]) -> str:
    """Moodle's grading worksheet, as "Upload grading worksheet" of an assignment takes it.

    It needs the columns Identifier, Grade and "Last modified (grade)"; feedback comments are HTML there. The columns
    of single assignments are left alone by it, and are for "Import: CSV file" of the gradebook.
    """
    assignments = _assignments(report)
    rows: list[Sequence[str | float | None]] = [
        (
            "Identifier",
            "Full name",
            "Grade",
            "Maximum Grade",
            "Last modified (grade)",
            "Feedback comments",
            *assignments,
        )
    ]
    for one in everyone:
        student = one.student
        identifier = f"Participant {student.lms_id}" if student.lms == "moodle" else student.key
        rows.append(
            (
                _line(identifier),
                _line(student.name),
                _grade(one.total),
                one.total.max_points,
                "",  # Moodle writes when it was last marked there; empty is never
                "<br>".join(html.escape(line) for line in _feedback(report, one)),
                *(_grade(_of(one, report, assignment)) for assignment in assignments),
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
                *(_grade(_of(one, report, assignment)) for assignment in assignments),
            )
        )
    return csv_text(rows)


def _assignments(report: Report) -> list[str]:
    return list(dict.fromkeys(one.assignment for one in report.exercises))


def _of(one: Standing, report: Report, assignment: str) -> Points:
    exercises = (each for each in report.exercises if each.assignment == assignment)
    return sum((decided(one.outcomes.get(each.name), each) for each in exercises), Points())


def _grade(points: Points) -> float | None:
    return None if points.open else round(points.points, 4)


def _feedback(report: Report, one: Standing) -> list[str]:
    lines = []
    for exercise in report.exercises:
        outcome = one.outcomes.get(exercise.name)
        points = decided(outcome, exercise)
        lines.append(
            f"{exercise.title}: {number(points.points)} of {number(exercise.max_points)}. {sentence(outcome)}".strip()
        )
    return lines


def _line(text: str) -> str:
    return shown(text, _NAME, lines=False)
