"""The process in which a plugin is timed: ``python -m wasm_lab.scenarios.plugins.worker``."""

from __future__ import annotations

import base64
import time
import traceback
from pathlib import Path
from typing import Any, Protocol

from wasm_lab.scenarios.plugins.comparing import Way
from wasm_lab.subjects.dying import die_with
from wasm_lab.subjects.serving import Desk, clock_step_ns


class _Plugin(Protocol):
    def renew(self) -> None:
        """Forget the instance or process; the next call makes another."""
        ...

    def apply(self, data: str | bytes, options: list[tuple[str, str]]) -> str | bytes: ...


class _InHost:
    def __init__(self, file: Path) -> None:
        from wasm_lab.scenarios.plugins.host import PluginHost, content

        self._content = content
        self._host = PluginHost(file.parent)
        self._name = file.stem

    def renew(self) -> None:
        self._host.rest(self._name)

    def apply(self, data: str | bytes, options: list[tuple[str, str]]) -> str | bytes:
        output: str | bytes = self._host.call(self._name, "apply", self._content(data), options).value
        return output


class _Component:
    def __init__(self, file: Path) -> None:
        from wasm_lab.components import Component
        from wasm_lab.scenarios.plugins.contract import Contract
        from wasm_lab.scenarios.plugins.host import content
        from wasm_lab.scenarios.plugins.settings import PLUGIN_DEFAULTS
        from wasm_lab.scenarios.plugins.wasi import wasi_imports

        self._content = content
        self._prepared = Component.load(file).link(
            wasi_imports(PLUGIN_DEFAULTS), capabilities=PLUGIN_DEFAULTS
        )
        self._export = Contract().export
        self._instance: Any = None

    def renew(self) -> None:
        if self._instance is not None:
            self._instance.close()
            self._instance = None

    def apply(self, data: str | bytes, options: list[tuple[str, str]]) -> str | bytes:
        if self._instance is None:
            from wasm_lab.scenarios.plugins.cabinet import Cabinet, Desk

            self._instance = self._prepared.instantiate(data=Desk(Cabinet()))
            self._apply = self._instance[self._export].apply
        output: str | bytes = self._apply(self._content(data), options).value
        return output


class _ByHand:
    """As the documentation of the package ``wasmtime`` has it, WASI linked and nothing granted."""

    def __init__(self, file: Path) -> None:
        import wasmtime
        from wasmtime import component

        from wasm_lab.scenarios.plugins.contract import Contract

        self._engine = wasmtime.Engine()
        self._component = component.Component(self._engine, file.read_bytes())
        self._linker = component.Linker(self._engine)
        self._linker.add_wasip2()
        interface = self._component.get_export_index(Contract().export)
        self._index: Any = self._component.get_export_index("apply", interface)
        self._store: Any = None

    def renew(self) -> None:
        self._store = None

    def apply(self, data: str | bytes, options: list[tuple[str, str]]) -> str | bytes:
        import wasmtime

        if self._store is None:
            self._store = wasmtime.Store(self._engine)
            self._store.set_wasi(wasmtime.WasiConfig())
            instance = self._linker.instantiate(self._store, self._component)
            self._function: Any = instance.get_func(self._store, self._index)
        found = self._function(self._store, data, options)  # it finds the case by the type
        self._function.post_return(self._store)
        output: str | bytes = getattr(found, "payload", found)
        return output


class _Process:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._pipe: Any = None

    def renew(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def apply(self, data: str | bytes, options: list[tuple[str, str]]) -> str | bytes:
        if self._pipe is None:
            from wasm_lab.scenarios.plugins.pipe import Pipe

            self._pipe = Pipe(self._file)
        output: str | bytes = self._pipe.apply(data, options)
        return output


_WAYS: dict[Way, type[_InHost | _Component | _ByHand | _Process]] = {
    Way.HOST: _InHost,
    Way.COMPONENT: _Component,
    Way.BY_HAND: _ByHand,
    Way.PROCESS: _Process,
}


class _Worker:
    def __init__(self, desk: Desk) -> None:
        settings = desk.settings
        self.desk = desk
        data = base64.b64decode(settings["data"])
        self.data: str | bytes = data.decode() if settings["text"] else data
        self.options = [(name, value) for name, value in settings["options"]]
        self.plugin: _Plugin = _WAYS[Way(settings["way"])](Path(settings["file"]))

    def time(self, count: int) -> None:
        apply, data, options, clock = self.plugin.apply, self.data, self.options, time.perf_counter_ns
        began = clock()
        for _ in range(count):
            apply(data, options)
        self.desk.say(f"elapsed {clock() - began}")

    def first(self, count: int) -> None:
        elapsed, clock = 0, time.perf_counter_ns
        for _ in range(count):
            self.plugin.renew()
            began = clock()
            self.plugin.apply(self.data, self.options)
            elapsed += clock() - began
        self.desk.say(f"elapsed {elapsed}")

    def answer(self) -> None:
        output = self.plugin.apply(self.data, self.options)
        packed = output.encode() if isinstance(output, str) else output
        self.desk.say(f"answer {len(packed)}", packed)

    def step(self) -> None:
        self.desk.say(f"step {clock_step_ns()}")


def main() -> None:
    desk = Desk()
    die_with(desk.settings["parent"])
    try:
        worker = _Worker(desk)
        worker.plugin.apply(worker.data, worker.options)  # so that code and crates are paged in
    except BaseException:
        desk.fail(traceback.format_exc())
        return
    desk.say("ready")
    while order := desk.line():
        what, _, number = order.partition(" ")
        try:
            getattr(worker, what)(*([int(number)] if number else []))
        except BaseException:
            desk.fail(traceback.format_exc())


if __name__ == "__main__":
    main()
