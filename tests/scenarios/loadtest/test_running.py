"""The run: answers first, fresh processes in turns, and what happens when something goes wrong."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import psutil
import pytest

from wasm_lab.errors import AnswersDiffer, MeasureError, ProbeError, UsageError
from wasm_lab.measure.store import Measurements
from wasm_lab.scenarios.loadtest import Figure, Plan, load_test, report, running, stacks
from wasm_lab.scenarios.loadtest.generator import Load
from wasm_lab.toolchains.wrk import Wrk

PLAN = Plan(connections=(1, 4), seconds=1, rounds=3, starts=1)


class FakeGenerator:
    """Says that each load went as its script has it, and lets the server be weighed."""

    wrk = Wrk(program=None, version="0")  # type: ignore[arg-type]
    loads: list[tuple[int, int]]
    interrupt_after = 10**9

    def __init__(self, threads: int = 1) -> None:
        type(self).loads = []

    def __enter__(self) -> FakeGenerator:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def run(self, port: int, connections: int, seconds: int, during: Any = None) -> Load:
        if len(self.loads) >= self.interrupt_after:
            raise KeyboardInterrupt
        self.loads.append((port, connections))
        if during:
            during()
        per_second = 1000 * connections + len(self.loads)
        return Load(
            requests=per_second,
            duration_us=1_000_000,
            p50_us=100,
            p99_us=200 + len(self.loads),
            longest_us=900,
            broken=0,
            refused=0,
            late=0,
            generator_share=0.95 if connections == 4 else 0.1,
        )


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``run(stacks, names=(), plan=PLAN, interrupt_after=…)``: a load test of these stacks without wrk."""

    def start(these: list[Any], names: Any = (), plan: Plan = PLAN, interrupt_after: int = 10**9) -> Any:
        table = tuple(these)
        monkeypatch.setattr(FakeGenerator, "interrupt_after", interrupt_after)
        monkeypatch.setattr(running, "Generator", FakeGenerator)
        for module in (stacks, report, running):
            monkeypatch.setattr(module, "STACKS", table)
        try:
            return load_test(names, plan)
        finally:
            assert [each for each in psutil.Process().children() if "server.py" in str(each.cmdline())] == []

    return start


def test_every_round_has_fresh_processes_of_every_stack(run: Any, python_stack: Any) -> None:
    plan = replace(PLAN, starts=2)
    found = run([python_stack("one"), python_stack("two")], plan=plan)
    kept = found.measurements
    for title in ("One", "Two"):
        of = kept.where(subject=title)
        assert len(of.where(phase=Figure.COLD_START.value)) == plan.rounds * plan.starts
        for load in ("1 connection", "4 connections"):
            throughput = of.where(phase=Figure.THROUGHPUT.value, input=load)
            assert [one.process for one in throughput] == [0, 1, 2]
            assert of.where(phase=Figure.RSS.value, input=load).samples
    # One warm-up and two loads for each round; every round on another port, so another process.
    ports = Counter(port for port, _ in FakeGenerator.loads)
    assert list(ports.values()) == [3] * (2 * PLAN.rounds)
    assert not found.interrupted
    assert found.missing == {}
    assert found.cases >= 10


def test_the_order_is_drawn_anew_and_repeats_with_its_seed(run: Any, python_stack: Any) -> None:
    def order(seed: int) -> list[str]:
        plan = replace(PLAN, connections=(1,), rounds=5, seed=seed)
        found = run([python_stack("one"), python_stack("two")], plan=plan)
        return [one.subject for one in found.measurements.where(phase=Figure.THROUGHPUT.value)]

    first = order(1)
    assert first == order(1)
    turns = {tuple(first[at : at + 2]) for at in range(0, len(first), 2)}
    assert len(turns) > 1
    assert all(set(turn) == {"One", "Two"} for turn in turns)


def test_samples_survive_being_saved(run: Any, python_stack: Any, tmp_path: Any) -> None:
    found = run([python_stack("one"), python_stack("two")])
    for name in ("load.jsonl", "load.csv"):
        found.measurements.save(tmp_path / name)
        assert Measurements.load(tmp_path / name).samples == found.measurements.samples


def test_ratios_are_paired_by_round(run: Any, python_stack: Any) -> None:
    found = run([python_stack("one"), python_stack("two")])
    ratio = found.ratio(Figure.THROUGHPUT, "4 connections", of="two", to="one")
    assert ratio.processes == PLAN.rounds
    assert ratio.low <= ratio.ratio <= ratio.high
    back = found.ratio(Figure.THROUGHPUT, "4 connections", of="one", to="two")
    assert back.ratio == pytest.approx(1 / ratio.ratio)
    assert found.baseline == "One"
    assert {one.subject for one in found.comparisons()} == {"Two"}


def test_a_busy_generator_is_told(run: Any, python_stack: Any) -> None:
    found = run([python_stack("one")])
    assert any("generator was busy for 95%" in note for note in found.notes())


