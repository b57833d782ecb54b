"""The threads of the Spin host: nobody waits for a guest that waits, or that takes its time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from wasm_lab.scenarios.spin.host.crew import Crew
from wasm_lab.scenarios.spin.host.guest import Guest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Job:
    def __init__(self, work: Callable[[Guest], None]) -> None:
        self.guest = Guest(10.0)
        self.work = work
        self.done = threading.Event()

    def run(self) -> None:
        self.work(self.guest)
        self.done.set()


@pytest.fixture
def crew() -> Iterator[Crew]:
    crew = Crew()
    yield crew
    crew.close()


def test_jobs_run_in_their_order_in_one_thread(crew: Crew) -> None:
    seen: list[tuple[int, int]] = []
    jobs = [
        Job(lambda _guest, number=number: seen.append((number, threading.get_ident())))  # type: ignore[misc]
        for number in range(50)
    ]
    for job in jobs:
        crew.submit(job)
    assert all(job.done.wait(10) for job in jobs)
    assert [number for number, _ in seen] == list(range(50))
    assert len({ident for _, ident in seen}) == 1


def test_a_guest_that_waits_holds_up_nobody(crew: Crew) -> None:
    go_on = threading.Event()

    def wait(guest: Guest) -> None:
        guest.about_to_wait()
        go_on.wait(10)

    waiting = [Job(wait) for _ in range(20)]
    for job in waiting:
        crew.submit(job)
    quick = Job(lambda _guest: None)
    crew.submit(quick)
    assert quick.done.wait(60)
    assert not any(job.done.is_set() for job in waiting)
    go_on.set()
    assert all(job.done.wait(60) for job in waiting)


def test_a_guest_that_runs_on_holds_up_nobody_for_long(crew: Crew) -> None:
    stop = threading.Event()
    busy = Job(lambda _guest: stop.wait(120) and None)
    crew.submit(busy)
    quick = Job(lambda _guest: None)
    crew.submit(quick)
    assert quick.done.wait(60)
    assert not busy.done.is_set()
    assert crew.busy
    stop.set()
    assert busy.done.wait(60)


def test_running_guests_are_ticked(crew: Crew) -> None:
    ticked = threading.Event()

    class Ticked(Guest):
        def tick(self) -> None:
            ticked.set()

    job = Job(lambda _guest: ticked.wait(10) and None)
    job.guest = Ticked(10.0)
    crew.submit(job)
    assert ticked.wait(60)
    assert job.done.wait(60)


def test_the_ticker_sleeps_and_wakes_again(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasm_lab.scenarios.spin.host.crew.IDLE_TICKS", 2)
    first = Job(lambda _guest: None)
    crew.submit(first)
    assert first.done.wait(60)
    until = time.monotonic() + 60
    while not crew.parked and time.monotonic() < until:
        time.sleep(0.005)
    assert crew.parked
    stop = threading.Event()
    busy = Job(lambda _guest: stop.wait(120) and None)
    quick = Job(lambda _guest: None)
    crew.submit(busy)
    crew.submit(quick)
    assert quick.done.wait(60), "the ticker woke, and gave the busy guest's place to another thread"
    stop.set()


def test_spare_threads_end(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wasm_lab.scenarios.spin.host.crew.SPARE_S", 0.05)
    jobs = [Job(lambda guest: guest.about_to_wait()) for _ in range(30)]
    for job in jobs:
        crew.submit(job)
    assert all(job.done.wait(60) for job in jobs)
    until = time.monotonic() + 60
    while crew.threads > 1 and time.monotonic() < until:
        time.sleep(0.01)
    assert crew.threads == 1
    last = Job(lambda _guest: None)
    crew.submit(last)
    assert last.done.wait(60)


def test_no_more_guests_than_allowed() -> None:
    crew = Crew(most=3)
    go_on = threading.Event()
    at_work = threading.Semaphore(0)

    def wait(guest: Guest) -> None:
        guest.about_to_wait()
        at_work.release()
        go_on.wait(10)

    jobs = [Job(wait) for _ in range(6)]
    for job in jobs:
        crew.submit(job)
    assert all(at_work.acquire(timeout=60) for _ in range(3))
    assert crew.waiting == 3
    go_on.set()
    assert all(job.done.wait(60) for job in jobs)
    crew.close()
