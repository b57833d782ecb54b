"""What is found in an image: its parts as they are, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: More findings than this nobody reads.
_MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong (``error``), unwise (``warning``) or worth knowing (``note``)."""

    level: str
    where: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFound:
    """One layer as it is."""

    digest: str
    media_type: str
    size_bytes: int
    title: str = ""
    uncompressed_bytes: int | None = None  #: None where it was not read to its end
    files: int | None = None  #: None for a layer that is no tar


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFound:
    """One image as it says it is."""

    name: str  #: what it is called; empty where nothing says
    digest: str
    form: (
        str  #: ``compat`` (a Wasm file in an ordinary image), ``artifact``, ``spin``, ``native`` or ``other``
    )
    platform: str
    config_media_type: str
    config: dict[str, Any]
    annotations: dict[str, str]
    layers: tuple[LayerFound, ...]


@dataclass
class Report:
    """What was found in an archive or folder."""

    path: str
    images: list[ImageFound] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong with it."""
        return not any(problem.level == "error" for problem in self.problems)

    def say(self, level: str, where: str, message: str, hint: str = "") -> None:
        """Add a finding; the same one only once, and no more than anybody reads."""
        problem = Problem(level, where, message, hint)
        if problem not in self.problems and len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)
