"""Where the exercises of this course are: in a checkout, else in the wheel."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from wasm_lab.errors import ExerciseError
from wasm_lab.exercises.notebook import Exercise


@dataclass(frozen=True, slots=True)
class Course:
    """A folder with ``source`` (masters), ``release`` and ``wrong`` (answers with a misconception)."""

    folder: Path

    @classmethod
    def own(cls) -> Course:
        """The exercises that come with the lab.

        Raises:
            ExerciseError: this installation has none.
        """
        package = Path(str(resources.files("wasm_lab")))
        for folder in (package.parent.parent / "exercises", package / "course"):
            if (folder / "release").is_dir() or (folder / "source").is_dir():
                return cls(folder)
        raise ExerciseError(
            "This installation of wasm-lab has no exercises.", hint="Install the wheel of a release again."
        )

    @property
    def source(self) -> Path:
        return self.folder / "source"

    @property
    def release(self) -> Path:
        return self.folder / "release"

    def masters(self) -> list[Path]:
        """Every master, by chapter and name."""
        return sorted(self.source.glob("*/*.ipynb"))

    def released(self) -> list[Exercise]:
        """Every released exercise in the order in which a learner meets them: by chapter, short ones first.

        A file that is broken is passed over: the others can still be learnt from.
        """
        found = []
        for path in sorted(self.release.glob("*/*.ipynb")):
            try:
                found.append(Exercise.read(path))
            except ExerciseError:
                continue
        return sorted(found, key=lambda exercise: (exercise.chapter, exercise.minutes, exercise.name))

    def master_of(self, exercise: Exercise) -> Path | None:
        """The master of a released exercise, where this installation has it."""
        path = self.source / exercise.chapter / f"{exercise.name}.ipynb"
        return path if path.is_file() else None

    def wrong_answers(self, name: str) -> dict[str, dict[str, str]]:
        """The answers with a misconception: for each, the bodies by grade id.

        Where an exercise has one answer cell, a file holds its body, here under an empty grade id.
        """
        folder = self.folder / "wrong" / name
        found: dict[str, dict[str, str]] = {}
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            if path.is_dir():
                found[path.name] = {file.stem: file.read_text("utf-8") for file in sorted(path.iterdir())}
            else:
                found[path.stem] = {"": path.read_text("utf-8")}
        return found
