"""A class that never was: forty students, five exercises, every outcome there is; the same at every run."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from wasm_lab.exercises import Exercise
from wasm_lab.grading.nouns import (
    Access,
    CaseOutcome,
    CellOutcome,
    GradedCell,
    GradedExercise,
    Note,
    Outcome,
    Report,
    Student,
)

#: What only hidden tests know. No page for a student may hold it.
SECRET = "hidden-input-1729"

NAMES = (
    "Ada Lovelace|Grace Hopper|Alan Turing|Edsger Dijkstra|Barbara Liskov|Donald Knuth|Frances Allen|Tony Hoare|"
    "Margaret Hamilton|Niklaus Wirth|Radia Perlman|Ken Thompson|Shafi Goldwasser|John Backus|Adele Goldberg|"
    "Robin Milner|Leslie Lamport|Lynn Conway|Dennis Ritchie|Karen Spärck Jones|Jean Sammet|Per Brinch Hansen|"
    "Nguyễn Thị Bình|Søren Ångström|Zoë O’Neill|李明|محمد الخوارزمي|Јован Петровић|Ida Rhodes|Kathleen Booth|"
    "Mary Kenneth Keller|Betty Holberton|Klára Dán|Evelyn Boyd Granville|Thelma Estrin|Erna Hoover|Joan Clarke|"
    "Dorothy Vaughan|Annie Easley|Ruzena Bajcsy"
).split("|")

#: exercise, chapter, title, points of the visible tests, of the hidden ones, of a written answer, how hard it is
PLAN = (
    ("first_function", "01_rust_cells", "Your first function", 1, 2, 0, 0.1),
    ("checked_sum", "01_rust_cells", "A sum that cannot overflow", 2, 2, 0, 0.45),
    ("read_an_audit", "02_sandbox", "Reading an audit", 1, 1, 2, 0.2),
    ("open_one_door", "02_sandbox", "Open one door only", 2, 2, 0, 0.35),
    ("honest_timing", "04_measuring", "An honest measurement", 2, 3, 1, 0.6),
)
VISIBLE = ("two and two", "with nothing", "a long list")
HIDDEN = ("the largest number", f"an input such as {SECRET}", "a negative zero", "ten thousand items")


def _notebook(name: str, chapter: str, title: str, written: float) -> dict[str, Any]:
    def cell(kind: str, text: str, **told: Any) -> dict[str, Any]:
        metadata = {"nbgrader": {"schema_version": 3, "task": False, "locked": False, **told}}
        code = {"outputs": [], "execution_count": None} if kind == "code" else {}
        return {"cell_type": kind, "id": told["grade_id"], "metadata": metadata, "source": text, **code}

    cells = [
        cell("code", "%%wasm_rust --name answer\ntodo!()", grade_id="answer", grade=False, solution=True),
        cell("code", "cases = Cases(points=1)", grade_id="visible", grade=True, solution=False, points=1),
        cell(
            "code",
            "### BEGIN HIDDEN TESTS\n# the largest number, a negative zero, ten thousand items\n### END HIDDEN TESTS",
            grade_id="hidden",
            grade=True,
            solution=False,
            points=1,
        ),
    ]
    if written:
        cells.append(
            cell("markdown", "Your words here.", grade_id="words", grade=True, solution=True, points=written)
        )
    hints = [
        f"Read the signature in {chapter} again.",
        "Then handle the empty list.",
        "checked_add gives an Option.",
    ]
    told = {"title": title, "chapter": chapter, "minutes": 10, "hints": hints}
    return {"cells": cells, "metadata": {"wasm_lab": {"exercise": told}}, "nbformat": 4, "nbformat_minor": 5}


def masters() -> list[Exercise]:
    """The exercises of the sample class, as FORMAT reads them."""
    return [
        Exercise.parse(json.dumps(_notebook(name, chapter, title, written)), name=name, chapter=chapter)
        for name, chapter, title, _, _, written, _ in PLAN
    ]


def graded_exercises() -> tuple[GradedExercise, ...]:
    found = []
    for name, chapter, title, visible, hidden, written, _ in PLAN:
        cells = [
            GradedCell(grade_id="visible", kind="auto", max_points=visible),
            GradedCell(grade_id="hidden", kind="auto", max_points=hidden),
        ]
        if written:
            cells.append(GradedCell(grade_id="words", kind="written", max_points=written))
        found.append(
            GradedExercise(name=name, assignment=chapter, title=title, minutes=10, cells=tuple(cells))
        )
    return tuple(found)


def _cases(
    draw: random.Random, names: tuple[str, ...], chance: float, *, hidden: bool
) -> tuple[CaseOutcome, ...]:
    found = []
    for place, name in enumerate(names):
        passed = draw.random() > chance * (0.4 + 0.6 * place)
        words = f"sum([{SECRET}]) gives 7" if hidden else f"sum([{place}, 2]) gives {draw.randrange(9)}"
        message = (
            ""
            if passed
            else f"{words}, and {SECRET if hidden else place + 2} is expected.\nIt printed:\nlooking at the list"
        )
        found.append(CaseOutcome(name=name, passed=passed, message=message, hidden=hidden))
    return tuple(found)


def _marked(cell: GradedCell, cases: tuple[CaseOutcome, ...]) -> CellOutcome:
    points = round(cell.max_points * sum(case.passed for case in cases) / len(cases), 2)
    return CellOutcome(
        grade_id=cell.grade_id, kind="auto", points=points, max_points=cell.max_points, cases=cases
    )


COMPILER = """error[E0308]: mismatched types
 --> answer:3:5
  |
