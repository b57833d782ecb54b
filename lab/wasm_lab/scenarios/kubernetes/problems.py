"""What is wrong with a manifest, at a place in a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

#: ``error``: an API server refuses the object, or what the text asks for can never work.
#: ``warning``: it is accepted, and very likely does something other than what was meant.
#: ``note``: nothing is wrong, but worth knowing; also what could not be checked.
Severity: TypeAlias = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a manifest, or worth knowing of it.

    >>> print(Problem("a.yaml", 3, 1, "unknown field `kin`", "Did you mean `kind`?"))
    a.yaml:3:1: error: unknown field `kin`
        Did you mean `kind`?
    """

    file: str  #: as it was given; ``<stdin>`` or empty for text
    line: int  #: counted from 1; 0 where no line is to blame (a file that is missing)
    column: int  #: counted from 1, in characters
    message: str  #: what is wrong, and why
    hint: str = ""  #: what to write instead
    severity: Severity = "error"
    path: str = ""  #: the field, such as ``spec.template.spec.containers[0].image``
    versions: tuple[
        str, ...
    ] = ()  #: the versions of Kubernetes that mind; empty where it is no matter of versions

    @property
    def place(self) -> str:
        """``file:line:column``, as compilers write it."""
        return f"{self.file}:{self.line}:{self.column}".lstrip(":") if self.line else self.file

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        first = f"{place}{self.severity}: {self.message}"
        return first + "".join(f"\n    {line}" for line in self.hint.splitlines())
