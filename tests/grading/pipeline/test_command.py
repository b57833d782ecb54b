"""The command: help with examples, messages, exit statuses, JSON, Ctrl-C; nbgrader's own notebooks."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from wasm_lab.cli.grade import grade
from wasm_lab.errors import MarksError, UnsupportedError, UsageError
from wasm_lab.grading.crew import LocalCrew
from wasm_lab.grading.journal import NAME, Journal
from wasm_lab.grading.nouns import Outcome, Report, from_record

COMMAND = [sys.executable, "-c", "from wasm_lab.cli import main; main()", "grade"]


class NoCrew:
    """For batches in which nothing needs to be executed."""

    def __init__(self, size: int = 1) -> None:
        pass

    def run(self, jobs):
        for job in jobs:
            yield Outcome(
                student=job.student, assignment=job.assignment, exercise=job.exercise, status="graded",
                digest=job.digest, notes=job.notes,
            )  # fmt: skip

    def close(self) -> None:
        pass


@pytest.fixture
def run(monkeypatch, course_dir, tmp_path):
    monkeypatch.setattr("wasm_lab.grading.crew.LocalCrew", NoCrew)

    def invoke(submissions: Path, *words: str):
        arguments = [str(submissions), "--master", str(course_dir), "--out", str(tmp_path / "report"), *words]
        return CliRunner().invoke(grade, arguments, standalone_mode=False)

    return invoke


@pytest.fixture
def submissions(tmp_path, handed):
    for student in ("ada", "bob"):
        path = tmp_path / "in" / student / "add.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(handed.bytes())
    return tmp_path / "in"


def test_help_has_examples():
    result = CliRunner().invoke(grade, ["--help"])
    assert result.exit_code == 0
    assert "Examples:" in result.output
    assert "wasm-lab grade moodle-export.zip --master exercises/ --out report/" in result.output


def test_a_batch_is_told_in_few_lines(run, submissions, tmp_path):
    (submissions / "bob" / "notes.pdf").write_bytes(b"%PDF")
    result = run(submissions, "--due", "2026-11-20 12:00")
    assert result.return_value == 0, result.output
    assert "2 students, 1 exercise: 2 graded." in result.output
    assert "Notes: 1 foreign." in result.output
    assert "Nothing says when 2 of the submissions came in" in result.output
    assert (tmp_path / "report" / "index.html").is_file()


def test_several_assignments_are_told_until_one_is_named(run, submissions, handed):
    (submissions / "ada" / "port.ipynb").write_bytes(handed.bytes("port"))
    result = run(submissions)
    assert "01_rust_cells (2 of 2 students), 02_capabilities (1 of 2 students)" in result.stderr
    assert "add --assignment 01_rust_cells" in result.stderr
    result = run(submissions, "--assignment", "01_rust_cells")
    assert "--assignment" not in result.stderr
    assert result.output.startswith("2 students, 1 exercise: 2 graded.\n")
    assert "Notes: 1 foreign." in result.output


def test_files_of_another_course_are_told(run, tmp_path):
    (tmp_path / "in" / "ada").mkdir(parents=True)
    (tmp_path / "in" / "ada" / "essay.txt").write_text("")
    result = run(tmp_path / "in")
    assert result.return_value == 0
    assert "No file there is a submission" in result.stderr


def test_nothing_to_grade_leaves_the_report_as_it_was(run, submissions, tmp_path):
    run(submissions)
    before = (tmp_path / "report" / "index.html").read_bytes(), (tmp_path / "report" / NAME).read_bytes()
    (tmp_path / "none").mkdir()
    result = run(tmp_path / "none")
    assert isinstance(result.exception, UsageError)
    assert "holds no submissions" in str(result.exception)
    assert before == (
        (tmp_path / "report" / "index.html").read_bytes(),
        (tmp_path / "report" / NAME).read_bytes(),
    )


def test_a_wrong_row_of_marks_keeps_the_report_and_what_was_graded(run, submissions, tmp_path):
    run(submissions, "--student", "ada")
    report = tmp_path / "report"
    marks, before = report / "written_answers.csv", (report / "index.html").read_bytes()
    marks.write_text("no such columns\n")
    result = run(submissions)
    assert isinstance(result.exception, MarksError)
    assert (report / "index.html").read_bytes() == before
    marks.unlink()
    assert "Nothing had to be graded anew" in run(submissions).output


def test_a_report_beside_the_students_is_no_student(run, submissions):
    for _ in range(2):
        result = run(submissions, "--out", str(submissions / "report"))
        assert result.output.startswith("2 students, 1 exercise: 2 graded."), result.output
        assert "Notes: 1 foreign." in result.output


@pytest.mark.parametrize(
    ("inside", "refused"),
    [("out", True), ("out/students", True), ("out/instructor/in", True), ("out/in", False)],
)
def test_a_report_whose_pages_would_be_students_is_refused(run, tmp_path, inside, refused):
    (tmp_path / inside / "ada").mkdir(parents=True)
    result = run(tmp_path / inside, "--out", str(tmp_path / "out"))
    assert ("would write the report among" in str(result.exception)) == refused
    assert refused != (tmp_path / "out" / NAME).exists()


def test_the_instant_of_the_deadline_is_told(run, submissions):
    (submissions / "ada" / "timestamp.txt").write_text("2026-11-20 15:00:00 UTC")
    (submissions / "bob" / "timestamp.txt").write_text("2026-11-21 00:00:00 UTC")
    result = run(submissions, "--due", "2026-11-20 UTC")
    instant = datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC).astimezone()
    assert f"Late is what came in after {instant.isoformat(' ')}." in result.output
    assert "Notes: 1 late." in result.output


def test_what_was_graded_before_is_told(run, submissions):
    assert "graded before" not in run(submissions).output
    assert "Nothing had to be graded anew: all was graded before." in run(submissions).output
    assert "1 of these was graded before." in run(submissions, "--student", "bob").output


def test_the_folder_of_masters_will_do(submissions, course_dir, tmp_path, monkeypatch):
    monkeypatch.setattr("wasm_lab.grading.crew.LocalCrew", NoCrew)
    words = [str(submissions), "--master", str(course_dir / "source"), "--out", str(tmp_path / "report")]
    assert "2 graded" in CliRunner().invoke(grade, words, standalone_mode=False).output


def test_json_is_the_whole_report(run, submissions):
    result = run(submissions, "--json")
    report = from_record(Report, json.loads(result.output))
    assert [one.student for one in report.outcomes] == ["ada", "bob"]


def test_a_lost_submission_is_status_1(run, submissions, monkeypatch):
    def lose(self, jobs):
        for job in jobs:
            yield Outcome(
                student=job.student, assignment=job.assignment, exercise=job.exercise, status="crashed", message="Gone."
            )  # fmt: skip

    monkeypatch.setattr(NoCrew, "run", lose)
    result = run(submissions)
    assert result.return_value == 1
    assert "ada, add: crashed: Gone." in result.stderr


def test_an_interrupt_is_status_130_and_leaves_a_report(run, submissions, monkeypatch, tmp_path):
    def interrupt(self, jobs):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(NoCrew, "run", interrupt)
    result = run(submissions)
    assert result.return_value == 130
    assert "the same command goes on" in result.stderr
    assert (tmp_path / "report" / "index.html").is_file()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--due", "next week"], "is no time"),
        (["--exercise", "ad"], "no exercise named"),
        (["--student", "eve"], "no student"),
    ],
    ids=["time", "exercise", "student"],
)
def test_wrong_words_are_told(run, submissions, words, says):
    result = run(submissions, *words)
    assert isinstance(result.exception, UsageError)
    assert says in str(result.exception)


def test_what_is_not_there_is_told(run, tmp_path):
    result = run(tmp_path / "nothing")
    assert isinstance(result.exception, UsageError)


def test_a_second_grader_is_told(run, submissions, tmp_path):
    journal = Journal(tmp_path / "report")
    try:
        result = run(submissions)
    finally:
        journal.close()
    assert "Another wasm-lab grade" in str(result.exception)


def test_where_there_are_no_walls_nothing_is_graded(run, submissions, monkeypatch):
    monkeypatch.setattr("wasm_lab.confine.landlock.landlock_version", lambda: 0)
    result = run(submissions)
    assert "no Landlock" in str(result.exception)
    result = run(submissions, "--without-walls")
    assert result.return_value == 0
    assert "No walls" in result.stderr


def test_without_papermill_the_command_that_installs_it_is_said(monkeypatch):
    monkeypatch.setattr("wasm_lab.grading.crew.find_spec", lambda name: None)
    with pytest.raises(UnsupportedError, match=r'pip install "wasm-lab\[lab,grading\]"'):
        LocalCrew(1)


@pytest.mark.slow
def test_ctrl_c_ends_every_process_and_the_next_run_goes_on(tmp_path, course_dir, handed, marked):
    for number in range(4):
        path = tmp_path / "in" / f"s{number}" / "port.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(handed.bytes("port"))
    words = [
        *COMMAND,
        str(tmp_path / "in"),
        "--master",
        str(course_dir),
        "--out",
        str(tmp_path / "report"),
        "--jobs",
        "1",
    ]
    process = subprocess.Popen(words, env=marked.env, start_new_session=True, stderr=subprocess.PIPE)
    journal = tmp_path / "report" / NAME
    deadline = time.monotonic() + 60
    while not (journal.is_file() and b'"outcome"' in journal.read_bytes()):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert b"the same command goes on" in said
    marked.wait_until_gone()
    before = journal.read_bytes().count(b'"outcome"')
    assert 0 < before < 4
    assert subprocess.run(words, check=False).returncode == 0
    assert journal.read_bytes().count(b'"outcome"') == 4


@pytest.fixture
def nbgraders(tmp_path):
    """A course of nbgrader's own notebooks, which are plain Python, and submissions of it."""
    nbgrader = pytest.importorskip("nbgrader", reason="pip install wasm-lab[grading]")
    files = Path(nbgrader.__file__).parent / "tests" / "apps" / "files"
    for place in ("course/source/ps1", "in/ada/ps1", "in/bob/ps1"):
        (tmp_path / place).mkdir(parents=True)
    shutil.copy(files / "submitted-unchanged.ipynb", tmp_path / "course/source/ps1/problem1.ipynb")
    shutil.copy(files / "submitted-changed.ipynb", tmp_path / "in/ada/ps1/problem1.ipynb")
    shutil.copy(files / "submitted-cheat-attempt.ipynb", tmp_path / "in/bob/ps1/problem1.ipynb")
    return tmp_path


def test_nbgraders_own_python_is_refused_clearly(nbgraders):
    words = [
        str(nbgraders / "in"),
        "--master",
        str(nbgraders / "course"),
        "--out",
        str(nbgraders / "report"),
        "--json",
    ]
    result = CliRunner().invoke(grade, words, standalone_mode=False)
    assert result.return_value == 0, result.output
    report = from_record(Report, json.loads(result.output))
    assert [one.key for one in report.students] == ["ada", "bob"]
    for outcome in report.outcomes:
        assert (outcome.status, outcome.points) == ("refused", 0)
        assert outcome.message.startswith("Python answer cells are refused for now")
