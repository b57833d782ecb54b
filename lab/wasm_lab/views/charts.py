"""Charts of measurements: strips of samples with medians and 95 % intervals, on axes with units.

Each function gives a plotly figure whose traces are scatter traces alone, so that `views.svg` can draw
the same picture where there is no browser.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from wasm_lab.measure.statistics import summarise
from wasm_lab.views.colours import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.bench.ladder import Rung
    from wasm_lab.claims import Row
    from wasm_lab.measure.statistics import Comparison, Summary
    from wasm_lab.measure.store import Measurements

#: Pixels: the width of a notebook's output, and what a row of a strip takes.
WIDTH, ROW, MARGINS = 880, 46, 120

#: Points of one strip at most; more would hide each other, and take long to send.
MOST_POINTS = 400

_UNITS = {
    "ns": (("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1.0)),
    "bytes": (("MB", 1e6), ("kB", 1e3), ("B", 1.0)),
}
_DECADE = 1.0  #: of a logarithmic axis
_MANY_DECADES = 8.0  #: largest over smallest from which an axis is logarithmic


def strips(measurements: Measurements, *, title: str, by: str = "subject") -> go.Figure:
    """One strip for each value of ``by``: its samples, its median with the interval.

    Args:
        by: a field of `wasm_lab.measure.sample.Sample`, ``subject`` or ``phase``.
    """
    if by != "subject" and len(measurements.values_of("subject")) > 1:
        return _lanes(measurements, title=title, by=by)
    figure = go.Figure()
    unit, factor = unit_for([one.value for one in measurements], _kind(measurements))
    summaries = summarise(measurements)
    rows = _rows(summaries, by)
    for number, name in enumerate(rows):
        values = thinned([one.value / factor for one in measurements if getattr(one, by) == name])
        row = len(rows) - 1 - number
        figure.add_trace(
            _strip(values, [row] * len(values), spread=0.28, name=name, look=style(name, number), unit=unit)
        )
    for number, name in enumerate(rows):
        found = next((one for one in summaries if getattr(one, by) == name), None)
        if found is not None:
            figure.add_trace(_median(found, len(rows) - 1 - number, factor, unit))
    _layout(figure, title=title, rows=list(reversed(rows)), axis=f"{_axis(measurements)} ({unit})")
    _scale(figure, [one.value / factor for one in measurements])
    return figure


def _lanes(measurements: Measurements, *, title: str, by: str) -> go.Figure:
    """A row for each value of ``by``, and in it a lane for each subject, named by the legend."""
    figure = go.Figure()
    unit, factor = unit_for([one.value for one in measurements], _kind(measurements))
    summaries = summarise(measurements)
    rows, subjects = _rows(summaries, by), measurements.values_of("subject")
    lane = 0.84 / len(subjects)
    heights = {
        (row, subject): len(rows) - 1 - at + 0.42 - lane * (order + 0.5)
        for at, row in enumerate(rows)
        for order, subject in enumerate(subjects)
    }
    for number, subject in enumerate(subjects):
        x: list[float] = []
        y: list[float] = []
        for row in rows:
            found = [one for one in measurements if one.subject == subject and getattr(one, by) == row]
            values = thinned([one.value / factor for one in found])
            x += values
            y += [heights[row, subject]] * len(values)
        figure.add_trace(
            _strip(x, y, spread=lane * 0.35, name=subject, look=style(subject, number), unit=unit)
        )
    for one in summaries:
        height = heights[getattr(one, by), one.subject]
        figure.add_trace(_median(one, height, factor, unit, size=min(20, 6 + 40 / len(subjects))))
    _layout(
        figure,
        title=title,
        rows=list(reversed(rows)),
        axis=f"{_axis(measurements)} ({unit})",
        height=MARGINS + 40 + len(rows) * max(ROW, 13 * len(subjects)),
        legend=True,
    )
    _scale(figure, [one.value / factor for one in measurements])
    _dividers(figure, len(rows), [one.value / factor for one in measurements])
    return figure


def _strip(
    values: Sequence[float],
    rows: Sequence[float],
    *,
    spread: float,
    name: str,
    look: tuple[str, str],
    unit: str,
) -> go.Scatter:
    return go.Scatter(
        x=np.asarray(values, dtype=np.float32),
        y=np.asarray(rows, dtype=np.float32) + _jitter(len(values), spread),
        mode="markers",
        name=name,
        marker={"color": look[0], "symbol": look[1], "size": 5, "opacity": 0.45},
        hovertemplate=f"{name}: %{{x:.4g}} {unit}<extra></extra>",
    )


def cold_start(measurements: Measurements) -> go.Figure:
    """Every phase of a start, a strip for each phase and subject."""
    once = ("compile", "load", "instantiate", "first call", "run", "teardown", "whole process")
    shown = measurements.where(phase=once, unit="ns")
    return strips(shown, title=f"Cold start of {_what(measurements)}, phase by phase", by="phase")


def memory(measurements: Measurements) -> go.Figure:
    """Every kind of memory, a strip for each kind and subject."""
    return strips(measurements.where(unit="bytes"), title=f"Memory of {_what(measurements)}", by="phase")


def times(measurements: Measurements, phase: str) -> go.Figure:
    """One phase of each subject: what a live chart shows while samples arrive."""
    return strips(
        measurements.where(phase=phase, unit="ns"), title=f"{_what(measurements)}: {phase}, each sample"
    )


def speed_ratio(comparisons: Sequence[Comparison]) -> go.Figure:
    """Ratios to the baseline with their intervals; an interval that holds 1 shows no difference."""
    figure = go.Figure()
    ordered = sorted(comparisons, key=lambda one: one.ratio, reverse=True)
    several = len({one.input for one in comparisons}) > 1
    names = [f"{one.subject} ({one.input})" if several else one.subject for one in ordered]
    ends = [1.0]
    for number, one in enumerate(ordered):
        colour, mark = style(one.subject, number)
        finite = math.isfinite(one.high) and one.low > 0
        low, high = (one.low, one.high) if finite else (one.ratio, one.ratio)
        ends += [low, one.ratio, high]
        clear = one.shown
        figure.add_trace(_line([low, high], [number, number], colour, name=names[number]))
        figure.add_trace(
            go.Scatter(
                x=[one.ratio],
                y=[number],
                mode="markers+text",
                marker={"color": colour, "symbol": mark, "size": 12},
                text=[f" {one.ratio:.3g}×" + ("" if clear else f", {one.verdict}")],
                textposition="top center",
                hovertemplate=f"{names[number]}: {one.ratio:.3g} ({low:.3g} to {high:.3g})<extra></extra>",
                showlegend=False,
            )
        )
    figure.add_trace(_line([1, 1], [-0.5, len(ordered) - 0.5], "#888888", dash="dot", name="equal"))
    baseline = ordered[0].baseline if ordered else "the baseline"
    title = f"{_call(ordered)}: times as long as {baseline}"
    _layout(figure, title=title, rows=names, axis=f"time, {baseline} = 1 (left of the line is faster)")
    _scale(figure, ends, always=True)
    return figure


def guards_price(comparisons: Sequence[Comparison]) -> go.Figure:
    """What each guard costs, as a ratio to the same code without guards."""
    figure = speed_ratio(comparisons)
    figure.update_layout(title={"text": f"{_call(list(comparisons))}: the price of guards in wasmtime"})
    figure.update_xaxes(title={"text": "time, without guards = 1"})
    return figure


def latency(measurements: Measurements, phase: str = "steady call") -> go.Figure:
    """The distribution of one phase's samples: which share was done within which time."""
    shown = measurements.where(phase=phase, unit="ns")
    unit, factor = unit_for([one.value for one in shown], "ns")
    figure = go.Figure()
    for number, name in enumerate(shown.values_of("subject")):
        values = np.sort([one.value / factor for one in shown.where(subject=name)])
        colour, mark = style(name, number)
        dash = "dot" if mark.endswith("-open") else "solid"
        share = np.arange(1, len(values) + 1) / len(values) * 100
        figure.add_trace(_line(values.tolist(), share.tolist(), colour, name=name, dash=dash, legend=True))
    title = f"{_what(measurements)}: {phase}, share of samples done within a time"
    _layout(figure, title=title, rows=[], axis=f"time of one ({unit})", height=420)
    figure.update_yaxes(title={"text": "share of samples (%)"}, range=[0, 101])
    _scale(figure, [one.value / factor for one in shown])
    return figure


