"""How the lab's records look in a notebook; registered here so that no record holds HTML."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from IPython.core.interactiveshell import InteractiveShell


def show_footer(lines: Sequence[str]) -> None:
    """A few small lines under a cell's output: what was made, and how long each phase took."""
    from IPython.display import publish_display_data

    if not lines:
        return
    body = "<br>".join(html.escape(line) for line in lines)
    publish_display_data(
        {
            "text/plain": "\n".join(lines),
            "text/html": f'<div style="font-size: smaller; opacity: 0.75">{body}</div>',
        }
    )


def register_formatters(shell: InteractiveShell) -> None:
    """Give Run, Artifact and TestReport a notebook form, by name, so that nothing is imported yet."""
    assert shell.display_formatter is not None, "a shell formats what it displays"
    formatter = shell.display_formatter.formatters["text/plain"]
    formatter.for_type_by_name("wasm_lab.run", "Run", _pretty_run)
    formatter.for_type_by_name("wasm_lab.run", "TestReport", _pretty_report)
    formatter.for_type_by_name("wasm_lab.components.compose", "Composition", _pretty_composition)
    drawn = shell.display_formatter.formatters["image/svg+xml"]
    drawn.for_type_by_name("wasm_lab.components.compose", "Composition", _draw_composition)
    formatter.for_type_by_name("wasm_lab.exercises.cases", "Score", _pretty_score)
    tables = shell.display_formatter.formatters["text/html"]
    tables.for_type_by_name("wasm_lab.exercises.cases", "Score", _score_table)
    whole = shell.display_formatter.ipython_display_formatter
    whole.for_type_by_name("wasm_lab.scenarios.loadtest.report", "LoadReport", _show_load_test)
    whole.for_type_by_name("wasm_lab.scenarios.edge.live", "LiveWorker", _show_worker)


def _pretty_run(run: Any, printer: Any, _cycle: bool) -> None:
    from wasm_lab.views.tables import duration

    end = str(run.trap.kind.value) if run.trap else f"exit status {run.exit_status}"
    phases = ", ".join(f"{phase.value} {duration(took)}" for phase, took in run.phases_ns.items())
    printer.text(f"<Run {run.label}: {end}; {phases}; {run.runtime} {run.runtime_version}>")


def _pretty_report(report: Any, printer: Any, _cycle: bool) -> None:
    counts = ", ".join(f"{report.count(outcome)} {outcome}" for outcome in ("ok", "FAILED", "ignored"))
    printer.text(f"<TestReport {report.label}: {counts}>")


def _pretty_composition(made: Any, printer: Any, _cycle: bool) -> None:
    printer.text(str(made))


def _pretty_score(score: Any, printer: Any, _cycle: bool) -> None:
    printer.text(repr(score))  # nbgrader reads the points here


def _score_table(score: Any) -> str:
    from wasm_lab.views.exercises import score_stack
    from wasm_lab.views.html import to_html

    return to_html(score_stack(score).renderables)


def _draw_composition(made: Any) -> str:
    from wasm_lab.views.composition import composition_svg

    return composition_svg(made)


def _show_load_test(report: Any) -> None:
    from wasm_lab.views.loadtest import show_load_test

    show_load_test(report)


def _show_worker(live: Any) -> None:
    from IPython.display import display

    from wasm_lab.views.worker import worker_report

    display(worker_report(live))
