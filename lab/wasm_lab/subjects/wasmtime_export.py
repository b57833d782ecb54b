"""An exported function, called by the generated driver, in the wasmtime worker."""

from __future__ import annotations

import ctypes
import time
from ctypes import byref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import wasmtime

from wasm_lab.errors import GuestTrap, LoadError
from wasm_lab.run import TrapInfo, TrapKind
from wasm_lab.runtimes.wasmtime import native
from wasm_lab.runtimes.wasmtime.instance import WasmtimeInstance
from wasm_lab.subjects.serving import number

if TYPE_CHECKING:
    from wasm_lab.subjects.wasmtime_worker import Worker

_C_TYPES: dict[str, Any] = {
    "i32": ctypes.c_int32,
    "i64": ctypes.c_int64,
    "f32": ctypes.c_float,
    "f64": ctypes.c_double,
}

#: A call of the driver counts down an i32, whose largest value is taken as unsigned.
_MOST = 2**32 - 1


class Exported:
    """The function in an instance of its own, with a driver beside it."""

    def __init__(self, worker: Worker, driver: wasmtime.Module) -> None:
        settings = worker.desk.settings
        self.sandbox = worker.sandbox()
        # Runs the module's own set-up function, where it has one.
        self.instance = WasmtimeInstance(self.sandbox, worker.artifact, worker.loaded, worker.prepared)
        self.function = self.instance.function(settings["export"])
        item = native.export(self.sandbox.context, self.instance._instance, settings["export"])
        linked = wasmtime.Instance(self.sandbox.store, driver, [wasmtime.Func._from_raw(item.of.func)])
        loop = native.export(self.sandbox.context, linked._instance, "loop")
        if loop is None:
            raise LoadError("The driver has no loop.")
        self.loop = loop.of.func
        self.args = [number(v, k) for v, k in zip(settings["args"], settings["params"], strict=True)]
        self.slots = (native.ValRaw * (1 + len(self.args)))()
        self.kinds = ["i32", *settings["params"]]

    def elapsed(self, count: int) -> int:
        total = 0
        while count > 0:
            part = min(count, _MOST)
            count -= part
            total += self._loop(part)
        return total

    def _loop(self, count: int) -> int:
        stride = ctypes.sizeof(native.ValRaw)
        signed = count - 2**32 if count >= 2**31 else count
        for index, (kind, value) in enumerate(zip(self.kinds, [signed, *self.args], strict=True)):
            _C_TYPES[kind].from_buffer(self.slots, stride * index).value = value
        trap = ctypes.c_void_p()
        raw = (
            self.sandbox.context,
            byref(self.loop),
            byref(self.slots),
            ctypes.c_size_t(len(self.slots)),
            byref(trap),
        )
        self.sandbox.guard.begin()
        try:
            start = time.perf_counter_ns()
            error = native.call(*raw)
            elapsed = time.perf_counter_ns() - start
        finally:
            self.sandbox.guard.end()
        if error or trap:
            said = str(native.failure(error, trap))
            raise GuestTrap(said, trap=TrapInfo(kind=TrapKind.OTHER, message=said))
        return elapsed


class ExportOrders:
    """The orders on an exported function."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        driver = Path(worker.desk.settings["driver"]).read_bytes()
        self.driver = wasmtime.Module(worker.engine.engine, driver)
        self.steady: Exported | None = None
        self._fresh()

    def _fresh(self) -> Exported:
        return Exported(self.worker, self.driver)

    def first(self, count: int) -> int:
        total = 0
        for _ in range(count):
            fresh = self._fresh()
            total += fresh.elapsed(1)
            del fresh
        return total

    def time(self, count: int) -> int:
        if self.steady is None:
            self.steady = self._fresh()
        return self.steady.elapsed(count)

    def answer(self) -> bytes:
        fresh = self._fresh()
        result: Any = fresh.function(*fresh.args)
        results = result if isinstance(result, tuple) else () if result is None else (result,)
        return " ".join(map(repr, results)).encode()

    def memory(self) -> tuple[int, int]:
        fresh = self._fresh().instance.linear_memory_bytes
        return fresh, self.steady.instance.linear_memory_bytes if self.steady else fresh
