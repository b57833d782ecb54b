"""The WasmEdge runtimes: its command line, interpreting modules or compiling them ahead of time.

The interpreter keeps the guest's stack on the heap and has no bound for it; so the process gets one
for all of its memory.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.capabilities import MIB
from wasm_lab.confine.process import Bounds, run_confined
from wasm_lab.errors import LoadError, UnsupportedError
from wasm_lab.run import Phase, Run, TrapInfo, TrapKind
from wasm_lab.runtimes.aborts import rust_abort
from wasm_lab.runtimes.base import Enforcement
from wasm_lab.runtimes.processes import (
    ProcessRuntime,
    enforced,
    kept_file,
    openings_for,
    refuse_components,
    scratch_folder,
    stopped,
)
from wasm_lab.runtimes.wasmedge.aot import compiled
from wasm_lab.runtimes.wasmedge.log import LogFilter
from wasm_lab.toolchains.wasmedge import find_wasmedge, wasmedge_missing

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.confine.process import Ended
    from wasm_lab.runtimes.base import OutputSink

PAGE_BYTES = 65536

#: What 32-bit addresses reach, for a guest without a limit.
MOST_BYTES = 4096 * MIB

#: What the engine itself may take beside the guest's linear memory, its interpreter's stack included.
ENGINE_BYTES = 256 * MIB

#: What WasmEdge calls each trap (``include/common/enum.inc``), and what that amounts to.
_TRAPS = {
    "unreachable": TrapKind.UNREACHABLE,
    "out of bounds memory access": TrapKind.OUT_OF_BOUNDS,
    "integer divide by zero": TrapKind.DIVIDE_BY_ZERO,
    "integer overflow": TrapKind.INTEGER_OVERFLOW,
    "invalid conversion to integer": TrapKind.BAD_CONVERSION,
    "out of bounds table access": TrapKind.TABLE,
    "undefined element": TrapKind.TABLE,
    "uninitialized element": TrapKind.INDIRECT_CALL,
    "indirect call type mismatch": TrapKind.INDIRECT_CALL,
    "call stack exhausted": TrapKind.STACK_OVERFLOW,
    "memory limit reached": TrapKind.ALLOCATION,
}

_BAD_ALLOCATION = "std::bad_alloc"

#: Sets limits for itself and becomes another program. Sizes are in KiB (POSIX ``ulimit``).
_LIMITED = 'ulimit -c 0; ulimit -d "$1" || exit 126; shift; exec "$@"'


class WasmEdgeRuntime(ProcessRuntime):
    """Runs WASI 0.1 commands by ``wasmedge run``, which interprets them."""

    name = "wasmedge"

    @property
    def version(self) -> str:
        found = find_wasmedge()
        return found.version if found else ""

    def missing(self) -> str:
        return wasmedge_missing()

    def enforces(self) -> dict[str, Enforcement]:
        unenforced = "program hosts clock frozen_ns random seed fuel audit"
        return enforced(
            "args env stdin dirs memory_bytes deadline_s output_bytes inherit_output",
            **dict.fromkeys(unenforced.split(), Enforcement.NO),
        )

    def check(self, capabilities: Capabilities, *, audit: bool = False) -> None:
        super().check(capabilities, audit=audit)
        for each in capabilities.dirs:
            if ":" in f"{each.guest}{each.host}":
                raise UnsupportedError(
                    f"WasmEdge cannot be given {each.host} as {each.guest}: a colon parts the names in its flag.",
                    hint="Choose a name without a colon, or another runtime.",
                )

    def run(
        self,
        artifact: Artifact,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> Run:
        self.check(capabilities, audit=audit)
        refuse_components(self.name, artifact)
        engine = find_wasmedge()
        assert engine, "check() has refused where there is none"
        started = time.perf_counter_ns()
        data, cached = self._code(artifact)
        prepared_ns = time.perf_counter_ns() - started
        # WasmEdge makes the name of the file argument 0, and lets it end in ``.wasm``.
        name = _plain_name(artifact.label)
        file = kept_file(f"{self.name}-{artifact.sha256}/{name}", data)
        sieve, told = LogFilter(), _Told(capabilities, output)

        def take(stream: str, piece: bytes) -> None:
            told.take(stream, sieve.feed(piece) if stream == "stdout" else piece)

        memory = MOST_BYTES if capabilities.memory_bytes is None else capabilities.memory_bytes
        limited = ["/bin/sh", "-c", _LIMITED, "sh", str((memory + ENGINE_BYTES) // 1024)]
        ended = run_confined(
            [*limited, *engine.run_command(), *_flags(capabilities, memory), "--", name, *capabilities.args],
            bounds=Bounds(
                openings=openings_for(capabilities, engine.program.parent.parent, read=(scratch_folder(),)),
                deadline_s=capabilities.deadline_s,
                output_bytes=capabilities.output_bytes,
            ),
            env={"PATH": os.defpath},  # the engine's own; the guest's variables are flags
            cwd=file.parent,
            stdin=capabilities.stdin,
            on_output=take,
        )
        rest = sieve.finish()
        told.take("stdout", rest)
        trap = self._trap(artifact, ended, sieve)
        phases = {} if cached else {Phase.COMPILE: prepared_ns}
        return Run(
            label=artifact.label,
            runtime=self.name,
            runtime_version=self.version,
            exit_status=None if trap else ended.status,
            trap=trap,
            stdout=told.whole("stdout"),
            stderr=told.whole("stderr"),
            phases_ns={**phases, Phase.PROCESS: ended.duration_ns},
            module_sha256=artifact.sha256,
            code_cached=cached,
        )

    def _code(self, artifact: Artifact) -> tuple[bytes, bool]:
        """What WasmEdge is to run, and whether that was at hand."""
        return artifact.wasm, True

    @staticmethod
    def _trap(artifact: Artifact, ended: Ended, sieve: LogFilter) -> TrapInfo | None:
        """The trap that a run ended with, if any.

        Raises:
            LoadError: the module could not be loaded.
        """
        if ended.stop:
            return stopped(ended.stop)
        if any("Limited" in line for line in sieve.during):
            return TrapInfo(
                kind=TrapKind.ALLOCATION, message="the module declares more memory than it may have"
            )
        said = ended.stderr.decode(errors="replace")
        if ended.status < 0:
            name = signal.Signals(-ended.status).name
            kind = {"SIGSEGV": TrapKind.STACK_OVERFLOW}.get(name, TrapKind.OTHER)
            if _BAD_ALLOCATION in said:
                kind = TrapKind.ALLOCATION
            return TrapInfo(kind=kind, message=f"WasmEdge was ended by {name}")
        if sieve.verdict is None:
            if ended.stderr.startswith(b"A function name is required") and ended.status == 1:
                raise LoadError(f"{artifact.label} is a library, not a program: it has no _start.")
            return None
        stage, message = sieve.verdict
        if stage not in ("execution", "wasmedge runtime", "user defined"):
            raise LoadError(f"{artifact.label} cannot be loaded: {sieve.detail}.")
        kind = _TRAPS.get(message, TrapKind.OTHER)
        if kind is TrapKind.UNREACHABLE:
            kind, message = rust_abort(said) or (kind, message)
        return TrapInfo(kind=kind, message=message if kind is not TrapKind.OTHER else sieve.detail)


class WasmEdgeAotRuntime(WasmEdgeRuntime):
    """The same, of a module that WasmEdge has compiled ahead of time."""

    name = "wasmedge-aot"

    def missing(self) -> str:
        found = find_wasmedge()
        if found and not found.can_compile:
            return f"{found.program} was built without its compiler."
        return wasmedge_missing()

    def _code(self, artifact: Artifact) -> tuple[bytes, bool]:
        engine = find_wasmedge()
        assert engine
        return compiled(artifact, engine)


class _Told:
    """The guest's output, as it was passed on."""

    def __init__(self, capabilities: Capabilities, sink: OutputSink | None) -> None:
        self._inherited = capabilities.inherit_output
        self._sink = sink
        self._parts: dict[str, list[bytes]] = {"stdout": [], "stderr": []}

    def take(self, name: str, data: bytes) -> None:
        if not data:
            return
        if self._inherited:
            with contextlib.suppress(BrokenPipeError):
                _write_all(1 if name == "stdout" else 2, data)
            return
        self._parts[name].append(data)
        if self._sink:
            self._sink(name, data)

    def whole(self, name: str) -> bytes:
        return b"".join(self._parts[name])


def _write_all(number: int, data: bytes) -> None:
    while data:
        data = data[os.write(number, data) :]


def _flags(capabilities: Capabilities, memory_bytes: int) -> list[str]:
    words = ["--memory-page-limit", str(memory_bytes // PAGE_BYTES)]
    for each in capabilities.dirs:
        words += ["--dir", f"{each.guest}:{each.host.resolve()}{'' if each.writable else ':readonly'}"]
    for name, value in capabilities.env.items():
        words += ["--env", f"{name}={value}"]
    return words


def _plain_name(label: str) -> str:
    """The last part of a label, as a file may be called."""
    return Path(label).name.lstrip("-") or "program"
