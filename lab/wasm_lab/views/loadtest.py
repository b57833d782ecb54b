"""A load test as tables, charts, plain data and a page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from wasm_lab.scenarios.loadtest.report import Figure
from wasm_lab.views.tables import Stack, duration

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.measure.statistics import Comparison, Summary
    from wasm_lab.scenarios.loadtest.report import LoadReport
    from wasm_lab.scenarios.loadtest.running import Readied
    from wasm_lab.views.static import Chart

#: What the tables say of the generator of load.
CAVEAT = (
    "wrk sends the next request on a connection when the last was answered, so a server that stalls is also "
    "asked less. wrk fills in the latencies that it takes to be left out, at the mean pace of a connection."
)


def load_tables(report: LoadReport) -> Stack:
    """One table for each load, one of starts and sizes, ratios, what was not measured, and notes."""
    parts: list[Text | Table] = [Text(_sentence(report))]
    parts += [_load_table(report, load) for load in report.loads]
    parts.append(_once_table(report))
    if len(report.stacks) > 1:
        parts += _ratio_tables(report)
    if report.missing:
        parts.append(_missing_table(report.missing))
    notes = " ".join((*report.notes(), CAVEAT))
    parts.append(Text(f"Measured on {report.machine}. {notes}", style="dim"))
    return Stack(*parts)


def _sentence(report: LoadReport) -> str:
    rounds = len(report.measurements.where(phase=Figure.THROUGHPUT.value).values_of("process"))
    plural = "s" * (rounds != 1)
    return (
        f"{len(report.stacks)} stacks gave the same answers to {report.cases} requests, and were then loaded "
        f"by {report.generator} in turns: {rounds} round{plural} of fresh processes, {report.plan.seconds} s "
        f"for each load, GET and POST alternating, after {report.plan.warm_up_s} s to warm up"
        + ("; interrupted." if report.interrupted else ".")
    )


def _load_table(report: LoadReport, load: str) -> Table:
    table = Table(title=f"Under load, {load}: median over rounds (95 % interval)", title_justify="left")
    table.add_column("stack", no_wrap=True)
    for heading in ("requests/s", "P50", "P99", "memory"):
        table.add_column(heading, justify="right")
    for stack in report.stacks:
        table.add_row(
            stack.title,
            *(
                value_and_interval(report.summary(stack, figure, load))
                for figure in (Figure.THROUGHPUT, Figure.P50, Figure.P99)
            ),
            value_and_interval(report.summary(stack, report.memory, load)),
        )
    return table


def _once_table(report: LoadReport) -> Table:
    table = Table(title="Cold start to the first answer, and what has to be there", title_justify="left")
    for heading in ("stack", "version"):
        table.add_column(heading, no_wrap=True)
    for heading in ("cold start", "deployed", "with its runtime"):
        table.add_column(heading, justify="right")
    table.add_column("each request is handled in")
    for stack in report.stacks:
        table.add_row(
            stack.title,
            report.versions[stack.title],
            value_and_interval(report.summary(stack, Figure.COLD_START)),
            value_and_interval(report.summary(stack, Figure.DEPLOYED)),
            value_and_interval(report.summary(stack, Figure.WITH_RUNTIME)),
            stack.handled,
        )
    return table


def _ratio_tables(report: LoadReport) -> list[Text | Table]:
    """Of each figure the ratios to the baseline: a row for each stack, a column for each load."""
    found: dict[str, dict[tuple[str, str], Comparison]] = {}
    for one in report.comparisons():
        found.setdefault(one.phase, {})[one.subject, one.input] = one
    tables: list[Text | Table] = []
    for phase, ratios in found.items():
        loads = list(dict.fromkeys(load for _, load in ratios))
        title = f"{phase[0].upper()}{phase[1:]}, {report.baseline} = 1"
        table = Table(title=title, title_justify="left")
        table.add_column("stack", no_wrap=True)
        for load in loads:
            table.add_column(load or "ratio", justify="right")
        for subject in dict.fromkeys(subject for subject, _ in ratios):
            table.add_row(subject, *(_ratio(ratios.get((subject, load))) for load in loads))
        tables.append(table)
    return tables


def _ratio(one: Comparison | None) -> str:
    if one is None:
        return "–"
    interval = f"{one.low:.3g} to {one.high:.3g}" if math.isfinite(one.high) else "unknown"
    unclear = "" if one.shown else f", {one.verdict}"
    return f"{one.ratio:.3g} ({interval}){unclear}"


def _missing_table(missing: dict[str, str]) -> Table:
    table = Table(title="Not measured", title_justify="left")
    table.add_column("stack", no_wrap=True)
    table.add_column("why", overflow="fold")
    for title, why in missing.items():
        table.add_row(title, why)
    return table


def value_and_interval(one: Summary | None) -> str:
    """A median with its interval, or a dash where nothing was measured.

    Sizes are in megabytes of a million bytes, as the claims have them.
    """
    if one is None:
        return "–"
    if math.isnan(one.low) or one.low == one.high:
        return _value(one.median, one.unit)
    return f"{_value(one.median, one.unit)} ({_value(one.low, one.unit)} to {_value(one.high, one.unit)})"


def _value(value: float, unit: str) -> str:
    if unit == "ns":
        return duration(value)
    if unit == "bytes":
        return f"{value / 1e6:.3g} MB"
    if not math.isfinite(value):
        return "unknown"
    return f"{value:,.0f}" if value < 1000 else f"{float(f'{value:.3g}'):,.0f}"


def load_record(report: LoadReport) -> dict[str, Any]:
    """A report as plain data: what ``--json`` prints. Times are in nanoseconds, sizes in bytes."""
    from wasm_lab.views.plain import plain

    return {
        "stacks": [
            {
                "name": stack.name,
                "title": stack.title,
                "version": report.versions[stack.title],
                "handled_in": stack.handled,
            }
            for stack in report.stacks
        ],
        "summaries": [_finite(plain(one)) for one in report.summaries()],
        "baseline": report.baseline,
        "comparisons": [_finite(plain(one)) | {"verdict": one.verdict} for one in report.comparisons()],
        "not_measured": report.missing,
        "answers_compared": report.cases,
        "generator": report.generator,
        "plan": plain(report.plan),
        "notes": [*report.notes(), CAVEAT],
        "duration_s": report.duration_s,
        "interrupted": report.interrupted,
        "machine": plain(report.machine),
    }


def _finite(record: dict[str, Any]) -> dict[str, Any]:
    """JSON has neither NaN nor infinity: an end that is unknown is null."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in record.items()
    }


