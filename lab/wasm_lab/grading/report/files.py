"""Files of a report: each is replaced in one step or left as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


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
        raise UsageError(
            f"{path} cannot be written: {error.strerror or error}.", hint="Name another folder with --out."
        ) from error
    return path
