"""Grading a batch from files to a report, with real compilers, kernels and kills."""

from __future__ import annotations

import copy
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from wasm_lab.errors import UsageError
from wasm_lab.grading.crew import LocalCrew
from wasm_lab.grading.desk import Desk
from wasm_lab.grading.execute import grade_at
from wasm_lab.grading.grade import Batch, grade_batch
from wasm_lab.grading.journal import NAME, Selection
from wasm_lab.grading.nouns import Job, Outcome, Settings, record_of

RIGHT = "pub fn add(a: i32, b: i32) -> i32 {\n    a + b\n}"
HALF = "pub fn add(a: i32, b: i32) -> i32 {\n    a | b\n}"
LOOP = "pub fn add(a: i32, b: i32) -> i32 {\n    loop { std::hint::black_box(a + b); }\n}"


def put(root: Path, name: str, notebook: dict | bytes) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode())


def plain(report) -> dict:
    """A report without its times."""
    record = record_of(report)
    for outcome in record["outcomes"]:
        del outcome["duration_ns"]
    return {key: value for key, value in record.items() if key not in ("started_at", "duration_ns")}


class FakeCrew:
    """Grades nothing, and remembers what it was given."""

    def __init__(self, stop_after: int | None = None, backwards: bool = False) -> None:
        self.jobs: list[Job] = []
        self.closed = False
        self._stop_after = stop_after
        self._backwards = backwards

    def run(self, jobs):
        self.jobs = list(jobs)
        for number, job in enumerate(reversed(self.jobs) if self._backwards else self.jobs):
            if number == self._stop_after:
                raise KeyboardInterrupt
            status = "crashed" if job.student == "unlucky" else "graded"
            yield Outcome(
                student=job.student, assignment=job.assignment, exercise=job.exercise, status=status,
                digest=job.digest, notes=job.notes, answers=job.bodies, duration_ns=random.randrange(10**9),
            )  # fmt: skip

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def batch(tmp_path, course_dir, handed):
    root = tmp_path / "in"
    for student in ("ada", "bob", "cy"):
        put(root, f"{student}/add.ipynb", handed.notebook(answer=student))
    put(root, "ada/port.ipynb", handed.notebook("port"))
    return Batch(submissions=root, master=course_dir, out=tmp_path / "report")


def graded(batch, **how) -> tuple[list[tuple[str, str]], object]:
    crew = FakeCrew(**how)
    report = grade_batch(batch, lambda: crew)
    return [(job.student, job.exercise) for job in crew.jobs], report


ADD = [("ada", "add"), ("ada", "port"), ("bob", "add"), ("cy", "add")]


def test_every_student_has_an_outcome_for_every_exercise(batch):
    jobs, report = graded(batch)
    assert jobs == ADD
    statuses = {(one.student, one.exercise): one.status for one in report.outcomes}
    assert len(statuses) == 6
    assert statuses["bob", "port"] == "missing"
    assert report.complete


@pytest.mark.parametrize("before", [True, False], ids=["after a run over all", "in a new folder"])
def test_one_assignment_alone_is_graded(batch, before):
    from dataclasses import replace

    if before:
        graded(batch)
    jobs, report = graded(replace(batch, assignments=("01_rust_cells",)))
    assert jobs == ([] if before else [("ada", "add"), ("bob", "add"), ("cy", "add")])
    assert [one.name for one in report.exercises] == ["add"]
    assert {one.exercise for one in report.outcomes} == {"add"}
    assert report.complete
    (note,) = report.notes
    assert (note.kind, note.student, note.file) == ("foreign", "ada", "ada/port.ipynb")
    assert note.message == "It is of 02_capabilities, and this run is about 01_rust_cells alone."


def test_an_exercise_of_another_assignment_and_an_unknown_one_are_told(batch):
    from dataclasses import replace

    with pytest.raises(UsageError, match="no assignment named '1' "):
        graded(replace(batch, assignments=("1",)))
    alone = replace(batch, assignments=("01_rust_cells",), selection=Selection(exercises=("port",)))
    with pytest.raises(UsageError, match="no exercise of 01_rust_cells named 'port'"):
        graded(alone)


def test_nothing_is_graded_twice(batch):
    _, first = graded(batch)
    jobs, second = graded(batch, backwards=True)
    assert jobs == []
    assert plain(first) == plain(second)


def test_an_interrupt_keeps_what_is_done(batch):
    jobs, report = graded(batch, stop_after=2)
    assert report.interrupted
    assert not report.complete
    assert len(report.outcomes) == 4  # two that were missing are known without any work
    jobs, report = graded(batch)
    assert jobs == ADD[2:]
    assert report.complete


def test_the_order_of_work_changes_nothing(batch, tmp_path):
    from dataclasses import replace

    _, first = graded(batch)
    _, second = graded(replace(batch, out=tmp_path / "other"), backwards=True)
    assert plain(first) == plain(second)


