"""Marks of an executed copy of a master, by the rules of nbgrader (``nbgrader.utils.determine_grade``).

A test cell that raised, or wrote to the error stream, has no points; a number as its last expression is its
points; else it has all of them. nbgrader also gives all of them for a cell that was never executed, and for
a number below zero or no number at all (NaN), with a warning; here those have none, with a message.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wasm_lab import errors
from wasm_lab.exercises.cases import MIME as CASES
from wasm_lab.exercises.notebook import Exercise, Role, literals
from wasm_lab.grading import sitting
from wasm_lab.grading.nouns import Access, CaseOutcome, CellOutcome, Outcome, from_record

if TYPE_CHECKING:
    from wasm_lab.exercises.notebook import Cell
    from wasm_lab.grading.nouns import Job, Status

#: Characters of a message that are kept. A guest may have written into it.
MESSAGE_CHARACTERS = 4_000

#: What the cell of an answer raises when there is nothing to run.
_NO_BUILD = {
    kind.__name__
    for kind in vars(errors).values()
    if isinstance(kind, type)
    and issubclass(kind, errors.BuildError | errors.HeaderError | errors.SignatureError)
}

#: What is raised when this machine failed, and no answer did; nobody gets marks for that. Errors are told by their
#: kinds, because a guest may write into their words. The crates of an answer are its master's.
_MACHINE_ERRORS = {
    "BlockingIOError",
    "DependencyError",
    "MachineError",
    "MemoryError",
    "NoRoomError",
    "OSError",
    "ToolchainError",
}

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

#: What Python says of a name that nothing defines.
_NOT_DEFINED = re.compile(r"name '(\w+)' is not defined.*", re.DOTALL)

NO_BUILD = "The answer did not compile."

#: What a student may read even of a test cell with hidden cases: the name was given out.
NO_FUNCTION = "There is no function {name}: the answer must define it, as pub fn {name}."
NO_TEXT = "The answer {name} cannot be read: it is empty, or not what its cell asks for."

#: Why a written answer has no points before a person has seen it.
UNTOUCHED = "Nothing was written: the text is as it was handed out."

#: How the message of an outcome begins whose answer in text (``%%answer``) cannot be read. It quotes that text alone.
NOT_READ = "This answer cannot be read: "


def outcome_of(
    job: Job, exercise: Exercise, released: Exercise, executed: list[dict[str, Any]], duration_ns: int
) -> Outcome:
    """What an executed copy says.

    Args:
        exercise: the master with the student's bodies in it, before it was executed.
        executed: the cells after it, as JSON; those before and after the exercise's own are the judge's.
    """
    by_id = {_grade_id(cell): cell for cell in executed if _grade_id(cell)}
    status: Status = "graded"
    message = ""
    for cell in exercise.answers:
        error = _error(by_id.get(cell.grade_id, {}))
        if error is None:
            continue
        if error["ename"] in _MACHINE_ERRORS:
            return lost_outcome(job, exercise, "crashed", _words(error), duration_ns=duration_ns)
        text = cell.magic.startswith("%%answer") and error["ename"] == "UsageError"
        message = message or (_plain(NOT_READ + error["evalue"]) if text else _words(error))
        if error["ename"] in _NO_BUILD:
            status = "not_compiled"
    cells = []
    for cell in exercise.cells:
        if cell.role is Role.TEST:
            found = _tested(cell, by_id.get(cell.grade_id, {}), released.cell(cell.grade_id), status)
            absent = _absent(by_id.get(cell.grade_id, {}), released, raised=bool(message))
            found = replace(found, cases=tuple(_plainer(case, released) for case in found.cases))
            cells.append(replace(found, message=absent) if absent else found)
        elif cell.role is Role.WRITTEN and cell.points:
            cells.append(written(cell, job.bodies, released.cell(cell.grade_id)))
    lost = next((case for cell in by_id.values() for case in _records(cell) if case.get("lost")), None)
    if lost:
        return lost_outcome(job, exercise, "crashed", _plain(lost["message"]), duration_ns=duration_ns)
    last = executed[-1] if executed else {}
    return Outcome(
        student=job.student,
        assignment=job.assignment,
        exercise=job.exercise,
        status=status,
        cells=tuple(cells),
        notes=job.notes,
        audit=_audit(last),
        duration_ns=duration_ns,
        submitted_at=job.submitted_at,
        digest=job.digest,
        answers=dict(job.bodies),
        message=message,
    )


def lost_outcome(
    job: Job, exercise: Exercise, status: Status, message: str, *, duration_ns: int = 0
) -> Outcome:
    """The outcome of a submission that was not executed to its end: no points but for what a person marks."""
    cells = []
    released = Exercise.parse(job.released) if job.bodies and exercise.written else None
    for cell in exercise.cells:
        if cell.role is Role.TEST:
            cells.append(CellOutcome(grade_id=cell.grade_id, kind="auto", points=0.0, max_points=cell.points))
        elif cell.role is Role.WRITTEN and cell.points:
            if released:
                cells.append(written(cell, job.bodies, released.cell(cell.grade_id)))
            else:  # where nothing was taken of a submission, there is nothing to wait for
                cells.append(replace(written(cell, {}), points=0.0))
    return Outcome(
        student=job.student,
        assignment=job.assignment,
        exercise=job.exercise,
        status=status,
        cells=tuple(cells),
        notes=job.notes,
        duration_ns=duration_ns,
        submitted_at=job.submitted_at,
        digest=job.digest,
        answers=dict(job.bodies),
        message=message[:MESSAGE_CHARACTERS],
    )


def written(cell: Cell, bodies: dict[str, str], released: Cell | None = None) -> CellOutcome:
    """A written answer: its points are a person's to give, but for text that is as it was released.

    nbgrader knows that by a checksum and gives 0 as well; a person can give others.
    """
    answer = bodies.get(cell.grade_id, "")
    untouched = released is not None and answer.strip() == released.body.strip()
    return CellOutcome(
        grade_id=cell.grade_id,
        kind="written",
        points=0.0 if untouched else None,
        max_points=cell.points,
        message=UNTOUCHED if untouched else "",
        answer=answer,
    )


def _tested(cell: Cell, executed: dict[str, Any], released: Cell | None, status: Status) -> CellOutcome:
    points, message = points_of(executed, cell.points)
    # What stands in a hidden test must not reach a student by way of an error's text.
    hidden = released is None or released.text != cell.text
    error = _error(executed)
    if error:
        message = f"The test cell ended with {error['ename']}." if hidden else _words(error)
        if status == "not_compiled" and error["ename"] == "NameError":
            message = NO_BUILD
    return CellOutcome(
        grade_id=cell.grade_id,
        kind="auto",
        points=points,
        max_points=cell.points,
        cases=_cases(executed, "" if released is None else released.text),
        message=message,
    )


def _absent(executed: dict[str, Any], released: Exercise, *, raised: bool) -> str:
    """What to say where a test uses what the answers do not give; nothing for all other errors.

    Only a name that the student was given, in the text or in an answer's cell: any other is a mistake of the master's,
    or a hidden test's own. Where an answer raised, its functions have no names, and its own message says why.
    """
    error = _error(executed)
    found = _NOT_DEFINED.fullmatch(error["evalue"]) if error and error["ename"] == "NameError" else None
    if found is None:
        return ""
    if _is_text(found[1], released):
        return NO_TEXT.format(name=found[1])
    named = re.compile(rf"\b{found[1]}\b")
    given = any(named.search(cell.text) for cell in released.cells if cell.role is not Role.TEST)
    return NO_FUNCTION.format(name=found[1]) if given and not raised else ""


def _is_text(name: str, released: Exercise) -> bool:
    """Whether a name is that of an answer in text."""
    named = re.compile(rf"\b{name}\b")
    return any(cell.magic.startswith("%%answer") and named.search(cell.magic) for cell in released.answers)


def _plainer(case: CaseOutcome, released: Exercise) -> CaseOutcome:
    """A case that met no answer says so in words; Python's own are none of a student who wrote TOML."""
    kind, _, words = case.message.partition(": ")
    found = _NOT_DEFINED.fullmatch(words)
    if kind != "NameError" or found is None or not _is_text(found[1], released):
        return case
    return replace(case, message=NO_TEXT.format(name=found[1]))


