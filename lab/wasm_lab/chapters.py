"""The guided notebooks: where they are, and executing one headless by papermill."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError, WasmLabError

if TYPE_CHECKING:
    import nbformat

#: Cells with this tag hold what a chapter promises, as assertions; they are quiet when it is kept.
CHECK_TAG = "check"

#: The papermill engine that executes chapters: its kernels are started ahead where several are executed.
ENGINE = "wasm-lab"

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


def executed_chapter(name: str) -> Path | None:
    """A chapter of this checkout with its outputs, if it was executed since it or the lab last changed.

    `execute_chapter` leaves it in ``out/chapters``, where the tests, too, keep what they execute.

    Raises:
        UsageError: there is no such chapter.
    """
    notebook = chapter_path(name)
    kept = kept_chapters() / notebook.name
    told = _digest_file(kept)
    if kept.is_file() and told.is_file() and told.read_text() == _digest(notebook):
        return kept
    return None


def kept_chapters() -> Path:
    """Where executed chapters of this checkout are kept."""
    return chapter_path("00_quickstart").parent.parent / "out" / "chapters"


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
    digest_file = _digest_file(executed)
    digest_file.unlink(missing_ok=True)
    digest = _digest(notebook)
    started = time.perf_counter_ns()
    try:
        execute_notebook(
            notebook,
            executed,
            engine_name=ENGINE,
            kernel_name="python3",
            progress_bar=progress_bar,
            # Not papermill's cwd, which would be that of all threads of this process meanwhile.
            resources={"metadata": {"path": str(notebook.parent)}},
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
    digest_file.write_text(digest)
    return ChapterRun(
        notebook=executed,
        page=page,
        findings=tuple(_findings(result)),
        duration_ns=time.perf_counter_ns() - started,
    )


def _digest_file(executed: Path) -> Path:
    return executed.with_suffix(".sha256")


def _digest(notebook: Path) -> str:
    """Of all that decides what a chapter shows, but for the machine: its text, the lab, the samples."""
    package = Path(str(resources.files("wasm_lab")))
    found = hashlib.sha256(notebook.read_bytes())
    for folder in (package, package.parent.parent / "wasm_samples"):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                found.update(f"\n{path.relative_to(folder)}\n".encode())
                found.update(path.read_bytes())
    return found.hexdigest()


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
