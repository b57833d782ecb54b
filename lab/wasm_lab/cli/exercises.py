"""``wasm-lab exercises``: a learner is led from one exercise to the next."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from wasm_lab.exercises.learner import Learner, Opened, Standing

#: For authors; imported only when they are used.
MASTERS = ("validate", "release")

EXAMPLES = """\b
Examples:
  wasm-lab exercises            where you stand, and what is next
  wasm-lab exercises next       copies the next one here and says what to open
  wasm-lab exercises watch      checks it whenever you save
  wasm-lab exercises hint
"""


class _Group(click.Group):
    """A group whose commands for authors are in a module of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *MASTERS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in MASTERS:
            module = importlib.import_module("wasm_lab.cli.exercises_masters")
            command: click.Command = getattr(module, cmd_name)
            return command
        return super().get_command(ctx, cmd_name)


def _or_before(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """An option of a command, or the same before the command: ``exercises --folder F next``."""
    parent = context.parent
    if value or parent is None or parent.command.name != "exercises":
        return value
    return parent.params.get(str(parameter.name), value)


_folder = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    callback=_or_before,
    help="Where your copies are.  [default: wasm-lab-exercises, here]",
)
_json = click.option("--json", "as_json", is_flag=True, callback=_or_before, help="Print the result as JSON.")


