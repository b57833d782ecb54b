"""A learner's exercises to look at: where they stand, what a check found; for a terminal and a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from wasm_lab.views.tables import Stack, duration

if TYPE_CHECKING:
    from wasm_lab.exercises.cases import Score
    from wasm_lab.exercises.checking import Verdict
    from wasm_lab.exercises.learner import Hint, Opened, Place, Standing

_STYLES = {"solved": "green", "started": "yellow", "open": ""}

#: In place of a reason that is the same as that of the row before.
_ABOVE = "as above"

#: Who asks: what the learner types to go on, in a terminal and in a notebook.
TERMINAL, NOTEBOOK = "wasm-lab exercises", "%exercise"


def standing_stack(standing: Standing, ask: str = TERMINAL) -> Stack:
    """Every exercise with its state, then what to do now."""
    table = Table(title="Exercises", title_justify="left")
    table.add_column("state", no_wrap=True)
    table.add_column("exercise", no_wrap=True)
    table.add_column("title", overflow="fold")
    table.add_column("chapter", no_wrap=True)
    table.add_column("minutes", justify="right", no_wrap=True)
    table.add_column("points", justify="right", no_wrap=True)
    for place in standing.places:
        exercise, record = place.exercise, place.record
        points = (
            f"{record.points:g} of {exercise.max_points:g}" if record.checks else f"{exercise.max_points:g}"
        )
        table.add_row(
            Text(place.state, style=_STYLES[place.state]),
            Text(exercise.name),
            Text(exercise.title),
            Text(exercise.chapter),
            str(exercise.minutes or ""),
            points,
        )
    return Stack(table, *standing_lines(standing, ask).renderables)


def standing_lines(standing: Standing, ask: str = TERMINAL) -> Stack:
    """How much is solved, and what to do now."""
    lines = [Text(f"{standing.solved} of {len(standing.places)} exercises are solved.", style="bold")]
    if standing.current:
        lines.append(_named("Begun", standing.current))
        if standing.current.record.path:
            lines.append(Text(f"Its notebook: {_short(Path(standing.current.record.path))}"))
        lines.append(Text(f"Then: {ask} check · {ask} hint · {ask} next --skip for another one"))
    elif standing.following:
        lines += [_named("Next", standing.following), Text(f"Begin it: {ask} next")]
    else:
        lines.append(Text("That is all of them."))
    if standing.vanished:
        lines.append(Text(f"{standing.vanished} more of your record are not in this release.", style="dim"))
    return Stack(*lines)


def opened_lines(opened: Opened, ask: str = TERMINAL) -> Stack:
    """What to open, and what to do then."""
    exercise = opened.exercise
    takes = f", about {exercise.minutes} minutes" if exercise.minutes else ""
    lines = [Text(f"{exercise.title} ({exercise.chapter}{takes})", style="bold")]
    if opened.kept:
        lines.append(Text(f"Your earlier notebook is kept: {_short(opened.kept)}"))
    lines.append(Text(f"{'Open' if opened.fresh else 'Go on in'} {_short(opened.path)}"))
    if opened.chapter:
        lines.append(Text(f"Its chapter: {opened.chapter}"))
    lines.append(
        Text(f"Then: {ask} check{'' if ask == NOTEBOOK else f' · {ask} watch checks whenever you save'}")
    )
    return Stack(*lines)


def hint_lines(hint: Hint, ask: str = TERMINAL) -> Stack:
    """One hint and how many there are."""
    count = len(hint.exercise.hints)
    if not hint.number:
        return Stack(Text(hint.text))
    lead = Text(f"{hint.exercise.title}: hint {hint.number} of {count}", style="bold")
    more = f"{ask} hint says more." if hint.number < count else "That was the last one."
    return Stack(lead, Text(hint.text), Text(more, style="dim"))


def verdict_stack(verdict: Verdict, ask: str = TERMINAL, following: Place | None = None) -> Stack:
    """Each case, why it failed, and what to do next."""
    parts: list[Table | Text] = [Text(note, style="yellow") for note in verdict.notes]
    for grade_id, why in verdict.broken.items():
        parts += [Text(f"{grade_id} cannot be used:", style="bold red"), Text(why)]
    if verdict.cases and not (verdict.broken and verdict.passed == 0):
        parts.append(_cases(verdict))
    parts.append(verdict_line(verdict))
    if verdict.solved:
        parts.append(_onward(following, ask))
    elif verdict.untouched:
        parts.append(Text("The answer is as it was given: write it, save, and check again.", style="dim"))
    else:
        parts.append(Text(f"Stuck? {ask} hint", style="dim"))
    return Stack(*parts)


def _cases(verdict: Verdict) -> Table:
    table = Table(title=verdict.title, title_justify="left")
    table.add_column("", no_wrap=True)
    table.add_column("test", overflow="fold")
    reasons = any(case.message or not case.passed for case in verdict.cases)
    if reasons:
        table.add_column("why", overflow="fold")
    above = ""
    for case in verdict.cases:
        mark = Text("passed", style="green") if case.passed else Text("failed", style="bold red")
        why = "hidden: read the task again" if case.hidden and not case.passed else case.message
        told = Text(_ABOVE if why and why == above else why)
        table.add_row(mark, Text(case.name), *([told] if reasons else []))
        above = why
    return table


def verdict_line(verdict: Verdict) -> Text:
    """What a check came to, in one line."""
    took = duration(verdict.duration_ns)
    if verdict.solved:
        return Text(f"{verdict.title}: solved. {verdict.points:g} points, in {took}.", style="bold green")
    if verdict.broken:
        return Text(f"{verdict.title}: not solved yet, because the answer did not compile.", style="bold red")
    counted = (
        f"{verdict.passed} of {len(verdict.cases)} tests pass" if verdict.cases else "the tests did not run"
    )
    points = f"{verdict.points:g} of {verdict.max_points:g} points"
    return Text(f"{verdict.title}: not solved yet; {counted}, {points}, in {took}.", style="bold red")


def _onward(following: Place | None, ask: str) -> Text:
    if following is None:
        return Text("That was the last one: every exercise is solved.")
    verb = "Go on with" if following.state == "started" else "Next"
    return Text(f"{verb}: {following.exercise.title} ({following.exercise.chapter}): {ask} next")


def _short(path: Path) -> Path:
    """The path from where the learner is, where it is below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _named(lead: str, place: Place) -> Text:
    return Text(f"{lead}: {place.exercise.title} ({place.exercise.name}, {place.exercise.chapter})")


def score_stack(score: Score) -> Stack:
    """The cases of one test cell."""
    if not score.results:
        return Stack(Text(repr(score), style="dim"))
    table = Table(title="Tests", title_justify="left")
    table.add_column("", no_wrap=True)
    table.add_column("test", overflow="fold")
    table.add_column("why", overflow="fold")
    for result in score.results:
        mark = Text("passed", style="green") if result.passed else Text("failed", style="bold red")
        table.add_row(mark, Text(result.name), Text(result.message))
    passed = sum(result.passed for result in score.results)
    line = f"{passed} of {len(score.results)} pass: {score.points:g} of {score.max_points:g} points"
    return Stack(table, Text(line))
