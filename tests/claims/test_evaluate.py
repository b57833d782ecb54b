"""The ledger evaluated: rows on their own, what a page and a record hold, the whole quick set."""

from __future__ import annotations

import json
import math
import time

import pytest

from wasm_lab.claims import evaluate
from wasm_lab.claims.evaluations import isolation as isolation_module
from wasm_lab.claims.verdict import Verdict
from wasm_lab.claims.workbench import Workbench
from wasm_lab.errors import MeasureError
from wasm_lab.views.claims import markdown, page, record


def test_rows_that_measure_nothing_say_why():
    evaluated = evaluate(("a7", "b8"))
    assert [row.verdict for row in evaluated.rows] == [Verdict.UNTESTABLE, Verdict.NOT_YET]
    assert "survey" in evaluated.rows[0].reason
    assert "Kubernetes" in evaluated.rows[1].reason


def test_distance_is_arithmetic():
    (row,) = evaluate(("a5",)).rows
    trips = {each.what: each.value for each in row.measured}
    near = trips["an edge at 100 km: round trips within 50 ms"]
    assert near == pytest.approx(50 / (2 * 100 / 299_792.458 * 1.468 * 1000))


def test_isolation_is_tried_with_one_grant_at_a_time():
    (row,) = evaluate(("b7",)).rows
    said = {each.what: each.value for each in row.measured}
    assert said["wasmtime, nothing granted: no host file"] == 1
    assert said["wasmtime, granted a folder to read: that alone is reached"] == 1
    assert row.verdict in (Verdict.HOLDS, Verdict.PARTLY)


def test_a_row_that_cannot_be_measured_stops_no_other(monkeypatch):
    def broken(_bench):
        raise MeasureError("the guest went away", hint="Call it back.")

    monkeypatch.setattr(isolation_module, "isolation", broken)
    evaluated = evaluate(("a5", "b7", "b8"))
    assert [row.claim.id for row in evaluated.rows] == ["a5", "b7", "b8"]
    assert evaluated.rows[1].verdict is Verdict.UNTESTABLE
    assert "went away" in evaluated.rows[1].reason


def test_an_interrupt_keeps_the_rows_that_are_done(monkeypatch):
    def interrupted(_bench):
        raise KeyboardInterrupt

    monkeypatch.setattr(isolation_module, "isolation", interrupted)
    evaluated = evaluate(("a5", "b7", "b8"))
    assert [row.claim.id for row in evaluated.rows] == ["a5"]
    assert evaluated.interrupted


def test_records_have_the_shape_that_is_promised():
    evaluated = evaluate(("a5", "b9"))
    for row in evaluated.rows:
        one = json.loads(json.dumps(record(row, evaluated), allow_nan=False))
        assert {"id", "verdict", "reason", "measured", "machine", "date"} <= set(one)
        for each in one["measured"]:
            assert {"what", "value", "low", "high", "unit", "n"} <= set(each)
    assert any(each["value"] is None for each in one["measured"])  # a language that was not tried


def test_a_page_and_markdown_hold_every_row_and_need_nothing_else():
    evaluated = evaluate(("a5", "a7"))
    text, table = page(evaluated), markdown(evaluated)
    for row in evaluated.rows:
        assert row.claim.text.replace("'", "&#x27;") in text
        assert f"| {row.claim.id} |" in table
    assert "<script" not in text
    assert "src=" not in text


@pytest.mark.slow
def test_the_quick_set_is_done_in_time_and_its_ratios_can_be_derived_again():
    """The issue asks for 120 s on a quiet machine; tests share theirs, hence the allowance."""
    bench = Workbench()
    started = time.monotonic()
    evaluated = evaluate()
    assert time.monotonic() - started < 240
    by_id = {row.claim.id: row for row in evaluated.rows}
    for each in "a1 a4 a6 b1 b2 b3 b4 b7 b9 c3 c4 c5 d5".split():
        row = by_id[each]
        assert row.measured, (each, row.reason)
        assert row.verdict in (Verdict.HOLDS, Verdict.PARTLY, Verdict.FAILS, Verdict.UNTESTABLE)
        timings = [one for one in row.measured if one.unit in ("ms", "µs", "×") and one.counts]
        assert all(one.n >= 5 for one in timings), each
    assert by_id["a1"].measured == by_id["b1"].measured  # from the same runs
    report = bench.speeds()[0]
    logs = []
    for process in report.measurements.values_of("process"):
        medians = []
        for subject in ("JavaScript (node)", "wasmtime"):
            values = sorted(
                one.value
                for one in report.measurements.where(subject=subject, process=process, phase="steady call")
                if one.warm
            )
            middle = len(values) // 2
            medians.append(values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2)
        logs.append(math.log(medians[0] / medians[1]))
    (ratio,) = [one for one in report.comparisons if one.subject == "wasmtime"]
    assert 1 / ratio.high <= math.exp(sum(logs) / len(logs)) <= 1 / ratio.low
