"""The guided notebooks: stored clean, and executed as a reader would."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from wasm_lab.chapters import (
    CHECK_TAG,
    ChapterRun,
    chapter_path,
    execute_chapter,
    executed_chapter,
    kept_chapters,
)
from wasm_lab.errors import UsageError, WasmLabError

NOTEBOOKS = sorted(chapter_path("00_quickstart").parent.glob("*.ipynb"))

#: What a chapter's findings must say where the machine has every tool.
TOLD = {"12_pitfalls": r"^26 items: 26 failed as told, 26 work now\.\Z"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_checks_what_it_promises(path: Path) -> None:
    checks = _checks(nbformat.read(path, as_version=4))
    assert checks
    assert all("assert " in cell.source for cell in checks)


def _checks(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if CHECK_TAG in cell.metadata.get("tags", [])]


def _run(path: Path) -> ChapterRun:
    """Execute a chapter, and keep it for whoever shows chapters: the documentation's pages."""
    run = execute_chapter(path, kept_chapters(), progress_bar=False)
    assert run.findings
    assert not any(re.search(r"\bnan\b|\x1b", finding) for finding in run.findings)
    assert re.search(TOLD.get(path.stem, ""), "\n".join(run.findings), re.MULTILINE)
    executed = nbformat.read(run.notebook, as_version=4)
    outputs = [output for cell in executed.cells for output in cell.get("outputs", ())]
    assert not [output for output in outputs if output.output_type == "error"]
    forms = [form for output in outputs for form in output.get("data", {})]
    assert "application/vnd.jupyter.widget-view+json" not in forms  # nothing that needs a live kernel
    assert run.notebook.stat().st_size < 3_000_000
    assert "<script" not in "".join(str(output.get("data", {}).get("text/html", "")) for output in outputs)
    for check in _checks(executed):
        assert check.execution_count
        assert not check.outputs  # quiet
    assert executed_chapter(path.stem) == run.notebook
    return run


def test_the_quickstart_runs_and_says_what_it_found() -> None:
    run = _run(chapter_path("00_quickstart"))
    assert "in CPython took" in run.findings[0]
    page = run.page.read_text()
    assert "could not read" in page
    assert "read: a line that was granted" in page


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS[1:], ids=lambda path: path.stem)
def test_a_chapter_runs_from_top_to_bottom(path: Path) -> None:
    _run(path)


@pytest.mark.slow
def test_a_promise_that_is_broken_fails_the_chapter(tmp_path: Path) -> None:
    notebook = nbformat.read(chapter_path("00_quickstart"), as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace("pair[1] - pair[0]", "pair[0] - pair[1]")
    path = tmp_path / "00_quickstart.ipynb"
    nbformat.write(notebook, path)
    with pytest.raises(WasmLabError, match=r"np\.array_equal\(steps\(wave\), np\.diff\(wave\)\)"):
        execute_chapter(path, tmp_path / "out", progress_bar=False)


def test_what_was_executed_before_a_change_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = tmp_path / "notebooks" / "quick.ipynb"
    notebook.parent.mkdir()
    monkeypatch.setattr("wasm_lab.chapters.chapter_path", lambda name: notebook)
    out = tmp_path / "out" / "chapters"
    for text in ("1 + 1", "2 + 2"):
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text)]), notebook)
        assert executed_chapter("quick") is None
        execute_chapter(notebook, out, progress_bar=False)
        assert executed_chapter("quick") == out / "quick.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")]), notebook)
    with pytest.raises(WasmLabError):
        execute_chapter(notebook, out, progress_bar=False)
    assert executed_chapter("quick") is None


def test_a_cell_that_fails_fails_the_chapter_with_the_learners_lines(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("%load_ext wasm_lab"),
            nbformat.v4.new_code_cell("%%wasm_rust\nfn main() {\n    let n: u32 = true;\n}"),
        ]
    )
    path = tmp_path / "broken.ipynb"
    nbformat.write(notebook, path)
    with pytest.raises(WasmLabError, match=r"cell 1 failed|cell 2 failed") as caught:
        execute_chapter(path, tmp_path / "out", progress_bar=False)
    assert "E0308" in caught.value.message
    assert "cell:3:18" in caught.value.message
    assert "site-packages" not in caught.value.message
    assert (tmp_path / "out" / "broken.html").exists()


def test_a_chapter_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="no chapter"):
        chapter_path("99_absent")
