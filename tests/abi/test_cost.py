"""What a call costs, as ratios of interleaved best times; and what importing this room does not load."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import wasmtime

from wasm_lab import abi
from wasm_lab.abi.frame import frame_of
from wasm_lab.build import build
from wasm_lab.build.crate import crate_for
from wasm_lab.capabilities import Capabilities
from wasm_lab.cells import parse_cell
from wasm_lab.runtimes import get_runtime

if TYPE_CHECKING:
    from collections.abc import Callable

CELL = """
pub fn next(n: u32) -> u64 { n as u64 + 1 }
pub fn ends(xs: &[f64]) -> f64 { xs[0] + xs[xs.len() - 1] }
"""


def ratio(one: Callable[[], Any], other: Callable[[], Any], *, calls: int) -> float:
    """The best time of ``one`` as a multiple of the other's, each measured in turn."""
    best = [float("inf"), float("inf")]
    for _ in range(30):
        for index, function in enumerate((one, other)):
            start = time.perf_counter()
            for _ in range(calls):
                function()
            best[index] = min(best[index], time.perf_counter() - start)
    return best[0] / best[1]


def test_a_call_costs_at_most_half_more_than_one_by_wasmtimes_own_package() -> None:
    source = parse_cell(CELL)
    artifact = build(source)
    instance = get_runtime().instantiate(artifact, Capabilities())
    bound = abi.bind(crate_for(source).functions[0], instance)
    store = wasmtime.Store()
    store.set_wasi(wasmtime.WasiConfig())
    linker = wasmtime.Linker(store.engine)
    linker.define_wasi()
    exports = linker.instantiate(store, wasmtime.Module(store.engine, artifact.wasm)).exports(store)
    raw: Any = exports["wasm_lab_next"]
    assert bound(6) == raw(store, 6) == 7
    assert ratio(lambda: bound(6), lambda: raw(store, 6), calls=300) < 1.5


def test_an_array_goes_in_by_one_copy() -> None:
    source = parse_cell(CELL)
    instance = get_runtime().instantiate(build(source), Capabilities())
    bound = abi.bind(crate_for(source).functions[1], instance)
    raw = instance.function("wasm_lab_ends")
    numbers = np.ones(1 << 17)
    assert bound(numbers) == 2.0
    frame = frame_of(instance)
    target = memoryview(bytearray(numbers.nbytes))

    def copy_and_call() -> None:
        target[:] = memoryview(numbers).cast("B")
        raw(frame.address, len(numbers))

    assert ratio(lambda: bound(numbers), copy_and_call, calls=20) < 1.7


def test_importing_loads_neither_numpy_nor_wasmtime() -> None:
    code = "import sys, wasm_lab.abi; print(sorted({'numpy', 'wasmtime'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
