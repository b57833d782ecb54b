"""Files of a report: each is replaced in one step or left as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make the folder of a report where it is missing, for its owner alone: hidden tests and marks stand in it.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot(folder, error) from error


def write(path: Path, content: str | bytes) -> Path:
    """Write a file atomically, as UTF-8 where it is text, and wait until the disk has it. Gives the path back.

    Raises:
        UsageError: it cannot be written.
    """
    from boltons.fileutils import atomic_save

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A run that was killed leaves a part, which is in nobody's way.
        with atomic_save(str(path), overwrite=True, overwrite_part=True) as file:
            file.write(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise _cannot(path, error) from error
    return path


def _cannot(path: Path, error: OSError) -> UsageError:
    why = error.strerror or error
    return UsageError(f"{path} cannot be written: {why}.", hint="Name another folder with --out.")
