"""Cases: what counts as passed, what is said of a failure, what nbgrader reads."""

from __future__ import annotations

import errno
import sys

import pytest

import wasm_lab
from wasm_lab.errors import GuestError, MachineError, UsageError
from wasm_lab.exercises import Cases
from wasm_lab.exercises.values import equal
from wasm_lab.session import Session, using
from wasm_lab.views.stream import NotebookSink

CODE = """
use std::cell::Cell;
thread_local! { static CALLS: Cell<u32> = const { Cell::new(0) }; }
pub fn add(a: i32, b: i32) -> i32 { println!("adding"); eprintln!("noise"); a + b }
pub fn calls() -> u32 { CALLS.with(|calls| { calls.set(calls.get() + 1); calls.get() }) }
pub fn halves(numbers: Vec<f64>) -> Vec<f64> { numbers.iter().map(|n| n / 2.0).collect() }
pub fn fall() { panic!("it fell on {}", 7) }
pub fn refuse(n: i32) -> Result<i32, String> { if n > 0 { Ok(n) } else { Err(format!("{n} is too small")) } }
pub fn spin() { loop { std::hint::black_box(0); } }
"""


@pytest.fixture(scope="module")
def guest():
    artifact = wasm_lab.compile(CODE)
    capabilities = wasm_lab.Capabilities(deadline_s=1.0)
    return Session().define(artifact, capabilities, output=NotebookSink()).functions


def test_each_call_of_a_case_finds_a_fresh_instance_unless_it_asks_for_one() -> None:
    session = Session()
    calls = session.define(wasm_lab.compile(CODE)).functions["calls"]
    cases = Cases(points=4)
    with using(session):
        assert [calls(), calls()] == [1, 2]
        cases.true("of one", lambda: [calls(), calls()] == [1, 2], one_instance=True)
        cases.true("of each its own", lambda: [calls(), calls()] == [1, 1])
        cases.equal("in a function", lambda many: [calls() for _ in range(many)], (3,), [1, 1, 1])
        cases.equal("alone", calls, (), 1)
        assert cases.score().points == 4
        # In a notebook a cell goes on as before.
        calls.reset()
        assert [calls(), calls()] == [1, 2]


def test_each_case_has_a_fresh_instance_and_points_are_shares(guest) -> None:
    cases = Cases(points=2)
    cases.equal("first", guest["calls"], (), 1)
    cases.equal("still first", guest["calls"], (), 1)
    cases.equal("wrong", guest["add"], (2, 2), 5, because="Think again.")
    score = cases.score()
    assert repr(score) == "1.33"
    assert [result.passed for result in score.results] == [True, True, False]
    message = score.results[2].message
    assert message.startswith("add(2, 2) gives 4, and 5 is expected.\nThink again.")
    assert "It printed:\nadding\nnoise" in message


def test_what_a_guest_prints_does_not_reach_the_cell(guest, capsys) -> None:
    cases = Cases(points=1)
    cases.equal("sum", guest["add"], (2, 2), 4)
    assert capsys.readouterr() == ("", "")
    assert sys.stderr is not None
    assert repr(cases.score()) == "1.0"


def test_a_trap_an_error_and_a_limit_are_told_apart(guest) -> None:
    cases = Cases(points=6)
    cases.traps("panics", guest["fall"], says="fell on 7")
    cases.fails("refuses", guest["refuse"], (0,), says="too small")
    cases.traps("an Err is no trap", guest["refuse"], (0,))
    cases.fails("a trap is no Err", guest["fall"])
    cases.traps("a deadline is no trap", guest["spin"])
    cases.traps("unless it is asked for", guest["spin"], says="deadline")
    assert [result.passed for result in cases.score().results] == [True, True, False, False, False, True]


def test_an_endless_answer_is_not_tried_in_every_case(guest) -> None:
    cases = Cases(points=4)
    for number in range(3):
        cases.equal(f"endless {number}", guest["spin"], (), None)
    cases.equal("fine", guest["calls"], (), 1)
    messages = [result.message for result in cases.score().results]
    assert ["Not tried" in message for message in messages] == [False, False, True, True]


def test_an_answer_that_uses_up_its_fuel_is_endless_too() -> None:
    capabilities = wasm_lab.Capabilities(fuel=1_000_000)
    limited = Session().define(wasm_lab.compile(CODE), capabilities, output=NotebookSink()).functions
    cases = Cases(points=1)
    for number in range(3):
        cases.equal(f"endless {number}", limited["spin"], (), None)
    messages = [case.message for case in cases.score().results]
    assert all(message.endswith("Is there a loop that never ends?") for message in messages[:2])
    assert messages[2] == "Not tried: 2 cases before it were stopped."


def test_floats_in_lists_and_conditions(guest) -> None:
    cases = Cases(points=4)
    cases.close("halves", guest["halves"], ([0.2, 0.6],), [0.1, 0.3])
    cases.true("condition", False, because="No.")
    cases.true("callable", lambda: 1)
    cases.true("raises", lambda: 1 // 0)
    results = cases.score().results
    assert [result.passed for result in results] == [True, False, True, False]
    assert results[1].message == "No."
    assert "ZeroDivisionError" in results[3].message


def test_a_cell_whose_cases_are_all_hidden_is_no_number() -> None:
    with pytest.raises(ValueError, match="could not convert"):
        float(repr(Cases(points=1).score()))


def test_two_cases_of_one_name_are_refused() -> None:
    cases = Cases(points=1)
    cases.true("same", True)
    with pytest.raises(UsageError, match="same"):
        cases.true("same", True)


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [(1, 1.0, True), (True, 1, False), ("1", 1, False), ([1, [2]], (1, (2,)), True), ([1], [1, 2], False)],
)
def test_equality_is_of_values(got, expected, same) -> None:
    assert equal(got, expected) is same


def test_an_error_that_cannot_be_written_is_told_by_its_kind() -> None:
    cases = Cases(points=1)
    cases.equal("a huge key", lambda: {}[10**5000], (), 1)
    assert cases.score().results[0].message == "KeyError"


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (MachineError("The process for a guest did not start."), True),
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (FileNotFoundError(errno.ENOENT, "No such file"), False),
        (GuestError("The guest's process failed"), False),
    ],
)
def test_a_failure_of_the_machine_is_told_apart_by_its_kind(error, lost) -> None:
    def answer() -> None:
        raise error

    cases = Cases(points=1)
    cases.equal("a case", answer, (), 1)
    assert [result.lost for result in cases.score().results] == [lost]
