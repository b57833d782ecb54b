"""``wasm-lab grade``: marks for a batch of submissions, each graded behind walls."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wasm_lab.cli import FAILED, INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from wasm_lab.grading.crew import Crew
    from wasm_lab.grading.nouns import Outcome, Report
    from wasm_lab.views.grades import Written

EXAMPLES = """\b
Examples:
  wasm-lab grade submitted/ --master exercises/ --out report/
  wasm-lab grade moodle-export.zip --master exercises/ --out report/ --due "2026-11-20 23:59"
  wasm-lab grade canvas.zip --master exercises/ --out report/ --jobs 8
  wasm-lab grade export.zip --master exercises/ --out report/ --assignment 02_capabilities
  wasm-lab grade submitted/ --master exercises/ --out report/ --exercise boxes --student ada
  wasm-lab grade submitted/ --master exercises/ --out report/ --scheduler tcp://10.0.0.5:8786
"""

#: What something was executed for: all else is told from the files in each run anew.
_EXECUTED = ("graded", "not_compiled", "stopped", "crashed")


@click.command(epilog=EXAMPLES)
@click.argument("submissions", type=click.Path(path_type=Path))
@click.option(
    "--master",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The course directory, with source/ and release/.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where the report goes. The same folder again: goes on where it ended.",
)
@click.option(
    "--due",
    metavar="TIME",
    help='The deadline, such as "2026-11-20 23:59" or with +01:00 after it. A day alone: its end, 23:59:59.',
)
@click.option(
    "--assignment",
    "assignments",
    multiple=True,
    metavar="NAME",
    help="Grade this assignment alone; may be repeated.  [default: all of which somebody handed in something]",
)
@click.option(
    "--exercise",
    "exercises",
    multiple=True,
    metavar="NAME",
    help="Grade this again, and nothing else; may be repeated.",
)
@click.option(
    "--student",
    "students",
    multiple=True,
    metavar="NAME",
    help="Grade this student again, and nobody else; may be repeated.",
)
@click.option(
    "--jobs", type=click.IntRange(1, 512), metavar="N", help="How many at once.  [default: one for each core]"
)
@click.option("--scheduler", metavar="ADDRESS", help="Hand the work to this scheduler of Dask.")
@click.option(
    "--deadline",
    type=click.FloatRange(1, 3600),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="For a whole notebook, compiling included; then it is killed.",
)
@click.option(
    "--without-walls", is_flag=True, help="Grade where the kernel has no walls. Only for code that you trust."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def grade(submissions: Path, **options: Any) -> int:
    """Grade SUBMISSIONS: a folder for each student, nbgrader's submitted/, or the zip of Moodle or Canvas.

    Only the bodies of answer cells are taken, and put into a clean copy of the master. Everything
    that is strange about a file is a line in the report; nothing stops the batch. Ctrl-C keeps what
    is done. Marks for written answers are read from written_answers.csv in the report's folder.

    Exit status: 0 when everything is graded, 1 when a submission was lost (run it again), 2 when
    something given cannot be used or nothing was submitted, 130 after Ctrl-C.
    """
    from wasm_lab.grading.grade import Batch, grade_batch
    from wasm_lab.grading.journal import Selection
    from wasm_lab.grading.nouns import Settings
    from wasm_lab.views.grades import write_report

    _check_out(options["out"], submissions)
    batch = Batch(
        submissions=submissions,
        master=options["master"],
        out=options["out"],
        due=_time(options["due"]),
        assignments=tuple(sorted(set(options["assignments"]))),
        selection=Selection(tuple(sorted(options["exercises"])), tuple(sorted(options["students"]))),
        settings=Settings(deadline_s=options["deadline"], walls=not options["without_walls"]),
    )
    with _progress() as watcher:
        report = grade_batch(batch, lambda: _crew(options["scheduler"], options["jobs"]), watcher)
    masters = _masters(batch.master, report)
    written = write_report(report, batch.out, exercises=masters, submissions=batch.submissions)
    if options["as_json"]:
        from wasm_lab.grading.nouns import record_of

        click.echo(json.dumps(record_of(written.report)))
    else:
        _tell(written, batch.out, due=batch.due, graded=watcher.graded)
        if not batch.assignments:
            _tell_assignments(written.report)
    if report.interrupted:
        click.echo("Interrupted. What is done is kept: the same command goes on.", err=True)
        return INTERRUPTED
    return FAILED if any(outcome.status == "crashed" for outcome in report.outcomes) else 0


def _time(text: str | None) -> datetime | None:
    from wasm_lab.errors import UsageError
    from wasm_lab.grading.times import parse_due

    if text is None:
        return None
    try:
        return parse_due(text)
    except ValueError:
        raise UsageError(
            f"--due {text!r} is no time.",
            hint='Write it as "2026-11-20 23:59" or "2026-11-20", or with +01:00 or UTC after it.',
        ) from None


def _check_out(out: Path, submissions: Path) -> None:
    """Refuse a report whose folders would be students, or would lie among them."""
    from wasm_lab.errors import UsageError
    from wasm_lab.grading.entries import root_of

    folder, taken = out.resolve(), {submissions.resolve(), root_of(submissions).resolve()}
    # Pages are written into these, and those that are no longer needed are deleted.
    own = {folder / name for name in ("students", "instructor", "feedback")}
    if taken & {folder, *own} or any(one in each.parents for one in own for each in taken):
        raise UsageError(
            f"--out {out} would write the report among the submissions.",
            hint="Name a folder of its own, such as --out report.",
        )


def _crew(scheduler: str | None, jobs: int | None) -> Crew:
    if scheduler:
        from wasm_lab.grading.cluster import DaskCrew

        return DaskCrew(scheduler)
    from wasm_lab.grading.crew import LocalCrew
    from wasm_lab.measure.machine import machine

    return LocalCrew(jobs or machine().cores)


def _masters(folder: Path, report: Report) -> list[Any]:
    from wasm_lab.grading.course import read_course

    course = read_course(folder)
    return [course.masters[one.name].exercise for one in report.exercises if one.name in course.masters]


@contextlib.contextmanager
def _progress() -> Iterator[_Bar]:
    """A bar with the time left on standard error; nothing where nobody sees it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        yield _Bar(bar)


