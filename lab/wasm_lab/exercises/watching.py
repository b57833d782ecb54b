"""Seeing that a learner saved a file: by its time of change, which works on every kind of disk."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Between two looks. Shorter than a person notices, and nothing to a disk.
INTERVAL_S = 0.2


def saved_files(
    folder: Path, names: set[str], *, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Path]:
    """Each exercise that is saved from this call on, until interrupted.

    Args:
        folder: of the learner's copies.
        names: stems of the files that count.
        sleep: how to wait.
    """
    # Not a generator itself: that would look for the first time only when it is asked for the first file.
    return _changes(folder, names, _states(folder, names), sleep)


def _changes(
    folder: Path, names: set[str], before: dict[Path, tuple[int, int]], sleep: Callable[[float], None]
) -> Iterator[Path]:
    while True:
        sleep(INTERVAL_S)
        after = _states(folder, names)
        changed = [path for path, state in after.items() if before.get(path) != state]
        # A file that is still being written is looked at again: its state must have come to rest.
        settled = _states(folder, names) if changed else after
        for path in changed:
            if settled.get(path) == after[path]:
                yield path
        before = {path: state for path, state in after.items() if settled.get(path) == state}


def _states(folder: Path, names: set[str]) -> dict[Path, tuple[int, int]]:
    """Time of change and size of each file; of files that go meanwhile, nothing."""
    found = {}
    for path in sorted(folder.glob("*/*.ipynb")):
        if path.stem in names:
            try:
                status = path.stat()
            except OSError:
                continue
            found[path] = (status.st_mtime_ns, status.st_size)
    return found
