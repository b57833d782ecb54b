"""A comparison while it goes on, in a notebook: what is done now, the time left, the chart so far."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.views.progress import bench_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.bench import Report
    from wasm_lab.bench.comparing import Watcher


@dataclass(frozen=True)
class LiveBench:
    """What a magic needs of the display of a comparison."""

    watcher: Watcher  #: to be told of every step and sample

    def finish(self, report: Report) -> None:
        """Show what was found in its final form."""


@contextmanager
def live_bench(budget_s: float) -> Iterator[LiveBench]:
    """The display of one comparison, which may take ``budget_s`` seconds."""
    with bench_progress(budget_s) as watcher:
        yield LiveBench(watcher)
