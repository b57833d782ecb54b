"""What a student may read of an outcome.

Of a hidden case: its name and whether it passed, as in the learner's own loop. The name is the author's public wording,
and it is shown only where it stands in the master word for word, so that no name made of an input or of a guest's words
passes. A hidden case's message, the message of a test cell with hidden cases and the audit of a run that a hidden test
made stay out: each could hold the input or the expected value. So do the time that was taken, which a program can
choose, and the digest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wasm_lab.exercises.markers import BEGIN_HIDDEN
from wasm_lab.grading.marks import NO_FUNCTION, NO_TEXT, NOT_READ

if TYPE_CHECKING:
    from wasm_lab.exercises import Exercise
    from wasm_lab.grading.nouns import CaseOutcome, CellOutcome, Outcome

#: Statuses whose message is the compiler's, about the student's own text. All other messages may come from a
#: process that held the hidden tests, but for what `NOT_READ` begins.
_OWN_MESSAGES = {"not_compiled"}

_SENTENCES = {
    "missing": "Nothing was submitted.",
    "not_compiled": "An answer did not compile, so its tests could not run.",
    "refused": "The submission was refused; the notes say why.",
    "stopped": "It ran past its time limit and was ended.",
    "crashed": "The process that judged it was lost. Tell your instructor: it can be graded again.",
}


def for_student(outcome: Outcome, master: Exercise | None = None) -> Outcome:
    """The outcome without what a student must not see.

    A hidden case has no message, and no name unless that stands in the master. A written answer keeps its message,
    which is a person's comment. A test cell keeps its message where the master shows that nothing in it is hidden.

    Args:
        master: with its hidden tests; without it hidden cases have no names and test cells no messages.
    """
    ended = outcome.status in ("graded", "not_compiled")
    cells = tuple(
        replace(
            cell,
            cases=tuple(_case(case, cell, master) for case in cell.cases),
            message=cell.message if ended and (_is_open(cell, master) or _of_absence(cell)) else "",
        )
        for cell in outcome.cells
    )
    return replace(
        outcome,
        cells=cells,
        audit=tuple(access for access in outcome.audit if not access.hidden),
        message=outcome.message if outcome.status in _OWN_MESSAGES or is_not_read(outcome) else "",
        duration_ns=0,
        digest="",
    )


def is_not_read(outcome: Outcome) -> bool:
    """Whether its message says why an answer in text cannot be read, as a compiler says it of code."""
    return outcome.status == "graded" and outcome.message.startswith(NOT_READ)


def _case(case: CaseOutcome, cell: CellOutcome, master: Exercise | None) -> CaseOutcome:
    if not case.hidden:
        return case
    of_master = master.cell(cell.grade_id) if master else None
    said = of_master is not None and case.name in of_master.text
    return replace(case, name=case.name if said else "", message="")


def _is_open(cell: CellOutcome, master: Exercise | None) -> bool:
    if cell.kind == "written":
        return True
    of_master = master.cell(cell.grade_id) if master else None
    return of_master is not None and BEGIN_HIDDEN not in of_master.text and not any(hidden_counts(cell))


def _of_absence(cell: CellOutcome) -> bool:
    """Whether its message says what the answers lack; it holds a name that was given out, no more."""
    return any(cell.message.startswith(words.partition("{")[0]) for words in (NO_FUNCTION, NO_TEXT))


def hidden_counts(cell: CellOutcome) -> tuple[int, int]:
    """How many hidden cases of a cell passed, and how many there are."""
    hidden = [case for case in cell.cases if case.hidden]
    return sum(case.passed for case in hidden), len(hidden)


def sentence(outcome: Outcome | None) -> str:
    """One or two sentences on an outcome, fit for a student.

    Example:
        >>> sentence(None)
        'Not graded yet.'
    """
    if outcome is None:
        return "Not graded yet."
    parts = [_SENTENCES.get(outcome.status, "")]
    if outcome.status == "graded":
        cases = [case for cell in outcome.cells for case in cell.cases]
        parts += [_passed(cases, hidden=False), _passed(cases, hidden=True)]
    waiting = sum(cell.points is None for cell in outcome.cells)
    if waiting and outcome.status != "missing":
        parts.append(f"{waiting} written answer{'s' * (waiting != 1)} still to be marked.")
    return " ".join(filter(None, parts))


def _passed(cases: list[CaseOutcome], *, hidden: bool) -> str:
    those = [case for case in cases if case.hidden is hidden]
    if not those:
        return ""
    return f"{'Hidden' if hidden else 'Visible'} checks: {sum(case.passed for case in those)} of {len(those)} passed."
