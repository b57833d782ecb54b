"""Lines and columns as an editor counts them, of a text that libyaml gets in a slightly other form."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_BREAK = re.compile(r"\r\n|\r|\n")

#: What libyaml takes for the end of a line, and editors do not.
_BREAKS_OF_YAML = re.compile("[\x85\u2028\u2029]")


class Lines:
    """Where the lines of a text begin.

    Example:
        >>> Lines("a: 1\\nb: 2").place(8)
        (2, 4)
    """

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in _BREAK.finditer(text))]

    def place(self, index: int) -> tuple[int, int]:
        """Line and column of a character, both counted from 1."""
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1


class Given:
    """A text as libyaml gets it, and the way back from its places to those of the file."""

    def __init__(self, text: str, first_line: int = 0) -> None:
        self.original = text
        self.text = text  #: what is to be read
        self.first_line = first_line  #: how many lines of the file stand before the text
        self._shifts: list[tuple[int, int]] = []  #: from which index of the text on, and by how much
        self._lines: Lines | None = None
        self._plain = not _BREAKS_OF_YAML.search(text)

    def replace(self, spans: Iterable[tuple[int, int]], by: str) -> None:
        """Put other characters in the place of some.

        Args:
            spans: from where to where, in their order, and behind all that were replaced before.
            by: what comes there.
        """
        parts, copied, length = list[str](), 0, 0
        shift = self._shifts[-1][1] if self._shifts else 0
        for start, end in spans:
            parts += [self.text[copied:start], by]
            length += start - copied + len(by)
            shift += end - start - len(by)
            self._shifts.append((length, shift))
            copied = end
        self.text = "".join([*parts, self.text[copied:]])
        self._plain = False

    def place(self, mark: Any) -> tuple[int, int]:
        """Line and column in the file of a mark of libyaml."""
        if self._plain:
            return self.first_line + mark.line + 1, mark.column + 1
        return self.place_of(mark.index)

    def place_of(self, index: int) -> tuple[int, int]:
        """Line and column in the file of a character of the text that is read."""
        at = bisect_right(self._shifts, (index, len(self.original))) - 1
        if self._lines is None:
            self._lines = Lines(self.original)
        line, column = self._lines.place(index + (self._shifts[at][1] if at >= 0 else 0))
        return self.first_line + line, column
