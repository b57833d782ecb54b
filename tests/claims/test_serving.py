"""The rows that rest on a load test: what they make of a run, and that no run is made for the quick set."""

from __future__ import annotations

import math
from typing import Any

import pytest

from wasm_lab.claims import evaluate, workbench
from wasm_lab.claims.ledger import ledger
from wasm_lab.claims.verdict import Verdict
from wasm_lab.errors import MeasureError
from wasm_lab.measure.sample import Sample
from wasm_lab.measure.store import Measurements
from wasm_lab.scenarios import loadtest
from wasm_lab.scenarios.loadtest import STACKS, Figure, LoadReport, Plan
from wasm_lab.scenarios.loadtest.report import UNITS, WORKLOAD, load_name
from wasm_lab.views.claims import record, values_table
from wasm_lab.views.html import plain_text

ROWS = ("a2", "d1", "d2", "d3", "d4")

#: Requests per second, P50 and P99 in ms, cold start in ms, memory in MB, size in MB: the articles' table.
CLAIMED = {
    "node": (3100, 3.2, 12, 520, 52, 50),
    "go": (12000, 1.1, 3.5, 55, 10.5, 10),
    "actix": (28000, 0.4, 1.2, 8, 2, 5),
    "spin": (13000, 0.9, 2.8, 0.8, 0.5, 1),
    "wasmtime": (13000, 0.9, 2.8, 0.8, 0.5, 1),
    "wasmedge": (15000, 0.8, 2.5, 1.0, 0.5, 1),
}


