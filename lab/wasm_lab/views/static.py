"""A chart where nobody's browser draws it: in papermill's output, in exported pages, in a terminal."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UnsupportedError, UsageError
from wasm_lab.views.html import plain_text, to_html
from wasm_lab.views.svg import svg

if TYPE_CHECKING:
    from pathlib import Path

    import plotly.graph_objects as go
    from rich.table import Table

#: What a front end with plotly draws by itself.
PLOTLY = "application/vnd.plotly.v1+json"


class Chart:
    """A figure with its table; shows itself in whatever form the place can show.

    The forms hold no JavaScript: a saved notebook stays small, and a page needs no network.

    Args:
        table: the same in words and numbers; by default the range and middle of each trace.
    """

    def __init__(self, figure: go.Figure, table: Table | None = None) -> None:
        self.figure = figure
        self.table = table or table_of(figure)

    def __repr__(self) -> str:
        return f"<Chart: {self.figure.layout.title.text}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return bundle(self.figure, self.table)


def bundle(figure: go.Figure, table: Table) -> dict[str, Any]:
    """One output in several forms; whoever shows it takes the richest that it can.

    Returns:
        plotly's own form, which JupyterLab draws; ``text/html`` with the picture and, folded, the
        table; ``image/svg+xml``; ``text/plain``.
    """
    drawn = svg(figure, description=plain_text(table))
    return {
        PLOTLY: _plain(figure),
        "text/html": figure_html(figure, table, drawn=drawn),
        "image/svg+xml": drawn,
        "text/plain": f"{figure.layout.title.text}\n{plain_text(table)}",
    }


def _plain(figure: go.Figure) -> dict[str, Any]:
    """The figure as JSON's own types."""
    import json

    form: dict[str, Any] = json.loads(figure.to_json())
    return form


def figure_html(figure: go.Figure, table: Table, *, drawn: str = "") -> str:
    """A ``<figure>`` with the picture and the same as a table, which screen readers can walk."""
    caption = html.escape(str(figure.layout.title.text))
    return (
        f"<figure style='margin: 1em 0'>{drawn or svg(figure, description=plain_text(table))}"
        f"<figcaption><details><summary>{caption}: as a table</summary>{to_html([table])}</details>"
        f"</figcaption></figure>"
    )


#: A line with more points than this is a curve, of which a table has the ends and the middle.
_FEW = 12


def table_of(figure: go.Figure) -> Table:
    """What a figure shows, as a table: a row for each of its own rows, or for each line."""
    from rich.table import Table as RichTable

    table = RichTable(title=str(figure.layout.title.text), title_justify="left")
    table.add_column("what", no_wrap=True)
    for heading in ("points", "smallest", "middle", "largest"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, numbers in _series(figure).items():
        values = sorted(numbers)
        ends = (values[0], values[len(values) // 2], values[-1])
        table.add_row(name, str(len(values)), *(f"{value:.4g}" for value in ends))
    return table


def _series(figure: go.Figure) -> dict[str, list[float]]:
    """The values that a figure shows, by what they are of."""
    names = [str(name) for name in figure.layout.yaxis.ticktext or ()]
    found: dict[str, list[float]] = {}
    for trace in figure.data:
        points = list(zip(trace.x if trace.x is not None else (), trace.y, strict=True))
        if names and "markers" in str(trace.mode) and "lines" not in str(trace.mode):
            for x, y in points:
                row = min(max(round(float(y)), 0), len(names) - 1)
                found.setdefault(names[row], []).append(float(x))
        elif not names and trace.name and len(points) > _FEW:
            found.setdefault(str(trace.name), []).extend(float(x) for x, _ in points)
        elif not names and trace.name:
            for x, y in points:
                found.setdefault(f"{trace.name} at {float(x):g}", []).append(float(y))
    return dict(reversed(found.items())) if names else found


def write_png(figure: go.Figure, path: Path) -> None:
    """Draw the figure into a PNG file, by kaleido in a Chrome or Chromium that is here.

    Raises:
        UnsupportedError: there is no kaleido or no browser; the message says how to get them.
        UsageError: the file cannot be written.
    """
    try:
        import kaleido  # noqa: F401 - plotly asks for it too late, and in other words
    except ImportError:
        raise UnsupportedError(
            "Charts as PNG need kaleido, which is not installed.", hint="pip install 'wasm-lab[png]'"
        ) from None
    try:
        figure.write_image(str(path), format="png", scale=2)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error
    except RuntimeError as error:
        raise UnsupportedError(
            f"kaleido cannot draw here: {error}", hint="It needs Chrome or Chromium to be installed."
        ) from error