def test_what_changed_is_graded_again(batch, handed):
    graded(batch)
    put(batch.submissions, "bob/add.ipynb", handed.notebook(answer="better"))
    assert graded(batch)[0] == [("bob", "add")]


def test_a_changed_master_is_graded_again(batch):
    graded(batch)
    path = batch.master / "source" / "02_capabilities" / "port.ipynb"
    path.write_text(path.read_text().replace("another port", "yet another port"))
    assert graded(batch)[0] == [("ada", "port")]


def test_a_crash_is_no_result_and_is_tried_again(batch, handed):
    put(batch.submissions, "unlucky/add.ipynb", handed.notebook())
    graded(batch)
    assert graded(batch)[0] == [("unlucky", "add")]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(exercises=("add",)), [ADD[0], *ADD[2:]]),
        (Selection(students=("ada",)), ADD[:2]),
        (Selection(exercises=("add",), students=("cy",)), ADD[3:]),
    ],
    ids=["exercise", "student", "both"],
)
def test_one_is_graded_again_alone(batch, selection, expected):
    from dataclasses import replace

    _, first = graded(batch)
    jobs, second = graded(replace(batch, selection=selection))
    assert jobs == expected
    assert plain(first) == plain(second)


def test_one_exercise_alone_in_a_new_folder(batch):
    from dataclasses import replace

    jobs, report = graded(replace(batch, selection=Selection(exercises=("port",))))
    assert jobs == [("ada", "port")]
    assert [exercise.name for exercise in report.exercises] == ["port"]


def test_a_name_that_is_none_is_told(batch):
    from dataclasses import replace

    with pytest.raises(UsageError, match="no exercise named 'ad'"):
        graded(replace(batch, selection=Selection(exercises=("ad",))))
    with pytest.raises(UsageError, match="no student among the submissions named 'eve'"):
        graded(replace(batch, selection=Selection(students=("eve",))))


def test_an_unreadable_file_is_refused_and_costs_nothing(batch, handed):
    put(batch.submissions, "bob/add.ipynb", handed.bytes()[:-9])
    jobs, report = graded(batch)
    assert ("bob", "add") not in jobs
    (one,) = [one for one in report.outcomes if (one.student, one.exercise) == ("bob", "add")]
    assert (one.status, one.points, one.is_complete) == ("refused", 0, True)


def test_python_answers_are_refused(batch):
    path = batch.master / "source" / "02_capabilities" / "port.ipynb"
    path.write_text(path.read_text().replace("%%answer settings --toml\\n", ""))
    released = batch.master / "release" / "02_capabilities" / "port.ipynb"
    released.write_text(released.read_text().replace("%%answer settings --toml\\n", ""))
    jobs, report = graded(batch)
    assert ("ada", "port") not in jobs
    (one,) = [one for one in report.outcomes if (one.student, one.exercise) == ("ada", "port")]
    assert one.status == "refused"
    assert one.message.startswith("Python answer cells are refused for now")


@pytest.fixture
def report(tmp_path, course_dir, handed):
    """A class of honest and of other students, graded for real."""
    root = tmp_path / "in"
    bodies = {"right": RIGHT, "half": HALF, "loops": LOOP, "broken": "pub fn add("}
    for student, body in bodies.items():
        put(root, f"{student}/add.ipynb", handed.notebook(answer=body, why="Because."))
    put(root, "stub/add.ipynb", handed.course.masters["add"].released.notebook)
    cheat = copy.deepcopy(handed.notebook(answer=HALF))
    mark = tmp_path / "ran"
    for cell in cheat["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id == "answer":
            cell["source"] = f"%%bash\ntouch {mark}\n{HALF}"
        elif grade_id in ("visible", "hidden", "setup"):
            cell["source"] = f"open({str(mark)!r}, 'w')\n3.0"
            cell["metadata"]["nbgrader"]["points"] = 100
    put(root, "cheat/add.ipynb", cheat)
    put(root, "right/port.ipynb", handed.notebook("port"))
    put(root, "half/port.ipynb", handed.notebook("port", answer="port = 80"))
    batch = Batch(submissions=root, master=course_dir, out=tmp_path / "report")
    found = grade_batch(batch, lambda: LocalCrew(2))
    assert not mark.exists()
    return found


@pytest.mark.slow
def test_a_class_is_graded(report):
    points = {(one.student, one.exercise): (one.status, one.points) for one in report.outcomes}
    assert points == {
        ("right", "add"): ("graded", 3),
        ("half", "add"): ("graded", 1),
        ("loops", "add"): ("graded", 0),
        ("broken", "add"): ("not_compiled", 0),
        ("stub", "add"): ("graded", 0),
        ("cheat", "add"): ("not_compiled", 0),
        ("right", "port"): ("graded", 1),
        ("half", "port"): ("graded", 0),
        **{(student, "port"): ("missing", 0) for student in ("loops", "broken", "stub", "cheat")},
    }
    (half,) = [one for one in report.outcomes if (one.student, one.exercise) == ("half", "add")]
    assert [(case.name, case.passed, case.hidden) for cell in half.cells for case in cell.cases] == [
        ("two and four", True, False),
        ("a carry", False, True),
        ("negative", False, True),
    ]
    (broken,) = [one for one in report.outcomes if (one.student, one.exercise) == ("broken", "add")]
    assert "error" in broken.message


def replaced_test(job_of: Job, text: str, **settings) -> Job:
    from dataclasses import replace

    notebook = json.loads(job_of.master)
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "visible":
            cell["source"] = text
    return replace(job_of, master=json.dumps(notebook), settings=Settings(**settings))


@pytest.fixture(scope="module")
def desk():
    """One process for all tests of this module that leave it alive."""
    desk = Desk()
    yield desk
    desk.close()


@pytest.fixture
def port_job(course):
    master = course.masters["port"]
    return Job(
        student="ada", assignment="02", exercise="port", master=master.text, released=master.released_text,
        bodies={"answer": "port = 8080"}, digest="d",
    )  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [{}, {"outcome": 7}, {"outcome": {"points": 100}}, {"ready": True}],
    ids=["nothing", "number", "other", "ready"],
)
def test_what_is_no_outcome_is_a_loss(desk, port_job, monkeypatch, said):
    monkeypatch.setattr("wasm_lab.grading.desk.Desk.execute", lambda *args: said)
    outcome = grade_at(desk, port_job)
    assert (outcome.status, outcome.points) == ("crashed", 0)


