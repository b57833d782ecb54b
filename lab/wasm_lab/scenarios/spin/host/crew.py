"""The threads that guests run in.

One thread that runs guests one after the other uses a core as well as many would, and the threads of
a process hinder each other, for host calls run one at a time. So one is the rule. Another one joins
when a guest waits for something, or has run for a whole tick while others stand in the queue: no
guest holds up the next one for longer.
"""

from __future__ import annotations

import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from wasm_lab.scenarios.spin.host.guest import Guest

#: Time between two looks at the running guests, in seconds.
TICK_S = 0.005

#: Ticks without any guest after which the ticker sleeps until it is woken.
IDLE_TICKS = 100

#: Guests that may run or wait at the same time in one process.
MOST_THREADS = 256

#: Seconds after which a spare thread ends.
SPARE_S = 5.0


class Job(Protocol):
    """What the crew runs."""

    @property
    def guest(self) -> Guest: ...

    def run(self) -> None:
        """Run the guest to its end; raises nothing."""


class _Member(threading.Thread):
    def __init__(self, crew: Crew) -> None:
        super().__init__(name="wasm-lab guest", daemon=True)
        self.crew = crew
        self.job: Job | None = None
        self.lent = False  # whether another thread has taken its place
        self.seen: Job | None = None  # what it ran at the last tick

    def run(self) -> None:
        crew = self.crew
        queue, running = crew.queue, crew.running
        while True:
            job = queue.get()
            if job is None:
                return
            self.job = job
            running[self] = None
            if crew.parked:
                crew.wake()
            job.guest.member = self
            job.run()
            self.job = None
            del running[self]
            if self.lent and not crew.come_back(self):
                return


class Crew:
    """Runs jobs in threads of its own.

    Args:
        most: threads at the same time, and so guests.
    """

    def __init__(self, most: int = MOST_THREADS) -> None:
        self.queue: SimpleQueue[Job | None] = SimpleQueue()
        self.running: dict[_Member, None] = {}
        self.parked = True
        self._most = most
        self._able = 0  # threads that run a guest, or would at once
        self._threads = 0
        self._spare: SimpleQueue[bool] = SimpleQueue()
        self._spares = 0
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._ticker: threading.Thread | None = None
        self._closed = False

    def submit(self, job: Job) -> None:
        """Run this when a thread is free."""
        self.queue.put(job)
        if not self._able:
            with self._lock:
                self._add()

    @property
    def threads(self) -> int:
        """How many there are."""
        return self._threads

    @property
    def busy(self) -> bool:
        """Whether a guest runs, or a job waits for a thread."""
        return bool(self.running) or not self.queue.empty()

    @property
    def waiting(self) -> int:
        """Jobs that no thread has begun."""
        return self.queue.qsize()

    def lend(self, member: _Member) -> None:
        """This thread's guest waits, or takes long: let another thread take its place."""
        with self._lock:
            if not member.lent:
                member.lent = True
                self._able -= 1
                self._add()

    def come_back(self, member: _Member) -> bool:
        """A thread that lent its place is free again. False when it shall end."""
        with self._lock:
            member.lent = False
            if self._able < 1:
                self._able += 1
                return True
            self._spares += 1
        try:
            return self._spare.get(timeout=SPARE_S)
        except Empty:
            with self._lock:
                if self._spares:
                    self._spares -= 1
                    self._threads -= 1
                    return False
            return self._spare.get()  # it was called in that very moment

    def _add(self) -> None:
        """Have one more able thread, if there are fewer than one. Called with the lock held."""
        if self._able >= 1 or self._closed:
            return
        if self._spares:
            self._spares -= 1
            self._able += 1
            self._spare.put(True)
        elif self._threads < self._most:
            self._threads += 1
            self._able += 1
            _Member(self).start()

    def wake(self) -> None:
        with self._lock:
            if self._ticker is None:
                self._ticker = threading.Thread(target=self._tick, name="wasm-lab ticks", daemon=True)
                self._ticker.start()
            self.parked = False
        self._woken.set()

    def _tick(self) -> None:
        idle = 0
        while not self._closed:
            time.sleep(TICK_S)
            members = list(self.running)
            if members:
                idle = 0
                crowded = self.queue.qsize() > 0
                for member in members:
                    job = member.job
                    if job is None:
                        continue
                    job.guest.tick()
                    if crowded and member.seen is job and not member.lent:
                        self.lend(member)
                    member.seen = job
                continue
            idle += 1
            if idle > IDLE_TICKS:
                self._woken.clear()
                self.parked = True
                # A guest that began before it could see `parked` is seen here instead.
                if not self.running and not self._closed:
                    self._woken.wait()
                self.parked = False
                idle = 0

    def guests(self) -> list[Guest]:
        """The guests that run now."""
        jobs = [member.job for member in list(self.running)]
        return [job.guest for job in jobs if job is not None]

    def close(self) -> None:
        """End the threads as they become free."""
        with self._lock:
            self._closed = True
            threads, spares = self._threads, self._spares
            self._spares = 0
        for _ in range(spares):
            self._spare.put(False)
        for _ in range(threads - spares):
            self.queue.put(None)
        self._woken.set()
