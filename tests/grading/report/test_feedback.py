"""Pages for nbgrader's exchange: only beside what nbgrader collected, and released by nbgrader itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wasm_lab.views.grades_feedback import write_feedback

from .conftest import SECRET, sample_report
from .test_folder import Page

if TYPE_CHECKING:
    from wasm_lab.exercises import Exercise

STAMP = "2026-03-01 10:00:00.000000 UTC"


@pytest.fixture
def submitted(tmp_path: Path) -> Path:
    """As nbgrader collects: two files beside the notebooks, of the first two students."""
    for number, student in enumerate(sample_report(3).students[:2]):
        for chapter in ("01_rust_cells", "02_sandbox"):
            place = tmp_path / "submitted" / student.key / chapter
            place.mkdir(parents=True)
            (place / "timestamp.txt").write_text(STAMP)
            (place / "submission_secret.txt").write_text(f"secret {number} {chapter}")
    return tmp_path / "submitted"


def _feedback(submitted: Path, out: Path, course: list[Exercise]) -> list[str]:
    report = sample_report(3)
    written = write_feedback(report, submitted, out, exercises={one.name: one for one in course})
    return sorted({path.relative_to(out).as_posix() for path in written})


def test_what_nbgrader_collected_gets_a_page_and_nothing_else_does(
    submitted: Path, a_course: list[Exercise], tmp_path: Path
) -> None:
    names = _feedback(submitted, tmp_path / "feedback", a_course)
    report = sample_report(3)
    first = {student.key for student in report.students[:2]}
    pages = {
        f"{one.student}/{one.assignment}/{one.exercise}.html"
        for one in report.outcomes
        if one.student in first and one.assignment != "04_measuring" and one.status != "missing"
    }
    assert {name for name in names if name.endswith(".html")} == pages
    for name in pages:
        text = (tmp_path / "feedback" / name).read_text(encoding="utf-8")
        Page(text)
        assert SECRET not in text
        assert text.count("class='exercise'") == 1


@pytest.mark.parametrize("course", [True, False], ids=["a course", "a student is called submitted"])
def test_feedback_looks_where_the_submissions_were_found(
    course: bool, submitted: Path, a_course: list[Exercise], tmp_path: Path
) -> None:
    expected = _feedback(submitted, tmp_path / "expected", a_course)
    if course:
        (tmp_path / "source").mkdir()
        root = tmp_path
    else:
        root = submitted
        (submitted / "submitted" / "01_rust_cells").mkdir(parents=True)
    assert _feedback(root, tmp_path / "feedback", a_course) == expected != []


@pytest.mark.parametrize(
    "how", ["a link", "a linked folder", "a pipe", "a large file", "an empty file", "a folder"]
)
def test_a_student_brings_no_file_of_the_instructors_into_it(
    how: str, submitted: Path, a_course: list[Exercise], tmp_path: Path
) -> None:
    student = sample_report(3).students[0].key
    place = submitted / student / "01_rust_cells"
    private = tmp_path / "private"
    private.mkdir()
    for name in ("timestamp.txt", "submission_secret.txt"):
        (private / name).write_text("the instructor's")
    if how == "a linked folder":
        place.rename(tmp_path / "away")
        place.symlink_to(private)
    else:
        secret = place / "submission_secret.txt"
        secret.unlink()
        if how == "a link":
            secret.symlink_to(private / "submission_secret.txt")
        elif how == "a pipe":
            os.mkfifo(secret)
        elif how == "a folder":
            secret.mkdir()
        else:
            secret.write_bytes(b"x" * (10**6 if how == "a large file" else 0))
    names = _feedback(submitted, tmp_path / "feedback", a_course)
    assert not [name for name in names if name.startswith(f"{student}/01_rust_cells")]
    assert [name for name in names if name.startswith(f"{student}/02_sandbox")]


@pytest.mark.slow  # importing nbgrader takes seconds
@pytest.mark.filterwarnings(  # nbgrader's own, which leaves a file open
    "ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_nbgrader_releases_it(submitted: Path, a_course: list[Exercise], tmp_path: Path) -> None:
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.exchange.default.release_feedback import ExchangeReleaseFeedback
    from nbgrader.utils import notebook_hash
    from traitlets.config import Config

    names = _feedback(submitted, tmp_path / "feedback", a_course)
    (tmp_path / "exchange").mkdir(mode=0o777)
    (tmp_path / "exchange").chmod(0o777)
    config = Config()
    config.CourseDirectory.course_id = "lab"
    config.CourseDirectory.assignment_id = "02_sandbox"
    config.CourseDirectory.feedback_directory = str(tmp_path / "feedback")
    config.Exchange.root = str(tmp_path / "exchange")
    course = CourseDirectory(config=config)
    ExchangeReleaseFeedback(coursedir=course, config=config).start()
    expected = set()
    for number, student in enumerate(sample_report(3).students[:2]):
        for name in names:
            who, chapter, page = name.split("/")
            if who == student.key and chapter == "02_sandbox" and page.endswith(".html"):
                secret = f"secret {number} {chapter}"
                expected.add(f"{notebook_hash(secret=secret, notebook_id=page.removesuffix('.html'))}.html")
    assert expected
    assert {path.name for path in (tmp_path / "exchange" / "lab" / "feedback").iterdir()} == expected
