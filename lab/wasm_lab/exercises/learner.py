"""The learner's loop: where they stand, the next exercise, a check, a hint, a fresh beginning."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import ExerciseError
from wasm_lab.exercises.checking import check_answers
from wasm_lab.exercises.copies import copy_of, linked_chapter, read_answers
from wasm_lab.exercises.course import Course
from wasm_lab.exercises.notebook import Exercise
from wasm_lab.exercises.progress import Progress, now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasm_lab.exercises.checking import Verdict
    from wasm_lab.exercises.progress import Record

#: Where copies go, in the current folder.
FOLDER = "wasm-lab-exercises"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One exercise and how far the learner is with it."""

    exercise: Exercise
    record: Record

    @property
    def state(self) -> str:
        """``solved``, ``started`` or ``open``."""
        return self.record.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a learner stands."""

    places: tuple[Place, ...]  #: every exercise of this release, in the order to take them
    current: Place | None  #: begun last and not solved
    following: Place | None  #: what comes next; None when all is solved
    vanished: int = 0  #: recorded exercises that this release does not have

    @property
    def solved(self) -> int:
        """How many are solved."""
        return sum(place.state == "solved" for place in self.places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A learner's copy that is ready to be worked on."""

    exercise: Exercise
    path: Path
    chapter: Path | None  #: what to read before
    fresh: bool  #: made just now
    kept: Path | None = None  #: after a reset: the earlier copy


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One hint of an exercise."""

    exercise: Exercise
    number: int  #: from 1; 0 where the exercise has none
    text: str


class Learner:
    """One learner in one folder.

    Args:
        folder: where copies are; `find_folder` says which where none is given.
        course: whose exercises; the lab's own unless told otherwise.
        progress: the learner's own unless told otherwise.
    """

    def __init__(
        self, folder: Path, *, course: Course | None = None, progress: Progress | None = None
    ) -> None:
        self.folder = folder
        self.course = course or Course.own()
        self.progress = progress or Progress.own()
        self.exercises = self.course.released()
        if not self.exercises:
            raise ExerciseError(f"There are no released exercises in {self.course.release}.")

    def named(self, name: str) -> Exercise:
        """The exercise of a name, a former name, or of a file.

        Raises:
            ExerciseError: there is none; the message has those that are like it.
        """
        import difflib

        wanted = Path(name).stem if name.endswith(".ipynb") else name
        if found := self._called(wanted):
            return found
        close = difflib.get_close_matches(
            wanted, [exercise.name for exercise in self.exercises], n=3, cutoff=0.5
        )
        raise ExerciseError(
            f"There is no exercise {wanted}.",
            hint=f"Did you mean {' or '.join(close)}?"
            if close
            else "wasm-lab exercises list has all of them.",
        )

    def of_file(self, path: Path) -> Exercise | None:
        """The exercise whose copy a notebook is: by its name, else (renamed) by its title; None when of none."""
        if found := self._called(path.stem):
            return found
        try:
            copy = Exercise.read(path)
        except ExerciseError:
            return None
        same = [one for one in self.exercises if (one.title, one.chapter) == (copy.title, copy.chapter)]
        return same[0] if same else None

    def standing(self) -> Standing:
        """Where the learner stands, from the record alone: nothing is run."""
        places = tuple(
            Place(exercise=exercise, record=self.progress.of(exercise)) for exercise in self.exercises
        )
        begun = [place for place in places if place.state == "started"]
        current = max(begun, key=lambda place: place.record.touched_at, default=None)
        known = {name for exercise in self.exercises for name in (exercise.name, *exercise.formerly)}
        return Standing(
            places=places,
            current=current,
            following=_following(places),
            vanished=len(set(self.progress.names()) - known),
        )

    def open(self, name: str = "", *, skip: bool = False) -> Opened:
        """Make the copy of an exercise ready: the named one, else the current one, else the next.

        Args:
            skip: leave the current one for later.

        Raises:
            ExerciseError: there is no such exercise, none is left, or its copy cannot be written.
        """
        standing = self.standing()
        if name:
            exercise = self.named(name)
        elif standing.current and not skip:
            exercise = standing.current.exercise
        else:
            place = _after(standing) if skip else standing.following
            if place is None:
                raise ExerciseError(
                    "Every exercise is solved."
                    if standing.solved == len(standing.places)
                    else "There is no other exercise left: all others are begun or solved.",
                    hint="One again from the beginning: wasm-lab exercises reset NAME",
                )
            exercise = place.exercise
        path = self.path_of(exercise)
        fresh = not path.exists()
        if fresh:
            self._write(exercise, path)
        record = self.progress.of(exercise)
        self.progress.update(exercise, started_at=record.started_at or now(), path=str(path.absolute()))
        return Opened(exercise=exercise, path=path, chapter=self._chapter(exercise), fresh=fresh)

    def path_of(self, exercise: Exercise) -> Path:
        """Where the copy is: in the folder, else where it was made; in the folder if it is nowhere."""
        here = self.folder / exercise.chapter / f"{exercise.name}.ipynb"
        if here.exists():
            return here
        former = [self.folder / exercise.chapter / f"{name}.ipynb" for name in exercise.formerly]
        recorded = self.progress.of(exercise).path
        known = [*former, *([Path(recorded)] if recorded else [])]
        return next((path for path in known if path.is_file()), here)

    def check(
        self, name: str = "", *, path: Path | None = None, live: Mapping[str, str] | None = None
    ) -> Verdict:
        """Run the tests on a copy and keep the outcome.

        Args:
            name: of the exercise; that of the copy, else the current one, when it is empty.
            path: the copy, where it is not in its usual place.
            live: bodies that a kernel executed after the copy was saved, by magic line.

        Raises:
            ExerciseError: nothing was begun, or the copy cannot be used.
        """
        if path and not name:
            exercise = self.of_file(path) or self.named(path.name)
        else:
            exercise = self.named(name) if name else self.current()
        path = path or self.path_of(exercise)
        if not path.is_file():
            raise ExerciseError(
                f"{exercise.name} has not been begun: there is no {path}.",
                hint=f"wasm-lab exercises next {exercise.name}",
            )
        answers = read_answers(path, exercise, live)
        verdict = check_answers(exercise, self.course.master_of(exercise), answers)
        record = self.progress.of(exercise)
        self.progress.update(
            exercise,
            checks=record.checks + 1,
            points=verdict.points,
            started_at=record.started_at or now(),
            solved_at=record.solved_at or (now() if verdict.solved else ""),
            path=str(path.absolute()),
        )
        return replace(verdict, file=str(path))

    def copies(self) -> list[Exercise]:
        """Every exercise of which there is a copy, recorded or not."""
        return [exercise for exercise in self.exercises if self.path_of(exercise).is_file()]

    def hint(self, name: str = "") -> Hint:
        """The next hint; the last one again when all were shown."""
        exercise = self.named(name) if name else self.current()
        record = self.progress.of(exercise)
        number = min(record.hints + 1, len(exercise.hints))
        if number:
            self.progress.update(exercise, hints=number, started_at=record.started_at or now())
        text = exercise.hints[number - 1] if number else "This exercise has no hints."
        return Hint(exercise=exercise, number=number, text=text)

    def reset(self, name: str = "") -> Opened:
        """A fresh copy; the earlier one stays beside it, under another name.

        Raises:
            ExerciseError: there is no such exercise, or the file cannot be written.
        """
        exercise = self.named(name) if name else self.current()
        path = self.path_of(exercise)
        kept = _put_beside(path) if path.exists() else None
        self._write(exercise, path)
        record = self.progress.of(exercise)
        self.progress.update(
            exercise, started_at=record.started_at or now(), solved_at="", hints=0, path=str(path.absolute())
        )
        return Opened(exercise=exercise, path=path, chapter=self._chapter(exercise), fresh=True, kept=kept)

    def current(self) -> Exercise:
        """The exercise that was begun last and is not solved, else the one touched last.

        Raises:
            ExerciseError: none was begun.
        """
        standing = self.standing()
        if standing.current:
            return standing.current.exercise
        touched = [place for place in standing.places if place.record.touched_at]
        if not touched:
            raise ExerciseError(
                "No exercise has been begun.", hint="Begin with the first one: wasm-lab exercises next"
            )
        return max(touched, key=lambda place: place.record.touched_at).exercise

    def _called(self, name: str) -> Exercise | None:
        """The exercise that has this name, or had it before."""
        return next((one for one in self.exercises if name in (one.name, *one.formerly)), None)

    def _write(self, exercise: Exercise, path: Path) -> None:
        from boltons.fileutils import atomic_save

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            chapters = self._chapters_folder(exercise)
            link = Path(os.path.relpath(chapters, path.parent)).as_posix()
            with atomic_save(str(path), overwrite=True) as stream:
                stream.write(copy_of(exercise, link).encode())
            self._copy_files(exercise, path.parent)
        except OSError as error:
            raise ExerciseError(
                f"{path} cannot be written: {error.strerror}.", hint="Choose another folder with --folder."
            ) from error

    def _chapters_folder(self, exercise: Exercise) -> Path:
        """The folder of chapters that a copy links to: a checkout's own, else one beside the copies."""
        name = linked_chapter(exercise)
        beside = self.folder.absolute().parent / "notebooks"
        if (beside / name).is_file():
            return beside
        own = self.folder.absolute() / "notebooks"
        origin = self._chapter(exercise)
        if origin and not (own / name).exists():
            own.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, own / name)
        return own

    def _chapter(self, exercise: Exercise) -> Path | None:
        name = linked_chapter(exercise) or f"{exercise.chapter}.ipynb"
        # beside the exercises, in a checkout and in the wheel alike
        path = self.course.folder.parent / "notebooks" / name
        return path if path.is_file() else None

    def _copy_files(self, exercise: Exercise, folder: Path) -> None:
        """What lies beside a released exercise and is no exercise: files that it reads."""
        origin = exercise.path.parent if exercise.path else None
        if origin is None or origin.resolve() == folder.resolve():
            return
        for file in origin.iterdir():
            if file.is_file() and file.suffix != ".ipynb" and not (folder / file.name).exists():
                shutil.copyfile(file, folder / file.name)