class _Bar:
    """Tells a bar of rich how far grading is."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task = bar.add_task("collecting", total=None)
        self.graded = 0  #: in this run

    def begin(self, total: int, known: int) -> None:
        """See `grade.Watcher.begin`."""
        # The time left is reckoned from what this run does, not from what was there.
        self._bar.reset(self._task, total=total - known, description="grading")

    def done(self, outcome: Outcome) -> None:
        """See `grade.Watcher.done`."""
        from rich.markup import escape

        self.graded += 1
        who = escape(f"{outcome.exercise}, {outcome.student}"[:60])
        self._bar.update(self._task, advance=1, description=f"graded {who}")


def _tell_assignments(report: Report) -> None:
    from wasm_lab.grading.report.summary import several_assignments, standings

    if message := several_assignments(report, standings(report)):
        click.echo(message, err=True)


def _tell(written: Written, out: Path, *, due: datetime | None, graded: int) -> None:
    from wasm_lab.grading.report.text import shown

    report = written.report
    counts = Counter(outcome.status for outcome in report.outcomes)
    say = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in sorted(counts.items()))
    students, exercises = len(report.students), len(report.exercises)
    click.echo(
        f"{students} student{'s' * (students != 1)}, {exercises} exercise{'s' * (exercises != 1)}: "
        f"{say or 'nothing to grade'}."
    )
    before = sum(outcome.status in _EXECUTED for outcome in report.outcomes) - graded
    if before > 0 and not report.interrupted:
        were = f"{before} of these {'was' if before == 1 else 'were'} graded before."
        click.echo(were if graded else "Nothing had to be graded anew: all was graded before.")
    if not report.exercises:
        click.echo(
            "No file there is a submission of one of these exercises; the notes say what each is.", err=True
        )
    kinds = Counter(note.kind for note in (*report.notes, *(n for o in report.outcomes for n in o.notes)))
    if kinds:
        click.echo("Notes: " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) + ".")
    if due:
        click.echo(f"Late is what came in after {due.astimezone().isoformat(' ', 'seconds')}.")
    undated = sum(not one.submitted_at and one.status != "missing" for one in report.outcomes)
    if due and undated:
        click.echo(f"Nothing says when {undated} of the submissions came in, so --due says nothing of them.")
    for outcome in report.outcomes:
        if outcome.status in ("crashed", "stopped"):
            message = shown(outcome.message, 300, lines=False)
            click.echo(f"{outcome.student}, {outcome.exercise}: {outcome.status}: {message}", err=True)
    open_answers = sum(cell.points is None for outcome in report.outcomes for cell in outcome.cells)
    if open_answers:
        wait = "answers wait" if open_answers != 1 else "answer waits"
        click.echo(f"{open_answers} written {wait} for you in {out / 'written_answers.csv'}.")
    for message in written.messages:
        click.echo(message, err=True)
    click.echo(f"The report: {out / 'index.html'}")
    if not report.walls.startswith("Landlock"):
        click.echo(report.walls, err=True)
