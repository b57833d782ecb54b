"""What one run of the panel came to, and its form as plain data for the browser."""

from __future__ import annotations

import ast
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wasm_lab.build.languages.granting import granted_to
from wasm_lab.cells.missing import function_missing
from wasm_lab.cells.rich import RichSplitter
from wasm_lab.errors import GuestError, GuestFailure, GuestTrap, UsageError
from wasm_lab.run import Phase
from wasm_lab.views.tables import WHOLE_AUDIT_CALLS, duration, size

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.artifact import Artifact
    from wasm_lab.run import HostCall, Run
    from wasm_lab.session import Session
    from wasm_lab.views.panel_form import Asked

#: What is sent to the browser of one stream, in bytes: nobody reads more there, and it stays quick.
SHOWN_BYTES = 32 * 1024


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One run of a program, or one call of a function, as the panel shows it."""

    asked: Asked
    runtime: str
    version: str
    ok: bool
    ended: str  #: in one line, such as ``exit status 0``
    why: str = ""  #: what a trap said, and what would help
    value: str = ""  #: a function's result, as Python writes it
    stdout: bytes = b""
    stderr: bytes = b""
    phases_ns: dict[Phase, int] = field(default_factory=dict)
    linear_memory_bytes: int = 0
    fuel_used: int | None = None
    audit: tuple[HostCall, ...] | None = None
    refused: tuple[HostCall, ...] = ()

    @property
    def took_ns(self) -> int:
        return sum(self.phases_ns.values())


def execute(session: Session, artifact: Artifact, asked: Asked) -> Outcome:
    """Run the artifact once, or call the function that was asked for.

    Raises:
        UsageError, UnsupportedError, LoadError: it was not run, and why.
    """
    if asked.function:
        return _call(artifact, asked)
    return _outcome(
        session.run(artifact, asked.capabilities, runtime=asked.runtime, audit=asked.audit), asked
    )


def _outcome(run: Run, asked: Asked) -> Outcome:
    from wasm_lab.session import failure_of

    failure = failure_of(run)
    why = [failure.hint] if failure and not run.trap else [failure.message, failure.hint] if failure else []
    return Outcome(
        asked=asked,
        runtime=run.runtime,
        version=run.runtime_version,
        ok=run.ok,
        ended=run.trap.kind.value if run.trap else f"exit status {run.exit_status}",
        why="\n".join(part for part in why if part),
        stdout=run.stdout,
        stderr=run.stderr,
        phases_ns=run.phases_ns,
        linear_memory_bytes=run.linear_memory_bytes,
        fuel_used=run.fuel_used,
        audit=run.audit,
        refused=run.refused,
    )


def _call(artifact: Artifact, asked: Asked) -> Outcome:
    """One call of a function in a fresh instance."""
    from wasm_lab.live import LiveCell
    from wasm_lab.runtimes import get_runtime

    engine = get_runtime(asked.runtime)
    engine.check(asked.capabilities, audit=asked.audit)
    args = literals(asked.call_args)
    streams: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
    started = time.perf_counter_ns()
    cell = LiveCell(
        artifact,
        engine,
        granted_to(artifact, asked.capabilities),
        audit=asked.audit,
        output=lambda name, data: streams[name].append(data),
    )
    function = _function(cell, asked.function, artifact.label)
    ready = time.perf_counter_ns()
    value, failure = None, None
    try:
        value = function(*args)
    except (TypeError, OverflowError, ValueError) as error:
        raise UsageError(str(error)) from None
    except GuestFailure as error:
        failure = error
    done = time.perf_counter_ns()
    return Outcome(
        asked=asked,
        runtime=engine.name,
        version=engine.version,
        ok=failure is None,
        ended=_how(failure),
        why=str(failure) if failure else "",
        value="" if failure else repr(value),
        stdout=b"".join(streams["stdout"]),
        stderr=b"".join(streams["stderr"]),
        phases_ns={Phase.INSTANTIATE: ready - started, Phase.FIRST_CALL: done - ready},
        linear_memory_bytes=cell.instance.linear_memory_bytes,
        audit=tuple(cell.audit) if asked.audit else None,
        refused=tuple(call for call in cell.audit if not call.allowed),
    )


def _how(failure: GuestFailure | None) -> str:
    if failure is None:
        return "returned"
    if isinstance(failure, GuestTrap):
        return failure.trap.kind.value
    return "returned Err" if isinstance(failure, GuestError) else type(failure).__name__


def _function(cell: Any, name: str, label: str) -> Callable[..., Any]:
    if name not in cell.functions:
        raise function_missing(label, name, kind=None, known=cell.functions, refused=dict(cell.refused))
    found: Callable[..., Any] = cell.functions[name]
    return found


def literals(text: str) -> tuple[Any, ...]:
    """Arguments from Python literals with commas between.

    Raises:
        UsageError: it is anything else.

    Example:
        >>> literals("3, [1.5, 2]")
        (3, [1.5, 2])
    """
    try:
        value = ast.literal_eval(f"({text.strip().rstrip(',')},)") if text.strip() else ()
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise UsageError(
            f"{text!r} cannot be read as arguments.",
            hint="Write Python literals with commas between, such as 32, [1.0, 2.5], 'text'.",
        ) from None
    return tuple(value)


def as_text(data: bytes) -> tuple[str, int]:
    """Output as text to be read, and how many bytes of it were left out.

    Rich content (evcxr's convention) that is text stands for itself; anything else is named. Nothing
    that a guest wrote is ever shown as HTML in the panel.
    """
    splitter = RichSplitter()
    pieces = []
    for mime, content in [*splitter.feed(data), *splitter.close()]:
        if mime is None:
            pieces.append(content)
        elif mime == "text/plain":
            pieces.append(content + b"\n")
        else:
            pieces.append(f"<{mime}, {len(content)} bytes>\n".encode())
    whole = b"".join(pieces)
    return whole[:SHOWN_BYTES].decode(errors="replace"), max(0, len(whole) - SHOWN_BYTES)


def record(outcome: Outcome, number: int) -> dict[str, Any]:
    """An Outcome as plain data: text for people, numbers where the browser compares."""
    stdout, more_out = as_text(outcome.stdout)
    stderr, more_err = as_text(outcome.stderr)
    return {
        "number": number,
        "ok": outcome.ok,
        "ended": outcome.ended,
        "why": outcome.why,
        "value": outcome.value[:SHOWN_BYTES],
        "stdout": stdout,
        "stderr": stderr,
        "more": more_out + more_err,
        "engine": f"{outcome.runtime} {outcome.version}",
        "total": duration(outcome.took_ns),
        "phases": [[phase.value, duration(took)] for phase, took in outcome.phases_ns.items()],
        "memory": size(outcome.linear_memory_bytes),
        "fuel": "" if outcome.fuel_used is None else f"{outcome.fuel_used:,}",
        "audit": None if outcome.audit is None else _audit_rows(outcome.audit),
        "calls": None if outcome.audit is None else len(outcome.audit),
        "refused": len(outcome.refused),
        "explanations": list(dict.fromkeys(call.explanation for call in outcome.refused)),
    }


def _audit_rows(calls: tuple[HostCall, ...]) -> list[list[Any]]:
    """Call, arguments, result, why it was refused (empty when allowed), time."""
    if len(calls) > WHOLE_AUDIT_CALLS:
        from wasm_lab.wasi.audit import grouped

        return [
            [
                f"{each.name} ×{each.count}",
                each.subject,
                each.result,
                _refused(each),
                duration(each.duration_ns),
            ]
            for each in grouped(calls)
        ]
    return [
        [
            call.name,
            ", ".join(f"{name}={value}" for name, value in call.arguments.items()),
            call.result,
            _refused(call),
            duration(call.duration_ns),
        ]
        for call in calls
    ]


def _refused(call: Any) -> str:
    return "" if call.allowed else call.capability or "refused"