def find_folder(start: Path) -> Path:
    """The folder of copies for someone who is in ``start``: the one that it is in, else one below it."""
    for folder in (start, *start.parents):
        if folder.name == FOLDER:
            return folder
    return start / FOLDER


def _following(places: tuple[Place, ...]) -> Place | None:
    """What is to be done next: what was begun, else the first open one behind the last solved one, else any."""
    unsolved = [place for place in places if place.state != "solved"]
    begun = [place for place in unsolved if place.state == "started"]
    if begun:
        return max(begun, key=lambda place: place.record.touched_at)
    solved = [number for number, place in enumerate(places) if place.state == "solved"]
    behind = [place for place in places[max(solved, default=-1) + 1 :] if place.state == "open"]
    return next(iter([*behind, *unsolved]), None)


def _after(standing: Standing) -> Place | None:
    """The first exercise behind the current one that was not begun, else any such before it."""
    names = [place.exercise.name for place in standing.places]
    at = names.index(standing.current.exercise.name) if standing.current else -1
    around = [*standing.places[at + 1 :], *standing.places[: max(at, 0)]]
    return next((place for place in around if place.state == "open"), None)


def _put_beside(path: Path) -> Path:
    number = 1
    while (beside := path.with_name(f"{path.stem}.before-reset-{number}{path.suffix}")).exists():
        number += 1
    try:
        return path.rename(beside)
    except OSError as error:
        raise ExerciseError(f"{path} cannot be put beside: {error.strerror}.") from error
