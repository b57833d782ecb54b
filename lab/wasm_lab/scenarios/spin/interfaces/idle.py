"""Connections that wait for their next guest."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

#: Connections that one process keeps open unused, all servers together.
MOST = 64

#: Seconds that one is kept.
IDLE_S = 60.0


class Idle:
    """Open connections that nobody uses, the last used first. Safe for many threads.

    Connecting is not done here: so a server that is down, or a wrong password, is an error for the
    guest that asked, at once and with its reason, and nothing tries again behind its back.
    """

    def __init__(self, close: Callable[[Any], None]) -> None:
        self._close = close
        self._waiting: OrderedDict[int, tuple[Hashable, Any, float]] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False

    def take(self, key: Hashable) -> Any | None:
        """A connection to that server, no longer idle; None when there is none."""
        with self._lock:
            hit = next((at for at in reversed(self._waiting) if self._waiting[at][0] == key), None)
            if hit is None:
                return None
            _, connection, since = self._waiting.pop(hit)
        if time.monotonic() - since > IDLE_S:
            self._close(connection)
            return None
        return connection

    def give(self, key: Hashable, connection: Any) -> None:
        """Keep a connection for the next; the one that waits longest goes when there are too many."""
        old: list[Any] = []
        with self._lock:
            if self._closed:
                old.append(connection)
            else:
                now = time.monotonic()
                self._waiting[id(connection)] = (key, connection, now)
                while self._waiting:
                    first = next(iter(self._waiting))
                    if len(self._waiting) <= MOST and now - self._waiting[first][2] <= IDLE_S:
                        break
                    old.append(self._waiting.pop(first)[1])
        for one in old:
            self._close(one)

    def close(self) -> None:
        """Close everything, now and later."""
        with self._lock:
            self._closed = True
            connections = [connection for _, connection, _ in self._waiting.values()]
            self._waiting.clear()
        for connection in connections:
            self._close(connection)
