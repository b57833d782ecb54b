"""Engines that run artifacts, behind one interface (see `base`)."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from wasm_lab.runtimes.base import Runtime

__all__ = ["NAMES", "get_runtime"]

#: The runtimes there are, in the order in which messages list them, each with its module and class.
_WHERE = {
    "wasmtime": ("wasmtime", "WasmtimeRuntime"),
    "wasmtime-worker": ("wasmtime_worker", "WasmtimeWorkerRuntime"),
    "wasmer": ("wasmer", "WasmerRuntime"),
    "wasmedge": ("wasmedge", "WasmEdgeRuntime"),
    "wasmedge-aot": ("wasmedge", "WasmEdgeAotRuntime"),
    "node": ("node", "NodeRuntime"),
    "native": ("native", "NativeRuntime"),
}

NAMES = tuple(_WHERE)


@functools.cache
def get_runtime(name: str = "wasmtime") -> Runtime:
    """The runtime of that name; the same object each time.

    Raises:
        UsageError: there is none; the message lists those that there are, and what is missing here.
    """
    if name not in _WHERE:
        missing = {each: why for each in NAMES if (why := get_runtime(each).missing())}
        usable = ", ".join(each for each in NAMES if each not in missing)
        lines = [f"Runtimes here: {usable}.", *(f"{each}: {why}" for each, why in missing.items())]
        raise UsageError(f"No runtime is named {name!r}.", hint="\n".join(lines))
    module, kind = _WHERE[name]
    runtime: Runtime = getattr(importlib.import_module(f"wasm_lab.runtimes.{module}"), kind)()
    return runtime
