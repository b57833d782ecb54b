"""Who does the grading: processes of this machine here, those of a cluster elsewhere."""

from __future__ import annotations

import queue
import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from wasm_lab.errors import UnsupportedError
from wasm_lab.grading.desk import Desk
from wasm_lab.grading.execute import grade_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wasm_lab.grading.nouns import Job, Outcome


class Crew(Protocol):
    """Grades jobs somewhere."""

    def run(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """An outcome for each job, as each is done; exactly one, whatever is lost on the way."""
        ...

    def close(self) -> None:
        """End everything that was started; what is not done then will not be."""
        ...


class LocalCrew:
    """Some processes of this machine.

    Args:
        size: how many submissions are graded at once.

    Raises:
        UnsupportedError: what executes notebooks is not installed here.
    """

    def __init__(self, size: int) -> None:
        for package in ("papermill", "ipykernel"):
            if find_spec(package) is None:
                raise UnsupportedError(
                    f"Grading needs {package}, which is not installed here.",
                    hint='Install it: pip install "wasm-lab[lab,grading]"',
                )
        self.size = size
        self._desks: list[Desk] = []
        self._closed = threading.Event()

    def run(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """See `Crew.run`."""
        waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
        for job in jobs:
            waiting.put(job)
        done: queue.SimpleQueue[Outcome | BaseException] = queue.SimpleQueue()
        for _ in range(min(self.size, len(jobs))):
            desk = Desk()
            self._desks.append(desk)
            # Each thread only waits for its desk, which is a process.
            threading.Thread(target=self._work, args=(desk, waiting, done), daemon=True).start()
        for _ in jobs:
            outcome = done.get()
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome

    def close(self) -> None:
        """See `Crew.close`."""
        self._closed.set()
        for desk in self._desks:
            desk.close()

    def _work(
        self,
        desk: Desk,
        waiting: queue.SimpleQueue[Job],
        done: queue.SimpleQueue[Outcome | BaseException],
    ) -> None:
        while not self._closed.is_set():
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                break
            try:
                outcome = grade_at(desk, job)
            except BaseException as error:  # a mistake of ours: whoever waits must hear of it
                done.put(error)
                return
            if self._closed.is_set():
                return  # it was ended, and says nothing of the submission
            done.put(outcome)
        desk.close()
