"""Collecting: from folders and archives to one submission for each student and exercise.

Takes a folder for each student (with or without folders for assignments), nbgrader's ``submitted`` tree or
the course directory that holds it, and the archives that Moodle and Canvas export, unpacked or not.
"""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError
from wasm_lab.grading import entries as files
from wasm_lab.grading.answers import released_answers, take_answers
from wasm_lab.grading.candidates import (
    CANDIDATES,
    UNNAMED,
    Candidate,
    Submission,
    counted,
    counting,
    is_answered,
)
from wasm_lab.grading.entries import Archive, Budget, Entry, Unreadable
from wasm_lab.grading.journal import NAME as JOURNAL
from wasm_lab.grading.nouns import Note, NoteKind, Student
from wasm_lab.grading.owners import (
    Owned,
    attempt_of,
    is_ambiguous,
    is_export,
    owner_of,
    owner_of_archive,
    plain_stem,
)
from wasm_lab.grading.report.text import shown
from wasm_lab.grading.submitted import SubmittedNotebook, Truncated, read_notebook
from wasm_lab.grading.times import STAMP, span, stamp_of, time_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wasm_lab.grading.course import Course, Master

#: What operating systems and Jupyter leave behind.
_LITTER = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", ".ipynb_checkpoints", ".git"}
#: Files of which is said what they are, where nothing else is there.
_TOLD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A batch: who took part, what counts, and what is to be said of all other files."""

    students: tuple[Student, ...]  #: by key
    submissions: tuple[Submission, ...]  #: by student and exercise
    notes: tuple[Note, ...]
    undated: int  #: submissions of which nothing says when they came in


@dataclass(slots=True)
class _Pile:
    """What one student handed in, as found."""

    student: Student
    files: list[tuple[Entry, Owned]] = field(default_factory=list)


class _Looking:
    """What was looked at of one student so far, and how much more may be."""

    def __init__(self, student: str) -> None:
        self.student = student
        self.budget = Budget()
        self.stamps: dict[tuple[str, ...], datetime] = {}  #: by the folders that they lie in
        self.candidates: dict[str, list[Candidate]] = defaultdict(list)  #: by exercise
        self.left_out: dict[str, tuple[str, str]] = {}  #: by exercise: the first that was, and why
        self._seen: Counter[str] = Counter()

    def by_chance(self, found: tuple[Entry, Owned]) -> tuple[object, ...]:
        """What sorts files as `counting` does, as far as that is known before they are read.

        Where there are too many, those that would not count anyway are left out.
        """
        entry, owned = found
        submitted = stamp_of(owned.rest, self.stamps) or datetime.min.replace(tzinfo=UTC)
        exact = plain_stem(owned.rest[-1]) == owned.rest[-1].removesuffix(".ipynb")
        return not entry.export, submitted, attempt_of(owned), exact, entry.path

    def is_enough(self, exercise: str, path: str) -> bool:
        """Whether as many notebooks of an exercise, or of none by their names, were seen as are looked at."""
        self._seen[exercise] += 1
        most = CANDIDATES if exercise else UNNAMED
        whose = f"for {exercise}" if exercise else "that have no exercise's name"
        if self._seen[exercise] > most:
            why = (
                f"It and what follows is left out: {most} notebooks {whose} are looked at, the latest first."
            )
            self.left_out.setdefault(exercise, (path, why))
        return self._seen[exercise] > most


def collect(submissions: Path, course: Course, *, due: datetime | None = None) -> Collected:
    """Read a batch and take the bodies of every answer in it.

    Args:
        submissions: a folder or a zip archive.
        due: with a time zone; what is known to have come in later is noted as late.

    Raises:
        UsageError: there is no such folder or archive, or nothing in it is anybody's.
    """
    with contextlib.ExitStack() as stack:
        return _Collecting(course, due, stack).run(submissions)


class _Collecting:
    def __init__(self, course: Course, due: datetime | None, stack: contextlib.ExitStack) -> None:
        self.course = course
        self.due = due
        self.stack = stack
        self.notes: list[Note] = []
        self.piles: dict[tuple[str, str], _Pile] = {}

    def run(self, root: Path) -> Collected:
        for entry in self._without_reports(list(self._entries(root))):
            self._assign(entry)
        if not self.piles:
            # Said before anything of a report is written: the one of the run before stays.
            told = [f"{note.file}: {note.message}" for note in self.notes[:_TOLD]]
            raise UsageError(
                f"{root} holds no submissions.",
                hint="\n".join(told)
                or "Name the folder with a folder for each student, or the zip of Moodle or Canvas.",
            )
        self._tell_apart()
        found: list[Submission] = []
        for pile in sorted(self.piles.values(), key=lambda each: each.student.key):
            found += self._submissions_of(pile)
        return Collected(
            students=tuple(sorted((pile.student for pile in self.piles.values()), key=lambda who: who.key)),
            submissions=tuple(sorted(found, key=lambda one: (one.student, one.exercise))),
            notes=counted(self.notes),
            undated=sum(not one.submitted_at for one in found),
        )

    # Where files lie

    def _entries(self, root: Path) -> Iterator[Entry]:
        if root.is_dir():
            root = self._students_folder(root)
            for entry in files.files_of(root):
                yield from self._opened_export(entry, root)
        elif root.is_file():
            try:
                entries = list(self._archive(root, ()).files())
            except Exception as error:
                raise UsageError(
                    f"{root} cannot be taken for submissions: {_why_not(error)}",
                    hint="Name a folder, or the zip archive that Moodle or Canvas exported.",
                ) from error
            wrapped = {entry.parts[0] for entry in entries} in ({"submitted"}, {"submissions"})
            for entry in entries:
                yield replace(entry, parts=entry.parts[1:]) if wrapped and len(entry.parts) > 1 else entry
        else:
            raise UsageError(
                f"There is no {root}.", hint="Name the folder or the zip archive with the submissions."
            )

    def _without_reports(self, entries: list[Entry]) -> Iterator[Entry]:
        """All but reports that ``--out`` had made among the submissions, by this run or by one before.

        They are known by their journal, which is there before anything is collected. A report holds no notebook and
        no archive: whoever hands in a journal beside a notebook hides nothing.
        """
        reports = {entry.parts[:-1] for entry in entries if entry.parts[1:] and entry.name == JOURNAL}
        for entry in entries:
            owned = owner_of(entry.parts) if entry.parts else None
            # Whoever an LMS lists stays in the list.
            if entry.parts and (
                _is_zip(entry.name) or _is_notebook(entry.name) or (owned and owned.exported)
            ):
                reports.difference_update(entry.parts[:length] for length in range(1, len(entry.parts)))
        for folder in sorted(reports):
            self._note("foreign", "", "/".join(folder), "It is a report of wasm-lab grade, and nobody's.")
        for entry in entries:
            if not any(entry.parts[:length] in reports for length in range(1, len(entry.parts))):
                yield entry

    def _students_folder(self, folder: Path) -> Path:
        """As `files.root_of`; where that could be read in another way, a note says how it was."""
        root = files.root_of(folder)
        if root != folder:
            why = f"It lies beside {files.SUBMITTED}, which is taken for nbgrader's. Only what is in that counts."
            for name in files.beside_submitted(folder):
                inside = files.files_of(folder / name) if (folder / name).is_dir() else ()
                if _is_zip(name) or any(_is_zip(one.path) or _is_notebook(one.path) for one in inside):
                    self._note("foreign", "", name, why)
        elif (folder / files.SUBMITTED).is_dir():
            why = (
                "It is taken for a student's folder, as those beside it. If it is nbgrader's, name it itself."
            )
            self._note("foreign", "", files.SUBMITTED, why)
        return root

    def _opened_export(self, entry: Entry, root: Path) -> Iterator[Entry]:
        """An archive at the top that an LMS made for a class, as what is in it; anything else as it is."""
        if len(entry.parts) > 1 or entry.problem or not _is_zip(entry.name) or owner_of(entry.parts):
            yield entry
            return
        try:
            found = list(self._archive(root / entry.name, ()).files())
        except Exception as error:  # an archive that leads us astray is one archive, not the batch
            self._note("refused", "", entry.path, _why_not(error))
            return
        if is_export({one.parts[0] for one in found}):
            yield from (replace(one, export=True) for one in found)
        else:
            yield entry

    def _archive(self, path: Path, parts: tuple[str, ...]) -> Archive:
        archive = Archive(path, parts, entries=files.CLASS_ENTRIES)
        self.stack.callback(archive.close)
        return archive

    # Whose they are

    def _assign(self, entry: Entry) -> None:
        if not entry.parts:
            self._note("refused", "", ".", entry.problem)
            return
        owned = owner_of_archive(entry.parts) if _is_zip(entry.name) else owner_of(entry.parts)
        if owned is None:
            if entry.problem:
                self._note("refused", "", entry.path, entry.problem)
            elif is_ambiguous(entry.parts[0]):
                why = "By its name it could be of two students. Put it into a folder with the student's name."
                self._note("refused", "", entry.path, why)
            elif not _is_litter(entry.parts):
                self._note("foreign", "", entry.path, "It lies in no student's folder.")
            return
        who = owned.student
        if not owned.exported and entry.parts[0] in _LITTER:
            return
        # The number of an LMS tells students apart; else the very name of the folder does.
        ident = (who.lms, who.lms_id) if who.lms else ("", _raw_owner(entry.parts))
        self.piles.setdefault(ident, _Pile(who)).files.append((entry, owned))

    def _tell_apart(self) -> None:
        """Give each student a key of his own, and say which are alike.

        Whoever is written as the key is keeps it, so that nobody takes another's by a name that is nearly the same.
        Keys that differ in case alone are two: no file of a report has a key for its name.
        """
        taken: set[str] = set()
        alike: set[str] = set()
        for ident in sorted(self.piles, key=self._by_claim):
            pile = self.piles[ident]
            key, number = pile.student.key, 1
            while key in taken:
                number += 1
                key = f"{pile.student.key} ({number})"
            taken.add(key)
            if pile.student.key.casefold() in alike:
                self._note(
                    "collision", key, pile.files[0][0].parts[0],
                    "Another student has the same name but for case, blanks or the way of writing accents; "
                    f"this one is listed as {key}.",
                )  # fmt: skip
            alike.add(pile.student.key.casefold())
            pile.student = replace(pile.student, key=key)

    def _by_claim(self, ident: tuple[str, str]) -> tuple[int, tuple[str, str]]:
        """Who comes first of those who want one key: whom an LMS numbers, then whose folder has that very name."""
        if ident[0]:
            return 0, ident
        return (1 if ident[1] == self.piles[ident].student.key else 2), ident

    # What counts

    def _submissions_of(self, pile: _Pile) -> list[Submission]:
        student = pile.student.key
        found: list[tuple[Entry, Owned]] = []
        looking = _Looking(student)
        with contextlib.ExitStack() as stack:
            # What is left out when the limits are reached is what came in first.
            for entry, owned in sorted(pile.files, key=lambda each: attempt_of(each[1]), reverse=True):
                if _is_zip(entry.name) and not entry.problem:
                    found += self._inside(entry, owned, looking, stack)
                else:
                    found.append((entry, owned))
            self._note_collisions(found, student)
            looking.stamps = self._timestamps(pile.files, student)
            for entry, owned in sorted(found, key=looking.by_chance, reverse=True):
                if _is_stamp(entry, owned) or _is_litter(entry.parts):
                    continue
                try:
                    self._look_at(entry, owned, looking)
                except Exception as error:  # a file that leads us astray is one file, not the batch
                    self._note("refused", student, entry.path, _why_not(error))
        for path, why in looking.left_out.values():
            self._note("refused", student, path, why)
        return [counting(student, name, several) for name, several in sorted(looking.candidates.items())]

    def _inside(
        self, entry: Entry, owned: Owned, looking: _Looking, stack: contextlib.ExitStack
    ) -> list[tuple[Entry, Owned]]:
        try:
            archive = looking.budget.archive(entry)
            stack.callback(archive.close)
            found = list(archive.files())
        except Exception as error:  # an archive that leads us astray is one archive, not the batch
            self._note("refused", looking.student, entry.path, _why_not(error))
            return []
        return [(one, replace(owned, rest=(*owned.rest, *one.parts[len(entry.parts) :]))) for one in found]

    def _note_collisions(self, found: list[tuple[Entry, Owned]], student: str) -> None:
        import unicodedata

        seen: set[str] = set()
        for entry, owned in found:
            same = unicodedata.normalize("NFC", "/".join(owned.rest)).casefold()
            if same in seen:
                self._note(
                    "collision", student, entry.path,
                    "Another file has the same name, but for case or the way of writing accents; both were looked at.",
                )  # fmt: skip
            seen.add(same)

    def _timestamps(self, found: list[tuple[Entry, Owned]], student: str) -> dict[tuple[str, ...], datetime]:
        """nbgrader's ``timestamp.txt``, by the folder in which it lies."""
        stamps: dict[tuple[str, ...], datetime] = {}
        for entry, owned in found:
            if _is_stamp(entry, owned):
                try:
                    stamps[owned.rest[:-1]] = time_of(entry.read(1000))
                except Unreadable as error:
                    self._note("refused", student, entry.path, str(error))
        return stamps

    def _look_at(self, entry: Entry, owned: Owned, looking: _Looking) -> None:
        student, stamps, candidates = looking.student, looking.stamps, looking.candidates
        if entry.problem:
            self._note("refused", student, entry.path, entry.problem)
            return
        if _is_zip(entry.name):
            self._note("refused", student, entry.path, "An archive within an archive is not opened.")
            return
        if not _is_notebook(entry.name):
            self._note("foreign", student, entry.path, "It is no notebook.")
            return
        stem, attempt = plain_stem(owned.rest[-1]), attempt_of(owned)
        by_name = self.course.masters.get(stem) or self.course.masters.get(stem.casefold())
        path = shown(entry.path, 300, lines=False)
        if looking.is_enough(by_name.name if by_name else "", path):
            return
        try:
            notebook = read_notebook(looking.budget.notebook(entry))
        except Unreadable as error:
            kind: NoteKind = "truncated" if isinstance(error, Truncated) else "refused"
            self._note(kind, student, entry.path, str(error))
            if by_name:
                candidates[by_name.name].append(
                    Candidate(
                        path=path, taken=None, why=str(error), answered=False,
                        submitted=stamp_of(owned.rest, stamps), attempt=attempt, exact=False, notes=(),
                        direct=not entry.export,
                    )
                )  # fmt: skip
            return
        master = matched(notebook, by_name, self.course)
        if master is None:
            self._note("foreign", student, entry.path, "It is a notebook of none of these exercises.")
            return
        if master is not by_name and looking.is_enough(master.name, path):
            return
        submitted = stamp_of(owned.rest, stamps)
        notes = self._late(owned, submitted, student, path)
        if master is not by_name:
            notes.append(
                Note(
                    kind="renamed", student=student, file=path,
                    message=f"By its metadata and grade ids it is {master.name}, and counts as that.",
                )
            )  # fmt: skip
        taken = take_answers(master, notebook, student=student, file=path)
        candidates[master.name].append(
            Candidate(
                path=path,
                taken=taken,
                why="",
                answered=is_answered(taken.bodies, released_answers(master)),
                submitted=submitted,
                attempt=attempt,
                exact=owned.rest[-1] == f"{master.name}.ipynb",
                notes=tuple(notes),
                direct=not entry.export,
            )
        )

    def _late(self, owned: Owned, submitted: datetime | None, student: str, path: str) -> list[Note]:
        message = ""
        if owned.late:
            message = "Canvas marks it as late."
        elif self.due and submitted and submitted > self.due:
            message = f"It came in {span((submitted - self.due).total_seconds())} after the deadline."
        return [Note(kind="late", student=student, file=path, message=message)] if message else []

    def _note(self, kind: NoteKind, student: str, file: str, message: str) -> None:
        path = shown(file, 300, lines=False)
        self.notes.append(
            Note(kind=kind, student=student, file=path, message=shown(message, 500, lines=False))
        )


