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
from wasm_lab.runtimes.wasmtime.traps import trap_info

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.run import TrapInfo
    from wasm_lab.runtimes.base import OutputSink
    from wasm_lab.runtimes.wasmtime.engine import GuestEngine, Loaded

_NO_ARGUMENTS = ctypes.c_void_p(None)
_NONE = ctypes.c_size_t(0)


def run_command(
    engine: GuestEngine,
    loaded: Loaded,
    prepared: wasmtime.InstancePre,
    artifact: Artifact,
    capabilities: Capabilities,
    output: OutputSink | None,
) -> Run:
    """Execute ``_start`` of a WASI 0.1 command in a store of its own."""
    phases = dict(loaded.phases_ns)
    started = time.perf_counter_ns()
    sandbox = Sandbox(engine, artifact, capabilities, output)
    guard, memory = sandbox.guard, None
    failure: wasmtime.WasmtimeError | wasmtime.Trap | None = None
    try:
        guard.begin()
        try:
            instance = sandbox.instantiate(prepared)
            memory = memory_of(sandbox, instance)
            start = function_of(sandbox, instance, "_start")
            entered = time.perf_counter_ns()
            phases[Phase.INSTANTIATE] = entered - started
            trap = ctypes.c_void_p()
            error = native.call(sandbox.context, byref(start), _NO_ARGUMENTS, _NONE, byref(trap))
            phases[Phase.RUN] = time.perf_counter_ns() - entered
            if error or trap:
                failure = native.failure(error, trap)
        except GuestStopped as stopped:
            failure = stopped.cause
        finally:
            guard.end()
        guard.raise_pending()
        guard.why_stop()  # the last of the output, and whether that was too much
        guard.raise_pending()
        stdout, stderr = sandbox.output.whole()
        status, stop = _outcome(failure, sandbox, stderr)
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
            module_sha256=artifact.sha256,
            code_cached=loaded.code_cached,
        )
    finally:
        sandbox.close()


def _outcome(
    failure: wasmtime.WasmtimeError | wasmtime.Trap | None, sandbox: Sandbox, stderr: bytes
) -> tuple[int | None, TrapInfo | None]:
    limit = sandbox.guard.limit
    if failure is None and limit is None:
        return 0, None
    if isinstance(failure, wasmtime.ExitTrap) and limit is None:
        return failure.code, None
    cause = failure or wasmtime.WasmtimeError("stopped")
    return None, trap_info(cause, limit=limit, stderr=stderr.decode(errors="replace"))
