"""Reading an exercise: roles, magic lines apart from bodies, clean copies, and files that are broken."""

from __future__ import annotations

import json

import pytest

from wasm_lab.errors import ExerciseError
from wasm_lab.exercises import Exercise
from wasm_lab.exercises.notebook import Role


def code(text: str, **nbgrader) -> dict:
    metadata = {"nbgrader": {"schema_version": 3, **nbgrader}} if nbgrader else {}
    return {"cell_type": "code", "source": text, "metadata": metadata, "outputs": []}


CELLS = [
    {"cell_type": "markdown", "source": ["# Sum\n", "words"], "metadata": {}},
    code(
        "%%wasm_rust --name answer\n// ### BEGIN SOLUTION\npub fn one() -> i32 { 1 }\n// ### END SOLUTION",
        grade_id="answer",
        solution=True,
        grade=False,
    ),
    code("cases = 1", grade_id="seen", solution=False, grade=True, points=2),
    {
        "cell_type": "markdown",
        "source": "Say why.",
        "metadata": {"nbgrader": {"grade_id": "why", "solution": True, "grade": True, "points": 3}},
    },
]


def notebook(cells=CELLS, **told) -> str:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": told, "cells": cells})


def test_roles_points_and_what_the_metadata_tells() -> None:
    told = {"exercise": {"title": "Sums", "minutes": 10, "hints": ["a", "b"], "fuel": 1000, "deadline_s": 2}}
    exercise = Exercise.parse(notebook(wasm_lab=told), name="sums", chapter="01_rust_cells")
    assert [cell.role for cell in exercise.cells] == [Role.GIVEN, Role.ANSWER, Role.TEST, Role.WRITTEN]
    assert (exercise.title, exercise.minutes, exercise.hints) == ("Sums", 10, ("a", "b"))
    assert (exercise.fuel, exercise.deadline_s, exercise.max_points) == (1000, 2.0, 5.0)


def test_a_foreign_notebook_has_its_heading_for_a_title() -> None:
    exercise = Exercise.parse(notebook(), name="sums")
    assert (exercise.title, exercise.hints, exercise.minutes) == ("Sum", (), 0)


def test_bodies_go_below_the_masters_magic_line() -> None:
    exercise = Exercise.parse(notebook(), name="sums")
    filled = exercise.with_bodies({"answer": "%%bash\nrm -rf x", "why": "Because."})
    assert filled.cells[1].text == "%%wasm_rust --name answer\n%%bash\nrm -rf x"
    assert filled.cells[1].magic == "%%wasm_rust --name answer"
    assert Exercise.parse(filled.dumps()).bodies() == {"answer": "%%bash\nrm -rf x", "why": "Because."}
    assert exercise.bodies()["why"] == "Say why."
    with pytest.raises(ExerciseError, match="no answer cell other"):
        exercise.with_bodies({"other": ""})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is no notebook"),
        ("[]", "does not say nbformat"),
        ('{"nbformat": 3}', "format 3"),
        ('{"nbformat": 4}', "no list of cells"),
        ('{"nbformat": 4, "cells": [1]}', "cell 1 has no text"),
    ],
    ids=["cut off", "list", "old", "no cells", "no text"],
)
def test_what_is_no_notebook_is_told(text, says) -> None:
    with pytest.raises(ExerciseError, match=says):
        Exercise.parse(text, name="x")


@pytest.mark.parametrize("written", ["NaN", "1e999", "1" + 400 * "0", "true", '"7"', "[]"], ids=range(6))
def test_numbers_that_are_none_count_as_not_there(written) -> None:
    text = notebook(wasm_lab={"exercise": {"minutes": 7, "fuel": 7}}).replace("7", written)
    exercise = Exercise.parse(text.replace('"points": 2', f'"points": {written}'), name="x")
    assert (exercise.minutes, exercise.fuel, exercise.cells[2].points) == (0, None, 0.0)


SEEN = {
    "a literal": 'cases.true("empty", f([]) == 0)',
    "of two parts": 'cases.true("em" "pty", f([]) == 0)',
    "in a loop": 'for name in ("empty", "full"):\n    cases.true(name, f)',
    "below a magic": '%%time\n%load_ext x\ncases.true("empty", f)\nif f:\n    !ls',
    "within braces": "print(f\"{names['empty']}\")",
}
UNSEEN = {
    "a part of a name": 'cases.true("an empty list", f([]) == 0)',
    "a word of a message": 'cases.true("zero", f(0), because="not empty")',
    "a Python name": "empty = []",
    "a comment": "# empty",
    "a part of an f-string": 'cases.true(f"{kind}empty", f)',
    "no Python": 'cases.true("empty", f',
}


@pytest.mark.parametrize("text", SEEN.values(), ids=SEEN)
def test_a_case_is_seen_where_its_name_is_a_string(text) -> None:
    assert not Exercise.parse(notebook([code(text, grade_id="t", grade=True)]), name="x").hides("empty")


@pytest.mark.parametrize("text", UNSEEN.values(), ids=UNSEEN)
def test_a_case_is_hidden_where_its_name_is_only_a_part_of_the_text(text) -> None:
    assert Exercise.parse(notebook([code(text, grade_id="t", grade=True)]), name="x").hides("empty")


def test_a_missing_file_and_another_encoding(tmp_path) -> None:
    with pytest.raises(ExerciseError, match="cannot be read"):
        Exercise.read(tmp_path / "none.ipynb")
    (tmp_path / "latin.ipynb").write_bytes('{"a": "é"}'.encode("latin-1"))
    with pytest.raises(ExerciseError, match="UTF-8"):
        Exercise.read(tmp_path / "latin.ipynb")
