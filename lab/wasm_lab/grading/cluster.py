"""Grading on the workers of a Dask cluster: the same jobs, the same outcomes, more machines.

A worker that is lost loses nothing: its jobs go to another. A job may therefore be executed twice, but its
outcome is passed on once, by this side, which alone writes the journal.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import queue
import time
import uuid
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UnsupportedError, UsageError
from wasm_lab.exercises import Exercise
from wasm_lab.grading import cluster_worker
from wasm_lab.grading.marks import lost_outcome
from wasm_lab.grading.nouns import Outcome, from_record, record_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wasm_lab.grading.nouns import Job

#: Seconds until a scheduler must answer.
CONNECT_S = 20.0

#: Jobs sent ahead for each that the cluster can do at once, so that no worker waits for the next one.
AHEAD = 2

#: Seconds between two looks at whether the cluster is still there.
LOOK_S = 1.0

#: Seconds for an outcome to come over once its job is done. It is small; a worker that takes longer is gone.
HAND_OVER_S = 20.0

#: Seconds that it waits for workers when all are gone: whoever started them may start them again.
NOBODY_S = 60.0

#: What must be the same on every worker for the marks to be the same.
_DECIDING = ("wasm-lab", "wasmtime", "rustc")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A job that was handed to the cluster, and which workers may do it."""

    number: int
    job: Job
    future: Any
    workers: frozenset[str]


