from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.measure.noise import measured, row

from wasm_lab.errors import MeasureError, UsageError
from wasm_lab.measure.intervals import interval
from wasm_lab.measure.statistics import (
    Comparison,
    compare,
    median_interval,
    outlying,
    relative_width,
    summarise,
)
from wasm_lab.measure.stopping import FEWEST_ROUNDS, enough
from wasm_lab.measure.store import Measurements

CALL = "steady call"
_LOGS = st.lists(st.floats(-5, 5).map(lambda x: round(x, 6)), min_size=1, max_size=30).map(tuple)


def _of(times: dict[str, list[list[float]]], **fields: object) -> Measurements:
    """Subject to processes to values."""
    return Measurements(
        tuple(
            row(name, number, index, value, **fields)
            for name, processes in times.items()
            for number, values in enumerate(processes)
            for index, value in enumerate(values)
        )
    )


@given(logs=_LOGS)
@settings(deadline=None)
def test_the_centre_lies_in_its_interval_and_signs_mirror_it(logs):
    found = interval(logs)
    mirrored = interval(tuple(-log for log in logs))
    assert found.low <= found.centre <= found.high
    assert mirrored == pytest.approx((-found.centre, -found.high, -found.low))


@given(seed=st.integers(0, 2**32 - 1), ratio=st.floats(0.01, 100))
@settings(deadline=None, max_examples=25)
def test_exchanging_subject_and_baseline_gives_reciprocals(seed, ratio):
    samples = measured(ratio, np.random.default_rng(seed), rounds=6, values=3)
    there = compare(samples, subject="ours", baseline="theirs", phase=CALL)
    back = compare(samples, subject="theirs", baseline="ours", phase=CALL)
    assert back.ratio == pytest.approx(1 / there.ratio)
    assert back.low == pytest.approx(1 / there.high)
    assert back.high == pytest.approx(1 / there.low)
    verdicts = {"slower": "faster", "faster": "slower"}
    assert back.verdict == verdicts.get(there.verdict, there.verdict)


@given(factor=st.floats(1e-6, 1e6))
@settings(deadline=None, max_examples=25)
def test_a_ratio_does_not_depend_on_the_unit(factor):
    samples = measured(1.3, np.random.default_rng(5), rounds=6, values=3)
    scaled = Measurements(tuple(row(s.subject, s.process, s.iteration, s.value * factor) for s in samples))
    one, other = (compare(m, subject="ours", baseline="theirs", phase=CALL) for m in (samples, scaled))
    assert (one.ratio, one.low, one.high) == pytest.approx((other.ratio, other.low, other.high))


def test_processes_are_what_is_counted():
    """A hundred values of one process are no more evidence than its median."""
    times = {"a": [[1.0] * 3, [2.0] * 3, [3.0] * 3], "b": [[1.0] * 3, [1.0] * 3, [1.0] * 3]}
    many = {name: [values * 50 for values in processes] for name, processes in times.items()}
    few, lots = (compare(_of(t), subject="a", baseline="b", phase=CALL) for t in (times, many))
    assert few == lots
    assert few.processes == 3


def test_rounds_are_paired():
    """A drift that both meet in the same round is not spread."""
    drift = [1.0, 3.0, 9.0, 2.0, 7.0, 5.0]
    samples = _of({"a": [[2 * d] for d in drift], "b": [[d] for d in drift]})
    found = compare(samples, subject="a", baseline="b", phase=CALL)
    assert (found.low, found.ratio, found.high) == pytest.approx((2, 2, 2))


def test_a_round_that_only_one_finished_is_left_out():
    samples = _of({"a": [[2.0], [2.0], [9.0]], "b": [[1.0], [1.0]]})
    found = compare(samples, subject="a", baseline="b", phase=CALL)
    assert (found.ratio, found.processes) == (pytest.approx(2), 2)


def test_one_process_shows_nothing():
    found = compare(_of({"a": [[5.0]], "b": [[1.0]]}), subject="a", baseline="b", phase=CALL)
    assert (found.ratio, found.low, found.high) == (pytest.approx(5), 0, math.inf)
    assert found.verdict == "no difference shown"
    assert "1 process each of a and b cannot show a difference" in found.sentence
    assert relative_width(found) == math.inf


def test_values_before_warm_up_are_left_out_and_outliers_are_not():
    values = [10.0, 10.1, 9.9, 10.0, 10.1, 9.9, 10.0, 10.0, 80.0]
    samples = _of({"b": [values] * 3}) + _of({"b": [[900.0]] * 3}, warm=False)
    (summary,) = summarise(samples)
    assert summary.median == 10.0
    assert (summary.n, summary.processes, summary.outliers, summary.warmup_discarded) == (27, 3, 3, 3)


