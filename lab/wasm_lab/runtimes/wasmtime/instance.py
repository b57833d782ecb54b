"""Live instances and raw calls into them."""

from __future__ import annotations

import ctypes
from ctypes import byref
from typing import TYPE_CHECKING, Any, NoReturn

import wasmtime

from wasm_lab.errors import (
    GuestExit,
    GuestTrap,
    LoadError,
    PoisonedError,
)
from wasm_lab.runtimes.base import LIMIT_ERRORS, Instance
from wasm_lab.runtimes.wasmtime import native
from wasm_lab.runtimes.wasmtime.command import outcome
from wasm_lab.runtimes.wasmtime.interrupts import held
from wasm_lab.runtimes.wasmtime.sandbox import GuestStopped, Sandbox, function_of, memory_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.artifact import Artifact
    from wasm_lab.run import HostCall
    from wasm_lab.runtimes.base import RawFunction
    from wasm_lab.runtimes.wasmtime.engine import Loaded
    from wasm_lab.runtimes.wasmtime.linked import Linked

#: Wasm's number types, and the C type that lies at the start of a ``wasmtime_val_raw_t``.
_NUMBERS: tuple[tuple[wasmtime.ValType, Any], ...] = (
    (wasmtime.ValType.i32(), ctypes.c_int32),
    (wasmtime.ValType.i64(), ctypes.c_int64),
    (wasmtime.ValType.f32(), ctypes.c_float),
    (wasmtime.ValType.f64(), ctypes.c_double),
)

#: What a module may export to set itself up: a reactor's own function (WASI application
#: ABI), or the constructors of a module that was linked without one.
_SETUPS = ("_initialize", "__wasm_call_ctors")


class WasmtimeInstance(Instance):
    """A library's live instance; see `wasm_lab.runtimes.base.Instance`."""

    def __init__(
        self, sandbox: Sandbox, artifact: Artifact, loaded: Loaded, prepared: wasmtime.InstancePre | Linked
    ) -> None:
        self._label = artifact.label
        self._sandbox = sandbox
        self._poisoned = ""
        self._whole = memoryview(b"")
        self._whole_at = (0, 0)
        failure = None
        sandbox.guard.begin()
        try:
            self._instance = sandbox.instantiate(prepared)
        except GuestStopped as stopped:
            failure = stopped.cause
        finally:
            sandbox.guard.end()
        if failure is not None:
            self._fail(failure)
        self._memory = memory_of(sandbox, self._instance)
        for name in _SETUPS:
            if name in loaded.exports:
                self.function(name)()
                break

    @property
    def poisoned(self) -> str:
        return self._poisoned

    def function(self, name: str) -> RawFunction:
        with held:
            handle = function_of(self._sandbox, self._instance, name)
            kind = wasmtime.Func._from_raw(handle).type(self._sandbox.store)
            params = [_c_type(name, number) for number in kind.params]
            results = [_c_type(name, number) for number in kind.results]
            del kind  # its destructor must not run after `held`
            return self._caller(name, handle, params, results)

    def _caller(self, name: str, handle: Any, params: list[Any], results: list[Any]) -> RawFunction:
        # The call writes its results over its arguments, one slot of 16 bytes each, so the
        # C type of a slot going in may differ from the one coming out.
        slots = (native.ValRaw * max(len(params), len(results), 1))()
        stride = ctypes.sizeof(native.ValRaw)
        inputs = [number.from_buffer(slots, stride * i) for i, number in enumerate(params)]
        outputs = [number.from_buffer(slots, stride * i) for i, number in enumerate(results)]
        trap = ctypes.c_void_p()
        raw = (self._sandbox.context, byref(handle), byref(slots), ctypes.c_size_t(len(slots)), byref(trap))
        guard, output, enter, count = self._sandbox.guard, self._sandbox.output, native.call, len(inputs)
        read = _reader(outputs)

        def call(*args: int | float) -> Any:
            if len(args) != count:
                raise TypeError(f"{name} takes {count} arguments, and {len(args)} were given")
            guard.begin()
            try:
                if self._poisoned:
                    raise PoisonedError(f"{name} cannot be called: {self._poisoned}.")
                for slot, value in zip(inputs, args):  # noqa: B905 - counted above
                    slot.value = value
                error = enter(*raw)
                if error or trap:
                    self._fail(native.failure(error, trap))
                if output.written:
                    self._pass_on_output()
                return read()
            finally:
                try:
                    guard.end()
                finally:
                    if guard.pending is not None:
                        guard.raise_pending()

        return call

    def _pass_on_output(self) -> None:
        guard = self._sandbox.guard
        guard.why_stop()
        if guard.limit is not None:
            self._fail(None)
        self._sandbox.output.forget()

    def _fail(self, failure: wasmtime.WasmtimeError | wasmtime.Trap | None) -> NoReturn:
        """Poison the instance and raise what stopped it."""
        guard, output = self._sandbox.guard, self._sandbox.output
        interruption = guard.interruption
        if interruption is not None:
            self._poisoned = "an earlier call was interrupted"
            raise interruption.with_traceback(None)
        guard.why_stop()
        _, stderr = output.whole()
        status, trap = outcome(self._sandbox, failure, stderr)
        if trap is None:
            self._poisoned = f"an earlier call ended the program with exit status {status}"
            raise GuestExit(f"{self._label} ended with exit status {status}.", status=status or 0)
        self._poisoned = f"an earlier call was stopped ({trap.kind.value})"
        raise LIMIT_ERRORS.get(trap.kind, GuestTrap)(str(trap), trap=trap)

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
        context, handle = self._sandbox.context, byref(self._memory)
        at = (native.memory_data(context, handle), native.memory_data_size(context, handle))
        if at != self._whole_at:
            array = (ctypes.c_ubyte * at[1]).from_address(at[0])
            array.keeper = self._sandbox  # no view may outlive the store
            self._whole, self._whole_at = memoryview(array).cast("B"), at
        return self._whole

    @property
    def linear_memory_bytes(self) -> int:
        return len(self._current_memory())

    def take_audit(self) -> tuple[HostCall, ...]:
        log = self._sandbox.log
        return log.take() if log else ()


def _c_type(function: str, value: wasmtime.ValType) -> Any:
    """The C type of a Wasm number.

    Raises:
        LoadError: it is a vector or a reference. Their kind must not be asked for: the C API
            ends the process on some of them ("support for v128 is not implemented").
    """
    for number, c_type in _NUMBERS:
        if native.same_type(value, number):
            return c_type
    raise LoadError(f"{function} takes or returns a vector or a reference, which a Python call cannot pass.")


def _reader(outputs: list[Any]) -> Callable[[], Any]:
    """What reads a call's results out of its slots."""
    if len(outputs) == 1:
        only = outputs[0]
        return lambda: only.value
    if outputs:
        return lambda: tuple(slot.value for slot in outputs)
    return lambda: None
