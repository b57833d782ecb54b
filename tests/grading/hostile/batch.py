"""All hostile submissions as one batch: written, graded by the real command, and what came of each."""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .course import HIDDEN_NUMBER, PARTLY, SOLUTIONS, World, handed_in, write_course
from .file_attacks import ARCHIVES, NAMES, NOTEBOOKS, Files, harmless, honest
from .rust_attacks import COMPILE, LISTS, PROGRAMS, RUN, filled
from .text_attacks import CHOICE, TOML, YAML

#: Students who do nothing strange: one has all points, one some.
HONEST = {
    "honest-one": {**SOLUTIONS},
    "honest-two": {"functions": PARTLY, "totals": 'fn main() { println!("7"); }', "toml": "port = 8081", "choice": "no"},
}  # fmt: skip

#: Of a report's folder, what is handed out or goes into an LMS.
_FOR_STUDENTS = ("students", "feedback", "moodle", "canvas")

#: For a whole notebook. An attack may use all of it, and 2 s more.
DEADLINE_S, BEYOND_S = 30.0, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One hostile submission."""

    kind: str  #: its class
    name: str
    files: Callable[[World], Files]
    deserves: float = 0.0  #: points of the tests that its text has without any attack
    of: str = ""  #: the student as whom it is listed; empty where it chose a name, or is nobody's

    @property
    def id(self) -> str:
        return f"{self.kind}: {self.name}"


def attacks() -> list[Attack]:
    """All of them, always in the same order."""
    found: list[Attack] = []

    def add(
        kind: str, name: str, make: Callable[[str, World], Files], *, own: bool = True, deserves: float = 0.0
    ) -> None:
        student = f"x{len(found):03} " + re.sub(r"[^a-z]+", " ", f"{kind} {name}".lower()).strip()
        found.append(
            Attack(
                kind=kind,
                name=name,
                files=lambda world: make(student, world),
                deserves=deserves,
                of=student if own else "",
            )
        )

    def bodies(exercise: str, classes: dict[str, dict[str, str]]) -> None:
        for kind, variants in classes.items():
            for name, body in variants.items():
                add(kind, name, _handed(exercise, body))

    bodies("functions", COMPILE)
    bodies("functions", RUN)
    bodies("totals", PROGRAMS)
    bodies("lists", LISTS)
    bodies("yaml", YAML)
    bodies("toml", TOML)
    bodies("choice", CHOICE)
    for classes, own in ((NOTEBOOKS, True), (ARCHIVES, True), (NAMES, False)):
        for kind, made in classes.items():
            for name, make in made.items():
                add(kind, name, make, own=own)
    add("right answers, hostile surroundings", "all", harmless, deserves=5.0)
    return found


def some(every: int) -> list[Attack]:
    """At least one of each class, and one of so many of each."""
    chosen, counts = [], dict[str, int]()
    for attack in attacks():
        number = counts.get(attack.kind, 0)
        counts[attack.kind] = number + 1
        if number % every == 0:
            chosen.append(attack)
    return chosen


def _handed(exercise: str, body: str) -> Callable[[str, World], Files]:
    def make(student: str, world: World) -> Files:
        notebook = handed_in(exercise, filled(body, world))
        return {f"{student}/{exercise}.ipynb": json.dumps(notebook).encode()}

    return make


@dataclass(slots=True)
class Graded:
    """A graded batch."""

    report: dict[str, Any]  #: as the command prints it
    leaks: list[str] = field(default_factory=list)  #: where something stands that nobody should have
    touched: list[str] = field(default_factory=list)  #: what was reached or changed outside

    def of(self, student: str) -> list[dict[str, Any]]:
        """The outcomes of a student, without their times."""
        mine = [dict(one) for one in self.report["outcomes"] if one["student"] == student]
        for one in mine:
            del one["duration_ns"]
        return mine


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one attack."""

    attack: Attack
    statuses: tuple[str, ...]
    points: float
    seconds: float

    @property
    def passed(self) -> bool:
        return self.points > self.attack.deserves

    @property
    def beyond_s(self) -> float:
        """Seconds after its deadline until it was ended."""
        return max(0.0, self.seconds - DEADLINE_S)


