"""A Cloudflare Worker to look at: what it may use, where it answers, what it was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from wasm_lab.views.tables import Stack, duration, size

if TYPE_CHECKING:
    from wasm_lab.scenarios.edge import LiveWorker
    from wasm_lab.scenarios.edge.worker import Worker

#: Lines of the log, and requests, that are shown.
_SHOWN = 8


def worker_stack(live: LiveWorker, name: str) -> Stack:
    """What a worker is made of and may use, and how to ask it."""
    ask = f'{live.state}: {name}.get("/") · {name}.log · {name}.stop()'
    return Stack(_table(live.worker), Text(ask, style="dim"))


def worker_report(live: LiveWorker) -> Stack:
    """The state of a worker, its latest requests and the end of its log."""
    parts: list[Table | Text] = [Text(f"worker {live.worker.name}: {live.state}")]
    if live.requests:
        table = Table(title="Latest requests", title_justify="left")
        for heading in ("request", "status", "took"):
            table.add_column(heading, overflow="fold")
        for asked in list(live.requests)[-_SHOWN:]:
            table.add_row(
                Text(f"{asked.method} {asked.path}"), str(asked.status), duration(asked.duration_ns)
            )
        parts.append(table)
    lines = live.log.splitlines()
    if lines:
        parts.append(Text("\n".join(["Log:", *lines[-_SHOWN:]])))
    return Stack(*parts)


def _table(worker: Worker) -> Table:
    table = Table(title=f"Worker {worker.name}", title_justify="left")
    for heading in ("has", "what"):
        table.add_column(heading, overflow="fold")
    bindings = worker.bindings
    for module in worker.modules:
        if module.kind == "wasm":
            table.add_row(Text(module.name), Text(f"{size(len(module.data))} of Wasm"))
    kinds = {
        "variables": (*bindings.texts, *bindings.json, *bindings.data),
        "secrets": tuple(bindings.secrets),
        "KV namespaces": bindings.kv,
        "outgoing requests": worker.allowed_hosts or ("refused",),
        "compatibility": (worker.compatibility_date, *worker.compatibility_flags),
    }
    for kind, names in kinds.items():
        if names:
            table.add_row(Text(kind), Text(", ".join(names)))
    return table