class DaskCrew:
    """The workers of a cluster. Only those that have been looked at get work, also of those that come later.

    Args:
        address: of its scheduler, such as ``tcp://10.0.0.5:8786``.

    Raises:
        UsageError: no scheduler answers there.
        UnsupportedError: distributed is not installed.
    """

    def __init__(self, address: str) -> None:
        self._batch = uuid.uuid4().hex
        self._address = address
        self._ended = False
        self._fit: dict[str, bool] = {}  # by the address of a worker
        self._tries = itertools.count()
        self._client: Any = _connected(address)  # distributed has no types

    def run(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """See `Crew.run`.

        Raises:
            UsageError: there are no workers, or the scheduler is gone.
            UnsupportedError: a worker cannot do the work.
        """
        walls = any(job.settings.walls for job in jobs)
        self._refuse_unfit(walls)
        waiting = list(enumerate(jobs))[::-1]
        sent: dict[str, _Sent] = {}
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        while waiting or sent:
            threads = self._threads(walls, sent)
            for one in [one for one in sent.values() if not one.workers & threads.keys()]:
                one.future.cancel()  # everyone who may do it is gone; whoever came since does it
                del sent[one.future.key]
                waiting.append((one.number, one.job))
            while waiting and len(sent) < AHEAD * sum(threads.values()):
                one = self._send(*waiting.pop(), frozenset(threads))
                sent[one.future.key] = one
                one.future.add_done_callback(done.put)
            with contextlib.suppress(queue.Empty):
                future = done.get(timeout=LOOK_S)
                if future.key not in sent:
                    continue  # cancelled above
                one = sent.pop(future.key)
                outcome = self._outcome(one)
                if outcome is None:
                    waiting.append((one.number, one.job))
                else:
                    yield outcome

    def close(self) -> None:
        """See `Crew.close`."""
        if self._ended:
            return
        self._ended = True
        with contextlib.suppress(Exception):  # a scheduler that is gone has ended everything itself
            self._client.run(cluster_worker.end_batch, self._batch, on_error="ignore")
        self._client.close()

    def _send(self, number: int, job: Job, workers: frozenset[str]) -> _Sent:
        future = self._client.submit(
            cluster_worker.grade_here,
            self._batch,
            record_of(job),
            key=f"wasm-lab-grade-{self._batch}-{next(self._tries)}",
            pure=False,
            workers=list(workers),
        )
        return _Sent(number, job, future, workers)

    def _outcome(self, one: _Sent) -> Outcome | None:
        """What a job that is done came to; None where its worker died before it had handed it over."""
        from distributed import KilledWorker

        try:
            return from_record(Outcome, one.future.result(timeout=HAND_OVER_S))
        except TimeoutError:  # the scheduler waits for that worker to do it again, for ever
            one.future.cancel()
            return None
        except KilledWorker as error:
            exercise = Exercise.parse(one.job.master, name=one.job.exercise)
            return lost_outcome(
                one.job, exercise, "crashed", f"Every worker that judged it died: {error}", duration_ns=0
            )
        except CancelledError:
            raise self._gone() from None
        finally:
            one.future.release()

    def _threads(self, walls: bool, sent: dict[str, _Sent]) -> dict[str, int]:
        """How many jobs each worker does at once, of those that are there and can."""
        deadline = time.monotonic() + NOBODY_S
        while True:
            threads: dict[str, int] = self._workers()
            new = [worker for worker in threads if worker not in self._fit]
            for worker, problem in self._looked_at(walls, new).items():
                self._fit[worker] = problem is None
                if problem:
                    _log.warning("The worker %s gets no work: %s %s", worker, *problem)
            fit = {worker: count for worker, count in threads.items() if self._fit.get(worker)}
            if fit:
                return fit
            if time.monotonic() > deadline:
                raise UsageError(
                    f"No worker of {self._address} is left that can grade.",
                    hint="What is done is kept. Start workers, and run the same command again.",
                )
            time.sleep(LOOK_S)

    def _workers(self) -> dict[str, int]:
        try:
            found: dict[str, int] = self._client.nthreads()
        except Exception:
            raise self._gone() from None
        if self._client.status != "running":
            raise self._gone()
        return found

    def _gone(self) -> UsageError:
        return UsageError(
            f"The scheduler at {self._address} is gone.",
            hint="What is done is kept. Start it again, and run the same command again.",
        )

    def _looked_at(self, walls: bool, workers: list[str]) -> dict[str, tuple[str, str] | None]:
        """What is wrong with each worker, if anything."""
        from wasm_lab.grading.grade import versions

        if not workers:
            return {}
        told = self._client.run(cluster_worker.about, walls, workers=workers, on_error="return")
        ours = versions()
        return {worker: _problem(about, ours) for worker, about in told.items()}

    def _refuse_unfit(self, walls: bool) -> None:
        """Refuse a cluster whose workers would not all do the same, and do it safely."""
        workers = self._workers()
        if not workers:
            raise UsageError(
                f"The scheduler at {self._address} has no workers.",
                hint=f"Start some: dask worker {self._address} --nthreads 2",
            )
        for worker, problem in sorted(self._looked_at(walls, list(workers)).items()):
            self._fit[worker] = problem is None
            if problem:
                raise UnsupportedError(
                    f"The worker {worker} cannot grade: {problem[0]}",
                    hint=f"{problem[1]} Nothing was graded now; what was graded before is kept.",
                )


def _problem(about: Any, ours: dict[str, str]) -> tuple[str, str] | None:
    """What is wrong with a worker, and what to do about it."""
    if isinstance(about, BaseException) and "No module named" in str(about):  # as text: it was raised there
        absent = str(about).split("'")[1].partition(".")[0]
        return (f"it has no {absent}.", 'There: pip install "wasm-lab[dask,grading]", then start it again.')
    if isinstance(about, BaseException):
        return (f"{type(about).__name__}: {about}", "Its log says more.")
    if about["missing"]:
        return (f"it has no {about['missing'][0]}.", 'There: pip install "wasm-lab[dask,grading]".')
    for name in _DECIDING:
        theirs = about["versions"].get(name, "none")
        if theirs != ours.get(name, "none"):
            return (
                f"its {name} is {theirs}, and this one here is {ours.get(name, 'none')}.",
                "Marks must not depend on the worker: install the same version everywhere.",
            )
    if not about["walls"]:
        return (
            "its kernel has no walls (Landlock) to keep students' code in.",
            "Take Linux 5.13 or later with Landlock; or, for code that you trust, say --without-walls.",
        )
    return None


def _connected(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise UnsupportedError(
            f"Grading on a cluster needs {error.name}.", hint='Install it: pip install "wasm-lab[dask]"'
        ) from None
    try:
        return Client(  # type: ignore[no-untyped-call]
            address, timeout=CONNECT_S, set_as_default=False, name="wasm-lab grade"
        )
    except (OSError, TimeoutError, ValueError) as error:
        raise UsageError(
            f"No scheduler of Dask answers at {address}: {str(error) or 'no answer'}",
            hint="Start one with `dask scheduler`; it says its address, such as tcp://10.0.0.5:8786.",
        ) from None
