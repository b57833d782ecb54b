"""A comparison as one HTML page that needs nothing else: to hand on, to print, to keep."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError
from wasm_lab.views.bench import history_table, report_tables
from wasm_lab.views.benching import report_charts
from wasm_lab.views.html import to_html
from wasm_lab.views.static import figure_html

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wasm_lab.bench import Report
    from wasm_lab.measure.statistics import Comparison

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1.5rem 0; font-variant-numeric: tabular-nums; }
caption { font-weight: bold; padding-bottom: 0.3rem; }
th, td { padding: 0.2rem 0.8rem 0.2rem 0; border-bottom: 1px solid #ccc; vertical-align: top; }
figure { margin: 1.5rem 0; } svg { max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) { body { background: #111; color: #eee; } th, td { border-color: #444; } }
"""


def report_page(report: Report, history: Sequence[Comparison] = ()) -> str:
    """The page's text.

    Args:
        history: ratios to samples saved earlier, if there are any.
    """
    title = f"{report.workload}: {report.phase} in {len({one.subject for one in report.summaries})} places"
    parts = list(report_tables(report).renderables)
    if history:
        parts += history_table(history).renderables
    charts = "".join(figure_html(chart.figure, chart.table) for chart in report_charts(report))
    return page_of(title, f"{to_html(parts[:1])}{charts}{to_html(parts[1:])}")


def page_of(title: str, body: str) -> str:
    """A whole page around a body of HTML."""
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{html.escape(title)}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{_STYLE}</style></head>"
        f"<body><h1>{html.escape(title)}</h1>{body}</body></html>\n"
    )


def write_report(report: Report, path: Path, *, history: Sequence[Comparison] = ()) -> None:
    """Write the page; the file is replaced in one step or left as it was.

    Raises:
        UsageError: the file cannot be written.
    """
    from boltons.fileutils import atomic_save

    try:
        with atomic_save(str(path), overwrite=True) as file:
            file.write(report_page(report, history).encode())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror or error}.", hint="Name another file."
        ) from error
