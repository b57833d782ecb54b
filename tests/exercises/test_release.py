"""Releasing: what goes, what stays, files beside, foreign masters, and masters that are wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wasm_lab.errors import ExerciseError, UsageError
from wasm_lab.exercises import Exercise
from wasm_lab.exercises.release import masters_folder, release, released_text


def of(*cells: dict, **metadata) -> str:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)})


def code(text: str, grade_id: str, **told) -> dict:
    nbgrader = {"grade": False, "solution": False, "locked": False, "grade_id": grade_id, **told}
    return {
        "cell_type": "code",
        "source": text,
        "metadata": {"nbgrader": {"schema_version": 3, **nbgrader}},
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "secret output"}],
        "execution_count": 7,
    }


def test_a_master_and_its_released_form(course) -> None:
    master = (course.source / "01_chapter" / "third.ipynb").read_text()
    given = Exercise.parse(released_text(master))
    assert given.cell("answer").text == "%%wasm_rust --name answer\n// Your code here.\ntodo!()"
    assert given.cell("unseen").text == "cases = Cases(points=1)\ncases.score()"
    told = [cell["metadata"] for cell in given.notebook["cells"]]
    assert all(each["deletable"] is False for each in told)
    assert [each.get("editable") for each in told] == [False, False, None, False, False]
    assert all(len(each["nbgrader"]["checksum"]) == 32 for each in told)


def test_outputs_go_and_ids_are_the_same_every_time() -> None:
    master = of(code("1", "setup", locked=True), code("2", "setup_two", locked=True))
    assert released_text(master) == released_text(master)
    given = json.loads(released_text(master))
    assert [cell["id"] for cell in given["cells"]] == ["setup", "setup_two"]
    assert "secret output" not in json.dumps(given)
    assert [cell["execution_count"] for cell in given["cells"]] == [None, None]


@pytest.mark.parametrize("schema", [None, 1, 2, 3], ids=["none", "1", "2", "3"])
def test_a_foreign_master_in_python_is_read_in_every_schema(schema) -> None:
    cells = [
        code("def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION", "f", solution=True),
        code(
            "assert f()\n### BEGIN HIDDEN TESTS\nassert f() == 1\n### END HIDDEN TESTS",
            "t",
            grade=True,
            points=1,
        ),
    ]
    for cell in cells:
        told = cell["metadata"]["nbgrader"]
        told.pop("schema_version")
        told |= {"schema_version": schema} if schema else {}
        told |= {"task": False} if schema == 3 else {}
    given = Exercise.parse(released_text(of(*cells)))
    assert given.cells[0].text == "def f():\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    assert given.cells[1].text == "assert f()"
    assert given.notebook["cells"][0]["metadata"]["nbgrader"]["schema_version"] == 3


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ([code("### BEGIN SOLUTION\n1", "a", solution=True)], "no end solution"),
        ([code("%%wasm_rust\n// ### BEGIN SOLUTION\n1", "a", solution=True)], "no end"),
        ([code("### BEGIN SOLUTION\n1\n### END SOLUTION", "a")], "non-solution cell"),
        ([code("### BEGIN HIDDEN TESTS\n1\n### END HIDDEN TESTS", "a")], "non-grade cell"),
        ([code("1", "a", locked=True), code("1", "a", locked=True)], "Duplicate grade id"),
        ([code("### AUTOTEST f(1)", "a", grade=True, points=1)], "AUTOTEST"),
    ],
    ids=["no end", "no end in rust", "not a solution", "not a test", "two ids", "autotest"],
)
def test_a_wrong_master_is_told(cells, says) -> None:
    with pytest.raises(ExerciseError, match=f"m.ipynb.*{says}"):
        released_text(of(*cells), label="m.ipynb")


def test_a_folder_is_released_whole_or_not_at_all(course, tmp_path) -> None:
    out = tmp_path / "out"
    (course.source / "00_chapter" / "data.csv").write_text("1,2")
    assert {one.change for one in release(course.source, out)} == {"new"}
    assert (out / "00_chapter" / "data.csv").read_text() == "1,2"
    assert {one.change for one in release(course.source, out)} == {"unchanged"}

    (out / "01_chapter" / "mine.ipynb").write_text("{}")
    (course.source / "01_chapter" / "second.ipynb").unlink()
    changes = {one.name: one.change for one in release(course.source, out)}
    assert changes == {"first": "unchanged", "data": "unchanged", "third": "unchanged", "second": "removed"}
    assert (out / "01_chapter" / "mine.ipynb").exists()

    before = (out / "00_chapter" / "first.ipynb").read_bytes()
    (course.source / "00_chapter" / "first.ipynb").write_text(of(code("2", "new", locked=True)))
    (course.source / "01_chapter" / "third.ipynb").write_text("{")
    with pytest.raises(ExerciseError, match="third.ipynb is no notebook"):
        release(course.source, out)
    assert (out / "00_chapter" / "first.ipynb").read_bytes() == before


def everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "out", [".", "source", "source/new", "x/../source/00_chapter", "submitted", "submitted/ada"]
)
def test_released_forms_go_neither_to_masters_nor_to_submissions(course, out) -> None:
    submitted = course.folder / "submitted" / "ada" / "00_chapter"
    submitted.mkdir(parents=True)
    (submitted / "first.ipynb").write_text(
        released_text((course.source / "00_chapter/first.ipynb").read_text())
    )
    (course.folder / "x").mkdir()
    before = everything(course.folder)
    with pytest.raises(UsageError, match="cannot go to") as refused:
        release(course.source, course.folder / out)
    assert "--out" in refused.value.hint
    assert everything(course.folder) == before


def test_what_is_not_plainly_a_released_form_is_neither_removed_nor_overwritten(
    course, tmp_path, edit
) -> None:
    out = tmp_path / "out"
    release(course.source, out)
    form = out / "01_chapter" / "second.ipynb"

    def left_in(chapter: str, name: str, text: str) -> Path:
        path = out / chapter / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def answered(cells: list[dict]) -> None:
        (answer,) = (cell for cell in cells if cell["id"] == "answer")
        answer["source"] = "%%answer verdict --choice yes,no\nno"

    def added(cells: list[dict]) -> None:
        cells.append({"cell_type": "markdown", "id": "mine", "metadata": {}, "source": "my notes"})

    master = (course.source / "01_chapter" / "second.ipynb").read_text()
    kept = [
        left_in("01_chapter", "a_master", master),
        left_in("01_chapter", "handed_in", form.read_text()),
        left_in("01_chapter", "with_notes", form.read_text()),
        left_in("01_chapter/deep", "below", form.read_text()),
        left_in(".", "above", form.read_text()),
    ]
    edit(kept[1], answered)
    edit(kept[2], added)
    (course.source / "01_chapter" / "second.ipynb").unlink()
    assert [one.path for one in release(course.source, out) if one.change == "removed"] == [form]
    assert all(path.is_file() for path in kept)

    first = out / "00_chapter" / "first.ipynb"
    for text in (kept[1].read_text(), master):
        first.write_text(text)
        with pytest.raises(UsageError, match=r"first.ipynb is there already") as refused:
            release(course.source, out)
        assert "Nothing was written" in refused.value.hint
        assert first.read_text() == text


def test_notebooks_outside_of_chapters_are_no_masters(course, tmp_path) -> None:
    out = tmp_path / "out"
    chapter = course.source / "00_chapter"
    with pytest.raises(UsageError, match=r"first.ipynb lies in .*00_chapter itself") as refused:
        release(chapter, out)
    assert "source/CHAPTER/NAME.ipynb" in refused.value.hint

    (course.source / "header.ipynb").write_text(of())  # nbgrader's quickstart has one there
    (chapter / "more").mkdir()
    (chapter / "more" / "deep.ipynb").write_text((chapter / "first.ipynb").read_text())
    left = {one.path for one in release(course.source, out) if one.change == "left out"}
    assert left == {course.source / "header.ipynb", chapter / "more" / "deep.ipynb"}
    assert len(list(out.rglob("*.ipynb"))) == 3

    (course.source / "draft.ipynb").write_text((chapter / "first.ipynb").read_text())
    with pytest.raises(UsageError, match="draft.ipynb lies in"):
        release(course.source, out)


def test_a_whole_course_stands_for_its_masters(course) -> None:
    assert masters_folder(course.folder) == course.source
    assert masters_folder(course.source) == course.source


def test_data_beside_masters_is_copied_and_solutions_are_not(course, tmp_path) -> None:
    chapter = course.source / "00_chapter"
    (chapter / "data").mkdir()
    for name in ("data/table.csv", "solution.rs", "Solutions.md", "../notes.md"):
        (chapter / name).write_text("1,2")
    (chapter / "median.rs").write_text("// ### BEGIN SOLUTION")
    for _ in range(2):
        done = release(course.source, tmp_path / "out")
        assert [one.path.name for one in done if one.note == "copied as it is"] == ["table.csv"]
        left = {one.path.name for one in done if one.change == "left out"}
        assert left == {"solution.rs", "Solutions.md", "median.rs", "notes.md"}
    copied = [
        path.name for path in (tmp_path / "out").rglob("*") if path.is_file() and path.suffix != ".ipynb"
    ]
    assert copied == ["table.csv"]


def test_a_folder_without_masters_is_told(tmp_path) -> None:
    with pytest.raises(UsageError, match="holds no notebooks"):
        release(tmp_path, tmp_path / "out")
