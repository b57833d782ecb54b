"""A monotonic clock for WASI 0.2 whose waits end at the guest's deadline.

A guest that waits is inside the engine, where no epoch reaches it: it would sleep past its
deadline. So the waits of ``wasi:clocks/monotonic-clock`` are ours, and as long as the native ones
that they are made of, or as what is left of the guest's time. The pollable stays a native one,
because native streams have such too; a small component makes it.
"""

from __future__ import annotations

import ctypes
import functools
import time
from struct import Struct
from typing import TYPE_CHECKING

import wasmtime
from wasmtime import component as engine_component

from wasm_lab.artifact import Artifact
from wasm_lab.components import native
from wasm_lab.components.resources import ForeignResource
from wasm_lab.components.state import current
from wasm_lab.errors import LoadError
from wasm_lab.runtimes.wasmtime.guard import TICK_S
from wasm_lab.runtimes.wasmtime.native import failure
from wasm_lab.runtimes.wasmtime.virtual import HANDOVER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from wasm_lab.components.state import State
    from wasm_lab.runtimes.wasmtime.engine import GuestEngine

INTERFACE = "wasi:clocks/monotonic-clock"

_ARGUMENT = Struct("<B7xQ16x")


class BoundedClock:
    """Implements ``wasi:clocks/monotonic-clock`` for every instance of one link.

    Args:
        versions: interface to the version that the component imports.
    """

    def __init__(self, engine: GuestEngine, versions: Mapping[str, str]) -> None:
        self._engine = engine
        self._versions = versions

    def now(self) -> int:
        return time.monotonic_ns()

    def resolution(self) -> int:
        return 1

    def subscribe_instant(self, when: int) -> ForeignResource:
        return self.subscribe_duration(max(when - time.monotonic_ns(), 0))

    def subscribe_duration(self, when: int) -> ForeignResource:
        state = current.state
        remaining_s = state.guard.remaining_s()
        if remaining_s is not None:
            when = min(when, int((max(remaining_s, 0.0) + TICK_S) * 1e9))
        return self._handover(state).subscribe(when)

    def _handover(self, state: State) -> _Handover:
        handover: _Handover | None = state.handover
        if handover is None:
            handover = state.handover = _Handover(state, self._linker, self._component)
        return handover

    @functools.cached_property
    def _component(self) -> Any:
        text = HANDOVER.format(poll=self._versions["wasi:io/poll"], clock=self._versions[INTERFACE])
        wasm = bytes(wasmtime.wat2wasm(text))
        return self._engine.load(Artifact(wasm=wasm, label="the clock")).module

    @functools.cached_property
    def _linker(self) -> engine_component.Linker:
        linker = engine_component.Linker(self._engine.engine)
        linker.add_wasip2()
        return linker


class _Handover:
    """The component that makes pollables, in one store."""

    def __init__(self, state: State, linker: engine_component.Linker, component: Any) -> None:
        self._state = state
        self._instance, self._func = native.InstanceHandle(), native.FuncHandle()
        self._result = (ctypes.c_ubyte * native.VAL_BYTES)()
        at = ctypes.addressof(self._instance)
        _check(
            native.linker_instantiate(
                ctypes.cast(linker.ptr(), ctypes.c_void_p),
                state.context,
                ctypes.cast(component.ptr(), ctypes.c_void_p),
                at,
            )
        )
        index = component.get_export_index("subscribe")  # named, because it must live until it was used
        place = ctypes.cast(index.ptr(), ctypes.c_void_p)
        if not native.instance_get_func(at, state.context, place, ctypes.addressof(self._func)):
            raise LoadError("The engine's clock cannot be used: it has no function.")

    def subscribe(self, duration_ns: int) -> ForeignResource:
        argument, place = _ARGUMENT.pack(native.U64, duration_ns), ctypes.addressof(self._result)
        context = self._state.context
        _check(native.func_call(ctypes.addressof(self._func), context, argument, 1, place, 1))
        box = int.from_bytes(bytes(self._result)[8:16], "little")
        self._result[0] = 0  # the handle is taken; the next call must not free it
        return ForeignResource(box, self._state, owned=True)


def _check(error: int) -> None:
    if error:
        raise LoadError(f"The engine's clock cannot be used: {failure(error, ctypes.c_void_p())}.")
