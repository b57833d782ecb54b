"""From places in the text that rustc saw to places in the learner's own text."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from wasm_lab.diagnostic import Span

if TYPE_CHECKING:
    from wasm_lab.build.crate import Crate
    from wasm_lab.source import Source

#: What every name and file of the lab's own making begins with.
MARK = "__wasm_lab"


class Places:
    """The map between a Crate's root and the Source that it was made from.

    ``line`` and ``column`` are the learner's, ``rust_line`` and ``rust_column`` are rustc's;
    all count from 1, columns in characters.
    """

    def __init__(self, crate: Crate, source: Source) -> None:
        self.label = source.label
        self.offset = crate.line_offset
        self.first_line = source.first_line
        self.code = source.code
        self._own = [line.removesuffix("\r") for line in source.code.split("\n")]
        self._root = [line.removesuffix("\r") for line in crate.root.split("\n")]
        pieces = {part for piece in crate.synthetic for part in piece.split("\n") if part}
        self._pieces = sorted(pieces, key=len, reverse=True)
        self._cuts: dict[int, list[tuple[int, int]]] = {}

    def own(self, line: int) -> str | None:
        """The learner's text on ``line``; None where the learner has no such line."""
        index = line - self.first_line
        return self._own[index] if 0 <= index < len(self._own) else None

    def root(self, rust_line: int) -> str:
        """The text that rustc saw on its line."""
        return self._root[rust_line - 1] if 0 < rust_line <= len(self._root) else ""

    def line(self, rust_line: int) -> int:
        return rust_line + self.offset

    @cached_property
    def last(self) -> tuple[int, int]:
        """The line and column just after the learner's last character that is no white space."""
        for index in range(len(self._own) - 1, -1, -1):
            if self._own[index].strip():
                return self.first_line + index, len(self._own[index].rstrip()) + 1
        return self.first_line, 1

    def cuts(self, rust_line: int) -> list[tuple[int, int]]:
        """Where synthetic text stands on a line of the root: start and end, from 0, rightmost first."""
        if rust_line not in self._cuts:  # every message of a line asks for them several times
            self._cuts[rust_line] = self._found_cuts(rust_line)
        return self._cuts[rust_line]

    def _found_cuts(self, rust_line: int) -> list[tuple[int, int]]:
        own, root = self.own(self.line(rust_line)), self.root(rust_line)
        if own is None:
            return [(0, len(root))]
        found, at, start = [], 0, 0
        while start < len(root):
            piece = next((p for p in self._pieces if root.startswith(p, start)), None)
            if piece and not own.startswith(piece, at):
                found.append((start, start + len(piece)))
                start += len(piece)
            elif at < len(own) and own[at] == root[start]:
                at, start = at + 1, start + 1
            else:  # nothing says what stands here: take what is between the ends that agree
                return _difference(own, root)
        return found[::-1]

    def is_root(self, file: str) -> bool:
        return file in {self.label, self.label.replace("=", "-")}

    def column(self, rust_line: int, rust_column: int) -> int | None:
        """The learner's column; None within synthetic text. A place just after the line's end is kept."""
        at = rust_column - 1
        shift = 0
        for start, end in self.cuts(rust_line):
            if start <= at < end:
                return None
            if end <= at:
                shift += end - start
        return rust_column - shift

    def span(self, span: dict[str, Any]) -> Span | None:
        """The learner's place for a span of rustc's; None when it lies wholly in synthetic text."""
        if not self.is_root(span["file_name"]):
            return None
        rust_line, rust_end = span["line_start"], span["line_end"]
        line, end_line = self.line(rust_line), self.line(rust_end)
        if self.own(line) is None:
            return None
        column = self.column(rust_line, span["column_start"])
        if column is None:
            cut = next(c for c in self.cuts(rust_line) if c[0] <= span["column_start"] - 1 < c[1])
            if rust_end == rust_line and span["column_end"] - 1 <= cut[1]:
                return None
            column = self.column(rust_line, cut[1] + 1)
            rest = (self.own(line) or "")[(column or 1) - 1 :]
            if column is None or not rest.strip():
                return None
            column += len(rest) - len(rest.lstrip())
        if self.own(end_line) is None:
            end_line, end_column = self.last
        else:
            end_column = self.end_column(rust_end, span["column_end"])
        end_line, end_column = max((end_line, end_column), (line, column))
        return Span(label=self.label, line=line, column=column, end_line=end_line, end_column=end_column)

    def span_or_call(self, span: dict[str, Any]) -> Span | None:
        """The learner's place for a span, or for the call of the macro that it comes from."""
        step: dict[str, Any] | None = span
        while step:
            found = self.span(step)
            if found:
                return found
            step = step["expansion"]["span"] if step["expansion"] else None
        return self._elsewhere(span)

    def _elsewhere(self, span: dict[str, Any]) -> Span | None:
        """A place in another file of the learner's, which the code names by ``mod`` or ``include!``."""
        file = span["file_name"]
        if self.is_root(file) or MARK in file or file.startswith(("/rustc/", "<")):
            return None
        return Span(
            label=file,
            line=span["line_start"],
            column=span["column_start"],
            end_line=span["line_end"],
            end_column=span["column_end"],
        )

    def end_column(self, rust_line: int, rust_column: int) -> int:
        """The learner's column for the place after a span's last character."""
        at = rust_column - 1
        shift = sum(min(end, at) - start for start, end in self.cuts(rust_line) if start < at)
        return rust_column - shift

    def moved(self, span: dict[str, Any]) -> Span | None:
        """The learner's place of text that stands elsewhere in the root, such as ``#![feature(x)]``."""
        texts = span["text"]
        if not self.is_root(span["file_name"]) or len(texts) != 1:
            return None
        found = texts[0]["text"][texts[0]["highlight_start"] - 1 : texts[0]["highlight_end"] - 1].strip()
        for line, own in enumerate(self._own, self.first_line):
            at = own.find(found) if found else -1
            # Where it stood, the root has blanks.
            if at >= 0 and not self.root(line - self.offset)[at : at + len(found)].strip():
                return Span(
                    label=self.label, line=line, column=at + 1, end_line=line, end_column=at + 1 + len(found)
                )
        return None

    def clamp(self, line: int) -> tuple[int, int]:
        """The nearest place that the learner has, for a line before or after the learner's text."""
        return (self.first_line, 1) if line < self.first_line else self.last


def _difference(own: str, root: str) -> list[tuple[int, int]]:
    if len(own) >= len(root):
        return []
    head = 0
    while head < len(own) and own[head] == root[head]:
        head += 1
    return [(head, head + len(root) - len(own))]
