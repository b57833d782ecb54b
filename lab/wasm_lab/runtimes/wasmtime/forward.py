"""Passing a host call on to wasmtime's native implementation of WASI 0.1.

The native functions find the guest's memory among the exports of whoever calls them. So
a small module stands between: it imports the guest's memory and exports it again, and has
one function for each call that does nothing but call the native one.
"""

from __future__ import annotations

import ctypes
import functools
from ctypes import byref, c_size_t, c_void_p
from typing import TYPE_CHECKING, Any

import wasmtime

from wasm_lab.artifact import Artifact
from wasm_lab.runtimes.wasmtime import native
from wasm_lab.wasi.tables import MODULE, calls

if TYPE_CHECKING:
    from wasm_lab.runtimes.wasmtime.engine import GuestEngine


@functools.cache
def forwarding_artifact() -> Artifact:
    """The module that stands between, with every call of WASI 0.1."""
    imports, functions = [], []
    for call in calls().values():
        types = " ".join(call.core_parameters)
        parameters = f"(param {types})" if types else ""
        result = "(result i32)" if call.returns_errno else ""
        passed = " ".join(f"local.get {index}" for index in range(len(call.core_parameters)))
        imports.append(f'(import "{MODULE}" "{call.name}" (func ${call.name} {parameters} {result}))')
        functions.append(f'(func (export "{call.name}") {parameters} {result} {passed} call ${call.name})')
    text = "\n".join(
        [
            "(module",
            *imports,
            '(import "guest" "memory" (memory 0))',
            '(export "memory" (memory 0))',
            *functions,
            ")",
        ]
    )
    return Artifact(wasm=bytes(wasmtime.wat2wasm(text)), label="host calls")


class Forwarder:
    """Native host calls for one store and one memory."""

    def __init__(self, engine: GuestEngine, store: wasmtime.Store, context: c_void_p, memory: Any) -> None:
        self._context = context
        module = engine.load(forwarding_artifact()).module
        linker = wasmtime.Linker(engine.engine)
        linker.define_wasi()
        linker.define(store, "guest", "memory", wasmtime.Memory._from_raw(memory))
        self._instance = linker.instantiate(store, module)._instance
        self._functions: dict[str, Any] = {}

    def call(self, name: str, raw: tuple[int, ...]) -> int:
        """The errno of a call.

        Raises:
            wasmtime.WasmtimeError, wasmtime.Trap: the engine stopped the guest meanwhile.
        """
        function = self._functions.get(name)
        if function is None:
            item = native.export(self._context, self._instance, name)
            function = self._functions[name] = item.of.func
        slots = (native.ValRaw * max(len(raw), 1))()
        for slot, value in zip(slots, raw, strict=False):
            slot.i64 = value  # an i32 is read from the low half of it
        trap = c_void_p()
        error = native.call(self._context, byref(function), byref(slots), c_size_t(len(slots)), byref(trap))
        if error or trap:
            raise native.failure(error, trap)
        return int(ctypes.c_uint32(slots[0].i32).value)
