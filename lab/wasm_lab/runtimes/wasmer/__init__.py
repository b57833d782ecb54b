"""The wasmer runtime: PyPI ``wasmer-sdk`` in a warm worker process.

The package cannot stop a busy guest and bounds neither memory nor output. So each guest runs in a
worker that is killed, and replaced, when the guest is to be stopped (see `workers`). How a guest is
kept to its capabilities, and what differs from wasmtime:

- args, env, stdin: passed on by the package. Argument 0 is a file name: where no name was asked for, other
  characters of the label become ``-``.
- dirs: copied in, and back where that is possible; `folders` says exactly what is done. No file of the host
  is ever open to the guest. Where nothing is granted it sees a file tree of its own in memory, in which
  reading finds no file, and what it writes is dropped when it ends.
- memory: the module's memories get a maximum before it is compiled (`memory`), and the worker RLIMIT_DATA.
- deadline, output: the worker is killed. Time counts from when the package is told to start the command, so
  that compiling a module for the first time is in it.
- exit status: the package tells the lower 8 bits, as Unix does for processes.
- clock and randomness are real. They cannot be frozen, seeded or refused; there is no fuel, no audit, and no
  network for WASI 0.1.

Compiling, making the instance and running cannot be told apart, so ``Phase.RUN`` is all of it.
"""

from __future__ import annotations

import functools
import os
import re
import sys
import time
from importlib import util
from typing import TYPE_CHECKING

from wasm_lab.errors import LoadError, UnsupportedError, UsageError
from wasm_lab.run import Phase, Run, TrapInfo, TrapKind
from wasm_lab.runtimes.base import Enforcement, Instance, Runtime
from wasm_lab.runtimes.workers.modules import sent
from wasm_lab.runtimes.workers.process import Worker, WorkerEnded
from wasm_lab.runtimes.workers.standard import inherited

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.build.cache import Cache
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.runtimes.base import OutputSink
    from wasm_lab.runtimes.wasmer.request import Outcome
    from wasm_lab.runtimes.workers.pool import Pool

GUEST = "wasm_lab.runtimes.wasmer.guest"

#: What the package takes as the name of a command.
_NAME = re.compile(r"[A-Za-z0-9._+-]+")

_GET = (
    "Get it with: pip install 'wasm-lab[wasmer]'. It has wheels for Linux with glibc "
    "(2.35 or later on x86-64, 2.34 or later on ARM64) and for macOS."
)


