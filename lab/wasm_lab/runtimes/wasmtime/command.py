"""Running a command: one fresh instance, ``_start``, and what came of it."""

from __future__ import annotations

import ctypes
import time
from ctypes import byref
from typing import TYPE_CHECKING

import wasmtime

from wasm_lab.run import Phase, Run
from wasm_lab.runtimes.wasmtime import native
from wasm_lab.runtimes.wasmtime.engine import version
from wasm_lab.runtimes.wasmtime.sandbox import GuestStopped, Sandbox, function_of, memory_of

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.run import TrapInfo
    from wasm_lab.runtimes.wasmtime.engine import Loaded
    from wasm_lab.runtimes.wasmtime.linked import Linked

_NO_SLOTS = ctypes.c_void_p(None)
_NONE = ctypes.c_size_t(0)


def run_command(
    sandbox: Sandbox, artifact: Artifact, loaded: Loaded, prepared: wasmtime.InstancePre | Linked
) -> Run:
    """Execute ``_start`` of a WASI 0.1 command in a store of its own, and close the store."""
    phases = dict(loaded.phases_ns)
    guard, memory = sandbox.guard, None
    failure: wasmtime.WasmtimeError | wasmtime.Trap | None = None
    try:
        guard.begin()
        try:
            instance = sandbox.instantiate(prepared)
            memory = memory_of(sandbox, instance)
            start = function_of(sandbox, instance, "_start")
            entered = time.perf_counter_ns()
            phases[Phase.INSTANTIATE] = entered - sandbox.started_ns
            trap = ctypes.c_void_p()
            error = native.call(sandbox.context, byref(start), _NO_SLOTS, _NONE, byref(trap))
            phases[Phase.RUN] = time.perf_counter_ns() - entered
            if error or trap:
                failure = native.failure(error, trap)
        except GuestStopped as stopped:
            failure = stopped.cause
        finally:
            guard.end()
        guard.raise_pending()
        guard.why_stop()  # passes on the last of the output, and sees whether it was too much
        guard.raise_pending()
        stdout, stderr = sandbox.output.whole()
        status, stop = outcome(sandbox, failure, stderr)
        return Run(
            label=artifact.label,
            runtime="wasmtime",
            runtime_version=version(),
            exit_status=status,
            trap=stop,
            stdout=stdout,
            stderr=stderr,
            phases_ns=phases,
            linear_memory_bytes=native.memory_data_size(sandbox.context, byref(memory)) if memory else 0,
            fuel_used=sandbox.fuel_used(),
            audit=sandbox.log.take() if sandbox.log else None,
            denied=sandbox.preview1.denied(stdout, stderr),
            module_sha256=artifact.sha256,
            code_cached=loaded.code_cached,
        )
    finally:
        sandbox.close()


def outcome(
    sandbox: Sandbox, failure: wasmtime.WasmtimeError | wasmtime.Trap | None, stderr: bytes
) -> tuple[int | None, TrapInfo | None]:
    """The exit status, or else the trap, that a call amounts to."""
    limit, status = sandbox.guard.limit, sandbox.host.exit_status
    if limit is None and failure is None:
        return 0, None
    if limit is None and status is not None:
        return status, None
    if limit is None and isinstance(failure, wasmtime.ExitTrap):
        return failure.code, None
    from wasm_lab.runtimes.wasmtime.traps import trap_info  # most guests end well

    cause = failure or wasmtime.WasmtimeError("stopped")
    return None, trap_info(cause, limit=limit, stderr=stderr.decode(errors="replace"))
