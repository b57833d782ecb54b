"""Cloudflare Workers: the start of a worker, and one picture resized in JavaScript and in Wasm."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wasm_lab.claims.evaluations.containers import cold_start_and_containers
from wasm_lab.claims.verdict import Measured, open_check
from wasm_lab.errors import MeasureError
from wasm_lab.measure.statistics import compare, median, median_interval
from wasm_lab.run import Phase
from wasm_lab.toolchains.workerd import workerd_missing

if TYPE_CHECKING:
    from wasm_lab.claims.workbench import Workbench


def image_resize(bench: Workbench) -> list[Measured]:
    """How many times as fast Wasm is as JavaScript, in one worker, with the copies; and both times."""
    from wasm_lab.scenarios.edge.resizing import JAVASCRIPT, PICTURE, WASM, measure_resizing

    missing = workerd_missing()
    if missing:
        raise MeasureError("There is no worker to measure in here.", hint=missing)
    rounds = bench.effort(Phase.CALL).rounds
    step = bench.watcher("resize in a worker").step
    taken = bench.keep(measure_resizing(rounds=rounds, seed=bench.seed, on_step=step))
    ratio = compare(taken, subject=JAVASCRIPT, baseline=WASM, phase=Phase.CALL.value)
    found = [
        Measured(
            what=f"{PICTURE} pixels: Wasm against JavaScript in workerd",
            value=ratio.ratio,
            low=ratio.low,
            high=ratio.high,
            unit="×",
            n=ratio.processes,
        )
    ]
    for subject in (JAVASCRIPT, WASM):
        of = taken.where(subject=subject, warm=True)
        each = [median([row.value for row in of.where(process=one)]) / 1e6 for one in of.values_of("process")]
        found.append(_measured(f"{PICTURE} pixels: {subject}", each, counts=False))
    return found


def edge_cold_start(bench: Workbench) -> list[Measured]:
    """A hello in wasmtime, a new worker in a running engine; processes and (full set) containers beside them."""
    precompiled, *others = [row for row in cold_start_and_containers(bench) if row.unit != "×"]
    # What compiles, and what is no edge function, stands beside it and decides nothing.
    found = [precompiled, *(replace(row, counts=False) for row in others)]
    missing = workerd_missing()
    if missing:
        found.append(open_check(f"the start of a worker in workerd: {missing}"))
    else:
        found += _workers(bench)
    return found


def _workers(bench: Workbench) -> list[Measured]:
    from wasm_lab.scenarios.edge.cold import ISOLATE_WASM, measure_cold_starts

    rounds = bench.effort(Phase.PROCESS).rounds
    step = bench.watcher("start of a worker").step
    times = measure_cold_starts(rounds=rounds, seed=bench.seed, on_step=step)
    return [_measured(kind, each, counts=kind == ISOLATE_WASM) for kind, each in times.items()]


def _measured(what: str, each: list[float], *, counts: bool) -> Measured:
    low, high = median_interval(each)
    return Measured(what=what, value=median(each), low=low, high=high, unit="ms", n=len(each), counts=counts)
