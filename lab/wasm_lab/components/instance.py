"""A running component: its exports as attributes, its resources as objects."""

from __future__ import annotations

import contextlib
import ctypes
from ctypes import c_void_p
from typing import TYPE_CHECKING, Any, NoReturn

import wasmtime

from wasm_lab.components import native
from wasm_lab.components.state import State, states
from wasm_lab.errors import GuestExit, GuestTrap, PoisonedError
from wasm_lab.runtimes.base import LIMIT_ERRORS
from wasm_lab.runtimes.wasmtime.native import failure as engine_failure

if TYPE_CHECKING:
    from wasm_lab.components.component import Prepared
    from wasm_lab.components.nouns import Resource
    from wasm_lab.components.resources import GuestResource
    from wasm_lab.components.stores import PlainStore
    from wasm_lab.components.surface import Face
    from wasm_lab.runtimes.wasmtime.sandbox import Sandbox


#: The engine bounds one call's values to 128 MiB of its own memory; an item of a list takes 40 bytes or more.
_TOO_MUCH = (
    "One call may pass a string of 128 MiB or a list of 2.7 million items; pass more in several calls."
)


class Namespace:
    """The functions, types and resources of one exported interface, or of the world."""

    def __init__(self, instance: ComponentInstance, face: Face) -> None:
        self._owner = instance
        self._face = face

    def _of(self) -> ComponentInstance:
        return self._owner

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._face.get(self._of(), name)
        self.__dict__[name] = found
        return found

    def __dir__(self) -> list[str]:
        return sorted({*self._face.names})

    def __repr__(self) -> str:
        return f"<{self._face.name or 'world'}: {', '.join(self._face.names)}>"


