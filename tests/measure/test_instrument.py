"""The instrument on real processes, briefly; ``python -m tests.benchmarks.instrument`` does it at length."""

from __future__ import annotations

import shutil
import statistics
import sys

import pytest
from tests.benchmarks.instrument import PAIRS, Spinner, against_hyperfine, trials

from wasm_lab.measure.plan import Plan
from wasm_lab.measure.sampling import sample
from wasm_lab.run import Phase

pytestmark = pytest.mark.slow


def test_a_process_against_another_of_its_kind():
    found = trials(8, ratio=1.0, budget_s=1.5)
    # In 95 % of the trials nothing is shown; four of eight by chance are one case in 3000.
    assert found.differences < 4, found.sentence


def test_a_slowdown_is_found():
    """Half as much again, planted: other tests take both cores. The benchmark plants ten percent."""
    found = trials(4, ratio=1.5, budget_s=4.0)
    assert sum(one.verdict == "slower" for one in found.found) >= 2, found.sentence
    assert not any(one.verdict == "faster" for one in found.found), found.sentence
    assert statistics.median(one.ratio for one in found.found) == pytest.approx(1.5, rel=0.1), found.sentence


@pytest.mark.skipif(not shutil.which("hyperfine"), reason="hyperfine is not here: apt-get install hyperfine")
def test_hyperfine_agrees():
    found = against_hyperfine(*PAIRS[1], budget_s=6.0)
    # On a busy machine hyperfine, which does not take turns, strays; ours then says how far it may.
    assert found.ours.low * 0.95 <= found.hyperfine <= found.ours.high * 1.05, found.sentence
    # Twice the work, of which starting Python takes a part. Whether so few rounds show it depends on the load.
    assert found.ours.verdict != "faster", found.sentence
    assert found.ours.ratio > 1.2, found.sentence


def test_samples_say_what_they_are_of():
    plan = Plan(
        subjects=(Spinner(name="a", work=200), Spinner(name="b", work=200)),
        phases=(Phase.CALL,),
        min_rounds=2,
        max_rounds=2,
    )
    samples = sample(plan).measurements
    assert samples.values_of("process") == (0, 1)
    assert set(samples.values_of("subject")) == {"a", "b"}
    assert all(one.value > 0 and one.count > 1 and one.unit == "ns" for one in samples)
    assert samples.values_of("runtime_version") == (sys.version.split()[0],)
    # In turn: the two are not one after the other in blocks.
    order = [one.subject for one in sorted(samples, key=lambda one: one.taken_at)]
    assert order != sorted(order)
    assert order != sorted(order, reverse=True)
