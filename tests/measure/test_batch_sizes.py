"""How many repetitions sampling gives a batch, with a clock that is made up."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.benchmarks.instrument import Spinner

from wasm_lab.measure.plan import Plan
from wasm_lab.measure.sampling import sample
from wasm_lab.measure.subject import Batch
from wasm_lab.run import Phase


@dataclass(frozen=True, kw_only=True)
class Clockwork(Spinner):
    """Takes exactly ``call_ns`` for a call, and ten times that in a process's first batch."""

    call_ns: float
    asked: list[int] = field(default_factory=list, compare=False)

    def start(self) -> _Probe:
        return _Probe(self)


class _Probe:
    pid = 1
    resolution_ns = 50

    def __init__(self, subject: Clockwork) -> None:
        self._subject, self._cold = subject, 10

    def time(self, phase: Phase, count: int) -> Batch:
        self._subject.asked.append(count)
        took = round(self._subject.call_ns * count * self._cold)
        self._cold = 1
        return Batch(duration_ns=took, count=count)

    def weigh(self) -> dict[str, int]:
        return {}

    def close(self) -> None: ...


def _counts(*calls_ns: float) -> list[int]:
    subjects = tuple(Clockwork(name=str(n), call_ns=call) for n, call in enumerate(calls_ns))
    plan = Plan(subjects=subjects, phases=(Phase.CALL,), min_rounds=1, max_rounds=1, batch_ns=5_000_000)
    sample(plan)
    return [subject.asked[-1] for subject in subjects]


def test_a_batch_lasts_about_as_long_as_planned_though_the_first_one_is_cold():
    for call_ns in (3.0, 700.0, 40_000.0, 4_000_000.0):
        (count,) = _counts(call_ns)
        assert 0.5 <= count * call_ns / 5_000_000 <= 1.5
    assert _counts(80_000_000.0) == [1]


def test_subjects_that_take_about_as_long_get_equal_batches():
    one, other, slower = _counts(1000.0, 1250.0, 9000.0)
    assert one == other
    assert 0.8 <= slower * 9000 / 5_000_000 <= 1.2
