"""The journal: what is in it stays, a torn line does not count, and one grader writes at a time."""

from __future__ import annotations

import pytest

from wasm_lab.errors import UsageError
from wasm_lab.grading.journal import NAME, Journal, Selection
from wasm_lab.grading.nouns import CellOutcome, Outcome

ALL = Selection()
ONE = Selection(exercises=("add",))


def outcome(student: str, points: float = 1.0, **parts) -> Outcome:
    cell = CellOutcome(grade_id="t", kind="auto", points=points, max_points=2)
    return Outcome(student=student, assignment="01", exercise="add", status="graded", cells=(cell,), **parts)


@pytest.fixture
def reopened(tmp_path):
    """Opens the journal again, as another process would after the last one was killed."""
    held = []

    def reopen() -> Journal:
        while held:
            held.pop().close()
        held.append(Journal(tmp_path))
        return held[0]

    yield reopen
    while held:
        held.pop().close()


def test_outcomes_survive(reopened):
    kept = outcome("ada", answers={"a": "fn main() {}"}, message="half: \ud800")
    reopened().keep(kept)
    assert reopened().outcome("ada", "add") == kept


def test_the_later_outcome_holds(reopened):
    journal = reopened()
    journal.keep(outcome("ada", 1))
    journal.keep(outcome("ada", 2))
    assert reopened().outcome("ada", "add").points == 2


def test_a_torn_last_line_is_dropped_and_written_over(tmp_path, reopened):
    journal = reopened()
    journal.keep(outcome("ada"))
    journal.keep(outcome("bob"))
    whole = (tmp_path / NAME).read_bytes()
    second = whole.index(b"\n") + 1
    for end in range(second, len(whole), 7):
        (tmp_path / NAME).write_bytes(whole[:end])
        journal = reopened()
        assert journal.outcome("ada", "add")
        assert journal.outcome("bob", "add") is None
        journal.keep(outcome("cy"))
        assert reopened().outcome("cy", "add")


@pytest.mark.parametrize(
    "line",
    [b"rubbish", b"[]", b"7", b"{}", b'{"outcome": {}}', b'{"outcome": 7}', b'{"began": {}, "scope": []}', b"\xff\xfe", b"\0" * 50],
    ids=range(9),
)  # fmt: skip
def test_a_damaged_line_is_graded_again_and_the_rest_stays(tmp_path, reopened, line):
    reopened().keep(outcome("ada"))
    with (tmp_path / NAME).open("ab") as file:
        file.write(line + b"\n")
    reopened().keep(outcome("bob"))
    journal = reopened()
    assert journal.outcome("ada", "add")
    assert journal.outcome("bob", "add")


def test_a_second_grader_is_refused(tmp_path, reopened):
    reopened()
    with pytest.raises(UsageError, match="Another wasm-lab grade is writing"):
        Journal(tmp_path)


def test_a_closed_journal_may_be_opened(reopened):
    reopened()
    assert reopened().outcome("ada", "add") is None


def test_a_run_of_one_exercise_goes_on_where_it_was_killed(reopened):
    journal = reopened()
    assert not journal.begin(ALL, {"add"})
    journal.keep(outcome("ada"))
    journal.end()
    journal = reopened()
    assert not journal.begin(ONE, {"add"})
    assert not journal.graded_in_this_run("ada", "add")
    journal.keep(outcome("bob"))
    journal = reopened()
    assert journal.begin(ONE, {"add"})
    assert journal.graded_in_this_run("bob", "add")
    assert not journal.graded_in_this_run("ada", "add")


def test_a_run_that_ended_is_another_one(reopened):
    journal = reopened()
    journal.begin(ONE, {"add"})
    journal.keep(outcome("ada"))
    journal.end()
    journal = reopened()
    assert not journal.begin(ONE, {"add"})
    assert not journal.graded_in_this_run("ada", "add")


def test_another_selection_is_another_run(reopened):
    journal = reopened()
    journal.begin(ONE, {"add"})
    journal.keep(outcome("ada"))
    journal = reopened()
    assert not journal.begin(Selection(students=("ada",)), {"add"})
    assert not journal.graded_in_this_run("ada", "add")


def test_one_exercise_more_adds_to_the_scope_and_a_whole_run_sets_it(reopened):
    reopened().begin(ALL, {"add"})
    reopened().begin(Selection(exercises=("port",)), {"port"})
    assert reopened().scope == {"add", "port"}
    journal = reopened()
    journal.begin(ALL, {"next week"})
    assert reopened().scope == journal.scope == {"next week"}


def test_a_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        Journal(tmp_path / "x")
