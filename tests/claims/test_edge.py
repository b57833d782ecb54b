"""The rows about workers: what they rest on, and what they say where there is no workerd."""

from __future__ import annotations

import pytest

from wasm_lab.claims.evaluations import edge
from wasm_lab.claims.verdict import Measured
from wasm_lab.claims.workbench import Workbench
from wasm_lab.errors import AnswersDiffer, MeasureError
from wasm_lab.measure.statistics import compare
from wasm_lab.run import Phase
from wasm_lab.scenarios.edge import resizing
from wasm_lab.scenarios.edge.cold import (
    ISOLATE_JAVASCRIPT,
    ISOLATE_WASM,
    PROCESS,
    REQUEST,
    measure_cold_starts,
)
from wasm_lab.scenarios.edge.resizing import JAVASCRIPT, WASM, Size, measure_resizing

MISSING = "No workerd is installed. To get it: x."


def hello(*_: object) -> list[Measured]:
    return [Measured(what="hello, precompiled", value=0.1, low=0.1, high=0.2, unit="ms", n=5)]


def test_without_workerd_b5_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(edge, "workerd_missing", lambda: MISSING)
    with pytest.raises(MeasureError, match="To get it"):
        edge.image_resize(Workbench())


def test_without_workerd_a3_leaves_the_worker_open(monkeypatch):
    monkeypatch.setattr(edge, "workerd_missing", lambda: MISSING)
    monkeypatch.setattr(edge, "cold_start_and_containers", hello)
    first, second = edge.edge_cold_start(Workbench())
    assert first.value == 0.1
    assert "To get it" in second.what
    assert second.n == 0


def test_of_a3_only_what_is_an_edge_function_counts(monkeypatch):
    monkeypatch.setattr(edge, "workerd_missing", lambda: "")
    monkeypatch.setattr(edge, "cold_start_and_containers", lambda bench: [*hello(), *hello()])
    times = {ISOLATE_WASM: [9.0] * 5, PROCESS: [40.0] * 5}
    monkeypatch.setattr("wasm_lab.scenarios.edge.cold.measure_cold_starts", lambda **_: times)
    rows = edge.edge_cold_start(Workbench())
    assert [row.counts for row in rows] == [True, False, True, False]


@pytest.mark.slow
def test_one_round_of_resizing():
    taken = measure_resizing(size=Size(64, 48, 32, 24), rounds=2)
    assert set(taken.values_of("subject")) == {JAVASCRIPT, WASM}
    ratio = compare(taken, subject=JAVASCRIPT, baseline=WASM, phase=Phase.CALL.value)
    assert ratio.processes == 2
    for subject in (JAVASCRIPT, WASM):
        rows = taken.where(subject=subject, process=0)
        assert [row.warm for row in rows] == [False] * 3 + [True] * 6
        assert all(row.count > 1 for row in rows)


@pytest.mark.slow
def test_nothing_is_timed_when_the_pictures_differ(monkeypatch):
    wrong = resizing._WORKER.replace("[smaller(resize), ", "[smaller(resize).fill(0), ")
    monkeypatch.setattr(resizing, "_WORKER", wrong)
    with pytest.raises(AnswersDiffer):
        measure_resizing(size=Size(64, 48, 32, 24), rounds=1)


@pytest.mark.slow
def test_one_round_of_starts():
    times = measure_cold_starts(rounds=1)
    assert {ISOLATE_WASM, ISOLATE_JAVASCRIPT, REQUEST, PROCESS} <= set(times)
    assert all(len(each) == 1 and each[0] > 0 for each in times.values())
