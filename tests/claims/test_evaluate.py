"""The ledger evaluated: rows on their own, what a page and a record hold, a number by hand."""

from __future__ import annotations

import json
import statistics
from dataclasses import replace

import pytest
from click.testing import CliRunner

from wasm_lab.claims import evaluate
from wasm_lab.claims.evaluate import _row as row_of
from wasm_lab.claims.evaluations import isolation as isolation_module
from wasm_lab.claims.ledger import Claim
from wasm_lab.claims.verdict import Verdict
from wasm_lab.claims.workbench import QUICK_KERNELS, Workbench
from wasm_lab.cli.claims import claims as claims_command
from wasm_lab.errors import MeasureError, UsageError
from wasm_lab.measure.store import Measurements
from wasm_lab.views.claims import markdown, page, record


def test_rows_that_measure_nothing_say_why():
    (survey,) = evaluate(("a7",)).rows
    assert survey.verdict is Verdict.UNTESTABLE
    assert "survey" in survey.reason
    waiting = Claim(id="b99", source="b", text="It flies.", tested="By looking.", until="the sky scenario")
    row = row_of(waiting, Workbench())
    assert row.verdict is Verdict.NOT_YET
    assert "the sky scenario" in row.reason


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


def test_a_mistake_of_ours_in_one_row_stops_no_other(monkeypatch):
    monkeypatch.setattr(isolation_module, "isolation", lambda _bench: [1 / 0])
    evaluated = evaluate(("a5", "b7", "b8"))
    assert [row.claim.id for row in evaluated.rows] == ["a5", "b7", "b8"]
    assert "bug of the lab: ZeroDivisionError" in evaluated.rows[1].reason


def test_a_spent_budget_begins_no_further_measurement_and_says_so():
    evaluated = evaluate(("a4", "a7"), budget_s=0)
    assert [row.verdict for row in evaluated.rows] == [Verdict.UNTESTABLE, Verdict.UNTESTABLE]
    assert "budget was spent" in evaluated.rows[0].reason
    assert "survey" in evaluated.rows[1].reason


def test_a_version_of_wasi_is_refused_for_its_version_alone():
    """The same program runs when it asks for 0.2, so that a refusal of 1.0 says something."""
    (row,) = evaluate(("a6",)).rows
    said = {each.what: each.value for each in row.measured}
    assert said["a runtime here offers wasi:cli/environment@0.2.0"] == 1
    assert said["a runtime here offers wasi:cli/environment@1.0.0"] == 0
    assert row.verdict is Verdict.FAILS


def test_isolation_notices_a_runtime_that_lets_a_program_out(monkeypatch):
    """A runtime that grants more than it was told to: the row must not hold."""
    real = isolation_module.get_runtime("wasmtime")

    class Leaky:
        def missing(self):
            return ""

        def run(self, artifact, capabilities, **options):
            return real.run(artifact, replace(capabilities, env={"SECRET": "1"}), **options)

    monkeypatch.setattr(isolation_module, "NAMES", ("wasmtime",))
    monkeypatch.setattr(isolation_module, "get_runtime", lambda *_: Leaky())
    (row,) = evaluate(("b7",)).rows
    assert row.verdict is Verdict.PARTLY
    assert "no environment" in row.reason


def test_the_command_prints_records_and_refuses_what_it_cannot_use(tmp_path):
    runner = CliRunner()
    done = runner.invoke(claims_command, ["--json", "a5"], standalone_mode=False)
    assert [row["id"] for row in json.loads(done.stdout)] == ["a5"]
    assert done.return_value == 0
    lost = runner.invoke(claims_command, ["--html", str(tmp_path / "none" / "x.html"), "a5"])
    assert isinstance(lost.exception, UsageError)
    assert "a5" in lost.stdout  # the rows were printed before the file was refused
    listed = runner.invoke(claims_command, ["--list", "a1"], standalone_mode=False)
    assert "JavaScript" in listed.stdout
    for words in (["z9"], ["--save", str(tmp_path / "samples.txt"), "a5"], ["--budget", "soon", "a5"]):
        assert isinstance(
            runner.invoke(claims_command, words, standalone_mode=False).exception, UsageError
        ), words


def test_an_interrupt_keeps_the_rows_that_are_done(monkeypatch):
    def interrupted(_bench):
        raise KeyboardInterrupt

    monkeypatch.setattr(isolation_module, "isolation", interrupted)
    evaluated = evaluate(("a5", "b7", "b8"))
    assert [row.claim.id for row in evaluated.rows] == ["a5"]
    assert evaluated.interrupted


@pytest.mark.slow
def test_records_have_the_shape_that_is_promised(monkeypatch):
    # Chapter 16 evaluates b9 with every language that is here.
    monkeypatch.setattr(
        "wasm_lab.scenarios.languages.entries._missing", lambda key: "" if key == "rust" else f"no {key} here"
    )
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


def test_a_bound_that_is_ours_is_shown_as_ours():
    evaluated = evaluate(("a4",), budget_s=0)
    for shown in (page(evaluated), markdown(evaluated)):
        assert "The article gives no figure" in shown


@pytest.mark.slow
def test_a_number_can_be_derived_from_saved_samples(tmp_path, monkeypatch):
    """The rows that rest on kernels, and the one that no chapter evaluates; the chapters' tests have the others."""
    monkeypatch.setattr("wasm_lab.claims.workbench.QUICK_KERNELS", QUICK_KERNELS[:2])
    ids = ("a1", "a4", "b1", "b4", "c4")
    evaluated = evaluate(ids)
    by_id = {row.claim.id: row for row in evaluated.rows}
    for each in ids:
        row = by_id[each]
        assert row.measured, (each, row.reason)
        assert row.verdict in (Verdict.HOLDS, Verdict.PARTLY, Verdict.FAILS, Verdict.UNTESTABLE)
        timings = [one for one in row.measured if one.unit in ("ms", "µs", "×") and one.counts]
        assert all(one.n >= 5 for one in timings), each
    assert by_id["a1"].measured == by_id["b1"].measured  # from the same runs
    evaluated.measurements.save(tmp_path / "samples.jsonl")
    saved = Measurements.load(tmp_path / "samples.jsonl")
    (shown,) = [
        one for one in by_id["a1"].measured if one.what == "fib(22): wasmtime against JavaScript (node)"
    ]
    assert shown.value == pytest.approx(_ratio_by_hand(saved, "JavaScript (node)", "wasmtime"), rel=1e-9)


def _ratio_by_hand(saved, slow, fast):
    """The ratio of medians in each of five processes; of these the middle three, averaged.

    Plain arithmetic, with nothing of the lab's statistics: a 20 % trimmed mean of five logarithms.
    """
    ratios = []
    for process in range(5):
        medians = [
            statistics.median(
                one.value
                for one in saved
                if (one.workload, one.input, one.phase) == ("fib", "22", "steady call")
                and (one.subject, one.process) == (subject, process)
                and one.warm
            )
            for subject in (slow, fast)
        ]
        ratios.append(medians[0] / medians[1])
    return statistics.geometric_mean(sorted(ratios)[1:-1])
