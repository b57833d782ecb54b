"""A learner's copy of an exercise: making it, and taking the answers from whatever became of it."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import ExerciseError
from wasm_lab.exercises.notebook import Exercise, Role, begins_alone, split_magic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wasm_lab.exercises.notebook import Cell

#: The cell below a learner's exercise that checks it.
CHECK_CELL: dict[str, Any] = {
    "cell_type": "code",
    "execution_count": None,
    "id": "check",
    "metadata": {},
    "outputs": [],
    "source": "%exercise check",
}

#: The link to a chapter, as masters write it: from ``exercises/release/CHAPTER/NAME.ipynb``.
_CHAPTER_LINK = re.compile(r"\]\((?:\.\./)+notebooks/(\w+\.ipynb)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a learner has written."""

    bodies: Mapping[str, str]  #: by grade id, one for each answer of the exercise
    notes: tuple[str, ...] = ()  #: what is off in the notebook, each with what to do
    untouched: bool = False  #: every answer is as it was given


def copy_of(released: Exercise, chapter: str) -> str:
    """The text of a fresh copy: the released form, a link that works from there, and a cell that checks.

    Args:
        chapter: path of the folder of chapters, relative to the copy.
    """
    notebook: dict[str, Any] = json.loads(released.dumps())
    for cell in notebook["cells"]:
        if cell.get("cell_type") == "markdown":
            source = cell["source"]
            text = "".join(source) if isinstance(source, list) else source
            linked = _CHAPTER_LINK.sub(lambda found: f"]({chapter}/{found[1]})", text)
            if linked != text:
                cell["source"] = linked
    notebook["cells"].append(CHECK_CELL)
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def linked_chapter(released: Exercise) -> str:
    """The file name of the chapter that an exercise links to; empty where it links to none."""
    for cell in released.cells:
        found = _CHAPTER_LINK.search(cell.text) if cell.kind == "markdown" else None
        if found:
            return found[1]
    return ""


def read_answers(path: Path, released: Exercise, live: Mapping[str, str] | None = None) -> Answers:
    """The answers in a learner's copy, however it was edited.

    Args:
        released: the form that the learner began with: it says which answers there are.
        live: bodies that a kernel executed after the file was saved, by magic line.

    Raises:
        ExerciseError: the file is no notebook any more, or an answer cell is gone.
    """
    try:
        copy = Exercise.read(path)
    except ExerciseError as error:
        raise ExerciseError(error.message, hint=_RESET.format(name=released.name)) from None
    bodies: dict[str, str] = {}
    notes: list[str] = []
    asked = (*released.answers, *released.written)
    for answer in asked:
        found = _found(answer, asked, copy, notes)
        body = (live or {}).get(answer.magic) if answer.magic else None
        if found is None and body is None:
            raise ExerciseError(_gone(answer), hint=_RESET.format(name=released.name))
        bodies[answer.grade_id] = body if body is not None else _body(found, answer, notes) if found else ""
        notes += _suspicions(bodies[answer.grade_id], answer)
    given = released.bodies()
    untouched = all(bodies[grade_id].strip() == given[grade_id].strip() for grade_id in bodies)
    return Answers(bodies=bodies, notes=tuple(notes), untouched=untouched)


_RESET = "Undo it in the editor, or begin again: wasm-lab exercises reset {name} (the file is kept beside)."


def _gone(answer: Cell) -> str:
    begins = f" that begins with {answer.magic}" if answer.magic else ""
    return f"The answer cell {answer.grade_id} is not in the notebook any more: a cell{begins}."


def _found(answer: Cell, asked: tuple[Cell, ...], copy: Exercise, notes: list[str]) -> Cell | None:
    """The learner's cell for an answer: by grade id, else by its magic line (a cell that was typed anew)."""
    same = [cell for cell in copy.cells if cell.grade_id == answer.grade_id]
    if not same:
        unnamed = [cell for cell in copy.cells if cell.kind == "code" and not cell.grade_id]
        same = [cell for cell in unnamed if begins_alone(cell.text, answer, asked)]
        if same:
            notes.append(f"The answer cell {answer.grade_id} was made anew; it is found by its first line.")
    changed = [cell for cell in same if cell.body.strip() != answer.body.strip()]
    if len({cell.body.strip() for cell in changed}) > 1:
        notes.append(
            f"{len(same)} cells are copies of the answer {answer.grade_id}. The last one is checked; "
            "delete the others."
        )
    if changed:
        return changed[-1]
    return same[-1] if same else None


def _body(cell: Cell, answer: Cell, notes: list[str]) -> str:
    """The body below the magic line that the cell has, whatever became of that line."""
    if cell.role is Role.WRITTEN or not answer.magic:
        return cell.text
    parts = split_magic(cell.text, answer.magic)
    if parts.above:
        notes.append(f"{answer.grade_id} has {parts.above!r} above its first line. That line is left out.")
    if parts.magic.split() == answer.magic.split():
        return parts.body
    if cell.magic:
        notes.append(
            f"The first line of {answer.grade_id} was changed to {cell.magic!r}. It is checked as "
            f"{answer.magic!r}, which is what grading uses too."
        )
        return cell.body
    notes.append(f"The first line of {answer.grade_id} is gone. Put it back: {answer.magic}")
    return cell.text


def _suspicions(body: str, answer: Cell) -> list[str]:
    """What a body looks like that its language cannot be."""
    first = body.lstrip().partition("\n")[0]
    if answer.magic and first.startswith("%"):
        return [f"Below its first line, {answer.grade_id} has another magic: {first}. Delete that line."]
    if answer.language == "rust" and looks_like_python(body):
        return [f"{answer.grade_id} looks like Python; this answer is written in Rust."]
    return []


def looks_like_python(body: str) -> bool:
    """Whether a text is Python and cannot be Rust.

    Example:
        >>> looks_like_python("def add(a, b):\\n    return a + b"), looks_like_python("pub fn f() {}")
        (True, False)
        >>> looks_like_python("")
        False
    """
    if not re.search(r"^\s*(def |class |import |from |return |print\(|\w+ = )", body, re.MULTILINE):
        return False
    try:
        ast.parse(body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
