"""The clean copy: the master with a student's bodies in it, and the judge's cells around."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import re
from typing import TYPE_CHECKING, Any

from wasm_lab.cells.header import read_header
from wasm_lab.errors import HeaderError, WasmLabError
from wasm_lab.exercises import Exercise
from wasm_lab.exercises.notebook import Role
from wasm_lab.grading import sitting
from wasm_lab.source import UNNAMED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.cells.signatures import Signature
    from wasm_lab.exercises import Cell
    from wasm_lab.grading.nouns import Job

_NAME = re.compile(r"--name[ =](\S+)")

#: Tells nbclient to go on after a cell that raised.
_GOES_ON = "raises-exception"


def clean_copy(job: Job) -> tuple[Exercise, dict[str, Any], dict[str, Any]]:
    """The exercise with the bodies, the notebook that is executed, and the parameters to inject.

    An answer or a test may raise, and the rest is executed all the same. Where the judge's own cell or a cell
    of the master raises, nothing after it is executed: a student's code must never run unjudged.
    """
    master = Exercise.parse(job.master, name=job.exercise)
    exercise = master.with_bodies(job.bodies)
    notebook = copy.deepcopy(exercise.notebook)
    for cell in exercise.cells:
        raw = notebook["cells"][cell.index]
        if raw["cell_type"] == "code":
            raw |= {"outputs": [], "execution_count": None, "source": _as_call(cell)}
        if cell.role is not Role.GIVEN:
            raw["metadata"] = {**raw["metadata"], "tags": [_GOES_ON]}
    parameters, first, last = (_code(text) for text in sitting.cells())
    parameters["metadata"]["tags"] = ["parameters"]
    notebook["cells"] = [parameters, first, *notebook["cells"], last]
    for number, cell in enumerate(notebook["cells"]):
        cell.setdefault("id", f"cell-{number}")
    # What a master lacks of format 4.5, such as ids, it has now.
    notebook |= {"nbformat": 4, "nbformat_minor": 5}
    judging = {
        "digest": hashlib.sha256(job.master.encode()).hexdigest(),
        "functions": _functions(master),
        "dependencies": _dependencies(master),
        "fuel": master.fuel,
        "deadline_s": master.deadline_s,
        "walls": job.settings.walls,
    }
    return exercise, notebook, {sitting.PARAMETER: judging}


def _functions(master: Exercise) -> dict[str, dict[str, list[int]]]:
    """The functions that Python can call of each cell of the master itself: given ones, and those of solutions.

    Of each the positions of the parameters that it changes in place.
    """
    found: dict[str, dict[str, list[int]]] = {}
    for cell in _rust(master):
        functions = _signatures(cell)
        name = _name(cell) or (functions[0].name if functions else UNNAMED)  # as `wasm_lab.live` has it
        found.setdefault(name, {}).update({each.name: list(each.changes) for each in functions})
    return found


def _signatures(cell: Cell) -> tuple[Signature, ...]:
    from wasm_lab.build.crate import crate_for
    from wasm_lab.cells import parse_cell

    try:
        return crate_for(parse_cell(cell.body, first_line=2)).functions
    except WasmLabError:  # which the cell itself will raise
        return ()


def _name(cell: Cell) -> str:
    """The name of a cell; one of our own for an answer without: else a student's first function would give it one."""
    named = _NAME.search(cell.magic)
    if named:
        return named[1]
    return f"answer_{cell.index}" if cell.role in (Role.ANSWER, Role.WRITTEN) else ""


def _dependencies(master: Exercise) -> list[dict[str, Any]]:
    """What the headers of the master's cells name: nothing else is fetched, whatever a cell turns out to say."""
    found = []
    for cell in _rust(master):
        with contextlib.suppress(HeaderError):  # which the cell itself will raise
            found.append(read_header(cell.body, label=cell.grade_id, first_line=2).dependencies)
    return found


def _rust(master: Exercise) -> Iterator[Cell]:
    return (cell for cell in master.cells if cell.kind == "code" and cell.language == "rust")


def _as_call(cell: Cell) -> str:
    """A cell with a magic on its first line as the call that IPython makes of it; any other as it is.

    IPython takes prompts (``>>>``, ``In [1]:``) off every line of a cell before it looks for a magic, and a header
    that was hidden behind them would be one then. In a string of Python it finds none.

    Example:
        >>> from wasm_lab.exercises import Cell
        >>> _as_call(Cell(index=0, kind="code", text="%%answer verdict --choice yes,no" + chr(10) + ">>> yes"))
        "get_ipython().run_cell_magic('answer', 'verdict --choice yes,no', '>>> yes')"
    """
    if not cell.magic:
        return cell.text
    name, _, line = cell.magic[2:].rstrip().partition(" ")
    if cell.language == "rust" and not _NAME.search(line) and (ours := _name(cell)):
        line = f"--name {ours} {line}".rstrip()
    return f"get_ipython().run_cell_magic({name!r}, {line!r}, {cell.body!r})"


def _code(text: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": text, "outputs": [], "execution_count": None}