def test_wrong_answers_time_nothing(run: Any, python_stack: Any) -> None:
    with pytest.raises(AnswersDiffer, match="Two answers GET /hello/Ada"):
        run([python_stack("one"), python_stack("two", mood="wrong")])
    assert FakeGenerator.loads == []


def test_an_interrupt_keeps_what_was_measured(run: Any, python_stack: Any) -> None:
    found = run([python_stack("one"), python_stack("two")], interrupt_after=5)
    assert found.interrupted
    kept = found.measurements.where(phase=Figure.THROUGHPUT.value)
    assert len(kept) == 3  # five loads, of which two were to warm up
    assert found.summaries()


def test_an_interrupt_in_the_first_start_is_an_interrupt(
    run: Any, python_stack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "check", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run([python_stack("one")])


def test_a_stack_that_does_not_start_takes_none_with_it(run: Any, python_stack: Any) -> None:
    found = run([python_stack("one"), python_stack("two", mood="ends")])
    assert [stack.title for stack in found.stacks] == ["One"]
    assert "no port for me" in found.missing["Two"]
    assert len(found.measurements.where(subject="One", phase=Figure.THROUGHPUT.value)) == 6


@pytest.mark.parametrize("names", [(), ("one", "two")])
def test_what_a_stack_gave_before_it_failed_is_kept(run: Any, python_stack: Any, names: Any) -> None:
    found = run([python_stack("one"), python_stack("two", mood="tires")], names=names)
    assert [stack.title for stack in found.stacks] == ["One", "Two"]
    assert "so tired" in found.missing["Two"]
    of = {
        each: found.measurements.where(subject=each, phase=Figure.THROUGHPUT.value) for each in ("One", "Two")
    }
    assert (len(of["One"]), len(of["Two"])) == (6, 4)


def test_answers_that_turn_wrong_under_load_do_not_count(run: Any, python_stack: Any) -> None:
    found = run([python_stack("one"), python_stack("two", mood="sours")])
    assert 'Two answers POST /sum with 200, application/json, {"wrong":true}' in found.missing["Two"]
    rounds = {
        each: found.measurements.where(subject=each, phase=Figure.THROUGHPUT.value).values_of("process")
        for each in ("One", "Two")
    }
    assert rounds == {"One": (0, 1, 2), "Two": (0, 1)}


def test_a_stack_that_was_asked_for_must_start(run: Any, python_stack: Any) -> None:
    with pytest.raises(ProbeError, match="no port for me"):
        run([python_stack("one"), python_stack("two", mood="ends")], names=["one", "two"])


def test_missing_stacks_are_listed_or_refused(run: Any, python_stack: Any) -> None:
    these = [python_stack("one"), python_stack("two", why="No two here. To get it: buy one.")]
    assert run(these).missing == {"Two": "No two here. To get it: buy one."}
    with pytest.raises(MeasureError, match="Two cannot be measured here. No two here"):
        run(these, names=["two"])
    with pytest.raises(MeasureError, match="No stack can be measured here"):
        run(these[1:])
    with pytest.raises(UsageError, match="There is no stack 'three'"):
        run(these, names=["three"])


@pytest.mark.parametrize(
    "wrong",
    [{"connections": ()}, {"connections": (0,)}, {"connections": (2, 2)}, {"seconds": 0}, {"rounds": 0}],
)
def test_plans_that_measure_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Plan(**wrong)


def test_views_show_all_of_it(run: Any, python_stack: Any, tmp_path: Any) -> None:
    from wasm_lab.views.html import plain_text
    from wasm_lab.views.loadtest import load_charts, load_record, load_tables, write_load_page

    these = [python_stack("one"), python_stack("two"), python_stack("three", why="No three.")]
    found = run(these)
    text = plain_text(load_tables(found))
    for word in ("One", "Two", "1 connection", "4 connections", "P99", "No three.", "Throughput, One = 1"):
        assert word in text
    record = json.loads(json.dumps(load_record(found), allow_nan=False))
    assert [each["name"] for each in record["stacks"]] == ["one", "two"]
    assert record["not_measured"] == {"Three": "No three."}
    assert {each["phase"] for each in record["comparisons"]} >= {"throughput", "latency P99", "cold start"}
    titles = [chart.figure.layout.title.text for chart in load_charts(found)]
    assert len(titles) == 5
    page = tmp_path / "report.html"
    write_load_page(found, page)
    assert page.read_text().count("<svg") == 5
    with pytest.raises(UsageError, match="cannot be written"):
        write_load_page(found, tmp_path / "no" / "report.html")


def test_an_interrupted_report_can_be_shown(run: Any, python_stack: Any) -> None:
    from wasm_lab.views.html import plain_text
    from wasm_lab.views.loadtest import load_charts, load_record, load_tables

    found = run([python_stack("one"), python_stack("two")], interrupt_after=2)
    assert "interrupted" in plain_text(load_tables(found))
    assert load_charts(found)
    json.dumps(load_record(found), allow_nan=False)
