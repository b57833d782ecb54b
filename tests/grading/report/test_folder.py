"""The folder of a report: what is in it, what students get, that it is the same from run to run."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from wasm_lab.errors import UsageError
from wasm_lab.exercises.course import Course
from wasm_lab.grading.marks import NOT_READ
from wasm_lab.grading.report.names import file_stem
from wasm_lab.grading.report.summary import standings
from wasm_lab.views.grades import write_report
from wasm_lab.views.grades_student import student_page

from .conftest import SECRET, sample_report

if TYPE_CHECKING:
    from wasm_lab.exercises import Exercise
    from wasm_lab.grading.nouns import Report

pytestmark = pytest.mark.usefixtures("without_nbgrader")

#: Elements that have no end tag.
_VOID = {"meta", "br", "line", "rect"}
#: All that a page is made of; nothing here loads or runs anything.
_ELEMENTS = _VOID | set(
    "html head title style body header footer section h1 h2 h3 p a b ul li table caption thead tbody tr th td div pre "
    "code span bdi details summary figure figcaption svg desc text".split()
)


class Page(HTMLParser):
    """Reads a page strictly: every element closed in order, only elements and attributes that are known."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _ELEMENTS, tag
        for key, value in attrs:
            assert not key.startswith("on"), (tag, key)
            if key == "href":
                self.links.append(value or "")
            if key == "id":
                self.ids.append(value or "")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _VOID

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


