"""The live chart's Python half: throttled, batched, nothing lost, nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from wasm_lab.measure.sample import Sample
from wasm_lab.views import live
from wasm_lab.views.live import LiveChart


def sample(subject: str, value: float, phase: str = "steady call") -> Sample:
    return Sample(
        workload="fib",
        input="25",
        subject=subject,
        language="rust",
        runtime=subject,
        runtime_version="1",
        process=0,
        iteration=0,
        phase=phase,
        value=value,
        unit="ns",
    )


@dataclass
class Timer:
    """A timer that goes off when the test says so."""

    at: float
    then: Callable[[], None]
    daemon: bool = False
    running: bool = False

    def start(self) -> None:
        self.running = True

    def cancel(self) -> None:
        self.running = False


class Recorder:
    """Stands for the browser: keeps what was sent, and a clock that the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.sent: list[tuple[Any, Any]] = []
        self.timers: list[Timer] = []
        monkeypatch.setattr(live.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(live.threading, "Timer", self._timer)
        self.chart = LiveChart("fib", "steady call")
        monkeypatch.setattr(
            self.chart, "send", lambda content, buffers=None: self.sent.append((content, buffers))
        )

    def _timer(self, after_s: float, then: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + after_s, then))
        return self.timers[-1]

    def wait(self, seconds: float) -> None:
        """Let time pass, and the timers that are due go off."""
        self.now += seconds
        due = [each for each in self.timers if each.running and each.at <= self.now]
        for each in due:
            each.then()

    def hello(self) -> None:
        self.chart._received(None, {"kind": "hello"}, [])

    def values(self) -> dict[str, list[float]]:
        """What a view shows that heard all this."""
        shown: dict[str, list[float]] = {}
        for content, buffers in self.sent:
            if content["kind"] == "again":
                shown = {}
            if content["kind"] == "more":
                data = np.frombuffer(buffers[0], dtype=np.float32)
                at = 0
                for name, count in zip(content["names"], content["counts"], strict=True):
                    shown.setdefault(name, []).extend(data[at : at + count].tolist())
                    at += count
        return shown


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    return Recorder(monkeypatch)


def test_nothing_is_sent_before_the_browser_says_hello_and_then_all_of_it(browser: Recorder) -> None:
    browser.chart.add([sample("wasmtime", 2e3), sample("native", 1e3)])
    assert browser.sent == []
    browser.hello()
    assert browser.values() == {"wasmtime": [2.0], "native": [1.0]}


def test_at_most_ten_messages_a_second_and_no_sample_lost(browser: Recorder) -> None:
    browser.hello()
    browser.sent.clear()
    for _ in range(1000):
        browser.wait(0.001)
        browser.chart.add([sample("wasmtime", 2e3)] * 10)
    updates = [content for content, _ in browser.sent if content["kind"] == "more"]
    assert 8 <= len(updates) <= 10
    browser.chart.flush()
    assert len(browser.values()["wasmtime"]) == 10_000


def test_the_last_samples_do_not_wait_for_further_ones(browser: Recorder) -> None:
    browser.hello()
    browser.wait(1)
    browser.chart.add([sample("wasmtime", 2e3)])
    browser.wait(0.01)
    browser.chart.add([sample("wasmtime", 4e3)])
    assert browser.values() == {"wasmtime": [2.0]}
    browser.wait(0.2)
    assert browser.values() == {"wasmtime": [2.0, 4.0]}


def test_a_second_view_gets_everything_once(browser: Recorder) -> None:
    browser.hello()
    browser.now += 1
    browser.chart.add([sample("wasmtime", 2e3)])
    browser.hello()
    assert browser.values() == {"wasmtime": [2.0]}


def test_other_phases_are_left_out(browser: Recorder) -> None:
    browser.hello()
    browser.now += 1
    browser.chart.add([sample("wasmtime", 9e9, "compile"), sample("wasmtime", 2e3)])
    assert browser.values() == {"wasmtime": [2.0]}


def test_a_subject_that_comes_late_is_introduced(browser: Recorder) -> None:
    browser.hello()
    for name in ("wasmtime", "native"):
        browser.now += 1
        browser.chart.add([sample(name, 2e3)])
    styles = [content["styles"] for content, _ in browser.sent if content["kind"] == "start"]
    assert set(styles[-1]) == {"wasmtime", "native"}
    assert styles[-1]["wasmtime"] == ("#0072B2", "circle")


def test_the_library_is_sent_only_when_it_is_asked_for(browser: Recorder) -> None:
    browser.hello()
    assert not any(content["kind"] == "bundle" for content, _ in browser.sent)
    browser.chart._received(None, {"kind": "bundle wanted"}, [])
    content, buffers = browser.sent[-1]
    assert content["kind"] == "bundle"
    assert b"plotly.js" in buffers[0][:500]
