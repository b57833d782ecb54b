"""Answers from a learner's notebook, whatever became of it; nothing is lost without a word."""

from __future__ import annotations

import copy
import json

import pytest

from wasm_lab.errors import ExerciseError
from wasm_lab.exercises.copies import read_answers


@pytest.fixture
def opened(learner):
    return learner.open("third")


def answers(opened, live=None):
    return read_answers(opened.path, opened.exercise, live)


def answer_of(cells: list[dict]) -> dict:
    return next(each for each in cells if each["id"] == "answer")


def test_a_fresh_copy_is_untouched_and_has_a_cell_that_checks(opened) -> None:
    read = answers(opened)
    assert read.untouched
    assert read.notes == ()
    cells = json.loads(opened.path.read_text())["cells"]
    assert cells[-1]["source"] == "%exercise check"


def test_the_answer_is_what_stands_below_the_magic(opened, write_answer) -> None:
    write_answer(opened.path, "pub fn twice(n: u32) -> Option<u32> { None }")
    read = answers(opened)
    assert read.bodies == {"answer": "pub fn twice(n: u32) -> Option<u32> { None }"}
    assert not read.untouched


def test_a_changed_magic_line_has_no_effect_and_is_told(opened, edit) -> None:
    edit(
        opened.path, lambda cells: answer_of(cells).update(source="%%wasm_rust --fuel 1 --name x\nfn a() {}")
    )
    read = answers(opened)
    assert read.bodies == {"answer": "fn a() {}"}
    assert "--fuel 1" in read.notes[0]


def test_a_deleted_magic_line_is_told(opened, edit) -> None:
    edit(opened.path, lambda cells: answer_of(cells).update(source="fn a() {}"))
    read = answers(opened)
    assert read.bodies == {"answer": "fn a() {}"}
    assert "%%wasm_rust --name answer" in read.notes[0]


def test_a_second_magic_is_told(opened, write_answer) -> None:
    write_answer(opened.path, "%%bash\necho hi")
    assert "%%bash" in answers(opened).notes[0]


def test_python_in_an_answer_cell_is_told(opened, write_answer) -> None:
    write_answer(opened.path, "def twice(n):\n    return 2 * n")
    assert "looks like Python" in answers(opened).notes[0]


def test_an_answer_cell_that_was_typed_anew_is_found_by_its_first_line(opened, edit) -> None:
    def anew(cells: list[dict]) -> None:
        cells.remove(answer_of(cells))
        new = {"cell_type": "code", "id": "n", "metadata": {}, "outputs": [], "execution_count": 1}
        cells.append({**new, "source": ["%%wasm_rust  --name answer\n", "fn a() {}"]})

    edit(opened.path, anew)
    read = answers(opened)
    assert read.bodies == {"answer": "fn a() {}"}
    assert "made anew" in read.notes[0]


@pytest.mark.parametrize(
    ("source", "notes"),
    [
        ("  \n%%wasm_rust --name answer\nfn a() {}", 0),
        ("  %%wasm_rust --name answer\n  fn a() {}", 0),
        ("%%time\n%%wasm_rust --name answer\nfn a() {}", 1),
    ],
    ids=["a line of blanks", "indented", "below %%time"],
)
def test_what_jupyter_accepts_above_the_code_is_no_mistake(opened, edit, source, notes) -> None:
    edit(opened.path, lambda cells: answer_of(cells).update(source=source))
    read = answers(opened)
    assert read.bodies == {"answer": "fn a() {}"}
    assert len(read.notes) == notes
    assert all("'%%time' above its first line" in note for note in read.notes)


def test_a_cell_with_another_grade_id_is_not_the_answer(opened, edit) -> None:
    def rename(cells: list[dict]) -> None:
        answer_of(cells)["metadata"]["nbgrader"]["grade_id"] = "mine"

    edit(opened.path, rename)
    with pytest.raises(ExerciseError, match="not in the notebook any more"):
        answers(opened)


def test_a_deleted_answer_cell_is_told_with_a_way_back(opened, edit) -> None:
    edit(opened.path, lambda cells: cells.remove(answer_of(cells)))
    with pytest.raises(ExerciseError, match="not in the notebook any more") as told:
        answers(opened)
    assert "reset third" in told.value.hint


def test_of_copies_of_an_answer_the_last_changed_one_counts(opened, edit) -> None:
    def double(cells: list[dict]) -> None:
        cell = answer_of(cells)
        cell["source"] = "%%wasm_rust --name answer\nfn a() {}"
        other = copy.deepcopy(cell)
        other["source"] = "%%wasm_rust --name answer\nfn b() {}"
        cells.insert(cells.index(cell) + 1, other)

    edit(opened.path, double)
    read = answers(opened)
    assert read.bodies == {"answer": "fn b() {}"}
    assert "copies of the answer" in read.notes[0]


def test_a_broken_file_is_told_and_stays(opened) -> None:
    text = opened.path.read_text()[:200]
    opened.path.write_text(text)
    with pytest.raises(ExerciseError, match="is no notebook") as told:
        answers(opened)
    assert "reset third" in told.value.hint
    assert opened.path.read_text() == text


def test_what_a_kernel_executed_later_counts_more_than_the_file(opened) -> None:
    live = {"%%wasm_rust --name answer": "fn live() {}", "%%wasm_rust --name other": "fn x() {}"}
    assert answers(opened, live).bodies == {"answer": "fn live() {}"}


def test_the_link_to_the_chapter_works_from_the_copy(learner) -> None:
    opened = learner.open("first")
    intro = json.loads(opened.path.read_text())["cells"][0]["source"]
    target = "".join(intro).partition("](")[2].partition(")")[0]
    assert (opened.path.parent / target).resolve().is_file()
