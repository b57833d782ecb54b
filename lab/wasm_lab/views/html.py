"""Tables and text as HTML: real tables, which a screen reader can walk, not pictures of tables."""

from __future__ import annotations

import html
import io
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

#: Colours that stand apart on white and on dark (WCAG 2.2, contrast of 4.5 to 1 for text on both
#: is not to be had, so colour only repeats what the words say).
_COLOURS = {"green": "#2e8b57", "red": "#d1495b", "yellow": "#b7791f"}


def to_html(parts: Iterable[RenderableType]) -> str:
    """Tables as ``<table>`` with a caption, texts as paragraphs, anything else preformatted."""
    return "".join(_part(part) for part in parts)


def _part(part: Any) -> str:
    if isinstance(part, Table):
        return table_html(part)
    if isinstance(part, Text):
        return f"<p>{_inline(part)}</p>"
    return f"<pre>{html.escape(plain_text(part))}</pre>"


def table_html(table: Table) -> str:
    """A rich table as an HTML table: its title is the caption, its header cells head columns."""
    caption = f"<caption style='text-align: left'>{_inline(table.title)}</caption>" if table.title else ""
    heads = "".join(
        f"<th scope='col' style='text-align: {_side(column.justify)}'>{_inline(column.header)}</th>"
        for column in table.columns
    )
    columns = [(_side(column.justify), list(column.cells)) for column in table.columns]
    rows = []
    for number in range(table.row_count):
        cells = "".join(
            f"<td style='text-align: {side}'>{_inline(cells[number])}</td>" for side, cells in columns
        )
        rows.append(f"<tr>{cells}</tr>")
    head = f"<thead><tr>{heads}</tr></thead>" if table.show_header else ""
    return f"<table>{caption}{head}<tbody>{''.join(rows)}</tbody></table>"


def plain_text(part: RenderableType, *, columns: int = 120) -> str:
    """What a terminal without colours shows of any renderable."""
    out = io.StringIO()
    # In a notebook rich would display the text as an output of the cell as well.
    Console(file=out, color_system=None, force_terminal=False, force_jupyter=False, width=columns).print(part)
    return out.getvalue()


def _side(justify: str) -> str:
    return justify if justify in ("right", "center") else "left"


def _inline(cell: Any) -> str:
    text = cell if isinstance(cell, Text) else Text.from_markup(cell) if isinstance(cell, str) else None
    if text is None:
        return html.escape(plain_text(cell).strip())
    style = str(text.style)
    escaped = html.escape(text.plain).replace("\n", "<br>")
    marks = [f"color: {code}" for name, code in _COLOURS.items() if name in style]
    marks += ["font-weight: bold"] if "bold" in style else []
    marks += ["opacity: 0.75"] if "dim" in style else []
    return f"<span style='{'; '.join(marks)}'>{escaped}</span>" if marks else escaped
