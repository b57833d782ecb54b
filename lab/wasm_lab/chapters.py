"""The guided notebooks: where they are, and executing one headless by papermill."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError, WasmLabError

if TYPE_CHECKING:
    import nbformat

#: Cells with this tag say what a chapter found; their text is repeated where a chapter is run headless.
FINDING_TAG = "finding"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterRun:
    """One execution of a chapter and what it left behind."""

    notebook: Path  #: executed, with outputs
    page: Path  #: the same as HTML
    findings: tuple[str, ...]  #: the text of each cell tagged as a finding
    duration_ns: int


def chapter_path(name: str) -> Path:
    """The notebook of a chapter, such as ``00_quickstart``: from the checkout, else from the wheel.

    Raises:
        UsageError: there is no such chapter.
    """
    package = Path(str(resources.files("wasm_lab")))
    for folder in (package.parent.parent / "notebooks", package / "notebooks"):
        path = folder / f"{name}.ipynb"
        if path.is_file():
            return path
    raise UsageError(f"There is no chapter {name}.")


def execute_chapter(notebook: Path, out: Path, *, progress_bar: bool = True) -> ChapterRun:
    """Execute a notebook from top to bottom and write it, with outputs, as .ipynb and .html.

    Args:
        out: the folder to write to; made when it is missing.
        progress_bar: show cells done and time left on standard error.

    Raises:
        UsageError: papermill or nbconvert is not installed.
        WasmLabError: a cell failed; the executed notebook shows where.
    """
    try:
        import nbformat
        from papermill.exceptions import PapermillExecutionError
        from papermill.execute import execute_notebook
    except ImportError as error:
        raise UsageError(
            f"{error.name} is needed to run a notebook and is not installed.",
            hint="Install the notebook extras: pip install 'wasm-lab[lab]'",
        ) from error
    out.mkdir(parents=True, exist_ok=True)
    executed = out / notebook.name
    page = executed.with_suffix(".html")
    started = time.perf_counter_ns()
    try:
        execute_notebook(
            notebook,
            executed,
            kernel_name="python3",
            progress_bar=progress_bar,
            cwd=notebook.parent,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
        )
    except PapermillExecutionError as error:
        _write_page(nbformat.read(executed, as_version=4), page)
        lines = "\n".join(error.traceback)
        raise WasmLabError(
            f"{notebook.name}: cell {error.cell_index} failed.\n{lines}",
            hint=f"The notebook up to that cell: {page}. wasm-lab doctor says what this machine lacks.",
        ) from None
    result = nbformat.read(executed, as_version=4)
    _write_page(result, page)
    return ChapterRun(
        notebook=executed,
        page=page,
        findings=tuple(_findings(result)),
        duration_ns=time.perf_counter_ns() - started,
    )


def _write_page(notebook: nbformat.NotebookNode, page: Path) -> None:
    from boltons.fileutils import atomic_save
    from nbconvert import HTMLExporter

    from wasm_lab.cells.highlighting import highlight_code

    exporter = HTMLExporter(filters={"highlight_code": highlight_code})
    body, _resources = exporter.from_notebook_node(notebook)
    with atomic_save(str(page), text_mode=True, overwrite=True) as stream:
        stream.write(body)


def _findings(notebook: nbformat.NotebookNode) -> list[str]:
    cells = [cell for cell in notebook.cells if FINDING_TAG in cell.metadata.get("tags", [])]
    return [_text_of(output) for cell in cells for output in cell.outputs if _text_of(output)]


def _text_of(output: Any) -> str:
    text = output.get("text") or output.get("data", {}).get("text/plain", "")
    return str(text).strip()