class ComponentInstance(Namespace):
    """One instance of a component, with memory of its own. Close it, or use it in a ``with`` block.

    Calls from several threads take turns. A trap leaves it unusable (`PoisonedError`).

    Attributes:
        data: the embedder's own, as given to ``instantiate(data=...)``; see `current`.
        poisoned: why it cannot be called any more; empty while it can.
    """

    def __init__(
        self, prepared: Prepared, store: PlainStore | Sandbox, data: Any, linker_at: int, keep: Any = None
    ) -> None:
        self._face = prepared._surface.world
        self._prepared = prepared
        self._store = store
        self._keep = keep  # what the linker calls
        self.poisoned = ""
        context = store.context.value
        assert context is not None
        state = self._state = State(context, store.guard, data)
        state.instance = self
        store.guard.host = state  # type: ignore[assignment]
        self._handle = native.InstanceHandle()
        self._handle_at = ctypes.addressof(self._handle)
        self._classes: dict[Resource, type[GuestResource]] = {}
        self._spaces: dict[str, Namespace] = {}
        states[context] = state
        try:
            store.guard.begin()
            try:
                error = native.linker_instantiate(linker_at, context, prepared._component_at, self._handle_at)
                if error:
                    self._fail(error)
            finally:
                store.guard.end()
        except BaseException:
            self.close()
            raise

    def _of(self) -> ComponentInstance:
        return self  # which it must not refer to: a closed instance is then freed at once

    @property
    def data(self) -> Any:
        return self._state.data

    def __getitem__(self, interface: str) -> Namespace:
        """An exported interface by its full name, with or without the version."""
        space = self._spaces.get(interface)
        if space is None:
            space = self._spaces[interface] = Namespace(self, self._prepared._surface.interface(interface))
        return space

    def __enter__(self) -> ComponentInstance:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Free its memory, and close the host objects that it still held. Closing twice is nothing.

        Raises:
            UsageError: it is running.
        """
        if states.get(self._state.context) is not self._state:
            return
        guard = self._state.guard
        guard.begin()
        try:
            del states[self._state.context]
            self.poisoned = self.poisoned or "it is closed"
            self._store.close()
        finally:
            guard.end()
        self._forget()
        self._state.close_objects()

    def _forget(self) -> None:
        """Cut every circle of references, so that a server's memory does not wait for Python's collector."""
        self._state.guard.host = None  # type: ignore[assignment]
        self._spaces.clear()
        self._classes.clear()
        for name in [name for name in self.__dict__ if name[0] != "_" and name != "poisoned"]:
            del self.__dict__[name]

    def __del__(self) -> None:
        # Nobody can call it any more, so there is no turn to wait for.
        state: State | None = self.__dict__.get("_state")
        if state is not None and states.get(state.context) is state:
            del states[state.context]
            self._store.close()
            with contextlib.suppress(Exception):
                state.close_objects()

    def interrupt(self, error: BaseException) -> None:
        """Have the call that runs raise this within two hundredths of a second; from any thread.

        A guest that waits in a host function notices only when that returns. Without a call that
        runs, the next one raises it.
        """
        self._state.guard.pending = error

    def __repr__(self) -> str:
        state = f", unusable: {self.poisoned}" if self.poisoned else ""
        return f"<instance of {self._prepared.component.label}{state}>"

    # For the rest of this room ----------------------------------------------------------------

    def _refuse(self, what: str) -> NoReturn:
        raise PoisonedError(
            f"{what} cannot be called: {self.poisoned}.",
            hint="Make a new instance, which costs little; in a notebook, run the cell that made it again.",
        )

    def _resource_class(self, resource: Resource) -> type[GuestResource]:
        made = self._classes.get(resource)
        if made is None:
            made = self._classes[resource] = self._prepared._surface.resource_class(self, resource)
        return made

    def _drop(self, box: int) -> None:
        """Run the destructor of a guest's resource."""
        guard = self._state.guard
        guard.begin()
        try:
            if not self.poisoned:
                error = native.resource_any_drop(self._state.context, box)
                if error:
                    self._fail(error)
        finally:
            native.resource_any_delete(box)
            guard.end()

    def _drop_unused(self) -> None:
        """Drop what Python lost without closing it; inside a turn of the guard."""
        unused = self._state.unused
        while unused:
            box = unused.pop()
            error = native.resource_any_drop(self._state.context, box)
            native.resource_any_delete(box)
            if error:
                self._fail(error)

    def _pass_on_output(self) -> None:
        guard = self._store.guard
        guard.why_stop()
        if guard.limit is not None:
            self._fail(0)
        self._store.output.forget()
        guard.raise_pending()  # what the sink raised

    def _fail(self, error: int) -> NoReturn:
        """Poison the instance and raise what stopped it."""
        cause = engine_failure(error, c_void_p()) if error else wasmtime.WasmtimeError("stopped")
        state, guard, output = self._state, self._store.guard, self._store.output
        raised, state.failure = state.failure, None
        if raised is not None:
            self.poisoned = "a host function raised an exception in an earlier call"
            raise raised
        interruption = guard.interruption
        if interruption is not None:
            guard.pending = None
            self.poisoned = "an earlier call was interrupted"
            raise interruption.with_traceback(None)
        refused = virtual_refusal(cause) if self._keep is not None else None
        if refused is not None:
            cause = refused
        guard.why_stop()
        stderr = output.whole()[1].decode(errors="replace")
        if guard.limit is None and isinstance(cause, wasmtime.ExitTrap):
            self.poisoned = f"an earlier call ended the program with exit status {cause.code}"
            raise GuestExit(
                f"{self._prepared.component.label} ended with exit status {cause.code}.", status=cause.code
            )
        from wasm_lab.runtimes.wasmtime.traps import trap_info  # most guests end well

        trap = trap_info(cause, limit=guard.limit, stderr=stderr)
        self.poisoned = f"an earlier call was stopped ({trap.kind.value})"
        hint = _TOO_MUCH if "too much data is being copied" in trap.message else ""
        raise LIMIT_ERRORS.get(trap.kind, GuestTrap)(str(trap), trap=trap, hint=hint)


def virtual_refusal(cause: wasmtime.WasmtimeError | wasmtime.Trap) -> wasmtime.WasmtimeError | None:
    """What a replaced clock or random source raised; the engine's package keeps it for its own callers."""
    from wasmtime.component import _enter

    raised, _enter.LAST_EXCEPTION = _enter.LAST_EXCEPTION, None
    if raised is None:
        return None
    frames = str(cause).partition("python exception")[2]
    return wasmtime.WasmtimeError(f"{raised}{frames}")
