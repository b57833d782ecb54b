"""Folders that a judged guest may read: copies in one folder that its process was opened to from its start.

A process cannot be opened to more once it has walled itself in, and each test of an exercise makes a folder of its
own. So small folders are copied, and one process serves all runs of a notebook.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wasm_lab.capabilities import Capabilities

#: What is copied at most of one folder; a larger one gets a process of its own.
MOST_BYTES, MOST_FILES = 16 * 1024 * 1024, 2000


class Given:
    """The folder with the copies; removed with this object."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="wasm-lab-judge-")).resolve()
        self._count = 0
        self.close = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def copied(self, capabilities: Capabilities) -> tuple[Capabilities, list[Path]]:
        """The capabilities with copies in the place of small folders, and what to remove after use.

        Raises:
            OSError: a folder cannot be read.
        """
        dirs, made = [], []
        for each in capabilities.dirs:
            if _is_small(each.host):
                self._count += 1
                copy = self.folder / str(self._count)
                # A link stays a link: what it leads to is no part of what was given.
                shutil.copytree(each.host, copy, symlinks=True)
                made.append(copy)
                dirs.append(replace(each, host=copy))
            else:
                dirs.append(each)
        return replace(capabilities, dirs=tuple(dirs)), made

    def elsewhere(self, capabilities: Capabilities) -> tuple[Path, ...]:
        """The folders of the capabilities that are no copies."""
        hosts = {each.host.resolve() for each in capabilities.dirs}
        return tuple(sorted(host for host in hosts if not host.is_relative_to(self.folder)))


def _is_small(folder: Path) -> bool:
    """Whether a folder holds nothing but folders, links and files that are quickly copied."""
    size = count = 0
    for place, names, files in os.walk(folder):
        count += len(names) + len(files)
        if count > MOST_FILES:
            return False
        for name in files:
            path = Path(place, name)
            if not path.is_symlink():
                if not path.is_file():
                    return False
                size += path.stat().st_size
        if size > MOST_BYTES:
            return False
    return True
