"""What is shown while crates build: nothing for what takes no time, a line for what does."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wasm_lab.bench.comparing import Watcher
    from wasm_lab.build import Progress
    from wasm_lab.claims import Row

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
    from tqdm.auto import tqdm

    from wasm_lab.bench.comparing import Watcher

    silent = not (sys.stderr.isatty() or "ipykernel" in sys.modules)
    layout = "{desc} {bar} {n:.0f} of at most {total:.0f} s"
    bar = tqdm(total=budget_s, bar_format=layout, leave=False, disable=silent, mininterval=UPDATE_S)

    def on_step(what: str) -> None:
        bar.set_description_str(what)

    def on_time(spent_s: float, _left_s: float) -> None:
        bar.update(min(spent_s, budget_s) - bar.n)

    try:
        yield Watcher(on_step=on_step, on_time=on_time)
    finally:
        bar.close()


@contextmanager
def claims_progress(rows: int) -> Iterator[tuple[Callable[[Row], None], Callable[[str], None]]]:
    """A bar over the rows of the ledger: what to call after each, and with what is measured now."""
    from tqdm.auto import tqdm

    silent = not (sys.stderr.isatty() or "ipykernel" in sys.modules)
    bar = tqdm(total=rows, unit="claim", leave=False, disable=silent)

    def on_row(row: Row) -> None:
        bar.set_description_str(f"{row.claim.id} {row.verdict}")
        bar.update()

    try:
        yield on_row, bar.set_description_str
    finally:
        bar.close()