class WasmerRuntime(Runtime):
    """Runs WASI 0.1 commands in Wasmer."""

    name = "wasmer"

    @property
    def version(self) -> str:
        return _version()

    def missing(self) -> str:
        if sys.platform == "win32":
            return "It has no wheel for Windows. Use wasmtime."
        return "" if _found() else f"The Python package wasmer-sdk is not installed. {_GET}"

    def enforces(self) -> dict[str, Enforcement]:
        return dict(_ENFORCES)

    def check(self, capabilities: Capabilities, *, audit: bool = False) -> None:
        from wasm_lab.runtimes.wasmer import folders

        super().check(capabilities, audit=audit)
        folders.check(capabilities.dirs)
        program = capabilities.program
        if program and (not _NAME.fullmatch(program) or program in (".", "..")):
            raise UnsupportedError(
                f"wasmer cannot call a program {program!r}: only letters of ASCII, digits and -_.+ may be in its name.",
                hint="Choose another --argv0, or another runtime.",
            )
        for text in (*capabilities.args, *capabilities.env, *capabilities.env.values()):
            if "\0" in text:
                raise UsageError(f"{text!r} has a zero character in it, which WASI cannot pass on.")
            try:
                text.encode()
            except UnicodeEncodeError:
                raise UsageError(f"{text!r} is not valid Unicode, and WASI passes on only that.") from None

    def run(
        self,
        artifact: Artifact,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> Run:
        self.check(capabilities, audit=audit)
        if artifact.is_component:
            raise LoadError(
                f"{artifact.label} is a component for WASI 0.2, and wasmer runs modules for WASI 0.1.",
                hint="Build it for wasm32-wasip1, or run it in wasmtime.",
            )
        received = _Received(capabilities, output)
        try:
            with _pool().worker() as worker:
                ended = _ask(worker, artifact, capabilities, received)
                if ended.retire:
                    worker.kill()
            return self._finished(artifact, received, ended)
        except _Stopped as stopped:
            return self._stopped(artifact, received, stopped.kind, stopped.kind.value)
        except WorkerEnded as ended_early:
            text = f"the engine's process {ended_early.how}"
            lines = ended_early.said.splitlines()
            kind = TrapKind.OTHER
            if any(line.startswith("memory allocation of ") for line in lines):
                kind = TrapKind.ALLOCATION  # Rust's own words, in the engine this time
            if lines:
                text = f"{text}: {lines[-1]}"
            return self._stopped(artifact, received, kind, text)

    def instantiate(
        self,
        artifact: Artifact,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> Instance:
        del capabilities, audit, output
        raise UnsupportedError(
            f"wasmer runs whole programs here, and {artifact.label} is to be called function by function: "
            "its Python package has no way to call an exported function.",
            hint="wasmtime can do that. To compare functions among runtimes, use %wasm_bench.",
        )

    def _finished(self, artifact: Artifact, received: _Received, ended: Outcome) -> Run:
        return Run(
            label=artifact.label,
            runtime=self.name,
            runtime_version=self.version,
            exit_status=ended.exit_status,
            trap=ended.trap,
            stdout=bytes(received.kept["stdout"]),
            stderr=bytes(received.kept["stderr"]),
            phases_ns={Phase.RUN: ended.run_ns},
            module_sha256=artifact.sha256,
            code_cached=ended.seen,
        )

    def _stopped(self, artifact: Artifact, received: _Received, kind: TrapKind, message: str) -> Run:
        return Run(
            label=artifact.label,
            runtime=self.name,
            runtime_version=self.version,
            exit_status=None,
            trap=TrapInfo(kind=kind, message=message),
            stdout=bytes(received.kept["stdout"]),
            stderr=bytes(received.kept["stderr"]),
            phases_ns={Phase.RUN: received.elapsed_ns} if received.started_ns else {},
            module_sha256=artifact.sha256,
        )


class _Stopped(Exception):
    """A limit was passed: the worker is to be killed."""

    def __init__(self, kind: TrapKind) -> None:
        super().__init__(kind.value)
        self.kind = kind


class _Received:
    """The output of one run as it comes, up to its limit, and the time since the run began."""

    def __init__(self, capabilities: Capabilities, sink: OutputSink | None) -> None:
        self.kept = {"stdout": bytearray(), "stderr": bytearray()}
        self.started_ns = 0
        self._sink = sink
        self._deadline_s = capabilities.deadline_s
        self._inherited = capabilities.inherit_output
        self._room = None if capabilities.inherit_output else capabilities.output_bytes

    @property
    def elapsed_ns(self) -> int:
        return time.perf_counter_ns() - self.started_ns

    def begin(self) -> float | None:
        """The guest's time begins; when it ends, on the monotonic clock."""
        self.started_ns = time.perf_counter_ns()
        return None if self._deadline_s is None else time.monotonic() + self._deadline_s

    def take(self, pieces: list[tuple[str, bytes]]) -> None:
        """Keep or pass on what came. Raises _Stopped when it is more than there may be."""
        for stream, data in pieces:
            self._take(stream, data)

    def _take(self, stream: str, data: bytes) -> None:
        if self._inherited:
            _write_all(1 if stream == "stdout" else 2, data)
            return
        part = data if self._room is None else data[: self._room]
        self.kept[stream] += part
        if part and self._sink is not None:
            self._sink(stream, part)
        if self._room is not None:
            self._room -= len(part)
            if len(part) < len(data):
                raise _Stopped(TrapKind.OUTPUT)


def _ask(worker: Worker, artifact: Artifact, capabilities: Capabilities, received: _Received) -> Outcome:
    """Have the worker run it, until it has or the deadline has passed (then _Stopped is raised)."""
    from wasm_lab.runtimes.wasmer.request import Command

    module = sent(worker, artifact)
    command = Command(
        module=module,
        capabilities=capabilities,
        program=capabilities.program or _file_name(artifact.label),
        cache=_cache_folder(),
        announce=bool(capabilities.dirs) or module.wasm is not None,
    )
    worker.ask(command, tuple(number for number in inherited(capabilities) if number == 0))
    until = None if command.announce else received.begin()
    while True:
        try:
            message = worker.next(None if until is None else max(0.0, until - time.monotonic()))
        except TimeoutError:
            raise _Stopped(TrapKind.DEADLINE) from None
        match message[0]:
            case "starting":
                until = received.begin()
            case "output":
                received.take(message[1])
            case _:
                outcome: Outcome = message[1]
                received.take(outcome.output)
                return outcome


def _file_name(label: str) -> str:
    """The label as the package takes it for a command's name."""
    name = "-".join(_NAME.findall(label))
    return "program" if name in ("", ".", "..") else name


def _cache_folder() -> str:
    """Where the package keeps machine code: in the lab's cache, which bounds it."""
    from wasm_lab.build.cache import default_cache

    return _cache_folder_in(default_cache())


@functools.lru_cache(maxsize=4)
def _cache_folder_in(cache: Cache) -> str:
    return str(cache.folder("wasmer", _version().replace(".", "-")))


def _found() -> bool:
    global _is_there  # noqa: PLW0603 - what was found stays; what was not may be installed meanwhile
    _is_there = _is_there or util.find_spec("wasmer_sdk") is not None
    return _is_there


_is_there = False


def _write_all(number: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(number, view) :]


@functools.cache
def _version() -> str:
    from importlib import metadata

    return metadata.version("wasmer-sdk")


@functools.cache
def _pool() -> Pool:
    from wasm_lab.runtimes.workers.pool import Pool

    return Pool(GUEST, "wasmer")


#: Fields of Capabilities, and ``audit``, and how a guest is kept to them here (see the module's text).
_ENFORCES = {
    **dict.fromkeys(
        "args program env stdin dirs memory_bytes deadline_s output_bytes inherit_output".split(),
        Enforcement.NATIVE,
    ),
    **dict.fromkeys("clock frozen_ns random seed fuel hosts audit".split(), Enforcement.NO),
}
