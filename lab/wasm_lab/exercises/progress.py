"""How far a learner is: one small file of theirs, which outlives upgrades, damage and exercises that go.

A release may add, rename or drop exercises. What the file says of one that this release does not know
stays in it, and so does everything that a newer release wrote into a record.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wasm_lab.exercises.notebook import Exercise

#: Layout of the file. A file of a later layout is read as far as it is understood, and not written.
VERSION = 1

#: Seconds to wait for another process that writes the file.
_LOCK_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is kept of one exercise. Times are ISO 8601, UTC; empty where it has not happened."""

    started_at: str = ""
    touched_at: str = ""  #: opened or checked last
    solved_at: str = ""
    checks: int = 0
    hints: int = 0  #: how many were shown
    points: float = 0.0  #: of the last check
    path: str = ""  #: the learner's copy

    @property
    def state(self) -> str:
        """``solved``, ``started`` or ``open``."""
        return "solved" if self.solved_at else "started" if self.started_at else "open"


class Progress:
    """The file, read once and written at every change.

    Nothing here raises for a file that is damaged or cannot be written: learning goes on, and `notice`
    says what is lost.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notice = ""  #: what is amiss with the file, for the learner to read
        self._content = self._read()

    @classmethod
    def own(cls) -> Progress:
        """The file of whoever runs this."""
        import platformdirs

        return cls(Path(platformdirs.user_data_dir("wasm-lab", appauthor=False)) / "exercises.json")

    def names(self) -> list[str]:
        """Every exercise that the file knows, of this release or not."""
        return list(self._exercises())

    def of(self, exercise: Exercise) -> Record:
        """What is kept of an exercise, under its name or one that it had before."""
        known = self._exercises()
        name = next((each for each in (exercise.name, *exercise.formerly) if each in known), "")
        return _record(known.get(name))

    def update(self, exercise: Exercise, **changes: Any) -> Record:
        """Keep changes of a record; the time of the last touch is kept with them."""
        with self._locked():
            self._content = self._read()
            known = self._exercises()
            record = replace(self.of(exercise), touched_at=now(), **changes)
            former = [known.pop(name) for name in exercise.formerly if name in known]
            before = known.get(exercise.name) or next(iter(former), None)
            known[exercise.name] = {**(before if isinstance(before, dict) else {}), **_plain(record)}
            self._write()
        return record

    def _exercises(self) -> dict[str, Any]:
        known = self._content.get("exercises")
        if not isinstance(known, dict):
            known = self._content["exercises"] = {}
        return known

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {"version": VERSION}
        except OSError as error:
            self.notice = f"Progress cannot be read from {self.path}: {error.strerror}."
            return {"version": VERSION}
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            self.notice = f"The record of your progress was damaged. It is kept as {self._put_aside()}."
            return {"version": VERSION}
        return content

    def _put_aside(self) -> Path:
        number = 1
        while (aside := self.path.with_name(f"exercises.damaged-{number}.json")).exists():
            number += 1
        try:
            self.path.rename(aside)
        except OSError:
            return self.path
        return aside

    def _locked(self) -> Any:
        import contextlib

        from filelock import FileLock

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            return contextlib.nullcontext()
        return _Patient(FileLock(self.path.with_suffix(".lock"), timeout=_LOCK_S))

    def _write(self) -> None:
        from boltons.fileutils import atomic_save

        version = self._content.get("version")
        if isinstance(version, int) and version > VERSION:
            self.notice = (
                f"{self.path} was written by a newer wasm-lab (layout {version}), so nothing is added to it."
            )
            return
        self._content["version"] = VERSION
        try:
            with atomic_save(str(self.path), overwrite=True) as stream:
                stream.write(json.dumps(self._content, indent=1, ensure_ascii=False).encode() + b"\n")
        except OSError as error:
            self.notice = f"Progress is not kept: {self.path} cannot be written ({error.strerror})."


class _Patient:
    """A lock that is waited for, and done without where it cannot be had: a record is no reason to stop."""

    def __init__(self, lock: Any) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        import contextlib

        with contextlib.suppress(OSError, NotImplementedError):  # filelock's Timeout is an OSError
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def now() -> str:
    """This moment, as records have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _record(value: Any) -> Record:
    """A record from what the file has; parts of another type than ours count as not there."""
    if not isinstance(value, dict):
        return Record()
    kinds: dict[str, type | tuple[type, ...]] = {"checks": int, "hints": int, "points": (int, float)}
    known = {
        part.name: value[part.name]
        for part in fields(Record)
        if part.name in value and isinstance(value[part.name], kinds.get(part.name, str))
    }
    return Record(**known)


def _plain(record: Record) -> dict[str, Any]:
    return {part.name: getattr(record, part.name) for part in fields(record)}
