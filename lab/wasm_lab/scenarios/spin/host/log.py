"""What components print, line by line, on the server's standard error and in their log files."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: A line longer than this is logged in pieces.
LINE_BYTES = 64 * 1024

#: Bytes that one guest may print on one stream; what comes after is dropped, and that is said.
MOST_BYTES = 1024 * 1024

_writing = threading.Lock()


class ComponentLog:
    """Where the output of one component goes.

    Args:
        component: its name, which stands before each line on the server's standard error.
        folder: gets ``COMPONENT_stdout.txt`` and ``COMPONENT_stderr.txt`` with the lines as they are;
            None: no files.
        quiet: nothing on the server's standard error.
    """

    def __init__(self, component: str, folder: Path | None = None, *, quiet: bool = False) -> None:
        self.component = component
        self._folder = folder
        self._quiet = quiet
        self._files: dict[str, int] = {}

    def lines(self, stream: str, *, held: bool = False) -> Lines:
        """A writer for one guest's ``stdout`` or ``stderr``: lines of different guests never mix.

        Args:
            held: nothing is logged before the writer is closed.
        """
        return Lines(lambda line: self._log(stream, line), held=held)

    def _log(self, stream: str, line: bytes) -> None:
        if not self._quiet:
            with _writing:
                _show(b"[%s] %s\n" % (self.component.encode(), line))
        if self._folder is not None:
            with contextlib.suppress(OSError):  # a full disk ends no guest
                os.write(self._file(stream), line + b"\n")  # appended whole: O_APPEND, and one write

    def _file(self, stream: str) -> int:
        with _writing:
            if stream not in self._files and self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
                path = self._folder / f"{self.component}_{stream}.txt"
                self._files[stream] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        return self._files[stream]

    def close(self) -> None:
        with _writing:
            for number in self._files.values():
                os.close(number)
            self._files.clear()


def _show(line: bytes) -> None:
    out = getattr(sys.stderr, "buffer", None)
    if out is None:  # in a notebook it is a text stream and nothing below
        sys.stderr.write(line.decode(errors="replace"))
        return
    out.write(line)
    out.flush()


class Lines:
    """Cuts what a guest writes into lines."""

    def __init__(self, emit: Callable[[bytes], None], *, held: bool = False) -> None:
        self._held: list[bytes] = []
        self._emit = self._held.append if held else emit
        self._emit_held = emit
        self._rest = b""
        self._left = MOST_BYTES

    def write(self, contents: bytes) -> None:
        """Log each line that is whole now."""
        if len(contents) > self._left:
            if self._left < 0:
                return
            contents = contents[: self._left] + b"\n(the rest is dropped: more than 1 MiB for one request)\n"
            self._left = -1
        else:
            self._left -= len(contents)
        *whole, rest = (self._rest + contents).split(b"\n")
        for line in whole:
            self._emit(line)
        while len(rest) > LINE_BYTES:
            self._emit(rest[:LINE_BYTES])
            rest = rest[LINE_BYTES:]
        self._rest = rest

    def close(self) -> None:
        """Log what was held, and a last line that has no end."""
        for line in self._held:
            self._emit_held(line)
        self._emit = self._emit_held
        if self._rest:
            self._emit(self._rest)
            self._rest = b""
