"""Where guests' processes are born: a process with the engine loaded and nothing compiled, which forks for each.

A fresh interpreter needs a tenth of a second to load the engine, a fork a twentieth of that. The nursery knows of no
submission and of no master: it is started before either is read, and each child walls itself in, also against its
parent and its siblings, before a module comes. A judge finds it by a variable of the environment.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import weakref
from pathlib import Path

from wasm_lab.grading.wire import TO_GUEST_BYTES, Line

#: Names the nursery's socket.
VARIABLE = "WASM_LAB_NURSERY"

#: Judges that may wait for a child at once.
_BACKLOG = 64

#: Of the folder of a socket: its path must fit into 108 bytes (unix(7)).
_PATH_BYTES = 90

_PID = struct.Struct(">I")


class Nursery:
    """A running nursery; it ends with this process, or when it is closed.

    Args:
        folder: for its socket, if the path is short enough for one; of this user alone.
    """

    def __init__(self, folder: Path | None = None) -> None:
        from wasm_lab.grading.guest_process import interpreter
        from wasm_lab.runtimes.workers.process import from_lasting_thread

        own = tempfile.mkdtemp(prefix="wasm-lab-nursery-", dir=folder)
        if len(os.fsencode(own)) > _PATH_BYTES:
            shutil.rmtree(own)
            own = tempfile.mkdtemp(prefix="wasm-lab-nursery-")
        self.path = str(Path(own, "socket"))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path)
            listener.listen(_BACKLOG)
            number = listener.fileno()
            code = "from wasm_lab.grading.nursery import serve; serve(int(sys.argv[2]), int(sys.argv[3]))"
            process = from_lasting_thread(
                lambda: interpreter(code, str(number), str(os.getpid()), pass_fds=(number,))
            )
        self._process = process
        self.close = weakref.finalize(self, _end, process, own, os.getpid())

    @property
    def pid(self) -> int:
        return self._process.pid


def open_nursery(folder: Path | None = None) -> Nursery | None:
    """A nursery for all judges below this process; None where the system has no handles of processes.

    Args:
        folder: see `Nursery`.

    Raises:
        OSError: it cannot be started.
    """
    if not hasattr(os, "pidfd_open") or not hasattr(signal, "pidfd_send_signal"):
        return None
    nursery = Nursery(folder)
    os.environ[VARIABLE] = nursery.path
    return nursery


def _end(process: subprocess.Popen[bytes], folder: str, owner: int) -> None:
    if os.getpid() == owner:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


class Born:
    """A child of the nursery, held by a handle that is never another process's."""

    def __init__(self, pid: int, handle: int) -> None:
        self.pid = pid
        self.returncode: int | None = None  # its parent alone is told
        self._handle = handle

    def poll(self) -> int | None:
        """0 when it has ended, however that was."""
        return 0 if self._has_ended(0) else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it goes on.
        """
        if not self._has_ended(None if timeout is None else 1000 * timeout):
            raise subprocess.TimeoutExpired("a guest's process", timeout or 0)
        return 0

    def _has_ended(self, within_ms: float | None) -> bool:
        if self._handle < 0:
            return True
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        return bool(poll.poll(within_ms))

    def kill(self) -> None:
        """End it, wait until it has, and let go of the handle."""
        if self._handle >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            self.wait()
            self.let_go()

    def let_go(self) -> None:
        """Close the handle, and nothing else."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def born(
    path: str, memory_bytes: int, read: list[str], *, walls: bool, within_s: float
) -> tuple[socket.socket, Born]:
    """A new child of the nursery at ``path``, and the connection to it.

    Raises:
        OSError: there is no nursery any more, or it does not answer.
    """
    end = socket.socket(socket.AF_UNIX)
    try:
        end.settimeout(within_s)
        end.connect(path)
        Line(end, 0).send([memory_bytes, read, walls], until=time.monotonic() + within_s)
        end.settimeout(within_s)
        data, handles, _, _ = socket.recv_fds(end, _PID.size, 1)
        if len(data) != _PID.size or len(handles) != 1:
            for handle in handles:
                os.close(handle)
            raise ConnectionError("the nursery gave no child")
        return end, Born(_PID.unpack(data)[0], handles[0])
    except BaseException:
        end.close()
        raise


# The nursery's own side --------------------------------------------------------------------


def serve(number: int, parent: int) -> None:
    """Fork a child for each connection to the listening socket of that number."""
    import gc

    from wasm_lab.grading import guest
    from wasm_lab.runtimes.workers.ending import die_with

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    die_with(parent)
    listener = socket.socket(fileno=number)
    loaded = guest.Guest()
    gc.freeze()
    own = os.getpid()
    while True:
        end, _ = listener.accept()
        if os.fork() == 0:
            with contextlib.suppress(BaseException):
                listener.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                die_with(own)
                os.setpgid(0, 0)
                _live(end, loaded)
            os._exit(1)
        end.close()


def _live(end: socket.socket, loaded: object) -> None:
    from wasm_lab.grading import guest

    assert isinstance(loaded, guest.Guest)
    memory_bytes, read, walls = Line(end, TO_GUEST_BYTES).receive()
    handle = os.pidfd_open(os.getpid())
    socket.send_fds(end, [_PID.pack(os.getpid())], [handle])
    os.close(handle)
    guest.work(end, loaded, memory_bytes, read, walls=walls)
