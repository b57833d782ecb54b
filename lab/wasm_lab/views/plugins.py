"""Tables of a plugin host: how its plugins stand, and its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from wasm_lab.views.tables import Stack, duration, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.scenarios.plugins.records import Call, Status

_STATES = {"ready": "green", "kept": "yellow", "refused": "bold red"}
_ENDS = {"ok": "green", "failure": "yellow"}


def statuses_table(statuses: Sequence[Status]) -> Stack:
    """How each plugin stands, what it says of itself, and why a file cannot be used."""
    table = Table(title=f"{len(statuses)} plugins", title_justify="left")
    for name in ("plugin", "state", "says it is", "options"):
        table.add_column(name, overflow="fold", no_wrap=name in ("plugin", "state"))
    for name in ("size", "calls", "failed"):
        table.add_column(name, justify="right", no_wrap=True)
    for status in statuses:
        said = status.description or {}
        table.add_row(
            Text(status.name),
            Text(status.state.value, style=_STATES[status.state.value]),
            Text(_sentence(said)),
            Text(", ".join(map(str, said.get("options", ())))),
            size(status.size_bytes) if status.size_bytes else "",
            str(status.calls),
            str(status.failed),
        )
    reasons = [f"{status.name}: {status.reason}" for status in statuses if status.reason]
    return Stack(table, *map(Text, reasons))


def calls_table(calls: Sequence[Call]) -> Stack:
    """Each call: how long, how it ended, what went in and out, what was refused."""
    table = Table(title=f"{len(calls)} calls", title_justify="left")
    for name in ("plugin", "function", "ended", "why", "asked in vain for"):
        table.add_column(name, overflow="fold", no_wrap=name in ("plugin", "function", "ended"))
    for name in ("time", "fresh instance", "in", "out", "logged"):
        table.add_column(name, justify="right", no_wrap=True)
    for call in calls:
        ended = call.outcome.value
        table.add_row(
            Text(call.plugin),
            Text(call.function),
            Text(ended, style=_ENDS.get(ended, "bold red")),
            Text(call.why),
            Text("; ".join(call.refused)),
            duration(call.duration_ns),
            duration(call.instantiate_ns) if call.instantiate_ns else "",
            size(call.given_bytes),
            size(call.got_bytes),
            str(len(call.log)),
        )
    return Stack(table)


def _sentence(said: dict[str, Any]) -> str:
    if not said:
        return ""
    version = f" {said['version']}" if said.get("version") else ""
    summary = f": {said['summary']}" if said.get("summary") else ""
    return f"{said.get('name', '')}{version}{summary}"
