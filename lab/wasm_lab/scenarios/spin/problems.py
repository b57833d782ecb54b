"""What is wrong with a file, at a place in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

#: ``error``: Spin refuses the file. ``warning``: Spin starts it, and a part of it can never work.
#: ``note``: nothing is wrong, but worth knowing.
Level: TypeAlias = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a manifest, or worth knowing of it.

    >>> print(Problem(3, 1, "unknown key `nmae`", "did you mean `name`?"))
    3:1: error: unknown key `nmae`
        did you mean `name`?
    """

    line: int  #: counted from 1; 0 where no line is to blame (a file that is missing)
    column: int  #: counted from 1, in characters
    message: str  #: what is wrong, and why
    hint: str = ""  #: what to write instead
    level: Level = "error"

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}: " if self.line else ""
        first = f"{place}{self.level}: {self.message}"
        return first + "".join(f"\n    {line}" for line in self.hint.splitlines())
