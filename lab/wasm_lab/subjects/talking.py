"""Probes of the generated harness: inside a worker that hosts it, or as a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import ProbeError
from wasm_lab.measure.subject import Answer
from wasm_lab.run import Phase
from wasm_lab.subjects.base import BaseProbe, BaseSubject, worker_channel
from wasm_lab.subjects.channel import KEPT_STDERR_BYTES, Channel
from wasm_lab.subjects.dying import dying_with_parent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasm_lab.artifact import Artifact
    from wasm_lab.subjects.harness import Harness

#: Phases that a worker which hosts the module does itself.
HOSTED = {
    Phase.COMPILE: "compile",
    Phase.LOAD: "load",
    Phase.INSTANTIATE: "instantiate",
    Phase.TEARDOWN: "teardown",
    Phase.RUN: "run",
}


@dataclass(frozen=True, kw_only=True)
class HarnessSubject(BaseSubject):
    """A Rust function in the generated harness."""

    harness: Harness
    command: tuple[str, ...]  #: of the worker, or of the program itself

    def header(self, mark: str) -> str:
        return f"{mark} {len(self.harness.arguments)}"


@dataclass(frozen=True, kw_only=True)
class HostedSubject(HarnessSubject):
    """The harness as a module in a worker that can make further instances: wasmtime and node."""

    artifact: Artifact
    keeps_instances: bool = True  #: whether the engine can hold instances in which nothing runs

    def start(self) -> HostedProbe:
        wasm = self.files.write("harness.wasm", self.artifact.wasm)
        settings = {"wasm": str(wasm), "label": self.artifact.label, "guards": self.guards}
        return HostedProbe(self, worker_channel(self, list(self.command), settings))


class HarnessProbe(BaseProbe):
    """The orders that the harness itself reads."""

    subject: HarnessSubject

    def _first(self) -> int:
        """The nanoseconds of one call that is the first in its instance."""
        raise NotImplementedError

    def _ready(self, *, called: bool) -> None:
        """Have the harness listen, in an instance that has been called before if so asked."""
        raise NotImplementedError

    def _elapsed(self, phase: Phase, count: int) -> int:
        if phase is Phase.FIRST_CALL:
            return sum(self._first() for _ in range(count))
        self._ready(called=True)
        return self._time(count)

    def _time(self, count: int) -> int:
        return int(self.channel.ask(f"time {count}")[1])

    def _step(self) -> int:
        self._ready(called=False)
        return super()._step()

    def answer(self) -> Answer:
        self._ready(called=False)
        size = int(self.channel.ask("answer")[1])
        return Answer(value=self.subject.harness.decode(self.channel.payload(size)))


class HostedProbe(HarnessProbe):
    """A worker with the module loaded. Its guest listens between `_enter` and `_leave`."""

    subject: HostedSubject

    def __init__(self, subject: HostedSubject, channel: Channel) -> None:
        super().__init__(subject, channel)
        self._inside = self._called = False

    def _enter(self) -> None:
        self.channel.ask("enter")
        self.channel.ask(self.subject.header(self.channel.mark), self.subject.harness.arguments)
        self._inside, self._called = True, False

    def _leave(self) -> None:
        if self._inside:
            self._inside = False
            self.channel.ask("end")

    def _ready(self, *, called: bool) -> None:
        if not self._inside:
            self._enter()
        if called and not self._called:
            self._time(1)
            self._called = True

    def _first(self) -> int:
        self._leave()
        self._enter()
        elapsed = self._time(1)
        self._called = True
        return elapsed

    def _elapsed(self, phase: Phase, count: int) -> int:
        if phase in HOSTED:
            self._leave()
            return int(self.channel.ask(f"{HOSTED[phase]} {count}")[1])
        return super()._elapsed(phase, count)

    def _own_sizes(self) -> dict[str, int]:
        sizes = {"module": self.subject.artifact.size_bytes}
        if self._inside or self.subject.keeps_instances:
            _, start, now = self.channel.ask("memory")
            sizes |= {"linear memory at start": int(start), "linear memory": int(now)}
        return sizes

    def idle(self, count: int) -> None:
        if self.subject.keeps_instances:
            self._leave()
            self.channel.ask(f"keep {count}")
        else:
            super().idle(count)


@dataclass(frozen=True, kw_only=True)
class DirectSubject(HarnessSubject):
    """The harness as a program that is started: native, or by an engine's command line."""

    module: Artifact | None = None  #: what it runs; None for a native program
    compiling: tuple[str, ...] = ()  #: the command line that compiles the module ahead of time

    def start(self) -> DirectProbe:
        return DirectProbe(self)


