"""The record of progress: kept atomically, and tolerant of damage, upgrades, renames and read-only disks."""

from __future__ import annotations

import json
import threading

import pytest

from wasm_lab.exercises.notebook import Exercise
from wasm_lab.exercises.progress import VERSION, Progress


def exercise(name: str, *formerly: str) -> Exercise:
    return Exercise(name=name, chapter="00", title=name, cells=(), formerly=formerly)


def test_a_record_is_there_again(progress) -> None:
    assert progress.of(exercise("boxes")).state == "open"
    progress.update(exercise("boxes"), started_at="2026-01-01", checks=2)
    again = Progress(progress.path).of(exercise("boxes"))
    assert (again.state, again.checks) == ("started", 2)
    progress.update(exercise("boxes"), solved_at="2026-01-02")
    assert Progress(progress.path).of(exercise("boxes")).state == "solved"


def test_a_renamed_exercise_keeps_its_record(progress) -> None:
    progress.update(exercise("old"), solved_at="2026-01-01", checks=3)
    renamed = exercise("new", "old")
    assert progress.of(renamed).state == "solved"
    assert progress.update(renamed, checks=4).solved_at == "2026-01-01"
    assert Progress(progress.path).names() == ["new"]


def test_what_this_release_does_not_know_stays(progress) -> None:
    progress.path.parent.mkdir()
    record = {"solved_at": "2026-01-01", "stars": 5}
    progress.path.write_text(
        json.dumps({"version": 1, "theme": "dark", "exercises": {"gone": record, "boxes": {"stars": 1}}})
    )
    Progress(progress.path).update(exercise("boxes"), checks=1)
    kept = json.loads(progress.path.read_text())
    assert kept["theme"] == "dark"
    assert kept["exercises"]["gone"] == record
    assert (kept["exercises"]["boxes"]["stars"], kept["exercises"]["boxes"]["checks"]) == (1, 1)


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"exercises": {', "\x00"], ids=range(5))
def test_a_damaged_file_is_put_aside_and_told(progress, damage) -> None:
    progress.path.parent.mkdir()
    progress.path.write_text(damage)
    again = Progress(progress.path)
    assert "exercises.damaged-1.json" in again.notice
    assert (progress.path.parent / "exercises.damaged-1.json").read_text() == damage
    again.update(exercise("boxes"), checks=1)
    assert Progress(progress.path).of(exercise("boxes")).checks == 1


@pytest.mark.parametrize("record", [None, 3, {"checks": "many"}, {"solved_at": 5, "hints": []}], ids=range(4))
def test_a_damaged_record_counts_as_none(progress, record) -> None:
    progress.path.parent.mkdir()
    progress.path.write_text(json.dumps({"version": 1, "exercises": {"boxes": record}}))
    again = Progress(progress.path)
    assert again.of(exercise("boxes")).state == "open"
    assert again.update(exercise("boxes"), checks=1).checks == 1


def test_a_file_of_a_newer_lab_is_read_and_not_written(progress) -> None:
    progress.path.parent.mkdir()
    text = json.dumps({"version": VERSION + 1, "exercises": {"boxes": {"solved_at": "2026-01-01"}}})
    progress.path.write_text(text)
    again = Progress(progress.path)
    assert again.of(exercise("boxes")).state == "solved"
    again.update(exercise("boxes"), checks=1)
    assert "newer wasm-lab" in again.notice
    assert progress.path.read_text() == text


def test_where_nothing_can_be_written_learning_goes_on(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    progress = Progress(tmp_path / "file" / "exercises.json")  # a file where a folder is needed
    assert progress.update(exercise("boxes"), checks=1).checks == 1
    assert "not kept" in progress.notice or "cannot be read" in progress.notice


def test_two_at_once_lose_nothing(progress) -> None:
    def work(name: str) -> None:
        own = Progress(progress.path)
        for number in range(1, 11):
            own.update(exercise(name), checks=number)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again = Progress(progress.path)
    assert [again.of(exercise(name)).checks for name in ("a", "b", "c")] == [10, 10, 10]
