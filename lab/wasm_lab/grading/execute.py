"""Grading one submission: a job in, an outcome out, whatever the submission does."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError, WasmLabError
from wasm_lab.exercises import Exercise
from wasm_lab.grading.clean import clean_copy
from wasm_lab.grading.desk import Desk, DeskLost
from wasm_lab.grading.marks import lost_outcome, outcome_of
from wasm_lab.grading.nouns import Outcome, from_record, record_of

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.grading.nouns import Job, Status

#: The engine that keeps kernels ready; a kernel executes one notebook and is never used again.
ENGINE = "wasm-lab"


class JudgeFailed(WasmLabError):
    """The judge's own cell or a cell of the master raised; nothing was judged."""


def grade_at(desk: Desk, job: Job) -> Outcome:
    """Grade one submission of one exercise, in the process of a desk.

    Needs nothing but the job, so any process on any machine with the lab can do it.

    Whatever the submission does, there is an outcome: ``stopped`` when the notebook's deadline has passed, and
    everything that it started has been killed; ``crashed`` when the process died.
    """
    started = time.monotonic_ns()
    try:
        record = desk.execute(record_of(job), job.settings.deadline_s)
        return from_record(Outcome, record["outcome"])
    except DeskLost as lost:
        status: Status = "stopped" if lost.late else "crashed"
        message = lost.message
    except (UsageError, ValueError, KeyError) as error:  # what came back is no outcome
        desk.close()
        status, message = "crashed", f"What its judge said could not be read: {error}"
    exercise = Exercise.parse(job.master, name=job.exercise)
    return lost_outcome(job, exercise, status, message, duration_ns=time.monotonic_ns() - started)


def judge(job: Job, folder: Path) -> Outcome:
    """Grade one submission in this process: papermill executes the clean copy on a kernel.

    Args:
        folder: of this process; a kernel may wait there for its notebook, so it is always the same.
    """
    exercise, notebook, parameters = clean_copy(job)
    released = Exercise.parse(job.released, name=job.exercise)
    started = time.monotonic_ns()
    try:
        executed = _executed(notebook, parameters, folder)
        _check(executed)
        return outcome_of(job, exercise, released, executed, time.monotonic_ns() - started)
    except JudgeFailed as error:
        return lost_outcome(job, exercise, "crashed", str(error))
    except Exception as error:  # a dead kernel, above all
        return lost_outcome(job, exercise, "crashed", f"{type(error).__name__}: {error}")


def _executed(notebook: dict[str, Any], parameters: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """The cells of the notebook after papermill has executed it, in an empty folder."""
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook

    given, done = folder / "given.ipynb", folder / "done.ipynb"
    given.write_text(json.dumps(notebook), encoding="utf-8")
    done.unlink(missing_ok=True)
    # papermill says so of every cell that raised, those of answers and tests too.
    with contextlib.suppress(PapermillExecutionError):
        execute_notebook(
            str(given),
            str(done),
            parameters=parameters,
            engine_name=ENGINE,
            kernel_name="python3",
            language="python",
            cwd=str(_empty_room(folder)),
            progress_bar=False,
            request_save_on_cell_execute=False,
        )
    cells: list[dict[str, Any]] = json.loads(done.read_bytes())["cells"]
    return cells


def _empty_room(folder: Path) -> Path:
    """Where a notebook is executed, without what the last one left there."""
    room = folder / "room"
    room.mkdir(exist_ok=True)
    for left in room.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink()
    return room


def _check(executed: list[dict[str, Any]]) -> None:
    """That the judge's own cells, and all cells of the master but answers and tests, did not raise."""
    for cell in executed:
        if "raises-exception" in cell["metadata"].get("tags", ()):
            continue
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                raise JudgeFailed(
                    f"A cell that no student wrote raised {output['ename']}: {output['evalue']}",
                    hint="Nothing was judged. Mend this, and grade again.",
                )
    if executed[-1].get("cell_type") == "code" and executed[-1].get("execution_count") is None:
        raise JudgeFailed("The notebook was not executed to its end.")
