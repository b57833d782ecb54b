"""A fresh server of one stack: started, timed to its first answer, weighed, ended with all that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from wasm_lab.errors import ProbeError
from wasm_lab.scenarios.loadtest.api import HELLO
from wasm_lab.scenarios.loadtest.cores import Cores, bound
from wasm_lab.subjects.base import process_sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.scenarios.loadtest.stacks import Prepared, Stack

#: Seconds until a server must have answered.
READY_S = 30.0

#: Seconds between two attempts to connect; each takes some 30 µs.
AGAIN_S = 0.0002

#: Seconds that a server gets to end by itself.
STOP_S = 3.0

#: Of what a server said at last, what an error shows: characters, and of these whole lines.
SHOWN, SHOWN_LINES = 4000, 12

LOOPBACK = "127.0.0.1"

#: Of our own environment, what every server gets.
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "WASM_LAB_CACHE", "WASM_LAB_TOOLCHAIN", "WASM_LAB_TOOLS")

_FIRST = f"{HELLO.method} {HELLO.path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nConnection: close\r\n\r\n".encode()


class Guard:
    """Kills servers when this process is gone, even by a signal that it cannot see."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py"))],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is not meant for it
        )

    def add(self, group: int) -> None:
        self._tell(f"+ {group}\n")

    def remove(self, group: int) -> None:
        self._tell(f"- {group}\n")

    def close(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()


@contextlib.contextmanager
def guarded() -> Iterator[Guard]:
    """A guard for as long as servers are started."""
    guard = Guard()
    try:
        yield guard
    finally:
        guard.close()


class Server:
    """One fresh process of a stack, which has given its first answer.

    Args:
        cores: the server is bound to its core.
        guard: told of its process group.

    Raises:
        ProbeError: it ended, or gave no answer within `READY_S`; with what it said.
    """

    def __init__(self, stack: Stack, prepared: Prepared, cores: Cores, guard: Guard) -> None:
        self.stack = stack
        self.prepared = prepared
        self.port = free_port()
        self._guard = guard
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the server is
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        command = [word.replace("{port}", str(self.port)) for word in prepared.command]
        try:
            with bound(cores.server):
                started = time.perf_counter_ns()
                self._process = subprocess.Popen(
                    command,
                    cwd=prepared.folder,
                    env={**environment, **prepared.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=self._log,
                    stderr=self._log,
                    start_new_session=True,
                )
        except OSError as error:
            self._log.close()
            raise ProbeError(f"{stack.title} could not be started: {error}.") from None
        try:
            guard.add(self._process.pid)
            self._first_answer(started)
            self.cold_start_ns = time.perf_counter_ns() - started
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def sizes(self) -> dict[str, int]:
        """RSS, and PSS where the system tells it, of the server and all its children, in bytes.

        Raises:
            ProbeError: it has ended.
        """
        return process_sizes(self._process.pid)

    def mapped_files(self) -> frozenset[Path]:
        """The files that are mapped into the server and its children: program, libraries, code; Linux alone."""
        import psutil

        found: set[Path] = set()
        with contextlib.suppress(psutil.Error, AttributeError):
            process = psutil.Process(self._process.pid)
            for each in (process, *process.children(recursive=True)):
                found |= {Path(region.path) for region in each.memory_maps() if region.path.startswith("/")}
        return frozenset(path for path in found if path.is_file())

    def close(self) -> None:
        """End it and all that it started: politely, then by force. Does nothing the second time."""
        if self._log.closed:
            return
        import psutil

        family: list[psutil.Process] = []
        with contextlib.suppress(psutil.Error):
            family = psutil.Process(self._process.pid).children(recursive=True)
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_S)
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for each in family:  # such as have left the group
            with contextlib.suppress(psutil.Error):
                each.kill()
        self._process.wait()
        self._guard.remove(self._process.pid)
        self._log.close()

    def said(self) -> str:
        """The end of what it wrote."""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - SHOWN))
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return "\n".join(lines[-SHOWN_LINES:])

    def check_alive(self) -> None:
        """See that it still runs.

        Raises:
            ProbeError: it has ended; with what it said.
        """
        if self._process.poll() is not None:
            raise self._failed(f"ended with status {self._process.returncode}")

    def _first_answer(self, started: int) -> None:
        until = started + int(READY_S * 1e9)
        while True:
            answer = _answer(self.port, max(0.01, (until - time.perf_counter_ns()) / 1e9))
            if answer is not None and answer.startswith(b"HTTP/1.1 200 "):
                return
            self.check_alive()
            if time.perf_counter_ns() > until:
                got = f"; its last answer was {answer[:80]!r}" if answer else ""
                raise self._failed(f"did not answer within {READY_S:.0f} s{got}")
            time.sleep(AGAIN_S)

    def _failed(self, why: str) -> ProbeError:
        said = self.said()
        return ProbeError(f"{self.stack.title} {why}." + (f" It said:\n{said}" if said else ""))


def free_port() -> int:
    """A TCP port of the loopback address that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def _answer(port: int, timeout_s: float) -> bytes | None:
    """A whole answer to the first request; None while nobody listens, or when it breaks off."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout_s) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(_FIRST)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
    except OSError:
        return None
    return answer or None