2 | pub fn sum(list: &[i32]) -> Option<i32> {
  |                             ----------- expected `Option<i32>` because of return type
3 |     list.iter().sum()
  |     ^^^^^^^^^^^^^^^^^ expected `Option<i32>`, found a type parameter
"""
BODY = """// Add up the list; None when it overflows.
pub fn sum(list: &[i32]) -> Option<i32> {
    list.iter().sum()
}
"""


def outcome_of(
    student: str, exercise: GradedExercise, hardness: float, draw: random.Random, skill: float
) -> Outcome:
    """What one student made of one exercise."""
    chance = min(0.95, hardness * (1.6 - skill))
    fate = draw.random()
    base: dict[str, Any] = {"student": student, "assignment": exercise.assignment, "exercise": exercise.name}
    base["submitted_at"] = f"2026-03-{draw.randrange(1, 9):02d}T1{draw.randrange(10)}:00:00+00:00"
    zero = tuple(
        CellOutcome(
            grade_id=cell.grade_id,
            kind=cell.kind,
            points=0.0 if cell.kind == "auto" else None,
            max_points=cell.max_points,
            message=f"{SECRET}: no points" if cell.kind == "auto" else "",
            answer="" if cell.kind == "auto" else "Time is what the clock says.",
        )
        for cell in exercise.cells
    )
    if fate < 0.04 + 0.1 * (1 - skill):
        return Outcome(**{**base, "submitted_at": ""}, status="missing", cells=zero)
    body = {"answer": BODY}
    if fate < 0.2 * (1.4 - skill):
        return Outcome(
            **base, status="not_compiled", cells=zero, message=COMPILER, answers=body, duration_ns=310_000_000
        )
    if fate > 0.995:
        return Outcome(
            **base,
            status="stopped",
            cells=zero,
            message=f"Stopped in {SECRET}",
            answers=body,
            duration_ns=120_000_000_000,
        )
    cells = [
        _marked(exercise.cells[0], _cases(draw, VISIBLE, chance * 0.5, hidden=False)),
        _marked(exercise.cells[1], _cases(draw, HIDDEN, chance, hidden=True)),
    ]
    for cell in exercise.cells[2:]:
        words = f"The audit shows that the guest opened /data, which nobody gave it. ({draw.randrange(100)})"
        cells.append(
            CellOutcome(
                grade_id=cell.grade_id, kind="written", points=None, max_points=cell.max_points, answer=words
            )
        )
    audit = ()
    if "audit" in exercise.name or "door" in exercise.name:
        audit = (
            Access(
                cell="answer", call="path_open", subject="/data/input.txt", result="ok", allowed=True, count=3
            ),
            Access(
                cell="answer", call="path_open", subject="/etc/passwd", result="no such folder", allowed=False
            ),
        )
        hidden = Access(
            cell="answer", call="path_open", subject=f"/{SECRET}", result="ok", allowed=True, hidden=True
        )
        audit = (*audit, hidden)
    notes: tuple[Note, ...] = ()
    if draw.random() < 0.06:
        notes = (
            Note(
                kind="late",
                student=student,
                file=f"{exercise.name}.ipynb",
                message="Came in 3 h after the deadline.",
            ),
        )
    elif draw.random() < 0.05:
        notes = (
            Note(
                kind="renamed",
                student=student,
                file=f"{exercise.name} (1).ipynb",
                message=f"Taken as {exercise.name}.",
            ),
        )
    return Outcome(
        **base,
        status="graded",
        cells=tuple(cells),
        notes=notes,
        audit=audit,
        answers=body,
        duration_ns=int(draw.uniform(0.4, 1.5) * 1e9 * (1 + hardness)),
        digest=f"{draw.randrange(2**64):016x}",
    )


def sample_report(
    students: int = 40, seed: int = 1, *, started_at: str = "2026-03-10T09:00:00+00:00"
) -> Report:
    """The class; equal arguments give an equal report."""
    draw = random.Random(seed)
    exercises = graded_exercises()
    people = tuple(
        sorted(
            (
                Student(
                    key=f"{NAMES[at % len(NAMES)]}_{1000 + at}",
                    name=NAMES[at % len(NAMES)],
                    lms="moodle",
                    lms_id=str(1000 + at),
                )
                for at in range(students)
            ),
            key=lambda one: one.key,
        )
    )
    outcomes = []
    for person in people:
        skill = draw.betavariate(4, 2)
        for exercise, plan in zip(exercises, PLAN, strict=True):
            outcomes.append(outcome_of(person.key, exercise, plan[-1], draw, skill))
    return Report(
        exercises=exercises,
        students=people,
        outcomes=tuple(outcomes),
        notes=(
            Note(kind="foreign", student="", file="holiday.jpg", message="No notebook of these exercises."),
        ),
        walls="Landlock, no network, 2 GiB of memory, 120 s for each notebook",
        versions={"wasm-lab": "0.1.0", "rustc": "1.91.0", "wasmtime": "50.0.0"},
        started_at=started_at,
        duration_ns=184_000_000_000,
    )


@pytest.fixture(scope="session")
def a_class() -> Report:
    return sample_report()


@pytest.fixture(scope="session")
def a_course() -> list[Exercise]:
    return masters()


@pytest.fixture(scope="module")
def without_nbgrader() -> Iterator[None]:
    """As where nbgrader is not installed; importing it takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "nbgrader.api", None)
        yield