def below_me() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


@pytest.mark.slow
def test_a_deadline_ends_everything_and_the_next_is_graded(desk, port_job):
    before = below_me()
    outcome = grade_at(desk, replaced_test(port_job, "import time\ntime.sleep(600)", deadline_s=6))
    assert (outcome.status, outcome.points) == ("stopped", 0)
    assert below_me() <= before  # an earlier test may have left the desk at work, which has ended with it
    assert grade_at(desk, port_job).points == 1


DEATHS = {
    "the kernel": "os.kill(os.getpid(), 9)",
    "its parent's parent": "[os.kill(one.pid, 9) for one in psutil.Process().parents() if 'wasm_lab.grading.desk' in one.cmdline()]",
}


@pytest.mark.slow
@pytest.mark.parametrize("text", DEATHS.values(), ids=DEATHS)
def test_a_loss_is_one_loss(desk, port_job, text):
    outcome = grade_at(desk, replaced_test(port_job, f"import os, psutil, time\n{text}\ntime.sleep(60)"))
    assert (outcome.status, outcome.points) == ("crashed", 0)
    assert grade_at(desk, port_job).points == 1


@pytest.mark.slow
def test_a_text_that_means_gigabytes_fails_its_test(desk, port_job):
    outcome = grade_at(
        desk, replaced_test(port_job, "lines = ['x' * 1000]\nwhile True:\n    lines = lines * 10")
    )
    assert (outcome.status, outcome.points) == ("graded", 0)
    assert "MemoryError" in outcome.cells[0].message


@pytest.mark.slow
def test_a_masters_cell_that_raises_ends_the_judging(desk, port_job):
    from dataclasses import replace

    broken = replace(port_job, master=port_job.master.replace("%load_ext wasm_lab", "1 / 0"))
    outcome = grade_at(desk, broken)
    assert (outcome.status, outcome.points) == ("crashed", 0)
    assert "no student wrote raised ZeroDivisionError" in outcome.message


@pytest.mark.slow
def test_a_kill_at_any_moment_changes_nothing(tmp_path, course_dir, handed, marked):
    """kill -9 of the grader at ten random moments, and then the same report as without."""
    root = tmp_path / "in"
    for number in range(4):
        put(root, f"s{number}/port.ipynb", handed.notebook("port", answer=f"port = {8080 + number % 2}"))
    dice = random.Random()
    command = [
        sys.executable,
        "-c",
        "from wasm_lab.cli import main; main()",
        "grade",
        str(root),
        "--master",
        str(course_dir),
        "--jobs",
        "1",
    ]

    def grade(out: Path, kill_after: float | None) -> int:
        process = subprocess.Popen(
            [*command, "--out", str(out)], stdout=subprocess.DEVNULL, start_new_session=True, env=marked.env
        )
        try:
            return process.wait(kill_after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            return process.wait()

    started = time.monotonic()
    assert grade(tmp_path / "whole", None) == 0
    took = time.monotonic() - started
    killed = tmp_path / "killed"
    moments = sorted(dice.uniform(0, took) for _ in range(10))
    for moment in moments:
        grade(killed, moment)
    assert grade(killed, None) == 0, moments
    marked.wait_until_gone()  # also what was started by graders that were killed
    whole, again = (
        (out / "outcomes.jsonl").read_text().splitlines()[:-1] for out in (tmp_path / "whole", killed)
    )
    assert whole == again, moments
    lines = [json.loads(line) for line in (killed / NAME).read_bytes().splitlines()]
    done = [line["outcome"]["student"] for line in lines if "outcome" in line]
    assert sorted(done) == [f"s{number}" for number in range(4)], moments
