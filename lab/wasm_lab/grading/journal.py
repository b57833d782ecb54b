"""The journal of a report folder: what was graded, kept line by line so that no kill or power cut loses it.

A line is written and on the disk before its outcome counts as done. A last line that is cut off was not, and is
dropped. Nothing is ever changed in place; of two lines for one submission the later one holds.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from wasm_lab.errors import UsageError
from wasm_lab.grading.nouns import Outcome, from_record, record_of

if TYPE_CHECKING:
    from pathlib import Path

NAME = "journal.jsonl"
_LOCK = "journal.lock"


@dataclass(frozen=True, slots=True)
class Selection:
    """What a run was asked to grade; empty for everything."""

    exercises: tuple[str, ...] = ()
    students: tuple[str, ...] = ()


@dataclass(slots=True)
class _Read:
    """What a journal says."""

    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    #: Submissions graded in the last run that was begun, with what it was asked for; None when it ended.
    open_run: Selection | None = None
    in_open_run: set[tuple[str, str]] = field(default_factory=set)
    scope: set[str] = field(default_factory=set)  #: every exercise that a report of this folder is about
    whole_bytes: int = 0  #: up to the end of the last whole line


class Journal:
    """The journal of one folder, held by one grader at a time.

    Raises:
        UsageError: another grader holds it, or the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        from filelock import FileLock, Timeout

        try:
            # Hidden tests and everybody's marks will stand in it.
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = FileLock(folder / _LOCK)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise UsageError(
                f"Another wasm-lab grade is writing to {folder}.",
                hint="Wait for its end, or name another folder with --out.",
            ) from None
        except OSError as error:
            raise UsageError(
                f"{folder} cannot be written: {error.strerror}.", hint="Name another folder with --out."
            ) from None
        try:
            path = folder / NAME
            self._read = _read(path)
            # Opened to be written anywhere, because what follows the last whole line is cut off.
            self._file: IO[bytes] = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")  # noqa: PTH123, SIM115
            self._file.truncate(self._read.whole_bytes)
            self._file.seek(0, os.SEEK_END)
            _sync_folder(folder)
        except OSError as error:
            self._lock.release()
            raise UsageError(f"{folder / NAME} cannot be written: {error.strerror}.") from None

    def begin(self, selection: Selection, scope: set[str]) -> bool:
        """Say that a run begins; True when it goes on with one of the same selection that did not end.

        Args:
            scope: the exercises that it is about.
        """
        again = self._read.open_run == selection
        record = {"exercises": selection.exercises, "students": selection.students}
        line = {"began": record, "scope": sorted(scope), "again": again}
        self._write(line)
        _take(line, self._read)
        return again

    def end(self) -> None:
        """Say that the run has ended."""
        self._write({"ended": True})

    @property
    def scope(self) -> set[str]:
        return set(self._read.scope)

    def outcome(self, student: str, exercise: str) -> Outcome | None:
        """What became of a submission when it was last graded."""
        return self._read.outcomes.get((student, exercise))

    def graded_in_this_run(self, student: str, exercise: str) -> bool:
        """Whether that was in the run that goes on now."""
        return (student, exercise) in self._read.in_open_run

    def keep(self, outcome: Outcome) -> None:
        """Keep an outcome. On return it is on the disk."""
        self._write({"outcome": record_of(outcome)})
        self._read.outcomes[outcome.student, outcome.exercise] = outcome

    def close(self) -> None:
        self._file.close()
        self._lock.release()

    def _write(self, record: dict[str, Any]) -> None:
        try:
            # In ASCII, so that a text of half a character is kept as it is.
            self._file.write(json.dumps(record, ensure_ascii=True, sort_keys=True).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise UsageError(
                f"The journal of the report cannot be written: {error.strerror}.",
                hint="What is in it stays. Make room, and run the same command again.",
            ) from None


def _read(path: Path) -> _Read:
    found = _Read()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return found
    for line in data.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break  # it was being written
        found.whole_bytes += len(line)
        try:
            _take(json.loads(line), found)
        except (ValueError, TypeError, KeyError, UsageError):
            continue  # damaged, or of another version: what it was about is graded again
    return found


def _take(record: dict[str, Any], found: _Read) -> None:
    if "outcome" in record:
        outcome = from_record(Outcome, record["outcome"])
        found.outcomes[outcome.student, outcome.exercise] = outcome
        found.in_open_run.add((outcome.student, outcome.exercise))
    elif "began" in record:
        began = record["began"]
        found.open_run = Selection(tuple(began["exercises"]), tuple(began["students"]))
        # A run over everything says anew what the report is about: it may be of another week.
        found.scope = set(record["scope"]) | (found.scope if found.open_run != Selection() else set())
        if not record["again"]:
            found.in_open_run.clear()
    elif "ended" in record:
        found.open_run = None
        found.in_open_run.clear()


def _sync_folder(folder: Path) -> None:
    """Have the folder's entry of a new file on the disk too."""
    if os.name == "posix":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
