"""What zig says, told in the learner's own lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wasm_lab.diagnostic import Diagnostic, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.source import Source

_HEAD = re.compile(
    r"^(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<level>fatal error|error|warning|note): (?P<message>.*)$"
)


def read(said: str, source: Source) -> tuple[Diagnostic, ...]:
    """The messages in its own layout, each with its place."""
    found: list[Diagnostic] = []
    lines: list[str] = []

    def close() -> None:
        head = _HEAD.match(lines[0]) if lines else None
        if head is None:
            return
        line, column = int(head["line"]), int(head["column"])
        span = Span(label=source.label, line=line, column=column, end_line=line, end_column=column)
        level = "error" if head["level"] == "fatal error" else head["level"]
        found.append(
            Diagnostic(level=level, message=head["message"], spans=(span,), rendered="\n".join(lines))
        )

    for line in said.splitlines():
        if _HEAD.match(line):
            close()
            lines = [line]
        elif lines:
            lines.append(line)
    close()
    return tuple(found)


def hint(diagnostics: Sequence[Diagnostic], source: Source) -> str:
    """What to do next."""
    del diagnostics, source
    return ""
