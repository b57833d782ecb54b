"""What the host gives to plugins (``wasm-lab:plugins/host``): a log, and drawers that keep values.

Nothing a plugin asks for grows without bound: log lines count towards the output of the call, drawers
towards bounds of their own. What a plugin keeps belongs to its name, so a fresh instance finds it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from wasm_lab.errors import OutputExceeded
from wasm_lab.run import TrapInfo, TrapKind

#: Drawers that one instance may hold open at a time.
OPEN_DRAWERS = 16

#: What one plugin may keep in all its drawers, names and keys included, in bytes.
KEPT_BYTES = 1024 * 1024

#: What an empty drawer and each value count beside their own bytes: about what Python needs for them.
ENTRY_BYTES = 64


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


@dataclass
class Desk:
    """What belongs to one instance of a plugin while it lives: its cabinet, its log, its open drawers."""

    cabinet: Cabinet
    output_bytes: int | None  #: how much one call may log
    log: list[tuple[str, str]] = field(default_factory=list)  #: level and text, of the call under way
    refused: list[str] = field(default_factory=list)  #: what the call under way did not get
    logged_bytes: int = 0
    open_drawers: int = 0

    def begin(self) -> None:
        """Before each call."""
        self.log, self.refused = [], []
        self.logged_bytes = 0

    def note(self, level: str, message: str) -> None:
        """Keep a line of the log.

        Raises:
            OutputExceeded: it is more than one call may write; it stops the guest.
        """
        self.logged_bytes += len(message.encode()) + ENTRY_BYTES
        if self.output_bytes is not None and self.logged_bytes > self.output_bytes:
            trap = TrapInfo(kind=TrapKind.OUTPUT, message=TrapKind.OUTPUT.value)
            raise OutputExceeded(
                f"The plugin logged more than {self.output_bytes} bytes in one call, and was stopped.",
                trap=trap,
            )
        self.log.append((level, message))
