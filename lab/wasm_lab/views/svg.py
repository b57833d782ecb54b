"""A figure as SVG, drawn here: for pages without a browser's JavaScript, and without a browser.

It draws what `views.charts` uses of plotly: scatter traces (lines, markers, text) on one pair of axes,
linear or logarithmic, with ticks as numbers or as names, a title, axis titles and a legend.
"""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import plotly.graph_objects as go

_FONT = "font-family='system-ui, sans-serif'"
_LETTER = 7.2  #: the width of a letter of 12 px, about
_TOP, _RIGHT, _BOTTOM = 48, 24, 56
_LEGEND_LINE = 20
_NARROW = 0.7  #: decades below which a logarithmic axis has ticks as a linear one has
_DASHES = {"dot": "2 4", "dash": "6 4"}


@dataclass(frozen=True)
class _Axis:
    """From values to pixels, along one axis."""

    low: float  #: in the axis's own terms: the logarithm of a value where it is logarithmic
    high: float
    start: float  #: pixels
    end: float
    log: bool

    def at(self, value: float) -> float | None:
        if self.log:
            if value <= 0:
                return None
            value = math.log10(value)
        span = (self.high - self.low) or 1.0
        return self.start + (value - self.low) / span * (self.end - self.start)


def svg(figure: go.Figure, *, description: str = "") -> str:
    """The figure as the text of an ``<svg>`` element, with a title and a description for readers.

    Args:
        description: what the chart shows, in words; a screen reader speaks it.
    """
    layout = figure.layout
    width, height = int(layout.width or 880), int(layout.height or 420)
    traces = [trace.to_plotly_json() for trace in figure.data]
    names = [str(name) for name in layout.yaxis.ticktext or ()]
    vertical = str(layout.yaxis.title.text or "")
    legend = [trace for trace in traces if layout.showlegend and _in_legend(trace)]
    beside = names or [label for _, label in _ticks(_axis(layout.yaxis, traces, "y", height, 0))]
    left = max([60.0, *(_LETTER * len(name) + (36 if vertical else 16) for name in beside)])
    lines = _legend_lines(legend, left, width - _RIGHT)
    bottom = _BOTTOM + _LEGEND_LINE * len(lines)
    across = _axis(layout.xaxis, traces, "x", left, width - _RIGHT)
    up = _axis(layout.yaxis, traces, "y", height - bottom, _TOP)
    title = str(layout.title.text or "")
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' "
        f"role='img' {_FONT} font-size='12'>",
        f"<title>{html.escape(title)}</title><desc>{html.escape(description)}</desc>",
        f"<rect width='{width}' height='{height}' fill='white'/>",
        _text(title, 8, 24, size=16, anchor="start"),
    ]
    parts += _x_ticks(across, height - bottom)
    parts += _y_ticks(up, left, width - _RIGHT, names, layout.yaxis)
    for trace in traces:
        parts += _trace(trace, across, up)
    parts.append(_text(str(layout.xaxis.title.text or ""), (left + width) / 2, height - bottom + 40, size=13))
    if vertical:
        middle = (height - bottom + _TOP) / 2
        rotation = f"rotate(-90 14 {middle:.0f})"
        parts.append(f"<g transform='{rotation}'>{_text(vertical, 14, middle, size=13)}</g>")
    parts += _legend(lines, left, height - _LEGEND_LINE * len(lines) + 8)
    parts.append("</svg>")
    return "".join(parts)


def _axis(axis: Any, traces: list[dict[str, Any]], name: str, start: float, end: float) -> _Axis:
    log = axis.type == "log"
    if axis.range:
        return _Axis(float(axis.range[0]), float(axis.range[1]), start, end, log)
    values = [float(value) for trace in traces for value in _numbers(trace.get(name))]
    values = [math.log10(value) for value in values if value > 0] if log else values
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if axis.rangemode == "tozero":
        low = min(0.0, low)
    room = (high - low or abs(high) or 1.0) * 0.05
    return _Axis(low - (0 if axis.rangemode == "tozero" and low == 0 else room), high + room, start, end, log)


