"""Rows as CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from wasm_lab.grading.report.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection"), and the wide forms of the same,
#: which some of them take for the narrow ones.
_FORMULA = tuple("=+-@\t\r\n|%") + tuple("＝＋－＠")

#: A cell of Excel holds 32 767 characters ("Excel specifications and limits").
CELL_CHARACTERS = 30_000


def cell(text: str, characters: int = CELL_CHARACTERS) -> str:
    """Text for a cell: unseen characters as marks, and an apostrophe before what would be a formula.

    Example:
        >>> cell("=HYPERLINK(1)")
        "'=HYPERLINK(1)"
        >>> cell("Ada")
        'Ada'
    """
    text = shown(text, characters)
    return f"'{text}" if _is_formula(text) else text


def uncell(text: str) -> str:
    """A cell's text without the apostrophe that `cell` put before it.

    Example:
        >>> uncell("'- not quite"), uncell("'t Hooft")
        ('- not quite', "'t Hooft")
    """
    return text[1:] if text.startswith("'") and _is_formula(text[1:]) else text


def _is_formula(text: str) -> bool:
    return text.lstrip(" \u00a0\u3000").startswith(_FORMULA)


def csv_text(rows: Iterable[Sequence[str | float | None]], *, delimiter: str = ",") -> str:
    """Rows as CSV (RFC 4180: lines end with CR LF). Texts go through `cell`, None is an empty cell.

    Example:
        >>> csv_text([["student", "points"], ["@SUM(1)", 1.5]])
        "student,points\\r\\n'@SUM(1),1.5\\r\\n"
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows([_value(value) for value in row] for row in rows)
    return out.getvalue()


def number(value: float) -> str:
    """Points as people write them: at most four digits after the point, none that say nothing.

    Example:
        >>> number(2.0), number(1 / 3)
        ('2', '0.3333')
    """
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _value(value: str | float | None) -> str:
    if value is None:
        return ""
    # A cell that was cut once, with the words that say so, is left as it is when it is written again.
    return cell(value, CELL_CHARACTERS + 100) if isinstance(value, str) else number(value)
