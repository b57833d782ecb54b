"""Workers kept warm: taken for one request, given back, recycled, and gone when this process ends."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING

from wasm_lab.runtimes.workers.process import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Requests after which a worker is replaced: engines leave threads and memory behind.
MOST_REQUESTS = 300

#: Workers that wait for work at once; as many as needed work at once.
MOST_IDLE = 4

_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


class Pool:
    """The workers of one kind. Safe to use from several threads at once.

    Args:
        module: see `Worker`.
        name: what messages call them.

    Example:
        >>> pool = Pool("wasm_lab.runtimes.wasmtime_worker.guest", "wasmtime-worker")
        >>> with pool.worker() as worker:
        ...     worker.alive
        True
        >>> pool.close()
    """

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        _pools.add(self)

    @contextmanager
    def worker(self) -> Iterator[Worker]:
        """A worker for one request: given back afterwards, or killed if anything is raised."""
        worker = self._take()
        try:
            yield worker
        except BaseException:
            self._drop(worker)
            raise
        self._give_back(worker)

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that there are, waiting and working."""
        with self._lock:
            return tuple(worker.pid for worker in (*self._idle, *self._busy))

    def close(self) -> None:
        """Kill them all."""
        with self._lock:
            workers = [*self._idle, *self._busy]
            self._idle.clear()
            self._busy.clear()
        for worker in workers:
            worker.kill()

    def _take(self) -> Worker:
        dead = []
        try:
            with self._lock:
                while self._idle:
                    worker = self._idle.pop()
                    if worker.alive:
                        self._busy.add(worker)
                        return worker
                    dead.append(worker)
        finally:
            for each in dead:
                each.kill()
        worker = Worker(self.module, self.name)
        with self._lock:
            self._busy.add(worker)
        return worker

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            ours = worker in self._busy  # not when the pool was closed meanwhile
            self._busy.discard(worker)
            keep = ours and worker.alive and worker.requests < MOST_REQUESTS and len(self._idle) < MOST_IDLE
            if keep:
                self._idle.append(worker)
        if not keep:
            worker.kill()

    def _drop(self, worker: Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
        worker.kill()

    def _after_fork(self) -> None:
        self._lock = threading.Lock()
        for worker in (*self._idle, *self._busy):
            worker.kill()  # which in a forked child only closes the socket
        self._idle, self._busy = [], set()


def _close_all() -> None:
    for pool in list(_pools):
        pool.close()


def _after_fork() -> None:
    for pool in list(_pools):
        pool._after_fork()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
