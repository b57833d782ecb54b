"""What is timed: a workload in each engine and language, each probe a fresh process of its own.

Names load on first use: a worker imports this package too, and its memory and start are measured.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wasm_lab.subjects.available import places
    from wasm_lab.subjects.commands import command_subjects
    from wasm_lab.subjects.exports import export_subjects
    from wasm_lab.subjects.functions import function_subjects
    from wasm_lab.subjects.overhead import empty_call

__all__ = ["command_subjects", "empty_call", "export_subjects", "function_subjects", "places"]

_HOMES = {
    "command_subjects": "commands",
    "empty_call": "overhead",
    "export_subjects": "exports",
    "function_subjects": "functions",
    "places": "available",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return found
