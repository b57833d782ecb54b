"""Messages of any compiler in one layout: the one that rustc uses, with the learner's lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wasm_lab.build.layout import BLUE, BOLD, GREEN, RED, RESET, YELLOW
from wasm_lab.diagnostic import Diagnostic, Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasm_lab.source import Source

ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)

_COLOURS = {"error": RED, "warning": YELLOW, "note": GREEN, "help": BLUE}


@dataclass(slots=True)
class Message:
    """One message as it is read; lines and columns count from 1."""

    level: str
    text: str
    code: str = ""
    file: str = ""  #: the learner's text by its label, or another file; empty for no place
    line: int = 0
    column: int = 0
    end_column: int = 0
    shown: str = ""  #: the line of source that the compiler shows
    remarks: list[str] = field(default_factory=list)


def marks(line: str) -> tuple[int, int] | None:
    """The columns, from 1, where a line of ``^`` and ``~`` begins and ends (exclusive); None when it is none."""
    if not line.strip(" \t^~|") and "^" in line:
        return len(line) - len(line.lstrip()) + 1, len(line.rstrip()) + 1
    return None


def diagnostic(message: Message, source: Source) -> Diagnostic:
    """A message as the lab has it, drawn in rustc's layout."""
    spans: tuple[Span, ...] = ()
    if message.line:
        end = max(message.end_column, message.column + 1)
        spans = (
            Span(
                label=message.file or source.label,
                line=message.line,
                column=message.column,
                end_line=message.line,
                end_column=end,
            ),
        )
    return Diagnostic(
        level=message.level,
        message=message.text,
        code=message.code,
        spans=spans,
        rendered=_drawn(message, source),
    )


def calls_in_vain(source: Source, known: Mapping[str, str]) -> list[Message]:
    """Warnings at calls that compile and that no guest can do; without them, the program ends in a riddle.

    Args:
        known: patterns of names to why their call is in vain.
    """
    text = _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source.code)
    found = []
    for pattern, why in known.items():
        for call in re.finditer(rf"(?<![\w.])({pattern})(?=\s*\()", text):
            line = text.count("\n", 0, call.start())
            column = call.start() - (text.rfind("\n", 0, call.start()) + 1) + 1
            message = Message("warning", f"{call[1]} cannot work here", remarks=[f"note: {why}"])
            message.file, message.line = source.label, line + source.first_line
            message.column, message.end_column = column, column + len(call[1])
            found.append(message)
    return sorted(found, key=lambda each: (each.line, each.column))


def own_line(source: Source, line: int) -> str:
    """The learner's text on a line of the cell; empty where there is none."""
    lines = source.code.split("\n")
    index = line - source.first_line
    return lines[index] if 0 <= index < len(lines) else ""


def _drawn(message: Message, source: Source) -> str:
    colour = _COLOURS.get(message.level, BOLD)
    code = f"[{message.code}]" if message.code else ""
    lines = [f"{colour}{message.level}{code}{RESET}{BOLD}: {message.text}{RESET}"]
    gutter = " " * len(str(message.line)) if message.line else ""
    if message.line:
        file = message.file or source.label
        lines.append(f"{gutter}{BLUE}-->{RESET} {file}:{message.line}:{message.column}")
        shown = message.shown or (own_line(source, message.line) if file == source.label else "")
        if shown.strip():
            begin = min(message.column, len(shown) + 1)
            blank = "".join("\t" if each == "\t" else " " for each in shown[: begin - 1])
            underline = "^" * max(1, min(message.end_column, len(shown) + 1) - begin)
            lines += [
                f"{gutter} {BLUE}|{RESET}",
                f"{BLUE}{message.line} |{RESET} {shown.rstrip()}".replace("\t", "    "),
                f"{gutter} {BLUE}|{RESET} {blank}{colour}{underline}{RESET}".replace("\t", "    "),
            ]
    lines += [f"{gutter} {BLUE}={RESET} {remark}" for remark in message.remarks]
    return "\n".join(lines)
