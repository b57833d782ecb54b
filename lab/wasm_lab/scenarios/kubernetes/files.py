"""Which files are meant by what a user gives: files, folders, patterns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

SUFFIXES = (".yaml", ".yml", ".json")

#: Folders in which no manifest is looked for.
PASSED_OVER = {"node_modules", "target", "vendor", "__pycache__"}

#: More files than this below a folder are a mistake in the path.
FILES_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Meant:
    """A file, and whether it was named or found below a folder."""

    path: Path
    named: bool


def manifests(words: Iterable[str | Path]) -> list[Meant]:
    """The files that are meant, each once, those of a folder in the order of their names.

    Args:
        words: files, folders (all manifests below), patterns such as ``deploy/**/*.yaml``.

    Raises:
        UsageError: nothing fits a pattern, or a folder holds no manifest.
    """
    found: dict[Path, Meant] = {}
    for word in words:
        path = Path(word)
        if path.is_dir():
            below = _below(path)
            if not below:
                raise UsageError(
                    f"{path} holds no manifest.",
                    hint=f"Files that end in {', '.join(SUFFIXES)} are looked for.",
                )
            fits = [Meant(file, False) for file in below]
        elif not path.exists() and any(letter in str(word) for letter in "*?["):
            base = Path(path.anchor) if path.is_absolute() else Path()
            pattern = str(path.relative_to(path.anchor)) if path.is_absolute() else str(path)
            fits = [Meant(file, True) for file in sorted(base.glob(pattern)) if file.is_file()]
            if not fits:
                raise UsageError(
                    f"No file fits the pattern {word}.", hint="Patterns are such as deploy/**/*.yaml."
                )
        else:
            fits = [Meant(path, True)]
        for meant in fits:
            found.setdefault(meant.path, meant)
    return list(found.values())


def _below(folder: Path) -> list[Path]:
    files: list[Path] = []
    for file in folder.rglob("*"):
        parts = file.relative_to(folder).parts[:-1]
        if file.suffix.lower() not in SUFFIXES or any(p in PASSED_OVER or p.startswith(".") for p in parts):
            continue
        if file.is_file():
            files.append(file)
        if len(files) > FILES_MAX:
            raise UsageError(
                f"{folder} holds more than {FILES_MAX:,} manifests.", hint="Name a folder further down."
            )
    return sorted(files)
