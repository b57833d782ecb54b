"""Taking the bodies of answers from a submitted notebook, and nothing else.

The magic line, its flags, the header with dependencies, points, grade ids, tests: all of that is the master's.
Where a submission says otherwise, a note says so, and it has no effect.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from wasm_lab._version import __version__
from wasm_lab.exercises.notebook import Cell, Role, split_magic
from wasm_lab.grading.bodies import refuse_body
from wasm_lab.grading.nouns import Note, NoteKind, Settings
from wasm_lab.grading.report.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasm_lab.grading.course import Master
    from wasm_lab.grading.submitted import SubmittedCell, SubmittedNotebook

#: What of nbgrader's metadata decides about marks.
_DECIDING = ("grade", "solution", "locked", "task", "points")


#: A written answer, or one that is text, is at most this long: fifty pages.
TEXT_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The bodies of a submission, one for each answer cell of the master, and what was strange."""

    bodies: dict[str, str]
    notes: tuple[Note, ...]


def take_answers(master: Master, submitted: SubmittedNotebook, *, student: str, file: str) -> Taken:
    """The bodies of the answer cells; where a cell is missing, the one that was released."""
    notes: list[Note] = []

    def note(kind: NoteKind, message: str) -> None:
        notes.append(Note(kind=kind, student=student, file=file, message=message))

    bodies = {}
    anew: list[SubmittedCell] = []
    # Once for all cells: a submission may have thousands.
    alone = _alone(master)
    for grade_id, cell in master.answers.items():
        found = [each for each in submitted.cells if each.grade_id == grade_id]
        if not found:
            found = _anew(alone[grade_id], submitted)
            anew += found
            if found:
                note("edited", f"The answer cell {grade_id} was made anew; it is found by its first line.")
        texts = [each.text for each in found if each.text is not None]
        if not found:
            note("missing", f"The answer cell {grade_id} is not there.")
        elif not texts:
            note("refused", f"The answer cell {grade_id} has no text that can be taken.")
        bodies[grade_id] = cell.body
        if texts:
            text = _chosen(texts, cell)
            if len(found) > 1:
                note(
                    "duplicate",
                    f"The answer cell {grade_id} is there {len(found)} times; the last that was changed counts.",
                )
            body, said = _body(text, cell)
            for message in said:
                note("edited", message)
            if len(body) > TEXT_CHARACTERS and cell.language != "rust":
                note(
                    "truncated",
                    f"The answer {grade_id} has {len(body)} characters; {TEXT_CHARACTERS} were taken.",
                )
                body = body[:TEXT_CHARACTERS]
            # The master's header stands before the student's code, and is not what is looked at.
            why = refuse_body(split_header(body)[1]) if cell.language == "rust" else ""
            if why:
                note("refused", f"The answer cell {grade_id} is not taken, and counts as not answered. {why}")
            else:
                bodies[grade_id] = body
            if {each.kind for each in found} != {cell.kind}:
                note(
                    "edited",
                    f"The answer cell {grade_id} is no {cell.kind} cell any more; it is taken for one.",
                )
    for message in _changes(master, submitted, anew):
        note("edited", message)
    return Taken(bodies=bodies, notes=tuple(notes))


def released_answers(master: Master) -> dict[str, str]:
    """The bodies that stand in the released form."""
    return {grade_id: cell.body for grade_id, cell in master.answers.items()}


