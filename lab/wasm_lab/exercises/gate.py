"""What an exercise must hold before learners get it: its metadata, its tests, its secrets, its wrong answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.errors import ExerciseError, WasmLabError
from wasm_lab.exercises.markers import (
    BEGIN_HIDDEN,
    BEGIN_SOLUTION,
    END_HIDDEN,
    END_SOLUTION,
    without_markers,
)
from wasm_lab.exercises.notebook import Exercise, Role
from wasm_lab.exercises.release import released_text
from wasm_lab.exercises.running import run_exercise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from wasm_lab.exercises.cases import CaseResult
    from wasm_lab.exercises.course import Course
    from wasm_lab.exercises.notebook import Cell
    from wasm_lab.exercises.running import Checked

#: Lines of a solution or hidden test that are shorter than this stand anywhere: ``}``, ``Ok(())``.
SECRET_LETTERS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Master:
    """A master with its released form and the answers that it must catch."""

    full: Exercise
    released: Exercise
    wrong: Mapping[str, Mapping[str, str]]  #: bodies by grade id, for each misconception

    @classmethod
    def load(cls, path: Path, course: Course | None) -> Master:
        """Read a master and make its released form.

        Args:
            course: where its wrong answers are; None: it has none.

        Raises:
            ExerciseError: it cannot be read or released.
            UsageError: nbgrader is not installed.
        """
        full = Exercise.read(path)
        text = released_text(path.read_text("utf-8"), label=str(path))
        released = Exercise.parse(text, name=full.name, chapter=full.chapter)
        found = course.wrong_answers(full.name) if course else {}
        wrong = {name: _bodies(full, name, bodies) for name, bodies in found.items()}
        return cls(full=full, released=released, wrong=wrong)

    def hidden(self, case: CaseResult) -> bool:
        """Whether a case is not to be seen in the released form."""
        return self.released.hides(case.name)


def _bodies(full: Exercise, name: str, bodies: Mapping[str, str]) -> dict[str, str]:
    if "" not in bodies:
        return dict(bodies)
    if len(full.answers) != 1:
        raise ExerciseError(
            f"{full.name} has {len(full.answers)} answer cells, and the wrong answer {name} is one file.",
            hint=f"Make a folder wrong/{full.name}/{name}/ with a file for each, named as its grade id.",
        )
    return {full.answers[0].grade_id: bodies[""]}


def problems(master: Master) -> Iterator[str]:
    """Everything that is wrong with an exercise, a sentence each; nothing when it is as it must be."""
    yield from wrong_metadata(master.full)
    if any(_is_python(cell) for cell in master.full.cells):
        return  # what is executed below would run it outside of the sandbox
    yield from leaks(master)
    yield from wrong_solution(master)
    yield from wrong_unsolved(master)
    yield from wrong_answers(master)


def wrong_metadata(full: Exercise) -> Iterator[str]:
    """What is missing in the metadata of notebook and cells."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", full.name):
        yield f"The file's name {full.name} is not in snake_case."
    told = full.notebook.get("metadata", {}).get("wasm_lab", {}).get("exercise", {})
    for key in ("title", "chapter", "minutes", "hints"):
        if not told.get(key):
            yield f"The notebook's metadata has no wasm_lab.exercise.{key}."
    if full.path and told.get("chapter") not in (None, full.path.parent.name):
        yield (
            f"Its folder is {full.path.parent.name}, and its metadata `wasm_lab.exercise.chapter` says "
            f"{told['chapter']}."
        )
    if len(full.hints) < 2:
        yield "It has fewer than two hints."
    # A course of one's own may have its chapters anywhere on the web.
    to_chapter = re.compile(rf"\]\((https?://|[^)]*{re.escape(full.chapter)})[^)]*\)")
    if not any(to_chapter.search(cell.text) for cell in full.cells if cell.kind == "markdown"):
        yield "Its text has no link to its chapter, nor to a page on the web."
    if full.notebook.get("nbformat_minor", 0) < 5 or not all(cell.id for cell in full.cells):
        yield "Cells have no ids: save it as nbformat 4.5."
    if any(cell.get("outputs") or cell.get("execution_count") for cell in full.notebook["cells"]):
        yield "It has outputs; masters are stored without."
    yield from _wrong_cells(full)


def _wrong_cells(full: Exercise) -> Iterator[str]:
    ids = [cell.grade_id for cell in full.cells]
    for each in sorted({each for each in ids if each and ids.count(each) > 1}):
        yield f"Two cells have the grade id {each}."
    if not full.answers and not full.written:
        yield "It has no answer cell."
    if not full.tests:
        yield "It has no test cell."
    for cell in full.cells:
        told = full.notebook["cells"][cell.index].get("metadata", {}).get("nbgrader")
        where = f"Cell {cell.grade_id or cell.index + 1}"
        if told is None or not cell.grade_id:
            yield f"{where} has no nbgrader metadata with a grade_id."
            continue
        if told.get("schema_version") != 3:
            yield f"{where}: schema_version is {told.get('schema_version')} and must be 3."
        if cell.role in (Role.GIVEN, Role.TEST) and not told.get("locked"):
            yield f"{where} is not locked."
        if cell.role is Role.TEST and not cell.points:
            yield f"{where} gives no points."
        if _is_python(cell):
            yield (
                f"{where} is an answer without a magic line. Python answers are refused: what a student writes "
                "runs in a Wasm sandbox or not at all."
            )
        if cell.role is Role.ANSWER and BEGIN_SOLUTION not in cell.body:
            yield f"{where} has no {BEGIN_SOLUTION}."
        if cell.role is Role.TEST and BEGIN_HIDDEN not in cell.text and BEGIN_SOLUTION in cell.text:
            yield f"{where} is a test with a solution in it."


