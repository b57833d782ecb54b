"""One guest at work: what bounds it, and what must end with it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.spin.host.waiting import GuestStopped, Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.scenarios.spin.host.log import ComponentLog, Lines


class MustWait(Exception):
    """A guest that runs in the event loop's thread would have to wait: it runs again in another one."""


class Guest:
    """The running instance's own data (`wasm_lab.components.current`), whatever trigger started it.

    Args:
        deadline_s: seconds that it may take, from `start` on.
    """

    def __init__(self, deadline_s: float) -> None:
        self.limit_s = deadline_s
        self.deadline_s = float("inf")
        self.started_s = 0.0
        self.stopped = Signal()
        self.at_once = False
        self.instance: Any = None  #: while it runs
        self.member: Any = None  #: the thread that runs it, of the `crew`
        self.open_files: set[Any] = set()  #: descriptors whose file is open
        self.sockets: set[Any] = set()  #: that are open
        self._lines: dict[str, Lines] = {}
        self._ending: list[Callable[[], None]] = []

    def run_at_once(self) -> None:
        """The guest is about to run in the event loop's own thread: it must not wait there (see `at_once`)."""
        self.at_once = True

    def begin_again(self) -> None:
        """It had to give up there: as if nothing had happened. What it printed was not logged yet."""
        self.at_once = False
        self._lines.clear()

    def start(self) -> None:
        self.started_s = time.monotonic()
        self.deadline_s = self.started_s + self.limit_s

    def about_to_wait(self) -> None:
        """The guest's thread is about to sleep: another one may run guests meanwhile.

        Host functions call it before anything that may take longer than a millisecond or so.
        """
        if self.at_once:
            raise MustWait
        member = self.member
        if member is not None and not member.lent:
            member.crew.lend(member)

    def tick(self) -> None:
        """Called every few milliseconds while the guest runs, from another thread."""

    def stop(self) -> None:
        """The request is over: have the guest end at its next wait or epoch. From any thread."""
        self.stopped.set()
        instance = self.instance
        if instance is not None:
            instance.interrupt(GuestStopped())

    def at_end(self, call: Callable[[], None]) -> None:
        """Have this called when the guest is over."""
        self._ending.append(call)

    def lines(self, log: ComponentLog, stream: str) -> Lines:
        """What the guest prints on ``stdout`` or ``stderr``, as lines of its component's log."""
        found = self._lines.get(stream)
        if found is None:
            found = self._lines[stream] = log.lines(stream, held=self.at_once)
        return found

    def end(self) -> None:
        for lines in self._lines.values():
            lines.close()
        ending, self._ending = self._ending, []
        for call in ending:
            call()
        for descriptor in self.open_files:
            descriptor.close_file()
        self.open_files.clear()
        for each in tuple(self.sockets):
            each.close()
