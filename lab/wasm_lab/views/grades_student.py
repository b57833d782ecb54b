"""A student's pages: the one that is handed out, and the instructor's own with everything on it."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from wasm_lab.errors import ExerciseError
from wasm_lab.exercises import Exercise
from wasm_lab.exercises.course import Course
from wasm_lab.grading.report.cells import number
from wasm_lab.grading.report.names import file_stem
from wasm_lab.grading.report.safe import for_student, hidden_counts, is_not_read, sentence
from wasm_lab.grading.report.summary import TROUBLES, decided
from wasm_lab.views.amounts import duration
from wasm_lab.views.grades_page import (
    audit_table,
    block,
    line,
    mark,
    name,
    notes_table,
    page,
    percent,
    points,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wasm_lab.grading.nouns import CaseOutcome, CellOutcome, GradedExercise, Outcome, Report
    from wasm_lab.grading.report.summary import Points, Standing


_HIDDEN = " <span class='faint'>hidden</span>"


def student_page(one: Standing, report: Report, exercises: Mapping[str, Exercise]) -> str:
    """What a student is handed: see `wasm_lab.grading.report.safe` for what stays out.

    Args:
        exercises: the masters by name, for hints and links to chapters; those that are missing have neither.
    """
    parts = [
        f"<header><h1>{name(one.student.name)}</h1><p>{points(one.total)} points"
        f"{_share(one.total)}.{_waiting(one.total)}</p></header>",
        _overview(one, report),
    ]
    for exercise in report.exercises:
        outcome = one.outcomes.get(exercise.name)
        master = exercises.get(exercise.name)
        safe = None if outcome is None else for_student(outcome, master)
        parts.append(_exercise(exercise, outcome, safe, master))
    return page(f"{one.student.name}: exercises", "\n".join(parts))


def instructor_page(one: Standing, report: Report) -> str:
    """Everything that is known of a student's submissions, hidden tests too. Not to be handed out."""
    parts = [
        "<p class='callout'>For instructors: hidden tests and their inputs stand on this page. "
        f"<a href='../students/{file_stem(one.student.key)}.html'>The page to hand out</a> · "
        "<a href='../index.html'>The class</a></p>",
        f"<header><h1>{name(one.student.name)}</h1><p>{points(one.total)} points{_share(one.total)}."
        f"{_waiting(one.total)} <span class='faint'>Key: <code>{line(one.student.key)}</code></span></p></header>",
    ]
    if one.reasons:
        parts.append(f"<p>May need help: {html.escape('; '.join(one.reasons))}.</p>")
    parts.append(_overview(one, report))
    for exercise in report.exercises:
        outcome = one.outcomes.get(exercise.name)
        parts.append(_whole_exercise(exercise, outcome))
    return page(f"{one.student.name}: exercises, for the instructor", "\n".join(parts))


def _overview(one: Standing, report: Report) -> str:
    rows = []
    for exercise in report.exercises:
        outcome = one.outcomes.get(exercise.name)
        rows.append(
            (
                f"<a href='#{_anchor(exercise)}'>{line(exercise.title)}</a>",
                points(decided(outcome, exercise)),
                _status(outcome, decided(outcome, exercise)),
            )
        )
    return table("Exercises", ("exercise", "points", ""), rows, right=(1,))


def _exercise(
    exercise: GradedExercise, outcome: Outcome | None, safe: Outcome | None, master: Exercise | None
) -> str:
    reached = decided(outcome, exercise)
    parts = [_heading(exercise, reached, master), f"<p>{html.escape(sentence(outcome))}</p>"]
    if outcome is not None and safe is not None:
        if safe.message:
            what = "What is wrong with the answer" if is_not_read(safe) else "What the compiler says"
            parts.append(f"<h3>{what}</h3>{block(safe.message)}")
        for cell in safe.cells:
            if cell.kind == "written":
                parts.append(_written(cell, safe))
            elif safe.status == "graded" or cell.cases:
                parts.append(_checks(cell))
        parts += [audit_table(safe.audit), notes_table("Notes", safe.notes), _answers(safe)]
    if master and master.hints and reached.points < reached.decided:
        parts.append(
            f"<p class='callout hint'><b>A hint for the next step:</b> {_with_code(master.hints[0])}"
            f"{_more_hints(master)}</p>"
        )
    return f"<section class='exercise' id='{_anchor(exercise)}'>{''.join(parts)}</section>"


