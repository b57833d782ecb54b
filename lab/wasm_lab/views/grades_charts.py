"""Charts of grades as SVG, which need no script; each says in words what it shows."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from wasm_lab.views.grades_page import table

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _HEIGHT, _LEFT, _BASE, _TOP = 660, 240, 40, 190, 16


def histogram_figure(counts: Sequence[int]) -> str:
    """How many students reached which tenth of the points, as bars and, folded, as a table."""
    step = (_WIDTH - _LEFT - 14) / len(counts)
    most = max(counts, default=0) or 1
    labels = [_bin(at, len(counts)) for at in range(len(counts))]
    parts = [f"<text x='4' y='{_TOP - 4}'>students</text>"]
    for value in _ticks(most):
        y = _height(value, most)
        parts.append(f"<line class='grid' x1='{_LEFT}' x2='{_WIDTH - 14}' y1='{y:.1f}' y2='{y:.1f}'/>")
        parts.append(f"<text x='{_LEFT - 6}' y='{y + 4:.1f}' text-anchor='end'>{value}</text>")
    for at, count in enumerate(counts):
        x, y = _LEFT + at * step, _height(count, most)
        middle = x + step / 2
        if count:
            size = f"width='{step - 6:.1f}' height='{_BASE - y:.1f}'"
            parts.append(f"<rect class='bar' x='{x + 3:.1f}' y='{y:.1f}' {size} rx='2'/>")
            parts.append(f"<text x='{middle:.1f}' y='{y - 4:.1f}' text-anchor='middle'>{count}</text>")
    for at in range(len(counts) + 1):  # the edges of the bins
        x = _LEFT + at * step
        parts.append(
            f"<text x='{x:.1f}' y='{_BASE + 18}' text-anchor='middle'>{at * 100 // len(counts)}</text>"
        )
    parts.append(
        f"<text x='{(_LEFT + _WIDTH) / 2}' y='{_BASE + 40}' text-anchor='middle'>part of the points reached (%)</text>"
    )
    said = "; ".join(f"{label}: {count}" for label, count in zip(labels, counts, strict=True) if count)
    as_table = table(
        "Students by the part of the points that they reached",
        ("part", "students"),
        [(label, str(count)) for label, count in zip(labels, counts, strict=True)],
        right=(1,),
    )
    return (
        f"<figure><svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {_HEIGHT}' width='{_WIDTH}' "
        f"height='{_HEIGHT}' role='img' aria-labelledby='h-title h-desc'><title id='h-title'>Students by the part of "
        f"the points that they reached</title><desc id='h-desc'>{html.escape(said or 'Nothing is marked yet.')}</desc>"
        f"{''.join(parts)}</svg><figcaption><details><summary>The same as a table</summary>{as_table}</details>"
        "</figcaption></figure>"
    )


def share_bar(share: float, low: float, high: float) -> str:
    """A share as a bar and its interval as a line over it. The words stand beside it, so readers skip it."""
    width, height = 160, 16
    return (
        f"<svg viewBox='0 0 {width} {height}' width='{width}' height='{height}' aria-hidden='true' focusable='false'>"
        f"<line class='grid' x1='0' x2='{width}' y1='{height - 1}' y2='{height - 1}'/>"
        f"<rect class='bar' x='0' y='3' width='{share * width:.1f}' height='10' rx='2' opacity='.45'/>"
        f"<line class='span' x1='{low * width:.1f}' x2='{high * width:.1f}' y1='8' y2='8' stroke-width='2'/>"
        f"<line class='span' x1='{low * width:.1f}' x2='{low * width:.1f}' y1='4' y2='12' stroke-width='2'/>"
        f"<line class='span' x1='{high * width:.1f}' x2='{high * width:.1f}' y1='4' y2='12' stroke-width='2'/></svg>"
    )


def _height(count: int, most: int) -> float:
    return _BASE - count / most * (_BASE - _TOP - 14)


def _ticks(most: int) -> list[int]:
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 10**9) if most / step <= 5)
    return list(range(0, most + 1, step))


def _bin(at: int, bins: int) -> str:
    low, high = at * 100 // bins, (at + 1) * 100 // bins
    return f"{low} to {high} %" if at == bins - 1 else f"{low} to under {high} %"
