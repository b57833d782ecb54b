"""The names of a guest's file descriptors, kept up from the calls it makes."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wasm_lab.capabilities import Directory

_STANDARD = {0: "stdin", 1: "stdout", 2: "stderr"}

#: The first descriptor after the standard streams; preopened folders follow from there.
FIRST_PREOPEN = 3


class Descriptors:
    """What each open descriptor stands for: a stream, a preopened folder or an opened path.

    Example:
        >>> from pathlib import Path
        >>> from wasm_lab.capabilities import Directory
        >>> fds = Descriptors([Directory(Path("/tmp"), "/data")])
        >>> fds.opened(4, 3, "a.txt")
        >>> fds.name(4)
        '/data/a.txt'
    """

    def __init__(self, directories: Iterable[Directory]) -> None:
        self._names = dict(_STANDARD)
        self._preopens: dict[int, Directory] = {}
        for number, directory in enumerate(directories, FIRST_PREOPEN):
            self._names[number] = directory.guest
            self._preopens[number] = directory

    def name(self, number: int) -> str:
        """Such as ``stdout`` or ``/data/a.txt``; ``fd N`` for one that is not open."""
        return self._names.get(number, f"fd {number}")

    def is_open(self, number: int) -> bool:
        return number in self._names

    def directory(self, number: int) -> Directory | None:
        """The granted folder that a descriptor is, or lies in."""
        return self._preopens.get(number)

    def opened(self, number: int, directory: int, path: str) -> None:
        """``path_open`` beneath ``directory`` gave ``number``."""
        base = self.name(directory)
        self._names[number] = posixpath.normpath(path if base in {".", ""} else f"{base}/{path}")
        granted = self._preopens.get(directory)
        if granted:
            self._preopens[number] = granted
        else:
            self._preopens.pop(number, None)

    def closed(self, number: int) -> None:
        self._names.pop(number, None)
        self._preopens.pop(number, None)

    def renumbered(self, number: int, to: int) -> None:
        """``fd_renumber``: ``to`` now is what ``number`` was."""
        if number == to or number not in self._names:
            return
        self._names[to] = self._names.pop(number)
        granted = self._preopens.pop(number, None)
        self._preopens.pop(to, None)
        if granted:
            self._preopens[to] = granted
