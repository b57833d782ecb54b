"""Kernels that were started before they were needed: one zygote for each parent process, few idle kernels.

A kernel serves one notebook and is killed with it. What a process inherits when it is started (environment,
limits, working directory, standard output and error) is compared when a kernel is claimed, so that an idle
one is only taken where a fresh one would be the same; where it differs, another is forked.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import subprocess
import threading
import uuid
import weakref
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.kernels.start import Start

#: Seconds that a zygote may take for its imports, and a kernel until it can be asked; a busy machine is slow.
START_S = 60.0

#: Seconds that a zygote may take to kill its kernels when its parent closes it.
END_S = 5.0

_ZYGOTE = Path(__file__).with_name("zygote.py")


class PoolError(Exception):
    """Inside this package: no warm kernel is to be had; an ordinary one must be started."""


class WarmKernel:
    """A kernel process, forked by a zygote; what `subprocess.Popen` is to one that was started.

    Attributes:
        pid: of the process, which is also that of its group.
        start: what it was started with.
        connection_file: where it wrote its ports and key.
    """

    def __init__(
        self, zygote: Zygote, pid: int, line: socket.socket, start: Start, connection_file: Path
    ) -> None:
        self.zygote = zygote
        self.pid = pid
        self.start = start
        self.connection_file = connection_file
        self.returncode: int | None = None
        self.line = line  #: does not block
        self._said = b""
        self._ready = False

    def hear(self) -> None:
        """Take in what it and its zygote have said so far."""
        if self.returncode is not None:
            return
        while True:
            try:
                data = self.line.recv(4096)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:  # its zygote is gone, and took it along
                self._end(-9)
                return
            self._said += data
            while b"\n" in self._said:
                text, _, self._said = self._said.partition(b"\n")
                message = json.loads(text)
                if "exit" in message:
                    self._end(message["exit"])
                    return
                self._ready = True
                self.zygote.are_movable = message["movable"]

    @property
    def is_ready(self) -> bool:
        """Whether it waits for its notebook."""
        self.hear()
        return self._ready and self.returncode is None

    def poll(self) -> int | None:
        """Its exit status, or minus the number of a signal; None while it runs."""
        self.hear()
        return self.returncode

    def fits(self, start: Start) -> bool:
        """Whether it can be what a kernel of this start would be."""
        moved = replace(self.start, cwd=start.cwd) if self.zygote.are_movable else self.start
        return moved == start

    def begin(self, cwd: str) -> None:
        """Let it serve its notebook, in this folder.

        Raises:
            PoolError: it has ended meanwhile.
        """
        try:
            self.line.sendall(json.dumps({"cwd": cwd}).encode() + b"\n")
        except OSError as error:
            raise PoolError(f"The kernel has ended: {error}") from None

    def send_signal(self, number: int) -> None:
        """Send a signal to it and to what it has started. Does nothing when it has ended."""
        if self.poll() is None:
            with contextlib.suppress(PoolError):
                self.zygote.ask({"signal": [self.pid, number]})

    def kill(self) -> None:
        """End it at once."""
        import signal

        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        import signal

        self.send_signal(signal.SIGTERM)

    def let_go(self) -> None:
        """Close its line: a kernel that still waits ends."""
        self.line.close()

    def _end(self, status: int) -> None:
        self.returncode = status
        self.line.close()


class Zygote:
    """The process that forks kernels of one kind (see `zygote`)."""

    def __init__(self, start: Start) -> None:
        self.kind = start.of_zygote
        self.are_movable = False  #: whether its kernels can begin in another folder than they were started in
        self._lock = threading.Lock()
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [*start.interpreter, str(_ZYGOTE), str(theirs.fileno()), *start.preloaded],
                    env=dict(start.env),
                    cwd=start.cwd_of_zygote,
                    stdin=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                raise PoolError(f"No process could be started: {error}") from None
        self._control = ours
        self._end = weakref.finalize(self, _close, self._process, ours)
        self._hear(START_S)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._end.alive and self._process.poll() is None

    def fork(self, start: Start) -> WarmKernel:
        """A kernel, on its way to being ready.

        Raises:
            PoolError: the zygote has ended, or cannot fork.
        """
        from jupyter_core.paths import jupyter_runtime_dir

        connection_file = Path(jupyter_runtime_dir(), f"kernel-{uuid.uuid4()}.json")
        rest = ["-f", str(connection_file), *start.arguments]
        request = {
            "argv": [_launcher(), *rest],
            "command": [*start.interpreter, "-m", "ipykernel_launcher", *rest],
            "cwd": start.cwd,
        }
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            with theirs:
                answer = self.ask({"fork": request}, (theirs.fileno(), 1, 2))
            if "error" in answer:
                raise PoolError(f"No kernel could be forked: {answer['error']}")
        except PoolError:
            ours.close()
            raise
        return WarmKernel(self, answer["pid"], ours, start, connection_file)

    def ask(self, request: dict[str, Any], descriptors: Sequence[int] = ()) -> dict[str, Any]:
        """Send a request and return its answer.

        Raises:
            PoolError: the zygote has ended, or does not answer.
        """
        with self._lock:
            try:
                socket.send_fds(self._control, [json.dumps(request).encode() + b"\n"], list(descriptors))
            except OSError as error:
                raise PoolError(f"The process that forks kernels has ended: {error}") from None
            return self._hear(START_S)

    def retire(self) -> None:
        """Let it fork no more, and end with its last kernel."""
        with contextlib.suppress(PoolError):
            self.ask({"retire": True})

    def close(self) -> None:
        """End it and its kernels. Does nothing the second time."""
        self._end()

    def forget(self) -> None:
        """In a forked child of this process: it is the parent's."""
        self._end.detach()
        self._control.close()
        self._process.returncode = 0

    def _hear(self, timeout_s: float) -> dict[str, Any]:
        self._control.settimeout(timeout_s)
        said = b""
        try:
            while not said.endswith(b"\n"):
                data = self._control.recv(4096)
                if not data:
                    raise PoolError("The process that forks kernels has ended.")
                said += data
        except OSError as error:
            raise PoolError(f"The process that forks kernels does not answer: {error}") from None
        answer: dict[str, Any] = json.loads(said)
        return answer


