"""A course of three small exercises, in which nothing but one answer in Rust has to be compiled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wasm_lab.exercises.course import Course
from wasm_lab.exercises.learner import Learner
from wasm_lab.exercises.progress import Progress

SETUP = "%load_ext wasm_lab\nfrom wasm_lab.exercises import Cases"


def cell(kind: str, grade_id: str, text: str, **told) -> dict:
    nbgrader = {"grade": False, "solution": False, "locked": True, "task": False, "schema_version": 3}
    made = {
        "cell_type": kind,
        "id": grade_id,
        "metadata": {"nbgrader": {**nbgrader, "grade_id": grade_id, **told}},
        "source": text,
    }
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def notebook(title: str, chapter: str, cells: list[dict], **told) -> str:
    exercise = {"title": title, "chapter": chapter, "minutes": 5, "hints": ["think", "think more"], **told}
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "wasm_lab": {"exercise": exercise},
        },
        "cells": [
            cell("markdown", "intro", f"# {title}\n\n[Chapter](../../../notebooks/{chapter}.ipynb)"),
            cell("code", "setup", SETUP),
            *cells,
        ],
    }
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def answer(text: str) -> dict:
    return cell("code", "answer", text, solution=True, locked=False)


def checking(grade_id: str, *cases: str, hidden: bool = False, points: int = 1) -> dict:
    inside = ["### BEGIN HIDDEN TESTS", *cases, "### END HIDDEN TESTS"] if hidden else cases
    text = "\n".join([f"cases = Cases(points={points})", *inside, "cases.score()"])
    return cell("code", grade_id, text, grade=True, points=points)


ONE = 'cases.true("a verdict", verdict in ("yes", "no"))'
TWO = 'cases.equal("the secret one", lambda: verdict, (), "no", because="read the audit")'
RUST = 'cases.equal("two", twice, (2,), 4)'
RUST_HIDDEN = 'cases.equal("the largest", twice, (2**31,), None)'


def choice(stub: str, *tests: dict) -> list[dict]:
    return [answer(f"%%answer verdict --choice yes,no\n{stub}"), *tests]


SOLVED = "# ### BEGIN SOLUTION\nno\n# ### END SOLUTION"
SOLVED_RUST = "// ### BEGIN SOLUTION\npub fn twice(n: u32) -> Option<u32> {\n    n.checked_mul(2)\n}\n// ### END SOLUTION"


def write(folder: Path, chapter: str, name: str, text: str) -> None:
    path = folder / chapter / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def course(tmp_path) -> Course:
    """Masters and released forms: ``first`` and ``second`` are choices, ``third`` is in Rust."""
    folder = tmp_path / "course"
    for number, name in enumerate(("first", "second")):
        chapter = f"0{number}_chapter"
        full = choice(SOLVED, checking("seen", ONE), checking("unseen", TWO, hidden=True, points=2))
        given = choice("# Your answer here.", checking("seen", ONE), checking("unseen", points=2))
        told = {"formerly": ["earliest"]} if name == "first" else {}
        write(folder / "source", chapter, name, notebook(name.title(), chapter, full, **told))
        write(folder / "release", chapter, name, notebook(name.title(), chapter, given, **told))
    for kind, body, hidden in (
        ("source", SOLVED_RUST, [RUST_HIDDEN]),
        ("release", "// Your code here.\ntodo!()", []),
    ):
        tests = [checking("seen", RUST), checking("unseen", *hidden, hidden=kind == "source")]
        cells = [answer(f"%%wasm_rust --name answer\n{body}"), *tests]
        write(folder / kind, "01_chapter", "third", notebook("Third", "01_chapter", cells, minutes=9))
    chapters = tmp_path / "notebooks"
    chapters.mkdir()
    (chapters / "00_chapter.ipynb").write_text("{}")
    return Course(folder)


@pytest.fixture
def progress(tmp_path) -> Progress:
    return Progress(tmp_path / "data" / "exercises.json")


@pytest.fixture
def learner(tmp_path, course, progress) -> Learner:
    return Learner(tmp_path / "home" / "wasm-lab-exercises", course=course, progress=progress)


@pytest.fixture
def edit():
    """Changes the notebook of a learner by a function of its cells."""

    def change(path: Path, how) -> None:
        content = json.loads(path.read_text())
        how(content["cells"])
        path.write_text(json.dumps(content))

    return change


@pytest.fixture
def write_answer(edit):
    """Writes below the magic line of a learner's answer."""

    def write(path: Path, text: str) -> None:
        def change(cells: list[dict]) -> None:
            for each in cells:
                if each["id"] == "answer":
                    each["source"] = f"{''.join(each['source']).partition(chr(10))[0]}\n{text}"

        edit(path, change)

    return write
