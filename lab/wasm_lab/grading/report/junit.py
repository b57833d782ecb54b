"""A report as JUnit XML, which continuous integration and editors show."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from wasm_lab.grading.report.text import shown

if TYPE_CHECKING:
    from wasm_lab.grading.nouns import CellOutcome, Outcome, Report

#: Characters of a failure's text, and of its first line, which readers show in lists.
_TEXT, _HEADLINE = 4000, 200

#: Statuses that are no failed test: the exercise was not judged.
_ERRORS = {
    "refused": "Nothing of this submission was executed.",
    "stopped": "The exercise reached its time limit and was ended.",
    "crashed": "The process that judged this submission died.",
    "not_compiled": "An answer did not compile.",
}


def junit_text(report: Report) -> str:
    """One suite for each submission of an exercise, one test case for each case of its test cells.

    A written answer that waits for a person is skipped, as is an exercise that was not submitted. Hidden cases are
    in it: this file is the instructor's.
    """
    # Times stand in the first element alone, so that the rest of the file is the same from run to run.
    times = {"timestamp": _line(report.started_at), "time": f"{report.duration_ns / 1e9:.3f}"}
    root = ET.Element("testsuites", {"name": "wasm-lab grade", **times})
    for outcome in report.outcomes:
        root.append(_suite(outcome))
    for what in ("tests", "failures", "errors", "skipped"):
        root.set(what, str(sum(int(suite.get(what, "0")) for suite in root)))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(outcome: Outcome) -> ET.Element:
    suite = ET.Element("testsuite", name=_line(f"{outcome.student}: {outcome.assignment}/{outcome.exercise}"))
    where = _line(f"{outcome.assignment}.{outcome.exercise}.{outcome.student}")
    if outcome.status == "missing":
        _skipped(_case(suite, where, outcome.exercise), "Not submitted.")
    if outcome.status in _ERRORS:
        case = _case(suite, where, outcome.exercise)
        error = ET.SubElement(case, "error", type=outcome.status, message=_ERRORS[outcome.status])
        error.text = shown(outcome.message, _TEXT)
    for cell in outcome.cells:
        _cell(suite, where, cell, missing=outcome.status == "missing")
    for what, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(what, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    if outcome.notes:
        out = ET.SubElement(suite, "system-out")
        out.text = "\n".join(
            _line(f"{note.kind}: {note.file}: {note.message}", _TEXT) for note in outcome.notes
        )
    return suite


def _cell(suite: ET.Element, where: str, cell: CellOutcome, *, missing: bool) -> None:
    for one in cell.cases:
        case = _case(suite, where, f"{cell.grade_id}: {one.name}")
        if not one.passed:
            first = one.message.strip().splitlines()
            failure = ET.SubElement(case, "failure", message=_line(first[0] if first else "Not passed."))
            failure.text = shown(one.message, _TEXT)
    if cell.cases or missing:
        return
    case = _case(suite, where, cell.grade_id)
    if cell.points is None:
        _skipped(case, "Waits for a person's marks.")
    elif cell.kind == "auto" and cell.points < cell.max_points:
        failure = ET.SubElement(case, "failure", message=f"{cell.points:g} of {cell.max_points:g} points")
        failure.text = shown(cell.message, _TEXT)


def _case(suite: ET.Element, where: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=where, name=_line(name))


def _skipped(case: ET.Element, why: str) -> None:
    ET.SubElement(case, "skipped", message=why)


def _line(text: str, characters: int = _HEADLINE) -> str:
    return shown(text, characters, lines=False)
