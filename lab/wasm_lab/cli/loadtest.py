"""``wasm-lab loadtest``: one JSON API, served by several stacks under the same load."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wasm_lab.cli import INTERRUPTED
from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from wasm_lab.scenarios.loadtest import LoadReport, Plan

EXAMPLES = """\b
Examples:
  wasm-lab loadtest --prepare
  wasm-lab loadtest --quick
  wasm-lab loadtest node go wasmtime
  wasm-lab loadtest --connections 16 --seconds 5 --rounds 10
  wasm-lab loadtest --save samples.jsonl --html report.html
  wasm-lab loadtest --quick --json spin wasmtime
"""

_FILE = click.Path(dir_okay=False, path_type=Path)
_COUNT = click.IntRange(min=1)


def _complete(_context: click.Context, _parameter: click.Parameter, start: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from wasm_lab.scenarios.loadtest.stacks import STACKS

    return [CompletionItem(one.name, help=one.title) for one in STACKS if one.name.startswith(start)]


@click.command(epilog=EXAMPLES)
@click.option("--prepare", is_flag=True, help="Build the stacks and say which are ready; measure nothing.")
@click.option("--quick", is_flag=True, help="16 connections, five rounds of one second: under two minutes.")
@click.option("--connections", metavar="N,N…", help="Loads: connections kept open.  [default: 1,16,64]")
@click.option("--seconds", type=_COUNT, metavar="N", help="Seconds of each load.  [default: 3]")
@click.option("--rounds", type=_COUNT, metavar="N", help="Rounds of fresh processes.  [default: 6]")
@click.option("--seed", type=int, help="Draws another order of the stacks.")
@click.option("--json", "as_json", is_flag=True, help="Print summaries and ratios as JSON.")
@click.option("--save", type=_FILE, metavar="FILE", help="Write all samples as .jsonl or .csv.")
@click.option("--html", type=_FILE, metavar="FILE", help="Write a page with charts to hand on.")
@click.argument("stacks", nargs=-1, shell_complete=_complete)
def loadtest(stacks: tuple[str, ...], prepare: bool, **options: Any) -> int:
    """Serve one JSON API by several stacks and load them in turns.

    STACKS are node (Express), go (net/http), actix (Rust), spin (Wasm in the embedded Spin
    host), wasmtime (Wasm in wasmtime serve) and wasmedge; without names, all that can be had
    here. They are built on first use, which takes minutes, and answers are compared before
    anything is timed. Each server has one core and one worker; wrk makes the load. Measured
    are requests per second, P50 and P99, the cold start to the first answer, memory under load
    and the deployed size. All takes about eight minutes. Ctrl-C ends it earlier and keeps what
    was measured; the exit status is then 130.
    """
    from wasm_lab.measure.store import check_suffix

    plan = _plan(options)
    if options["save"]:
        check_suffix(options["save"])
    if prepare:
        return _prepare(stacks, as_json=options["as_json"])
    from wasm_lab.scenarios.loadtest import load_test
    from wasm_lab.views.loadtest import load_record, load_tables, write_load_page
    from wasm_lab.views.progress import load_progress
    from wasm_lab.views.tables import print_table

    with load_progress() as watcher:
        report: LoadReport = load_test(stacks, plan, watcher=watcher)
    # Printed first, so that a file that cannot be written costs nothing that was measured.
    if options["as_json"]:
        click.echo(json.dumps(load_record(report), indent=2, ensure_ascii=False))
    else:
        print_table(load_tables(report), sys.stdout)
    if options["save"]:
        report.measurements.save(options["save"])
    if options["html"]:
        write_load_page(report, options["html"])
    return INTERRUPTED if report.interrupted else 0


def _plan(options: dict[str, Any]) -> Plan:
    from wasm_lab.scenarios.loadtest import QUICK, Plan

    given = {name: options[name] for name in ("seconds", "rounds", "seed") if options[name] is not None}
    if options["connections"]:
        given["connections"] = _numbers(options["connections"])
    return replace(QUICK if options["quick"] else Plan(), **given)


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise UsageError(
            f"--connections {text!r} is no list of numbers.", hint="For example: --connections 1,16,64."
        ) from None


def _prepare(stacks: tuple[str, ...], *, as_json: bool) -> int:
    from wasm_lab.scenarios.loadtest import prepare
    from wasm_lab.views.loadtest import ready_record, ready_table
    from wasm_lab.views.progress import terminal_progress
    from wasm_lab.views.tables import print_table

    with terminal_progress() as progress:
        readied = prepare(stacks, progress=progress)
    if as_json:
        click.echo(json.dumps(ready_record(readied), indent=2, ensure_ascii=False))
    else:
        print_table(ready_table(readied), sys.stdout)
    return 0