def _numbers(values: Any) -> list[float]:
    """A trace's values; plotly keeps arrays as they are, or as base64 with a type."""
    if values is None:
        return []
    if isinstance(values, dict):
        import base64

        import numpy as np

        data: list[float] = np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"]).tolist()
        return data
    return [float(value) for value in values]


def _x_ticks(axis: _Axis, base: float) -> Iterable[str]:
    for value, label in _ticks(axis):
        at = axis.at(value)
        if at is not None and axis.start - 1 <= at <= axis.end + 1:
            yield f"<line x1='{at:.1f}' x2='{at:.1f}' y1='{_TOP}' y2='{base:.0f}' stroke='#e5e5e5'/>"
            yield _text(label, at, base + 18)


def _y_ticks(axis: _Axis, left: float, right: float, names: Sequence[str], of: Any) -> Iterable[str]:
    if names:
        for value, name in zip(of.tickvals, names, strict=True):
            at = axis.at(float(value))
            assert at is not None, "rows stand on a linear axis"
            yield f"<line x1='{left:.0f}' x2='{right:.0f}' y1='{at:.1f}' y2='{at:.1f}' stroke='#f0f0f0'/>"
            yield _text(name, left - 8, at + 4, anchor="end")
        return
    for value, label in _ticks(axis):
        at = axis.at(value)
        if at is not None and axis.end - 1 <= at <= axis.start + 1:
            yield f"<line x1='{left:.0f}' x2='{right:.0f}' y1='{at:.1f}' y2='{at:.1f}' stroke='#e5e5e5'/>"
            yield _text(label, left - 6, at + 4, anchor="end")


def _ticks(axis: _Axis) -> list[tuple[float, str]]:
    """Round values along an axis, some five to ten of them."""
    low, high = axis.low, axis.high
    if axis.log and high - low < _NARROW:
        low, high = 10**low, 10**high
    elif axis.log:
        steps: tuple[int, ...] = (1,) if axis.high - axis.low > 4 else (1, 2, 5)
        decades = range(math.floor(axis.low) - 1, math.ceil(axis.high) + 1)
        found = [step * 10.0**decade for decade in decades for step in steps]
        return [(value, _figure(value)) for value in found if low <= math.log10(value) <= high]
    rough = (high - low) / 6
    unit = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next(unit * times for times in (1, 2, 5, 10) if unit * times >= rough)
    first = math.ceil(low / step)
    return [(number * step, _figure(number * step)) for number in range(first, math.floor(high / step) + 1)]


def _figure(value: float) -> str:
    if value != 0 and (abs(value) >= 1e6 or abs(value) < 1e-4):
        return f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-")
    return f"{value:,.10g}"


def _trace(trace: dict[str, Any], across: _Axis, up: _Axis) -> Iterable[str]:
    points = []
    for x, y in zip(_numbers(trace.get("x")), _numbers(trace.get("y")), strict=True):
        at_x, at_y = across.at(x), up.at(y)
        points.append(None if at_x is None or at_y is None else (at_x, at_y))
    mode = str(trace.get("mode", "lines"))
    if "lines" in mode:
        line = trace.get("line", {})
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in filter(None, points))
        dash = f" stroke-dasharray='{_DASHES[line['dash']]}'" if line.get("dash") in _DASHES else ""
        yield (
            f"<polyline points='{path}' fill='none' stroke='{line.get('color', '#444')}' "
            f"stroke-width='{line.get('width', 2)}'{dash}/>"
        )
    if "markers" in mode:
        marker = trace.get("marker", {})
        sizes = marker.get("size", 6)
        for number, point in enumerate(points):
            if point:
                size = sizes[number] if isinstance(sizes, (list, tuple)) else sizes
                yield _mark(point, marker, float(size))
    if "text" in mode:
        for point, text in zip(points, trace.get("text") or (), strict=False):
            if point:
                yield _text(str(text).strip(), point[0], point[1] - 10)


