"""Grading on a real cluster of Dask, some of which dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from wasm_lab.errors import UnsupportedError, UsageError
from wasm_lab.grading.cluster import DaskCrew
from wasm_lab.grading.grade import Batch, grade_batch
from wasm_lab.grading.nouns import Outcome

from .conftest import HALF, RIGHT  # isort: skip

pytestmark = pytest.mark.slow

STUDENTS = 6


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Cluster:
    """A scheduler and workers, each a process of this test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.file = folder / "scheduler.json"
        self.scheduler = self.start(
            [
                "scheduler",
                "--port",
                "0",
                "--host",
                "127.0.0.1",
                "--no-dashboard",
                "--scheduler-file",
                str(self.file),
            ]
        )
        wait_until(lambda: self.file.exists() and self.file.read_text().endswith("}"))
        self.address: str = json.loads(self.file.read_text())["address"]

    def start(self, words: list[str], first: str = "") -> subprocess.Popen[bytes]:
        code = (
            f"{first}\nimport sys\nfrom dask.__main__ import main\nsys.argv = ['dask', *sys.argv[1:]]\nmain()"
        )
        with (self.folder / f"{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", code, *words], cwd=self.folder, start_new_session=True,
                stdout=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def worker(self, first: str = "") -> subprocess.Popen[bytes]:
        words = [
            "worker",
            self.address,
            "--no-nanny",
            "--no-dashboard",
            "--nthreads",
            "1",
            "--host",
            "127.0.0.1",
        ]
        return self.start([*words, "--local-directory", str(self.folder)], first)

    def wait_for(self, workers: int) -> None:
        from distributed import Client

        with Client(self.address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)

    def end(self) -> None:
        for process in self.processes:
            for child in (
                psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            ):
                child.kill()
            process.kill()
            process.wait()


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[tuple[Cluster, list[subprocess.Popen[bytes]]]]:
    folder.mkdir()
    here = Cluster(folder)
    try:
        started = [here.worker() for _ in range(workers)]
        if workers:
            here.wait_for(workers)
        yield here, started
    finally:
        here.end()


@pytest.fixture
def batch(tmp_path, course_dir, handed) -> Batch:
    for number in range(STUDENTS):
        folder = tmp_path / "in" / f"student{number}"
        folder.mkdir(parents=True)
        body = (RIGHT, HALF)[number % 2] + f"\n// {number}"
        (folder / "add.ipynb").write_bytes(handed.bytes(answer=body))
        (folder / "port.ipynb").write_bytes(handed.bytes("port"))
    return Batch(submissions=tmp_path / "in", master=course_dir, out=tmp_path / "report")


class Killer:
    """Hears of outcomes; after some, does something to the cluster."""

    def __init__(self, after: int, strike: Callable[[], None]) -> None:
        self.outcomes: list[Outcome] = []
        self.after, self.strike = after, strike

    def begin(self, total: int, known: int) -> None:
        self.total = total

    def done(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        if len(self.outcomes) == self.after:
            self.strike()


def test_a_worker_that_is_killed_loses_nothing(tmp_path: Path, batch: Batch) -> None:
    with cluster(tmp_path / "cluster") as (here, (first, second)):
        watched: list[psutil.Process] = []

        def strike() -> None:
            watched.extend(psutil.Process(first.pid).children(recursive=True))
            os.kill(first.pid, signal.SIGKILL)

        killer = Killer(3, strike)
        report = grade_batch(batch, lambda: DaskCrew(here.address), killer)
        assert watched
        wait_until(
            lambda: not any(process.is_running() and process.status() != "zombie" for process in watched)
        )
        # Nor does the other worker keep anything of a batch that is over.
        wait_until(lambda: not psutil.Process(second.pid).children(recursive=True))
    assert killer.total == 2 * STUDENTS
    times = Counter((one.student, one.exercise) for one in killer.outcomes)
    assert len(times) == 2 * STUDENTS
    assert set(times.values()) == {1}
    journal = [json.loads(line) for line in (batch.out / "journal.jsonl").read_text().splitlines()]
    kept = Counter(
        (line["outcome"]["student"], line["outcome"]["exercise"]) for line in journal if "outcome" in line
    )
    assert kept == times
    assert {one.status for one in report.outcomes} == {"graded"}
    points = {(one.student, one.exercise): one.points for one in report.outcomes}
    for number in range(STUDENTS):
        assert points[f"student{number}", "port"] == 1
        assert points[f"student{number}", "add"] == (2, 1)[number % 2] + 1 - number % 2
    assert report.complete


def test_ctrl_c_ends_what_the_workers_do(tmp_path: Path, batch: Batch) -> None:
    with cluster(tmp_path / "cluster") as (here, workers):

        def strike() -> None:
            raise KeyboardInterrupt

        report = grade_batch(batch, lambda: DaskCrew(here.address), Killer(2, strike))
        assert report.interrupted
        assert len(report.outcomes) == 2
        for worker in workers:
            wait_until(lambda worker=worker: not psutil.Process(worker.pid).children(recursive=True))
        # The rest, by a worker that has come meanwhile, after both of the first are gone.
        here.worker()
        killer = Killer(1, lambda: [worker.kill() for worker in workers])
        report = grade_batch(batch, lambda: DaskCrew(here.address), killer)
    assert report.complete
    assert len(killer.outcomes) == 2 * STUDENTS - 2


WITHOUT_LAB = "import sys; sys.path = [p for p in sys.path if not p.endswith('/lab')]"
OTHER_VERSION = (
    "import wasm_lab.grading.grade as g; old = g.versions; g.versions = lambda: old() | {'wasm-lab': '0.0.1'}"
)
NO_WALLS = "import wasm_lab.confine.landlock as l; l.landlock_version = lambda: 0"


@pytest.mark.parametrize(
    ("first", "says"),
    [(WITHOUT_LAB, "has no wasm_lab"), (OTHER_VERSION, "its wasm-lab is 0.0.1"), (NO_WALLS, "no walls")],
    ids=["no-lab", "other-version", "no-walls"],
)
def test_a_worker_that_cannot_grade_is_told_of(tmp_path: Path, batch: Batch, first: str, says: str) -> None:
    with cluster(tmp_path / "cluster", workers=0) as (here, _):
        here.worker(first)
        here.wait_for(1)
        with pytest.raises(UnsupportedError, match=says) as caught:
            grade_batch(batch, lambda: DaskCrew(here.address))
    assert caught.value.hint


def test_no_scheduler_and_no_workers(tmp_path: Path, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasm_lab.grading.cluster.CONNECT_S", 1.0)
    with pytest.raises(UsageError, match="No scheduler of Dask answers"):
        DaskCrew("tcp://127.0.0.1:1")
    with (
        cluster(tmp_path / "cluster", workers=0) as (here, _),
        pytest.raises(UsageError, match="has no workers"),
    ):
        grade_batch(batch, lambda: DaskCrew(here.address))
