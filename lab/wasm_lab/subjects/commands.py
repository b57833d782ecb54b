"""The subjects of one command: any WASI 0.1 program, with what it is granted, in each engine.

A run is a fresh instance whose ``_start`` is timed alone. A native program has no instance to start
in: its process is its instance, so RUN is there the same as PROCESS.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.capabilities import Capabilities
from wasm_lab.errors import ProbeError, UnsupportedError, UsageError
from wasm_lab.measure.subject import Answer
from wasm_lab.run import Phase
from wasm_lab.source import LANGUAGE_NAMES
from wasm_lab.subjects import wasmedge
from wasm_lab.subjects.available import GUARDS, require, version
from wasm_lab.subjects.base import (
    DEADLINE_S,
    BaseProbe,
    BaseSubject,
    Files,
    python_worker,
    worker_channel,
)
from wasm_lab.subjects.functions import native_program, node_command, node_program
from wasm_lab.subjects.granting import capabilities_to
from wasm_lab.subjects.modules import check_command
from wasm_lab.subjects.serving import clock_step_ns
from wasm_lab.subjects.talking import HOSTED, whole_process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.artifact import Artifact
    from wasm_lab.measure.subject import Subject

_WASMTIME = frozenset({Phase.COMPILE, Phase.LOAD, Phase.INSTANTIATE, Phase.RUN, Phase.TEARDOWN})
_NODE = frozenset({Phase.COMPILE, Phase.INSTANTIATE, Phase.RUN, Phase.PROCESS})
_WASMER = frozenset({Phase.RUN})
_PROCESS = frozenset({Phase.PROCESS})
_NATIVE = frozenset({Phase.RUN, Phase.PROCESS})

_UNENFORCED = ("hosts", "fuel", "clock", "random", "output_bytes")

#: What each place cannot enforce here, of the fields of Capabilities.
_CANNOT = {
    "wasmtime": ("hosts", "fuel"),
    "wasmer": (*_UNENFORCED, "program", "memory_bytes", "read-only folders"),
    "wasmedge": (*_UNENFORCED, "program"),
    "wasmedge-aot": (*_UNENFORCED, "program"),
    "node": (*_UNENFORCED, "memory_bytes", "read-only folders"),
    "native": (*_UNENFORCED, "program", "memory_bytes", "read-only folders"),
}


@dataclass(frozen=True, kw_only=True)
class CommandSubject(BaseSubject):
    """A command with its capabilities."""

    artifact: Artifact
    capabilities: Capabilities
    command: tuple[str, ...]  #: of the worker, or of the program itself

    @property
    def run_deadline_s(self) -> float:
        """Seconds for one run: the capabilities' own deadline, where they have one."""
        return self.capabilities.deadline_s or self.deadline_s


@dataclass(frozen=True, kw_only=True)
class HostedCommand(CommandSubject):
    """In a worker that makes instances of it."""

    keeps_instances: bool = True  #: whether the engine can hold instances in which nothing runs

    def start(self) -> CommandProbe:
        wasm = self.files.write("command.wasm", self.artifact.wasm)
        settings = {
            "wasm": str(wasm),
            "label": self.artifact.label,
            "guards": self.guards,
            "capabilities": capabilities_to(self.capabilities),
        }
        return CommandProbe(self, worker_channel(self, list(self.command), settings))

    def once(self) -> tuple[str, ...]:
        """The command line of one process that runs it once."""
        settings = {
            "wasm": str(self.files.write("command.wasm", self.artifact.wasm)),
            "label": self.artifact.label,
            "capabilities": capabilities_to(self.capabilities),
        }
        # Without the launcher that ties workers to this process, whose own start would be timed.
        return (*node_program(), str(self.files.write("once.json", json.dumps(settings).encode())))