#: Marks as paths around 0, 0 with a radius of 1; the rest is drawn as a circle.
_PATHS = {
    "square": "M-.85-.85H.85V.85H-.85Z",
    "diamond": "M0-1.1L1.1 0 0 1.1-1.1 0Z",
    "triangle-up": "M0-1.1L1 .8H-1Z",
    "triangle-down": "M0 1.1L1-.8H-1Z",
    "cross": "M-.3-1H.3V-.3H1V.3H.3V1H-.3V.3H-1V-.3H-.3Z",
    "x": "M-1-.6L-.6-1 0-.4.6-1 1-.6.4 0 1 .6.6 1 0 .4-.6 1-1 .6-.4 0Z",
    "star": "M0-1.2L.3-.4 1.1-.4.5.1.7 1 0 .5-.7 1-.5.1-1.1-.4-.3-.4Z",
    "hexagon": "M0-1L.87-.5V.5L0 1-.87.5V-.5Z",
    "bowtie": "M-1-.8L0 0 1-.8V.8L0 0-1 .8Z",
    "line-ns": "M0-1V1",
}


def _mark(point: tuple[float, float], marker: dict[str, Any], size: float) -> str:
    colour, opacity = marker.get("color", "#444"), marker.get("opacity", 1)
    symbol = str(marker.get("symbol", "circle"))
    name, hollow = symbol.removesuffix("-open"), symbol.endswith("-open")
    radius = size / 2
    paint = f"fill='none' stroke='{colour}'" if hollow else f"fill='{colour}'"
    if name not in _PATHS:
        return f"<circle cx='{point[0]:.1f}' cy='{point[1]:.1f}' r='{radius:g}' {paint} opacity='{opacity}'/>"
    stroke = f" stroke-width='{2 / radius:.2g}'" if hollow else ""
    return (
        f"<path d='{_PATHS[name]}' transform='translate({point[0]:.1f} {point[1]:.1f}) scale({radius:g})' "
        f"{paint}{stroke} opacity='{opacity}'/>"
    )


def _in_legend(trace: dict[str, Any]) -> bool:
    return trace.get("showlegend", True) is not False and bool(trace.get("name"))


def _legend_lines(traces: list[dict[str, Any]], left: float, right: float) -> list[list[dict[str, Any]]]:
    """The legend's entries in as many lines as their names need."""
    lines: list[list[dict[str, Any]]] = []
    at = right
    for trace in traces:
        wide = _legend_width(trace)
        if at + wide > right:
            lines.append([])
            at = left
        lines[-1].append(trace)
        at += wide
    return lines


def _legend_width(trace: dict[str, Any]) -> float:
    return 36 + _LETTER * len(str(trace["name"]))


def _legend(lines: list[list[dict[str, Any]]], left: float, base: float) -> Iterable[str]:
    for number, line in enumerate(lines):
        at, y = left, base + number * _LEGEND_LINE
        for trace in line:
            yield _legend_key(trace, at, y - 4)
            yield _text(str(trace["name"]), at + 20, y, anchor="start")
            at += _legend_width(trace)


def _legend_key(trace: dict[str, Any], x: float, y: float) -> str:
    if "markers" in str(trace.get("mode", "lines")):
        return _mark((x + 7, y), {**trace.get("marker", {}), "opacity": 1}, 10)
    line = trace.get("line", {})
    dash = f" stroke-dasharray='{_DASHES[line['dash']]}'" if line.get("dash") in _DASHES else ""
    return (
        f"<line x1='{x:.0f}' x2='{x + 14:.0f}' y1='{y:.0f}' y2='{y:.0f}' "
        f"stroke='{line.get('color', '#444')}' stroke-width='4'{dash}/>"
    )


def _text(text: str, x: float, y: float, *, size: int = 12, anchor: str = "middle") -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' text-anchor='{anchor}' fill='#222'>"
        f"{html.escape(text)}</text>"
    )
