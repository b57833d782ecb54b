"""A small course of two exercises, and submissions of them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from wasm_lab.exercises import Exercise
from wasm_lab.grading.course import Course, read_course

STUB = "pub fn add(a: i32, b: i32) -> i32 {\n    todo!()\n}"
RIGHT = "pub fn add(a: i32, b: i32) -> i32 {\n    a + b\n}"
HALF = "pub fn add(a: i32, b: i32) -> i32 {\n    a | b\n}"


def _cell(kind: str, source: str, grade_id: str = "", **told: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if grade_id:
        nbgrader = {"grade": False, "solution": False, "locked": True, "task": False, "schema_version": 3}
        metadata = {"nbgrader": nbgrader | {"grade_id": grade_id} | told}
    cell = {"cell_type": kind, "id": f"c-{grade_id or 'x'}", "metadata": metadata, "source": source}
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def add_notebook(*, master: bool) -> dict[str, Any]:
    hidden = 'cases.equal("a carry", add, (1, 1), 2)\ncases.equal("negative", add, (-3, 5), 2)\n'
    begin, end = "### BEGIN HIDDEN TESTS\n", "### END HIDDEN TESTS\n"
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "wasm_lab": {"exercise": {"title": "Add", "chapter": "01_rust_cells", "minutes": 3, "deadline_s": 1}},
        },
        "cells": [
            _cell("markdown", "# Add\nWrite `add`.", "story"),
            _cell("code", "%load_ext wasm_lab\nfrom wasm_lab.exercises import Cases", "setup"),
            _cell("code", f"%%wasm_rust --name answer\n{RIGHT if master else STUB}", "answer", solution=True, locked=False),
            _cell(
                "code",
                'cases = Cases(points=1)\ncases.equal("two and four", add, (2, 4), 6)\ncases.score()',
                "visible", grade=True, points=1,
            ),
            _cell(
                "code",
                f"cases = Cases(points=2)\n{begin + hidden + end if master else ''}cases.score()",
                "hidden", grade=True, points=2,
            ),
            _cell("markdown", "Why?", "why", grade=True, solution=True, locked=False, points=4),
        ],
    }  # fmt: skip


def text_notebook(*, master: bool) -> dict[str, Any]:
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "wasm_lab": {"exercise": {"title": "A port", "chapter": "02_capabilities", "minutes": 1}},
        },
        "cells": [
            _cell("code", "%load_ext wasm_lab\nfrom wasm_lab.exercises import Cases", "setup"),
            _cell(
                "code", f"%%answer settings --toml\nport = {8080 if master else 0}", "answer", solution=True, locked=False
            ),
            _cell(
                "code",
                'cases = Cases(points=1)\ncases.true("port", settings["port"] == 8080, "another port")\ncases.score()',
                "visible", grade=True, points=1,
            ),
        ],
    }  # fmt: skip


@pytest.fixture
def course_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    for assignment, name, make in (
        ("01_rust_cells", "add", add_notebook),
        ("02_capabilities", "port", text_notebook),
    ):
        for form, master in (("source", True), ("release", False)):
            path = folder / form / assignment / f"{name}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(make(master=master)))
    return folder


@pytest.fixture
def course(course_dir: Path) -> Course:
    return read_course(course_dir)


class Handed:
    """What a student of the course hands in, as bytes of a notebook."""

    def __init__(self, course: Course) -> None:
        self.course = course

    def notebook(self, name: str = "add", **bodies: str) -> dict[str, Any]:
        released = self.course.masters[name].released
        done: Exercise = released.with_bodies(bodies or {"answer": RIGHT if name == "add" else "port = 8080"})
        return done.notebook

    def bytes(self, name: str = "add", **bodies: str) -> bytes:
        return json.dumps(self.notebook(name, **bodies)).encode()


@pytest.fixture
def handed(course: Course) -> Handed:
    return Handed(course)


class Marked:
    """A variable of the environment by which processes of one test are found, whoever their parents are."""

    def __init__(self, name: str) -> None:
        self.env = os.environ | {name: "1"}
        self._name = name.encode()

    def wait_until_gone(self) -> None:
        deadline = time.monotonic() + 60
        while living := self._living():
            assert time.monotonic() < deadline, living
            time.sleep(0.05)

    def _living(self) -> list[str]:
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    if self._name in (folder / "environ").read_bytes():
                        found.append(
                            (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                        )
                except OSError:
                    continue
        return found


@pytest.fixture
def marked(tmp_path: Path) -> Marked:
    return Marked(f"WASM_LAB_TEST_{os.getpid()}_{tmp_path.name}")