def _is_python(cell: Cell) -> bool:
    """Whether it is an answer that Python would execute; that of a person's marking too."""
    return cell.kind == "code" and cell.role in (Role.ANSWER, Role.WRITTEN) and not cell.magic


def leaks(master: Master) -> Iterator[str]:
    """Lines of solutions and hidden tests that stand in the released form."""
    released = "\n".join(cell.text for cell in master.released.cells)
    for marker in (BEGIN_SOLUTION, END_SOLUTION, BEGIN_HIDDEN, END_HIDDEN):
        if marker in released:
            yield f"The released form has {marker}."
    public = _normal(released)
    own = {_normal(line) for line in _outside(master.full)}
    for line in _secrets(master.full):
        # What the author wrote outside of the markers as well is no secret.
        if len(line) >= SECRET_LETTERS and line in public and not any(line in other for other in own):
            yield f"The released form has a line of a solution or of hidden tests: {line[:80]}"


def _regions(full: Exercise) -> Iterator[tuple[str, bool]]:
    """Each line of the cells, and whether it is between markers."""
    for cell in full.cells:
        inside = False
        for line in cell.text.splitlines():
            if BEGIN_SOLUTION in line or BEGIN_HIDDEN in line:
                inside = True
            elif END_SOLUTION in line or END_HIDDEN in line:
                inside = False
            else:
                yield line, inside


def _secrets(full: Exercise) -> Iterator[str]:
    return (_normal(line) for line, inside in _regions(full) if inside)


def _outside(full: Exercise) -> Iterator[str]:
    yield from (line for line, inside in _regions(full) if not inside)
    for cell in full.answers:  # a learner is given the starter, as a text to mend
        starter = full.notebook["cells"][cell.index].get("metadata", {}).get("wasm_lab", {}).get("starter")
        yield from (starter or "").splitlines()


def _normal(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def wrong_solution(master: Master) -> Iterator[str]:
    """What the solution does not pass."""
    full = master.full
    checked = run_exercise(full.with_bodies(_solutions(master)))
    yield from (f"The solution: {grade_id}: {why}" for grade_id, why in checked.broken.items())
    for test in checked.tests:
        if test.message:
            yield f"The solution: {test.grade_id}: {test.message}"
        for case in test.cases:
            if not case.passed:
                yield f"The solution fails {case.name!r}: {case.message}"
        if not test.cases:
            yield f"The test cell {test.grade_id} has no cases: end it with cases.score()."
    cell_points = {cell.grade_id: cell.points for cell in full.tests}
    for grade_id, points, most in _reported(checked):
        if points != cell_points[grade_id] or most != cell_points[grade_id]:
            yield f"{grade_id}: the solution gets {points:g} points and the metadata says {cell_points[grade_id]:g}."
    cases = [case for test in checked.tests for case in test.cases]
    if not any(master.hidden(case) for case in cases):
        yield "It has no hidden case."
    if all(master.hidden(case) for case in cases):
        yield "It has no visible case."


def _reported(checked: Checked) -> Iterator[tuple[str, float, float]]:
    return ((test.grade_id, test.points, test.max_points) for test in checked.tests if test.cases)


def wrong_unsolved(master: Master) -> Iterator[str]:
    """What the released form gets points for, unsolved; and whether it fails in an unclear way."""
    checked = run_exercise(master.full.with_bodies(master.released.bodies()))
    for test in checked.tests:
        if test.ok:
            yield f"Unsolved, {test.grade_id} gets all its {test.points:g} points."
    for grade_id, why in checked.broken.items():
        errors = len(re.findall(r"^error(\[E\d+\])?: (?!aborting)", why, re.MULTILINE))
        if errors > 1:
            yield f"Unsolved, {grade_id} fails to compile with {errors} errors; it must compile, or have one."


def wrong_answers(master: Master) -> Iterator[str]:
    """What is amiss with the answers that a hidden test must catch."""
    if not master.wrong:
        yield f"It has no wrong answer: put one into wrong/{master.full.name}/."
    for name, bodies in master.wrong.items():
        first = next(iter(bodies.values())).lstrip().splitlines()[:1]
        if not first or not first[0].lstrip().startswith(("//", "#")):
            yield f"Wrong answer {name}: its first line must be a comment that says the misconception."
        try:
            checked = run_exercise(master.full.with_bodies({**_solutions(master), **bodies}))
        except WasmLabError as error:
            yield f"Wrong answer {name}: {error}"
            continue
        yield from (
            f"Wrong answer {name} does not compile: {grade_id}: {why}"
            for grade_id, why in checked.broken.items()
        )
        yield from (
            f"Wrong answer {name}: {test.grade_id}: {test.message}" for test in checked.tests if test.message
        )
        for case in checked.failed:
            if not master.hidden(case):
                yield f"Wrong answer {name} fails the visible case {case.name!r}: {case.message}"
        if not any(master.hidden(case) for case in checked.failed):
            yield f"Wrong answer {name} is caught by no hidden case."


def _solutions(master: Master) -> dict[str, str]:
    return {grade_id: without_markers(body) for grade_id, body in master.full.bodies().items()}
