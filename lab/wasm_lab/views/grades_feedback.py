"""Pages where ``nbgrader release_feedback`` looks for them, for a course that hands out through nbgrader's exchange."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from wasm_lab.grading.entries import root_of
from wasm_lab.grading.report.files import write
from wasm_lab.grading.report.gradebook import student_id
from wasm_lab.grading.report.summary import standings
from wasm_lab.views.grades_student import student_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from wasm_lab.exercises import Exercise
    from wasm_lab.grading.nouns import Report

#: What nbgrader puts beside a submission; the feedback goes to whoever knows the secret.
BESIDE = ("timestamp.txt", "submission_secret.txt")

#: Bytes of one of these files; nbgrader's own have less than a hundred.
_BYTES = 1000


def write_feedback(
    report: Report, submissions: Path, folder: Path, *, exercises: Mapping[str, Exercise]
) -> Iterator[Path]:
    """Write ``STUDENT/CHAPTER/EXERCISE.html``, and beside it the two files that nbgrader wants to find there.

    Only for submissions that nbgrader collected: those that have both files. Each page is the student's page with one
    exercise.

    Args:
        submissions: nbgrader's ``submitted`` or the course directory; students wrote into it.
        folder: the ``feedback`` folder to write to.
    """
    root = root_of(submissions)
    for exercise in report.exercises:
        alone = replace(report, exercises=(exercise,))
        for one in standings(alone):
            student, outcome = one.student, one.outcomes.get(exercise.name)
            if outcome is None or outcome.status == "missing" or student_id(student) != student.key:
                continue
            beside = [_text(root / student.key / exercise.assignment / name) for name in BESIDE]
            if any(content is None for content in beside):
                continue
            place = folder / student.key / exercise.assignment
            for name, content in zip(BESIDE, beside, strict=True):
                yield write(place / name, content or b"")
            yield write(place / f"{exercise.name}.html", student_page(one, alone, exercises))


def _text(path: Path) -> bytes | None:
    """A small file's content; None where it is none, or a link: that could lead to anything of the instructor's."""
    if path.parent.is_symlink() or path.parent.parent.is_symlink():
        return None
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        # Not through a link, and not waiting for a pipe, that took its place meanwhile.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            content = file.read(_BYTES + 1)
    except OSError:
        return None
    return content if 0 < len(content) <= _BYTES else None
