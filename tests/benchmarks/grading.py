"""Grading a batch, and checking an exercise in the learner's loop."""

from __future__ import annotations

import copy
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.pairs import Pair

from wasm_lab.exercises import Exercise
from wasm_lab.exercises.course import Course
from wasm_lab.exercises.release import released_text

WASM_LAB = str(Path(sys.executable).with_name("wasm-lab"))

#: As many as the lab promises something of.
STUDENTS, EXERCISES = 40, 5

#: So many students are executed by plain papermill, one notebook after the other; the time is scaled.
REFERENCE_STUDENTS = 4

#: Of chapter 01, whose answers are functions of Rust.
CHAPTER = "01_rust_cells"


def _masters() -> list[Exercise]:
    found = [Exercise.read(path) for path in Course.own().masters()]
    rust = [one for one in found if len(one.answers) == 1 and one.answers[0].language == "rust"]
    chosen = sorted(rust, key=lambda one: (one.chapter != CHAPTER, one.chapter, one.name))[:EXERCISES]
    assert len(chosen) == EXERCISES
    return chosen


def _course(folder: Path, masters: list[Exercise]) -> Path:
    """A course of these exercises, all in one assignment, so that each student hands in all of them."""
    course = folder / "course"
    for master in masters:
        notebook = copy.deepcopy(json.loads(master.dumps()))
        notebook["metadata"]["wasm_lab"]["exercise"]["chapter"] = CHAPTER
        text = json.dumps(notebook)
        for form, content in (("source", text), ("release", released_text(text))):
            path = course / form / CHAPTER / f"{master.name}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    return course


_numbers = itertools.count()


def _hand_in(folder: Path, masters: list[Exercise], students: int) -> Path:
    """Right answers, each of its own text, so that nobody's build is another's."""
    root = folder / f"submitted-{next(_numbers)}"
    for number in range(students):
        for master in masters:
            bodies = {
                name: f"{body}\n// by student {next(_numbers)} of {number}\n"
                for name, body in master.bodies().items()
            }
            path = root / f"student{number:02}" / f"{master.name}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(master.with_bodies(bodies).dumps())
    return root


def _cold(folder: Path) -> dict[str, str]:
    """An environment whose cache is empty; the compiler is where it was."""
    return os.environ | {"WASM_LAB_CACHE": str(folder / f"cache-{next(_numbers)}")}


def _grade(folder: Path, course: Path, submitted: Path, jobs: int) -> int:
    out = folder / f"report-{next(_numbers)}"
    command = [WASM_LAB, "grade", str(submitted), "--master", str(course), "--out", str(out)]
    begun = time.perf_counter_ns()
    done = subprocess.run(
        [*command, "--jobs", str(jobs), "--json"], env=_cold(folder), capture_output=True, text=True
    )
    took = time.perf_counter_ns() - begun
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)["outcomes"]
    wrong = [one for one in outcomes if one["status"] != "graded"]
    assert not wrong, wrong[0]
    return took


#: Executes every notebook below a folder with papermill as it is installed.
PLAIN = """
import sys
from pathlib import Path
from papermill.execute import execute_notebook
for path in sorted(Path(sys.argv[1]).rglob("*.ipynb")):
    execute_notebook(str(path), str(path.with_suffix(".done")), kernel_name="python3", progress_bar=False, cwd=str(path.parent))
"""


def grade_batch(folder: Path, divisor: int) -> Pair:
    """40 submissions of 5 exercises with cold caches, against the same notebooks by papermill alone."""
    masters = _masters()
    course = _course(folder, masters)
    students = STUDENTS // divisor
    ours, reference = [], []
    for _ in range(2):
        ours.append(_grade(folder, course, _hand_in(folder, masters, students), jobs=2))
        few = _hand_in(folder, masters, REFERENCE_STUDENTS)
        begun = time.perf_counter_ns()
        command = [sys.executable, "-c", PLAIN, str(few)]
        subprocess.run(command, env=_cold(folder), check=True, capture_output=True)
        reference.append((time.perf_counter_ns() - begun) * students // REFERENCE_STUDENTS)
    return Pair(
        f"grading {students} × {EXERCISES} submissions, cold; plain papermill serial, scaled from {REFERENCE_STUDENTS}",
        ours,
        reference,
        asked="≤ 0.4×",
    )


def grade_two_workers(folder: Path, divisor: int) -> Pair:
    """The same submissions by two workers and by one."""
    masters = _masters()
    course = _course(folder, masters)
    ours, reference = [], []
    students = 24 // divisor  # what is done once, such as the start, weighs little
    for turn in range(2):
        took = {}
        for jobs in (2, 1) if turn % 2 else (1, 2):
            took[jobs] = _grade(folder, course, _hand_in(folder, masters, students), jobs=jobs)
        ours.append(took[2])
        reference.append(took[1])
    name = f"grading {students} × {EXERCISES}: two workers against one"
    return Pair(name, ours, reference, asked="≤ 0.56× (1.8 times as fast)")


def exercise_check(folder: Path, divisor: int) -> Pair:
    """An edited answer checked: by the whole command, and where the lab is running already (notebook, watch)."""
    from wasm_lab.exercises.learner import Learner
    from wasm_lab.exercises.progress import Progress

    (master,) = [one for one in _masters() if one.chapter == CHAPTER][:1]
    copies = folder / "copies"
    env = os.environ | {"XDG_DATA_HOME": str(folder / "data")}

    def command(what: str) -> list[str]:
        return [WASM_LAB, "exercises", what, master.name, "--folder", str(copies)]

    subprocess.run(command("next"), env=env, check=True, capture_output=True)
    learner = Learner(copies, progress=Progress(folder / "progress.json"))
    path = copies / master.chapter / f"{master.name}.ipynb"

    def edit() -> None:
        released = learner.named(master.name)
        bodies = {name: f"{body}\n// edit {next(_numbers)}\n" for name, body in master.bodies().items()}
        path.write_text(released.with_bodies(bodies).dumps())

    ours, reference = [], []
    for turn in range(1 + 12 // divisor):
        edit()
        begun = time.perf_counter_ns()
        done = subprocess.run(command("check"), env=env, capture_output=True, text=True)
        whole = time.perf_counter_ns() - begun
        assert done.returncode == 0, done.stdout + done.stderr
        edit()
        begun = time.perf_counter_ns()
        assert learner.check(master.name).solved
        inside = time.perf_counter_ns() - begun
        if turn:
            ours.append(whole)
            reference.append(inside)
    return Pair(
        "exercises check, edited: the command, and in a running notebook", ours, reference, asked="≤ 1 s"
    )