def digest_of(master: Master, bodies: Mapping[str, str], settings: Settings) -> str:
    """The SHA-256 of all that decides the marks: both forms of the master, the bodies, settings, this version."""
    parts = [__version__, master.digest, dict(sorted(bodies.items())), asdict(settings)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _alone(master: Master) -> dict[str, str]:
    """The magic line of each answer; empty where another answer has it too, as `begins_alone` asks."""
    lines = {grade_id: cell.magic for grade_id, cell in master.answers.items()}
    times = Counter(tuple(magic.split()) for magic in lines.values())
    return {grade_id: magic if times[tuple(magic.split())] == 1 else "" for grade_id, magic in lines.items()}


def _anew(magic: str, submitted: SubmittedNotebook) -> list[SubmittedCell]:
    """The cells that stand for an answer whose grade id no cell has: typed anew, or without its metadata."""
    words = magic.split()
    if not words:
        return []
    unnamed = (each for each in submitted.cells if each.kind == "code" and not each.grade_id)
    return [
        each
        for each in unnamed
        if each.text is not None and split_magic(each.text, magic).magic.split() == words
    ]


def _chosen(texts: list[str], cell: Cell) -> str:
    """As nbgrader, the last of several cells with one id; but a copy of the stub is nobody's answer."""
    changed = [text for text in texts if text.strip() != cell.text.strip()]
    return (changed or texts)[-1]


def _body(text: str, cell: Cell) -> tuple[str, list[str]]:
    if not cell.magic:
        return text, []
    said = []
    parts = split_magic(text, cell.magic)
    rest = parts.body
    if parts.above:
        above = shown(parts.above, 80, lines=False)
        said.append(
            f"The answer cell {cell.grade_id} has {above!r} above its magic line; that line is left out."
        )
    if not parts.magic:
        said.append(f"The answer cell {cell.grade_id} has lost its magic line; the master's counts.")
    elif parts.magic.rstrip() != cell.magic.rstrip():
        changed = shown(parts.magic, 80, lines=False)
        said.append(
            f"The answer cell {cell.grade_id} begins with {changed!r}; the master's magic line counts."
        )
    if cell.language != "rust":
        return rest, said
    own, code = split_header(rest)
    header, _ = split_header(cell.body)
    if own.strip() != header.strip():
        said.append(f"The answer cell {cell.grade_id} has another header; the master's dependencies count.")
    return header + code, said


def split_header(text: str) -> tuple[str, str]:
    """Everything that a Rust cell's reader takes for a header or a first line of a script, and the code.

    Several headers, one after the other, are all header: none may be left to be found later.

    Example:
        >>> split_header("---\\n[dependencies]\\n---\\nfn main() {}")
        ('---\\n[dependencies]\\n---\\n', 'fn main() {}')
    """
    lines = text.split("\n")
    fences = _fences(lines)
    end = 0
    while True:
        start = end
        if lines[start].startswith("#!") and not lines[start].startswith("#!["):
            start += 1
        first = start
        while first < len(lines) and not lines[first].strip():
            first += 1
        if first == len(lines) or not lines[first].startswith("---"):
            end = start
            break
        fence = lines[first].rstrip()
        dashes = "-" * (len(fence) - len(fence.lstrip("-")))
        places = fences.get(dashes, [])
        at = bisect_right(places, first)
        last = places[at] if at < len(places) else None
        # One that is not closed: that line alone is taken away, and what follows is code.
        end = (first if last is None else last) + 1
        if end >= len(lines):
            return text if text.endswith("\n") else f"{text}\n", ""
    header = "".join(f"{line}\n" for line in lines[:end])
    return header, "\n".join(lines[end:])


def _fences(lines: list[str]) -> dict[str, list[int]]:
    """Where lines of dashes alone stand, by how many they are: a text may begin very many headers."""
    found: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        fence = line.rstrip()
        if fence.startswith("---") and not fence.strip("-"):
            found.setdefault(fence, []).append(number)
    return found


def _changes(master: Master, submitted: SubmittedNotebook, anew: list[SubmittedCell]) -> list[str]:
    """What the master owns and the submission has in another form.

    Args:
        anew: cells without a grade id that were taken for answers.
    """
    said = []
    by_id: dict[str, list[SubmittedCell]] = {}
    for one in submitted.cells:
        by_id.setdefault(one.grade_id, []).append(one)
    own = {cell.text.strip() for cell in master.released.cells}
    for cell in master.released.cells:
        if not cell.grade_id:
            continue
        found = by_id.get(cell.grade_id, [])
        if cell.role in (Role.TEST, Role.GIVEN):
            if not found:
                said.append(f"The cell {cell.grade_id} is not there; the master's counts.")
            elif any(each.text is None or each.text.strip() != cell.text.strip() for each in found):
                said.append(f"The cell {cell.grade_id} was changed; the master's counts.")
            if len(found) > 1:
                said.append(f"The cell {cell.grade_id} is there {len(found)} times; the master's counts.")
        expected = _deciding(master.released.notebook["cells"][cell.index]["metadata"]["nbgrader"])
        if any(_deciding(each.told) != expected for each in found):
            said.append(
                f"The metadata of {cell.grade_id} was changed (points, grade, solution or locked); no effect."
            )
    known = {cell.grade_id for cell in master.released.cells if cell.grade_id}
    taken = {id(one) for one in anew}
    extra = sum(_is_extra(one, known, own) for one in submitted.cells if id(one) not in taken)
    if extra:
        said.append(f"It has {extra} more cell{'s' * (extra > 1)} than was released; left out.")
    return said


def _is_extra(cell: SubmittedCell, known: set[str], own: set[str]) -> bool:
    """Whether a cell is none of the released form; one with nothing in it is not worth a word."""
    if cell.grade_id in known:
        return False
    return cell.text is None or (bool(cell.text.strip()) and cell.text.strip() not in own)


def _deciding(told: Mapping[str, object]) -> list[object]:
    return [told.get(key) or 0 for key in _DECIDING]