def _whole_exercise(exercise: GradedExercise, outcome: Outcome | None) -> str:
    parts = [_heading(exercise, decided(outcome, exercise), None), f"<p>{html.escape(sentence(outcome))}</p>"]
    if outcome is not None:
        taken = duration(outcome.duration_ns) if outcome.duration_ns else "none"
        facts = (
            ("status", outcome.status),
            ("submitted", outcome.submitted_at or "not known"),
            ("machine time", taken),
            ("digest", outcome.digest or "none"),
        )
        parts.append(f"<p class='faint'>{' · '.join(f'{key}: {line(value)}' for key, value in facts)}</p>")
        if outcome.message:
            parts.append(f"<h3>Message</h3>{block(outcome.message)}")
        for cell in outcome.cells:
            if cell.kind == "written":
                parts.append(_written(cell, outcome))
            elif cell.cases or cell.message:
                parts.append(_all_checks(cell))
        parts += [audit_table(outcome.audit), notes_table("Notes", outcome.notes), _answers(outcome)]
    return f"<section class='exercise' id='{_anchor(exercise)}'>{''.join(parts)}</section>"


def _heading(exercise: GradedExercise, reached: Points, master: Exercise | None) -> str:
    return (
        f"<h2>{line(exercise.title)} <span class='faint'>{points(reached)}</span></h2>"
        f"<p class='faint'><code>{line(exercise.name)}</code> · {_chapter(exercise, master)}</p>"
    )


def _chapter(exercise: GradedExercise, master: Exercise | None) -> str:
    """The chapter; a link where the master gives a whole address, because a page may be opened from anywhere."""
    stem = exercise.assignment
    words = f"<code>{line(stem)}</code>"  # of a course of one's own there need be no such chapter
    for cell in master.cells if master else ():
        if cell.kind == "markdown" and f"notebooks/{stem}.ipynb" in cell.text:
            words = f"chapter <code>notebooks/{line(stem)}.ipynb</code>"
        for found in re.finditer(
            r"\]\((https?://[^\s)\"'<>]+)\)", cell.text if cell.kind == "markdown" else ""
        ):
            if stem in found[1]:
                return f"<a rel='noreferrer' href='{html.escape(found[1])}'>chapter {line(stem)}</a>"
    return words


def _checks(cell: CellOutcome) -> str:
    """A test cell: visible cases with their messages, hidden ones by name where they have one here."""
    parts = []
    rows = _rows([case for case in cell.cases if case.name or not case.hidden])
    if rows:
        parts.append(_check_table(f"Checks, {_of(cell)}", rows))
    passed, hidden = hidden_counts(cell)
    if hidden:
        kind = "good" if passed == hidden else "bad"
        parts.append(
            f"<p>Hidden checks: {mark(f'{passed} of {hidden} passed', kind)} {'' if rows else _of(cell)} "
            "<span class='faint'>They try other inputs than the visible ones.</span></p>"
        )
    if not cell.cases:
        full = cell.points is not None and cell.points >= cell.max_points
        parts.append(f"<p>Check <code>{line(cell.grade_id)}</code>: {_passed(full)} {_of(cell)}</p>")
        parts.append(_message(cell.message))
    return "".join(parts)


def _rows(cases: Sequence[CaseOutcome]) -> list[tuple[str, str, str]]:
    return [
        (
            line(case.name) + (_HIDDEN if case.hidden else ""),
            _passed(case.passed),
            "" if case.passed else _message(case.message),
        )
        for case in cases
    ]