def _complete(_context: click.Context, _parameter: click.Parameter, start: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from wasm_lab.exercises.course import Course

    return [
        CompletionItem(one.name, help=one.title)
        for one in Course.own().released()
        if one.name.startswith(start)
    ]


_name = click.argument("name", default="", shell_complete=_complete)


def _learner(folder: Path | None) -> Learner:
    from wasm_lab.exercises.learner import Learner, find_folder

    return Learner(folder or find_folder(Path.cwd()))


def _say(learner: Learner, parts: Any) -> None:
    """Show something, then what is amiss with the record of progress, if anything is."""
    from wasm_lab.views.tables import print_table

    print_table(parts, sys.stdout)
    if learner.progress.notice:
        click.echo(learner.progress.notice, err=True)


def _print_json(record: Any) -> None:
    click.echo(json.dumps(record, indent=2, ensure_ascii=False))


@click.group(
    cls=_Group,
    invoke_without_command=True,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@_folder
@_json
@click.pass_context
def exercises(context: click.Context, folder: Path | None, as_json: bool) -> int | None:
    """Learn by exercises: notebooks with tests, hints and a chapter to read before.

    Without a command: where you stand and what is next. Progress is kept in a small file of yours and
    survives upgrades. What you write runs in the sandbox.
    """
    if context.invoked_subcommand:
        return None
    from wasm_lab.views.exercises import standing_lines

    learner = _learner(folder)
    standing = learner.standing()
    if as_json:
        _print_json(_standing_record(standing))
    else:
        _say(learner, standing_lines(standing))
    return 0


@exercises.command(
    name="list", epilog="\b\nExamples:\n  wasm-lab exercises list\n  wasm-lab exercises list --json\n"
)
@_folder
@_json
def list_(folder: Path | None, as_json: bool) -> int:
    """Every exercise with its state, in the order to take them."""
    from wasm_lab.views.exercises import standing_stack

    learner = _learner(folder)
    standing = learner.standing()
    if as_json:
        _print_json(_standing_record(standing))
    else:
        _say(learner, standing_stack(standing))
    return 0


def _standing_record(standing: Standing) -> dict[str, Any]:
    from wasm_lab.views.plain import plain

    def name(place: Any) -> str | None:
        return place.exercise.name if place else None

    places = [
        {
            "exercise": place.exercise.name,
            "title": place.exercise.title,
            "chapter": place.exercise.chapter,
            "minutes": place.exercise.minutes,
            "max_points": place.exercise.max_points,
            "state": place.state,
            **plain(place.record),
        }
        for place in standing.places
    ]
    return {
        "solved": standing.solved,
        "current": name(standing.current),
        "next": name(standing.following),
        "vanished": standing.vanished,
        "exercises": places,
    }


NEXT = """\b
Examples:
  wasm-lab exercises next
  wasm-lab exercises next --skip
  wasm-lab exercises next time_of_day
"""


@exercises.command(name="next", epilog=NEXT)
@_folder
@click.option("--skip", is_flag=True, help="Leave the one that is begun for later.")
@_json
@_name
def next_(folder: Path | None, skip: bool, as_json: bool, name: str) -> int:
    """Copy the next exercise, or that of a NAME, into your folder, and say what to open.

    A copy that is there already is never overwritten.
    """
    learner = _learner(folder)
    _show_opened(learner, learner.open(name, skip=skip), as_json)
    return 0


def _show_opened(learner: Learner, opened: Opened, as_json: bool) -> None:
    from wasm_lab.views.exercises import opened_lines

    if as_json:
        _print_json(
            {
                "exercise": opened.exercise.name,
                "title": opened.exercise.title,
                "path": str(opened.path),
                "chapter": str(opened.chapter) if opened.chapter else None,
                "fresh": opened.fresh,
                "kept": str(opened.kept) if opened.kept else None,
            }
        )
    else:
        _say(learner, opened_lines(opened))


CHECK = """\b
Examples:
  wasm-lab exercises check
  wasm-lab exercises check time_of_day
  wasm-lab exercises check --json my/copy/time_of_day.ipynb
  wasm-lab exercises check --all
"""


@exercises.command(epilog=CHECK)
@_folder
@click.option("--all", "everything", is_flag=True, help="Check every copy, a line each; finds lost progress.")
@_json
@_name
def check(folder: Path | None, everything: bool, as_json: bool, name: str) -> int:
    """Run the tests on your answer: which failed, and why. NAME is an exercise or a notebook.

    Hidden tests are told by their names only. Exit status 1 when it is not solved.
    """
    from wasm_lab.views.exercises import verdict_stack
    from wasm_lab.views.plain import plain

    learner = _learner(folder)
    if everything:
        return _check_all(learner, as_json)
    verdict = learner.check(path=Path(name)) if name.endswith(".ipynb") else learner.check(name)
    if as_json:
        _print_json(plain(verdict))
    else:
        _say(learner, verdict_stack(verdict, following=learner.standing().following))
    return 0 if verdict.solved else 1


def _check_all(learner: Learner, as_json: bool) -> int:
    """Check every copy that there is; one that is broken stops no other."""
    from wasm_lab.errors import WasmLabError
    from wasm_lab.views.exercises import verdict_line
    from wasm_lab.views.plain import plain

    records, solved = [], True
    for exercise in learner.copies():
        try:
            verdict = learner.check(exercise.name)
        except WasmLabError as error:
            solved = False
            records.append({"exercise": exercise.name, "error": error.message, "hint": error.hint})
            if not as_json:
                click.echo(f"{exercise.name}: ", nl=False)
                _show_failure(learner.path_of(exercise), error, as_json)
            continue
        solved = solved and verdict.solved
        records.append(plain(verdict))
        if not as_json:
            _say(learner, verdict_line(verdict))
    if as_json:
        _print_json(records)
    return 0 if solved else 1


@exercises.command(epilog="\b\nExamples:\n  wasm-lab exercises hint\n  wasm-lab exercises hint time_of_day\n")
@_folder
@_json
@_name
def hint(folder: Path | None, as_json: bool, name: str) -> int:
    """Say one step more each time."""
    from wasm_lab.views.exercises import hint_lines

    learner = _learner(folder)
    told = learner.hint(name)
    if as_json:
        count = len(told.exercise.hints)
        _print_json({"exercise": told.exercise.name, "number": told.number, "of": count, "hint": told.text})
    else:
        _say(learner, hint_lines(told))
    return 0


@exercises.command(
    epilog="\b\nExamples:\n  wasm-lab exercises reset\n  wasm-lab exercises reset time_of_day\n"
)
@_folder
@_json
@_name
def reset(folder: Path | None, as_json: bool, name: str) -> int:
    """Begin an exercise again; your notebook is kept beside the fresh one."""
    learner = _learner(folder)
    _show_opened(learner, learner.reset(name), as_json)
    return 0


WATCH = """\b
Examples:
  wasm-lab exercises watch
  wasm-lab exercises watch --folder ~/course
"""


@exercises.command(epilog=WATCH)
@_folder
@click.option("--json", "as_json", is_flag=True, help="Print one record for each check, a line each.")
def watch(folder: Path | None, as_json: bool) -> int:
    """Check an exercise whenever you save its notebook, and lead on to the next; until Ctrl-C."""
    from wasm_lab.errors import WasmLabError
    from wasm_lab.exercises.watching import saved_files

    learner = _learner(folder)
    if learner.standing().current is None and not as_json:
        _show_opened(learner, learner.open(), as_json)
    saved = saved_files(learner.folder, {exercise.name for exercise in learner.exercises})
    if not as_json:
        click.echo(f"Watching {learner.folder}; save a notebook to check it. Ctrl-C ends this.", err=True)
    try:
        for path in saved:
            try:
                _check_saved(learner, path, as_json)
            except WasmLabError as error:
                _show_failure(path, error, as_json)
    except KeyboardInterrupt:
        return 0
    return 0


def _check_saved(learner: Learner, path: Path, as_json: bool) -> None:
    from wasm_lab.views.exercises import verdict_stack
    from wasm_lab.views.plain import plain

    verdict = learner.check(path=path)
    if as_json:
        click.echo(json.dumps(plain(verdict), ensure_ascii=False))
        return
    click.echo()
    following = learner.standing().following
    _say(learner, verdict_stack(verdict, following=following))
    if verdict.solved and following:
        _show_opened(learner, learner.open(following.exercise.name), as_json)


def _show_failure(path: Path, error: Any, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"file": str(path), "error": error.message, "hint": error.hint}))
        return
    from wasm_lab.cli.show import show_error

    show_error(error)
