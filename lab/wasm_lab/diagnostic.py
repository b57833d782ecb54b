"""Messages of a compiler, placed in the learner's own text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A place in the learner's own text. Lines and columns count from 1."""

    label: str  #: the cell or file
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One message of the compiler, placed in the learner's own text."""

    level: str  #: ``error``, ``warning``, ``note`` or ``help``
    message: str
    code: str = ""  #: such as ``E0308``, or a lint's name; empty when it has none
    spans: tuple[Span, ...] = ()  #: the primary places
    rendered: str = ""  #: the compiler's own layout, with ANSI colours
