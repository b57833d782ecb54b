"""A composition as a picture: who takes which interface from whom."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from wasm_lab.components.compose import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasm_lab.components.compose import Composition

_FONT = "font-family='system-ui, sans-serif'"
_LETTER = 7.2  #: the width of a letter of 12 px, about
_BOX, _GAP, _ROW, _EDGE = 48, 28, 76, 16


def composition_svg(made: Composition) -> str:
    """The graph as the text of an ``<svg>`` element, users left, providers right, the host last."""
    columns, arrows = _columns(made), _arrows(made)
    labels = [label for column in columns for label in column]
    wide = max(80.0, *(_LETTER * len(label) for label in labels)) + 32
    between = max([_LETTER * len(name) for _, _, name in arrows] or [60.0]) + 40
    at = {
        label: (_EDGE + number * (wide + between), _EDGE + row * _ROW)
        for number, column in enumerate(columns)
        for row, label in enumerate(column)
    }
    if HOST in at and len(columns) > 2:  # lower, so that arrows to it pass below the boxes between
        at[HOST] = (at[HOST][0], _EDGE + _ROW * max(map(len, columns)))
    width = _EDGE * 2 + len(columns) * wide + (len(columns) - 1) * between
    height = _EDGE * 2 + max(_lowest(arrows, at), *(y + _BOX for _, y in at.values()))
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:.0f} {height:.0f}' "
        f"width='{width:.0f}' role='img' style='max-width: 100%; background: white'>",
        f"<title>{html.escape(made.component.label)}</title><desc>{html.escape(str(made))}</desc>",
        "<defs><marker id='wasm-lab-tip' markerWidth='8' markerHeight='8' refX='7' refY='4' orient='auto'>"
        "<path d='M0,0 L8,4 L0,8 z' fill='#333'/></marker></defs>",
    ]
    used: dict[str, int] = {}
    for importer, provider, name in arrows:
        (x1, y1), (x2, y2) = at[importer], at[provider]
        out, into = used.setdefault(f"{importer}>", 0), used.setdefault(f">{provider}", 0)
        used[f"{importer}>"] += 1
        used[f">{provider}"] += 1
        start, end = (x1 + wide, y1 + 14 + 18 * out), (x2, y2 + 14 + 18 * into)
        middle = (start[0] + end[0]) / 2
        parts.append(
            f"<path d='M{start[0]:.0f},{start[1]:.0f} C{middle:.0f},{start[1]:.0f} {middle:.0f},{end[1]:.0f} "
            f"{end[0]:.0f},{end[1]:.0f}' fill='none' stroke='#333' marker-end='url(#wasm-lab-tip)'/>"
        )
        parts.append(_text(name, start[0] + 8, start[1] - 4, size=11))
    for label, (x, y) in at.items():
        dashed = " stroke-dasharray='5 3'" if label == HOST else ""
        parts.append(
            f"<rect x='{x:.0f}' y='{y:.0f}' width='{wide:.0f}' height='{_BOX}' rx='6' fill='#eef4fa' "
            f"stroke='#0072B2'{dashed}/>"
        )
        parts.append(_text(label, x + wide / 2, y + 20, anchor="middle"))
        below = "whoever runs it" if label == HOST else _size(made.sizes[label])
        parts.append(_text(below, x + wide / 2, y + 37, size=11, anchor="middle"))
    return "".join([*parts, "</svg>"])


def _columns(made: Composition) -> list[list[str]]:
    """Each part right of all that use it; the host, where something is left for it, in a column of its own."""
    depth = dict.fromkeys(made.parts, 0)
    for _ in made.parts:
        for wire in made.wires:
            if wire.provider != HOST:
                depth[wire.provider] = max(depth[wire.provider], depth[wire.importer] + 1)
    columns: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for label, column in depth.items():
        columns[column].append(label)
    if any(wire.provider == HOST for wire in made.wires):
        columns.append([HOST])
    return columns


def _arrows(made: Composition) -> list[tuple[str, str, str]]:
    """Who imports from whom, and what; all of WASI between two parts is one arrow."""
    arrows, wasi = [], dict[tuple[str, str], list[str]]()
    for wire in made.wires:
        if wire.imported.startswith("wasi:"):
            wasi.setdefault((wire.importer, wire.provider), []).append(wire.imported)
        else:
            arrows.append((wire.importer, wire.provider, wire.imported))
    for (importer, provider), names in wasi.items():
        arrows.append((importer, provider, names[0] if len(names) == 1 else f"WASI, {len(names)} interfaces"))
    return arrows


def _lowest(arrows: list[tuple[str, str, str]], at: Mapping[str, tuple[float, float]]) -> float:
    """How far down the arrows of one box reach."""
    counts: dict[str, int] = {}
    for importer, provider, _ in arrows:
        for label in (importer, provider):
            counts[label] = counts.get(label, 0) + 1
    return max((at[label][1] + 14 + 18 * count for label, count in counts.items()), default=0.0)


def _size(count: int) -> str:
    from wasm_lab.views.tables import size

    return size(count)


def _text(text: str, x: float, y: float, *, size: int = 13, anchor: str = "start") -> str:
    return (
        f"<text x='{x:.0f}' y='{y:.0f}' font-size='{size}' text-anchor='{anchor}' {_FONT} fill='#111'>"
        f"{html.escape(text)}</text>"
    )
