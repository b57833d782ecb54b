"""``%%answer``: a cell whose text is the answer. ``%exercise``: the learner's loop, in the notebook."""

from __future__ import annotations

import os
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    import click
    from IPython.core.interactiveshell import InteractiveShell

    from wasm_lab.exercises.learner import Learner
    from wasm_lab.exercises.notebook import Exercise

#: Cells with a magic that this kernel executed: for each last of their magic lines (``%%time`` may stand
#: above) the text below it, and when (seconds since 1970). A learner who ran a cell and did not save it means
#: what ran.
_EXECUTED: weakref.WeakKeyDictionary[InteractiveShell, dict[str, tuple[str, float]]] = (
    weakref.WeakKeyDictionary()
)

_ACTIONS = ("list", "next", "check", "hint", "reset")


def answer_command() -> click.Command:
    """The options of ``%%answer``."""
    import click

    @click.command("%%answer")
    @click.option(
        "--toml", "form", flag_value="toml", default="", help="NAME becomes the table of a TOML text."
    )
    @click.option("--yaml", "form", flag_value="yaml", help="NAME becomes what a YAML text holds.")
    @click.option("--choice", default="", metavar="A,B,…", help="The text must be one of these.")
    @click.argument("name")
    def answer() -> None:
        """Keep the text of a cell under the Python name NAME, without executing it.

        With --choice, lines that begin with # do not count.
        """

    return answer


def keep(shell: InteractiveShell, options: dict[str, Any], text: str) -> None:
    """Bind the answer to its name; an earlier one is gone where this one cannot be read."""
    from wasm_lab.exercises.answers import read_answer

    name = options["name"]
    if not name.isidentifier():
        raise UsageError(f"{name!r} is no Python name.", hint="Such as: %%answer verdict")
    shell.user_ns.pop(name, None)
    choices = [choice.strip() for choice in options["choice"].split(",") if choice.strip()]
    shell.user_ns[name] = read_answer(text, form=options["form"] or "", choices=choices)


def remember_cells(shell: InteractiveShell) -> None:
    """Note each cell with a magic that the shell executes from now on; once, however often it is asked."""
    if shell in _EXECUTED:
        return
    executed = _EXECUTED[shell] = {}

    def note(info: Any) -> None:
        body = info.raw_cell.lstrip("\n") if info and info.raw_cell else ""
        magic = ""
        while body.startswith("%%"):
            magic, _, body = body.partition("\n")
        if magic:
            executed[magic] = (body.removesuffix("\n"), time.time())

    shell.events.register("pre_run_cell", note)


def exercise_command() -> click.Command:
    """The options of ``%exercise``."""
    import click
    from click.shell_completion import CompletionItem

    def names(_context: click.Context, _parameter: click.Parameter, start: str) -> list[CompletionItem]:
        from wasm_lab.exercises.course import Course

        return [CompletionItem(one.name) for one in Course.own().released() if one.name.startswith(start)]

    @click.command("%exercise")
    @click.option("--skip", is_flag=True, help="With next: leave the one that is begun for later.")
    @click.argument("action", type=click.Choice(_ACTIONS), required=False)
    @click.argument("name", default="", shell_complete=names)
    def exercise() -> None:
        """Be led through the exercises: list, next, check, hint or reset; without one, where you stand.

        In the notebook of an exercise, check, hint and reset mean that one. NAME means another.
        """

    return exercise


def exercise(shell: InteractiveShell, options: dict[str, Any]) -> None:
    """Do what the line asks for and show what came of it."""
    from wasm_lab.exercises.learner import Learner, find_folder
    from wasm_lab.views import exercises as views

    path = notebook_path(shell)
    learner = Learner(find_folder(Path.cwd()))
    here = learner.of_file(path) if path else None
    if here and path:
        # The copies are where this one is: FOLDER/CHAPTER/NAME.ipynb.
        learner.folder = path.parent.parent if path.parent.name == here.chapter else learner.folder
    action, name = options["action"], options["name"] or (here.name if here else "")
    if action == "check":
        own = path if here and name == here.name else None
        verdict = learner.check(name, path=own, live=_live(shell, own))
        _show(learner, views.verdict_stack(verdict, views.NOTEBOOK, learner.standing().following))
    elif action == "hint":
        _show(learner, views.hint_lines(learner.hint(name), views.NOTEBOOK))
    elif action == "next":
        _show(learner, views.opened_lines(_next(learner, here, options), views.NOTEBOOK))
    elif action == "reset":
        opened = learner.reset(name)
        _show(learner, views.opened_lines(opened, views.NOTEBOOK))
        print("Reload the notebook from disk to see it.")  # noqa: T201
    elif action == "list":
        _show(learner, views.standing_stack(learner.standing(), views.NOTEBOOK))
    else:
        _show(learner, views.standing_lines(learner.standing(), views.NOTEBOOK))


def notebook_path(shell: InteractiveShell) -> Path | None:
    """The file of this kernel's notebook, where its front end says so: Jupyter's servers and VS Code do."""
    named = shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    if not isinstance(named, str) or not named.endswith(".ipynb"):
        return None
    # Some servers give the path within their own root; a kernel starts in the folder of its notebook.
    return next((path for path in (Path(named), Path.cwd() / Path(named).name) if path.is_file()), None)


def _live(shell: InteractiveShell, path: Path | None) -> dict[str, str]:
    """What the kernel executed later than the file was saved; of another notebook, nothing."""
    if path is None:
        return {}
    saved_at = path.stat().st_mtime
    executed = _EXECUTED.get(shell, {})
    return {magic: body for magic, (body, at) in executed.items() if at > saved_at}


def _next(learner: Learner, here: Exercise | None, options: dict[str, Any]) -> Any:
    if options["name"] or options["skip"] or here is None:
        return learner.open(options["name"], skip=options["skip"])
    current = learner.standing().current
    if current and current.exercise.name == here.name:
        raise UsageError(
            f"{here.title} is not solved yet, and it is this notebook.",
            hint="%exercise check tells what is missing, %exercise hint helps, %exercise next --skip goes on.",
        )
    return learner.open()


def _show(learner: Learner, parts: Any) -> None:
    import sys

    from IPython.display import display

    display(parts)
    if learner.progress.notice:
        print(learner.progress.notice, file=sys.stderr)  # noqa: T201
