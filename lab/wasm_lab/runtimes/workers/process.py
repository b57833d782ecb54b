"""One worker process as its parent sees it: started, asked, killed."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from wasm_lab import errors
from wasm_lab.errors import UnsupportedError, WasmLabError
from wasm_lab.runtimes.workers.frames import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

#: Seconds that a worker may take until it can be asked; a busy machine is slow to start one.
START_S = 60.0

#: Of what a worker wrote to its own standard error, how much of the end is told, in bytes.
_TOLD_BYTES = 4096

#: Where this package lies, which an interpreter of another start-up may not know.
_PACKAGES = Path(__file__).parents[3]

#: -P keeps the working directory out of the search for modules: it may hold a ``wasmtime.py``.
_CODE = (
    "import sys; sys.path.append(sys.argv[1]); from wasm_lab.runtimes.workers.serving import serve; "
    "serve(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])"
)


class WorkerEnded(Exception):
    """Inside this package and the runtimes: the worker ended before it answered."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"status {status}")
        self.status = status  #: its exit status, or minus the number of a signal
        self.said = said  #: the end of what it wrote to its own standard error

    @property
    def how(self) -> str:
        """How it ended, in words."""
        import signal

        if self.status < 0 and -self.status in signal.valid_signals():
            return f"was ended by {signal.Signals(-self.status).name}"
        return f"ended with status {self.status}"


class Worker:
    """A fresh interpreter (not a fork) that serves one module's handler.

    Args:
        module: the module whose ``handler()`` answers, such as ``wasm_lab.runtimes.wasmer.guest``.
        name: what messages call it.

    Raises:
        UnsupportedError: it cannot be started, or its engine cannot.
    """

    def __init__(self, module: str, name: str) -> None:
        self.name = name
        self.requests = 0
        self.known: dict[str, None] = {}  #: the modules that it has, the least recently used first
        # Appended to, so that the worker can empty it and what follows begins at 0 again.
        self._errors = tempfile.TemporaryFile("a+b", buffering=0)  # noqa: SIM115 - closed with the worker
        ours, theirs = socket.socketpair()
        self._line = Line(ours)
        try:
            self._process = _start(module, theirs, self._errors.fileno())
        except OSError as error:
            self._line.close()
            self._errors.close()
            raise UnsupportedError(f"No process for {name} could be started: {error}.") from None
        finally:
            theirs.close()
        self._end = weakref.finalize(self, _end, self._process, self._line, self._errors, os.getpid())
        try:
            message, _ = self._line.receive(START_S)
        except (EOFError, TimeoutError):
            said = self._said()
            self.kill()
            raise UnsupportedError(f"The process for {name} did not start.", hint=said) from None
        except BaseException:
            self.kill()
            raise
        if message[0] != "ready":
            self.kill()
            raise UnsupportedError(f"{name} does not start here.", hint=message[1])

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._end.alive and self._process.poll() is None and not _is_dying(self.pid)

    def ask(self, request: Any, descriptors: Sequence[int] = ()) -> None:
        """Send a request, with open files that the worker gets copies of.

        Raises:
            WorkerEnded: it has ended.
        """
        self.requests += 1
        try:
            self._line.send(request, descriptors)
        except OSError:
            raise self._ended() from None

    def next(self, timeout_s: float | None = None) -> tuple[Any, ...]:
        """What the worker says next: what it says ahead, or in the end ``("answer", …)``.

        Raises:
            WorkerEnded: it has ended.
            TimeoutError: it said nothing for that long. It is in the middle of its work: kill it.
            WasmLabError: it refused the request.
            RuntimeError: it failed otherwise, which is a mistake of the lab's.
        """
        try:
            message, _ = self._line.receive(timeout_s)
        except EOFError:
            raise self._ended() from None
        if message[0] == "refused":
            _, kind, text, hint = message
            known = getattr(errors, kind, WasmLabError)
            raise known(text, hint=hint)
        if message[0] == "failed":
            raise RuntimeError(f"{self.name}: {message[1]}\n{message[2]}")
        return tuple(message)

    def kill(self) -> None:
        """End the process at once and let go of it. Does nothing the second time."""
        self._end()

    def _ended(self) -> WorkerEnded:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)  # its socket closes a moment before it is gone
        said = self._said()
        self.kill()
        return WorkerEnded(self._process.returncode or 0, said)

    def _said(self) -> str:
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - _TOLD_BYTES))
        return self._errors.read().decode(errors="replace").strip()


def _is_dying(pid: int) -> bool:
    """Whether a process was killed whose threads are not all gone yet: only then can it be waited for. Linux."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - at every run
            return file.read().rpartition(b") ")[2][:1] in b"ZX"
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes], line: Line, said: Any, owner: int) -> None:
    if os.getpid() != owner:  # a forked child: the worker is its parent's
        line.close()
        process.returncode = 0
        return
    if process.poll() is None:
        process.kill()
    process.wait()
    line.close()
    said.close()


def _start(module: str, theirs: socket.socket, stderr: int) -> subprocess.Popen[bytes]:
    command = [
        *(sys.executable, "-P", "-c", _CODE, str(_PACKAGES)),
        *(str(theirs.fileno()), str(os.getpid()), module),
    ]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            pass_fds=(theirs.fileno(),),
        )

    return from_lasting_thread(start)


def from_lasting_thread(start: Callable[[], T]) -> T:
    """Call ``start`` in a thread that stays: Linux kills a child that asked for it when its thread ends."""
    if threading.current_thread() is threading.main_thread():
        return start()
    return _starter().submit(start).result()


@functools.cache
def _starter() -> ThreadPoolExecutor:
    starter = ThreadPoolExecutor(1, "wasm-lab worker starter")
    starter.submit(int).result()
    atexit.register(starter.shutdown, wait=False)
    return starter


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_starter.cache_clear)  # threads are not forked
