"""Notebooks by papermill: on warm kernels, and on the kernels that it starts itself."""

from __future__ import annotations

from pathlib import Path

import nbformat
from papermill.execute import execute_notebook
from tests.benchmarks.pairs import Pair, in_turn

KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}


def papermill_engine(folder: Path, divisor: int) -> Pair:
    """A notebook of one cell through our engine, warm, and through papermill's own."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(6 * 7)")])
    notebook.metadata["kernelspec"] = KERNELSPEC
    path = folder / "in.ipynb"
    nbformat.write(notebook, path)

    def execute(engine: str | None) -> None:
        options = {"engine_name": engine, "progress_bar": False}
        options["extra_arguments"] = ["--IPKernelApp.log_level=ERROR"]
        done = execute_notebook(str(path), str(folder / "out.ipynb"), **options)
        assert done.cells[0].outputs[0].text == "42\n"

    execute("wasm-lab")  # with the turn that is not counted, two: there are spares from the second on
    return in_turn(
        "trivial notebook: engine wasm-lab, warm, against papermill's own",
        lambda: execute("wasm-lab"),
        lambda: execute(None),
        turns=21 // divisor,
        asked="≤ 0.5×",
    )
