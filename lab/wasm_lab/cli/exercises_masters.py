"""``wasm-lab exercises validate`` and ``release``: for whoever writes exercises."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from wasm_lab.exercises.course import Course

_FOLDER = click.Path(file_okay=False, path_type=Path)


RELEASE = """\b
Examples:
  wasm-lab exercises release
  wasm-lab exercises release --source my/source --out my/release
"""


@click.command(epilog=RELEASE)
@click.option(
    "--source", type=_FOLDER, help="The masters' folder, or its course.  [default: exercises/source]"
)
@click.option("--out", type=_FOLDER, help="Where released forms go.  [default: release beside it]")
@click.option("--json", "as_json", is_flag=True, help="Print one record for each file, as a JSON array.")
def release(source: Path | None, out: Path | None, as_json: bool) -> int:
    """Make the released forms of all masters: without solutions, hidden tests and outputs.

    The same master gives the same bytes, and those of `nbgrader generate_assignment`. A released
    exercise whose master is gone is removed. Nothing is written when a master is wrong. Other files
    beside masters are copied, and listed, because exercises read them: keep no solutions there.
    """
    from wasm_lab.exercises.release import release as made

    source = _masters_folder(source or Path("exercises/source"))
    # The parent of "." and ".." is not what is above them.
    beside = source.resolve().parent if source.name in ("", "..") else source.parent
    done = made(source, out or beside / "release")
    if as_json:
        records = [
            {
                "exercise": one.name,
                "chapter": one.chapter,
                "path": str(one.path),
                "change": one.change,
                "note": one.note,
            }
            for one in done
        ]
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))
        return 0
    for one in done:
        if one.change != "unchanged" or one.note:
            click.echo(f"{one.change:>9}  {one.path}{f'  ({one.note})' if one.note else ''}")
    counts = Counter(one.change for one in done)
    click.echo(", ".join(f"{number} {change}" for change, number in counts.items()))
    return 0


VALIDATE = """\b
Examples:
  wasm-lab exercises validate
  wasm-lab exercises validate exercises/source/01_rust_cells/time_of_day.ipynb
  wasm-lab exercises validate --json my/source
"""


@click.command(epilog=VALIDATE)
@click.option("--json", "as_json", is_flag=True, help="Print one record for each master, as a JSON array.")
@click.argument("masters", nargs=-1, type=click.Path(exists=True, path_type=Path))
def validate(masters: tuple[Path, ...], as_json: bool) -> int:
    """Check masters before learners get them: each mistake with its reason.

    MASTERS are notebooks, chapters, the folder of chapters, or the course that has it as source/. Metadata
    must be complete, the solution must pass every test, the released form must fail and hold no secret, and
    each answer in wrong/NAME/ must compile, pass the visible tests and be caught by a hidden one. Solutions
    are run here, in the sandbox. Exit status 1 when any exercise is wrong.
    """
    from wasm_lab.exercises.course import Course

    files = [file for path in masters or (Path("exercises/source"),) for file in _notebooks(path)]
    records = []
    for file in files:
        # source/CHAPTER/NAME.ipynb, as nbgrader lays a course out
        record = _validated(file, Course(file.resolve().parent.parent.parent))
        records.append(record)
        if not as_json:
            _show_validated(record)
    if as_json:
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))
    return 0 if all(not record["problems"] for record in records) else 1


def _notebooks(path: Path) -> list[Path]:
    from wasm_lab.errors import UsageError
    from wasm_lab.exercises.release import is_exercise

    if not path.is_dir():
        return [path]
    folder = _masters_folder(path)
    found = [file for file in folder.glob("*/*.ipynb") if file.parent.name != ".ipynb_checkpoints"]
    # A chapter's folder has its masters in it; that of all chapters at most nbgrader's header and footer.
    found += [file for file in folder.glob("*.ipynb") if not found or is_exercise(file)]
    if not found:
        raise UsageError(
            f"{folder} holds no notebooks.",
            hint="Name a master, a chapter, or the folder that has CHAPTER/NAME.ipynb, such as my-course/source.",
        )
    return sorted(found)


def _masters_folder(folder: Path) -> Path:
    """The folder of masters that is meant, with a word where it is not the one that was given."""
    from wasm_lab.exercises.release import masters_folder

    found = masters_folder(folder)
    if found != folder:
        # Not where the records go: another program may read them.
        click.echo(f"The masters of {folder} are in {found}.", err=True)
    return found


def _validated(file: Path, course: Course) -> dict[str, Any]:
    from wasm_lab.errors import WasmLabError
    from wasm_lab.exercises.gate import Master, problems

    found = []
    try:
        for problem in problems(Master.load(file, course)):
            found.append(problem)
    except WasmLabError as error:  # of this file alone: what was found stays, and the others are checked
        found.append(str(error))
    return {"file": str(file), "exercise": file.stem, "problems": found}


def _show_validated(record: dict[str, Any]) -> None:
    from wasm_lab.views.colour import wants_colour

    colour = wants_colour(sys.stdout)
    if not record["problems"]:
        click.echo(f"{record['file']}: {click.style('right', fg='green')}", color=colour)
    for problem in record["problems"]:
        first, *rest = problem.splitlines()
        click.echo(f"{record['file']}: {click.style('error', fg='red', bold=True)}: {first}", color=colour)
        for line in rest:
            click.echo(f"    {line}")