def report(table: dict[str, tuple[float, ...]], *, rounds: int = 6, spread: float = 0.0) -> LoadReport:
    """A run in which each stack of the table was measured as it says; the others are missing."""
    samples = []

    def sample(name: str, figure: Figure, value: float, number: int, load: str = "") -> None:
        stack = next(one for one in STACKS if one.name == name)
        samples.append(
            Sample(
                workload=WORKLOAD,
                input=load,
                subject=stack.title,
                language=stack.language,
                runtime=stack.runtime,
                runtime_version="1",
                process=number,
                iteration=0,
                phase=figure.value,
                value=value * (1 + spread * (number * (1 + STACKS.index(stack)) % 7)),
                unit=UNITS[figure],
            )
        )

    for name, (rate, p50, p99, start, memory, size) in table.items():
        sample(name, Figure.DEPLOYED, size * 1e6, 0)
        for number in range(rounds):
            sample(name, Figure.COLD_START, start * 1e6, number)
            for connections in (1, 16, 64):
                load = load_name(connections)
                sample(name, Figure.THROUGHPUT, rate, number, load)
                sample(name, Figure.P50, p50 * 1e6, number, load)
                sample(name, Figure.P99, p99 * 1e6, number, load)
                sample(name, Figure.PSS, memory * 1e6, number, load)
    there = tuple(stack for stack in STACKS if stack.name in table)
    return LoadReport(
        plan=Plan(),
        stacks=there,
        versions={stack.title: "1" for stack in there},
        missing={stack.title: "It is not here." for stack in STACKS if stack.name not in table},
        measurements=Measurements(tuple(samples)),
        sharing="",
        generator="wrk",
        cases=14,
        duration_s=1.0,
        baseline=there[0].title,
    )


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``rows(report)``: the rows by id, evaluated in full on that run; how often it was asked for counts."""
    asked: list[Plan] = []

    def evaluated(found: LoadReport) -> Any:
        def run(names: Any = (), plan: Any = None, *, watcher: Any = None) -> LoadReport:
            asked.append(plan)
            return found

        monkeypatch.setattr(loadtest, "load_test", run)
        result = evaluate(ROWS, full=True)
        assert len(asked) == 1  # one run for all rows
        assert len(result.measurements) == len(found.measurements)
        return {row.claim.id: row for row in result.rows}

    return evaluated


def test_the_articles_own_figures_hold_where_they_agree_with_each_other(rows: Any) -> None:
    by_id = rows(report(CLAIMED))
    assert by_id["d2"].verdict is Verdict.HOLDS, by_id["d2"].reason
    assert by_id["d3"].verdict is Verdict.HOLDS, by_id["d3"].reason
    # Its table says 4.2 and 1.1 times as fast, not 10 and 3.
    assert by_id["d1"].verdict is Verdict.FAILS
    assert by_id["d4"].verdict is Verdict.HOLDS, by_id["d4"].reason
    assert by_id["a2"].verdict is Verdict.PARTLY  # Go, and not Java
    assert "1 cannot be told" in by_id["a2"].reason


def test_another_machine_s_figures_do_not_hold(rows: Any) -> None:
    slow = {**CLAIMED, "node": (9000, 1.6, 4, 40, 40, 2), "spin": (5000, 3, 9, 200, 80, 0.3)}
    slow |= {"wasmtime": (9000, 1.7, 3, 8, 20, 0.3), "wasmedge": (70000, 0.2, 2, 22, 59, 1.2)}
    by_id = rows(report(slow))
    values = {each.what: each for each in by_id["d4"].measured}
    start = values["Node + Express against Wasm, wasmtime serve: cold start"]
    assert start.value == pytest.approx(5)
    assert values["Wasm, WasmEdge against Rust Actix: throughput, 16 connections"].value == pytest.approx(2.5)
    assert by_id["d4"].verdict is Verdict.PARTLY
    assert by_id["d1"].verdict is Verdict.PARTLY  # WasmEdge against Go
    assert by_id["d2"].verdict is Verdict.PARTLY
    text = plain_text(values_table(by_id["d2"]))
    assert "at least 500 ms" in text
    assert "at most 0.5 MB" in text


def test_a_stack_that_is_missing_leaves_its_values_open(rows: Any) -> None:
    there = {name: CLAIMED[name] for name in ("node", "actix", "wasmtime")}
    by_id = rows(report(there))
    assert by_id["d3"].verdict in (Verdict.UNTESTABLE, Verdict.PARTLY)
    assert not any(each.figure == "rate of wasmedge" for each in by_id["d3"].measured)
    for row in by_id.values():
        assert row.verdict is not Verdict.HOLDS
    told = [each.what for each in by_id["d1"].measured if not each.counts]
    assert any("Wasm, WasmEdge was not measured: It is not here." in what for what in told)


def test_a_stack_that_died_in_the_middle_is_told_in_a_line(rows: Any) -> None:
    found = report(CLAIMED)
    found.missing["Wasm, WasmEdge"] = "Wasm, WasmEdge ended with status 1. It said:\nmuch\nno memory"
    told = [each.what for each in rows(found)["d1"].measured if not each.counts]
    assert told == [
        "Wasm, WasmEdge was not measured to the end: Wasm, WasmEdge ended with status 1. It said: … no memory"
    ]


def test_too_few_rounds_decide_nothing(rows: Any) -> None:
    by_id = rows(report(CLAIMED, rounds=3, spread=0.01))
    decided = [each for each in by_id["d1"].measured if each.counts and each.n >= 5]
    assert decided == []
    assert by_id["d1"].verdict is Verdict.UNTESTABLE


def test_records_name_the_figure_of_each_value(rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows(report(CLAIMED))
    evaluated = evaluate(("d2",), full=True)
    one = record(evaluated.rows[0], evaluated)
    names = {each["name"] for each in one["also"]}
    used = {each["figure"] for each in one["measured"] if each["counts"]}
    assert used == names | {""}
    assert not any(isinstance(each["value"], float) and math.isnan(each["value"]) for each in one["measured"])


def test_every_named_figure_is_measured(rows: Any) -> None:
    by_id = rows(report(CLAIMED))
    for claim in ledger():
        if claim.id in by_id:
            used = {each.figure for each in by_id[claim.id].measured if each.counts and each.unit != "check"}
            assert used == {"", *(each.name for each in claim.also)}, claim.id


def test_the_quick_set_makes_no_load_test(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("it ran")

    monkeypatch.setattr(loadtest, "load_test", never)
    for row in evaluate(ROWS).rows:
        assert row.verdict is Verdict.UNTESTABLE
        assert "--full" in row.reason
    spent = evaluate(("d1",), full=True, budget_s=30).rows[0]
    assert "Too little of the time budget" in spent.reason


def test_an_interrupted_load_test_ends_the_evaluation(rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = report(CLAIMED)
    object.__setattr__(found.measurements, "interrupted", True)
    monkeypatch.setattr(loadtest, "load_test", lambda *_, **__: found)
    evaluated = evaluate(("a5", "d1", "d2"), full=True)
    assert [row.claim.id for row in evaluated.rows] == ["a5"]
    assert evaluated.interrupted


def test_without_any_stack_the_row_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: Any, **__: Any) -> None:
        raise MeasureError("No stack can be measured here.")

    monkeypatch.setattr(loadtest, "load_test", none)
    assert "No stack can be measured" in evaluate(("d1",), full=True).rows[0].reason
    assert workbench.LOAD.rounds >= 5
