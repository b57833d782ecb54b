from __future__ import annotations

import numpy as np
import pytest
from tests.measure.noise import measured, row

from wasm_lab.errors import UsageError
from wasm_lab.measure.history import compare_runs
from wasm_lab.measure.store import Measurements


def _changed(samples: Measurements, factor: float = 1.0, **fields: object) -> Measurements:
    return Measurements(
        tuple(row(s.subject, s.process, s.iteration, s.value * factor, **fields) for s in samples)
    )


def test_the_same_code_later_shows_no_difference_and_slower_code_does(tmp_path):
    random = np.random.default_rng(11)
    measured(1.0, random).save(tmp_path / "earlier.jsonl")
    earlier = Measurements.load(tmp_path / "earlier.jsonl")
    same = compare_runs(measured(1.0, random), earlier)
    assert [one.verdict for one in same] == ["no difference shown"] * 2
    slower = compare_runs(_changed(measured(1.0, random), 1.5), earlier)
    assert {one.baseline: one.verdict for one in slower} == {
        "ours earlier": "slower", "theirs earlier": "slower",
    }  # fmt: skip
    for one in slower:
        assert one.low <= 1.5 <= one.high
        assert "measured at different times, not in turn" in one.sentence


def test_what_else_changed_is_said():
    random = np.random.default_rng(12)
    earlier = _changed(measured(1.0, random), machine="one", taken_at=0.0)
    now = _changed(measured(1.0, random), machine="two", runtime_version="2", guards="fuel", cache="warm")
    note = compare_runs(now, earlier)[0].note
    assert "The machine is another one: two now, one earlier." in note
    assert "The runtime's version differs: 2 now, 1 earlier." in note
    assert "The guards differ: fuel now, none earlier." in note
    assert "The cache was in another state: warm now, not recorded earlier." in note
    assert "another one" not in compare_runs(earlier, earlier)[0].note


def test_the_date_of_the_earlier_run_is_named():
    earlier = Measurements(
        (row("a", 0, 0, 1.0, taken_at=1_700_000_000.0), row("a", 1, 0, 1.0, taken_at=1.7e9))
    )
    (found,) = compare_runs(earlier, earlier)
    assert found.baseline == "a of 2023-11-14 22:13 UTC"
    assert found.subject == "a now"


def test_one_process_is_no_evidence():
    one = Measurements((row("a", 0, 0, 1.0),))
    (found,) = compare_runs(Measurements((row("a", 0, 0, 9.0),)), one)
    assert found.verdict == "no difference shown"
    assert found.low == 0


def test_nothing_is_as_much_as_nothing():
    samples = Measurements(tuple(row("a", i, 0, 0.0, unit="bytes", phase="linear memory") for i in range(6)))
    (found,) = compare_runs(samples, samples)
    assert (found.ratio, found.low, found.high) == (1, 1, 1)


def test_runs_with_nothing_in_common_are_refused():
    with pytest.raises(UsageError) as caught:
        compare_runs(Measurements((row("a", 0, 0, 1.0),)), Measurements((row("b", 0, 0, 1.0),)))
    assert caught.value.hint == "Earlier: work(1) in b. Now: work(1) in a."
