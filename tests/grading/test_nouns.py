"""The nouns of grading: JSON both ways, and nothing else is believed."""

from __future__ import annotations

import json

import pytest

from wasm_lab.errors import UsageError
from wasm_lab.grading.nouns import (
    Access,
    CaseOutcome,
    CellOutcome,
    GradedCell,
    GradedExercise,
    Job,
    Note,
    Outcome,
    Report,
    Settings,
    Student,
    from_record,
    record_of,
)

NOTE = Note(kind="late", student="ada", file="x.ipynb", message="Ten minutes late.")
OUTCOME = Outcome(
    student="ada",
    assignment="01",
    exercise="add",
    status="graded",
    cells=(
        CellOutcome(
            grade_id="t", kind="auto", points=0.5, max_points=1, cases=(CaseOutcome(name="n", passed=True),)
        ),
        CellOutcome(grade_id="w", kind="written", points=None, max_points=2, answer="because\ud800"),
    ),
    notes=(NOTE,),
    audit=(Access(cell="answer", call="path_open", subject="/x", result="notcapable", allowed=False),),
    answers={"a": "fn main() {}"},
)
JOB = Job(
    student="ada", assignment="01", exercise="add", master="{}", released="{}", bodies={"a": "x"}, digest="d",
    settings=Settings(deadline_s=3), notes=(NOTE,),
)  # fmt: skip
REPORT = Report(
    exercises=(
        GradedExercise(
            name="add",
            assignment="01",
            title="T",
            minutes=3,
            cells=(GradedCell(grade_id="t", kind="auto", max_points=1),),
        ),
    ),
    students=(Student(key="ada_7", name="Ada", lms="moodle", lms_id="7"),),
    outcomes=(OUTCOME,),
    versions={"wasm-lab": "1"},
)


@pytest.mark.parametrize("noun", [NOTE, OUTCOME, JOB, REPORT], ids=["note", "outcome", "job", "report"])
def test_every_noun_survives_json(noun):
    text = json.dumps(record_of(noun))
    assert from_record(type(noun), json.loads(text)) == noun


@pytest.mark.parametrize(
    "change",
    [{"kind": "praise"}, {"student": 3}, {"unknown": 1}, {"message": None}],
    ids=["literal", "type", "unknown", "none"],
)
def test_a_record_of_another_shape_is_refused(change):
    with pytest.raises(UsageError, match="shape"):
        from_record(Note, record_of(NOTE) | change)


def test_a_missing_part_is_refused():
    record = record_of(OUTCOME)
    del record["student"]
    with pytest.raises(UsageError, match="Outcome does not have the shape"):
        from_record(Outcome, record)


def test_an_open_written_answer_leaves_the_outcome_incomplete():
    assert not OUTCOME.is_complete
    assert (OUTCOME.points, OUTCOME.max_points) == (0.5, 3)
