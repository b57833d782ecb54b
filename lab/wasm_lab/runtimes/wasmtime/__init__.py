"""The wasmtime runtime: modules in this process, guarded by epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.errors import LoadError, UnsupportedError
from wasm_lab.runtimes.base import Enforcement, Instance, Runtime
from wasm_lab.runtimes.wasmtime.engine import guest_engine, version
from wasm_lab.runtimes.wasmtime.host import answered_here
from wasm_lab.runtimes.wasmtime.interrupts import held
from wasm_lab.runtimes.wasmtime.sandbox import Sandbox

if TYPE_CHECKING:
    import wasmtime

    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.run import Run
    from wasm_lab.runtimes.base import OutputSink
    from wasm_lab.runtimes.wasmtime.engine import GuestEngine, Loaded
    from wasm_lab.runtimes.wasmtime.linked import Linked


class WasmtimeRuntime(Runtime):
    """Runs WASI 0.1 modules and WASI 0.2 commands in this process, through PyPI ``wasmtime``."""

    name = "wasmtime"
    links_modules = True

    @property
    def version(self) -> str:
        return version()

    def enforces(self) -> dict[str, Enforcement]:
        return dict(_ENFORCES)

    def run(
        self,
        artifact: Artifact,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> Run:
        self.check(capabilities, audit=audit)
        with held:
            if artifact.is_component:
                return self._run_component(artifact, capabilities, audit=audit, output=output)
            from wasm_lab.runtimes.wasmtime.command import run_command

            engine = guest_engine(fuel=capabilities.fuel is not None)
            loaded, prepared = _prepared(engine, artifact, answered_here(capabilities, audit=audit))
            if "_start" not in loaded.exports:
                exports = ", ".join(loaded.exports) or "nothing"
                raise LoadError(
                    f"{artifact.label} is a library, not a program: it has no _start, but exports {exports}.",
                    hint="Its functions can be called: with --invoke NAME, or on an instance in Python.",
                )
            return run_command(
                Sandbox(engine, artifact, loaded, capabilities, audit=audit, output=output),
                artifact,
                loaded,
                prepared,
            )

    def instantiate(
        self,
        artifact: Artifact,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> Instance:
        self.check(capabilities, audit=audit)
        if artifact.is_component:
            raise UnsupportedError(
                f"{artifact.label} is a component, and only the functions of a module are called this way.",
                hint="Call it through wasm_lab.components: Component.load(...).instantiate().",
            )
        with held:
            from wasm_lab.runtimes.wasmtime.instance import WasmtimeInstance

            engine = guest_engine(fuel=capabilities.fuel is not None)
            loaded, prepared = _prepared(engine, artifact, answered_here(capabilities, audit=audit))
            sandbox = Sandbox(engine, artifact, loaded, capabilities, audit=audit, output=output)
            return WasmtimeInstance(sandbox, artifact, loaded, prepared)

    @staticmethod
    def _run_component(
        artifact: Artifact, capabilities: Capabilities, *, audit: bool, output: OutputSink | None
    ) -> Run:
        from wasm_lab.runtimes.wasmtime.components import check_component, run_component

        if audit:
            raise UnsupportedError(
                "The audit lists the calls of WASI 0.1, and this is a component for WASI 0.2.",
                hint="Build it for wasm32-wasip1 to audit it, or leave the audit out.",
            )
        engine = guest_engine(fuel=capabilities.fuel is not None)
        loaded = engine.load(artifact)
        check_component(artifact, loaded)
        sandbox = Sandbox(engine, artifact, loaded, capabilities, audit=False, output=output)
        return run_component(sandbox, artifact, loaded, engine)


def _prepared(
    engine: GuestEngine, artifact: Artifact, answered: frozenset[str]
) -> tuple[Loaded, wasmtime.InstancePre | Linked]:
    """A module in the engine with its imports resolved: by WASI, and by other cells where it uses some."""
    loaded = engine.load(artifact)
    if not artifact.libraries:
        return loaded, engine.prepare(artifact, loaded, answered)
    from wasm_lab.runtimes.wasmtime.linked import Linked

    linked = Linked(engine, artifact, loaded, answered)
    return loaded._replace(memories=linked.memories), linked


#: Fields of Capabilities, and ``audit``, and how this room keeps a guest to them.
_ENFORCES = {
    **dict.fromkeys(
        (
            "args program env stdin dirs clock frozen_ns random seed memory_bytes fuel deadline_s output_bytes "
            "inherit_output audit"
        ).split(),
        Enforcement.NATIVE,
    ),
    "hosts": Enforcement.NO,
}
