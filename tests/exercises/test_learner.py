"""The learner's loop: standing, next, check, hint, reset."""

from __future__ import annotations

import shutil

import pytest

from wasm_lab.errors import ExerciseError
from wasm_lab.exercises.learner import Learner, find_folder
from wasm_lab.exercises.progress import Progress


def test_from_one_to_the_next(learner, write_answer) -> None:
    standing = learner.standing()
    assert [place.exercise.name for place in standing.places] == ["first", "second", "third"]
    assert (standing.current, standing.following.exercise.name) == (None, "first")

    opened = learner.open()
    assert opened.fresh
    assert opened.path == learner.folder / "00_chapter" / "first.ipynb"
    assert opened.chapter.name == "00_chapter.ipynb"
    assert not learner.check().solved

    write_answer(opened.path, "no")
    verdict = learner.check()
    assert verdict.solved
    assert verdict.points == 3
    assert learner.standing().solved == 1
    assert learner.open().exercise.name == "second"


def test_a_copy_under_another_name_is_known_by_its_title(learner, write_answer, tmp_path) -> None:
    opened = learner.open()
    write_answer(opened.path, "no")
    mine = opened.path.rename(tmp_path / "mine.ipynb")
    verdict = learner.check(path=mine)
    assert (verdict.solved, verdict.file) == (True, str(mine))
    (tmp_path / "other.ipynb").write_text("{}")
    with pytest.raises(ExerciseError, match="There is no exercise other"):
        learner.check(path=tmp_path / "other.ipynb")


def test_a_wrong_answer_shows_hidden_cases_by_name_only(learner, write_answer) -> None:
    write_answer(learner.open().path, "yes")
    verdict = learner.check()
    seen, hidden = verdict.cases
    assert (seen.name, seen.passed, seen.hidden) == ("a verdict", True, False)
    assert (hidden.name, hidden.passed, hidden.hidden) == ("the secret one", False, True)
    assert hidden.message == ""
    assert verdict.points == 1


def test_without_masters_the_visible_tests_run_and_that_is_told(learner, write_answer) -> None:
    shutil.rmtree(learner.course.source)
    write_answer(learner.open().path, "yes")
    verdict = learner.check()
    assert [case.name for case in verdict.cases] == ["a verdict"]
    assert any("Hidden tests are not in this installation" in note for note in verdict.notes)


def test_an_answer_that_cannot_be_read_is_told(learner, write_answer) -> None:
    write_answer(learner.open().path, "perhaps")
    verdict = learner.check()
    assert "'perhaps' is none of the answers" in verdict.broken["answer"]
    assert not verdict.solved


def test_rust_is_compiled_and_its_errors_are_the_compilers(learner, write_answer) -> None:
    opened = learner.open("third")
    untouched = learner.check()
    assert untouched.untouched
    assert not untouched.solved
    write_answer(opened.path, "pub fn twice(n: u32) -> Option<u32> { n * 2 }")
    broken = learner.check().broken["answer"]
    assert "mismatched types" in broken
    assert "\x1b" not in broken
    write_answer(opened.path, "pub fn twice(n: u32) -> Option<u32> { Some(n.wrapping_mul(2)) }")
    verdict = learner.check()
    assert [case.passed for case in verdict.cases] == [True, False]
    write_answer(opened.path, "pub fn double(n: u32) -> u32 { n }")
    assert any("There is no twice" in note for note in learner.check().notes)
    write_answer(opened.path, "pub fn twice(n: u32) -> Option<u32> { n.checked_mul(2) }")
    assert learner.check().solved


def test_hints_say_more_each_time(learner) -> None:
    learner.open()
    assert [learner.hint().text for _ in range(3)] == ["think", "think more", "think more"]


def test_skip_leaves_one_for_later(learner) -> None:
    learner.open()
    assert learner.open(skip=True).exercise.name == "second"
    assert learner.open(skip=True).exercise.name == "third"
    with pytest.raises(ExerciseError, match="no other exercise left"):
        learner.open(skip=True)
    assert learner.open("first").exercise.name == "first"


def test_a_copy_is_never_overwritten(learner, write_answer) -> None:
    opened = learner.open()
    write_answer(opened.path, "yes")
    before = opened.path.read_text()
    again = learner.open()
    assert not again.fresh
    assert opened.path.read_text() == before


def test_reset_keeps_every_earlier_copy(learner, write_answer) -> None:
    path = learner.open().path
    for number, text in enumerate(("yes", "no"), start=1):
        write_answer(path, text)
        kept = learner.reset().kept
        assert kept.name == f"first.before-reset-{number}.ipynb"
        assert f"\\n{text}" in kept.read_text()
    assert learner.check().untouched


def test_the_copy_is_found_from_another_folder(learner, tmp_path, course, write_answer) -> None:
    path = learner.open().path
    write_answer(path, "no")
    elsewhere = Learner(tmp_path / "elsewhere", course=course, progress=Progress(learner.progress.path))
    assert elsewhere.check().solved


def test_an_upgrade_that_renames_and_drops_exercises_keeps_what_was_done(learner, course) -> None:
    learner.progress.update(learner.named("first"), started_at="2026", solved_at="2026")
    text = learner.progress.path.read_text().replace('"first"', '"earliest"')
    learner.progress.path.write_text(text.replace("{\n  ", '{\n  "dropped": {"solved_at": "2025"},\n  ', 1))
    after = Learner(learner.folder, course=course, progress=Progress(learner.progress.path)).standing()
    assert after.solved == 1
    assert after.vanished == 1
    assert learner.named("earliest").name == "first"


def test_what_is_unknown_or_not_begun_is_told(learner) -> None:
    with pytest.raises(ExerciseError, match="No exercise has been begun"):
        learner.check()
    with pytest.raises(ExerciseError, match="has not been begun"):
        learner.check("second")
    with pytest.raises(ExerciseError, match="no exercise thrid") as told:
        learner.open("thrid")
    assert "third" in told.value.hint


def test_when_all_is_solved_there_is_nothing_next(learner) -> None:
    for exercise in learner.exercises:
        learner.progress.update(exercise, started_at="2026", solved_at="2026")
    assert learner.standing().following is None
    with pytest.raises(ExerciseError, match="Every exercise is solved"):
        learner.open()


def test_the_folder_of_copies_is_the_one_that_the_learner_is_in(tmp_path) -> None:
    inside = tmp_path / "wasm-lab-exercises" / "00_chapter"
    assert find_folder(inside) == tmp_path / "wasm-lab-exercises"
    assert find_folder(tmp_path) == tmp_path / "wasm-lab-exercises"
