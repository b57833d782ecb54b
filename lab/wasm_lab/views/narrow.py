"""Tables on a terminal that is too narrow for them: as lists, so that no number is cut."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Column

#: The width at which text is folded that has no blanks to wrap at, such as a path, where a column allows that.
_FOLDED = 20

#: What a column has beside its text: a blank on each side, and a line.
_BESIDE = 3


def fitting(shown: RenderableType, console: Console) -> RenderableType:
    """The same, with each table that does not fit the console as a list of its rows.

    A table fits when no text that must stay on one line is cut, and no word of the others.
    """
    if isinstance(shown, Group):
        return Group(*(fitting(each, console) for each in shown.renderables))
    if not isinstance(shown, Table):
        return shown
    cells = [_texts(list(column.cells), console) for column in shown.columns]
    headings = _texts([column.header for column in shown.columns], console)
    if headings is None or any(column is None for column in cells):
        return shown  # it holds more than text
    columns = [column for column in cells if column is not None]
    room = console.width - _BESIDE * len(columns) - 1
    natural = [
        max(text.cell_len for text in (heading, *texts))
        for heading, texts in zip(headings, columns, strict=True)
    ]
    if sum(natural) <= room:
        return shown
    least = [
        _least(column, heading, texts)
        for column, heading, texts in zip(shown.columns, headings, columns, strict=True)
    ]
    if sum(least) <= room:
        return _with_widths(shown, least, natural, room)
    return Text("\n").join(_as_list(shown, headings, list(zip(*columns, strict=True))))


def _least(column: Column, heading: Text, texts: list[Text]) -> int:
    """The width in characters that a column needs."""
    if column.no_wrap:
        return max(text.cell_len for text in (heading, *texts))
    # Numbers stand at the right, with their units.
    words = [
        word
        for text in ([heading] if column.justify == "right" else [heading, *texts])
        for word in text.plain.split()
    ]
    longest = max(map(cell_len, words), default=1)
    if column.justify == "right":
        return max(longest, *(text.cell_len for text in texts)) if texts else longest
    return min(longest, _FOLDED) if column.overflow == "fold" else longest


def _with_widths(table: Table, least: list[int], natural: list[int], room: int) -> Table:
    """The table with its columns as wide as they must be, and what is left shared by what they would like.

    Rich's own way makes the widest narrower, whatever is in them, and then cuts words.
    """
    table = copy(table)
    table.columns = [copy(column) for column in table.columns]
    wishes = [wish - must for wish, must in zip(natural, least, strict=True)]
    left = room - sum(least)
    for column, must, wish in zip(table.columns, least, wishes, strict=True):
        column.width = must + (left * wish // sum(wishes))
    return table


def _as_list(table: Table, headings: list[Text], rows: list[tuple[Text, ...]]) -> list[Text]:
    lines = [Text(str(table.title), style="italic")] if table.title else []
    for row in rows:
        margin = ""
        for heading, cell in zip(headings, row, strict=True):
            if cell.plain:
                lead = f"{heading.plain}: " if heading.plain else ""
                lines.append(Text.assemble(margin, lead, cell))
                margin = "  "
    return lines


def _texts(cells: list[RenderableType], console: Console) -> list[Text] | None:
    """The cells as text; None when one of them is something else."""
    found = []
    for cell in cells:
        if isinstance(cell, str):
            found.append(console.render_str(cell))
        elif isinstance(cell, Text):
            found.append(cell)
        else:
            return None
    return found
