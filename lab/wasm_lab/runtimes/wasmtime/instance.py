"""Live instances and raw calls into them."""

from __future__ import annotations

import ctypes
from ctypes import byref
from typing import TYPE_CHECKING, Any

import wasmtime

from wasm_lab.errors import (
    DeadlineExceeded,
    FuelExhausted,
    GuestExit,
    GuestTrap,
    LoadError,
    OutputExceeded,
    PoisonedError,
)
from wasm_lab.run import TrapKind
from wasm_lab.runtimes.base import Instance
from wasm_lab.runtimes.wasmtime import native
from wasm_lab.runtimes.wasmtime.sandbox import GuestStopped, Sandbox, function_of, memory_of
from wasm_lab.runtimes.wasmtime.traps import trap_info

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.run import HostCall
    from wasm_lab.runtimes.base import OutputSink, RawFunction
    from wasm_lab.runtimes.wasmtime.engine import GuestEngine, Loaded

_LIMITS: dict[TrapKind, type[GuestTrap]] = {
    TrapKind.DEADLINE: DeadlineExceeded,
    TrapKind.OUTPUT: OutputExceeded,
    TrapKind.FUEL: FuelExhausted,
}

#: Wasm's number types to the field of ``wasmtime_val_raw_t`` and the C type at its start.
_NUMBERS = {
    str(wasmtime.ValType.i32()): ctypes.c_int32,
    str(wasmtime.ValType.i64()): ctypes.c_int64,
    str(wasmtime.ValType.f32()): ctypes.c_float,
    str(wasmtime.ValType.f64()): ctypes.c_double,
}


class WasmtimeInstance(Instance):
    """A library's live instance; see `wasm_lab.runtimes.base.Instance`."""

    def __init__(
        self,
        engine: GuestEngine,
        loaded: Loaded,
        prepared: wasmtime.InstancePre,
        artifact: Artifact,
        capabilities: Capabilities,
        output: OutputSink | None,
    ) -> None:
        self._label = artifact.label
        self._sandbox = Sandbox(engine, artifact, capabilities, output)
        self._poisoned = ""
        self._exports = loaded.exports
        self._whole = memoryview(b"")
        self._whole_at = (0, 0)
        self._memory: Any = None
        guard = self._sandbox.guard
        guard.begin()
        try:
            self._instance = self._sandbox.instantiate(prepared)
        except GuestStopped as stopped:
            guard.end()
            self._fail(stopped.cause)
        except BaseException:
            guard.end()
            raise
        else:
            guard.end()
        self._memory = memory_of(self._sandbox, self._instance)
        # A reactor sets itself up in `_initialize` (WASI application ABI); a module linked
        # without one may still export what constructs its globals.
        for name in ("_initialize", "__wasm_call_ctors"):
            if name in loaded.exports:
                self.function(name)()
                break

    @property
    def poisoned(self) -> str:
        return self._poisoned

    def function(self, name: str) -> RawFunction:
        handle = function_of(self._sandbox, self._instance, name)
        kind = wasmtime.Func._from_raw(handle).type(self._sandbox.store)
        return self._caller(name, handle, [str(t) for t in kind.params], [str(t) for t in kind.results])

    def _caller(self, name: str, handle: Any, params: list[str], results: list[str]) -> RawFunction:
        for number in (*params, *results):
            if number not in _NUMBERS:
                raise LoadError(f"{name} takes or returns a {number}, which Python calls cannot pass.")
        # The call writes its results over its arguments, one 16-byte slot each, so the C
        # type of a slot going in may differ from the one coming out.
        slots = (native.ValRaw * max(len(params), len(results), 1))()
        stride = ctypes.sizeof(native.ValRaw)
        inputs = [_NUMBERS[number].from_buffer(slots, stride * i) for i, number in enumerate(params)]
        outputs = [_NUMBERS[number].from_buffer(slots, stride * i) for i, number in enumerate(results)]
        trap = ctypes.c_void_p()
        raw = (self._sandbox.context, byref(handle), byref(slots), ctypes.c_size_t(len(slots)), byref(trap))
        guard, output, enter = self._sandbox.guard, self._sandbox.output, native.call
        single = outputs[0] if len(outputs) == 1 else None
        count = len(inputs)

        def call(*args: int | float) -> int | float | None:
            if len(args) != count:
                raise TypeError(f"{name} takes {count} arguments, and {len(args)} were given")
            guard.begin()
            try:
                if self._poisoned:
                    raise PoisonedError(f"{name} cannot be called: {self._poisoned}.")
                for slot, value in zip(inputs, args, strict=True):
                    slot.value = value
                error = enter(*raw)
                if single is not None:
                    result = single.value
                elif outputs:
                    result = tuple(slot.value for slot in outputs)
                else:
                    result = None
            finally:
                guard.end()
            if error or trap:
                self._fail(native.failure(error, trap))
            if guard.pending is not None:
                guard.raise_pending()
            if output.written:
                self._after_output()
            return result

        return call

    def _after_output(self) -> None:
        guard = self._sandbox.guard
        guard.why_stop()
        guard.raise_pending()
        if guard.limit is not None:
            self._fail(wasmtime.WasmtimeError("stopped"))
        self._sandbox.output.forget()

    def _fail(self, cause: wasmtime.WasmtimeError | wasmtime.Trap) -> None:
        """Poison the instance and raise what stopped it."""
        guard, output = self._sandbox.guard, self._sandbox.output
        if guard.pending is not None:
            self._poisoned = "an earlier call was interrupted"
            guard.raise_pending()
        _, stderr = output.whole()
        guard.why_stop()
        guard.raise_pending()
        if isinstance(cause, wasmtime.ExitTrap):
            self._poisoned = f"an earlier call ended the program with exit status {cause.code}"
            raise GuestExit(f"{self._label} ended with exit status {cause.code}.", status=cause.code)
        trap = trap_info(cause, limit=guard.limit, stderr=stderr.decode(errors="replace"))
        self._poisoned = f"an earlier call trapped ({trap.kind.value})"
        raise _LIMITS.get(trap.kind, GuestTrap)(str(trap), trap=trap)

    def read(self, address: int, size_bytes: int) -> bytes:
        return self.view(address, size_bytes).tobytes()

    def view(self, address: int, size_bytes: int) -> memoryview:
        whole = self._current_memory()
        if address < 0 or size_bytes < 0 or address + size_bytes > len(whole):
            raise LoadError(
                f"{size_bytes} bytes at {address} are outside the guest's memory of {len(whole)} bytes."
            )
        return whole[address : address + size_bytes]

    def _current_memory(self) -> memoryview:
        if self._memory is None:
            return self._whole
        handle = byref(self._memory)
        at = (
            native.memory_data(self._sandbox.context, handle),
            native.memory_data_size(self._sandbox.context, handle),
        )
        if at != self._whole_at:
            array = (ctypes.c_ubyte * at[1]).from_address(at[0])
            array.keeper = self._sandbox  # type: ignore[attr-defined]  # a view must not outlive the store
            self._whole, self._whole_at = memoryview(array).cast("B"), at
        return self._whole

    @property
    def linear_memory_bytes(self) -> int:
        return len(self._current_memory())

    def take_audit(self) -> tuple[HostCall, ...]:
        return ()
