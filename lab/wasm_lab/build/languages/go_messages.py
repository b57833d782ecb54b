"""What the Go compiler and linker say, told in the learner's own lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wasm_lab.diagnostic import Diagnostic, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.source import Source

_HEAD = re.compile(
    r"^(?:\./|vet: |.*/)?(?P<file>[^:/]+):(?P<line>\d+)(?::(?P<column>\d+))?: (?P<message>.*)$"
)


def read(said: str, source: Source) -> tuple[Diagnostic, ...]:
    """The messages, each with its place."""
    found: list[Diagnostic] = []
    for text in said.splitlines():
        head = _HEAD.match(text)
        if head is None:
            continue
        line, column = int(head["line"]), int(head["column"] or 1)
        span = Span(label=source.label, line=line, column=column, end_line=line, end_column=column)
        found.append(Diagnostic(level="error", message=head["message"], spans=(span,), rendered=text))
    return tuple(found)


def hint(diagnostics: Sequence[Diagnostic], source: Source) -> str:
    """What to do next."""
    del diagnostics, source
    return ""
