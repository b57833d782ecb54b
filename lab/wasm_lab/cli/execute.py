"""Running a file from the command line, once its options are known."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wasm_lab.capabilities import Capabilities
from wasm_lab.cli import TIMED_OUT, TRAPPED
from wasm_lab.run import TrapKind
from wasm_lab.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.artifact import Artifact
    from wasm_lab.run import Run
    from wasm_lab.views.stream import PassingSink, TerminalSink

#: As in the wasmtime CLI, nothing limits time or output unless it is asked for.
DEFAULTS = Capabilities(
    stdin=None, deadline_s=None, output_bytes=None, memory_bytes=None, inherit_output=True
)

BUILD_DEFAULTS = {"profile": "release", "target": "wasm32-wasip1", "edition": None}


def execute(
    file: Path,
    capabilities: Capabilities,
    *,
    runtime: str = "wasmtime",
    audit: bool = False,
    as_json: bool = False,
    build_options: dict[str, Any] | None = None,
) -> int:
    """Run a source, .wasm or .wat file; gives the status to exit with."""
    session = Session(runtime)
    artifact = _artifact(session, file, build_options or BUILD_DEFAULTS)
    sink = None if as_json else _sink(artifact, capabilities)
    if sink:
        capabilities = replace(capabilities, inherit_output=False)
    result = session.run(artifact, capabilities, audit=audit, output=sink)
    if sink:
        sink.flush()
    if as_json:
        import json

        from wasm_lab.views.plain import plain

        record = plain(result) | {"exit_code": exit_code(result)}
        print(json.dumps(record, indent=2, ensure_ascii=False))  # noqa: T201
    else:
        report(result)
    return exit_code(result)


def _artifact(session: Session, file: Path, build_options: dict[str, Any]) -> Artifact:
    if file.suffix in (".wasm", ".wat"):
        from wasm_lab.build.foreign import load_file

        return load_file(file)
    from wasm_lab.cli.build import built

    return built(session, file, build_options)


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
    from wasm_lab.errors import GuestExit
    from wasm_lab.session import failure_of

    failure = failure_of(result)
    # A program that exits with a status of its own has said why itself; only a refusal adds to that.
    if failure and isinstance(failure, GuestExit):
        if failure.hint:
            print(failure.hint, file=sys.stderr)  # noqa: T201
    elif failure:
        show_error(failure)
