"""A store for one instance: its limits, its guard, and the native WASI if that is used."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import wasmtime

from wasm_lab.runtimes.wasmtime import native
from wasm_lab.runtimes.wasmtime.guard import Guard, on_epoch
from wasm_lab.runtimes.wasmtime.output import Output
from wasm_lab.runtimes.wasmtime.sandbox import TABLE_ELEMENTS, TABLES, Sandbox

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.runtimes.base import OutputSink
    from wasm_lab.runtimes.wasmtime.engine import GuestEngine, Loaded


class PlainStore:
    """A store without native WASI: it has no output, files or arguments to set up.

    It has what `Sandbox` has too, so that an instance need not know which it runs in.
    """

    def __init__(self, engine: GuestEngine, loaded: Loaded, capabilities: Capabilities) -> None:
        self.output = _nothing()
        self.guard = Guard(capabilities.deadline_s, self.output)
        self.store = wasmtime.Store(engine.engine)
        self.context = native.address_of(self.store._context())
        memory, memories = capabilities.memory_bytes, max(loaded.memories, 1)
        if memory is None:
            self.store.set_limits(table_elements=TABLE_ELEMENTS, tables=TABLES)
        else:
            self.store.set_limits(
                memory_size=memory // memories,
                memories=memories,
                table_elements=TABLE_ELEMENTS,
                tables=TABLES,
            )
        native.watch_store(self.store, self.context, on_epoch)
        if capabilities.fuel is not None:
            self.store.set_fuel(capabilities.fuel)

    def close(self) -> None:
        """Free the store."""
        native.delete_store(self.store)


@functools.cache
def _nothing() -> Output:
    return Output(None, None, inherited=True)


def new_store(
    engine: GuestEngine,
    artifact: Artifact,
    loaded: Loaded,
    capabilities: Capabilities,
    *,
    native_wasi: bool,
    output: OutputSink | None,
) -> PlainStore | Sandbox:
    """A store for one instance.

    Raises:
        UsageError: an argument, variable or folder cannot be passed on as it is.
    """
    if native_wasi:
        return Sandbox(engine, artifact, loaded, capabilities, audit=False, output=output)
    return PlainStore(engine, loaded, capabilities)
