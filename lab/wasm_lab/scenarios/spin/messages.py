"""The Redis triggers of an application: each message starts a guest, in one process of all that serve it."""

from __future__ import annotations

import tempfile
import threading
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.scenarios.spin.launch import MessageJob

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.scenarios.spin.host.crew import Crew
    from wasm_lab.scenarios.spin.host.limits import Limits
    from wasm_lab.scenarios.spin.launch import Launcher
    from wasm_lab.scenarios.spin.redis_trigger import Subscriber

#: Seconds between two tries to become the process that subscribes.
TRY_S = 1.0

#: Seconds after which waiting for a guest looks whether it should end.
LOOK_S = 0.5


class Messages:
    """Subscribes for an application while this process is the one that shall, and runs its guests.

    Every subscriber gets every message, so of the worker processes one subscribes: whoever holds a
    lock in the system's temporary folder. When it ends, another one takes over.

    Args:
        run_id: the same in all processes that serve one run of the application.
        triggers: address, channel and launcher for each Redis trigger.
        crew: runs the guests.
        limits: what they may use.
        report: gets a line when a subscription fails for ever.
    """

    def __init__(
        self,
        run_id: str,
        triggers: list[tuple[str, str, Launcher]],
        crew: Crew,
        limits: Limits,
        report: Callable[[str], None],
    ) -> None:
        self._by_address: dict[str, dict[str, list[Launcher]]] = defaultdict(lambda: defaultdict(list))
        for address, channel, launcher in triggers:
            self._by_address[address][channel].append(launcher)
        self._crew = crew
        self._limits = limits
        self._report = report
        self._lock_path = Path(tempfile.gettempdir()) / f"wasm-lab-spin-{run_id}.lock"
        self._ended = threading.Event()
        self._subscribers: list[Subscriber] = []
        self._thread = threading.Thread(target=self._run, name="wasm-lab messages", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        from filelock import FileLock, Timeout

        lock = FileLock(self._lock_path)
        while not self._ended.is_set():
            try:
                lock.acquire(timeout=TRY_S)
            except Timeout:
                continue
            try:
                self._subscribe()
                self._ended.wait()
            except Exception as error:  # a wrong address: it will not become right
                self._report(f"The Redis triggers do not work: {error}")
                return
            finally:
                for subscriber in self._subscribers:
                    subscriber.close()
                lock.release()

    def _subscribe(self) -> None:
        from wasm_lab.scenarios.spin.redis_trigger import Subscriber

        for address, channels in self._by_address.items():
            self._subscribers.append(
                Subscriber(
                    address,
                    list(channels),
                    lambda channel, message, channels=channels: self._deliver(channels, channel, message),  # type: ignore[misc]
                )
            )

    def _deliver(self, channels: dict[str, list[Launcher]], channel: str, message: bytes) -> None:
        """Have every component of a channel handle a message; come back when all have.

        As Spin does: a server's messages are handled in their order, one after the other, so that a component
        may read a value and write it back. Redis keeps what is not read yet, up to its own limit.
        """
        jobs = [
            MessageJob(launcher, channel, message, self._limits.deadline_s)
            for launcher in channels.get(channel, ())
        ]
        for job in jobs:
            self._crew.submit(job)
        for job in jobs:
            while not job.done.wait(LOOK_S) and not self._ended.is_set():
                pass

    def close(self) -> None:
        """Stop listening; what was received is handled."""
        self._ended.set()
        self._thread.join(10)