def throughput(measurements: Measurements) -> go.Figure:
    """Calls in a second against the number of instances that are busy at once."""
    figure = go.Figure()
    for number, name in enumerate(measurements.values_of("subject")):
        here = measurements.where(subject=name, phase="throughput")
        counts = sorted({int(one.input) for one in here})
        colour, mark = style(name, number)
        medians = [float(np.median([one.value for one in here.where(input=str(count))])) for count in counts]
        figure.add_trace(_line(counts, medians, colour, name=name, legend=True))
        figure.add_trace(
            go.Scatter(
                x=[int(one.input) for one in here],
                y=[one.value for one in here],
                mode="markers",
                marker={"color": colour, "symbol": mark, "size": 7, "opacity": 0.6},
                showlegend=False,
            )
        )
    title = f"{_what(measurements)}: calls in a second, all instances together"
    _layout(figure, title=title, rows=[], axis="instances busy at once", height=420)
    figure.update_yaxes(title={"text": "calls per second"}, rangemode="tozero")
    return figure


def size_ladder(rungs: Sequence[Rung], *, label: str) -> go.Figure:
    """The size of a module after each step of the ladder."""
    figure = go.Figure()
    names = [rung.name for rung in reversed(rungs)]
    sizes = [rung.size_bytes / 1e3 for rung in reversed(rungs)]
    colour, _ = style("wasmtime")
    for number, size in enumerate(sizes):
        figure.add_trace(_line([min(sizes) / 2, size], [number, number], colour, name=names[number]))
    figure.add_trace(
        go.Scatter(
            x=sizes,
            y=list(range(len(sizes))),
            mode="markers+text",
            marker={"color": colour, "size": 12, "symbol": "circle"},
            text=[f" {size:,.0f} kB" for size in sizes],
            textposition="top center",
            showlegend=False,
        )
    )
    _layout(figure, title=f"{label}: size of the module, step by step", rows=names, axis="size (kB)")
    _scale(figure, [min(sizes, default=1.0) / 2, *sizes], always=True)
    return figure


