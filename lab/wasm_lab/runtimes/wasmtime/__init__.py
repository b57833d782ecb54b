"""The wasmtime runtime: modules and components, guarded by epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.errors import LoadError
from wasm_lab.runtimes.base import Enforcement, Instance, Runtime
from wasm_lab.runtimes.wasmtime.engine import guest_engine, version

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.run import Run
    from wasm_lab.runtimes.base import OutputSink


class WasmtimeRuntime(Runtime):
    """Runs WASI 0.1 modules in this process, through PyPI ``wasmtime``."""

    name = "wasmtime"

    @property
    def version(self) -> str:
        return version()

    def enforces(self) -> dict[str, Enforcement]:
        yes, no = Enforcement.NATIVE, Enforcement.NO
        names = ("args", "program", "env", "stdin", "dirs", "memory_bytes", "fuel", "deadline_s")
        able = dict.fromkeys((*names, "output_bytes", "inherit_output"), yes)
        return able | dict.fromkeys(("hosts", "clock", "frozen_ns", "random", "seed", "audit"), no)

    def run(
        self,
        artifact: Artifact,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> Run:
        from wasm_lab.runtimes.wasmtime.command import run_command

        self.check(capabilities, audit=audit)
        engine = guest_engine(fuel=capabilities.fuel is not None)
        loaded = engine.load(artifact)
        if "_start" not in loaded.exports:
            raise LoadError(f"{artifact.label} is no program: it exports no _start.")
        prepared = engine.prepare(artifact, loaded)
        return run_command(engine, loaded, prepared, artifact, capabilities, output)

    def instantiate(
        self,
        artifact: Artifact,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> Instance:
        from wasm_lab.runtimes.wasmtime.instance import WasmtimeInstance

        self.check(capabilities, audit=audit)
        engine = guest_engine(fuel=capabilities.fuel is not None)
        loaded = engine.load(artifact)
        prepared = engine.prepare(artifact, loaded)
        return WasmtimeInstance(engine, loaded, prepared, artifact, capabilities, output)