class CommandProbe(BaseProbe):
    """A worker with the module loaded."""

    subject: HostedCommand
    _memory = 0  #: linear memory at the end of the last run, in bytes

    def _elapsed(self, phase: Phase, count: int) -> int:
        if phase is Phase.PROCESS:
            stdin = self.subject.files.write("stdin", self.subject.capabilities.stdin or b"")
            command, what = self.subject.once(), self.subject.what
            return sum(
                whole_process(command, stdin, what, self.subject.run_deadline_s, statuses=True)[0]
                for _ in range(count)
            )
        if phase is not Phase.RUN:
            return int(self.channel.ask(f"{HOSTED[phase]} {count}")[1])
        # One more, since an engine may run it once before the clock starts.
        deadline_s = self.subject.run_deadline_s * (count + 1)
        answered = self.channel.ask(f"run {count}", deadline_s=deadline_s)
        self._memory = int(answered[2])
        return int(answered[1])

    def answer(self) -> Answer:
        answered = self.channel.ask("outcome", deadline_s=self.subject.run_deadline_s)
        status, size = int(answered[1]), int(answered[2])
        self._memory = int(answered[3])
        return Answer(stdout=self.channel.payload(size), exit_status=status)

    def _own_sizes(self) -> dict[str, int]:
        if not self.subject.keeps_instances:  # nor does it tell of their memory
            return {"module": self.subject.artifact.size_bytes}
        start = int(self.channel.ask("memory")[1])
        sizes = {"linear memory at start": start, "linear memory": max(start, self._memory)}
        return {"module": self.subject.artifact.size_bytes, **sizes}

    def idle(self, count: int) -> None:
        if self.subject.keeps_instances:
            self.channel.ask(f"keep {count}")
        else:
            super().idle(count)


@dataclass(frozen=True, kw_only=True)
class ProcessCommand(CommandSubject):
    """A process for each run: WasmEdge's, or the same Rust as a program of this machine.

    A native program is not confined: it may touch what its user may.
    """

    compiling: tuple[str, ...] = ()  #: the command line that compiles the module ahead of time

    def start(self) -> ProcessProbe:
        return ProcessProbe(self)

    def surroundings(self) -> dict[str, Any]:
        """The environment and the folder that it runs in.

        Raises:
            UnsupportedError: a native program cannot be given a folder under the name asked for.
        """
        if self.place != "native":
            return {}
        folder = self.files.folder("native")
        for each in self.capabilities.dirs:
            link, host = Path(folder, each.guest), each.host.absolute()
            if each.guest == ".":
                folder = host
            elif Path(each.guest).is_absolute():
                if Path(each.guest) != host:
                    raise UnsupportedError(
                        f"A native program cannot be given {host} under the name {each.guest}.",
                        hint="Choose a relative name for the guest, or leave native out.",
                    )
            elif not link.is_symlink():
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(host)
        return {"env": self.capabilities.env, "cwd": str(folder)}


class ProcessProbe(BaseProbe):
    """Each run is a process of its own, and none is kept; ``pid`` is therefore that of the lab."""

    subject: ProcessCommand

    def __init__(self, subject: ProcessCommand) -> None:
        self.subject = subject
        self._step_ns = None
        self._surroundings = subject.surroundings()
        self._stdin = subject.files.write("stdin", subject.capabilities.stdin or b"")

    @property
    def pid(self) -> int:
        return os.getpid()

    def _step(self) -> int:
        return clock_step_ns()

    def _run(self) -> tuple[int, Answer]:
        """The nanoseconds of one run, its output going to a file, and what it answered."""
        subject = self.subject
        with tempfile.TemporaryFile() as output:
            elapsed, status = whole_process(
                subject.command,
                self._stdin,
                subject.what,
                subject.run_deadline_s,
                stdout=output,
                statuses=True,
                **self._surroundings,
            )
            output.seek(0)
            stdout = output.read()
        why = "" if subject.place == "native" else wasmedge.stopped(status, stdout)
        if why:
            raise ProbeError(f"{subject.what}: the engine stopped it: {why}.")
        return elapsed, Answer(stdout=stdout, exit_status=status)

    def _elapsed(self, phase: Phase, count: int) -> int:
        if phase is Phase.COMPILE:
            subject = self.subject
            command, what = subject.compiling, subject.what
            return sum(whole_process(command, self._stdin, what, subject.deadline_s)[0] for _ in range(count))
        return sum(self._run()[0] for _ in range(count))

    def answer(self) -> Answer:
        return self._run()[1]

    def weigh(self) -> dict[str, int]:
        """The size of the file; nothing runs that could be weighed."""
        if self.subject.place == "native":
            return {"program": Path(self.subject.command[0]).stat().st_size}
        return {"module": self.subject.artifact.size_bytes}

    def idle(self, count: int) -> None:
        raise UnsupportedError(
            f"{self.subject.name} keeps no process of a program between two runs.",
            hint="Compare idle instances with wasmtime and node, or those of a function.",
        )

    def close(self) -> None:
        pass


