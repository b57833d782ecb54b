"""The process in which wasmtime is timed: ``python -m wasm_lab.subjects.wasmtime_worker``.

What each phase is here:

- compile: ``wasmtime.Module`` of the bytes, with nothing cached;
- load: ``Module.deserialize_file`` of machine code made before;
- instantiate: a store with its WASI context, and an instance in it, as `Sandbox` makes them;
- teardown: freeing the store with the instance;
- first and steady call: the guest itself tells (see `harness`);
- run: an instance's ``_start`` alone, from entry to return, with its output in files in memory.

Guards are those of the lab's own runtime: ``epochs`` compiles in checks and has the supervisor
thread tick, ``fuel`` counts instructions besides, ``audit`` answers every host call in Python. With
``none``, compiled code has no checks at all, and only the one who reads can stop it, by a kill.
"""

from __future__ import annotations

import ctypes
import sys
import time
from ctypes import byref
from pathlib import Path
from typing import Any

from wasm_lab.subjects.dying import die_with
from wasm_lab.subjects.serving import Desk, clock_step_ns

_FUEL = 2**62  #: more than any guest uses up


class Worker:
    """One module in one engine, and the instances made of it."""

    def __init__(self, desk: Desk) -> None:
        from wasm_lab.artifact import Artifact
        from wasm_lab.capabilities import Capabilities
        from wasm_lab.runtimes.wasmtime.engine import guest_engine
        from wasm_lab.runtimes.wasmtime.host import answered_here
        from wasm_lab.subjects.granting import capabilities_from

        settings = desk.settings
        self.desk = desk
        self.guards: str = settings["guards"]
        self.engine = guest_engine(guarded=self.guards != "none", fuel=self.guards == "fuel")
        self.artifact = Artifact(wasm=Path(settings["wasm"]).read_bytes(), label=settings["label"])
        self.audit = self.guards == "audit"
        fuel = _FUEL if self.guards == "fuel" else None
        limits: dict[str, Any] = {"deadline_s": None, "fuel": fuel}
        #: For orders that the guest itself reads: it has this process's own streams.
        self.talking = Capabilities(
            stdin=None, inherit_output=True, memory_bytes=None, output_bytes=None, **limits
        )
        self.granted = (
            capabilities_from(settings["capabilities"], **limits) if "capabilities" in settings else None
        )
        self.loaded = self.engine.load(self.artifact)
        self.prepared = self.engine.prepare(
            self.artifact, self.loaded, answered_here(self.granted or self.talking, audit=self.audit)
        )
        self.idle: list[Any] = []
        self._machine_code: str | None = None
        self.export: Any = None
        if "export" in settings:
            from wasm_lab.subjects.wasmtime_export import ExportOrders

            self.export = ExportOrders(self)

    # Phases: each gives the nanoseconds of ``count`` repetitions --------------------------------

    def compile(self, count: int) -> int:
        import wasmtime

        total = 0
        for _ in range(count):
            start = time.perf_counter_ns()
            module = wasmtime.Module(self.engine.engine, self.artifact.wasm)
            total += time.perf_counter_ns() - start
            del module
        return total

    def load(self, count: int) -> int:
        import wasmtime

        path, total = self._serialized(), 0
        for _ in range(count):
            start = time.perf_counter_ns()
            module = wasmtime.Module.deserialize_file(self.engine.engine, path)
            total += time.perf_counter_ns() - start
            del module
        return total

    def _serialized(self) -> str:
        if self._machine_code is None:
            file = Path(self.desk.settings["scratch"], "machine-code")
            file.write_bytes(self.loaded.module.serialize())
            self._machine_code = str(file)
        return self._machine_code

    def instantiate(self, count: int) -> int:
        total = 0
        for _ in range(count):
            start = time.perf_counter_ns()
            sandbox = self.sandbox()
            sandbox.instantiate(self.prepared)
            total += time.perf_counter_ns() - start
            sandbox.close()
        return total

    def teardown(self, count: int) -> int:
        total = 0
        for _ in range(count):
            sandbox = self.sandbox()
            sandbox.instantiate(self.prepared)
            start = time.perf_counter_ns()
            sandbox.close()
            total += time.perf_counter_ns() - start
        return total

    def run(self, count: int) -> None:
        """``_start`` of a fresh instance, ``count`` times; answers with the memory of the last one too."""
        from wasm_lab.errors import GuestTrap
        from wasm_lab.run import Phase

        total = memory = 0
        for _ in range(count):
            run = self._run()
            if run.trap is not None:
                raise GuestTrap(str(run.trap), trap=run.trap)
            total += run.phases_ns[Phase.RUN]
            memory = run.linear_memory_bytes
        self.desk.say(f"elapsed {total} {memory}")

    # Others -------------------------------------------------------------------------------------

    def sandbox(self, *, bare: bool = False) -> Any:
        """A store with what the guest is granted; a bare one holds no files of its own."""
        from wasm_lab.runtimes.wasmtime.sandbox import Sandbox

        capabilities = self.talking if bare else self.granted or self.talking
        return Sandbox(self.engine, self.artifact, self.loaded, capabilities, audit=self.audit, output=None)

    def _run(self) -> Any:
        from wasm_lab.runtimes.wasmtime.command import run_command

        return run_command(self.sandbox(), self.artifact, self.loaded, self.prepared)

    def outcome(self) -> None:
        """Run the command once, and answer with its exit status and all it wrote to stdout."""
        run = self._run()
        if run.trap is not None:
            self.desk.fail(str(run.trap))
            return
        self.desk.say(f"outcome {run.exit_status} {len(run.stdout)} {run.linear_memory_bytes}", run.stdout)

    def keep(self, count: int) -> None:
        """Make further instances and keep them, without the files that a running one would have open."""
        for _ in range(count):
            sandbox = self.sandbox(bare=True)
            sandbox.instantiate(self.prepared)
            self.idle.append(sandbox)
        self.desk.say("kept")

    def memory(self) -> None:
        """Linear memory of an instance in which nothing was called; of an export, as it is now too."""
        if self.export is not None:
            self.desk.say("memory {} {}".format(*self.export.memory()))
            return
        from wasm_lab.runtimes.wasmtime import native
        from wasm_lab.runtimes.wasmtime.sandbox import memory_of

        sandbox = self.sandbox()
        memory = memory_of(sandbox, sandbox.instantiate(self.prepared))
        size = native.memory_data_size(sandbox.context, byref(memory)) if memory else 0
        sandbox.close()
        self.desk.say(f"memory {size} {size}")

    def enter(self) -> None:
        """Let the guest read orders itself, until it returns."""
        from wasm_lab.runtimes.wasmtime import native
        from wasm_lab.runtimes.wasmtime.command import outcome
        from wasm_lab.runtimes.wasmtime.sandbox import function_of

        sandbox = self.sandbox()
        instance = sandbox.instantiate(self.prepared)
        start, trap = function_of(sandbox, instance, "_start"), ctypes.c_void_p()
        self.desk.say("entering")
        sandbox.guard.begin()
        try:
            error = native.call(
                sandbox.context, byref(start), ctypes.c_void_p(None), ctypes.c_size_t(0), byref(trap)
            )
        finally:
            sandbox.guard.end()
        failure = native.failure(error, trap) if error or trap else None
        status, stop = outcome(sandbox, failure, b"")
        sandbox.close()
        if stop is not None:
            self.desk.fail(str(stop))
        elif status:
            self.desk.fail(f"it ended the program with exit status {status}")
        else:
            self.desk.say("left")


_PHASES = ("compile", "load", "instantiate", "teardown")


def serve(desk: Desk, worker: Worker) -> None:
    """Do orders until there are none."""
    while order := desk.line():
        what, _, number = order.partition(" ")
        try:
            if what == "step":
                desk.say(f"step {clock_step_ns()}")
            elif what in _PHASES:
                desk.say(f"elapsed {getattr(worker, what)(int(number))}")
            elif what in ("first", "time"):
                desk.say(f"elapsed {getattr(worker.export, what)(int(number))}")
            elif what == "answer":
                data = worker.export.answer()
                desk.say(f"answer {len(data)}", data)
            elif what in ("keep", "run"):
                getattr(worker, what)(int(number))
            else:
                getattr(worker, what)()
        except Exception as error:  # the lab's, the engine's, or the system's: to be told, whichever
            desk.fail(str(error))


def main() -> None:
    desk = Desk()
    die_with(desk.settings["parent"])
    try:
        worker = Worker(desk)
    except Exception as error:  # the lab's, the engine's, or the system's
        desk.fail(str(error))
        return
    desk.say("ready")
    serve(desk, worker)


if __name__ == "__main__":
    main()
    sys.exit(0)
