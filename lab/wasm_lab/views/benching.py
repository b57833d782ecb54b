"""A comparison in a notebook: a chart that fills in live, then charts and tables that stay."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wasm_lab.views.presence import somebody_watches
from wasm_lab.views.progress import bench_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.bench import Report
    from wasm_lab.bench.comparing import Watcher
    from wasm_lab.views.static import Chart


@dataclass(frozen=True)
class LiveBench:
    """What a magic needs of the display of a comparison."""

    watcher: Watcher  #: to be told of every step and sample
    _handle: Any = None

    def finish(self, report: Report) -> None:
        """Put the charts of what was found in the place of the live one."""
        from IPython.display import display

        charts = report_charts(report)
        first, *others = charts
        if self._handle is not None:
            self._handle.update(first)
        else:
            display(first)
        for chart in others:
            display(chart)
        if self._handle is not None:
            display(_as_tables(charts), raw=True)


def _as_tables(charts: list[Chart]) -> dict[str, str]:
    """What a front end that draws plotly's form leaves out: the same for readers who see no picture."""
    from wasm_lab.views.html import plain_text, to_html

    tables = [chart.table for chart in charts]
    return {
        "text/html": f"<details><summary>The charts as tables</summary>{to_html(tables)}</details>",
        "text/plain": "".join(plain_text(table) for table in tables),
    }


@contextmanager
def live_bench(title: str, phase: str, budget_s: float) -> Iterator[LiveBench]:
    """The display of one comparison.

    Args:
        title: what is measured.
        phase: the one whose samples the live chart shows.
        budget_s: seconds that measuring may take.
    """
    with bench_progress(budget_s) as watcher:
        if not somebody_watches():
            yield LiveBench(watcher)
            return
        from IPython.display import display

        from wasm_lab.views.live import LiveChart

        chart = LiveChart(title, phase)
        handle = display(chart, display_id=True)
        try:
            yield LiveBench(replace(watcher, on_samples=chart.add), handle)
        except BaseException:
            handle.update({"text/plain": ""}, raw=True)  # the error says what there is to say
            raise
        finally:
            chart.close()


def report_charts(report: Report) -> list[Chart]:
    """The charts of a comparison: ratios first, then what they rest on."""
    from wasm_lab.views import charts
    from wasm_lab.views.bench import memory_table, ratio_table, time_table
    from wasm_lab.views.static import Chart

    times = [one for one in report.summaries if one.unit == "ns"]
    sizes = [one for one in report.summaries if one.unit == "bytes"]
    found = []
    if report.comparisons:
        table = ratio_table(report.comparisons, report.baseline)
        found.append(Chart(charts.speed_ratio(report.comparisons), table))
    if report.guard_prices and report.baseline != "wasmtime":
        table = ratio_table(report.guard_prices, "wasmtime without guards")
        found.append(Chart(charts.guards_price(report.guard_prices), table))
    deciding = [one for one in times if one.phase == report.phase]
    found.append(Chart(charts.times(report.measurements, report.phase), time_table(deciding)))
    if len({one.phase for one in times}) > 1:
        found.append(Chart(charts.cold_start(report.measurements), time_table(times)))
    if sizes:
        found.append(Chart(charts.memory(report.measurements), memory_table(sizes)))
    return found
