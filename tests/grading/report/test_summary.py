"""Numbers about a class: what is decided, who may need help, which tests were hard."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasm_lab.grading.nouns import (
    CaseOutcome,
    CellOutcome,
    GradedCell,
    GradedExercise,
    Outcome,
    Report,
    Student,
)
from wasm_lab.grading.report.lms import moodle_files
from wasm_lab.grading.report.summary import (
    Points,
    by_exercise,
    decided,
    hardest,
    histogram,
    in_need,
    standings,
    wilson,
)

if TYPE_CHECKING:
    from wasm_lab.grading.nouns import Status

EXERCISE = GradedExercise(
    name="add",
    assignment="01",
    title="Add",
    minutes=5,
    cells=(
        GradedCell(grade_id="test", kind="auto", max_points=3.0),
        GradedCell(grade_id="words", kind="written", max_points=1.0),
    ),
)


def outcome(
    student: str = "ada",
    *,
    status: Status = "graded",
    test: float = 0.0,
    words: float | None = None,
    cases: str = "",
) -> Outcome:
    """``cases``: a letter for each case of the test cell, upper case for those that passed."""
    found = tuple(CaseOutcome(name=letter.lower(), passed=letter.isupper(), message="x") for letter in cases)
    return Outcome(
        student=student,
        assignment="01",
        exercise="add",
        status=status,
        cells=(
            CellOutcome(grade_id="test", kind="auto", points=test, max_points=3.0, cases=found),
            CellOutcome(grade_id="words", kind="written", points=words, max_points=1.0, answer="Because."),
        ),
    )


def report_of(*outcomes: Outcome) -> Report:
    people = tuple(Student(key=key, name=key) for key in sorted({one.student for one in outcomes}))
    return Report(exercises=(EXERCISE,), students=people, outcomes=outcomes)


EMPTY = Outcome(student="ada", assignment="01", exercise="add", status="missing")
DECIDED = {
    "graded, words open": (outcome(test=2.0), Points(points=2.0, decided=3.0, open=1.0, answers=1)),
    "graded, words marked": (outcome(test=2.0, words=0.5), Points(points=2.5, decided=4.0)),
    "missing": (outcome(status="missing"), Points(decided=4.0)),
    "missing, without cells": (EMPTY, Points(decided=4.0)),
    "refused, without cells": (replace(EMPTY, status="refused"), Points(decided=4.0)),
    "stopped, words open": (outcome(status="stopped"), Points(decided=3.0, open=1.0, answers=1)),
    "crashed": (outcome(status="crashed", words=1.0), Points(points=1.0, decided=1.0, open=3.0)),
    "crashed, without cells": (replace(EMPTY, status="crashed"), Points(open=4.0)),
    "not reached": (None, Points(open=4.0)),
}


@pytest.mark.parametrize(("given_outcome", "points"), DECIDED.values(), ids=DECIDED.keys())
def test_what_is_decided(given_outcome: Outcome | None, points: Points) -> None:
    assert decided(given_outcome, EXERCISE) == points


def test_a_crash_gives_no_zero_to_a_learning_management_system() -> None:
    report = report_of(outcome("ada", status="crashed", words=1.0), outcome("grace", test=1.0, words=0.0))
    rows = csv.DictReader(io.StringIO(moodle_files(report, standings(report))["moodle.csv"], newline=""))
    assert [row["Grade"] for row in rows] == ["", "1"]


def test_those_with_the_least_points_come_first_and_a_crash_is_no_reason() -> None:
    report = report_of(
        outcome("ada", test=3.0, words=1.0),
        outcome("barbara", test=1.0),
        outcome("grace", status="missing"),
        outcome("linus", status="crashed"),
        outcome("niklaus", test=3.0, words=1.0, status="not_compiled"),
    )
    needy = in_need(standings(report))
    assert [one.student.key for one in needy] == ["grace", "barbara", "niklaus"]
    assert needy[0].reasons == ("below 50 % of the points", "not submitted: add")
    assert needy[2].reasons == ("did not compile: add",)


def test_a_test_that_few_reached_is_not_the_hardest() -> None:
    many = [outcome(f"s{number}", cases="ABc" if number < 30 else "ABC") for number in range(40)]
    report = report_of(*many, outcome("last", cases="d"))
    assert [(one.name, one.failed, one.tried) for one in hardest(report)][:2] == [("c", 30, 40), ("d", 1, 1)]


def test_what_did_not_compile_makes_no_test_hard() -> None:
    assert hardest(report_of(outcome(status="not_compiled", cases="abc"))) == []


def test_a_test_cell_without_cases_is_a_test() -> None:
    (one,) = hardest(report_of(outcome("ada", test=3.0), outcome("grace", test=2.9)))
    assert (one.name, one.failed, one.tried) == ("test", 1, 2)


def test_bins_hold_their_lower_ends_and_the_last_one_all_points() -> None:
    points = (0.0, 0.3, 0.299, 1.5, 2.999, 3.0)
    report = report_of(*(outcome(f"s{at}", test=test, words=None) for at, test in enumerate(points)))
    assert histogram(standings(report)) == (2, 1, 0, 0, 0, 1, 0, 0, 0, 2)


def test_exercises_are_summed_up() -> None:
    report = report_of(
        outcome("ada", test=3.0, words=1.0),
        outcome("grace", test=1.0),
        outcome("linus", status="missing"),
        outcome("niklaus", status="not_compiled"),
    )
    (one,) = by_exercise(report)
    assert (one.submitted, one.full, one.middle, one.answers) == (3, 1, 1.0, 2)
    assert one.troubles == {"missing": 1, "not_compiled": 1}


def test_intervals_are_wilsons() -> None:
    """Against Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I."""
    for failed, tried, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson(failed, tried) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 500), st.integers(0, 500))
def test_intervals_hold_the_share(failed: int, passed: int) -> None:
    low, high = wilson(failed, failed + passed)
    share = failed / (failed + passed) if failed + passed else 0.5
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1
