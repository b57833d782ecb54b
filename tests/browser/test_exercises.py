"""An exercise in JupyterLab: checked in place, with what ran and was not saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from wasm_lab.exercises.copies import copy_of
from wasm_lab.exercises.course import Course
from wasm_lab.exercises.markers import without_markers
from wasm_lab.exercises.notebook import Exercise

pytestmark = pytest.mark.slow


def test_an_exercise_is_checked_in_place(
    open_notebook: Any, page: Page, screenshots: Path, tmp_path: Path
) -> None:
    course = Course.own()
    exercise = course.released()[0]
    master = course.master_of(exercise)
    assert master
    text = json.loads(copy_of(exercise, "../notebooks"))
    # A record of progress that is nobody's.
    text["cells"].insert(0, {**text["cells"][-1], "id": "env", "source": f"%env XDG_DATA_HOME={tmp_path}"})
    copy = tmp_path / "copy.ipynb"
    copy.write_text(json.dumps(text))
    notebook = open_notebook(copy, f"{exercise.name}.ipynb")

    notebook.run_all()
    notebook.wait_idle(120)
    assert "not solved yet" in json.dumps(notebook.outputs())

    solved = exercise.answers[0].with_body(
        without_markers(Exercise.read(master).bodies()[exercise.answers[0].grade_id])
    )
    answer = next(index for index, cell in enumerate(text["cells"]) if cell["id"] == exercise.answers[0].id)
    page.evaluate(
        "([index, text]) => window.jupyterapp.shell.currentWidget.content.widgets[index]"
        ".model.sharedModel.setSource(text)",
        [answer, solved.text],
    )
    for index in (answer, len(text["cells"]) - 1):
        notebook.run_cell(index)
    page.get_by_text(f"{exercise.title}: solved.").wait_for(timeout=120_000)
    page.screenshot(path=screenshots / "exercise.png")
