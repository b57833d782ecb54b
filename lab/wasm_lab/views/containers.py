"""Containers that were run and measured, as tables and as plain data."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from wasm_lab.scenarios.containers.report import STARTS, WEIGHTS, Figure
from wasm_lab.views.loadtest import _ratio
from wasm_lab.views.plain import plain
from wasm_lab.views.tables import Stack, duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.measure.statistics import Summary
    from wasm_lab.scenarios.containers.measuring import Watcher
    from wasm_lab.scenarios.containers.report import ContainerReport
    from wasm_lab.scenarios.containers.running import ContainerRun

#: Bytes of a megabyte, as the claims have it.
MB = 1e6


def run_record(run: ContainerRun) -> dict[str, Any]:
    """One container as plain data. Times are in nanoseconds, sizes in bytes."""
    record = plain(run)
    return {**record, "text": run.text, "killed_for_memory": run.killed_for_memory}


def run_table(run: ContainerRun) -> Stack:
    """What one container wrote, and how it ended."""
    status = run.status
    ended = f"{status.reason or status.state}, status {status.exit_code}"
    if run.killed_for_memory:
        ended += f": it took more than {run.memory_limit_bytes or 0:,} bytes ({run.memory_wall})"
    facts = [f"{run.image} under {run.handler}, {run.runtime}", ended]
    if run.started_ns and status.reason != "Error":  # what else was written is no program's own word
        facts.append(f"request to first words {duration(run.started_ns)}")
    if run.most_pss_bytes:
        facts.append(f"at most {run.most_pss_bytes / MB:.3g} MB seen")
    return Stack(Text(run.text.rstrip()), Text(" · ".join(facts), style="dim"))


def report_tables(report: ContainerReport) -> Stack:
    """Starts, memory, crowds, how the clocks agree, what was not measured."""
    parts: list[Text | Table] = [Text(_sentence(report)), _starts(report), _memory(report)]
    if any(report.cost(one.title) for one in report.subjects):
        parts.append(_crowds(report))
    if report.agreements() and report.kind == "containers":
        parts.append(_agreements(report))
    if report.missing:
        parts.append(_missing(report))
    notes = " ".join(("Intervals are 95 %.", *report.notes, *report.machine.noise))
    parts.append(Text(f"Measured on {report.machine}. {notes}", style="dim"))
    return Stack(*parts)


def _sentence(report: ContainerReport) -> str:
    rounds = len(report.measurements.where(phase=Figure.START.value).values_of("process"))
    what = f"One program in {len(report.subjects)} forms, started in {rounds} rounds of random order"
    if report.kind == "containers":
        how = (
            f", each time in a new pod of {report.runtime}; its image was there, and the page cache warm. "
            "A start ends with the program's own clock in its first words."
        )
    else:
        why = f" ({report.why_no_containers})" if report.why_no_containers else ""
        how = f" as bare processes, not as containers{why}"
    return what + how + (" Interrupted." if report.interrupted else "")


def _starts(report: ContainerReport) -> Table:
    figures = STARTS if report.kind == "containers" else (Figure.START,)
    table = Table(title=f"Start: median, and against {report.baseline}", title_justify="left")
    table.add_column("program", no_wrap=True)
    for figure in figures:
        table.add_column(figure.value, justify="right")
    table.add_column("ratio", justify="right")
    for one in report.subjects:
        cells = (_value(report.summary(one.title, figure)) for figure in figures)
        ratio = "1" if one.title == report.baseline else _ratio(report.ratio(Figure.START, one.title))
        table.add_row(one.title, *cells, ratio)
    return table


def _memory(report: ContainerReport) -> Table:
    containers = report.kind == "containers"
    figures = (*WEIGHTS, Figure.COMPRESSED, Figure.UNCOMPRESSED) if containers else (Figure.CONTAINER,)
    table = Table(title="Memory of one, idle, and its image", title_justify="left")
    table.add_column("program", no_wrap=True)
    for figure in figures:
        table.add_column(figure.value if containers else "PSS of the process", justify="right")
    for one in report.subjects:
        table.add_row(one.title, *(_value(report.summary(one.title, each)) for each in figures))
    return table


def _value(one: Summary | None) -> str:
    """A median in ms or MB, its interval in brackets; a dash where nothing was measured."""
    if one is None:
        return "–"
    unit = "ms" if one.unit == "ns" else "MB"
    middle, low, high = (f"{value / 1e6:.3g}" for value in (one.median, one.low, one.high))
    if math.isnan(one.low) or low == middle == high:
        return f"{middle} {unit}"
    return f"{middle} ({low}–{high}) {unit}"


def _crowds(report: ContainerReport) -> Table:
    title = "One further idle one: what all processes take together, from small crowds to larger ones"
    table = Table(title=title, title_justify="left")
    table.add_column("program", no_wrap=True)
    containers = report.kind == "containers"
    ways = (("with shim and pause", True), ("the container alone", False)) if containers else (("", True),)
    for name, _ in ways:
        table.add_column(f"memory {name}".strip(), justify="right")
        table.add_column("per GB", justify="right")
    for one in report.subjects:
        cells = []
        for _, shims in ways:
            cost = report.cost(one.title, shims=shims)
            if cost is None or cost.each_bytes <= 0:
                cells += ["–", "–"]
                continue
            spread = f"{cost.low / MB:.3g} to {cost.high / MB:.3g} MB"
            # Where nothing at all is within the interval, so is any number of them.
            fit = f"{cost.per_gigabyte():.0f}" if cost.low > 0 else "too noisy to tell"
            cells += [f"{cost.each_bytes / MB:.3g} MB ({spread})", fit]
        table.add_row(one.title, *cells)
    return table


def _agreements(report: ContainerReport) -> Table:
    table = Table(title="Our times beside the container runtime's own", title_justify="left")
    table.add_column("moment", overflow="fold")
    for heading in ("median difference", "largest", "within 5 ms"):
        table.add_column(heading, justify="right")
    for one in report.agreements():
        table.add_row(one.what, _signed(one.median_ns), duration(one.largest_ns), f"{one.within} of {one.n}")
    return table


def _signed(nanoseconds: float) -> str:
    return f"-{duration(-nanoseconds)}" if nanoseconds < 0 else duration(nanoseconds)


def _missing(report: ContainerReport) -> Table:
    table = Table(title="Not measured", title_justify="left")
    table.add_column("program", no_wrap=True)
    table.add_column("why", overflow="fold")
    for title, why in report.missing.items():
        table.add_row(title, why)
    return table


def report_record(report: ContainerReport) -> dict[str, Any]:
    """A report as plain data: what ``--json`` prints. Times are in nanoseconds, sizes in bytes."""
    ratios = [
        plain(found)
        for one in report.subjects
        for figure in (*STARTS, Figure.CONTAINER)
        if one.title != report.baseline and (found := report.ratio(figure, one.title)) is not None
    ]
    crowds = [
        {**plain(cost), "per_gigabyte": cost.per_gigabyte()}
        for one in report.subjects
        for shims in (True, False)
        if (cost := report.cost(one.title, shims=shims)) is not None
    ]
    return {
        "kind": report.kind,
        "runtime": report.runtime,
        "why_no_containers": report.why_no_containers,
        "interrupted": report.interrupted,
        "baseline": report.baseline,
        "summaries": [plain(one) for one in report.summaries()],
        "ratios": ratios,
        "crowds": crowds,
        "agreements": [plain(one) for one in report.agreements()],
        "missing": report.missing,
        "notes": list(report.notes),
        "machine": plain(report.machine),
        "duration_s": report.duration_s,
    }


@contextmanager
def container_progress() -> Iterator[Watcher]:
    """A bar over the starts of a measurement; nothing where nobody would see it move."""
    from wasm_lab.scenarios.containers.measuring import Watcher
    from wasm_lab.views.progress import UPDATE_S, _bar

    with _bar(total=1, unit="start", mininterval=UPDATE_S) as bar:

        def on_step(what: str, done: int, total: int) -> None:
            if total and bar.total != total:
                bar.reset(total=total)
            bar.set_description_str(what)
            bar.update(done - bar.n)

        yield Watcher(on_step=on_step)
