"""``wasm-lab exercises`` as a process, in a home of its own, with the lab's own exercises."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import click
import pytest

from wasm_lab.cli.exercises import exercises as group
from wasm_lab.exercises.course import Course
from wasm_lab.exercises.markers import without_markers
from wasm_lab.exercises.notebook import Exercise

PROGRAM = Path(sys.executable).with_name("wasm-lab")
COURSE = Course.own()
FIRST = COURSE.released()[0]


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    return {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data"), "NO_COLOR": "1", "COLUMNS": "120"}


@pytest.fixture
def exercises(tmp_path, environment):
    def run(*words: str | Path, folder: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, "exercises", *words],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=folder,
            env=environment,
        )

    return run


def solve(path: Path) -> None:
    """Write the master's solution into a learner's copy."""
    master = COURSE.master_of(FIRST)
    assert master
    bodies = {key: without_markers(body) for key, body in Exercise.read(master).bodies().items()}
    path.write_text(Exercise.read(path).with_bodies(bodies).dumps())


@pytest.mark.slow
def test_a_learner_is_led_from_the_first_to_the_second(exercises, tmp_path) -> None:
    nothing = exercises()
    assert f"0 of {len(COURSE.released())} exercises are solved." in nothing.stdout
    assert exercises("check").returncode == 2

    opened = json.loads(exercises("next", "--json").stdout)
    path = tmp_path / opened["path"]
    assert path == tmp_path / "wasm-lab-exercises" / FIRST.chapter / f"{FIRST.name}.ipynb"
    assert opened["exercise"] == FIRST.name

    unsolved = exercises("check")
    assert unsolved.returncode == 1
    assert "not solved yet" in unsolved.stdout
    assert exercises("hint").stdout.splitlines()[1:2]

    solve(path)
    solved = json.loads(exercises("check", "--json", folder=path.parent).stdout)
    assert solved["solved"] is True
    assert any(case["hidden"] for case in solved["cases"])
    assert "solved." in exercises("check", str(path)).stdout

    (tmp_path / "data" / "wasm-lab" / "exercises.json").unlink()  # as on another machine
    assert "solved." in exercises("check", "--all").stdout
    standing = json.loads(exercises("--json").stdout)
    assert (standing["solved"], standing["current"]) == (1, None)
    assert standing["next"] == COURSE.released()[1].name
    assert standing["next"] in exercises("next").stdout


def test_reset_list_and_a_name_that_is_wrong(exercises, tmp_path) -> None:
    path = tmp_path / "wasm-lab-exercises" / FIRST.chapter / f"{FIRST.name}.ipynb"
    exercises("next")
    path.write_text("mine")
    assert "is no notebook" in exercises("check").stderr
    reset = exercises("reset")
    assert "before-reset-1" in reset.stdout
    assert path.with_name(f"{FIRST.name}.before-reset-1.ipynb").read_text() == "mine"
    listed = exercises("list")
    row = next(line for line in listed.stdout.splitlines() if FIRST.title in line)
    assert "started" in row
    wrong = exercises("next", f"{FIRST.name}x")
    assert wrong.returncode == 2
    assert f"Did you mean {FIRST.name}" in wrong.stderr


def test_options_may_stand_before_the_command(exercises, tmp_path) -> None:
    shown = exercises("--folder", "mine", "--json", "next")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["path"].startswith("mine/")
    assert (tmp_path / json.loads(shown.stdout)["path"]).is_file()


@pytest.mark.slow
def test_watch_checks_a_saved_notebook_and_opens_the_next(exercises, environment, tmp_path) -> None:
    exercises("next")
    path = tmp_path / "wasm-lab-exercises" / FIRST.chapter / f"{FIRST.name}.ipynb"
    with subprocess.Popen(
        [PROGRAM, "exercises", "watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment,
    ) as watching:
        assert watching.stderr
        assert watching.stdout
        # A process that says nothing is ended, and the test with it.
        impatient = threading.Timer(300, watching.kill)
        impatient.start()
        assert "Ctrl-C" in watching.stderr.readline()
        solve(path)
        lines = []
        for line in watching.stdout:
            lines.append(line)
            if line.startswith("Open "):
                break
        watching.send_signal(signal.SIGINT)
        assert watching.wait(60) == 0
        impatient.cancel()
    assert any("solved." in line for line in lines)
    second = COURSE.released()[1]
    assert (tmp_path / "wasm-lab-exercises" / second.chapter / f"{second.name}.ipynb").is_file()


@pytest.mark.slow
def test_release_and_validate_a_course_of_ones_own(exercises, course, tmp_path) -> None:
    released = exercises("release", "--source", course.source, "--out", tmp_path / "out", "--json")
    changes = {one["exercise"]: one["change"] for one in json.loads(released.stdout)}
    assert changes == {"first": "new", "second": "new", "third": "new"}
    (course.folder / "wrong" / "first").mkdir(parents=True)
    (course.folder / "wrong" / "first" / "guess.txt").write_text("# takes the first choice\nyes")
    right = exercises("validate", course.source / "00_chapter")
    assert right.stdout == f"{course.source / '00_chapter' / 'first.ipynb'}: right\n"
    both = exercises("validate", course.source, "--json")
    assert both.returncode == 1
    problems = {one["exercise"]: one["problems"] for one in json.loads(both.stdout)}
    assert problems["first"] == []
    assert problems["second"] == ["It has no wrong answer: put one into wrong/second/."]


def test_help_has_examples() -> None:
    context = click.Context(group, info_name="exercises")
    for name in ("", *group.list_commands(context)):
        command = group.get_command(context, name) if name else group
        assert command
        assert "Examples:" in command.get_help(click.Context(command, info_name=name)), name
