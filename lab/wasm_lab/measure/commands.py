"""Commands: any program of this machine, timed from its start to its end.

It knows no runtime, and so it is what the instrument itself is tested with.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar

from wasm_lab.errors import ProbeError, UnsupportedError, UsageError
from wasm_lab.measure.subject import Answer, Batch
from wasm_lab.run import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds that one run may take unless told otherwise.
DEADLINE_S = 60.0

#: Commands that take longer than this lose less than 1 % by caches that others have filled.
_SHORT_NS = 100_000_000

_TAIL_BYTES = 2000  #: of what a failed command wrote to its standard error


@dataclass(frozen=True, kw_only=True)
class CommandSubject:
    """A command line, run without a shell, with nothing on its standard input.

    Args:
        name: as a chart names it.
        command: the program, looked for on PATH, and its arguments.
        workload: what it does; subjects that are compared have the same.
        env: its whole environment; this process's own when None.
        deadline_s: seconds after which a run, and all that it started, is killed.

    Raises:
        UsageError: no such program.

    Example:
        >>> CommandSubject(name="true", command=("true",)).answer().exit_status
        0
    """

    name: str
    command: tuple[str, ...]
    workload: str = "command"
    input: str = ""
    language: str = ""
    runtime: str = "native"
    version: str = ""
    guards: str = "none"
    env: Mapping[str, str] | None = None
    deadline_s: float = DEADLINE_S

    phases: ClassVar[frozenset[Phase]] = frozenset({Phase.PROCESS})

    def __post_init__(self) -> None:
        if not self.command:
            raise UsageError("There is no command to run.", hint="Give a program and its arguments.")
        if self.program is None:
            raise UsageError(
                f"There is no program {self.command[0]!r} here.", hint="Give its path, or install it."
            )

    @cached_property
    def program(self) -> str | None:
        path = None if self.env is None else self.env.get("PATH")
        return shutil.which(self.command[0], path=path)

    def answer(self) -> Answer:
        """What one run writes and returns."""
        try:
            done = subprocess.run(
                [self.program or self.command[0], *self.command[1:]],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=self.env,
                timeout=self.deadline_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _late(self) from error
        except OSError as error:
            raise _not_started(self, error) from error
        return Answer(stdout=done.stdout, exit_status=done.returncode)

    def start(self) -> CommandProbe:
        return CommandProbe(self)


class CommandProbe:
    """Runs the command anew for each repetition: every one is a fresh process."""

    def __init__(self, subject: CommandSubject) -> None:
        self._subject = subject
        self._running = 0
        self._last_ns = 0
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the probe is

    @property
    def pid(self) -> int:
        """Of the run that is under way, or of this process between runs."""
        return self._running or os.getpid()

    @property
    def resolution_ns(self) -> int:
        steps = [time.perf_counter_ns() for _ in range(100)]
        return min((b - a for a, b in itertools.pairwise(steps) if b > a), default=1)

    def time(self, phase: Phase, count: int) -> Batch:
        """Run the command ``count`` times, one after the other.

        The clock starts before the process is made and stops when its end has been told. Before
        the first of them a short command is run once uncounted: otherwise what others ran in
        between has displaced it from the processor's caches, which makes a command of 7 ms 10 %
        slower; ``hyperfine --warmup`` is for the same.

        Raises:
            UnsupportedError: another phase than `Phase.PROCESS`.
            ProbeError: it ended with a status other than 0, or passed its deadline.
        """
        if phase is not Phase.PROCESS:
            raise UnsupportedError(f"Of a command only the {Phase.PROCESS} can be timed, not {phase}.")
        if self._last_ns < _SHORT_NS:
            self._last_ns = self._run()
        durations = [self._run() for _ in range(count)]
        self._last_ns = min(durations, default=0)
        return Batch(duration_ns=sum(durations), count=count)

    def weigh(self) -> dict[str, int]:
        """Nothing: each run is over before it could be weighed, and the most memory that the system
        reports of an ended process holds its parent's from before the program was loaded."""
        return {}

    def idle(self, count: int) -> None:
        raise UnsupportedError("A command has no instances to keep.")

    def close(self) -> None:
        self._kill()
        self._errors.close()

    def _run(self) -> int:
        subject = self._subject
        self._errors.seek(0)
        self._errors.truncate()
        environment = os.environ if subject.env is None else subject.env
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, self._errors.fileno(), 2),
        ]
        program = subject.program or subject.command[0]
        # It is waited for in a plain blocking call, which returns at once when it ends; waiting with
        # a time limit would look only every few milliseconds. The watcher is there before the clock
        # starts, so that it costs the command nothing.
        passed = threading.Event()
        watcher = threading.Timer(subject.deadline_s, self._overdue, [passed])
        watcher.daemon = True
        watcher.start()
        try:
            duration_ns, status = self._time(program, environment, actions)
        finally:
            watcher.cancel()
            watcher.join()
            self._kill()
        if passed.is_set():
            raise _late(subject)
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            raise ProbeError(f"{subject.name} ended with status {code}.{self._said()}")
        return duration_ns

    def _time(
        self, program: str, environment: Mapping[str, str], actions: list[tuple[Any, ...]]
    ) -> tuple[int, int]:
        """Nanoseconds from start to end, and the status that it ended with."""
        subject = self._subject
        started = time.perf_counter_ns()
        try:
            # Its own process group, so that what it starts can be ended with it. The signals are
            # those that a shell would give it: Python itself ignores a broken pipe.
            self._running = os.posix_spawn(
                program,
                subject.command,
                environment,
                file_actions=actions,
                setpgroup=0,
                setsigdef=[signal.SIGPIPE],
            )
        except OSError as error:
            raise _not_started(subject, error) from error
        _, status = os.waitpid(self._running, 0)
        ended = time.perf_counter_ns()
        self._running = 0
        return ended - started, status

    def _overdue(self, passed: threading.Event) -> None:
        if self._running:
            passed.set()
            _kill_group(self._running)

    def _said(self) -> str:
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - _TAIL_BYTES))
        text = self._errors.read().decode(errors="replace").strip()
        return f" It said:\n{text}" if text else ""

    def _kill(self) -> None:
        if self._running:
            _kill_group(self._running)
            with contextlib.suppress(ChildProcessError):  # its end had been told already
                os.waitpid(self._running, 0)
            self._running = 0


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _late(subject: CommandSubject) -> ProbeError:
    return ProbeError(
        f"{subject.name} was not done after {subject.deadline_s:g} s and was killed.",
        hint="Give it less to do, or a later deadline.",
    )


def _not_started(subject: CommandSubject, error: OSError) -> ProbeError:
    return ProbeError(f"{subject.name} could not be started: {error.strerror or error}.")
