"""The notebook's surface: parse a magic line, call the session, display what came back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from wasm_lab.errors import UsageError
from wasm_lab.magics import cells, twins
from wasm_lab.magics.completion import register_completion
from wasm_lab.magics.empty import KeepEmptyCells
from wasm_lab.magics.exercises import remember_cells
from wasm_lab.magics.line import parse_line, session

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from wasm_lab.artifact import Artifact
    from wasm_lab.bench import Report
    from wasm_lab.claims import Evaluated


@magics_class
class WasmLabMagics(Magics):
    """``%%wasm_rust`` and its companions."""

    @cell_magic
    def wasm_rust(self, line: str, cell: str) -> None:
        """Compile a Rust cell and run it in a sandbox; ``%%wasm_rust --help`` lists the options."""
        options = parse_line(cells.cell_command(), line)
        if options is not None:
            assert self.shell is not None, "magics run in a shell"
            cells.run_cell(self.shell, cell, options)

    @cell_magic
    def wasm(self, line: str, cell: str) -> None:
        """Compile a cell in another language and run it in a sandbox: ``%%wasm c``; ``--help`` lists options."""
        from wasm_lab.magics.languages import run_language_cell

        assert self.shell is not None, "magics run in a shell"
        run_language_cell(self.shell, line, cell)

    @cell_magic
    def js_twin(self, line: str, cell: str) -> None:
        """Define the JavaScript twin of a Rust function: ``%%js_twin NAME``."""
        options = parse_line(twins.js_twin_command(), line)
        if options is not None:
            twins.define(options, cell)

    @cell_magic
    def spin_app(self, line: str, cell: str) -> None:
        """Start the Spin application of a spin.toml: ``%%spin_app NAME``."""
        from wasm_lab.magics import spin

        options = parse_line(spin.spin_app_command(), line)
        if options is not None:
            assert self.shell is not None, "magics run in a shell"
            spin.start(self.shell, cell, options)

    @cell_magic
    def worker(self, line: str, cell: str) -> None:
        """Start the Cloudflare Worker of a cell: ``%%worker NAME``."""
        from wasm_lab.magics import worker

        options = parse_line(worker.worker_command(), line)
        if options is not None:
            assert self.shell is not None, "magics run in a shell"
            worker.start(self.shell, cell, options)

    @cell_magic
    def wit(self, line: str, cell: str) -> None:
        """Check a WIT text and keep its worlds: ``%%wit NAME``."""
        from wasm_lab.magics import wit

        options = parse_line(wit.wit_command(), line)
        if options is not None:
            wit.define(options, cell)

    @cell_magic
    def answer(self, line: str, cell: str) -> None:
        """Keep the text of a cell as the answer to an exercise, without executing it: ``%%answer NAME``."""
        from wasm_lab.magics import exercises

        options = parse_line(exercises.answer_command(), line)
        if options is not None:
            assert self.shell is not None, "magics run in a shell"
            exercises.keep(self.shell, options, cell)

    @line_magic
    def exercise(self, line: str) -> None:
        """Be led through the exercises: ``%exercise [list|next|check|hint|reset] [NAME]``."""
        from wasm_lab.magics import exercises

        options = parse_line(exercises.exercise_command(), line)
        if options is not None:
            assert self.shell is not None, "magics run in a shell"
            exercises.exercise(self.shell, options)

    @line_magic
    def wasm_run(self, line: str) -> None:
        """Run a .rs, .wasm or .wat file: ``%wasm_run [options] FILE [ARGS…]``."""
        from wasm_lab.files import artifact_of
        from wasm_lab.views.progress import notebook_progress

        options = parse_line(cells.run_command(), line)
        if options is not None:
            with notebook_progress() as progress:
                artifact = artifact_of(session(), options["file"], options, progress=progress)
            cells.show_warnings(artifact)
            cells.run_program(artifact, cells.granted(options), options)

    @line_magic
    def wasm_bench(self, line: str) -> Report | None:
        """Time a function or a program wherever it runs here: ``%wasm_bench fib --args 32``."""
        from wasm_lab.magics.bench import bench, bench_line

        options = parse_line(bench_line(), line)
        if options is None:
            return None
        assert self.shell is not None, "magics run in a shell"
        return bench(self.shell, options)

    @line_magic
    def wasm_claims(self, line: str) -> Evaluated | None:
        """Rows of the ledger of claims, evaluated here: ``%wasm_claims a1 b2``; all without ids."""
        from wasm_lab.magics.claims import claims, claims_line

        options = parse_line(claims_line(), line)
        return claims(options) if options is not None else None

    @line_magic
    def wasm_inspect(self, line: str) -> None:
        """What a module is made of: ``%wasm_inspect [FILE or name of a cell or world]``, else the last artifact."""
        name = line.strip()
        here = session()
        if not name:
            if here.last_artifact is None:
                raise UsageError("Nothing has been compiled yet.", hint="Run a %%wasm_rust cell first.")
            _show_inspection(here.last_artifact)
        elif name in here.cells:
            _show_inspection(here.cells[name].artifact)
        elif name in here.components:
            _show_inspection(here.components[name].artifact)
        else:
            from wasm_lab.build.foreign import load_file

            _show_inspection(load_file(Path(name)))

    @line_magic
    def wasm_doctor(self, line: str) -> None:
        """One table of compilers, runtimes and tools: found or not, what for, how to get them."""
        from IPython.display import display

        from wasm_lab.toolchains.doctor import examine
        from wasm_lab.views.doctor import doctor_table

        if line.strip():
            raise UsageError(
                "%wasm_doctor takes no options.", hint="To install what is missing: wasm-lab doctor --fix"
            )
        display(doctor_table(examine()))


def register(shell: InteractiveShell) -> None:
    """Add the magics and the notebook forms of the lab's records to an IPython shell."""
    from wasm_lab.views.notebook import register_formatters

    shell.register_magics(WasmLabMagics)
    if not any(isinstance(each, KeepEmptyCells) for each in shell.input_transformers_cleanup):
        shell.input_transformers_cleanup.append(KeepEmptyCells(shell, WasmLabMagics))
    register_completion(shell)
    remember_cells(shell)
    register_formatters(shell)


def _show_inspection(artifact: Artifact) -> None:
    from IPython.display import display

    from wasm_lab.build.inspect import inspect
    from wasm_lab.views.inspection import inspection_tables

    display(inspection_tables(inspect(artifact)))