def command_subjects(
    artifact: Artifact,
    capabilities: Capabilities,
    *,
    places: Sequence[str],
    guards: str = "none",
    deadline_s: float = DEADLINE_S,
) -> list[Subject]:
    """A command in each of ``places``, ready to be timed with what it is granted.

    Measured code has no guards but those asked for, so a deadline is kept by killing the process.

    Args:
        artifact: a WASI 0.1 command. ``native`` needs the Rust source that it was built from.
        capabilities: arguments, variables, folders and input, the same for all.
        guards: as for `function_subjects`.
        deadline_s: seconds that one order to a probe may take; for a run, those of ``capabilities``.

    Raises:
        UsageError: there is no such place, or standard input is to be passed on.
        UnsupportedError: a place is not usable here, or cannot enforce a capability.
        LoadError: the artifact is no command.

    Example:
        >>> from wasm_lab.build import build
        >>> from wasm_lab.source import Kind, Source
        >>> hello = build(Source(code='fn main() { print!("hi") }', kind=Kind.PROGRAM))
        >>> [subject] = command_subjects(hello, Capabilities(), places=["wasmtime"])
        >>> subject.answer()
        Answer(value=None, stdout=b'hi', exit_status=0)
    """
    if guards not in GUARDS:
        raise UsageError(f"{guards!r} is no kind of guards.", hint=f"Guards: {', '.join(GUARDS)}.")
    if capabilities.stdin is None:
        raise UsageError(
            "A measured program runs many times, and standard input can be read once.",
            hint="Give its input as bytes or as a file.",
        )
    check_command(artifact)
    shared: dict[str, Any] = {
        "workload": artifact.label,
        "input": " ".join(capabilities.args),
        "language": artifact.source.language if artifact.source else "",
        "deadline_s": deadline_s,
        "files": Files(),
        "artifact": artifact,
        "capabilities": replace(capabilities, inherit_output=False),
    }
    return [_subject(place, guards, shared) for place in places]


def _subject(place: str, guards: str, shared: dict[str, Any]) -> Subject:
    artifact, granted, files = shared["artifact"], shared["capabilities"], shared["files"]
    require(place)
    if place not in _CANNOT:
        raise UsageError(f"{place} runs no programs.", hint=f"Those that do: {', '.join(_CANNOT)}.")
    _refuse(place, granted)
    common = {**shared, "place": place, "runtime": place, "version": version(place)}
    if place == "wasmtime":
        command = tuple(python_worker("wasmtime_worker"))
        return HostedCommand(**common, guards=guards, phases=_WASMTIME, command=command)
    if place == "wasmer":
        command = tuple(python_worker("wasmer_worker"))
        return HostedCommand(**common, phases=_WASMER, command=command, keeps_instances=False)
    if place == "node":
        return HostedCommand(**common, phases=_NODE, command=tuple(node_command()))
    if place in ("wasmedge", "wasmedge-aot"):
        command = wasmedge.run_command(wasmedge.module_file(place, artifact, files), granted)
        if place == "wasmedge":
            return ProcessCommand(**common, phases=_PROCESS, command=command)
        compiling = wasmedge.compile_command(artifact, files)
        return ProcessCommand(
            **common, phases=_PROCESS | {Phase.COMPILE}, command=command, compiling=compiling
        )
    if artifact.source is None:
        raise UnsupportedError(
            f"{artifact.label} was made elsewhere: without its source there is no native program of it.",
            hint="Leave native out, or build it here from source.",
        )
    if artifact.source.language != "rust":
        raise UnsupportedError(
            f"{artifact.label} is in {LANGUAGE_NAMES[artifact.source.language]}, and only Rust is built for this "
            "machine too.",
            hint="Leave native out.",
        )
    program = files.write("program", native_program(artifact.source))
    program.chmod(0o700)
    return ProcessCommand(**common, phases=_NATIVE, command=(str(program), *granted.args))


def _refuse(place: str, granted: Capabilities) -> None:
    default = Capabilities()
    for name in _CANNOT[place]:
        if name == "read-only folders":
            asked = any(not each.writable for each in granted.dirs)
        else:
            asked = getattr(granted, name) != getattr(default, name)
        if asked:
            raise UnsupportedError(
                f"{place} cannot enforce {name} while it is timed, so it does not run this.",
                hint="Choose other places, or leave that option out.",
            )
