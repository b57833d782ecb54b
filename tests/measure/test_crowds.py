"""Idle instances and busy crowds: with pretended weights, and with real engines."""

from __future__ import annotations

import pytest

from wasm_lab.cells import parse_cell
from wasm_lab.errors import MeasureError
from wasm_lab.measure.crowds import idle, idle_cost, throughput
from wasm_lab.measure.sample import Sample
from wasm_lab.measure.store import Measurements
from wasm_lab.subjects import function_subjects


def weights(each: int, base: int, outlier: int = 0) -> Measurements:
    rows = [
        Sample(
            workload="w", input=str(count), subject="s", language="", runtime="r", runtime_version="",
            process=process, iteration=count, phase="PSS", unit="bytes",
            value=base + each * count + (outlier if (process, count) == (0, 100) else 0),
        )
        for process in range(5)
        for count in (0, 10, 100, 500)
    ]  # fmt: skip
    return Measurements(tuple(rows))


def test_the_slope_is_the_cost_of_one_even_with_an_outlier():
    cost = idle_cost(weights(1000, 50_000, outlier=10**7), subject="s")
    assert cost.each_bytes == pytest.approx(1000)
    assert cost.low <= 1000 <= cost.high
    assert cost.base_bytes == pytest.approx(50_000, rel=0.01)
    assert cost.per_gigabyte() == pytest.approx((1e9 - 50_000) / 1000, rel=0.01)


def test_one_number_of_instances_has_no_slope():
    only = weights(1, 1).where(input="10")
    with pytest.raises(MeasureError, match="no slope"):
        idle_cost(only, subject="s")


@pytest.fixture(scope="module")
def source():
    return parse_cell("pub fn double(n: u32) -> u32 { 2 * n }", name="double", label="double.rs")


def test_instances_of_wasmtime_in_one_process_weigh_something_each(source):
    (subject,) = function_subjects(source, "double", (1,), places=["wasmtime"])
    found = idle(subject, counts=(0, 50, 200), rounds=2)
    assert len(found.where(phase="PSS")) == 6
    cost = idle_cost(found, subject="wasmtime")
    assert 1_000 < cost.each_bytes < 2_000_000


def test_busy_processes_count_their_calls(source):
    (subject,) = function_subjects(source, "double", (1,), places=["native"])
    found = throughput(subject, counts=(1, 2), rounds=1, window_s=0.1)
    assert [row.input for row in found] == ["1", "2"]
    assert all(row.unit == "calls/s" and row.value > 1_000_000 for row in found)


def test_where_a_process_is_an_instance_each_further_one_is_a_process(source):
    (subject,) = function_subjects(
        source, "double", (1,), places=["python"], python_twin="def double(n): return 2 * n"
    )
    cost = idle_cost(idle(subject, counts=(0, 2), rounds=1), subject="Python")
    assert cost.each_bytes > 1_000_000  # an interpreter of its own
