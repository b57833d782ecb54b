"""A submitted notebook, read without believing anything of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from wasm_lab.grading.entries import Unreadable

#: A notebook of more cells than this was made to be too much: exercises have about ten.
CELLS = 2_000
#: Brackets and objects, which bound what the text becomes in memory. Outputs of charts have thousands.
BRACKETS = 1_000_000
OBJECTS = 300_000
#: A cell's text is at most this long.
CELL_CHARACTERS = 1 << 20


class Truncated(Unreadable):
    """The file ends in the middle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedCell:
    """One cell as the student left it."""

    kind: str
    text: str | None  #: None: no text that can be taken
    grade_id: str
    told: dict[str, Any]  #: nbgrader's metadata, to be compared and not to be followed


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedNotebook:
    """What is looked at of a submitted notebook."""

    cells: tuple[SubmittedCell, ...]
    title: str  #: of ``wasm_lab.exercise``; empty when it says none
    chapter: str

    @property
    def grade_ids(self) -> set[str]:
        return {cell.grade_id for cell in self.cells if cell.grade_id}


def read_notebook(data: bytes) -> SubmittedNotebook:
    """The cells of a notebook file.

    Raises:
        Truncated: the text ends before the notebook does.
        Unreadable: it is no notebook of format 4, or was made to be too much; the text says which.

    Example:
        >>> read_notebook(b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": ["a"]}]}').cells[0].text
        'a'
    """
    text = _decoded(data)
    if text.count("{") + text.count("[") > BRACKETS:
        raise Unreadable(f"It has more than {BRACKETS} brackets.")
    notebook = _parsed(text)
    if not isinstance(notebook, dict):
        raise Unreadable("It is no notebook: its JSON is no object.")
    form = notebook.get("nbformat")
    if isinstance(form, bool) or form != 4:
        if not isinstance(form, int):
            raise Unreadable("It is no notebook: it does not say nbformat.")
        raise Unreadable(
            f"It is a notebook of format {form!s:.20}, and format 4 is read. "
            "Jupyter converts it when it is opened and saved."
        )
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise Unreadable("It is no notebook: it has no list of cells.")
    if len(cells) > CELLS:
        raise Unreadable(f"It has {len(cells)} cells, and up to {CELLS} are read.")
    told = _table(_table(notebook, "metadata"), "wasm_lab")
    exercise = _table(told, "exercise")
    return SubmittedNotebook(
        cells=tuple(_cell(cell) for cell in cells),
        title=_word(exercise.get("title")),
        chapter=_word(exercise.get("chapter")),
    )


def _decoded(data: bytes) -> str:
    if not data.strip():
        raise Truncated("It is empty.")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:64]:
        raise Unreadable("It is no UTF-8: it looks like UTF-16. Save it again as UTF-8.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.end == len(data) and error.reason == "unexpected end of data":
            raise Truncated("It ends in the middle of a character.") from None
        raise Unreadable(f"It is no UTF-8 (byte {error.start}).") from None


class _Hook:
    """Makes the objects of a JSON text, counts them, and refuses a key that is said twice."""

    def __init__(self) -> None:
        self.left = OBJECTS

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self.left -= 1
        if self.left < 0:
            raise Unreadable(f"It has more than {OBJECTS} objects.")
        made = dict(pairs)
        if len(made) < len(pairs):
            raise Unreadable("It says a key of an object twice, so two readers may see two notebooks.")
        return made


def _parsed(text: str) -> Any:
    try:
        # NaN and the like are no JSON, and Jupyter writes them in outputs, which are not looked at.
        return json.loads(text, object_pairs_hook=_Hook(), parse_constant=lambda _: None)
    except RecursionError:
        raise Unreadable("It is nested too deeply.") from None
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or not text.rstrip().endswith("}"):
            raise Truncated("It ends in the middle: the whole file has to be handed in again.") from None
        raise Unreadable(f"It is no JSON (line {error.lineno}): {error.msg}.") from None
    except ValueError:  # a number of thousands of digits
        raise Unreadable("It is no JSON that can be read: a number is too long.") from None


def _cell(cell: Any) -> SubmittedCell:
    told = _table(_table(cell, "metadata"), "nbgrader")
    grade_id = told.get("grade_id")
    kind = cell.get("cell_type") if isinstance(cell, dict) else None
    return SubmittedCell(
        kind=kind if kind in ("code", "markdown", "raw") else "",
        text=_text(cell.get("source")) if isinstance(cell, dict) else None,
        grade_id=grade_id if isinstance(grade_id, str) else "",
        told=told,
    )


_SURROGATE = re.compile("[\ud800-\udfff]")


def _text(source: Any) -> str | None:
    if isinstance(source, list):
        if not all(isinstance(line, str) for line in source):
            return None
        source = "".join(source)
    if not isinstance(source, str) or len(source) > CELL_CHARACTERS or _SURROGATE.search(source):
        return None
    return source.replace("\r\n", "\n")


def _table(value: Any, key: str) -> dict[str, Any]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""