def matched(notebook: SubmittedNotebook, by_name: Master | None, course: Course) -> Master | None:
    """The exercise that a notebook is of: what its content says, else what its name says."""
    masters = list(course.masters.values())
    told = [
        one
        for one in masters
        if notebook.title and (one.exercise.title, one.exercise.chapter) == (notebook.title, notebook.chapter)
    ]
    if by_name in told or len(told) == 1:
        return by_name if by_name in told else told[0]
    if by_name:
        return by_name
    # All of its cells must be there; where those of several exercises are, the one with most of them.
    sizes = {one.name: len(one.grade_ids) for one in masters if one.grade_ids <= notebook.grade_ids}
    largest = [name for name, size in sizes.items() if size == max(sizes.values())]
    return course.masters[largest[0]] if len(largest) == 1 else None


def _is_zip(name: str) -> bool:
    return name.lower().endswith(".zip")


def _is_notebook(name: str) -> bool:
    return name.lower().endswith(".ipynb")


def _is_stamp(entry: Entry, owned: Owned) -> bool:
    """Whether a file says when something came in. No LMS exports one: there it is the student's own.

    Nor does one that an archive beside a student's folder says is that student's: somebody else may have sent it.
    """
    return owned.rest[-1] == STAMP and not owned.exported and not entry.export


def _why_not(error: Exception) -> str:
    """What a note says of a file that could not be read, or led us astray."""
    if isinstance(error, Unreadable):
        return str(error)
    return f"It could not be looked at ({type(error).__name__}), which is a mistake of wasm-lab."


def _is_litter(parts: tuple[str, ...]) -> bool:
    return any(part in _LITTER or part.startswith("._") for part in parts)


def _raw_owner(parts: tuple[str, ...]) -> str:
    return parts[0].rpartition(".")[0] if len(parts) == 1 else parts[0]
