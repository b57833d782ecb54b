"""Running a compiler: no standard input, a process group of its own, stopped on interrupt."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

WINDOWS = sys.platform == "win32"

#: Seconds that a group gets to end on its own after the polite signal.
GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class Finished:
    """A tool that has ended: its exit status (negative for a signal) and what it wrote."""

    status: int
    stdout: str
    stderr: str


def run_tool(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    on_stdout: Callable[[str], None] | None = None,
    on_stderr: Callable[[str], None] | None = None,
) -> Finished:
    """Run ``command`` to its end and collect what it writes.

    Args:
        env: the whole environment; None passes this process's own on.
        on_stdout, on_stderr: called with each line as it comes, from another thread for one of them.

    Raises:
        OSError: the program cannot be started.
        KeyboardInterrupt: the user interrupted; the tool and its children have been stopped.
    """
    with started(command, cwd=cwd, env=env) as process:
        if on_stdout is None and on_stderr is None:
            stdout, stderr = process.communicate()
        else:
            stdout, stderr = _follow(process, on_stdout, on_stderr)
        return Finished(process.wait(), stdout, stderr)


@contextlib.contextmanager
def started(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    pass_fds: tuple[int, ...] = (),
    stderr_to: IO[str] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """A running tool. Leaving the block by an exception stops it and all that it started.

    Its output is to be read by the caller; ``stderr_to`` is a file that takes the errors instead.
    """
    process = subprocess.Popen(
        [os.fspath(word) for word in command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr_to or subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        pass_fds=pass_fds,
        # The terminal sends Ctrl-C to its foreground group; it must reach only Python, which then
        # stops the tool in an orderly way.
        process_group=None if WINDOWS else 0,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
    try:
        yield process
    except BaseException:
        _stop(process)
        raise
    finally:
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


def _follow(
    process: subprocess.Popen[str],
    on_stdout: Callable[[str], None] | None,
    on_stderr: Callable[[str], None] | None,
) -> tuple[str, str]:
    """Read both streams at once, so that neither fills its pipe, and hand their lines on."""
    assert process.stdout
    assert process.stderr
    errors: list[str] = []
    reader = threading.Thread(target=_drain, args=(process.stderr, errors, on_stderr), daemon=True)
    reader.start()
    output: list[str] = []
    _drain(process.stdout, output, on_stdout)
    reader.join()
    return "".join(output), "".join(errors)


def _drain(stream: IO[str], into: list[str], on_line: Callable[[str], None] | None) -> None:
    for line in stream:
        into.append(line)
        if on_line:
            on_line(line)


def _stop(process: subprocess.Popen[str]) -> None:
    """End a tool and every process that it started."""
    if sys.platform == "win32":
        process.kill()
        process.wait()
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            break
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
