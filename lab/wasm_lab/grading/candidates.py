"""Several files of a student for one exercise: which counts, and why."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wasm_lab.grading.nouns import Note, NoteKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wasm_lab.grading.answers import Taken

#: Notes of one kind on one student's files; what follows is counted.
NOTES_EACH = 20
#: Notebooks that are looked at of one student for one exercise, and of those whose names are no exercise's.
CANDIDATES = 50
UNNAMED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """The one file that counts of a student for an exercise."""

    student: str
    exercise: str
    file: str
    bodies: dict[str, str] = field(default_factory=dict)
    refused: str = ""  #: why the file has no effect; then there are no bodies
    notes: tuple[Note, ...] = ()
    submitted_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One file that may be a student's submission of an exercise."""

    path: str
    taken: Taken | None
    why: str  #: not taken
    answered: bool  #: some answer of it is not as it was released
    submitted: datetime | None
    attempt: int
    exact: bool
    notes: tuple[Note, ...]
    direct: bool  #: it lies in the student's own folder, and not in an archive that looks like an export


def is_answered(bodies: Mapping[str, str], released: Mapping[str, str]) -> bool:
    """Whether some answer is not as it was released; blanks and empty lines at its ends do not count.

    Example:
        >>> is_answered({"answer": "todo!()\\n"}, {"answer": "todo!()"})
        False
    """
    return any(body.strip() != released[grade_id].strip() for grade_id, body in bodies.items())


def counting(student: str, exercise: str, several: list[Candidate]) -> Submission:
    """The file that counts: one that can be read; of these one with an answer, and the one that came in last of
    those, where that is known.

    A form as it was released is nobody's answer, even where it is the later: whoever downloads it a second time
    may hand in both.

    What lies in a student's folder comes before what an archive beside it says is that student's: an archive may
    be what somebody else sent by mail.
    """
    earliest = datetime.min.replace(tzinfo=UTC)
    several.sort(
        key=lambda one: (
            one.direct,
            one.taken is not None,
            one.answered,
            one.submitted or earliest,
            one.attempt,
            one.exact,
            one.path,
        )
    )
    counts = several[-1]
    notes = list(counts.notes)
    for other in several[:-1]:
        notes.append(
            Note(
                kind="duplicate", student=student, file=other.path,
                message=f"{counts.path} is submitted for {exercise} too, and counts: {_why_counts(counts, other)}.",
            )
        )  # fmt: skip
    if counts.taken:
        notes += counts.taken.notes
    return Submission(
        student=student,
        exercise=exercise,
        file=counts.path,
        bodies=counts.taken.bodies if counts.taken else {},
        refused=counts.why,
        notes=counted(notes),
        submitted_at=counts.submitted.isoformat() if counts.submitted else "",
    )


def _why_counts(counts: Candidate, other: Candidate) -> str:
    if counts.direct != other.direct:
        return "it lies in the student's own folder, and the other in an archive beside it"
    if other.taken is None and counts.taken is not None:
        return "the other cannot be read"
    if counts.answered != other.answered:
        return "the other is as it was released, or has no answer that can be taken"
    if counts.submitted != other.submitted:
        return "it came in later"
    if counts.attempt != other.attempt:
        return "it is the later attempt"
    if counts.exact != other.exact:
        return "it has the exercise's own name"
    return "it is the last by name, and nothing says which came in later"


def counted(notes: Iterable[Note]) -> tuple[Note, ...]:
    """At most some notes of a kind for each student, then how many more there are; sorted."""
    groups: dict[tuple[str, NoteKind], list[Note]] = defaultdict(list)
    for note in notes:
        groups[note.student, note.kind].append(note)
    kept: list[Note] = []
    for (student, kind), several in sorted(groups.items()):
        several.sort(key=lambda note: (note.file, note.message))
        kept += several[:NOTES_EACH]
        if len(several) > NOTES_EACH:
            more = f"{len(several) - NOTES_EACH} more notes of this kind."
            kept.append(Note(kind=kind, student=student, file="…", message=more))
    return tuple(kept)
