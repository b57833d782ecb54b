"""The page of a class: who needs help, which test was hard, what waits, every mark, every note."""

from __future__ import annotations

import html
from statistics import median
from typing import TYPE_CHECKING

from wasm_lab.grading.report.cells import number
from wasm_lab.grading.report.names import file_stem
from wasm_lab.grading.report.summary import (
    TROUBLES,
    by_exercise,
    cannot_be_graded,
    decided,
    hardest,
    histogram,
    in_need,
    several_assignments,
)
from wasm_lab.views.amounts import duration
from wasm_lab.views.grades_charts import histogram_figure, share_bar
from wasm_lab.views.grades_page import line, mark, name, notes_table, page, percent, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.grading.nouns import GradedExercise, Report
    from wasm_lab.grading.report.summary import ExerciseResults, Standing, TestResults

#: Tests that the page lists; the rest is in the JSON lines.
_HARDEST = 12

_SHORT = {
    "missing": "missing",
    "not_compiled": "no compile",
    "refused": "refused",
    "stopped": "time",
    "crashed": "again",
}


def class_page(report: Report, everyone: Sequence[Standing]) -> str:
    """The page that links all others. For instructors: names, marks and hidden tests stand on it."""
    tests = hardest(report)
    needy = in_need(everyone)
    results = by_exercise(report)
    body = [
        f"<header><h1>Grades: {html.escape(_what(report))}</h1>{_headline(everyone, needy, tests, report)}</header>",
        _tiles(everyone, needy, report),
        *_to_do(everyone, report),
        _needy(needy, len(everyone)),
        _hard(tests, report),
        "<h2 id='spread'>How the class did</h2>" + histogram_figure(histogram(everyone)),
        _exercises(results),
        _marks(everyone, report),
        _notes(report, everyone),
        _times(report, results),
        _footer(report),
    ]
    return page(f"Grades: {_what(report)}", "\n".join(part for part in body if part))


def _what(report: Report) -> str:
    chapters = len({one.assignment for one in report.exercises})
    exercises = len(report.exercises)
    return (
        f"{len(report.students)} student{'s' * (len(report.students) != 1)}, {exercises} exercise"
        f"{'s' * (exercises != 1)} of {chapters} chapter{'s' * (chapters != 1)}"
    )


def _headline(
    everyone: Sequence[Standing], needy: Sequence[Standing], tests: Sequence[TestResults], report: Report
) -> str:
    parts = []
    if everyone:
        parts.append(f"{len(needy)} of {len(everyone)} students may need <a href='#help'>help</a>.")
    if tests and tests[0].failed:
        one = tests[0]
        parts.append(
            f"The <a href='#hard'>hardest test</a> is “{line(one.name)}” of {_title(one.exercise, report)}: "
            f"{one.failed} of {one.tried} failed it."
        )
    return f"<p>{' '.join(parts)}</p>"


def _tiles(everyone: Sequence[Standing], needy: Sequence[Standing], report: Report) -> str:
    shares = [one.total.share for one in everyone if one.total.share is not None]
    nothing = sum(
        bool(one.outcomes) and all(each.status == "missing" for each in one.outcomes.values())
        for one in everyone
    )
    answers = sum(one.total.answers for one in everyone)
    notes = len(report.notes) + sum(len(one.notes) for one in everyone)
    tiles = (
        (percent(median(shares) if shares else None), "median of the points", "spread"),
        (str(len(needy)), "may need help", "help"),
        (str(nothing), "submitted nothing", "marks"),
        (str(answers), "written answers to mark", "to-do" if answers else "marks"),
        (str(notes), "notes on files", "notes"),
    )
    items = "".join(f"<li><a href='#{where}'><b>{value}</b>{what}</a></li>" for value, what, where in tiles)
    return f"<ul class='tiles'>{items}</ul>"


def _to_do(everyone: Sequence[Standing], report: Report) -> list[str]:
    found = []
    if not report.complete:
        why = "The run was interrupted: s" if report.interrupted else "S"
        found.append(
            f"{why}ome submissions are not graded yet. Run the same command again, for all students."
        )
    found += [html.escape(message) for message in cannot_be_graded(report)]
    if several := several_assignments(report, everyone):
        found.append(html.escape(several))
    answers = sum(one.total.answers for one in everyone)
    if answers:
        found.append(
            f"{answers} written answer{'s' * (answers != 1)} to mark: fill in the column <b>points</b> of "
            "<a href='written_answers.csv'>written_answers.csv</a> in a spreadsheet, save it as CSV at the same place, "
            "and run the same command again. Nothing is graded twice."
        )
    lost = sum(each.status == "crashed" for one in everyone for each in one.outcomes.values())
    if lost:
        found.append(
            f"{lost} submission{'s' * (lost != 1)} lost when the process that judged ended: run the same command again."
        )
    unseen = [
        one.exercise for one in by_exercise(report) if everyone and report.complete and not one.submitted
    ]
    if unseen:
        names = ", ".join(f"<code>{line(one.name)}</code>" for one in unseen)
        found.append(
            f"Nobody submitted {names}, which counts as none of the points. Was that not set? Then grade into a new "
            "folder, with <code>--exercise NAME</code> for each exercise that was."
        )
    return [f"<p class='callout'{' id=to-do' if at == 0 else ''}>{text}</p>" for at, text in enumerate(found)]


