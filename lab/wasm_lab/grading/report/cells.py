"""Rows as CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from wasm_lab.grading.report.text import capped, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection"), and the wide forms of the same,
#: which some of them take for the narrow ones.
_SIGNS = "=+-@|%＝＋－＠"
_FORMULA = tuple(f"{_SIGNS}\t\r\n")
_BLANKS = " \u00a0\u3000"

#: Where a spreadsheet of another country begins a cell: there the list separator is a semicolon, so the commas and
#: quotation marks that this file was written with hold nothing together, and a line of a text becomes a row.
_BEGIN, _SIGN = r'(?<=[;,\t\r\n"])', rf"(?=[{_BLANKS}]*[{re.escape(_SIGNS)}])"
_INNER, _GUARDED = re.compile(_BEGIN + _SIGN), re.compile(f"{_BEGIN}'{_SIGN}")

#: A cell of Excel holds 32 767 characters ("Excel specifications and limits").
CELL_CHARACTERS = 30_000
#: What `capped` says of the rest is shorter.
NOTE_CHARACTERS = 100


def cell(text: str, characters: int = CELL_CHARACTERS) -> str:
    """Text for a cell: unseen characters as marks, and an apostrophe before what would be a formula.

    One stands before every sign at which some spreadsheet may begin a cell, also within the text.

    Example:
        >>> cell("=HYPERLINK(1)")
        "'=HYPERLINK(1)"
        >>> cell("Eve;=1+1")
        "Eve;'=1+1"
        >>> cell("Ada")
        'Ada'
    """
    text = _INNER.sub("'", shown(text, characters))
    # Apostrophes are long too; a little more stays, so that a cell which is written again is not cut again.
    text = text if len(text) <= characters + NOTE_CHARACTERS else capped(text, characters)
    return f"'{text}" if _is_formula(text) else text


def uncell(text: str) -> str:
    """A cell's text without the apostrophes that `cell` put into it.

    Example:
        >>> uncell("'- not quite"), uncell("'t Hooft"), uncell("Good;'- but")
        ('- not quite', "'t Hooft", 'Good;- but')
    """
    text = text[1:] if text.startswith("'") and _is_formula(text[1:]) else text
    return _GUARDED.sub("", text)


def _is_formula(text: str) -> bool:
    return text.lstrip(_BLANKS).startswith(_FORMULA)


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
    return cell(value, CELL_CHARACTERS + NOTE_CHARACTERS) if isinstance(value, str) else number(value)
