"""What is shown while crates build: nothing for what takes no time, a line for what does."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wasm_lab.views.presence import somebody_watches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wasm_lab.bench.comparing import Watcher
    from wasm_lab.build import Progress
    from wasm_lab.claims import Row
    from wasm_lab.scenarios.loadtest import Watcher as LoadWatcher

#: Seconds between two updates: enough to read, and little for a notebook's front end to draw.
UPDATE_S = 0.1


class _Throttled:
    """Passes a progress line on at most ten times a second."""

    def __init__(self, show: Any) -> None:
        self._show = show
        self._next = 0.0
        self.shown = False

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + UPDATE_S
        self.shown = True
        count = f"[{done}/{total}] " if total else ""
        self._show(f"{count}{what}")


@contextmanager
def terminal_progress() -> Iterator[Progress | None]:
    """One line on standard error, rewritten in place; nothing when that is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    progress = _Throttled(lambda line: sys.stderr.write(f"\r\x1b[K{line}"))
    try:
        yield progress
    finally:
        if progress.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


@contextmanager
def notebook_progress() -> Iterator[Progress]:
    """One line in the cell, updated in place and emptied when all is done."""
    handle: Any = None

    def show(line: str) -> None:
        nonlocal handle
        from IPython.display import display

        if handle is None:
            handle = display({"text/plain": line}, raw=True, display_id=True)
        else:
            handle.update({"text/plain": line}, raw=True)

    progress = _Throttled(show)
    try:
        yield progress
    finally:
        if handle is not None:
            handle.update({"text/plain": ""}, raw=True)


@contextmanager
def bench_progress(budget_s: float) -> Iterator[Watcher]:
    """A bar with the time left while something is measured: in a terminal or in a notebook.

    Args:
        budget_s: the seconds that measuring may take; what comes before is shown in words.
    """
    from wasm_lab.bench.comparing import Watcher

    layout = "{desc} {bar} {n:.0f} of at most {total:.0f} s"
    with _bar(total=budget_s, bar_format=layout, mininterval=UPDATE_S) as bar:

        def on_step(what: str) -> None:
            bar.set_description_str(what)

        def on_time(spent_s: float, _left_s: float) -> None:
            bar.update(min(spent_s, budget_s) - bar.n)

        yield Watcher(on_step=on_step, on_time=on_time)


@contextmanager
def claims_progress(rows: int) -> Iterator[tuple[Callable[[Row], None], Callable[[str], None]]]:
    """A bar over the rows of the ledger: what to call after each, and with what is measured now."""
    with _bar(total=rows, unit="claim") as bar:

        def on_row(row: Row) -> None:
            bar.set_description_str(f"{row.claim.id} {row.verdict}")
            bar.update()

        yield on_row, bar.set_description_str


@contextmanager
def load_progress() -> Iterator[LoadWatcher]:
    """Of a load test: a line while stacks are built, then a bar over the seconds that it will take."""
    from wasm_lab.scenarios.loadtest import Watcher as LoadWatcher

    layout = "{desc} {bar} {n:.0f} of about {total:.0f} s"
    with _bar(total=1, bar_format=layout, mininterval=UPDATE_S) as bar:

        def on_progress(what: str, done: int, total: int) -> None:
            count = f" [{done}/{total}]" if total else ""
            bar.set_description_str(f"building{count} {what}")

        def on_total(seconds: float) -> None:
            bar.reset(total=seconds)

        def on_step(what: str, spent_s: float) -> None:
            bar.set_description_str(what)
            bar.update(spent_s - bar.n)

        yield LoadWatcher(on_progress=on_progress, on_total=on_total, on_step=on_step)


@contextmanager
def _bar(**options: Any) -> Iterator[Any]:
    """A bar of tqdm that is gone when all is done; nothing where nobody would see it move."""
    from tqdm.auto import tqdm

    if "IPython" in sys.modules and somebody_watches():
        with _notebook_bar(tqdm, options) as bar:
            yield bar
        return
    with tqdm(**options, leave=False, disable=not sys.stderr.isatty()) as bar:
        yield bar


@contextmanager
def _notebook_bar(tqdm: Any, options: dict[str, Any]) -> Iterator[Any]:
    """A bar in an output of its own, which is emptied at the end.

    Otherwise the saved notebook would hold a widget that no longer exists, and a bar that had not
    come to its end, as when measuring needs less than its budget, would stay, in red.
    """
    from IPython.display import display

    bar = tqdm(**options, leave=False, display=False)
    handle = display(bar.container, display_id=True)
    try:
        yield bar
    finally:
        bar.close()
        bar.container.close()
        handle.update({"text/plain": ""}, raw=True)