def test_what_cannot_be_compared_is_refused():
    samples = _of({"a": [[1.0]], "b": [[1.0]]})
    with pytest.raises(MeasureError, match="never measured in the same round"):
        compare(samples, subject="a", baseline="c", phase=CALL)
    with pytest.raises(UsageError, match="2 workloads"):
        compare(samples + _of({"a": [[1.0]]}, input="2"), subject="a", baseline="b", phase=CALL)
    with pytest.raises(MeasureError, match="no ratio"):
        compare(_of({"a": [[0.0]], "b": [[1.0]]}), subject="a", baseline="b", phase=CALL)


@pytest.mark.parametrize(
    ("low", "ratio", "high", "unit", "verdict", "words"),
    [
        (1.21, 1.25, 1.29, "ns", "slower", "a takes 1.25 times as long as b (1.21 to 1.29 with 95 %"),
        (0.4, 0.5, 0.6, "ns", "faster", "a takes 0.50 times as long as b (0.40 to 0.60 with 95 %"),
        (0.98, 1.01, 1.04, "ns", "no difference shown", "no difference shown between a and b (ratio 0.98 to 1.04"),
        (1.0, 1.0, 1.0, "ns", "no difference shown", "(ratio 1.00 to 1.00 with"),
        (0.51, 1.01, 2.0, "ns", "no difference shown", "no difference shown between a and b (ratio 0.51 to 2.00"),
        (0.15, 2.1, 29.0, "ns", "too noisy to tell", "too noisy to tell between a and b (ratio 0.15 to 29.0"),
        (0.2, 1.1, 6.0, "bytes", "too noisy to tell", "too noisy to tell between a and b"),
        (1.1, 3.0, 29.0, "ns", "slower", "a takes 3.00 times as long as b (1.10 to 29.0"),
        (1.0004, 1.0007, 1.001, "ns", "slower", "(1.0004 to 1.0010 with"),
        (1.9, 2.0, 2.1, "bytes", "more", "a uses 2.00 times as much as b"),
        (0.4, 0.5, 0.6, "bytes", "less", "a uses 0.50 times as much as b"),
    ],
)  # fmt: skip
def test_the_sentence_says_what_was_shown(low, ratio, high, unit, verdict, words):
    one = Comparison(
        workload="fib", input="32", phase=CALL, subject="a", baseline="b",
        ratio=ratio, low=low, high=high, processes=7, unit=unit, note="And more.",
    )  # fmt: skip
    assert one.verdict == verdict
    assert one.sentence.startswith("fib(32), steady call: ")
    assert words in one.sentence
    assert "7 processes each" in one.sentence
    assert one.sentence.endswith(" And more.")


def test_summaries_by_group_in_order():
    samples = _of({"b": [[1.0], [3.0]], "a": [[4.0]]}) + _of({"b": [[7.0]]}, phase="PSS", unit="bytes")
    found = [(s.subject, s.phase, s.median, s.processes) for s in summarise(samples)]
    assert found == [("b", CALL, 2.0, 2), ("a", CALL, 4.0, 1), ("b", "PSS", 7.0, 1)]
    alone = summarise(samples)[1]
    assert math.isnan(alone.low)
    assert math.isnan(alone.high)


@pytest.mark.parametrize("n", [6, 9, 15, 40])
def test_the_interval_of_a_median_covers_it(n):
    random = np.random.default_rng(n)
    truth, trials = math.log(2), 1500
    found = [median_interval(list(random.exponential(size=n))) for _ in range(trials)]
    assert 0.93 <= sum(low <= truth <= high for low, high in found) / trials <= 0.98


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40))
def test_the_interval_of_a_median_holds_it(values):
    low, high = median_interval(values)
    assert low <= np.median(values) + 1e-6
    assert high >= np.median(values) - 1e-6


def test_outliers_by_tukeys_rule():
    assert outlying([1, 2, 3, 4, 5, 6, 7, 8, 100]) == 1
    assert outlying([1, 2, 3, 100]) == 0


def test_enough_needs_rounds_narrowness_and_a_third_more():
    steady = [[1.0 + 0.001 * (i % 3)] for i in range(30)]

    def after(rounds: int, **more: list[list[float]]) -> bool:
        times = {"a": steady, "b": steady[::-1], **more}
        samples = _of({name: processes[:rounds] for name, processes in times.items()})
        return enough(samples, "b", CALL, 0.06, 1)

    first = next(rounds for rounds in range(1, 30) if after(rounds))
    assert first == math.ceil(FEWEST_ROUNDS * 4 / 3)
    wild = [[1.0 + 0.5 * (i % 2)] for i in range(30)]
    assert not after(30, c=wild)
    assert not enough(_of({"b": steady}), "b", CALL, 0.06, 1)
    assert not enough(_of({"a": steady}), "b", CALL, 0.06, 1)
