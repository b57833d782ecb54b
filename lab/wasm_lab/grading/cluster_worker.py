"""What a worker of a cluster does for `cluster`: says what it is, grades jobs at its desks, ends them.

Called on the worker, in threads of its own. Desks are kept for the next job of the batch, because each takes
seconds to start, and are closed when the batch ends or has given them nothing to do for a while.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from wasm_lab.grading.desk import Desk
from wasm_lab.grading.execute import grade_at
from wasm_lab.grading.nouns import Job, from_record, record_of

#: Seconds that a desk without work is kept: whoever sent the work may have died without saying so.
IDLE_S = 60.0


@dataclass(slots=True)
class _Batch:
    """The desks of one batch on this worker."""

    idle: list[Desk] = field(default_factory=list)
    busy: list[Desk] = field(default_factory=list)
    timer: threading.Timer | None = None


_batches: dict[str, _Batch] = {}
_ended: set[str] = set()
_lock = threading.Lock()


class BatchEnded(Exception):
    """This batch was ended; its outcome interests nobody."""


def about(walls: bool) -> dict[str, Any]:
    """What decides the marks on this machine.

    Args:
        walls: whether students' code is to be compiled behind walls.
    """
    from wasm_lab.confine.landlock import landlock_version
    from wasm_lab.grading.grade import versions

    missing = []
    try:
        import papermill  # noqa: F401
    except ImportError:
        missing.append("papermill")
    return {"versions": versions(), "walls": not walls or bool(landlock_version()), "missing": missing}


def grade_here(batch: str, record: dict[str, Any]) -> dict[str, Any]:
    """Grade one job, given and answered as JSON."""
    desk = _take_desk(batch)
    try:
        outcome = grade_at(desk, from_record(Job, record))
    finally:
        _give_back(batch, desk)
    if batch in _ended:
        raise BatchEnded
    return record_of(outcome)


def end_batch(batch: str) -> None:
    """End whatever this worker does for a batch, at once."""
    with _lock:
        _ended.add(batch)
        ended = _batches.pop(batch, None)
    if ended:
        if ended.timer:
            ended.timer.cancel()
        for desk in (*ended.idle, *ended.busy):
            desk.close()


def _take_desk(batch: str) -> Desk:
    with _lock:
        if batch in _ended:
            raise BatchEnded
        desks = _batches.setdefault(batch, _Batch())
        if desks.timer:
            desks.timer.cancel()
            desks.timer = None
        desk = desks.idle.pop() if desks.idle else Desk()
        desks.busy.append(desk)
        return desk


def _give_back(batch: str, desk: Desk) -> None:
    with _lock:
        desks = _batches.get(batch)
        if desks is None:
            desk.close()
            return
        desks.busy.remove(desk)
        desks.idle.append(desk)
        if not desks.busy:
            desks.timer = threading.Timer(IDLE_S, _close_idle, (batch,))
            desks.timer.daemon = True
            desks.timer.start()


def _close_idle(batch: str) -> None:
    with _lock:
        desks = _batches.get(batch)
        idle = desks.idle if desks and not desks.busy else []
        if desks and not desks.busy:
            del _batches[batch]
    for desk in idle:
        desk.close()