def _needy(needy: Sequence[Standing], students: int) -> str:
    head = "<h2 id='help'>Who may need help</h2>"
    if not needy:
        return f"{head}<p>Nobody stands out: all exercises came in, compiled, and gave half of the points or more.</p>"
    rows = [
        (_link(one), percent(one.total.share), html.escape("; ".join(one.reasons)), _total(one))
        for one in needy
    ]
    caption = f"{len(needy)} of {students}, the lowest share of the points marked so far first"
    return head + table(caption, ("student", "share", "why", "points"), rows, right=(1, 3), kind="wide")


def _hard(tests: Sequence[TestResults], report: Report) -> str:
    shown = [one for one in tests if one.failed][:_HARDEST]
    head = "<h2 id='hard'>The hardest tests</h2>"
    if not shown:
        return f"{head}<p>No test failed for anybody.</p>"
    rows = [
        (
            line(one.name) + (" <span class='faint'>hidden</span>" if one.hidden else ""),
            _title(one.exercise, report),
            f"{one.failed} of {one.tried}",
            f"<span class='nowrap'>{percent(one.share)} <span class='faint'>({percent(one.low)} to {percent(one.high)})"
            "</span></span>",
            share_bar(one.share, one.low, one.high)
            + (f" {mark('most fail', 'bad')}" if one.low > 0.5 else ""),
        )
        for one in shown
    ]
    caption = (
        "Of the submissions in which the test ran; in brackets the 95 % interval (Wilson), so that a test which few "
        "reached does not seem the hardest"
    )
    return head + table(caption, ("test", "exercise", "failed", "share", ""), rows, right=(2, 3), kind="wide")


def _exercises(results: Sequence[ExerciseResults]) -> str:
    rows = []
    for one in results:
        troubles = ", ".join(f"{count} {TROUBLES[status]}" for status, count in one.troubles.items())
        middle = "–" if one.middle is None else number(one.middle)
        rows.append(
            (
                line(one.exercise.title),
                f"{middle} of {number(one.exercise.max_points)}",
                str(one.submitted),
                str(one.full),
                troubles or "none",
                str(one.answers) if one.answers else "",
            )
        )
    return "<h2 id='exercises'>Exercises</h2>" + table(
        "Each exercise over the class",
        ("exercise", "median points", "submitted", "all points", "not graded to the end", "to mark"),
        rows,
        right=(1, 2, 3, 5),
        kind="wide",
    )


def _marks(everyone: Sequence[Standing], report: Report) -> str:
    most = number(sum(one.max_points for one in report.exercises))
    heads = ["student", f"of {most}", "share"]
    heads += [f"{line(one.title)}<br>of {number(one.max_points)}" for one in report.exercises]
    rows = [
        (
            _link(one),
            _total(one),
            percent(one.total.share),
            *(_square(one, exercise) for exercise in report.exercises),
        )
        for one in everyone
    ]
    caption = "Every student; a plus sign: something still waits for its marks, and the share leaves it out"
    numbers = tuple(range(1, len(heads)))
    return "<h2 id='marks'>All marks</h2>" + table(caption, heads, rows, right=numbers, kind="marks wide")


def _square(one: Standing, exercise: GradedExercise) -> str:
    outcome = one.outcomes.get(exercise.name)
    if outcome is None:
        return mark("not yet", "wait")
    if outcome.status in _SHORT:
        return f"<span class='mark bad' title='{TROUBLES[outcome.status]}'>{_SHORT[outcome.status]}</span>"
    reached = decided(outcome, exercise)
    if reached.open:
        return mark(f"{number(reached.points)}+", "wait")
    share = reached.share or 0.0
    kind = "good" if share >= 1 - 1e-9 else "bad" if share < 0.5 else "none"
    return mark(number(reached.points), kind)


def _notes(report: Report, everyone: Sequence[Standing]) -> str:
    names = {one.student.key: one.student.name for one in everyone}
    notes = [*report.notes, *(note for one in everyone for note in one.notes)]
    head = "<h2 id='notes'>Notes on files</h2>"
    if not notes:
        return f"{head}<p>Every file was what it should be.</p>"
    ordered = sorted(notes, key=lambda note: (note.kind, note.student, note.file))
    return head + notes_table(
        "Late, renamed, doubled, cut off, foreign; none stopped the run", ordered, names=names
    )


def _times(report: Report, results: Sequence[ExerciseResults]) -> str:
    rows = [
        (
            line(one.exercise.title),
            duration(one.duration_ns) if one.duration_ns else "–",
            duration(one.longest_ns) if one.longest_ns else "–",
            str(one.exercise.minutes or "–"),
        )
        for one in results
    ]
    heads = ("exercise", "median", "longest", "planned for a learner (min)")
    machine = table("Machine time for one submission", heads, rows, right=(1, 2, 3))
    return (
        f"<section id='times'><h2>Time</h2><p>Run of {line(report.started_at or 'unknown time')}, "
        f"{duration(report.duration_ns)} for the submissions graded in it.</p>{machine}</section>"
    )


def _footer(report: Report) -> str:
    versions = " · ".join(f"{line(key)} {line(value)}" for key, value in sorted(report.versions.items()))
    walls = line(report.walls.rstrip(".") or "nothing is known of walls", 1000)
    return (
        f"<footer><p>For instructors; hand out only what is in <code>students/</code>. Submissions ran behind: {walls}."
        f"</p><p>{versions}</p></footer>"
    )


def _total(one: Standing) -> str:
    """The points; with a plus sign where a person's marks can still add some."""
    return f"{number(one.total.points)}{'+' if one.total.open else ''}"


def _link(one: Standing) -> str:
    return f"<a href='instructor/{file_stem(one.student.key)}.html'>{name(one.student.name)}</a>"


def _title(exercise: str, report: Report) -> str:
    return line(next((one.title for one in report.exercises if one.name == exercise), exercise))
