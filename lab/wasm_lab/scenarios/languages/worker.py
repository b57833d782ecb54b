"""The process in which a program of the table is timed: ``python -m wasm_lab.scenarios.languages.worker``.

Core modules and components alike, so that languages are compared in one engine by one clock:

- compile: machine code of the bytes, with nothing cached, on as many threads as the engine takes;
- load: machine code made before, from a file;
- instantiate: a store with its WASI, and an instance in it;
- run: the program's entry alone (``_start``, or ``run`` of ``wasi:cli/run``), its output in a file.

No guard is compiled in: only the one who reads can stop it, by a kill.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from wasm_lab.subjects.dying import die_with
from wasm_lab.subjects.serving import Desk, clock_step_ns


class Worker:
    """One program in one engine."""

    def __init__(self, desk: Desk) -> None:
        import wasmtime
        from wasmtime import component

        self.settings = desk.settings
        self.wasm = Path(self.settings["wasm"]).read_bytes()
        self.is_component: bool = self.settings["component"]
        self.kind: Any = component.Component if self.is_component else wasmtime.Module
        self.engine = wasmtime.Engine(wasmtime.Config())
        kept = Path(self.settings["code"])
        self.compiled_ns = 0
        if not kept.exists():  # the first worker of a subject leaves it for the others
            began = time.perf_counter_ns()
            made = self.kind(self.engine, self.wasm)
            self.compiled_ns = time.perf_counter_ns() - began
            new = kept.with_name(f"{kept.name}.{os.getpid()}")
            new.write_bytes(bytes(made.serialize()))
            new.replace(kept)
        self.code = str(kept)
        self.module: Any = self.kind.deserialize_file(self.engine, self.code)
        linker: Any = component.Linker if self.is_component else wasmtime.Linker
        self.linker: Any = linker(self.engine)
        if self.is_component:
            self.linker.add_wasip2()
        else:
            self.linker.define_wasi()
        self.output = Path(self.settings["scratch"]) / "output"

    def instance(self) -> tuple[Any, Any]:
        """A store, and the entry of an instance in it."""
        import wasmtime

        store = wasmtime.Store(self.engine)
        wasi = wasmtime.WasiConfig()
        wasi.argv = ["program", *self.settings["args"]]
        wasi.stdin_file = self.settings["stdin"]
        wasi.stdout_file = str(self.output)
        store.set_wasi(wasi)
        made = self.linker.instantiate(store, self.module)
        if not self.is_component:
            return store, made.exports(store)["_start"]
        interface = next(
            name for name in self.module.type.exports(self.engine) if name.startswith("wasi:cli/run@")
        )
        at = made.get_export_index(store, interface)
        return store, made.get_func(store, made.get_export_index(store, "run", at))

    def run_once(self) -> int:
        import wasmtime

        store, entry = self.instance()
        began = time.perf_counter_ns()
        try:
            entry(store)
        except wasmtime.ExitTrap as end:
            if end.code:
                raise
        return time.perf_counter_ns() - began

    def elapsed(self, what: str, count: int) -> int:
        if what == "compile" and count == 1 and self.compiled_ns:  # it was done a moment ago, and takes long
            return self.compiled_ns
        if what == "run":
            return sum(self.run_once() for _ in range(count))
        began = time.perf_counter_ns()
        for _ in range(count):
            if what == "compile":
                self.kind(self.engine, self.wasm)
            elif what == "load":
                self.kind.deserialize_file(self.engine, self.code)
            else:
                self.instance()
        return time.perf_counter_ns() - began

    def answer(self) -> bytes:
        self.run_once()
        return self.output.read_bytes()


def main() -> None:
    desk = Desk()
    die_with(desk.settings["parent"])
    try:
        worker = Worker(desk)
    except Exception as error:  # the engine's, or the system's: to be told, whichever
        desk.fail(str(error))
        return
    desk.say("ready")
    while order := desk.line():
        what, _, number = order.partition(" ")
        try:
            if what == "step":
                desk.say(f"step {clock_step_ns()}")
            elif what == "answer":
                data = worker.answer()
                desk.say(f"answer {len(data)}", data)
            else:
                desk.say(f"elapsed {worker.elapsed(what, int(number))}")
        except Exception as error:  # the engine's, or the system's
            desk.fail(str(error))


if __name__ == "__main__":
    main()
    sys.exit(0)
