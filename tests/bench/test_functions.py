"""A function compared in real engines: answers first, then samples, then a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wasm_lab.bench import bench_function
from wasm_lab.bench.comparing import Watcher
from wasm_lab.errors import AnswersDiffer, UnsupportedError, UsageError
from wasm_lab.run import Phase

JS = "function double(n) { return 2 * n; }"


def test_every_place_that_was_named_is_measured_and_compared(double, quick):
    steps, seen = [], []
    report = bench_function(
        double,
        "double",
        [(21,)],
        where=["wasmtime", "native", "javascript", "python"],
        js_twin=JS,
        python_twin="def double(n): return 2 * n",
        effort=quick,
        watcher=Watcher(on_step=steps.append, on_samples=seen.extend),
    )
    assert report.baseline == "JavaScript (node)"
    assert [each.agreed for each in report.checked] == [("wasmtime", "native", "JavaScript (node)", "Python")]
    assert report.checked[0].answer.value == 42
    assert {one.subject for one in report.comparisons} == {"wasmtime", "native", "Python"}
    assert {one.subject for one in report.measurements.where(phase="steady call")} == set(
        report.checked[0].agreed
    )
    assert len(seen) == len(report.measurements)
    assert "measuring" in steps
    assert "double(21), steady call, answers equal, against JavaScript (node)" in report.sentence
    assert "other machines" in report.sentence


def test_a_wrong_twin_stops_it_with_the_first_difference(double, quick):
    with pytest.raises(AnswersDiffer, match=r"double\(21\).*gives 42.*gives 63") as caught:
        bench_function(
            double,
            "double",
            [(21,)],
            where=["wasmtime", "javascript"],
            js_twin="function double(n) { return 3 * n; }",
            effort=quick,
        )
    assert "Nothing was timed" in caught.value.hint


def test_a_twin_that_is_right_for_one_input_alone_is_found(double, quick):
    with pytest.raises(AnswersDiffer, match=r"double\(3\)"):
        bench_function(
            double,
            "double",
            [(2,), (3,)],
            where=["wasmtime", "python"],
            python_twin="def double(n): return n * n",
            effort=quick,
        )


def test_several_inputs_are_comparisons_of_their_own(double, quick):
    report = bench_function(
        double, "double", [(1,), (2,)], where=["wasmtime", "native"], ready_twins=False, effort=quick
    )
    assert report.baseline == "native"
    assert [one.input for one in report.comparisons] == ["1", "2"]


def test_without_places_a_missing_twin_is_told_and_the_rest_is_measured(double, quick):
    report = bench_function(double, "double", [(1,)], effort=quick)
    assert "%%js_twin" in report.unavailable["javascript"]
    assert "Python function of the same name" in report.unavailable["python"]
    assert "Not measured:" in report.sentence


def test_the_price_of_guards_is_measured_against_none(double, quick):
    report = bench_function(double, "double", [(1,)], where=["wasmtime"], guards=True, effort=quick)
    assert {one.subject for one in report.comparisons} == {
        "wasmtime + epochs",
        "wasmtime + fuel",
        "wasmtime + audit",
    }
    assert report.guard_prices == report.comparisons
    assert report.measurements.values_of("guards") == ("none", "epochs", "fuel", "audit")


def test_phases_of_a_cold_start_are_told_apart(double, quick):
    cold = replace(quick, phases=(Phase.COMPILE, Phase.LOAD, Phase.INSTANTIATE, Phase.FIRST_CALL))
    report = bench_function(double, "double", [(1,)], where=["wasmtime"], effort=cold)
    median = {one.phase: one.median for one in report.summaries if one.unit == "ns"}
    assert median["compile"] > median["load"] > 0
    assert report.measurements.where(phase="compile").values_of("cache") == ("cold",)
    assert report.measurements.where(phase="load").values_of("cache") == ("warm",)


@pytest.mark.parametrize(
    ("wrong", "kind", "message"),
    [
        ({"function": "triple"}, UsageError, "no public function triple"),
        ({"function": "generic"}, UsageError, "generic"),
        ({"where": ["java"]}, UsageError, "java"),
        ({"where": ["javascript"]}, UnsupportedError, "no JavaScript twin"),
        ({"inputs": [("x",)]}, UsageError, "double"),
        ({"inputs": [()]}, UsageError, "double"),
    ],
)
def test_what_cannot_be_measured_says_why(double, quick, wrong, kind, message):
    given = {"function": "double", "inputs": [(1,)], "where": ["wasmtime"], "effort": quick} | wrong
    with pytest.raises(kind, match=message):
        bench_function(double, **given)
