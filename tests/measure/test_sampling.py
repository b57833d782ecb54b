"""A plan carried out: rounds, turns, stopping, failures, interrupts. With subjects that only pretend."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from wasm_lab.errors import MeasureError, ProbeError, UsageError
from wasm_lab.measure.plan import Plan
from wasm_lab.measure.sampling import FEWEST_VALUES, Stopped, sample
from wasm_lab.measure.statistics import compare
from wasm_lab.measure.subject import Answer, Batch
from wasm_lab.run import Phase


@dataclass
class Pretender:
    """A subject whose clock is a random number: ``cost_ns`` for a call, give or take ``noise``."""

    name: str
    cost_ns: float = 1e6
    noise: float = 0.01
    warmup: int = 0
    dies_in: int = 10**9  #: the process that dies, counted from 0
    starts_fail: bool = False
    interrupts_in: int = 10**9
    workload: str = "fib"
    input: str = "32"
    language: str = "rust"
    runtime: str = "pretended"
    version: str = "1"
    guards: str = "none"
    phases: frozenset[Phase] = frozenset({Phase.CALL, Phase.INSTANTIATE})
    log: list[tuple[str, int, Phase, int]] = field(default_factory=list)
    started: int = 0
    open: int = 0

    def answer(self) -> Answer:
        return Answer(value=1)

    def start(self) -> PretendedProcess:
        if self.starts_fail:
            raise ProbeError("no such program")
        self.started += 1
        self.open += 1
        return PretendedProcess(self, self.started - 1)


class PretendedProcess:
    pid = 1
    resolution_ns = 50

    def __init__(self, subject: Pretender, number: int) -> None:
        self.subject = subject
        self.number = number
        self.calls = 0
        self.random = random.Random(f"{subject.name} {number}")

    def time(self, phase: Phase, count: int) -> Batch:
        subject = self.subject
        if self.number >= subject.dies_in:
            raise ProbeError("it died")
        if self.number >= subject.interrupts_in:
            raise KeyboardInterrupt
        self.calls += 1
        subject.log.append((subject.name, self.number, phase, count))
        cost = subject.cost_ns * (3 if self.calls <= subject.warmup else 1)
        took = cost * count * (1 + subject.noise * self.random.gauss(0, 1))
        return Batch(duration_ns=max(1, round(took)), count=count)

    def weigh(self) -> dict[str, int]:
        return {"RSS": 1000 + self.calls, "linear memory at start": 64, "linear memory": 128, "module": 10}

    def idle(self, count: int) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.subject.open -= 1


def plan(*subjects: Pretender, **options) -> Plan:
    return Plan(**{"subjects": subjects, "budget_s": 30.0, "max_rounds": 12, "min_rounds": 4} | options)


def test_every_round_has_a_fresh_process_of_each_and_as_many_values_of_each():
    a, b = Pretender("a"), Pretender("b")
    done = sample(plan(a, b, target_width=0.0))
    assert done.rounds == 12
    assert done.stopped is Stopped.ROUNDS
    assert a.started == b.started == 13  # one more to find the size of a batch
    assert a.open == b.open == 0
    calls = done.measurements.where(phase="steady call")
    for number in range(12):
        mine = calls.where(process=number, subject="a")
        assert len(mine) == len(calls.where(process=number, subject="b")) >= FEWEST_VALUES
        assert [one.iteration for one in mine] == list(range(len(mine)))


def test_batches_are_long_enough_for_the_clock_and_values_are_of_one_call():
    quick = Pretender("quick", cost_ns=20.0)
    done = sample(plan(quick, batch_ns=1_000_000, max_rounds=4))
    for one in done.measurements.where(phase="steady call"):
        assert one.count * 20 > 900_000
        assert one.value == pytest.approx(20, rel=0.1)


def test_turns_are_in_an_order_drawn_anew_and_the_same_for_the_same_seed():
    def order(seed: int) -> list[tuple[str, int]]:
        log: list = []
        subjects = [Pretender(name, log=log) for name in "abc"]
        sample(plan(*subjects, seed=seed, target_width=0.0, max_rounds=6))
        return [(name, number) for name, number, _, _ in log if number]

    assert order(1) != order(2)
    firsts = {name for index, (name, _) in enumerate(order(1)) if index % 3 == 0}
    assert firsts == {"a", "b", "c"}
    rounds = [sorted(name for name, _ in order(1)[at : at + 3]) for at in range(0, 30, 3)]
    assert all(turn == ["a", "b", "c"] for turn in rounds)
    assert order(1) == order(1)


def test_a_narrow_interval_ends_it_early_and_a_wide_one_does_not():
    quiet = sample(plan(Pretender("a"), Pretender("b", cost_ns=2e6), max_rounds=30))
    assert quiet.stopped is Stopped.NARROW
    assert quiet.rounds < 30
    ratio = compare(quiet.measurements, subject="b", baseline="a", phase="steady call")
    assert ratio.low <= 2.0 <= ratio.high or ratio.ratio == pytest.approx(2.0, rel=0.01)
    loud = sample(plan(Pretender("a", noise=0.9), Pretender("b", noise=0.9), max_rounds=5))
    assert loud.stopped is Stopped.ROUNDS


def test_a_spent_budget_ends_it_with_a_whole_round():
    done = sample(plan(Pretender("a"), Pretender("b"), budget_s=1e-6))
    assert done.stopped is Stopped.BUDGET
    assert done.rounds == 1
    assert len(done.measurements.where(subject="a", phase="steady call")) == FEWEST_VALUES


def test_a_subject_that_dies_is_given_up_and_the_others_go_on():
    a, b = Pretender("a"), Pretender("b", dies_in=3)
    done = sample(plan(a, b, target_width=0.0))
    assert done.failed == {"b": "it died"}
    assert done.rounds == 12
    assert done.measurements.where(subject="b", unit="ns").values_of("process") == (0, 1)
    assert a.open == b.open == 0


def test_nothing_but_failures_is_an_error_with_the_reason():
    with pytest.raises(MeasureError, match="no such program"):
        sample(plan(Pretender("a", starts_fail=True)))


def test_an_interrupt_keeps_what_was_taken_and_ends_every_process():
    a, b = Pretender("a"), Pretender("b", interrupts_in=3)
    done = sample(plan(a, b, target_width=0.0))
    assert done.stopped is Stopped.INTERRUPTED
    assert done.measurements.interrupted
    assert done.rounds == 2
    assert len(done.measurements.where(phase="steady call", subject="a")) > 0
    assert a.open == b.open == 0


def test_values_before_the_warm_up_is_over_are_kept_and_marked():
    slow = Pretender("slow", warmup=4, noise=0.001)
    done = sample(plan(slow, max_rounds=4, budget_s=60))
    calls = done.measurements.where(phase="steady call", process=0)
    assert [one.warm for one in calls][:5] == [False] * 4 + [True]
    assert len(calls) > 6


def test_phases_that_a_subject_cannot_tell_apart_are_left_out_for_it_alone():
    both, calls_only = Pretender("both"), Pretender("calls", phases=frozenset({Phase.CALL}))
    phases = (Phase.INSTANTIATE, Phase.CALL)
    done = sample(plan(both, calls_only, phases=phases, max_rounds=4))
    assert not done.failed
    assert done.measurements.where(phase="instantiate").values_of("subject") == ("both",)
    assert set(done.measurements.where(phase="steady call").values_of("subject")) == {"both", "calls"}


def test_memory_is_weighed_before_and_after():
    done = sample(plan(Pretender("a"), max_rounds=4))
    weights = done.measurements.where(unit="bytes", process=0)
    assert {one.phase: one.value for one in weights} == {
        "module": 10,
        "linear memory at start": 64,
        "RSS at start": 1000,
        "linear memory at peak": 128,
        "RSS after": 1000 + len(done.measurements.where(process=0, unit="ns")),
    }


def test_samples_are_passed_on_as_they_come():
    seen, times = [], []
    done = sample(
        plan(Pretender("a"), max_rounds=4),
        on_samples=seen.extend,
        on_time=lambda spent, left: times.append((spent, left)),
    )
    assert [one.value for one in seen if one.unit == "ns"] == [
        one.value for one in done.measurements if one.unit == "ns"
    ]
    assert times == sorted(times)
    assert all(left >= 0 for _, left in times)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"subjects": ()}, "nothing to measure"),
        ({"phases": ()}, "nothing to measure"),
        ({"baseline": "java"}, "java is not among"),
        ({"budget_s": 0}, "positive budget"),
        ({"min_rounds": 5, "max_rounds": 4}, "at least one round"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_says_why(wrong, message):
    with pytest.raises(UsageError, match=message):
        plan(**{"subjects": (Pretender("a"),)} | wrong)


def test_two_subjects_of_one_name_cannot_be_told_apart():
    with pytest.raises(UsageError, match="stands twice"):
        plan(Pretender("a"), Pretender("a"))