def _check_table(caption: str, rows: list[tuple[str, str, str]]) -> str:
    """Checks with what happened, where anything is told of one of them."""
    if any(told for _, _, told in rows):
        return table(caption, ("check", "", "what happened"), rows, kind="wide")
    return table(caption, ("check", ""), [row[:2] for row in rows])


def _all_checks(cell: CellOutcome) -> str:
    rows = _rows(cell.cases)
    what = f"Test cell <code>{line(cell.grade_id)}</code>, {_of(cell)}"
    parts = [_check_table(what, rows) if rows else f"<p>{what}</p>"]
    return "".join([*parts, block(cell.message) if cell.message else ""])


def _written(cell: CellOutcome, outcome: Outcome) -> str:
    if outcome.status == "missing":
        return ""
    state = (
        mark("to be marked", "wait") if cell.points is None else f"<span class='nowrap'>{_of(cell)}</span>"
    )
    said = f"<p class='callout hint'><b>Comment:</b> {line(cell.message, 4000)}</p>" if cell.message else ""
    answer = block(cell.answer) if cell.answer.strip() else "<p class='faint'>No answer.</p>"
    return f"<h3>Written answer <code>{line(cell.grade_id)}</code> {state}</h3>{answer}{said}"


def _answers(outcome: Outcome) -> str:
    """What was tried: the answers as they were submitted, folded."""
    written = {cell.grade_id for cell in outcome.cells if cell.kind == "written"}
    shown = [
        f"<details><summary>Submitted: <code>{line(grade_id)}</code></summary>{block(body)}</details>"
        for grade_id, body in sorted(outcome.answers.items())
        if grade_id not in written
    ]
    return "".join(shown)


def _status(outcome: Outcome | None, reached: Points) -> str:
    if outcome is None:
        return mark("not graded yet", "wait")
    words = {**TROUBLES, "crashed": "to be graded again"}
    if outcome.status in words:
        return mark(words[outcome.status], "bad")
    if reached.open:
        return mark("to be marked", "wait")
    if reached.points >= reached.max_points - 1e-9:
        return mark("all points", "good")
    return mark("some points", "none") if reached.points > 0 else mark("no points", "bad")


def _message(text: str) -> str:
    return block(text) if text.strip() else ""


def _passed(passed: bool) -> str:
    return mark("passed", "good") if passed else mark("failed", "bad")


def _of(cell: CellOutcome) -> str:
    return f"{number(cell.points or 0.0)} of {number(cell.max_points)} points"


def _share(total: Points) -> str:
    return f", {percent(total.share)} of what is marked" if total.open else f", {percent(total.share)}"


def _waiting(total: Points) -> str:
    if not total.answers:
        return ""
    plural = "answers wait" if total.answers != 1 else "answer waits"
    return f" {mark(f'{total.answers} written {plural} for marks', 'wait')}"


def _with_code(markdown: str) -> str:
    """An author's line as HTML, with what stands in backquotes as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", line(markdown, 1000))


def _more_hints(master: Exercise) -> str:
    """How a learner gets the other hints: by a command that knows the lab's own exercises alone."""
    if len(master.hints) < 2 or not _is_of_the_lab(master):
        return ""
    command = f"<code>wasm-lab exercises hint {line(master.name)}</code>"
    return f" <span class='faint'>{len(master.hints) - 1} more: {command}</span>"


def _is_of_the_lab(master: Exercise) -> bool:
    try:
        folder = Course.own().source
    except ExerciseError:
        return False
    own = folder / master.chapter / f"{master.name}.ipynb"
    # A course of one's own may have an exercise of the same name in a chapter of the same name.
    return own.is_file() and Exercise.read(own).hints == master.hints


def _anchor(exercise: GradedExercise) -> str:
    return f"x-{file_stem(exercise.name)}"
