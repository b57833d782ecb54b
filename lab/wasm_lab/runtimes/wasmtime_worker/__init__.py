"""The wasmtime runtime in a warm worker process, so that processes are compared with processes.

A guest is kept to its capabilities as in the in-process runtime, by the same code. What differs:
a crash of the engine ends the worker and not this process; Ctrl-C kills the worker at once,
whatever it is doing; output passes through a socket.
"""

from __future__ import annotations

import functools
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from wasm_lab.run import Run, TrapInfo, TrapKind
from wasm_lab.runtimes.base import Enforcement, Instance, Runtime
from wasm_lab.runtimes.workers.modules import sent
from wasm_lab.runtimes.workers.process import WorkerEnded
from wasm_lab.runtimes.workers.standard import inherited

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.runtimes.base import OutputSink
    from wasm_lab.runtimes.workers.pool import Pool

GUEST = "wasm_lab.runtimes.wasmtime_worker.guest"


class WasmtimeWorkerRuntime(Runtime):
    """Runs WASI 0.1 modules and WASI 0.2 commands by PyPI ``wasmtime`` in a process beside this one."""

    name = "wasmtime-worker"

    @property
    def version(self) -> str:
        from wasm_lab.runtimes.wasmtime.engine import version

        return version()

    def missing(self) -> str:
        if sys.platform == "win32":
            return "Worker processes need sockets that pass on open files, which Windows lacks. Use wasmtime."
        return ""

    def enforces(self) -> dict[str, Enforcement]:
        from wasm_lab.runtimes.wasmtime import WasmtimeRuntime

        return WasmtimeRuntime().enforces()

    def run(
        self,
        artifact: Artifact,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> Run:
        from wasm_lab.runtimes.wasmtime_worker.guest import Command

        self.check(capabilities, audit=audit)
        pieces: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
        try:
            with _pool().worker() as worker:
                standard = inherited(capabilities)
                worker.ask(
                    Command(
                        module=sent(worker, artifact),
                        capabilities=capabilities,
                        audit=audit,
                        stream=output is not None,
                        standard=standard,
                    ),
                    standard,
                )
                while (message := worker.next())[0] == "output":
                    _, stream, data = message
                    pieces[stream].append(data)
                    assert output is not None
                    output(stream, data)
        except WorkerEnded as ended:
            return self._crashed(artifact, ended, pieces)
        return replace(cast("Run", message[1]), runtime=self.name)

    def _crashed(self, artifact: Artifact, ended: WorkerEnded, pieces: dict[str, list[bytes]]) -> Run:
        said = f": {ended.said.splitlines()[-1]}" if ended.said else ""
        return Run(
            label=artifact.label,
            runtime=self.name,
            runtime_version=self.version,
            exit_status=None,
            trap=TrapInfo(kind=TrapKind.OTHER, message=f"the engine's process {ended.how}{said}"),
            stdout=b"".join(pieces["stdout"]),
            stderr=b"".join(pieces["stderr"]),
            module_sha256=artifact.sha256,
        )

    def instantiate(
        self,
        artifact: Artifact,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> Instance:
        from wasm_lab.runtimes.wasmtime_worker.instance import WorkerInstance

        self.check(capabilities, audit=audit)
        return WorkerInstance(artifact, capabilities, audit=audit, output=output)


@functools.cache
def _pool() -> Pool:
    from wasm_lab.runtimes.workers.pool import Pool

    return Pool(GUEST, "wasmtime-worker")
