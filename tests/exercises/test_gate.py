"""The gate: every exercise of the course, by name. One of them alone: pytest tests/exercises -n 0 -k NAME"""

from __future__ import annotations

from collections import Counter

import pytest

from wasm_lab.exercises.course import Course
from wasm_lab.exercises.gate import (
    Master,
    leaks,
    wrong_answers,
    wrong_metadata,
    wrong_solution,
    wrong_unsolved,
)
from wasm_lab.exercises.notebook import Exercise

COURSE = Course.own()
MASTERS = {path.stem: path for path in COURSE.masters()}


@pytest.fixture(scope="module", params=MASTERS)
def master(request) -> Master:
    return Master.load(MASTERS[request.param], COURSE)


def test_metadata_is_complete(master) -> None:
    assert list(wrong_metadata(master.full)) == []


@pytest.mark.slow
def test_the_solution_passes_every_test(master) -> None:
    assert list(wrong_solution(master)) == []


@pytest.mark.slow
def test_unsolved_it_fails_its_tests(master) -> None:
    assert list(wrong_unsolved(master)) == []


@pytest.mark.slow
def test_wrong_answers_pass_what_is_visible_and_are_caught(master) -> None:
    assert list(wrong_answers(master)) == []


def test_the_released_form_is_committed_and_has_no_secret(master) -> None:
    assert list(leaks(master)) == []
    path = COURSE.release / master.full.chapter / f"{master.full.name}.ipynb"
    assert path.is_file(), "make exercises"
    assert path.read_text("utf-8") == master.released.dumps(), "make exercises"


def test_every_released_exercise_has_a_master_and_every_wrong_answer_an_exercise() -> None:
    assert {exercise.name for exercise in COURSE.released()} == set(MASTERS)
    assert {path.name for path in (COURSE.folder / "wrong").iterdir()} <= set(MASTERS)


def test_names_are_unique_and_every_chapter_has_two_exercises() -> None:
    paths = COURSE.masters()
    assert len({path.stem for path in paths}) == len(paths)
    chapters = {path.stem for path in (COURSE.folder.parent / "notebooks").glob("[0-9][0-9]_*.ipynb")}
    counted = Counter(Exercise.read(path).chapter for path in paths)
    assert set(counted) <= chapters
    assert {chapter: counted[chapter] for chapter in sorted(chapters) if counted[chapter] < 2} == {}
    assert len(paths) >= 20