class Batch:
    """A place with a course, a batch and things around it that must not be touched."""

    def __init__(self, folder: Path, chosen: Sequence[Attack]) -> None:
        self.folder = folder
        self.chosen = chosen
        self.course = write_course(folder / "course")
        self._outside = folder / "outside"
        self._outside.mkdir()
        self._token = "secret-canary-" + "9c41e07b"
        self._connections = 0

    def grade(
        self, name: str, students: dict[str, dict[str, str]], *, hostile: bool, jobs: int = 2
    ) -> Graded:
        """Grade the honest students by the command, with the attackers among them or alone."""
        with self._world() as world:
            root = self.folder / name
            for student, bodies in students.items():
                _write(root, honest(student, bodies))
            for attack in self.chosen if hostile else ():
                _write(root, attack.files(world))
            before = self._around()
            out = self.folder / f"{name}-report"
            report = self._command(world, root, out, jobs)
            graded = Graded(report)
            graded.leaks = [*_leaks(out, self._token), *_leaks(self.folder / "cache", self._token)]
            after = self._around()
            graded.touched = sorted(f"changed: {path}" for path in before.items() ^ after.items())
            graded.touched += [f"connected {self._connections} times"] * bool(self._connections)
            return graded

    def verdicts(self, graded: Graded) -> list[Verdict]:
        """What came of each attack. One under a name of its own choice is found by what is left over."""
        own = {attack.of for attack in self.chosen}
        by_student: dict[str, list[dict[str, Any]]] = {}
        for outcome in graded.report["outcomes"]:
            by_student.setdefault(outcome["student"], []).append(outcome)
        rest = [
            one for name, some in by_student.items() if name not in own and name not in HONEST for one in some
        ]
        found = []
        for attack in self.chosen:
            mine = by_student.get(attack.of, []) if attack.of else rest
            found.append(
                Verdict(
                    attack=attack,
                    statuses=tuple(sorted({one["status"] for one in mine} - {"missing"})),
                    points=max((_points(one) for one in mine), default=0.0)
                    if not attack.of
                    else sum(map(_points, mine)),
                    seconds=max((one["duration_ns"] for one in mine), default=0) / 1e9,
                )
            )
        return found

    def _command(self, world: World, root: Path, out: Path, jobs: int) -> dict[str, Any]:
        env = os.environ | {
            world.variable: world.token,
            "WASM_LAB_CACHE": str(self.folder / "cache"),
            "NO_COLOR": "1",
        }
        command = [
            sys.executable,
            "-c",
            "from wasm_lab.cli import main; main()",
            "grade",
            str(root),
            "--json",
        ]
        command += [
            "--master",
            str(self.course),
            "--out",
            str(out),
            "--jobs",
            str(jobs),
            "--deadline",
            str(DEADLINE_S),
        ]
        done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=self._outside)
        if done.returncode not in (0, 1):
            raise AssertionError(f"{done.returncode}: {done.stderr[-3000:]}")
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def _around(self) -> dict[str, str]:
        """What lies outside, with its text; and what attacks would leave elsewhere."""
        found = {str(path): path.read_text() if path.is_file() else "" for path in self._outside.rglob("*")}
        for place in (self.folder, Path("/tmp"), Path.cwd()):
            found |= {str(path): "" for path in place.glob("*evil*")}
        found |= {str(path): path.read_text() for path in self.course.rglob("*.ipynb")}
        return found

    @contextmanager
    def _world(self) -> Iterator[World]:
        secret = self._outside / "secret"
        secret.write_text(f"pub const SECRET: &str = {json.dumps(self._token)};\n")
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.settimeout(0.2)
            ended = threading.Event()
            waiting = threading.Thread(target=self._listen, args=(listening, ended))
            waiting.start()
            try:
                yield World(
                    secret=secret, token=self._token, variable="HOSTILE_CANARY",
                    port=listening.getsockname()[1], home=self.folder,
                )  # fmt: skip
            finally:
                ended.set()
                waiting.join()

    def _listen(self, listening: socket.socket, ended: threading.Event) -> None:
        while not ended.is_set():
            try:
                listening.accept()[0].close()
                self._connections += 1
            except TimeoutError:
                continue


def _points(outcome: dict[str, Any]) -> float:
    return sum(cell["points"] or 0.0 for cell in outcome["cells"] if cell["kind"] == "auto")


def _write(root: Path, files: Files) -> None:
    for name, content in files.items():
        path = os.fsencode(str(root)) + b"/" + name.encode("utf-8", "surrogateescape")
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - names that are no text
        if isinstance(content, str):
            os.symlink(content.encode(), path)  # noqa: PTH211
        else:
            with open(path, "wb") as file:  # noqa: PTH123
                file.write(content)


def _leaks(folder: Path, token: str) -> list[str]:
    """Files below that hold the secret; or, where students read them, something of a hidden test."""
    found = []
    hidden = [str(HIDDEN_NUMBER + change).encode() for change in (-3, 0, 1)]
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        data = _dump(path) if path.suffix == ".db" else path.read_bytes()
        if token.encode() in data:
            found.append(f"the secret: {path.relative_to(folder)}")
        open_to_students = path.relative_to(folder).parts[0].startswith(_FOR_STUDENTS)
        if open_to_students and any(word in data for word in hidden):
            found.append(f"a hidden test: {path.relative_to(folder)}")
    return found


def _dump(path: Path) -> bytes:
    with sqlite3.connect(path) as database:
        return "\n".join(database.iterdump()).encode()