def ready_table(readied: Readied) -> Stack:
    """Which stacks are ready, and why others are not."""
    table = Table(title="Ready to be measured", title_justify="left")
    for heading in ("name", "stack", "version"):
        table.add_column(heading, no_wrap=True)
    table.add_column("deployed", justify="right", no_wrap=True)
    for stack, prepared in readied.prepared.items():
        size = _value(prepared.deployed_bytes, "bytes")
        table.add_row(stack.name, stack.title, prepared.version, size)
    return Stack(table, *([_missing_table(readied.missing)] if readied.missing else []))


def ready_record(readied: Readied) -> dict[str, Any]:
    """The same as plain data."""
    return {
        "ready": [
            {
                "name": stack.name,
                "title": stack.title,
                "version": prepared.version,
                "deployed_bytes": prepared.deployed_bytes,
            }
            for stack, prepared in readied.prepared.items()
        ],
        "missing": readied.missing,
    }


def load_charts(report: LoadReport) -> list[Chart]:
    """Requests per second, latency, cold start and memory: every sample, with median and interval."""
    from wasm_lab.views import charts
    from wasm_lab.views.static import Chart

    kept = report.measurements
    wanted = (
        (Figure.THROUGHPUT, "Requests per second under load (more is better)"),
        (Figure.P50, "Latency under load, P50 of each round (less is better)"),
        (Figure.P99, "Latency under load, P99 of each round (less is better)"),
        (report.memory, f"{report.memory} (less is better)"),
    )
    found = []
    for figure, title in wanted:
        shown = kept.where(phase=figure.value)
        if shown.samples:
            found.append(Chart(charts.strips(shown, title=title, by="input"), _figure_table(report, figure)))
    starts = kept.where(phase=Figure.COLD_START.value)
    if starts.samples:
        title = "Cold start to the first answer (less is better)"
        found.append(Chart(charts.strips(starts, title=title), _once_table(report)))
    return found


def _figure_table(report: LoadReport, figure: Figure) -> Table:
    table = Table(title=f"{figure}: median (95 % interval)", title_justify="left")
    table.add_column("stack", no_wrap=True)
    for load in report.loads:
        table.add_column(load, justify="right")
    for stack in report.stacks:
        cells = (value_and_interval(report.summary(stack, figure, load)) for load in report.loads)
        table.add_row(stack.title, *cells)
    return table


def show_load_test(report: LoadReport) -> None:
    """In a notebook: charts, then tables."""
    from IPython.display import display

    for chart in load_charts(report):
        display(chart)
    display(load_tables(report))


def write_load_page(report: LoadReport, path: Path) -> None:
    """Write one HTML page that needs nothing else.

    Raises:
        UsageError: the file cannot be written.
    """
    from boltons.fileutils import atomic_save

    from wasm_lab.errors import UsageError
    from wasm_lab.views.html import to_html
    from wasm_lab.views.report_page import page_of
    from wasm_lab.views.static import figure_html

    parts = load_tables(report).renderables
    drawn = "".join(figure_html(chart.figure, chart.table) for chart in load_charts(report))
    page = page_of("One JSON API, several stacks", f"{to_html(parts[:1])}{drawn}{to_html(parts[1:])}")
    try:
        with atomic_save(str(path), overwrite=True) as file:
            file.write(page.encode())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror or error}.", hint="Name another file."
        ) from error