def points_of(cell: dict[str, Any], max_points: float) -> tuple[float, str]:
    """The points of an executed test cell, and why there are none where the cell itself does not say.

    Example:
        >>> points_of({"execution_count": 3, "outputs": []}, 2.0)
        (2.0, '')
        >>> points_of({"execution_count": None, "outputs": []}, 2.0)
        (0.0, 'The test cell was not executed.')
    """
    if cell.get("execution_count") is None:
        return 0.0, "The test cell was not executed."
    for output in cell.get("outputs", []):
        kind = output.get("output_type")
        if kind == "error":
            return 0.0, "The test cell raised an error."
        if kind == "stream" and output.get("name") == "stderr":
            return 0.0, "The test cell wrote to its error stream, which nbgrader takes for a failure."
        if kind == "execute_result":
            return _partial(_joined(output.get("data", {}).get("text/plain", "")), max_points)
    return max_points, ""


def _partial(text: str, max_points: float) -> tuple[float, str]:
    try:
        points = float(text)
    except ValueError:
        return max_points, ""
    if math.isnan(points) or not 0 <= points <= max_points:
        return (
            0.0,
            f"The test cell gave {text[:20]} of {max_points:g} points; that is a mistake in the master.",
        )
    return points, ""


def _cases(executed: dict[str, Any], released_text: str) -> tuple[CaseOutcome, ...]:
    return tuple(
        CaseOutcome(
            name=case["name"],
            passed=case["passed"],
            message=_plain(case["message"]),
            hidden=case["name"] not in literals(released_text),
        )
        for case in _records(executed)
    )


def _records(executed: dict[str, Any]) -> list[dict[str, Any]]:
    record = _shown(executed, CASES)
    return record.get("cases", []) if isinstance(record, dict) else []


def _audit(last: dict[str, Any]) -> tuple[Access, ...]:
    record = _shown(last, sitting.MIME)
    return tuple(from_record(Access, line) for line in record["audit"]) if isinstance(record, dict) else ()


def _shown(executed: dict[str, Any], mime: str) -> Any:
    """What a cell's last expression shows under a MIME type; None where it shows nothing of it."""
    for output in executed.get("outputs", []):
        if output.get("output_type") == "execute_result" and mime in output.get("data", {}):
            return output["data"][mime]
    return None


def _error(executed: dict[str, Any]) -> dict[str, str] | None:
    return next((each for each in executed.get("outputs", []) if each.get("output_type") == "error"), None)


def _words(error: dict[str, Any]) -> str:
    if error["ename"] in _NO_BUILD:  # the compiler's own layout stands in the traceback
        return _plain("\n".join(error.get("traceback", ())) or error["evalue"])
    return _plain(f"{error['ename']}: {error['evalue']}")


def _plain(text: str) -> str:
    return _ANSI.sub("", text)[:MESSAGE_CHARACTERS]


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _grade_id(cell: dict[str, Any]) -> str:
    return str(cell.get("metadata", {}).get("nbgrader", {}).get("grade_id", ""))
