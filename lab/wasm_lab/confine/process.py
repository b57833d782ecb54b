"""Running a program behind walls to its end, with its output as it comes."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import IO, TYPE_CHECKING, Any

from wasm_lab.confine.group import held_group
from wasm_lab.confine.landlock import Openings, wall_in_this_thread
from wasm_lab.confine.limits import Limits, limit_process
from wasm_lab.confine.privileges import drop_privileges_of_this_thread
from wasm_lab.confine.syscalls import close_syscalls_in_this_thread, syscalls_can_be_closed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

CHUNK_BYTES = 1 << 16

#: Seconds between two looks at whether the process has ended, while its pipes are silent.
LOOK_S = 0.05

#: Stands in a command for the number of the descriptor of its report.
REPORT = "{report}"


class Stop(StrEnum):
    """Why a process was killed."""

    DEADLINE = "deadline"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a process may use. None stands for no bound.

    Attributes:
        openings: what it may open of the file system; None walls nothing off.
        deadline_s: seconds until it is killed, with all of its group.
        output_bytes: of standard output and error together.
        limits: set on the process right after its start, before it can have started another.
        closed: no sockets, none of what only attacks on the kernel and on other processes need
            (`wasm_lab.confine.syscalls`), nothing of what the superuser alone may do, and no other group than
            the one that is killed.
    """

    openings: Openings | None = None
    deadline_s: float | None = None
    output_bytes: int | None = None
    limits: Limits | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A process that has ended.

    Attributes:
        status: its exit status, or minus the number of the signal that ended it.
        stop: why it was killed; None when it ended by itself.
        report: what it wrote to the descriptor that `REPORT` stands for.
        duration_ns: from before its start until its end was seen.
    """

    status: int
    stop: Stop | None
    stdout: bytes
    stderr: bytes
    report: bytes
    duration_ns: int


def run_confined(
    command: Sequence[str],
    *,
    bounds: Bounds,
    env: Mapping[str, str],
    cwd: Path,
    stdin: bytes | None = b"",
    inherit_output: bool = False,
    on_output: Callable[[str, bytes], None] | None = None,
    on_wait: Callable[[], None] | None = None,
) -> Ended:
    """Run ``command`` in a process group of its own until it ends or has to.

    When it ends, what it started ends too, unless that has left the group. What is ``closed`` cannot leave it, on
    the kinds of machines that `wasm_lab.confine.syscalls` knows.

    Args:
        command: where a word holds `REPORT`, the process gets a pipe for a report.
        env: the whole environment.
        stdin: None passes this process's own on.
        inherit_output: it writes to this process's own standard output, without a bound, and what
            it writes to standard error is passed on there.
        on_output: called with ``"stdout"`` or ``"stderr"`` and each piece as it comes.
        on_wait: called again and again while the process runs, in the caller's thread.

    Raises:
        OSError: the program cannot be started, or the kernel cannot wall it in.
        KeyboardInterrupt: the user interrupted; the process and its group have been killed.
    """
    with contextlib.ExitStack() as stack:
        # The terminal lets only its foreground group read, so who reads from it stays in this one.
        group = 0 if bounds.closed or stdin is not None or not os.isatty(0) else None
        if bounds.closed and syscalls_can_be_closed():
            group = stack.enter_context(held_group())
        given = None if stdin is None else stack.enter_context(_file_of(stdin))
        words, report, writing = list(command), None, None
        if any(REPORT in word for word in words):
            reading, number = os.pipe()
            report = stack.enter_context(open(reading, "rb", buffering=0))  # noqa: PTH123 - a number, no path
            writing = stack.enter_context(open(number, "wb", buffering=0))  # noqa: PTH123
            words = [word.replace(REPORT, str(number)) for word in words]
        started = time.perf_counter_ns()
        process = _start(
            words,
            bounds,
            env=dict(env),
            cwd=cwd,
            stdin=given,
            stdout=None if inherit_output else subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(writing.fileno(),) if writing else (),
            process_group=group,
        )
        try:
            if bounds.limits:
                with contextlib.suppress(ProcessLookupError):  # it has ended already
                    limit_process(bounds.limits, process.pid)
            if writing:
                writing.close()
            taken = _Taken(None, _echo) if inherit_output else _Taken(bounds.output_bytes, on_output)
            streams = {"stdout": process.stdout, "stderr": process.stderr, "report": report}
            deadline = None if bounds.deadline_s is None else time.monotonic() + bounds.deadline_s
            stop = _follow(
                process, {name: each for name, each in streams.items() if each}, taken, deadline, on_wait
            )
            ended = time.perf_counter_ns()
        finally:
            _end(process, group)
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()
        return Ended(
            status=process.returncode,
            stop=stop,
            stdout=taken.whole("stdout"),
            stderr=taken.whole("stderr"),
            report=taken.whole("report"),
            duration_ns=ended - started,
        )


@dataclass(slots=True)
class _Taken:
    """What came out so far."""

    limit: int | None
    sink: Callable[[str, bytes], None] | None
    parts: dict[str, list[bytes]] = field(default_factory=dict)
    size: int = 0

    def take(self, name: str, data: bytes) -> bool:
        """Keep it and pass it on; False when that is more than there may be."""
        fits = True
        if name != "report":
            if self.limit is not None and self.size + len(data) > self.limit:
                data, fits = data[: self.limit - self.size], False
            self.size += len(data)
            if self.sink and data:
                self.sink(name, data)
        self.parts.setdefault(name, []).append(data)
        return fits

    def whole(self, name: str) -> bytes:
        return b"".join(self.parts.get(name, ()))


def _echo(name: str, data: bytes) -> None:
    """Pass on what a process wrote to standard error, whose end tells why it failed."""
    if name == "stderr":
        with contextlib.suppress(OSError):
            while data:
                data = data[os.write(2, data) :]


def _follow(
    process: subprocess.Popen[bytes],
    streams: dict[str, Any],
    taken: _Taken,
    deadline: float | None,
    on_wait: Callable[[], None] | None,
) -> Stop | None:
    """Read until the process has ended and its pipes are empty, or until it must be stopped.

    A child of the process may keep the pipes open, so their end is not waited for.
    """
    with selectors.DefaultSelector() as selector:
        for name, stream in streams.items():
            os.set_blocking(stream.fileno(), False)
            selector.register(stream, selectors.EVENT_READ, name)
        while True:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return Stop.DEADLINE
            over = process.poll() is not None
            if on_wait is not None:
                on_wait()
            if selector.get_map():
                events = selector.select(0 if over else min(LOOK_S, left or LOOK_S))
            elif over:
                return None
            else:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(left)
                continue
            if over and not events:
                return None  # a child left behind may hold the pipes open, and will be killed
            for key, _ in events:
                data = os.read(key.fd, CHUNK_BYTES)
                if not data:
                    selector.unregister(key.fileobj)
                elif not taken.take(key.data, data):
                    return Stop.OUTPUT


def _start(command: list[str], bounds: Bounds, **options: Any) -> subprocess.Popen[bytes]:
    """Start a process; behind a wall, from a thread that has walled itself in and then ends.

    Nothing of Python's runs between fork and exec, which other threads would make unsafe.
    """
    openings = bounds.openings
    if openings is None and not bounds.closed:
        return subprocess.Popen(command, **options)
    outcome: list[subprocess.Popen[bytes] | BaseException] = []

    def start() -> None:
        try:
            if openings is not None:
                wall_in_this_thread(openings)
            if bounds.closed:
                drop_privileges_of_this_thread()
                close_syscalls_in_this_thread(group=options["process_group"])
            outcome.append(subprocess.Popen(command, **options))
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=start, name="wasm-lab wall")
    thread.start()
    try:
        thread.join()
    except BaseException:  # an interrupt: what has just been started is not left behind
        thread.join()
        if isinstance(outcome[0], subprocess.Popen):
            _end(outcome[0], options["process_group"])
        raise
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def _end(process: subprocess.Popen[bytes], group: int | None) -> None:
    """Kill what still runs of a process and its group (0: the one that it leads), and wait for it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if group is None:
            process.kill()
        else:
            os.killpg(group or process.pid, signal.SIGKILL)
    process.wait()


def _file_of(data: bytes) -> IO[bytes]:
    """An open file with that content, to be read from its start."""
    if not data:
        return open(os.devnull, "rb")  # noqa: PTH123
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    file.write(data)
    file.seek(0)
    return file
