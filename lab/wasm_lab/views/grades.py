"""The folder that a run of grading leaves: what may be handed out, apart from what may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.grading.report.files import write
from wasm_lab.grading.report.jsonl import jsonl_text
from wasm_lab.grading.report.junit import junit_text
from wasm_lab.grading.report.marks import Marked, marks_text, with_marks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wasm_lab.exercises import Exercise
    from wasm_lab.grading.nouns import Report

#: The file that a person fills in.
MARKS = "written_answers.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What `write_report` did."""

    report: Report  #: with the marks that were read back
    files: tuple[Path, ...]  #: in the order in which they were written
    messages: tuple[str, ...] = ()  #: what a person should know: marks not taken, a library that is absent


def write_report(report: Report, folder: Path, *, exercises: Sequence[Exercise] = ()) -> Written:
    """Write every file of the report, or replace those that are there; each atomically.

    The marks that a person wrote into the folder's ``written_answers.csv`` are read first and kept.

    Args:
        folder: the ``--out`` of ``wasm-lab grade``; it is made where it is missing.
        exercises: the masters, for hints and links to chapters.

    Raises:
        MarksError: that file has mistakes. Then nothing is written.
        UsageError: a file cannot be written.
    """
    marked = _marked(report, folder)
    files = [
        write(folder / "outcomes.jsonl", jsonl_text(marked.report)),
        write(folder / "junit.xml", junit_text(marked.report)),
        write(folder / MARKS, marks_text(marked.report, marked.others)),
    ]
    return Written(report=marked.report, files=tuple(files), messages=marked.lost)


def _marked(report: Report, folder: Path) -> Marked:
    file = folder / MARKS
    if not file.is_file():
        return Marked(report=report, taken=0)
    content = file.read_bytes()
    marked = with_marks(report, content, name=str(file))
    if marked.lost:
        import hashlib

        write(folder / f"written_answers.{hashlib.sha256(content).hexdigest()[:8]}.csv", content)
    return marked
