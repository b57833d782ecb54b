"""Running a WASI 0.2 component's command.

Its waiting calls block inside the engine, where neither epochs nor signals reach. So the
guest runs in a thread of its own and the caller waits for it, looking every tick at the
deadline, the output and interrupts. A guest that is
blocked when its time is up is left behind: it ends as soon as it wakes.
"""

from __future__ import annotations

import functools
import threading
import time
from typing import TYPE_CHECKING, Any

import wasmtime
from wasmtime import component

from wasm_lab.errors import LoadError
from wasm_lab.run import Phase, Run
from wasm_lab.runtimes.wasmtime.command import outcome
from wasm_lab.runtimes.wasmtime.engine import version
from wasm_lab.runtimes.wasmtime.guard import TICK_S
from wasm_lab.runtimes.wasmtime.interrupts import pending_here
from wasm_lab.runtimes.wasmtime.virtual import RefusedInterface, Virtual
from wasm_lab.wasi.missing import explain_missing
from wasm_lab.wasi.refusals import folder_was_missed

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.run import HostCall
    from wasm_lab.runtimes.wasmtime.engine import GuestEngine, Loaded
    from wasm_lab.runtimes.wasmtime.sandbox import Sandbox

#: How long a stopped guest may take to come back before it is left behind, in seconds.
GRACE_S = 2 * TICK_S

_RUN = "wasi:cli/run@0.2"

#: Interfaces that wasmtime's ``add_wasip2`` provides.
_PROVIDED = tuple(
    f"wasi:{package}/" for package in ("cli", "clocks", "filesystem", "io", "random", "sockets")
)


def check_component(artifact: Artifact, loaded: Loaded) -> None:
    """Refuse a component that is no command or needs what is not here.

    Raises:
        LoadError: saying what is missing.
    """
    missing = [
        (name, "")
        for name, _ in loaded.imports
        if not (name.startswith(_PROVIDED) and name.partition("@")[2].startswith("0.2"))
    ]
    if missing:
        message, hint = explain_missing(artifact.label, missing)
        raise LoadError(message, hint=hint)
    if not any(name.startswith(_RUN) for name in loaded.exports):
        exports = ", ".join(loaded.exports) or "nothing"
        raise LoadError(
            f"{artifact.label} is a component, but no program: it has no {_RUN}, but exports {exports}.",
            hint="Build it with a main function to run it.",
        )


def run_component(sandbox: Sandbox, artifact: Artifact, loaded: Loaded, engine: GuestEngine) -> Run:
    """Execute ``wasi:cli/run`` of a component in a store of its own."""
    guest = _Guest(
        sandbox, loaded, engine, Virtual(sandbox.capabilities, (name for name, _ in loaded.imports))
    )
    guard = sandbox.guard
    guard.elsewhere = True
    thread = threading.Thread(target=guest.execute, name=f"wasm-lab {artifact.label}", daemon=True)
    thread.start()
    try:
        while not guest.done.wait(TICK_S):
            guard.pending = pending_here() or guard.pending
            if guard.why_stop():
                guest.done.wait(GRACE_S)
                break
        guard.raise_pending()
        guard.why_stop()  # passes on the last of the output, and sees whether it was too much
        guard.raise_pending()
        return _finished(guest, artifact, loaded)
    finally:
        guest.release()


class _Guest:
    """One execution in its thread; whoever is last to leave closes the store."""

    def __init__(self, sandbox: Sandbox, loaded: Loaded, engine: GuestEngine, virtual: Virtual) -> None:
        self.sandbox = sandbox
        self.done = threading.Event()
        self.virtual = virtual
        self.failure: wasmtime.WasmtimeError | wasmtime.Trap | None = None
        self.succeeded = False
        self.phases: dict[Phase, int] = {}
        self._loaded = loaded
        self._engine = engine
        self._users = 2
        self._lock = threading.Lock()

    def execute(self) -> None:
        guard = self.sandbox.guard
        try:
            guard.begin()
            try:
                self._execute()
            finally:
                guard.end()
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            self.failure = error
        except RefusedInterface as error:
            self.failure = wasmtime.WasmtimeError(str(error))
        except BaseException as error:
            guard.pending = guard.pending or error
        finally:
            self.done.set()
            self.release()

    def _execute(self) -> None:
        store, code = self.sandbox.store, self._loaded.module
        linker = self._linker()
        instance = linker.instantiate(store, code)
        name = next(name for name in self._loaded.exports if name.startswith(_RUN))
        interface = code.get_export_index(name)
        function: Any = instance.get_func(store, code.get_export_index("run", interface))
        entered = time.perf_counter_ns()
        self.phases[Phase.INSTANTIATE] = entered - self.sandbox.started_ns
        try:
            self.succeeded = function(store).tag == "ok"
        finally:
            self.phases[Phase.RUN] = time.perf_counter_ns() - entered

    def _linker(self) -> component.Linker:
        if not self.virtual.needed:
            return _native_linker(self._engine)
        linker = component.Linker(self._engine.engine)
        linker.add_wasip2()
        self.virtual.define(linker)
        self.virtual.connect(self._engine.engine, self.sandbox.store)
        return linker

    def release(self) -> None:
        with self._lock:
            self._users -= 1
            last = self._users == 0
        if last:
            self.sandbox.close()


@functools.lru_cache(maxsize=8)
def _native_linker(engine: GuestEngine) -> component.Linker:
    linker = component.Linker(engine.engine)
    linker.add_wasip2()
    return linker


def _finished(guest: _Guest, artifact: Artifact, loaded: Loaded) -> Run:
    sandbox, failure = guest.sandbox, guest.failure
    stdout, stderr = sandbox.output.whole()
    status, trap = outcome(sandbox, failure, stderr)
    if status == 0 and not guest.succeeded and failure is None:
        status = 1  # `run` returned err, which is how a main that fails ends
    return Run(
        label=artifact.label,
        runtime="wasmtime",
        runtime_version=version(),
        exit_status=status,
        trap=trap,
        stdout=stdout,
        stderr=stderr,
        phases_ns={  # in the order in which they happened
            **loaded.phases_ns,
            **guest.phases,
            Phase.RUN: guest.phases.get(Phase.RUN, time.perf_counter_ns() - sandbox.started_ns),
        },
        fuel_used=sandbox.fuel_used() if guest.done.is_set() else None,
        denied=(*guest.virtual.denied, *_missed_folder(sandbox, status, stdout + stderr)),
        module_sha256=artifact.sha256,
        code_cached=loaded.code_cached,
    )


def _missed_folder(sandbox: Sandbox, status: int | None, output: bytes) -> tuple[HostCall, ...]:
    """A component's calls are not seen, so only what a failed one says can tell."""
    if sandbox.capabilities.dirs or status == 0:
        return ()
    missed = folder_was_missed(output.decode(errors="replace"))
    return (missed,) if missed else ()
