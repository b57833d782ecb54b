"""``%wasm_bench``: a function of a cell, or a program, timed live in every runtime that is here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError
from wasm_lab.magics.line import session
from wasm_lab.run import Phase
from wasm_lab.source import Kind

if TYPE_CHECKING:
    import click
    from IPython.core.interactiveshell import InteractiveShell

    from wasm_lab.artifact import Artifact
    from wasm_lab.bench import Report
    from wasm_lab.bench.comparing import Effort, Watcher

#: What ``--phase all`` means of a function and of a program; the last decides when it is enough.
_ONCE = (Phase.COMPILE, Phase.LOAD, Phase.INSTANTIATE, Phase.TEARDOWN)
FUNCTION_PHASES = (*_ONCE, Phase.FIRST_CALL, Phase.CALL)
PROGRAM_PHASES = (*_ONCE, Phase.PROCESS, Phase.RUN)


def bench_line() -> click.Command:
    """The options of ``%wasm_bench``."""
    import click

    from wasm_lab.options import bench_options, capability_options

    @click.command("%wasm_bench", context_settings={"allow_interspersed_args": True})
    @click.option(
        "--args",
        "inputs",
        multiple=True,
        metavar="VALUES",
        help='The function\'s arguments, as Python: 32, or "[1.0, 2.0], 3"; may be repeated.',
    )
    @bench_options
    @capability_options
    @click.argument("what", default="")
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def wasm_bench() -> None:
        """Time WHAT wherever it runs here, and compare.

        WHAT is a function of a cell, a cell's name, or a source, .wasm or .wat
        file of a program, which is given WORDS as its arguments; without it, the program
        of the last cell. %%js_twin and a Python function of the same name stand beside a
        Rust function. Answers are compared first: where they differ, nothing is timed.
        Interrupting ends it and keeps what was measured. Gives the report, whose
        .measurements are the samples.

        \b
        Examples:
          %wasm_bench fib --args 32
          %wasm_bench fib --args 20 --args 30 --runtime wasmtime --guards
          %wasm_bench mine.wasm --phase all --save mine.jsonl
        """

    return wasm_bench


def bench(shell: InteractiveShell, options: dict[str, Any]) -> Report:
    """Measure with a chart that fills in live; then tables; gives the report."""
    from IPython.display import display

    from wasm_lab.options import effort_from
    from wasm_lab.views.bench import history_table, report_summary
    from wasm_lab.views.benching import live_bench

    function = _function(options["what"])
    effort = effort_from(options, FUNCTION_PHASES if function else PROGRAM_PHASES)
    earlier = _earlier(options["compare"])
    phase = effort.phases[-1] if effort.phases else Phase.CALL if function else Phase.RUN
    title = f"{function or options['what'] or 'the program'}: {phase.value}, each sample so far"
    with live_bench(title, phase.value, effort.budget_s) as live:
        if function:
            report = _bench_function(shell, function, options, effort, live.watcher)
        else:
            report = _bench_program(options, effort, live.watcher)
        live.finish(report)
    display(report_summary(report))
    if options["save"]:
        report.measurements.save(options["save"])
    if earlier is not None:
        from wasm_lab.measure.history import compare_runs

        display(history_table(compare_runs(report.measurements, earlier)))
    return report


def _earlier(path: Path | None) -> Any:
    from wasm_lab.measure.store import Measurements

    return Measurements.load(path) if path is not None else None


def _function(what: str) -> str:
    """The name of a cell's function that ``what`` is; empty when it is a program or a file."""
    here = session()
    if any(what in cell.functions for cell in here.cells.values()):
        return what
    return ""


def _bench_function(
    shell: InteractiveShell, name: str, options: dict[str, Any], effort: Effort, watcher: Watcher
) -> Report:
    from wasm_lab.bench import bench_function

    here = session()
    cell = here.cell_of_function(name)
    source = cell.artifact.source
    assert source is not None, "a live cell was built from a source"
    if source.language != "rust":
        return _bench_export(shell, name, options, effort, watcher)
    twin = here.js_twins.get(name)
    return bench_function(
        source,
        name,
        [_arguments(shell, text) for text in options["inputs"]] or [()],
        where=options["where"] or None,
        js_twin=twin.code if twin else None,
        python_twin=here.python_twin(name, shell.user_ns),
        guards=options["guards"],
        effort=effort,
        watcher=watcher,
    )


def _bench_export(
    shell: InteractiveShell, name: str, options: dict[str, Any], effort: Effort, watcher: Watcher
) -> Report:
    """A function of another language than Rust: of numbers, as the module exports it.

    Raises:
        UsageError: more than one input was given.
    """
    from wasm_lab.bench import bench_export

    if len(options["inputs"]) > 1:
        raise UsageError(f"{name} is timed with one input at a time.", hint="Give --args once.")
    artifact = session().cell_of_function(name).artifact
    numbers = _arguments(shell, options["inputs"][0]) if options["inputs"] else ()
    return bench_export(
        artifact, name, numbers, where=options["where"] or None, effort=effort, watcher=watcher
    )


def _bench_program(options: dict[str, Any], effort: Effort, watcher: Watcher) -> Report:
    from wasm_lab.bench import bench_command
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.options import capabilities_from

    artifact = _program(options["what"])
    if options["inputs"]:
        raise UsageError("--args is for functions.", hint="A program's arguments are written after its name.")
    if artifact.source and artifact.source.kind is Kind.FUNCTIONS:
        raise UsageError(
            f"{artifact.label} has no main, so there is no program to run.",
            hint="Name one of its functions: %wasm_bench NAME --args …",
        )
    granted = capabilities_from(options, tuple(options["words"]), Capabilities(deadline_s=None))
    return bench_command(
        artifact,
        granted,
        where=options["where"] or None,
        guards=options["guards"],
        effort=effort,
        watcher=watcher,
    )


def _program(what: str) -> Artifact:
    here = session()
    if not what:
        if here.last_artifact is None:
            raise UsageError("Nothing has been compiled yet.", hint="Run a %%wasm_rust cell first.")
        return here.last_artifact
    path = Path(what)
    from wasm_lab.files import artifact_of, language_of

    if path.suffix in (".rs", ".wasm", ".wat") or language_of(path):
        return artifact_of(here, path, {"profile": "release", "target": "wasm32-wasip1", "edition": None})
    if what in here.cells:
        return here.cells[what].artifact
    here.cell_of_function(what)  # which says what there is
    raise AssertionError("a known function is benched as one")


def _arguments(shell: InteractiveShell, text: str) -> tuple[Any, ...]:
    """The values of ``--args``: Python that may use the notebook's names.

    Raises:
        UsageError: it cannot be evaluated.
    """
    if not text.strip():
        return ()
    try:
        values: tuple[Any, ...] = shell.ev(f"({text},)")
    except Exception as error:
        raise UsageError(
            f"--args {text!r} cannot be evaluated: {error}.",
            hint='Write values as in a Python call, such as --args 32 or --args "[1.0, 2.0], 3".',
        ) from None
    return values