class DirectProbe(HarnessProbe):
    """The harness in a process of its own; a further first call needs a further process."""

    subject: DirectSubject

    def __init__(self, subject: DirectSubject) -> None:
        super().__init__(subject, self._started(subject))
        self._called = False

    @staticmethod
    def _started(subject: DirectSubject) -> Channel:
        # The native harness sees to its own end; an engine has no such thing.
        command = dying_with_parent(list(subject.command)) if subject.module else subject.command
        channel = Channel(command, what=subject.what, deadline_s=subject.deadline_s)
        try:
            channel.ask(subject.header(channel.mark), subject.harness.arguments)
        except BaseException:
            channel.close()
            raise
        return channel

    def _ready(self, *, called: bool) -> None:
        if called and not self._called:
            self._time(1)
        self._called = self._called or called

    def _first(self) -> int:
        if self._called:
            self.channel.close()
            self.channel = self._started(self.subject)
        self._called = True
        return self._time(1)

    def _elapsed(self, phase: Phase, count: int) -> int:
        what, deadline_s = self.subject.what, self.subject.deadline_s
        if phase is Phase.COMPILE:
            nothing = self.subject.files.write("nothing", b"")
            return sum(
                whole_process(self.subject.compiling, nothing, what, deadline_s)[0] for _ in range(count)
            )
        if phase is not Phase.PROCESS:
            return super()._elapsed(phase, count)
        orders = (
            f"{self.subject.header('mark')}\n".encode() + self.subject.harness.arguments + b"time 1\nend\n"
        )
        stdin = self.subject.files.write("orders", orders)
        return sum(whole_process(self.subject.command, stdin, what, deadline_s)[0] for _ in range(count))

    def _own_sizes(self) -> dict[str, int]:
        _, start, now = self.channel.ask("memory")
        if self.subject.module is None:
            return {"program": Path(self.subject.command[0]).stat().st_size}
        sizes = {"linear memory at start": int(start), "linear memory": int(now)}
        return {"module": self.subject.module.size_bytes, **sizes}


def whole_process(
    command: tuple[str, ...],
    stdin: Path,
    what: str,
    deadline_s: float,
    *,
    stdout: Any = subprocess.DEVNULL,
    statuses: bool = False,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> tuple[int, int]:
    """One process from its start to its end: nanoseconds and exit status.

    Its input is a file, and nothing is read while it runs, so that only the process is timed.

    Raises:
        ProbeError: it cannot be started, is ended by a signal, passes its deadline, or, unless
            ``statuses``, has another exit status than 0.
    """
    running: list[subprocess.Popen[bytes]] = []
    with stdin.open("rb") as source, tempfile.TemporaryFile() as errors:
        # Popen.wait with a timeout polls, up to 50 ms apart; so another thread holds the deadline. It
        # is there before the clock starts.
        late = threading.Timer(deadline_s, _kill_all, [running])
        late.daemon = True
        late.start()
        start = time.perf_counter_ns()
        try:
            process = subprocess.Popen(
                command,
                stdin=source,
                stdout=stdout,
                stderr=errors,
                env=env,
                cwd=cwd,
                process_group=None if sys.platform == "win32" else 0,
            )
            running.append(process)
            _bound(process.pid, deadline_s)
            status = process.wait()
            elapsed = time.perf_counter_ns() - start
        except OSError as error:
            raise ProbeError(f"{what} could not be started: {error}.") from None
        finally:
            late.cancel()
            _kill_all(running)  # when interrupted; one that has ended is left alone
            for process in running:
                process.wait()
        if status < 0 or (status and not statuses):
            errors.seek(0)
            said = errors.read()[-KEPT_STDERR_BYTES:].decode(errors="replace").strip()
            why = f"ended with exit status {status}" if status > 0 else f"was ended by signal {-status}"
            if status == -9 and elapsed >= deadline_s * 1e9:
                why = "did not end in time and was stopped"
            raise ProbeError(f"{what}: its process {why}." + (f" It said:\n{said}" if said else ""))
    return elapsed, status


def _kill_all(running: list[subprocess.Popen[bytes]]) -> None:
    for process in running:
        process.kill()


def _bound(pid: int, deadline_s: float) -> None:
    """Have the system end the process should this one be killed before it can: Linux only."""
    try:
        import resource

        seconds = int(deadline_s) + 1
        resource.prlimit(pid, resource.RLIMIT_CPU, (seconds, seconds))
    except (ImportError, AttributeError, OSError):  # elsewhere; or it has ended already
        pass
