"""Starts: what a cold start consists of, and the percentiles of a precompiled one."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from wasm_lab.capabilities import Capabilities
from wasm_lab.claims.verdict import Measured, ratio
from wasm_lab.measure.commands import CommandSubject
from wasm_lab.measure.plan import Plan
from wasm_lab.measure.sampling import sample
from wasm_lab.measure.statistics import median, median_interval
from wasm_lab.run import Phase
from wasm_lab.subjects import command_subjects
from wasm_lab.subjects.functions import node_program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.bench import Report
    from wasm_lab.claims.workbench import Workbench

#: Single starts in each process, for percentiles: a batch would hide the slow ones.
_STARTS = 200


def cold_start(bench: Workbench) -> list[Measured]:
    """From machine code, and from Wasm, to the end of a hello; with its phases and others' beside."""
    report = bench.cold_start()
    ready = (Phase.LOAD, Phase.INSTANTIATE, Phase.RUN)
    fresh = (Phase.COMPILE, Phase.INSTANTIATE, Phase.RUN)
    found = [
        _sum(report, ready, "hello, precompiled: load, instantiate, run"),
        _sum(report, fresh, "hello, from Wasm: compile, instantiate, run"),
    ]
    found += [
        _sum(report, (phase,), f"hello: {phase.value}", counts=False)
        for phase in Phase
        if phase in {*ready, *fresh}
    ]
    processes = _processes(bench)
    ratios = [
        ratio(each, found[0], what=f"{each.what}: against a precompiled hello", counts=False)
        for each in processes
    ]
    return found + processes + ratios


def precompiled_start(bench: Workbench) -> list[Measured]:
    """Percentiles of loading machine code and of instantiating it, each start timed alone."""
    (subject,) = command_subjects(bench.program("hello"), Capabilities(), places=["wasmtime"])
    rounds = bench.effort(Phase.LOAD).rounds
    times: dict[Phase, list[list[float]]] = defaultdict(list)
    for _ in range(rounds):
        probe = subject.start()
        try:
            for phase in (Phase.LOAD, Phase.INSTANTIATE):
                times[phase].append([probe.time(phase, 1).duration_ns / 1e3 for _ in range(_STARTS)])
        finally:
            probe.close()
    found = []
    for phase, processes in times.items():
        for percent in (50, 99):
            each = [float(np.percentile(values, percent)) for values in processes]
            found.append(_measured(f"hello: {phase.value}, percentile {percent}", each, "µs"))
    both = [
        [a + b for a, b in zip(loads, makes, strict=True)]
        for loads, makes in zip(times[Phase.LOAD], times[Phase.INSTANTIATE], strict=True)
    ]
    for percent in (50, 99):
        each = [float(np.percentile(values, percent)) for values in both]
        found.append(_measured(f"hello: load and instantiate, percentile {percent}", each, "µs"))
    return found


def _sum(report: Report, phases: Sequence[Phase], what: str, *, counts: bool = True) -> Measured:
    """The sum of a process's medians, in milliseconds, over the processes."""
    each = []
    for process in report.measurements.values_of("process"):
        rows = [report.measurements.where(phase=phase.value, process=process).samples for phase in phases]
        if all(rows):
            each.append(sum(median([row.value for row in part]) for part in rows) / 1e6)
    return _measured(what, each, "ms", counts=counts)


def _processes(bench: Workbench) -> list[Measured]:
    """What it takes to start and end the processes of others, as context."""
    commands: dict[str, tuple[str, ...]] = {"a process of Python": (sys.executable, "-I", "-S", "-c", "pass")}
    node = node_program()[0]
    if node:
        commands["a process of node"] = (node, "-e", "0")
    rounds = bench.effort(Phase.PROCESS).rounds
    plan = Plan(
        subjects=tuple(CommandSubject(name=name, command=words) for name, words in commands.items()),
        phases=(Phase.PROCESS,),
        budget_s=30.0,
        min_rounds=rounds,
        max_rounds=rounds,
        weigh=False,
    )
    measurements = bench.keep(sample(plan).measurements)
    if measurements.interrupted:
        raise KeyboardInterrupt
    found = []
    for name in commands:
        of = measurements.where(subject=name)
        each = [median([row.value for row in of.where(process=one)]) / 1e6 for one in of.values_of("process")]
        found.append(_measured(f"{name}, start to end", each, "ms", counts=False))
    return found


def _measured(what: str, each: list[float], unit: str, *, counts: bool = True) -> Measured:
    low, high = median_interval(each)
    return Measured(what=what, value=median(each), low=low, high=high, unit=unit, n=len(each), counts=counts)