def _close(process: subprocess.Popen[bytes], control: socket.socket) -> None:
    control.close()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _launcher() -> str:
    from importlib.util import find_spec

    found = find_spec("ipykernel_launcher")
    if found is None or found.origin is None:
        raise PoolError("ipykernel is not installed.")
    return found.origin


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolState:
    """What a pool holds at a moment."""

    zygotes: tuple[int, ...]  #: their process ids
    idle: tuple[int, ...]  #: kernels that wait for a notebook
    busy: tuple[int, ...]  #: kernels that serve one
    memory_bytes: int  #: of all these together; pages that they share are counted once (PSS)


@dataclass(slots=True)
class KernelPool:
    """The warm kernels of this process. Every method may be called from any thread.

    Spares are forked when a notebook's kernel is ready, from the second notebook on: a process that executes
    only one has no use for them. There are as many as notebooks have run at once, at most `most`.

    Attributes:
        most: the most kernels that wait; one for each processor unless said otherwise.
        preloaded: modules that every notebook of this process will import; importing them starts no thread.
    """

    most: int = field(default_factory=lambda: os.cpu_count() or 1)
    preloaded: tuple[str, ...] = ()
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _zygotes: list[Zygote] = field(default_factory=list)  # the last one forks; others wait for their kernels
    _idle: list[WarmKernel] = field(default_factory=list)
    _busy: list[WarmKernel] = field(default_factory=list)
    _claims: int = 0
    _at_once: int = 0

    def claim(self, start: Start) -> WarmKernel:
        """A kernel that nobody else has had, perhaps not ready yet.

        Raises:
            PoolError: there is none.
        """
        with self._lock:
            self._tidy()
            self._claims += 1
            kernel = next((idle for idle in self._idle if idle.fits(start)), None)
            if kernel is None:
                kernel = self._zygote(start).fork(start)
            else:
                self._idle.remove(kernel)
            self._busy.append(kernel)
            self._at_once = max(self._at_once, len(self._busy))
            return kernel

    def fork_spares(self, start: Start) -> None:
        """Have kernels of this kind wait for the notebooks that will probably follow."""
        with self._lock, contextlib.suppress(PoolError):
            if self._claims > 1:
                self._fill(start, self._at_once)

    def give_back(self, kernel: WarmKernel) -> None:
        """Forget a kernel that has served its notebook."""
        with self._lock:
            if kernel in self._busy:
                self._busy.remove(kernel)
            self._tidy()

    def state(self) -> PoolState:
        """What there is now, with its memory."""
        with self._lock:
            self._tidy()
            zygotes = tuple(zygote.pid for zygote in self._zygotes)
            idle = tuple(kernel.pid for kernel in self._idle)
            busy = tuple(kernel.pid for kernel in self._busy if kernel.poll() is None)
        memory = sum(_pss(pid) for pid in (*zygotes, *idle, *busy))
        return PoolState(zygotes=zygotes, idle=idle, busy=busy, memory_bytes=memory)

    def close(self) -> None:
        """End every process of this pool. It can be used again."""
        with self._lock:
            for kernel in (*self._idle, *self._busy):
                kernel.let_go()
            for zygote in self._zygotes:
                zygote.close()
            self._forget()

    def forget(self) -> None:
        """In a forked child of this process: start with nothing, and hold nothing of the parent's open."""
        for kernel in (*self._idle, *self._busy):
            kernel.let_go()
        for zygote in self._zygotes:
            zygote.forget()
        self._lock = threading.RLock()
        self._forget()

    def _forget(self) -> None:
        self._zygotes, self._idle, self._busy = [], [], []
        self._claims = self._at_once = 0

    def _fill(self, start: Start, count: int) -> None:
        wanted = min(count, self.most)
        fitting = [kernel for kernel in self._idle if kernel.fits(start)]
        missing = wanted - len(fitting)
        for kernel in [other for other in self._idle if other not in fitting]:
            if len(self._idle) + missing > self.most:  # they wait for notebooks that did not come
                self._idle.remove(kernel)
                kernel.let_go()
        for _ in range(missing):
            self._idle.append(self._zygote(start).fork(start))

    def _zygote(self, start: Start) -> Zygote:
        if not self._zygotes or self._zygotes[-1].kind != start.of_zygote:
            for zygote in self._zygotes:
                zygote.retire()
            self._zygotes.append(Zygote(start))
        return self._zygotes[-1]

    def _tidy(self) -> None:
        for zygote in [zygote for zygote in self._zygotes if not zygote.is_alive]:
            zygote.close()
            self._zygotes.remove(zygote)
        self._idle = [kernel for kernel in self._idle if kernel.poll() is None]


def _pss(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


#: The pool of this process.
POOL = KernelPool()

atexit.register(POOL.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=POOL.forget)
