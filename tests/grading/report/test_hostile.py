"""Hostile text in every place that a student or a guest can write to, through every file of a report."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wasm_lab.grading.nouns import (
    Access,
    CaseOutcome,
    CellOutcome,
    Note,
    Outcome,
    Report,
    Student,
    from_record,
)
from wasm_lab.grading.report.names import file_stem
from wasm_lab.grading.report.text import visible
from wasm_lab.views.grades import write_report

from .conftest import graded_exercises, masters
from .test_folder import Page

if TYPE_CHECKING:
    from wasm_lab.exercises import Exercise

pytestmark = pytest.mark.usefixtures("without_nbgrader")

ATTACKS = {
    "a script": "<script>alert(1)</script>",
    "a script that closes pre and table": "</pre></td></tr></table><script>alert(1)</script>",
    "a picture with a handler": "<img src=x onerror=alert(1)>",
    "an attribute that ends, single": "' onmouseover='alert(1)",
    "an attribute that ends, double": '" onmouseover="alert(1)',
    "svg": "<svg onload=alert(1)><foreignObject><body onload=alert(1)>",
    "svg that ends": "</desc></svg><script>1</script>",
    "a style that ends": "</style><script>1</script>",
    "a title that ends": "</title><script>1</script>",
    "a comment": "<!-- --><!--",
    "cdata": "]]><x/><![CDATA[",
    "an entity": "&lt;script&gt;&#60;b&#62;&bogus;",
    "a link": "[click](javascript:alert(1)) javascript:alert(1)",
    "another page": "<meta http-equiv=refresh content='0;url=https://example.org'><base href=//example.org>",
    "a form": "<form action=https://example.org><input name=password></form>",
    "a frame": "<iframe srcdoc='<script>1</script>'></iframe>",
    "an ansi colour": "\x1b[31mred\x1b[0m",
    "an ansi title": "\x1b]0;owned\a",
    "an ansi screen": "\x1b[2J\x1b[H\x1bc",
    "an ansi link": "\x1b]8;;https://example.org\x1b\\click\x1b]8;;\x1b\\",
    "eight-bit ansi": "\x9b31m\x9d0;x\x9c",
    "backspaces": "passed\b\b\b\b\b\bfailed",
    "a carriage return": "failed\rpassed",
    "bidi override": "\u202edessap\u202c",
    "bidi isolate": "\u2067x\u2069\u200f",
    "zero width": "pass\u200bed\u200c\u200d\u2060\ufeff",
    "tags": "\U000e0041\U000e0042",
    "line separators": "a\u2028b\u2029c\x85d",
    "controls": "".join(map(chr, range(32))) + "\x7f",
    "noncharacters": "\ufffe\uffff\ufdd0",
    "a surrogate": "\ud800x\udfff",
    "accents": "a" + "\u0301" * 3000,
    "a formula": "=cmd|' /C calc'!A0",
    "a formula after spaces": '  =HYPERLINK("https://example.org","x")',
    "a formula with plus": "+1+1",
    "a formula with minus": "-2+3+cmd|' /C calc'!D2",
    "a formula with at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "a wide formula": "＝1+1",
    "a tab and a formula": "\t=1",
    "columns": 'a,b;c\t"d""',
    "rows": "a\r\nb\nc\n\n\n",
    "a path": "../../../../etc/passwd\0.html",
    "a long name": "n" * 300,
    "a flood": "m" * 60_000,
    "a flood of lines": "l\n" * 20_000,
    "nothing": "",
    "spaces": "   ",
    "the words of a pass": "passed 5 of 5 points",
}


def report_with(text: str) -> Report:
    """A class of two in which the text stands wherever a student or a guest can bring it."""
    exercises = graded_exercises()
    people = (Student(key=text, name=text, lms="moodle", lms_id=text), Student(key=f"{text}~", name="Ada"))
    note = Note(kind="refused", student=text, file=text, message=f"Not read: {text}")
    outcomes = []
    for person in people:
        for number, exercise in enumerate(exercises):
            cells = []
            for cell in exercise.cells:
                cases = (
                    CaseOutcome(name="two and two", passed=False, message=text),
                    CaseOutcome(
                        name=f"hidden {number}", passed=False, message=f"never shown {text}", hidden=True
                    ),
                )
                written = cell.kind == "written"
                cells.append(
                    CellOutcome(
                        grade_id=cell.grade_id,
                        kind=cell.kind,
                        points=None if written else 0.0,
                        max_points=cell.max_points,
                        cases=() if written else cases,
                        message="" if written else text,
                        answer=text if written else "",
                    )
                )
            outcomes.append(
                Outcome(
                    student=person.key,
                    assignment=exercise.assignment,
                    exercise=exercise.name,
                    status="not_compiled" if number == 1 else "graded",
                    cells=tuple(cells),
                    notes=(note,),
                    audit=(
                        Access(cell="answer", call="path_open", subject=text, result=text, allowed=False),
                    ),
                    submitted_at=text,
                    answers={"answer": text, text: text},
                    message=text,
                )
            )
    return Report(
        exercises=exercises,
        students=people,
        outcomes=tuple(outcomes),
        notes=(note,),
        versions={text: text},
        walls=text,
    )


@pytest.fixture(scope="module")
def course() -> list[Exercise]:
    return masters()


def check(text: str, out: Path, course: list[Exercise]) -> None:
    """Write the report and read every file with a real parser."""
    written = write_report(report_with(text), out, exercises=course)
    inside = {path.relative_to(out).parts[0] for path in out.rglob("*")}
    assert inside <= {
        "index.html",
        "students",
        "instructor",
        "outcomes.jsonl",
        "junit.xml",
        "moodle-01_rust_cells.csv",
        "moodle-02_sandbox.csv",
        "moodle-04_measuring.csv",
        "canvas.csv",
        "written_answers.csv",
    }
    for path in written.files:
        content = path.read_bytes().decode("utf-8")
        if path.suffix != ".jsonl":  # which holds everything, escaped
            assert len(content) < 1_500_000, "a file that opens"
            assert visible(content.removeprefix("\ufeff").replace("\r\n", "\n")) == content.removeprefix(
                "\ufeff"
            ).replace("\r\n", "\n")
        if path.suffix == ".html":
            Page(content)
            assert "never shown" not in content or path.parent.name == "instructor"
        elif path.suffix == ".csv":
            for row in csv.reader(io.StringIO(content.removeprefix("\ufeff"), newline=""), strict=True):
                for value in row:
                    assert not value.lstrip(" \u00a0\u3000").startswith(
                        ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
                    ), value
    ET.parse(out / "junit.xml")
    _json_lines(out / "outcomes.jsonl", text)


def _json_lines(path: Path, text: str) -> None:
    lines = path.read_text(encoding="ascii").splitlines()
    records = [json.loads(one) for one in lines]
    (note,) = [one for one in records if one["type"] == "note"]
    del note["type"]
    assert from_record(Note, note).file == text


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS.keys())
def test_hostile_text_is_only_text(text: str, tmp_path: Path, course: list[Exercise]) -> None:
    check(text, tmp_path, course)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.text(
        st.characters(codec=None, exclude_categories=()) | st.sampled_from("<>&'\"=\x1b\u202e\r\n,;"),
        max_size=30,
    )
)
def test_any_text_is_only_text(
    tmp_path_factory: pytest.TempPathFactory, course: list[Exercise], text: str
) -> None:
    check(text, tmp_path_factory.mktemp("any"), course)


def test_hostile_text_can_be_read_where_it_is_shown(tmp_path: Path) -> None:
    text = "</pre><script>alert('x')</script>"
    write_report(report_with(text), tmp_path)
    page = Page((tmp_path / "students" / f"{file_stem(text)}.html").read_text(encoding="utf-8"))
    assert text in page.text


def test_a_mark_of_direction_is_seen(tmp_path: Path) -> None:
    write_report(report_with("ad\u202ea"), tmp_path)
    assert "ad⟦U+202E⟧a" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_students_whose_names_differ_in_case_alone_keep_their_pages(tmp_path: Path) -> None:
    one = report_with("x")
    names = ("ada", "Ada", "ADA", "ad\u0430", "../ada", "CON", "nul", "a" * 300)
    people = tuple(Student(key=name, name=name) for name in sorted(names))
    outcomes = tuple(replace(each, student=person.key) for person in people for each in one.outcomes[:5])
    write_report(replace(one, students=people, outcomes=outcomes), tmp_path)
    pages = list((tmp_path / "students").iterdir())
    assert len({path.name.lower() for path in pages}) == len(names)
    assert all(len(path.name) < 100 for path in pages)
    for person in people:
        text = "".join(
            Page((tmp_path / "students" / f"{file_stem(person.key)}.html").read_text(encoding="utf-8")).text
        )
        assert text.startswith(visible(person.name[:120]))
