"""The native runtime: the same Rust as a program of this machine, the yardstick of what Wasm costs.

It is a process, not a sandbox. Landlock closes files and TCP to it where the kernel has that; a
limit ends it when it takes too much time, memory or output. It sees the real clock, the machine's
randomness, and UDP.
"""

from __future__ import annotations

import errno
import functools
import os
import signal
import sys
import time
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.confine.landlock import landlock_version
from wasm_lab.confine.process import Bounds, run_confined
from wasm_lab.errors import LoadError, ToolchainError, UnsupportedError
from wasm_lab.run import Phase, Run, TrapInfo, TrapKind
from wasm_lab.runtimes.aborts import rust_abort
from wasm_lab.runtimes.base import Enforcement
from wasm_lab.runtimes.processes import (
    ProcessRuntime,
    enforced,
    kept_file,
    openings_for,
    scratch_folder,
    stopped,
)
from wasm_lab.source import Kind, Source, Target

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.confine.process import Ended
    from wasm_lab.runtimes.base import OutputSink

#: Signals by which the processor or the system ends a program, as the traps that they amount to.
_SIGNALS = {
    "SIGABRT": TrapKind.UNREACHABLE,
    "SIGILL": TrapKind.UNREACHABLE,
    "SIGTRAP": TrapKind.UNREACHABLE,
    "SIGSEGV": TrapKind.OUT_OF_BOUNDS,
    "SIGBUS": TrapKind.OUT_OF_BOUNDS,
    "SIGFPE": TrapKind.DIVIDE_BY_ZERO,
}

#: What Rust's library says when its guard page below the stack was touched.
_STACK = "has overflowed its stack"

_LINUX = sys.platform.startswith("linux")


class NativeRuntime(ProcessRuntime):
    """Builds the Source of an artifact for this machine and runs it in a process of its own."""

    name = "native"

    @property
    def version(self) -> str:
        return _compiler_version()

    def missing(self) -> str:
        if os.name == "nt":
            return "Native programs are run on Linux and macOS alone."
        return _missing()

    def enforces(self) -> dict[str, Enforcement]:
        walls = Enforcement.WALL if landlock_version() else Enforcement.NO
        memory = Enforcement.WALL if _LINUX else Enforcement.NO
        unenforced = "hosts clock frozen_ns random seed fuel audit"
        return enforced(
            "args program env stdin deadline_s output_bytes inherit_output",
            dirs=walls,
            memory_bytes=memory,
            **dict.fromkeys(unenforced.split(), Enforcement.NO),
        )

    def check(self, capabilities: Capabilities, *, audit: bool = False) -> None:
        super().check(capabilities, audit=audit)
        for each in capabilities.dirs:
            if Path(each.guest).absolute() != each.host.absolute():
                raise UnsupportedError(
                    f"A native program sees {each.host} under that name alone, not as {each.guest}.",
                    hint=f"Open it as {each.host}::{each.host}, or choose another runtime.",
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
        if artifact.source is None:
            raise LoadError(
                f"{artifact.label} is a finished module; the native runtime builds Rust for this machine.",
                hint="Give it the Rust source, or choose another runtime.",
            )
        if artifact.source.target is not Target.WASIP1:  # the default, which every source has
            raise UnsupportedError(
                f"The native runtime builds for this machine; the target {artifact.source.target.value} "
                "has no meaning there.",
                hint="Leave out --target, or run the component in wasmtime.",
            )
        from wasm_lab.build import build_for_host

        started = time.perf_counter_ns()
        built = build_for_host(artifact.source)
        compiled_ns = time.perf_counter_ns() - started
        program = kept_file(f"{built.sha256}/program", built.executable, mode=0o700)
        relative = any(not Path(each.guest).is_absolute() for each in capabilities.dirs)
        ended = _run(
            [*_launched(capabilities, program), capabilities.program or artifact.label, *capabilities.args],
            bounds=Bounds(
                openings=openings_for(capabilities, program, _launcher()),
                deadline_s=capabilities.deadline_s,
                output_bytes=capabilities.output_bytes,
            ),
            env=capabilities.env,
            cwd=Path.cwd() if relative else _empty_folder(),
            stdin=capabilities.stdin,
            inherit_output=capabilities.inherit_output,
            on_output=output,
        )
        trap = _trap(ended)
        phases = {} if built.cached else {Phase.COMPILE: compiled_ns}
        return Run(
            label=artifact.label,
            runtime=self.name,
            runtime_version=self.version,
            exit_status=None if trap else ended.status,
            trap=trap,
            stdout=ended.stdout,
            stderr=b"" if capabilities.inherit_output else ended.stderr,
            phases_ns={**phases, Phase.PROCESS: ended.duration_ns},
            module_sha256=built.sha256,
            code_cached=built.cached,
        )


def _run(command: list[str], **options: object) -> Ended:
    """Run it; a program that was just written may still be open in a child that another thread forks."""
    for _ in range(50):
        try:
            return run_confined(command, **options)  # type: ignore[arg-type]
        except OSError as error:
            if error.errno != errno.ETXTBSY:
                raise
            time.sleep(0.01)
    return run_confined(command, **options)  # type: ignore[arg-type]


def _trap(ended: Ended) -> TrapInfo | None:
    """The trap that the end of a native process amounts to; None when it left by itself."""
    if ended.stop:
        return stopped(ended.stop)
    if ended.status >= 0:
        return None
    name = signal.Signals(-ended.status).name
    said = ended.stderr.decode(errors="replace")
    if _STACK in said:
        return TrapInfo(kind=TrapKind.STACK_OVERFLOW, message=TrapKind.STACK_OVERFLOW.value)
    abort = rust_abort(said) if name == "SIGABRT" else None
    kind, message = abort or (_SIGNALS.get(name, TrapKind.OTHER), f"ended by {name}")
    return TrapInfo(kind=kind, message=message)


def _launched(capabilities: Capabilities, program: Path) -> list[str]:
    limit = capabilities.memory_bytes if _LINUX else None
    return [str(_launcher()), "-" if limit is None else str(limit), str(program)]


@functools.cache
def _launcher() -> Path:
    """The program that limits itself and becomes another."""
    from wasm_lab.build import build_for_host

    text = resources.files("wasm_lab.runtimes").joinpath("launcher.rs").read_text(encoding="utf-8")
    built = build_for_host(Source(code=text, kind=Kind.PROGRAM, name="launcher", label="launcher.rs"))
    return kept_file("launcher", built.executable, mode=0o700)


def _empty_folder() -> Path:
    folder = scratch_folder() / "empty"
    folder.mkdir(exist_ok=True)
    return folder


def _compiler_version() -> str:
    from wasm_lab.toolchains.rust import find_rust

    return find_rust().version.removeprefix("rustc ").partition(" ")[0]


def _missing() -> str:
    from wasm_lab.toolchains.host_linker import for_host
    from wasm_lab.toolchains.rust import find_rust

    try:
        for_host(find_rust())
    except ToolchainError as error:
        return str(error)
    return ""
