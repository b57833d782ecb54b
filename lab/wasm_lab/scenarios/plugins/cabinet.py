"""What the host gives to plugins (``wasm-lab:plugins/host``): a log, and drawers that keep values.

Nothing a plugin asks for grows without bound: log lines count towards the output of the call, drawers
towards bounds of their own. What a plugin keeps belongs to its name, so a fresh instance finds it.
"""

from __future__ import annotations

import math
import threading
import time
from typing import Any

from wasm_lab.errors import OutputExceeded
from wasm_lab.run import TrapInfo, TrapKind
from wasm_lab.scenarios.spin.host.waiting import Signal

#: Drawers that one instance may hold open at a time.
OPEN_DRAWERS = 16

#: What one plugin may keep in all its drawers, names and keys included, in bytes.
KEPT_BYTES = 1024 * 1024

#: What an empty drawer and each value count beside their own bytes: about what Python needs for them.
ENTRY_BYTES = 64


#: Different things refused that the record of one call lists.
REFUSALS_KEPT = 20


class Cabinet:
    """The drawers of one plugin; safe for many threads, and shared by all its instances.

    Example:
        >>> cabinet = Cabinet()
        >>> cabinet.put("seen", "readme", b"1")
        True
        >>> cabinet.get("seen", "readme")
        b'1'
    """

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self.kept_bytes = kept_bytes
        self.used_bytes = 0
        self._drawers: dict[str, dict[str, bytes]] = {}
        self._lock = threading.Lock()

    def open(self, name: str) -> bool:
        """Make the drawer unless there is one; False when there is no room for it."""
        with self._lock:
            if name in self._drawers:
                return True
            if not self._take(ENTRY_BYTES + len(name.encode())):
                return False
            self._drawers[name] = {}
            return True

    def get(self, drawer: str, key: str) -> bytes | None:
        with self._lock:
            return self._drawers.get(drawer, {}).get(key)

    def put(self, drawer: str, key: str, value: bytes) -> bool:
        """Keep a value under a key, in place of an earlier one; False when there is no room for it."""
        if not self.open(drawer):
            return False
        with self._lock:
            values = self._drawers[drawer]
            before = values.get(key)
            more = (
                ENTRY_BYTES + len(key.encode()) + len(value) if before is None else len(value) - len(before)
            )
            if not self._take(more):
                return False
            values[key] = value
            return True

    def _take(self, more: int) -> bool:
        if self.used_bytes + more > self.kept_bytes:
            return False
        self.used_bytes += more
        return True


class Desk:
    """What belongs to one instance of a plugin while it lives: its cabinet, its log, its open drawers.

    It also bounds the instance's waiting (`wasm_lab.scenarios.spin.host.waiting.Watch`): a guest that
    sleeps does so in a host function, where no epoch reaches it.

    Args:
        cabinet: the drawers of the plugin.
        output_bytes: how much one call may log and print.
        limit_s: how long one call may take.
    """

    def __init__(
        self, cabinet: Cabinet, output_bytes: int | None = None, limit_s: float | None = None
    ) -> None:
        self.cabinet = cabinet
        self.output_bytes = output_bytes
        self.limit_s = limit_s
        self.open_drawers = 0
        self.open_files: set[Any] = set()
        self.slept_ns = 0  #: by which its frozen clock went on
        self.random_calls = 0
        self.stopped = Signal()
        self.begin()

    def begin(self) -> None:
        """Before each call."""
        self.log: list[tuple[str, str]] = []  #: level or stream, and text
        self.refused: list[str] = []  #: what the call under way asked for and did not get
        self.written_bytes = 0
        self.deadline_s = math.inf if self.limit_s is None else time.monotonic() + self.limit_s

    def about_to_wait(self) -> None:
        """Nothing to send on before it sleeps."""

    def note(self, level: str, message: str) -> None:
        """Keep a line of the log.

        Raises:
            OutputExceeded: it is more than one call may write; it stops the guest.
        """
        self._count(len(message.encode()) + ENTRY_BYTES)
        self.log.append((level, message))

    def print(self, stream: str, contents: bytes) -> None:
        """Keep what was printed; pieces of one stream that follow each other are one text.

        Raises:
            OutputExceeded: as `note`.
        """
        text = contents.decode("utf-8", "replace")
        if self.log and self.log[-1][0] == stream:
            self._count(len(contents))
            self.log[-1] = (stream, self.log[-1][1] + text)
        else:
            self.note(stream, text)

    def refuse(self, what: str) -> None:
        """Record that the plugin asked for something and did not get it."""
        if len(self.refused) < REFUSALS_KEPT and what not in self.refused:
            self.refused.append(what)

    def close(self) -> None:
        """The instance is gone: close the files that it had open."""
        while self.open_files:
            self.open_files.pop().close_file()

    def _count(self, size_bytes: int) -> None:
        self.written_bytes += size_bytes
        if self.output_bytes is not None and self.written_bytes > self.output_bytes:
            trap = TrapInfo(kind=TrapKind.OUTPUT, message=TrapKind.OUTPUT.value)
            raise OutputExceeded(
                f"The plugin wrote more than {self.output_bytes} bytes in one call, and was stopped.",
                trap=trap,
            )
