"""Speed of kernels: Wasm against JavaScript, against Python, against native code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.claims.verdict import Measured
from wasm_lab.errors import MeasureError
from wasm_lab.measure.statistics import compare
from wasm_lab.run import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.bench import Report
    from wasm_lab.claims.workbench import Workbench

_WASM = ("wasmtime", "node (Wasm)")
_JAVASCRIPT, _PYTHON, _NATIVE = "JavaScript (node)", "Python", "native"


def speed_against_javascript(bench: Workbench) -> list[Measured]:
    """How many times as fast Wasm is, for each kernel; JavaScript and Wasm in one V8 is the fair pair."""
    return [found for report in bench.speeds() for found in _speeds(report, _JAVASCRIPT)]


def speed_against_interpreted(bench: Workbench) -> list[Measured]:
    """How many times as fast Wasm is as JavaScript and as CPython."""
    twins = (_JAVASCRIPT, _PYTHON)
    return [found for report in bench.speeds() for twin in twins for found in _speeds(report, twin)]


def speed_against_native(bench: Workbench) -> list[Measured]:
    """How many times as long Wasm takes as the same Rust built for this machine."""
    found = []
    for report in bench.speeds():
        for name in _WASM:
            if not _both(report, name, _NATIVE):
                continue
            ratio = compare(report.measurements, subject=name, baseline=_NATIVE, phase=Phase.CALL.value)
            found.append(
                Measured(
                    what=f"{_call(report)}: {name} against native",
                    value=ratio.ratio,
                    low=ratio.low,
                    high=ratio.high,
                    unit="×",
                    n=ratio.processes,
                )
            )
    return _something(found, _NATIVE)


def _speeds(report: Report, twin: str) -> Iterator[Measured]:
    for name in _WASM:
        if not _both(report, name, twin):
            continue
        # Exchanged, so that more is faster.
        ratio = compare(report.measurements, subject=twin, baseline=name, phase=Phase.CALL.value)
        yield Measured(
            what=f"{_call(report)}: {name} against {twin}",
            value=ratio.ratio,
            low=ratio.low,
            high=ratio.high,
            unit="×",
            n=ratio.processes,
        )


def _both(report: Report, *names: str) -> bool:
    return set(names) <= set(report.measurements.where(phase=Phase.CALL.value).values_of("subject"))


def _call(report: Report) -> str:
    return f"{report.workload}({report.inputs[0]})"


def _something(found: list[Measured], baseline: str) -> list[Measured]:
    if not found:
        raise MeasureError(f"Nothing could be measured beside {baseline} here.")
    return found