def claims_chart(rows: Sequence[Row]) -> go.Figure:
    """Claimed ranges, published results and what was measured here, for claims of one unit."""
    figure = go.Figure()
    shown = [row for row in rows if row.claim.claimed is not None and _same_unit(row)]
    values: list[float] = []
    names = [f"{row.claim.id}: {row.claim.claimed.what}" for row in reversed(shown) if row.claim.claimed]
    for number, row in enumerate(reversed(shown)):
        claimed = row.claim.claimed
        assert claimed is not None, "chosen above"
        unit = claimed.unit
        ends = [end for end in (claimed.low, claimed.high) if end is not None]
        figure.add_trace(
            _line(
                [min(ends), max(ends)],
                [number + 0.2] * 2,
                "#D55E00",
                width=10,
                name="claimed",
                legend=number == 0,
            )
        )
        figure.add_trace(
            go.Scatter(x=ends, y=[number + 0.2] * len(ends), mode="markers", showlegend=False,
                       marker={"color": "#D55E00", "symbol": "square", "size": 10})
        )  # fmt: skip
        published = [
            each.value if each.value is not None else math.sqrt((each.low or 1) * (each.high or 1))
            for each in row.claim.published
            if each.unit == unit and (each.value is not None or each.low is not None)
        ]
        figure.add_trace(_points(published, number, "#CC79A7", "diamond", "published", legend=number == 0))
        measured = [each for each in row.measured if each.counts and not each.figure and each.unit == unit]
        for each in measured:
            figure.add_trace(
                _line([each.low, each.high], [number - 0.2] * 2, "#0072B2", name="measured here")
            )
        here = [each.value for each in measured]
        figure.add_trace(
            _points(here, number - 0.2, "#0072B2", "circle", "measured here", legend=number == 0)
        )
        values += ends + published + here
    units = {row.claim.claimed.unit for row in shown if row.claim.claimed}
    axis = f"value ({', '.join(sorted(units))})"
    _layout(figure, title="Claimed, published and measured here", rows=names, axis=axis, legend=True)
    _scale(figure, values, always=True)
    return figure


def unit_for(values: Sequence[float], kind: str) -> tuple[str, float]:
    """The unit in which the median of such values has one to three digits, and its size."""
    units = _UNITS.get(kind)
    if not units:
        return kind, 1.0
    middle = float(np.median(values)) if len(values) else 0.0
    return next(((unit, factor) for unit, factor in units if middle >= factor), units[-1])


def thinned(values: Sequence[float]) -> list[float]:
    """At most `MOST_POINTS` of the values, evenly taken in the order of their size, ends included."""
    if len(values) <= MOST_POINTS:
        return list(values)
    ordered = sorted(values)
    picked = np.linspace(0, len(ordered) - 1, MOST_POINTS).round().astype(int)
    return [ordered[at] for at in picked]


def _median(found: Summary, row: float, factor: float, unit: str, *, size: float = 20) -> go.Scatter:
    middle = found.median / factor
    known = not math.isnan(found.low)
    low, high = (found.low / factor, found.high / factor) if known else (middle, middle)
    return go.Scatter(
        x=[low, middle, high],
        y=[row, row, row],
        mode="lines+markers",
        line={"color": "#222222", "width": 2},
        marker={
            "color": "#222222",
            "symbol": "line-ns-open",
            "size": [size * 0.4, size, size * 0.4],
            "line": {"width": 2},
        },
        hovertemplate=f"median {middle:.4g} {unit} ({low:.4g} to {high:.4g})<extra></extra>",
        showlegend=False,
    )


