"""Running an exercise here: its cells in a shell of their own, in this process, and what became of each.

For whoever trusts the answers: a learner their own, an author the solutions. Submissions are graded
elsewhere, by a judge that shares no process with them.
"""

from __future__ import annotations

import contextlib
import io
import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import CompileError, GuestFailure, WasmLabError
from wasm_lab.exercises.cases import CaseResult, Score
from wasm_lab.exercises.notebook import Role

if TYPE_CHECKING:
    from wasm_lab.exercises.notebook import Cell, Exercise


#: What colours are written with, in the compiler's layout.
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult:
    """What became of one test cell."""

    grade_id: str
    points: float
    max_points: float
    cases: tuple[CaseResult, ...] = ()
    message: str = ""  #: why there are no points, where no case says it

    @property
    def ok(self) -> bool:
        return self.points == self.max_points and not self.message


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One run of an exercise."""

    name: str
    tests: tuple[CellResult, ...]
    broken: dict[str, str]  #: answers that did not compile or cannot be read: why, by grade id
    duration_ns: int

    @property
    def solved(self) -> bool:
        """Whether every test cell has all its points."""
        return bool(self.tests) and all(test.ok for test in self.tests) and not self.broken

    @property
    def points(self) -> float:
        return sum(test.points for test in self.tests)

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        """Every case that did not pass."""
        return tuple(case for test in self.tests for case in test.cases if not case.passed)


def run_exercise(exercise: Exercise) -> Checked:
    """Execute all cells, and go on after those that fail.

    A failing program is an answer like others: it was compiled, and the tests say what it does.

    Raises:
        WasmLabError: what is needed to run it is not here; the message says what.
    """
    from wasm_lab.exercises.shell import fresh_shell

    started = time.perf_counter_ns()
    tests: list[CellResult] = []
    broken: dict[str, str] = {}
    # As in a notebook, where files beside it have no path before their names.
    here = contextlib.chdir(exercise.path.parent) if exercise.path else contextlib.nullcontext()
    with here, fresh_shell(fuel=exercise.fuel, deadline_s=exercise.deadline_s) as run:
        for cell in exercise.cells:
            if cell.kind != "code":
                continue
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                value, error = run(cell.text)
            if isinstance(error, KeyboardInterrupt):
                raise error
            if cell.role is Role.TEST:
                tests.append(_tested(cell, value, error, broken))
            elif error and cell.role is Role.ANSWER:
                if not isinstance(error, GuestFailure):
                    broken[cell.grade_id] = told(error)
            elif error:
                raise _setup_failed(cell, error)
    return Checked(
        name=exercise.name,
        tests=tuple(tests),
        broken=broken,
        duration_ns=time.perf_counter_ns() - started,
    )


def told(error: BaseException) -> str:
    """What went wrong, for a person: the compiler's own layout where there is one, without colours."""
    if isinstance(error, CompileError):
        return _ANSI.sub("", error.rendered or error.message).rstrip()
    if isinstance(error, WasmLabError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _tested(cell: Cell, value: Any, error: BaseException | None, broken: dict[str, str]) -> CellResult:
    result = CellResult(grade_id=cell.grade_id, points=0.0, max_points=cell.points)
    if isinstance(error, NameError) and broken:
        return replace(result, message=f"Not run: {' and '.join(broken)} did not compile.")
    if isinstance(error, NameError) and error.name:
        return replace(
            result, message=f"There is no {error.name}: the answer must define it, as pub fn {error.name}."
        )
    if error:
        return replace(result, message=told(error))
    if isinstance(value, Score):
        return replace(result, points=value.points, cases=value.results)
    # Cells in nbgrader's own manner: a number is partial credit, anything else is full credit.
    if isinstance(value, int | float) and not isinstance(value, bool):
        return replace(result, points=min(max(float(value), 0.0), cell.points))
    return replace(result, points=cell.points)


def _setup_failed(cell: Cell, error: BaseException) -> WasmLabError:
    if isinstance(error, WasmLabError):
        return error
    where = cell.grade_id or f"number {cell.index + 1}"
    return WasmLabError(f"The cell {where} of the exercise failed. {type(error).__name__}: {error}")
