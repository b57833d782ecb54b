"""``wasm-lab bench``: a program or a function timed in every runtime that is here."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wasm_lab.capabilities import Capabilities
from wasm_lab.errors import UsageError
from wasm_lab.options import bench_options, build_options, capabilities_from, capability_options, effort_from
from wasm_lab.run import Phase
from wasm_lab.source import Kind

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.bench import Report
    from wasm_lab.bench.comparing import Effort, Watcher
    from wasm_lab.measure.statistics import Comparison

EXAMPLES = """\b
Examples:
  wasm-lab bench hello.rs
  wasm-lab bench --dir-ro ./data::/data mine.wasm /data/words.txt
  wasm-lab bench --invoke fib fib.rs 32
  wasm-lab bench --invoke fib --runtime wasmtime --guards --save fib.jsonl fib.rs 32
  wasm-lab bench --phase compile --phase instantiate --json mine.wasm
  wasm-lab bench --html report.html --budget 1m mine.wasm
"""


@click.command(context_settings={"allow_interspersed_args": False}, epilog=EXAMPLES)
@build_options
@capability_options
@bench_options
@click.option("--invoke", metavar="NAME", help="Time this function with ARGS instead of the whole program.")
@click.option("--js-twin", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE")
@click.option("--python-twin", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a report to hand on.",
)
@click.option("--json", "as_json", is_flag=True, help="Print summaries and ratios as JSON.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def bench(file: Path, args: tuple[str, ...], **options: Any) -> int:
    """Time FILE (.rs, .c, .cpp, .zig, .go, .wasm or .wat) wherever it runs here, and compare.

    A program is run with ARGS in fresh instances; --invoke times one function, which a Rust
    file's public functions and a module's exports of numbers can be. Answers are compared
    first: where they differ, nothing is timed. Every round has a fresh process of each
    runtime, in random turn, on code without guards. It ends when the intervals are narrow
    enough or the budget is spent; Ctrl-C ends it earlier and keeps what was measured.
    """
    from wasm_lab.views.bench import history_table, report_tables
    from wasm_lab.views.progress import bench_progress
    from wasm_lab.views.tables import print_table

    invoke = options["invoke"]
    effort = effort_from(options, _phases(invoke))
    earlier = _earlier(options["compare"])
    try:
        with bench_progress(effort.budget_s) as watcher:
            report = _report(file, args, options, effort, watcher)
    except KeyboardInterrupt:  # while it measures, an interrupt ends that and there is a report
        _say_nothing_measured()
        return INTERRUPTED
    if report.interrupted and not len(report.measurements):
        _say_nothing_measured()
        return INTERRUPTED
    if options["save"]:
        report.measurements.save(options["save"])
    history: tuple[Comparison, ...] = ()
    if earlier is not None:
        from wasm_lab.measure.history import compare_runs

        history = compare_runs(report.measurements, earlier)
    if options["html"]:
        from wasm_lab.views.report_page import write_report

        write_report(report, options["html"], history=history)
    if options["as_json"]:
        from wasm_lab.views.bench import report_record

        click.echo(json.dumps(report_record(report, history), indent=2, ensure_ascii=False))
    else:
        print_table(report_tables(report), sys.stdout)
        if history:
            print_table(history_table(history), sys.stdout)
    return INTERRUPTED if report.interrupted else 0


def _say_nothing_measured() -> None:
    click.echo(
        "Interrupted before the first round was done: nothing was measured, nothing is saved.", err=True
    )


#: As for any interrupted command; what was measured until then has been printed and saved.
INTERRUPTED = 130


def _phases(invoke: str | None) -> tuple[Phase, ...]:
    """What ``--phase all`` means; the last decides when it is enough."""
    if invoke:
        once = (Phase.COMPILE, Phase.LOAD, Phase.INSTANTIATE, Phase.TEARDOWN, Phase.FIRST_CALL)
        return (*once, Phase.CALL)
    return (Phase.COMPILE, Phase.LOAD, Phase.INSTANTIATE, Phase.TEARDOWN, Phase.PROCESS, Phase.RUN)


def _earlier(path: Path | None) -> Any:
    """Samples saved earlier, read before anything is measured, so that a wrong file costs no time."""
    if path is None:
        return None
    from wasm_lab.measure.store import Measurements

    return Measurements.load(path)


def _report(
    file: Path, args: tuple[str, ...], options: dict[str, Any], effort: Effort, watcher: Watcher
) -> Report:
    from wasm_lab.bench import bench_command, bench_export, bench_function
    from wasm_lab.files import artifact_of, rust_source
    from wasm_lab.session import Session

    where = options["where"] or None
    if options["invoke"] and file.suffix == ".rs":
        from wasm_lab.cli.invoke import literal

        return bench_function(
            rust_source(file, options),
            options["invoke"],
            [tuple(literal(word) for word in args)],
            where=where,
            js_twin=_text(options["js_twin"]),
            python_twin=_text(options["python_twin"]),
            guards=options["guards"],
            effort=effort,
            watcher=watcher,
        )
    watcher.step("compiling")
    artifact = artifact_of(Session(), file, options)
    if options["invoke"]:
        from wasm_lab.cli.invoke import literal

        numbers = tuple(literal(word) for word in args)
        return bench_export(artifact, options["invoke"], numbers, where=where, effort=effort, watcher=watcher)
    _check_program(artifact)
    granted = capabilities_from(options, args, Capabilities(deadline_s=None))
    return bench_command(
        artifact, granted, where=where, guards=options["guards"], effort=effort, watcher=watcher
    )


def _check_program(artifact: Artifact) -> None:
    if artifact.source and artifact.source.kind is Kind.FUNCTIONS:
        raise UsageError(
            f"{artifact.label} has no main, so there is no program to run.",
            hint="Time one of its functions: --invoke NAME, and its arguments after the file.",
        )


def _text(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text (byte {error.start}).") from None