def _line(
    x: Sequence[float],
    y: Sequence[float],
    colour: str,
    *,
    name: str,
    width: int = 3,
    dash: str = "solid",
    legend: bool = False,
) -> go.Scatter:
    line = {"color": colour, "width": width, "dash": dash}
    return go.Scatter(
        x=list(x), y=list(y), mode="lines", line=line, name=name, showlegend=legend, hoverinfo="skip"
    )


def _points(x: Sequence[float], row: float, colour: str, mark: str, name: str, *, legend: bool) -> go.Scatter:
    return go.Scatter(
        x=list(x),
        y=[row] * len(x),
        mode="markers",
        marker={"color": colour, "symbol": mark, "size": 9, "opacity": 0.8},
        name=name,
        showlegend=legend,
    )


def _dividers(figure: go.Figure, rows: int, values: Sequence[float]) -> None:
    """Lines between rows, since lanes of two rows stand near each other."""
    positive = [value for value in values if value > 0]
    for edge in range(1, rows):
        ends = [min(positive), max(positive)]
        figure.add_trace(_line(ends, [edge - 0.5] * 2, "#cccccc", name="", width=1))


def _jitter(count: int, spread: float) -> Any:
    """Distances from a row, the same each time, so that points do not hide each other."""
    # Multiples of the golden ratio fill an interval evenly, however many there are.
    return np.asarray(spread * (2 * ((np.arange(count) * 0.618034) % 1) - 1), dtype=np.float32)


def _rows(summaries: Sequence[Summary], by: str) -> list[str]:
    """Row names: subjects from fast to slow, or phases in the order in which they come."""
    if by == "subject":
        summaries = sorted(summaries, key=lambda one: one.median)
    return list(dict.fromkeys(str(getattr(one, by)) for one in summaries))


def _layout(
    figure: go.Figure, *, title: str, rows: list[str], axis: str, height: int = 0, legend: bool = False
) -> None:
    figure.update_layout(
        title={"text": title, "x": 0.01, "font": {"size": 16}},
        template="plotly_white",
        width=WIDTH,
        height=height or MARGINS + ROW * max(2, len(rows)),
        margin={"l": 20, "r": 20, "t": 50, "b": 60},
        showlegend=legend or not rows,
        legend={"orientation": "h", "y": -0.25},
        font={"family": "system-ui, sans-serif", "size": 13},
    )
    figure.update_xaxes(title={"text": axis}, automargin=True)
    if rows:
        figure.update_yaxes(
            tickmode="array",
            tickvals=list(range(len(rows))),
            ticktext=rows,
            range=[-0.6, len(rows) - 0.4],
            zeroline=False,
            automargin=True,
        )


def _scale(figure: go.Figure, values: Sequence[float], *, always: bool = False) -> None:
    """A logarithmic axis where the values differ by about a decade, or where ratios are shown."""
    positive = [value for value in values if value > 0 and math.isfinite(value)]
    if positive and (always or max(positive) / min(positive) > _MANY_DECADES):
        low, high = math.log10(min(positive)), math.log10(max(positive))
        room = max(0.08, 0.06 * (high - low))
        figure.update_xaxes(type="log", range=[low - room, high + room], tickformat=",~g")
        if _DECADE < high - low < 4 * _DECADE:
            figure.update_xaxes(dtick="D2")  # 1, 2, 5, as views.svg draws; plotly would label each digit


def _kind(measurements: Measurements) -> str:
    units = measurements.values_of("unit")
    return units[0] if units else "ns"


def _axis(measurements: Measurements) -> str:
    kind = _kind(measurements)
    return {"bytes": "size", "requests/s": "throughput"}.get(kind, "time of one")


def _what(measurements: Measurements) -> str:
    names, inputs = measurements.values_of("workload"), measurements.values_of("input")
    name = str(names[0]) if names else "nothing"
    return f"{name}({inputs[0]})" if len(inputs) == 1 and inputs[0] else name


def _call(comparisons: Sequence[Comparison]) -> str:
    if not comparisons:
        return "nothing"
    one = comparisons[0]
    several = len({each.input for each in comparisons}) > 1
    return one.workload if several or not one.input else f"{one.workload}({one.input})"


def _same_unit(row: Row) -> bool:
    claimed = row.claim.claimed
    return claimed is not None and any(
        each.counts and not each.figure and each.unit == claimed.unit for each in row.measured
    )
