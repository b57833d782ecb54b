"""``wasm-lab run``: a program, from Rust, Wasm or WAT, in the sandbox."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wasm_lab.capabilities import Capabilities
from wasm_lab.errors import GuestExit
from wasm_lab.options import build_options, capabilities_from, capability_options

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.run import Run
    from wasm_lab.views.stream import PassingSink, TerminalSink

#: What a shell reports for a process that ended by SIGABRT (128 + 6): wasmtime's own choice for a trap.
TRAPPED = 134
#: What ``timeout(1)`` exits with.
TIMED_OUT = 124

#: As in the wasmtime CLI, nothing limits time or output unless it is asked for.
DEFAULTS = Capabilities(
    stdin=None, deadline_s=None, output_bytes=None, memory_bytes=None, inherit_output=True
)

EXAMPLES = """\b
Examples:
  wasm-lab run hello.rs
  wasm-lab run --dir-ro ./data::/data count.rs /data/words.txt
  wasm-lab run --timeout 2s --memory 64MiB --audit mine.wasm
  echo 'a line' | wasm-lab run --json upper.wat
"""


@click.command(context_settings={"allow_interspersed_args": False}, epilog=EXAMPLES)
@build_options
@capability_options
@click.option("--runtime", default="wasmtime", show_default=True, help="The engine to run in.")
@click.option("--audit", is_flag=True, help="List every host call afterwards, on standard error.")
@click.option("--invoke", metavar="NAME", help="Call this function with ARGS instead of running main.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the whole run as JSON; output is captured in it."
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def run(file: Path, args: tuple[str, ...], runtime: str, audit: bool, **options: Any) -> int:
    """Run FILE (.rs, .wasm or .wat) as a WASI command; ARGS are the program's own.

    Files, environment and network are closed until an option opens them. Standard
    input, output and error are passed through. The exit status is the guest's own,
    134 for a trap and 124 for a deadline.
    """
    from wasm_lab.cli.build import built
    from wasm_lab.session import Session

    as_json, invoke = options.pop("as_json"), options.pop("invoke")
    capabilities = capabilities_from(options, args, replace(DEFAULTS, inherit_output=not as_json))
    session = Session(runtime)
    artifact = built(session, file, options)
    if invoke:
        from wasm_lab.cli.invoke import invoke_function

        return invoke_function(session, artifact, invoke, args, capabilities, as_json=as_json)
    sink = None if as_json else _sink(artifact, capabilities)
    if sink:
        capabilities = replace(capabilities, inherit_output=False)
    result = session.run(artifact, capabilities, audit=audit, output=sink)
    if sink:
        sink.flush()
    if as_json:
        from wasm_lab.views.plain import plain

        click.echo(json.dumps(plain(result) | {"exit_code": exit_code(result)}, indent=2, ensure_ascii=False))
    else:
        report(result)
    return exit_code(result)


def _sink(artifact: Artifact, capabilities: Capabilities) -> TerminalSink | PassingSink | None:
    """What output goes through on its way; None when the guest may write to our own streams itself."""
    if artifact.source and artifact.source.kind == "statements":
        # Their values come marked as rich content, which a terminal shows as text.
        from wasm_lab.views.stream import TerminalSink

        return TerminalSink()
    if capabilities.output_bytes is not None:
        # Nobody counts what a guest writes to our own streams itself.
        from wasm_lab.views.stream import PassingSink

        return PassingSink()
    return None


def exit_code(result: Run) -> int:
    """The status to exit with for a Run."""
    if result.trap:
        from wasm_lab.run import TrapKind

        return TIMED_OUT if result.trap.kind is TrapKind.DEADLINE else TRAPPED
    return result.exit_status or 0


def report(result: Run) -> None:
    """What the guest could not say itself, on standard error: a trap, refusals, the audit."""
    if result.audit is not None:
        from wasm_lab.views.tables import audit_table, print_table

        print_table(audit_table(result.audit), sys.stderr)
    if result.exit_status == 0:
        return
    from wasm_lab.cli.show import show_error
    from wasm_lab.session import failure_of

    failure = failure_of(result)
    # A program that exits with a status of its own has said why itself; only a refusal adds to that.
    if failure and isinstance(failure, GuestExit):
        if failure.hint:
            click.echo(failure.hint, err=True)
    elif failure:
        show_error(failure)
