"""``wasm-lab exercises release`` and ``validate`` in this process: what they take for masters, what they list."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from wasm_lab.cli import exercises_masters
from wasm_lab.cli.exercises_masters import release, validate
from wasm_lab.errors import UsageError, WasmLabError
from wasm_lab.exercises import gate

from .conftest import cell, checking, notebook, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def run(command, *words: str | Path):
    return CliRunner().invoke(command, [str(word) for word in words], standalone_mode=False)


def validated(*words: str | Path) -> dict[str, list[str]]:
    done = run(validate, "--json", *words)
    return {record["file"]: record["problems"] for record in json.loads(done.stdout)}


@pytest.fixture
def passed_over(monkeypatch) -> None:
    """No exercise is executed: these tests are about which are taken."""
    monkeypatch.setattr(exercises_masters, "_validated", lambda file, _: {"file": str(file), "problems": []})


def test_a_course_is_released_from_its_source_and_each_copy_is_listed(course, monkeypatch) -> None:
    shutil.rmtree(course.release)
    (course.source / "00_chapter" / "data.csv").write_text("1,2")
    (course.folder / "wrong" / "first").mkdir(parents=True)
    (course.folder / "wrong" / "first" / "guess.txt").write_text("# a guess\nyes")
    monkeypatch.chdir(course.folder)
    for word in (course.folder, ".", "source"):
        done = run(release, "--source", word)
        assert done.exception is None
        assert ("are in" in done.stderr) == (word != "source")
        assert "data.csv  (copied as it is)" in done.stdout
    monkeypatch.chdir(course.source)
    assert run(release, "--source", ".").stdout.endswith("\n4 unchanged\n")
    assert {path.name for path in course.folder.iterdir()} == {"source", "release", "wrong"}
    assert {path.name for path in course.release.iterdir()} == {"00_chapter", "01_chapter"}


@pytest.mark.usefixtures("passed_over")
def test_validate_takes_masters_and_nothing_else(course) -> None:
    masters = {str(path) for path in course.masters()}
    (course.source / "header.ipynb").write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": []}))
    assert set(validated(course.source)) == masters
    assert set(validated(course.folder)) == masters  # not release/ beside it
    assert "are in" in run(validate, course.folder).stderr
    chapter = course.source / "00_chapter"
    assert set(validated(chapter)) == {str(chapter / "first.ipynb")}
    draft = course.source / "draft.ipynb"
    shutil.copy(chapter / "first.ipynb", draft)
    assert set(validated(course.source)) == {*masters, str(draft)}
    (course.folder / "empty").mkdir()
    refused = run(validate, course.folder / "empty").exception
    assert isinstance(refused, UsageError)
    assert "CHAPTER/NAME.ipynb" in refused.hint


def test_python_answers_are_refused_before_anything_runs(course, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(gate, "run_exercise", lambda _: pytest.fail("a master in Python was executed"))
    stub = "### BEGIN SOLUTION\nopen('made', 'w')\n### END SOLUTION"
    for name, told in (("code", {}), ("by_a_person", {"grade": True, "points": 1})):
        answer = cell("code", "answer", stub, solution=True, locked=False, **told)
        write(
            course.source,
            "02_chapter",
            name,
            notebook(name, "02_chapter", [answer, checking("seen", "True")]),
        )
    for problems in validated(course.source / "02_chapter").values():
        (problem,) = problems
        assert "Cell answer is an answer without a magic line. Python answers are refused" in problem


def test_a_master_that_cannot_be_run_does_not_end_the_others(course, monkeypatch) -> None:
    def problems(master: gate.Master) -> Iterator[str]:
        yield f"{master.full.name} has one"
        if master.full.name == "first":
            raise WasmLabError("The cell number 5 of the exercise failed.")

    monkeypatch.setattr(gate, "problems", problems)
    found = [*validated(course.source).values()]
    assert found == [
        ["first has one", "The cell number 5 of the exercise failed."],
        ["second has one"],
        ["third has one"],
    ]


def test_a_chapter_that_is_not_the_folder_is_told_with_its_key(course) -> None:
    (course.source / "00_chapter").rename(course.source / "Wöche 1")
    master = gate.Master.load(course.source / "Wöche 1" / "first.ipynb", None)
    assert list(gate.wrong_metadata(master.full)) == [
        "Its folder is Wöche 1, and its metadata `wasm_lab.exercise.chapter` says 00_chapter."
    ]
