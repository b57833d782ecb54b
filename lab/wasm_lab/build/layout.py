"""Text in rustc's own layout, to be edited without breaking its colours.

rustc draws a message as a heading, an arrow line with the place, numbered source lines and, under
each, a line of marks. An edit of a source line must shift the marks under it, and colours are escape
sequences between the characters: so a line is held here as characters, each with its colour.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ESCAPE = re.compile(r"\x1b\[([0-9;]*)m")
RESET = "\x1b[0m"
BOLD = "\x1b[1m"
BLUE = "\x1b[1m\x1b[94m"
RED = "\x1b[1m\x1b[91m"
YELLOW = "\x1b[1m\x1b[33m"
GREEN = "\x1b[1m\x1b[92m"

#: ``12 | let x = 5;`` and, in a suggestion, ``12 ~``, ``12 +`` or ``12 -``.
SOURCE = re.compile(r"^ *(?P<number>\d+) *(?P<bar>[|~+-])(?: |$)")
#: Marks under a source line, or the empty line between parts.
MARKS = re.compile(r"^ +(?P<bar>\|)(?: |$)")
#: ``--> cell:3:5``, and ``::: cell:3:5`` for a further file.
ARROW = re.compile(r"^ *(?:-->|:::) (?P<file>.+?):(?P<line>\d+):(?P<column>\d+)$")
#: ``= note: …``, whose further lines are indented.
REMARK = re.compile(r"^ +=")
#: The first line of a message or of what it adds.
HEADING = re.compile(r"^(?:error|warning|note|help)\b.*?:")
#: Where the words of a label begin in a line of marks.
_LABEL = re.compile(r"(?:(?<= )|^)[^\s|^_~+.-].*$")


@dataclass(slots=True)
class Line:
    """One line: its characters, and the escape sequences in force at each."""

    text: str
    styles: list[str]

    @classmethod
    def plain(cls, text: str, style: str = "") -> Line:
        return cls(text, [style] * len(text))

    @classmethod
    def joined(cls, *parts: tuple[str, str]) -> Line:
        """A line of pieces, each a text and its style."""
        return cls("".join(text for text, _ in parts), [style for text, style in parts for _ in text])

    def cut(self, start: int, end: int) -> None:
        self.replace(start, end, "")

    def replace(self, start: int, end: int, new: str) -> None:
        """Put ``new`` for the characters from ``start`` to ``end``, in the colour of the first of them."""
        style = self.styles[start] if start < len(self.styles) else ""
        self.text = self.text[:start] + new + self.text[end:]
        self.styles[start:end] = [style] * len(new)

    def render(self, *, color: bool) -> str:
        if not color:
            return self.text.rstrip()
        parts, current = [], ""
        for character, style in zip(self.text, self.styles, strict=True):
            if style != current:
                parts.append((RESET if current else "") + style)
                current = style
            parts.append(character)
        return "".join(parts).rstrip() + (RESET if current else "")


def parse(rendered: str) -> list[Line]:
    """The lines of a text with ANSI colours."""
    lines, style = [], ""
    for raw in rendered.split("\n"):
        text, at = "", 0
        styles: list[str] = []
        for escape in _ESCAPE.finditer(raw):
            piece = raw[at : escape.start()]
            text, styles = text + piece, styles + [style] * len(piece)
            style = "" if escape[1] in {"", "0"} else style + escape[0]
            at = escape.end()
        lines.append(Line(text + raw[at:], styles + [style] * (len(raw) - at)))
    return lines


def text(lines: Sequence[Line], *, color: bool) -> str:
    """The lines as one text that ends with a line end."""
    return "\n".join(line.render(color=color) for line in lines).rstrip() + "\n"


def width(text: str) -> int:
    """The columns that rustc gives to ``text``: 4 for a tab, 2 for a wide character, 0 for a combining one."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if character == "\t":
        return 4
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shown(source: str) -> str:
    """A source line as rustc prints it."""
    return source.replace("\t", "    ").rstrip()


def cut_marks(line: Line, start: int, end: int) -> None:
    """Take the columns from ``start`` to ``end`` out of a line of marks, but no words of a label."""
    label = _LABEL.search(line.text, line.text.find("|") + 1)
    limit = label.start() if label else len(line.text)
    if start < limit:
        line.cut(start, min(end, limit))


def draw(
    *,
    level: str,
    code: str,
    message: str,
    place: tuple[str, int, int],
    source: str,
    length: int,
    label: str = "",
    remarks: Sequence[str] = (),
) -> list[Line]:
    """A message in rustc's layout, for what the lab says in its own words.

    Args:
        place: cell or file, line and column.
        source: the source line; empty leaves the picture out.
        length: of the marked part, in characters.
        label: words after the marks.
        remarks: such as ``help: add a semicolon``.
    """
    color = RED if level == "error" else YELLOW
    file, number, column = place
    pad = " " * len(str(number))
    lines = [
        Line.joined((level + (f"[{code}]" if code else ""), color), (f": {message}", BOLD)),
        Line.joined((f"{pad}--> ", BLUE), (f"{file}:{number}:{column}", "")),
    ]
    if source.strip():
        before = width(source[: column - 1])
        marks = "^" * max(1, width(source[column - 1 : column - 1 + length]))
        lines += [
            Line.plain(f"{pad} |", BLUE),
            Line.joined((f"{number} |", BLUE), (f" {shown(source)}", "")),
            Line.joined((f"{pad} |", BLUE), (" " * (before + 1), ""), (f"{marks} {label}", color)),
        ]
    if remarks:
        lines.append(Line.plain(f"{pad} |", BLUE))
    for remark in remarks:
        kind, _, words = remark.partition(": ")
        lines.append(Line.joined((f"{pad} = ", BLUE), (kind, BOLD), (f": {words}", "")))
    return lines
