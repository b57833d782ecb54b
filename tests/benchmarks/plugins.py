"""A plugin call, beside the same component called by wasmtime-py by hand; and what a looping plugin costs.

    python -m tests.benchmarks plugin-call
    python -m tests.benchmarks.plugins [--seconds N]

The second has nine good plugins called in turn alone, beside an endless loop in a tenth, and beside a
busy process, turn by turn: what the loop costs beyond a busy neighbour is the host's own. Asked: no
answer lost or wrong, no more than a busy process costs, and every loop ended within 20 ms of its deadline.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import wasmtime
from tests.benchmarks.pairs import Pair, in_turn
from wasmtime import component

from wasm_lab.errors import DeadlineExceeded
from wasm_lab.scenarios.plugins.contract import Contract
from wasm_lab.scenarios.plugins.host import PluginHost
from wasm_lab.scenarios.plugins.samples import fill, put, wasm_of
from wasm_lab.scenarios.plugins.settings import PLUGIN_DEFAULTS, Settings

#: 10 KB of Markdown.
TEXT = ("# Title\n\nText with *weight*, `code` and [a link](there).\n\n- one\n- two\n\n> quoted\n\n" * 200)[
    :10240
]

DEADLINE_S = 0.25


def plugin_call(folder: Path, thin: int) -> Pair:
    """Markdown to HTML: through the plugin host with limits, guards and records, and by hand with none."""
    fill(folder, ["markdown"])
    host = PluginHost(folder)
    by_hand = _by_hand((folder / "markdown.wasm").read_bytes())
    assert by_hand() == host.apply("markdown", TEXT)
    pair = in_turn(
        "plugin call, markdown of 10 KB",
        lambda: host.apply("markdown", TEXT),
        by_hand,
        turns=600 // thin,
        asked="≤ 1.3×",
        batch=10,
    )
    host.close()
    return pair


def _by_hand(wasm: bytes) -> Any:
    """The same component by wasmtime-py alone, without limits."""
    engine = wasmtime.Engine()
    loaded = component.Component(engine, wasm)
    linker = component.Linker(engine)
    linker.add_wasip2()
    store = wasmtime.Store(engine)
    store.set_wasi(wasmtime.WasiConfig())
    instance = linker.instantiate(store, loaded)
    interface = loaded.get_export_index(Contract().export)
    index = loaded.get_export_index("apply", interface)
    assert index is not None
    function = instance.get_func(store, index)
    assert function is not None

    def call() -> Any:
        found = function(store, TEXT, [])
        function.post_return(store)
        return getattr(found, "payload", found)

    return call


@contextmanager
def _nobody(_host: PluginHost) -> Iterator[list[float]]:
    yield []


@contextmanager
def _busy_process(_host: PluginHost) -> Iterator[list[float]]:
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield []
    finally:
        process.kill()
        process.wait()


@contextmanager
def _looping_plugin(host: PluginHost) -> Iterator[list[float]]:
    """Endless loops one after the other; gives by how much each missed its deadline, in seconds."""
    late: list[float] = []
    done = threading.Event()

    def loop() -> None:
        while not done.is_set():
            began = time.perf_counter()
            try:
                host.apply("endless_loop", "")
            except DeadlineExceeded:
                late.append(time.perf_counter() - began - DEADLINE_S)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield late
    finally:
        done.set()
        thread.join()


def _nine(host: PluginHost, names: list[str], expected: object, seconds: float) -> tuple[list[float], int]:
    """How long each call took, and how many gave a wrong answer."""
    took, wrong, until = [], 0, time.monotonic() + seconds
    while time.monotonic() < until:
        for name in names:
            began = time.perf_counter()
            wrong += host.apply(name, TEXT) != expected
            took.append(time.perf_counter() - began)
    return took, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="altogether")
    seconds = parser.parse_args().seconds
    beside = {"nobody": _nobody, "a looping plugin": _looping_plugin, "a busy process": _busy_process}
    rounds = 4
    took: dict[str, list[float]] = {name: [] for name in beside}
    late: list[float] = []
    wrong = 0
    settings = Settings(defaults=replace(PLUGIN_DEFAULTS, deadline_s=DEADLINE_S))
    with tempfile.TemporaryDirectory() as scratch:
        folder = fill(Path(scratch), ["endless_loop"])
        for number in range(1, 10):
            put(folder / f"markdown-{number}.wasm", wasm_of("markdown"))
        with PluginHost(folder, settings=settings) as host:
            names = [name for name in host.names if name != "endless_loop"]
            expected = host.apply(names[0], TEXT)
            _nine(host, names, expected, 0.3)
            for _ in range(rounds):
                for name, neighbour in beside.items():
                    with neighbour(host) as overshoots:
                        calls, bad = _nine(host, names, expected, seconds / rounds / len(beside))
                    took[name] += calls
                    late += overshoots
                    wrong += bad
            lost = sum(host.status(name).failed for name in names)
    for name, calls in took.items():
        quantiles = statistics.quantiles(calls, n=100)
        print(
            f"nine beside {name:18}: {len(calls):7,} calls, median {quantiles[49] * 1e6:6.0f} µs, "
            f"P99 {quantiles[98] * 1e6:6.0f} µs"
        )
    late_ms = sorted(each * 1000 for each in late)
    print(
        f"answers wrong: {wrong}, lost: {lost}; {len(late)} loops ended after their deadline by "
        f"{statistics.median(late_ms):.1f} ms (median), {late_ms[0]:.1f} to {late_ms[-1]:.1f} ms"
    )
    return 1 if wrong or lost else 0


if __name__ == "__main__":
    sys.exit(main())
