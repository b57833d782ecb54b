"""A comparison as text: what is shown while it goes on, and the tables of what it found."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from wasm_lab.views.tables import Stack, duration, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.bench import Report
    from wasm_lab.measure.statistics import Comparison, Summary

#: The order of phases in a table is that of a Run; what is weighed comes after.
_VERDICT_STYLES = {"faster": "green", "slower": "red", "less": "green", "more": "red"}


def report_tables(report: Report) -> Stack:
    """The sentence, ratios, times of each phase, memory, and what was not measured."""
    parts: list[Text | Table] = [Text(report.sentence)]
    if report.comparisons:
        parts.append(ratio_table(report.comparisons, report.baseline))
    if report.guard_prices and report.baseline != "wasmtime":
        parts.append(ratio_table(report.guard_prices, "wasmtime without guards"))
    times = [one for one in report.summaries if one.unit == "ns"]
    sizes = [one for one in report.summaries if one.unit == "bytes"]
    parts.append(time_table(times))
    if sizes:
        parts.append(memory_table(sizes))
    if report.unavailable:
        parts.append(unavailable_table(report.unavailable))
    return Stack(*parts, _where(report))


def report_summary(report: Report) -> Stack:
    """What stands below the charts: the sentence, what was not measured, where it was measured."""
    parts: list[Text | Table] = [Text(report.sentence)]
    if report.unavailable:
        parts.append(unavailable_table(report.unavailable))
    return Stack(*parts, _where(report))


def _where(report: Report) -> Text:
    return Text(f"Measured on {report.machine}. {' '.join(report.machine.noise)}", style="dim")


def ratio_table(comparisons: Sequence[Comparison], baseline: str) -> Table:
    """Each ratio with its interval and what it shows."""
    table = Table(title=f"Times as long as {baseline}", title_justify="left")
    several = len({one.input for one in comparisons}) > 1
    if several:
        table.add_column("input", no_wrap=True)
    table.add_column("what", no_wrap=True)
    for heading in ("ratio", "95 % interval", "processes"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("shown", no_wrap=True)
    for one in sorted(comparisons, key=lambda one: (one.input, one.ratio)):
        interval = f"{one.low:.3g} to {one.high:.3g}" if math.isfinite(one.high) else "unknown"
        table.add_row(
            *([one.input] if several else []),
            one.subject,
            f"{one.ratio:.3g}",
            interval,
            str(one.processes),
            Text(one.verdict, style=_VERDICT_STYLES.get(one.verdict, "")),
        )
    return table


def time_table(summaries: Sequence[Summary]) -> Table:
    """The median time of each subject and phase, with its interval and how it was found."""
    table = Table(title="Median time of one", title_justify="left")
    several = len({one.input for one in summaries}) > 1
    for heading in ("phase", *(["input"] if several else []), "what"):
        table.add_column(heading, no_wrap=True)
    for heading in ("median", "95 % interval", "values", "outliers", "before warm-up"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in sorted(summaries, key=lambda one: (one.phase, one.input, one.median)):
        known = not math.isnan(one.low)
        interval = f"{duration(one.low)} to {duration(one.high)}" if known else "unknown"
        table.add_row(
            one.phase,
            *([one.input] if several else []),
            one.subject,
            duration(one.median),
            interval,
            str(one.n),
            str(one.outliers),
            str(one.warmup_discarded),
        )
    return table


def memory_table(summaries: Sequence[Summary]) -> Table:
    """The median size of each kind of memory: one row for each subject, one column for each kind."""
    kinds = list(dict.fromkeys(one.phase for one in summaries))
    table = Table(title="Memory, median over processes", title_justify="left")
    table.add_column("what", no_wrap=True)
    for kind in kinds:
        table.add_column(kind, justify="right", no_wrap=True)
    found = {(one.subject, one.phase): one for one in summaries}
    for subject in dict.fromkeys(one.subject for one in summaries):
        cells = [found.get((subject, kind)) for kind in kinds]
        table.add_row(subject, *(size(round(one.median)) if one else "" for one in cells))
    return table


def unavailable_table(reasons: dict[str, str]) -> Table:
    """What was not measured, and why."""
    table = Table(title="Not measured", title_justify="left")
    table.add_column("what", no_wrap=True)
    table.add_column("why", overflow="fold")
    for name, why in reasons.items():
        table.add_row(name, why)
    return table


def history_table(comparisons: Sequence[Comparison]) -> Stack:
    """Now beside earlier: a ratio for each subject and phase, and what has to be known of it."""
    table = Table(title="Times as long as earlier", title_justify="left")
    for heading in ("what", "phase"):
        table.add_column(heading, no_wrap=True)
    for heading in ("ratio", "95 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("shown", no_wrap=True)
    for one in comparisons:
        given = f"{one.workload}({one.input})" if one.input else one.workload
        table.add_row(
            f"{given}, {one.subject}",
            one.phase,
            f"{one.ratio:.3g}",
            f"{one.low:.3g} to {one.high:.3g}",
            one.verdict,
        )
    notes = dict.fromkeys(one.note for one in comparisons if one.note)
    return Stack(table, *map(Text, notes))


def report_record(report: Report, history: Sequence[Comparison] = ()) -> dict[str, object]:
    """A report as plain data: what ``--json`` prints. Times are in nanoseconds, sizes in bytes."""
    from wasm_lab.views.plain import plain

    sampling = report.sampling
    return {
        "workload": report.workload,
        "sentence": report.sentence,
        "baseline": report.baseline,
        "phase": report.phase,
        "comparisons": [plain(one) | {"verdict": one.verdict} for one in report.comparisons],
        "summaries": [_without_nan(plain(one)) for one in report.summaries],
        "answers_equal": [
            {"input": each.input, "agreed": list(each.agreed), "output_changes": each.changing}
            for each in report.checked
        ],
        "guard_prices": [plain(one) | {"verdict": one.verdict} for one in report.guard_prices],
        "history": [plain(one) | {"verdict": one.verdict} for one in history],
        "not_measured": report.unavailable,
        "rounds": sampling.rounds,
        "duration_s": sampling.duration_s,
        "stopped": sampling.stopped.value,
        "machine": plain(report.machine),
    }


def _without_nan(record: dict[str, object]) -> dict[str, object]:
    """JSON has no NaN: an interval that is unknown is null."""
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in record.items()
    }
