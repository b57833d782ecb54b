"""nbgrader's preprocessors as this course uses them; imports nbgrader, so import this only where it is needed.

``exercises/nbgrader_config.py`` gives `GENERATE` to nbgrader's own command, `release` calls the same list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbgrader import utils  # type: ignore[import-untyped]
from nbgrader.preprocessors import (  # type: ignore[import-untyped]
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    IncludeHeaderFooter,
    InstantiateTests,
    LockCells,
    SaveCells,
)

from wasm_lab.exercises.markers import BEGIN_SOLUTION, without_solutions
from wasm_lab.exercises.notebook import Cell
from wasm_lab.exercises.stubs import cleared

if TYPE_CHECKING:
    from nbformat import NotebookNode


class ClearSolutionsByCell(ClearSolutions):  # type: ignore[misc]
    """Takes solutions out as nbgrader does, with a stub in the language of each cell's magic.

    nbgrader has one stub for a notebook's language, which puts Python's ``raise`` into a cell of Rust.
    """

    def preprocess_cell(self, cell: NotebookNode, resources: Any, cell_index: int) -> tuple[Any, Any]:
        """Called by nbconvert for each cell."""
        own = Cell(index=cell_index, kind=cell.cell_type, text=cell.source)
        keeps_text = (
            own.kind != "code" and BEGIN_SOLUTION in own.text and bool(without_solutions(own.text).strip())
        )
        if not utils.is_solution(cell) or not (own.magic or keeps_text):
            done: tuple[Any, Any] = super().preprocess_cell(cell, resources, cell_index)
            return done
        starter = cell.metadata.get("wasm_lab", {}).get("starter")
        cell.source = own.with_body(cleared(own.body, own.language, starter=starter)).text
        return cell, resources


#: What makes the released form, without what needs a gradebook or a kernel.
RELEASE = (
    LockCells,
    ClearSolutionsByCell,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
)

#: For ``nbgrader generate_assignment``: its own list, with our way to take solutions out.
GENERATE = [
    IncludeHeaderFooter,
    InstantiateTests,
    LockCells,
    ClearSolutionsByCell,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    SaveCells,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
]
