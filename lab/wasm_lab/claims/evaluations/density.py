"""Density: the memory of one further idle instance, beside that of one further process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.claims.verdict import Measured, ratio
from wasm_lab.measure.crowds import IdleCost, idle, idle_cost
from wasm_lab.run import Phase
from wasm_lab.subjects import function_subjects, places
from wasm_lab.twins import js_twin_for, python_twin_for

if TYPE_CHECKING:
    from wasm_lab.claims.workbench import Workbench

_WASM_COUNTS = (0, 20, 100, 300)
#: Whoever holds one instance in a process needs a process for each.
_PROCESS_COUNTS = (0, 2, 4)


def each_idle(cost: IdleCost, what: str) -> Measured:
    """What each further idle one takes, in megabytes; context for the verdict."""
    return Measured(
        what=what,
        value=cost.each_bytes / 1e6,
        low=cost.low / 1e6,
        high=cost.high / 1e6,
        unit="MB",
        n=cost.processes,
        counts=False,
    )


def density(bench: Workbench) -> list[Measured]:
    """The cost of each further idle instance of fib in wasmtime and as a process of node and Python."""
    rounds = bench.effort(Phase.CALL).rounds
    usable = places()
    source = bench.kernel("fib")
    costs: dict[str, IdleCost] = {}
    for place in ("wasmtime", "javascript", "python"):
        if usable[place]:
            continue
        bench.watcher("idle instances").step(place)
        (subject,) = function_subjects(
            source,
            "fib",
            (5,),
            places=[place],
            js_twin=js_twin_for("fib"),
            python_twin=python_twin_for("fib"),
        )
        counts = _WASM_COUNTS if place == "wasmtime" else _PROCESS_COUNTS
        weights = bench.keep(idle(subject, counts=counts, rounds=rounds))
        kind = "PSS" if "PSS" in weights.values_of("phase") else "RSS"
        costs[place] = idle_cost(weights, subject=subject.name, kind=kind)
    wasm = costs["wasmtime"]
    found = []
    for place, cost in costs.items():
        what = f"{cost.subject}: {cost.kind} of each further idle {'instance' if place == 'wasmtime' else 'process'}"
        found.append(each_idle(cost, what))
        fitting = [1e9 / each for each in (cost.each_bytes, cost.high, cost.low)]
        found.append(
            Measured(
                what=f"{cost.subject}: fit into a gigabyte",
                value=fitting[0],
                low=fitting[1],
                high=fitting[2],
                unit="instances",
                n=cost.processes,
                counts=False,
            )
        )
        if place != "wasmtime":
            told = f"instances of wasmtime in the memory of one process of {cost.subject}"
            found.append(ratio(found[-2], each_idle(wasm, ""), what=told))
    return found
