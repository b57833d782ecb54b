"""The folder that a run of grading leaves: what may be handed out, apart from what may not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError
from wasm_lab.grading.report.files import make_folder, write
from wasm_lab.grading.report.gradebook import update_gradebook
from wasm_lab.grading.report.jsonl import jsonl_text
from wasm_lab.grading.report.junit import junit_text
from wasm_lab.grading.report.lms import canvas_text, is_worksheet, moodle_files
from wasm_lab.grading.report.marks import Marked, marks_text, with_marks
from wasm_lab.grading.report.names import file_stem
from wasm_lab.grading.report.summary import cannot_be_graded, standings
from wasm_lab.views.grades_class import class_page
from wasm_lab.views.grades_feedback import write_feedback
from wasm_lab.views.grades_student import instructor_page, student_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from wasm_lab.exercises import Exercise
    from wasm_lab.grading.nouns import Report
    from wasm_lab.grading.report.summary import Standing

#: The file that a person fills in, and nbgrader's database.
MARKS, GRADEBOOK = "written_answers.csv", "gradebook.db"

#: A page of ours, by the end of its name (see `file_stem`).
_OURS = re.compile(r".*-[0-9a-f]{12}\.html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What `write_report` did."""

    report: Report  #: with the marks that were read back
    files: tuple[Path, ...]  #: in the order in which they were written
    messages: tuple[str, ...] = ()  #: what a person should know: marks not taken, a library that is absent


def write_report(
    report: Report, folder: Path, *, exercises: Sequence[Exercise] = (), submissions: Path | None = None
) -> Written:
    """Write every file of the report, or replace those that are there; each atomically.

    Where nbgrader is not installed there is no ``gradebook.db``, and a message says how to get it.

    The marks that a person wrote into the folder's ``written_answers.csv`` are read first and kept.

    Args:
        folder: the ``--out`` of ``wasm-lab grade``; it is made where it is missing.
        exercises: the masters, for hints and links to chapters.
        submissions: where the submissions are. Those that nbgrader collected get pages in ``feedback`` too.

    Raises:
        MarksError: that file has mistakes. Then nothing is written.
        UsageError: a file cannot be written.
    """
    marked = _marked(report, folder)
    everyone = standings(marked.report)
    make_folder(folder)
    files = [
        write(folder / "index.html", class_page(marked.report, everyone)),
        *_pages(marked.report, everyone, folder, exercises),
        write(folder / "outcomes.jsonl", jsonl_text(marked.report)),
        write(folder / "junit.xml", junit_text(marked.report)),
        *_lms(marked.report, everyone, folder),
    ]
    _remove_old_pages(folder, files)
    masters = {one.name: one for one in exercises}
    if submissions is not None and submissions.is_dir():
        files += write_feedback(marked.report, submissions, folder / "feedback", exercises=masters)
    messages = [*cannot_be_graded(report), *marked.lost, *marked.told]
    if any(cell.kind == "written" for exercise in report.exercises for cell in exercise.cells):
        files.append(write(folder / MARKS, marks_text(marked.report, marked.others)))
    try:
        messages += update_gradebook(marked.report, everyone, folder / GRADEBOOK, exercises=masters)
        files.append(folder / GRADEBOOK)
    except UsageError as error:  # all else is written without it
        messages.append(str(error))
    return Written(report=marked.report, files=tuple(files), messages=tuple(messages))


def _pages(
    report: Report, everyone: Sequence[Standing], folder: Path, exercises: Sequence[Exercise]
) -> Iterator[Path]:
    masters = {one.name: one for one in exercises}
    for one in everyone:
        stem = file_stem(one.student.key)
        yield write(folder / "students" / f"{stem}.html", student_page(one, report, masters))
        yield write(folder / "instructor" / f"{stem}.html", instructor_page(one, report))


def _remove_old_pages(folder: Path, files: Sequence[Path]) -> None:
    """A page of a student who is not in this report any more is not handed out by mistake."""
    for kind in ("students", "instructor"):
        for path in (folder / kind).glob("*.html"):
            if _OURS.fullmatch(path.name) and path not in files:
                path.unlink(missing_ok=True)


def _remove_old_worksheets(folder: Path, names: Iterable[str]) -> None:
    """A worksheet of an assignment that this report is not about any more is not uploaded by mistake."""
    for path in folder.glob("moodle*.csv"):
        if path.name not in names and path.is_file():
            with path.open(encoding="utf-8", errors="replace") as file:
                old = is_worksheet(file.read(200))
            if old:
                path.unlink(missing_ok=True)


def _lms(report: Report, everyone: Sequence[Standing], folder: Path) -> Iterator[Path]:
    """A file for each system that the submissions may have come from."""
    systems = {one.student.lms for one in everyone}
    if systems != {"canvas"}:
        worksheets = moodle_files(report, everyone)
        _remove_old_worksheets(folder, worksheets)
        for name, text in worksheets.items():
            yield write(folder / name, text)
    if systems != {"moodle"}:
        yield write(folder / "canvas.csv", canvas_text(report, everyone))


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
