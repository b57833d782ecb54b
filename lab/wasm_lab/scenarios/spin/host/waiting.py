"""Things that a guest can wait for, and the waiting.

A guest waits in its own worker thread, inside a host function, where no epoch reaches it. So every
wait ends with the request's deadline, or when the client has gone (see `Watch`).
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class GuestStopped(Exception):
    """The request is over before its guest: its deadline passed, its client went, the server stops."""


class Signal:
    """Becomes set, or unset, in one thread and is waited for in others."""

    __slots__ = ("_set", "_waiters")

    def __init__(self, *, is_set: bool = False) -> None:
        self._set = is_set
        self._waiters: list[threading.Event] = []

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True
        for waiter in tuple(self._waiters):
            waiter.set()

    def clear(self) -> None:
        self._set = False

    def add(self, waiter: threading.Event) -> None:
        """Have the event set from now on whenever the signal is; look at `is_set` after adding it."""
        self._waiters.append(waiter)

    def remove(self, waiter: threading.Event) -> None:
        self._waiters.remove(waiter)


class Watch(Protocol):
    """What bounds the waiting of one guest."""

    deadline_s: float  #: on the clock of ``time.monotonic``
    stopped: Signal  #: set when the guest shall end

    def about_to_wait(self) -> None:
        """Called before the thread sleeps: what the guest wrote so far should be on its way."""


class Waitable(Protocol):
    """What `wait_for_any` waits for."""

    signal: Signal | None  #: set when it may have become ready; None: only time makes it ready
    ready_at_s: float | None  #: when it becomes ready by itself, on the clock of ``time.monotonic``

    def ready(self) -> bool: ...


def wait_for_any(things: Sequence[Waitable], watch: Watch) -> None:
    """Return when at least one thing is ready.

    Raises:
        GuestStopped: the deadline came first, or the request ended.
    """
    if watch.stopped.is_set():
        raise GuestStopped
    if any(thing.ready() for thing in things):
        return
    watch.about_to_wait()
    waiter = threading.Event()
    signals = [thing.signal for thing in things if thing.signal is not None]
    signals.append(watch.stopped)
    for signal in signals:
        signal.add(waiter)
    try:
        while True:
            waiter.clear()
            if watch.stopped.is_set():
                raise GuestStopped
            if any(thing.ready() for thing in things):
                return
            now = time.monotonic()
            until = min([watch.deadline_s, *(at for t in things if (at := t.ready_at_s) is not None)])
            if now >= watch.deadline_s:
                raise GuestStopped
            waiter.wait(max(until - now, 0.0))
    finally:
        for signal in signals:
            signal.remove(waiter)
