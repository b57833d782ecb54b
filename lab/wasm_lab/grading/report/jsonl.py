"""A report as JSON lines: one object a line, for other programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wasm_lab.grading.nouns import record_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.grading.nouns import Report


def jsonl_text(report: Report) -> str:
    """Lines of ``type`` run, exercise, note, outcome, and last times.

    All letters beyond ASCII are escaped, so no line holds a control or bidirectional character. What changes from
    run to run over the same submissions stands in the last line alone.
    """
    return "".join(f"{json.dumps(record, ensure_ascii=True)}\n" for record in _records(report))


def _records(report: Report) -> Iterator[dict[str, Any]]:
    yield {
        "type": "run",
        "complete": report.complete,
        "walls": report.walls,
        "versions": dict(sorted(report.versions.items())),
        "students": [record_of(student) for student in report.students],
    }
    for exercise in report.exercises:
        yield {"type": "exercise", **record_of(exercise)}
    for note in report.notes:
        yield {"type": "note", **record_of(note)}
    for outcome in report.outcomes:
        record = record_of(outcome)
        del record["duration_ns"]
        totals = {
            "points": outcome.points,
            "max_points": outcome.max_points,
            "is_complete": outcome.is_complete,
        }
        yield {"type": "outcome", **record, **totals}
    yield {
        "type": "times",
        "started_at": report.started_at,
        "duration_ns": report.duration_ns,
        "outcomes": [
            {
                "student": one.student,
                "assignment": one.assignment,
                "exercise": one.exercise,
                "duration_ns": one.duration_ns,
            }
            for one in report.outcomes
        ],
    }
