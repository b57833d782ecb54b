"""A process that has everything of a kernel imported, and forks a kernel whenever it is told to.

Run as a script, by the interpreter and with the environment that the kernels shall have. Its arguments are a
socket's number and modules to import besides; it imports nothing of the lab on its own. It never starts a thread
and never executes a cell, so that its forks begin where a fresh interpreter would be after its imports. ``pool``
is its other side.

On its control socket it reads one JSON object a line and answers each with one line:

``{"fork": {"argv": […], "command": […], "cwd": "…"}}`` with three descriptors: a line of the kernel's own,
standard output, standard error. Answer: ``{"pid": …}``, or ``{"error": "why not"}``. The kernel binds its
sockets, writes its connection file, says ``{"ready": true, "movable": …}`` on its line and waits there for
``{"cwd": "…"}``, another folder only if it is movable: nothing of the user's has run in it yet. When it has
ended, the zygote writes ``{"exit": status}`` to the same line.

``{"signal": […pid, number]}``, sent to the kernel's process group. Answer: ``{"sent": true or false}``.

``{"retire": true}``: fork no more, and end with the last kernel. Answer: ``{"retired": true}``.

When the control socket closes, or the parent is gone, it kills its kernels and ends.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from pathlib import Path

#: Seconds without a kernel and without a request after which it ends: whoever needs it later starts another.
IDLE_S = 300.0

#: Seconds between two looks at whether the parent is still there, for the case that something else holds its
#: end of the socket open.
LOOK_S = 1.0

#: What a kernel imports until its first cell; nothing here starts a thread.
PRELOADED = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "ipykernel.kernelapp",
    "psutil",
    "tornado.platform.asyncio",
)

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ipykernel.kernelapp import IPKernelApp


class Kernel:
    """A forked kernel, as the zygote keeps it."""

    def __init__(self, pid: int, line: socket.socket, connection_file: str) -> None:
        self.pid = pid
        self.line = line
        self.connection_file = connection_file


class Fork(Exception):
    """No error: in the forked child, out of the loop that it was forked in, to become a kernel."""

    def __init__(self, request: dict[str, Any], line: socket.socket) -> None:
        self.request = request
        self.line = line


def preload(names: Sequence[str]) -> None:
    """Import what a kernel imports until its first cell, and what its notebooks will import.

    Raises:
        RuntimeError: one of them has started a thread, which no fork would have.
    """
    # Read when ipykernel is imported; its poller looks for it.
    os.environ["JPY_PARENT_PID"] = str(os.getpid())
    told = os.environ.get("PYDEVD_DISABLE_FILE_VALIDATION")
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # else the debugger warns of frozen modules here
    try:
        for name in (*PRELOADED, *names):
            importlib.import_module(name)
    finally:
        if told is None:
            del os.environ["PYDEVD_DISABLE_FILE_VALIDATION"]
        else:
            os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = told

    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        raise RuntimeError(f"{threads} threads after importing {', '.join((*PRELOADED, *names))}")


class Zygote:
    """The loop: requests, ended children, the end of the parent."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.parent = os.getppid()
        self.kernels: dict[int, Kernel] = {}
        self.retired = False
        self.last_request = time.monotonic()
        self.pending = b""
        self.descriptors: list[int] = []
        self.woken, self.waker = os.pipe()
        os.set_blocking(self.woken, False)
        os.set_blocking(self.waker, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self.waker, warn_on_full_buffer=False)

    def run(self) -> None:
        """Serve until the parent is gone or nobody needs this any longer. Raises `Fork` in each child."""
        while True:
            ready, _, _ = select.select([self.control.fileno(), self.woken], [], [], LOOK_S)
            if self.woken in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self.woken, 4096)
            self._reap()
            if self.control.fileno() in ready and not self._read():
                return
            if os.getppid() != self.parent:
                return
            idle = time.monotonic() - self.last_request > IDLE_S
            if not self.kernels and (self.retired or idle):
                return

    def end(self) -> None:
        """Kill what is left, and take away what it would have taken away itself."""
        for kernel in self.kernels.values():
            _signal_group(kernel.pid, signal.SIGKILL)
        for kernel in self.kernels.values():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(kernel.pid, 0)
            Path(kernel.connection_file).unlink(missing_ok=True)

    def _read(self) -> bool:
        """Answer what was asked; False at the end of the socket."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self.control, 1 << 16, 3)
        except ConnectionError:
            return False
        if not data:
            return False
        self.pending += data
        self.descriptors += descriptors
        self.last_request = time.monotonic()
        while b"\n" in self.pending:
            text, _, self.pending = self.pending.partition(b"\n")
            request = json.loads(text)
            with contextlib.suppress(ConnectionError):
                self.control.sendall(json.dumps(self._answer(request)).encode() + b"\n")
        return True

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if "fork" in request:
            try:
                return {"pid": self._fork(request["fork"])}
            except OSError as error:
                return {"error": str(error)}
        if "signal" in request:
            pid, number = request["signal"]
            return {"sent": pid in self.kernels and _signal_group(pid, number)}
        self.retired = True
        return {"retired": True}

    def _fork(self, request: dict[str, Any]) -> int:
        line, *streams = self.descriptors[:3]
        self.descriptors = self.descriptors[3:]
        own = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            for descriptor in (line, *streams):
                os.close(descriptor)
            raise
        if pid == 0:
            _end_with(own)
            os.setsid()  # Ctrl-C in a terminal is the parent's; the whole group is signalled at once
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for kernel in self.kernels.values():
                kernel.line.close()
            self.control.close()
            os.close(self.woken)
            os.close(self.waker)
            for number, stream in enumerate(streams, start=1):
                os.dup2(stream, number)
                os.close(stream)
            raise Fork(request, socket.socket(fileno=line))
        for stream in streams:
            os.close(stream)
        connection_file = request["argv"][request["argv"].index("-f") + 1]
        self.kernels[pid] = Kernel(pid, socket.socket(fileno=line), connection_file)
        return pid

    def _reap(self) -> None:
        for kernel in tuple(self.kernels.values()):
            pid, status = os.waitpid(kernel.pid, os.WNOHANG)
            if pid:
                del self.kernels[pid]
                Path(kernel.connection_file).unlink(missing_ok=True)
                with kernel.line, contextlib.suppress(OSError):
                    said = {"exit": os.waitstatus_to_exitcode(status)}
                    kernel.line.send(json.dumps(said).encode() + b"\n")


def _signal_group(pid: int, number: int) -> bool:
    for send in (os.killpg, os.kill):  # until it has called setsid, it is not the leader of a group
        with contextlib.suppress(OSError):
            send(pid, number)
            return True
    return False


def _end_with(zygote: int) -> None:
    """Let Linux kill this process when the zygote ends, however it ends."""
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != zygote:
        os._exit(1)


def become_kernel(request: dict[str, Any], line: socket.socket) -> None:
    """Start as ``python -m ipykernel_launcher`` would, say so, and wait for the notebook.

    Never returns: the process ends when the kernel was shut down, after what the notebook has registered for
    its end.
    """
    from ipykernel import kernelapp

    os.chdir(request["cwd"])
    sys.argv, sys.orig_argv = request["argv"], request["command"]
    app = kernelapp.IPKernelApp.instance()
    app.initialize(sys.argv[1:])  # type: ignore[no-untyped-call]
    with line:
        line.sendall(json.dumps({"ready": True, "movable": is_movable(app)}).encode() + b"\n")
        line.settimeout(IDLE_S)
        try:
            told = line.recv(1 << 16)
        except TimeoutError:
            told = b""
    if told.endswith(b"\n"):
        move(app, json.loads(told)["cwd"])
        app.start()  # type: ignore[no-untyped-call]
    # It ends as processes that multiprocessing forks do. The kernel's own handler closes socket after socket
    # and joins thread after thread, and taking an interpreter apart takes longer than many a notebook; both
    # end with the process. IPython's handler empties the notebook's namespace, which closes its files.
    atexit.unregister(app.close)
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads that are no daemons
    atexit._run_exitfuncs()
    os._exit(0)


def is_movable(app: IPKernelApp) -> bool:
    """Whether no file, line or extension of the user's has run at the kernel's start, and seen its folder."""
    from IPython.core.application import ENV_CONFIG_DIRS, SYSTEM_CONFIG_DIRS

    folders = [Path(folder, "startup") for folder in (*ENV_CONFIG_DIRS, *SYSTEM_CONFIG_DIRS)]
    folders.append(Path(app.profile_dir.startup_dir))  # type: ignore[union-attr]
    configured = (
        *(app.loaded_config_files, app.exec_lines, app.exec_files, app.extra_extensions),
        *(app.code_to_run, app.file_to_run, app.module_to_run, os.environ.get("PYTHONSTARTUP")),
    )
    started = (file for folder in folders for kind in ("*.py", "*.ipy") for file in folder.glob(kind))
    return not any(configured) and next(started, None) is None


def move(app: IPKernelApp, cwd: str) -> None:
    """Have the kernel in a folder as if it had been started there."""
    if os.getcwd() != cwd:  # noqa: PTH109 - a text is compared
        os.chdir(cwd)
        shell: Any = app.shell
        shell.starting_dir = cwd
        shell.history_manager.dir_hist[:] = [Path.cwd()]


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    if sys.path and sys.path[0] == str(Path(__file__).parent):
        del sys.path[0]  # as the launcher of ipykernel does; the kernel puts the working directory there
    preload(sys.argv[2:])
    zygote = Zygote(control)
    control.sendall(b'{"loaded": true}\n')
    try:
        zygote.run()
    except Fork as fork:
        request, line = fork.request, fork.line
    else:
        zygote.end()
        return
    del zygote, control
    become_kernel(request, line)


if __name__ == "__main__":
    main()