@pytest.fixture(scope="module")
def folder(
    a_class: Report,
    a_course: list[Exercise],
    without_nbgrader: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    out = tmp_path_factory.mktemp("report")
    write_report(a_class, out, exercises=a_course)
    return out


def test_every_page_is_well_formed_and_its_links_lead_somewhere(folder: Path) -> None:
    pages = list(folder.rglob("*.html"))
    assert len(pages) == 81
    for path in pages:
        page = Page(path.read_text(encoding="utf-8"))
        assert len(page.ids) == len(set(page.ids))
        for link in page.links:
            if link.startswith("#"):
                assert link[1:] in page.ids, (path, link)
            else:
                assert (path.parent / link).exists(), (path, link)


def test_pages_forbid_scripts_and_every_address(folder: Path) -> None:
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "Content-Security-Policy" in text
        assert "default-src 'none'" in text


def test_nothing_that_students_get_tells_of_hidden_tests(folder: Path, a_class: Report) -> None:
    for path in (folder / "students").iterdir():
        assert SECRET not in path.read_text(encoding="utf-8"), "an input, in messages, audits and a name"
    worksheets = list(folder.glob("moodle*.csv"))
    assert worksheets
    assert not [path for path in worksheets if SECRET in path.read_text(encoding="utf-8")]
    assert any(SECRET in path.read_text(encoding="utf-8") for path in (folder / "instructor").iterdir())
    digests = [outcome.digest for outcome in a_class.outcomes if outcome.digest]
    students = "".join(path.read_text(encoding="utf-8") for path in (folder / "students").iterdir())
    assert not [digest for digest in digests if digest in students]


def test_a_hidden_case_is_named_as_the_master_names_it_and_only_then(
    folder: Path, a_class: Report, tmp_path: Path
) -> None:
    def pages(out: Path) -> str:
        return "".join(path.read_text(encoding="utf-8") for path in (out / "students").iterdir())

    assert "ten thousand items" in pages(folder)
    assert "1 of 4 passed" in pages(folder)
    write_report(a_class, tmp_path)  # without masters
    assert "ten thousand items" not in pages(tmp_path)
    assert "1 of 4 passed" in pages(tmp_path)


def test_a_student_sees_what_was_tried_and_what_failed(folder: Path, a_class: Report) -> None:
    for outcome in a_class.outcomes:
        page = Page((folder / "students" / f"{file_stem(outcome.student)}.html").read_text(encoding="utf-8"))
        text = "".join(page.text)
        for cell in outcome.cells:
            for case in cell.cases:
                if not case.hidden:
                    assert case.name in text
                    assert case.message in text
        if outcome.status == "not_compiled":
            assert "expected `Option<i32>`, found a type parameter" in text
        if outcome.answers:
            assert "list.iter().sum()" in text
        if outcome.audit:
            assert "/etc/passwd" in text


def test_a_hint_is_given_where_points_are_missing(
    a_class: Report, a_course: list[Exercise], tmp_path: Path
) -> None:
    full = [
        replace(
            one,
            cells=tuple(replace(cell, points=cell.max_points, cases=()) for cell in one.cells),
            status="graded",
        )
        for one in a_class.outcomes
    ]
    write_report(replace(a_class, outcomes=tuple(full)), tmp_path, exercises=a_course)
    assert not any(
        "hint" in "".join(Page(path.read_text()).text) for path in (tmp_path / "students").iterdir()
    )


def _page_with(message: str, a_class: Report, a_course: list[Exercise]) -> str:
    """The page of a student whose first outcome has this message."""
    first = replace(a_class.outcomes[0], status="graded", message=message)
    report = replace(a_class, outcomes=(first, *a_class.outcomes[1:]))
    one = next(each for each in standings(report) if each.student.key == first.student)
    return "".join(Page(student_page(one, report, {each.name: each for each in a_course})).text)


def test_a_student_is_told_why_an_answer_in_text_cannot_be_read(
    a_class: Report, a_course: list[Exercise]
) -> None:
    words = "This is no TOML: Invalid value (at line 1, column 8)."
    page = _page_with(NOT_READ + words, a_class, a_course)
    assert "What is wrong with the answer" in page
    assert words in page
    assert words not in _page_with(f"UsageError: {words}", a_class, a_course)


def test_the_command_for_more_hints_is_named_for_the_labs_own_exercises_alone(
    folder: Path, a_class: Report, a_course: list[Exercise]
) -> None:
    assert not [path for path in (folder / "students").iterdir() if "exercises hint" in path.read_text()]
    own = next(one for one in Course.own().released() if len(one.hints) > 1)
    exercise = replace(a_class.exercises[0], name=own.name, assignment=own.chapter)
    lost = replace(
        a_class.outcomes[0], exercise=own.name, assignment=own.chapter, status="not_compiled", cells=()
    )
    report = replace(a_class, exercises=(exercise,), outcomes=(lost,))
    one = next(each for each in standings(report) if each.student.key == lost.student)
    assert f"wasm-lab exercises hint {own.name}" in student_page(one, report, {own.name: own})


def test_the_class_page_names_who_needs_help_and_the_hardest_test(folder: Path) -> None:
    text = "".join(Page((folder / "index.html").read_text(encoding="utf-8")).text)
    assert "21 of 40 students may need help" in text
    assert "hardest test is “ten thousand items” of An honest measurement: 34 of 35 failed it" in text
    assert "holiday.jpg" in text
    assert "written answers to mark" in text


def test_the_same_inputs_give_the_same_files_but_for_times(
    folder: Path, a_course: list[Exercise], tmp_path: Path
) -> None:
    later = sample_report(started_at="2031-01-01T00:00:00+00:00")
    later = replace(
        later,
        duration_ns=1,
        outcomes=tuple(replace(one, duration_ns=one.duration_ns * 3) for one in later.outcomes),
    )
    write_report(later, tmp_path, exercises=a_course)
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    differ = [name for name in files if _timeless(folder / name) != _timeless(tmp_path / name)]
    assert not differ


def _timeless(path: Path) -> str:
    """A file without the one place where times stand."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"<section id='times'>.*?</section>", "", text, flags=re.DOTALL)
    text = re.sub(r"machine time: [^·]*·", "", text)
    if path.name == "junit.xml":
        text = re.sub(r"<testsuites [^>]*>", "", text)
    return text[: text.rindex('{"type": "times"')] if path.suffix == ".jsonl" else text


def test_writing_again_changes_no_byte(a_class: Report, a_course: list[Exercise], tmp_path: Path) -> None:
    first = write_report(a_class, tmp_path, exercises=a_course)
    before = {path: path.read_bytes() for path in first.files}
    again = write_report(a_class, tmp_path, exercises=a_course)
    assert again == first
    assert {path: path.read_bytes() for path in again.files} == before
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(first.files)


def test_json_lines_hold_every_outcome(folder: Path, a_class: Report) -> None:
    raw = (folder / "outcomes.jsonl").read_bytes()
    assert raw.isascii()
    records = [json.loads(text) for text in raw.decode().splitlines()]
    assert [record["type"] for record in records[:1] + records[-1:]] == ["run", "times"]
    outcomes = [record for record in records if record["type"] == "outcome"]
    assert [(one["student"], one["exercise"], one["points"]) for one in outcomes] == [
        (one.student, one.exercise, one.points) for one in a_class.outcomes
    ]


def test_junit_has_every_case_and_counts_them(folder: Path, a_class: Report) -> None:
    root = ET.parse(folder / "junit.xml").getroot()
    suites = root.findall("testsuite")
    assert len(suites) == len(a_class.outcomes)
    names = {case.get("name") for case in root.iter("testcase")}
    assert "visible: two and two" in names
    for what, tag in (
        ("tests", "testcase"),
        ("failures", "failure"),
        ("errors", "error"),
        ("skipped", "skipped"),
    ):
        assert int(root.get(what, "")) == len(list(root.iter(tag)))
    failed = sum(not case.passed for one in a_class.outcomes for cell in one.cells for case in cell.cases)
    assert int(root.get("failures", "")) >= failed


def _table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def _of(report: Report, *assignments: str) -> Report:
    """The report of a run over these assignments alone."""
    return replace(
        report,
        exercises=tuple(one for one in report.exercises if one.assignment in assignments),
        outcomes=tuple(one for one in report.outcomes if one.assignment in assignments),
    )


CHAPTERS = ("01_rust_cells", "02_sandbox", "04_measuring")


@pytest.mark.parametrize("chapter", CHAPTERS)
@pytest.mark.parametrize("several", [True, False])
def test_moodle_gets_worksheets_that_it_takes(
    several: bool, chapter: str, folder: Path, a_class: Report, tmp_path: Path
) -> None:
    if several:
        rows = _table(folder / f"moodle-{chapter}.csv")
        assert sorted(path.name for path in folder.glob("*.csv") if path.name.startswith("moodle")) == [
            f"moodle-{each}.csv" for each in CHAPTERS
        ]
    else:
        write_report(_of(a_class, chapter), tmp_path)
        rows = _table(tmp_path / "moodle.csv")
    columns = (
        "Identifier",
        "Full name",
        "Grade",
        "Maximum Grade",
        "Last modified (grade)",
        "Feedback comments",
    )
    assert tuple(rows[0]) == (*columns, chapter)
    assert [row["Identifier"] for row in rows] == [f"Participant {one.lms_id}" for one in a_class.students]
    for row, student in zip(rows, a_class.students, strict=True):
        outcomes = [
            one for one in a_class.outcomes if one.student == student.key and one.assignment == chapter
        ]
        nothing = all(one.status == "missing" for one in outcomes)
        waits = any(not one.is_complete and one.status != "missing" for one in outcomes)
        assert (row["Grade"] == "") == (waits or nothing)
        assert (row["Feedback comments"] == "") == nothing
        assert row["Grade"] == row[chapter]
        if row["Grade"]:
            assert float(row["Grade"]) == pytest.approx(sum(one.points for one in outcomes))
    assert not (folder / "canvas.csv").exists()


def _stray(a_class: Report, lms: str) -> Report:
    """The second chapter handed in by all but one, who sent something of the first instead."""
    people = tuple(
        replace(one, lms=lms, lms_id=str(at), key=one.key) for at, one in enumerate(a_class.students)
    )
    stray = people[3].key
    both = _of(a_class, "01_rust_cells", "02_sandbox")
    outcomes = tuple(
        replace(
            one,
            status="graded" if (one.assignment == "01_rust_cells") == (one.student == stray) else "missing",
            cells=tuple(replace(cell, points=1.0) for cell in one.cells),
        )
        for one in both.outcomes
    )
    return replace(both, students=people, outcomes=outcomes)


def test_a_stray_file_of_another_week_changes_nobodys_marks_in_moodle(
    a_class: Report, tmp_path: Path
) -> None:
    write_report(_stray(a_class, "moodle"), tmp_path)
    old, new = (_table(tmp_path / f"moodle-{chapter}.csv") for chapter in CHAPTERS[:2])
    assert [at for at, row in enumerate(old) if row["Grade"]] == [3]
    assert [at for at, row in enumerate(new) if not row["Grade"]] == [3]
    assert not (tmp_path / "moodle.csv").exists()
    text = "".join(Page((tmp_path / "index.html").read_text(encoding="utf-8")).text)
    assert "01_rust_cells (1 of 40 students), 02_sandbox (39 of 40 students)" in text
    assert "--assignment 02_sandbox" in text


def test_a_stray_file_of_another_week_changes_nobodys_marks_in_canvas(
    a_class: Report, tmp_path: Path
) -> None:
    write_report(_stray(a_class, "canvas"), tmp_path)
    rows = _table(tmp_path / "canvas.csv")[1:]
    assert [at for at, row in enumerate(rows) if row["01_rust_cells"]] == [3]
    assert [at for at, row in enumerate(rows) if not row["02_sandbox"]] == [3]


def test_worksheets_of_an_earlier_run_are_removed(a_class: Report, tmp_path: Path) -> None:
    write_report(a_class, tmp_path)
    (tmp_path / "moodle-participants.csv").write_text("of the instructor")
    write_report(_of(a_class, "02_sandbox"), tmp_path)
    assert {path.name for path in tmp_path.glob("moodle*")} == {"moodle.csv", "moodle-participants.csv"}
    text = "".join(Page((tmp_path / "index.html").read_text(encoding="utf-8")).text)
    assert "--assignment" not in text
    write_report(a_class, tmp_path)
    assert not (tmp_path / "moodle.csv").exists()


def test_a_master_that_cannot_be_graded_is_told_once_and_gives_nobody_a_zero(
    a_class: Report, tmp_path: Path
) -> None:
    report = _of(a_class, "01_rust_cells")
    bad = replace(report.exercises[0], refused="Python answer cells are refused for now.")
    outcomes = tuple(
        replace(one, status="refused", cells=tuple(replace(cell, points=0.0) for cell in one.cells))
        if one.exercise == bad.name
        else one
        for one in report.outcomes
    )
    report = replace(report, exercises=(bad, *report.exercises[1:]), outcomes=outcomes)
    written = write_report(report, tmp_path)
    (said,) = [one for one in written.messages if "cannot be graded" in one]
    assert said.startswith(f"{bad.name} cannot be graded")
    assert bad.refused in said
    rows = _table(tmp_path / "moodle.csv")
    assert {row["Grade"] for row in rows} == {""}
    assert {row["Feedback comments"].partition("<br>")[0] for row in rows} == {f"{bad.title}: not graded."}
    page = "".join(Page((tmp_path / "index.html").read_text(encoding="utf-8")).text)
    assert page.count(f"{bad.name} cannot be graded") == 1
    assert not [one for one in standings(report) if any("refused" in reason for reason in one.reasons)]


def test_canvas_gets_its_columns_and_no_student_sets_the_maximum(a_class: Report, tmp_path: Path) -> None:
    people = tuple(
        replace(one, lms="canvas", lms_id=str(at), name="Points Possible" if at == 3 else one.name)
        for at, one in enumerate(a_class.students)
    )
    write_report(replace(a_class, students=people), tmp_path)
    rows = list(csv.reader(io.StringIO((tmp_path / "canvas.csv").read_text(encoding="utf-8"), newline="")))
    assert rows[0] == [
        "Student",
        "ID",
        "SIS User ID",
        "SIS Login ID",
        "Section",
        "01_rust_cells",
        "02_sandbox",
        "04_measuring",
    ]
    assert rows[1] == ["Points Possible", "", "", "", "", "7", "8", "6"]
    assert [row[1] for row in rows[2:]] == [one.lms_id for one in people]
    assert [row for row in rows if "Points Possible" in row[0]] == [rows[1]]
    assert not (tmp_path / "moodle.csv").exists()


def test_an_empty_run_gives_a_report_too(tmp_path: Path) -> None:
    empty = replace(sample_report(0), outcomes=(), notes=())
    write_report(empty, tmp_path)
    Page((tmp_path / "index.html").read_text())


def test_an_interrupted_run_says_what_is_missing(a_class: Report, tmp_path: Path) -> None:
    write_report(replace(a_class, outcomes=a_class.outcomes[:7], complete=False, interrupted=True), tmp_path)
    text = "".join(Page((tmp_path / "index.html").read_text(encoding="utf-8")).text)
    assert "The run was interrupted" in text
    assert "not yet" in text


def test_an_exercise_that_nobody_submitted_is_told(a_class: Report, tmp_path: Path) -> None:
    empty = [
        replace(one, status="missing") if one.exercise == "checked_sum" else one for one in a_class.outcomes
    ]
    write_report(replace(a_class, outcomes=tuple(empty)), tmp_path)
    text = "".join(Page((tmp_path / "index.html").read_text(encoding="utf-8")).text)
    assert "Nobody submitted checked_sum, which counts as none of the points." in text


def test_a_new_folder_is_its_owners_alone(a_class: Report, tmp_path: Path) -> None:
    """On a machine that students use too, nobody else looks up hidden tests and marks."""
    write_report(a_class, tmp_path / "report")
    assert (tmp_path / "report").stat().st_mode & 0o777 == 0o700
    (tmp_path / "report").chmod(0o750)  # as instructors who share it want it
    write_report(a_class, tmp_path / "report")
    assert (tmp_path / "report").stat().st_mode & 0o777 == 0o750


def test_a_folder_that_cannot_be_written_is_told(a_class: Report, tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file")
    with pytest.raises(UsageError, match="cannot be written"):
        write_report(a_class, tmp_path / "report")


def test_without_nbgrader_all_else_is_written_and_the_command_is_said(
    a_class: Report, tmp_path: Path
) -> None:
    written = write_report(a_class, tmp_path)
    assert not (tmp_path / "gradebook.db").exists()
    assert any("pip install 'wasm-lab[grading]'" in message for message in written.messages)
    assert all(path.is_file() for path in written.files)


def test_pages_of_students_who_are_gone_are_removed(a_class: Report, tmp_path: Path) -> None:
    write_report(a_class, tmp_path)
    (tmp_path / "students" / "notes.html").write_text("of the instructor")
    gone, stay = a_class.students[0], a_class.students[1:]
    outcomes = tuple(one for one in a_class.outcomes if one.student != gone.key)
    write_report(replace(a_class, students=stay, outcomes=outcomes), tmp_path)
    names = {path.name for path in (tmp_path / "students").iterdir()}
    assert f"{file_stem(gone.key)}.html" not in names
    assert names == {f"{file_stem(one.key)}.html" for one in stay} | {"notes.html"}


def test_what_a_killed_run_has_left_is_in_nobodys_way(a_class: Report, tmp_path: Path) -> None:
    """`boltons` writes to such a part first, and refuses one that is there unless it is told otherwise."""
    written = write_report(a_class, tmp_path)
    before = {path: path.read_bytes() for path in written.files}
    for path in written.files:
        path.with_name(f"{path.name}.part").write_text("half of a f")
    write_report(a_class, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_run_that_is_killed_leaves_whole_files(
    a_class: Report, a_course: list[Exercise], tmp_path: Path
) -> None:
    """Killed at the seventh file: those before are new, those after are as they were; none is half."""
    write_report(sample_report(40, 2), tmp_path, exercises=a_course)
    old = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[3])!r})\n"
        "sys.modules['nbgrader.api'] = None\n"
        "from tests.grading.report.conftest import masters, sample_report\n"
        "from wasm_lab.views.grades import write_report\n"
        "replace, left = os.rename, [7]\n"
        "def rename(*args, **more):\n"
        "    left[0] -= 1\n"
        "    if not left[0]: os.kill(os.getpid(), 9)\n"
        "    replace(*args, **more)\n"
        "os.rename = os.replace = rename\n"
        f"write_report(sample_report(), Path({str(tmp_path)!r}), exercises=masters())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=300)
    assert done.returncode == -9, done.stderr
    after = {
        path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".part"
    }
    changed = [path for path in old if after[path] != old[path]]
    assert 0 < len(changed) <= 6
    write_report(a_class, tmp_path, exercises=a_course)
    for path in changed:
        assert after[path] == path.read_bytes(), "a whole new file"
