"""Comparisons: from a function or a program and the places to run it to a report.

Names load on first use, as the statistics take a while to import.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wasm_lab.bench.commands import bench_command, bench_export
    from wasm_lab.bench.functions import bench_function
    from wasm_lab.bench.report import Report

__all__ = ["Report", "bench_command", "bench_export", "bench_function"]

_HOMES = {
    "Report": "report",
    "bench_command": "commands",
    "bench_export": "commands",
    "bench_function": "functions",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return found
