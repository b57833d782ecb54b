"""A store made to measure: the capabilities of one guest, in wasmtime's terms."""

from __future__ import annotations

import ctypes
import functools
import time
from ctypes import byref
from typing import TYPE_CHECKING, Any

import wasmtime

from wasm_lab.errors import LoadError, UsageError
from wasm_lab.runtimes.wasmtime import native
from wasm_lab.runtimes.wasmtime.forward import Forwarder
from wasm_lab.runtimes.wasmtime.guard import Guard, on_epoch
from wasm_lab.runtimes.wasmtime.host import Host
from wasm_lab.runtimes.wasmtime.output import Output
from wasm_lab.runtimes.wasmtime.preview1 import Preview1

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.runtimes.base import OutputSink
    from wasm_lab.runtimes.wasmtime.engine import GuestEngine, Loaded
    from wasm_lab.runtimes.wasmtime.linked import Linked
    from wasm_lab.wasi.audit import AuditLog

#: Entries that each table may have; each takes 8 bytes of the host.
TABLE_ELEMENTS = 1_000_000
TABLES = 100


class Sandbox:
    """One store with its guard and output, ready for instances.

    Raises:
        UsageError: an argument, variable or folder cannot be passed on as it is.
    """

    def __init__(
        self,
        engine: GuestEngine,
        artifact: Artifact,
        loaded: Loaded,
        capabilities: Capabilities,
        *,
        audit: bool,
        output: OutputSink | None,
    ) -> None:
        self.started_ns = time.perf_counter_ns()
        self.capabilities = capabilities
        self.output = Output(capabilities.output_bytes, output, inherited=capabilities.inherit_output)
        self.guard = Guard(capabilities.deadline_s, self.output)
        self.store = wasmtime.Store(engine.engine)
        self.context = native.address_of(self.store._context())
        self._limit(loaded.memories)
        native.watch_store(self.store, self.context, on_epoch)
        if capabilities.fuel is not None:
            self.store.set_fuel(capabilities.fuel)
        self.store.set_wasi(self._wasi(artifact))
        self.log = _audit_log(capabilities) if audit else None
        self.host = self.guard.host = Host(self.guard, self.context, self.log)
        self.host.make_forwarder = functools.partial(Forwarder, engine, self.store, self.context)
        self.preview1 = Preview1(self.host, capabilities)

    def _limit(self, memories: int) -> None:
        """Bound what the guest's memories take together: wasmtime bounds their number and each one's size."""
        memory = self.capabilities.memory_bytes
        if memory is None:
            self.store.set_limits(table_elements=TABLE_ELEMENTS, tables=TABLES)
        else:
            self.store.set_limits(
                memory_size=memory // max(memories, 1),
                memories=max(memories, 1),
                table_elements=TABLE_ELEMENTS,
                tables=TABLES,
            )

    def _wasi(self, artifact: Artifact) -> wasmtime.WasiConfig:
        capabilities, config = self.capabilities, wasmtime.WasiConfig()
        arguments = [capabilities.program or artifact.label, *capabilities.args]
        for text in (*arguments, *capabilities.env, *capabilities.env.values()):
            _check_text(text)
        config.argv = arguments
        if capabilities.env:
            config.env = capabilities.env.items()
        if capabilities.stdin is None:
            config.inherit_stdin()
        elif capabilities.stdin:
            native.set_stdin_bytes(config, capabilities.stdin)
        if self.output.inherited:
            config.inherit_stdout()
            config.inherit_stderr()
        else:
            out, err = self.output.streams
            config.stdout_file = out.path
            config.stderr_file = err.path
        for directory in capabilities.dirs:
            try:
                config.preopen_dir(str(directory.host), directory.guest, directory.writable)
            except wasmtime.WasmtimeError:
                raise UsageError(
                    f"The folder {directory.host} cannot be opened to the guest.",
                    hint="Does it exist, and may you read it?",
                ) from None
        return config

    def instantiate(self, prepared: wasmtime.InstancePre | Linked) -> Any:
        """An instance of a module whose imports are known (a ``wasmtime_instance_t``).

        Raises:
            GuestStopped: its start function trapped.
        """
        if not isinstance(prepared, wasmtime.InstancePre):
            self.host.several_memories = True
            return prepared.instantiate(self)
        instance = native.InstanceHandle()
        trap = ctypes.c_void_p()
        error = native.instantiate_pre(prepared.ptr(), self.context, byref(instance), byref(trap))
        if error or trap:
            raise GuestStopped(native.failure(error, trap))
        return instance

    def fuel_used(self) -> int | None:
        fuel = self.capabilities.fuel
        return None if fuel is None else fuel - self.store.get_fuel()

    def close(self) -> None:
        """Free the store, and then its files for the next one. What nobody closes is freed all the same."""
        native.delete_store(self.store)
        self.output.close()


class GuestStopped(Exception):
    """Inside this room only: the engine came back without a result; `cause` is what it said."""

    def __init__(self, cause: wasmtime.WasmtimeError | wasmtime.Trap) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _check_text(text: str) -> None:
    if "\0" in text:
        raise UsageError(f"{text!r} has a zero character in it, which WASI cannot pass on.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{text!r} is not valid Unicode, and WASI passes on only that.") from None


def memory_of(sandbox: Sandbox, instance: Any) -> Any | None:
    """The instance's exported ``memory`` (a ``wasmtime_memory_t``), if it has one."""
    item = native.export(sandbox.context, instance, "memory")
    return item.of.memory if item is not None and item.kind == native.EXTERN_MEMORY else None


def function_of(sandbox: Sandbox, instance: Any, name: str) -> Any:
    """The exported function of that name (a ``wasmtime_func_t``).

    Raises:
        LoadError: there is no such function.
    """
    item = native.export(sandbox.context, instance, name)
    if item is None or item.kind != native.EXTERN_FUNC:
        raise LoadError(f"The module exports no function {name!r}.")
    return item.of.func


def _audit_log(capabilities: Capabilities) -> AuditLog:
    from wasm_lab.wasi.audit import AuditLog  # few runs are audited

    return AuditLog(capabilities)
