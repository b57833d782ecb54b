"""nbgrader's own commands on our masters, unchanged: generate_assignment, autograde, validate."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from wasm_lab.exercises.course import Course
from wasm_lab.exercises.markers import without_markers
from wasm_lab.exercises.notebook import Exercise
from wasm_lab.exercises.release import released_text

pytestmark = pytest.mark.slow

COURSE = Course.own()
FIRST = COURSE.released()[0]


def nbgrader(*words: str | Path, folder: Path) -> str:
    program = Path(sys.executable).with_name("nbgrader")
    done = subprocess.run(
        [program, *words],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=folder,
        # nbgrader starts alembic by name, so its folder must be on PATH, as in an activated environment.
        env={**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def submit(folder: Path, student: str, text: str) -> None:
    path = folder / "submitted" / student / FIRST.chapter / f"{FIRST.name}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_its_commands_work_on_our_masters(tmp_path) -> None:
    master = COURSE.master_of(FIRST)
    assert master
    folder = tmp_path / "course"
    (folder / "source" / FIRST.chapter).mkdir(parents=True)
    shutil.copy(master, folder / "source" / FIRST.chapter)
    shutil.copy(COURSE.folder / "nbgrader_config.py", folder)

    nbgrader("generate_assignment", FIRST.chapter, folder=folder)
    released = folder / "release" / FIRST.chapter / f"{FIRST.name}.ipynb"
    assert released.read_text("utf-8") == released_text(master.read_text("utf-8"))  # byte for byte

    full = Exercise.read(master)
    solution = {key: without_markers(body) for key, body in full.bodies().items()}
    submit(folder, "ada", Exercise.read(released).with_bodies(solution).dumps())
    submit(folder, "bob", released.read_text())
    nbgrader("autograde", FIRST.chapter, folder=folder)
    assert scores(folder) == {"ada": full.max_points, "bob": 0.0}

    solved = folder / "submitted" / "ada" / FIRST.chapter / f"{FIRST.name}.ipynb"
    assert "Success" in nbgrader("validate", solved, folder=folder)


def scores(folder: Path) -> dict[str, float]:
    """Points of each student in the gradebook."""
    query = """
        select submitted_assignment.student_id, sum(grade.auto_score) from grade
        join submitted_notebook on grade.notebook_id = submitted_notebook.id
        join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id
        group by submitted_assignment.student_id
    """
    connection = sqlite3.connect(folder / "gradebook.db")
    try:
        return dict(connection.execute(query).fetchall())
    finally:
        connection.close()
