"""Engines that run artifacts, behind one interface (see `base`)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from wasm_lab.runtimes.base import Runtime

__all__ = ["NAMES", "get_runtime"]

#: The runtimes there are, in the order in which messages list them.
NAMES = ("wasmtime",)


@functools.cache
def get_runtime(name: str = "wasmtime") -> Runtime:
    """The runtime of that name; the same object each time.

    Raises:
        UsageError: there is none; the message lists those that there are.
    """
    if name == "wasmtime":
        from wasm_lab.runtimes.wasmtime import WasmtimeRuntime

        return WasmtimeRuntime()
    raise UsageError(f"No runtime is named {name!r}.", hint=f"Runtimes: {', '.join(NAMES)}.")
