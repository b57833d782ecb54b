"""Calls of WASI 0.1 that are answered here: leaving, sleeping, clocks, randomness, standard input."""

from __future__ import annotations

import functools
import hashlib
import os
import select
import stat
import struct
import sys
import time
from typing import TYPE_CHECKING

from wasm_lab.capabilities import ClockMode, RandomMode
from wasm_lab.run import HostCall
from wasm_lab.runtimes.wasmtime.files import FrozenFiles
from wasm_lab.runtimes.wasmtime.guard import TICK_S
from wasm_lab.runtimes.wasmtime.host import PATH_CALLS, Host, StopGuest
from wasm_lab.wasi.descriptors import FIRST_PREOPEN
from wasm_lab.wasi.judge import FLAGS, SAYS_NO, refused_by
from wasm_lab.wasi.tables import ERRNO, Call, calls

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.capabilities import Capabilities
    from wasm_lab.wasi.audit import AuditLog

    Handler = Callable[[tuple[int, ...]], int]

_OK, _INVAL, _BADF, _NXIO, _NOTCAPABLE = (
    ERRNO[name] for name in ("success", "inval", "badf", "nxio", "notcapable")
)

#: ``$clockid``: the two clocks that hosts have; the others are optional and answered with ``badf``.
_REALTIME, _MONOTONIC = 0, 1

#: ``$subscription``, ``$event`` and ``$iovec``: their sizes in bytes (witx).
_SUBSCRIPTION_BYTES, _EVENT_BYTES, _IOVEC_BYTES = 48, 32, 8
_TAG_CLOCK, _TAG_READ = 0, 1
_ABSOLUTE = 1  # ``$subclockflags``: subscription_clock_abstime

#: Random bytes made between two looks at the deadline.
_RANDOM_CHUNK_BYTES = 1 << 20

#: Most subscriptions of one poll and buffers of one read that are looked at.
_MOST_SUBSCRIPTIONS, _MOST_BUFFERS = 4096, 1024

#: Most bytes passed on from standard input by one call.
_STDIN_CHUNK_BYTES = 1 << 16

#: Refused paths kept of a run without an audit.
_KEPT_REFUSALS = 20

_STDIN = 0


class Preview1:
    """Handlers for one store's host, as its capabilities ask for them."""

    def __init__(self, host: Host, capabilities: Capabilities) -> None:
        self._host = host
        self._capabilities = capabilities
        self._frozen = capabilities.clock is ClockMode.FROZEN
        self._started_ns = time.monotonic_ns()
        self._slept_ns = 0
        self._random_calls = 0
        # select() waits only for sockets on Windows: there the native call must do.
        self._reads_stdin = capabilities.stdin is None and sys.platform != "win32"
        self.sought_folder = False  #: whether it asked for opened folders where there are none
        self._refused: dict[str, HostCall] = {}
        self._refusals: AuditLog | None = None
        handlers = host.handlers
        handlers["proc_exit"] = self._proc_exit
        handlers["poll_oneoff"] = self._poll_oneoff
        if capabilities.clock is ClockMode.REFUSED:
            for name in ("clock_time_get", "clock_res_get", "poll_oneoff"):
                self._refuse(name, "clock")
        elif self._frozen:
            handlers["clock_time_get"] = self._clock_time_get
            handlers["clock_res_get"] = self._clock_res_get
        if capabilities.random is RandomMode.REFUSED:
            self._refuse("random_get", "random")
        elif capabilities.random is RandomMode.SEEDED:
            handlers["random_get"] = self._random_get
        self._files = FrozenFiles(host, lambda: self.frozen_ns) if self._frozen else None
        if self._reads_stdin:
            handlers["fd_read"] = self._fd_read
        if self._reads_stdin or self._files:
            handlers["fd_close"] = self._fd_close
            handlers["fd_renumber"] = self._fd_renumber
        if not capabilities.dirs:
            handlers["fd_prestat_get"] = self._fd_prestat_get
        else:
            handlers["path_open"] = self._path_open
        if capabilities.dirs and host.log is None:
            from wasm_lab.wasi.audit import AuditLog

            self._refusals = AuditLog(capabilities, kept_calls=_KEPT_REFUSALS)
            for name in PATH_CALLS:
                handlers[name] = functools.partial(self._path_call, calls()[name], handlers.get(name))

    def _refuse(self, name: str, capability: str) -> None:
        self._host.verdicts[name] = refused_by(capability)

        def refuse(_raw: tuple[int, ...]) -> int:
            self._refused[name] = HostCall(
                name=name,
                arguments={},
                result="notcapable",
                allowed=False,
                capability=capability,
                flag=FLAGS[capability],
            )
            return _NOTCAPABLE

        self._host.handlers[name] = refuse

    def _proc_exit(self, raw: tuple[int, ...]) -> int:
        self._host.exit_status = raw[0]
        raise StopGuest(f"exit with status {raw[0]}")

    # Time ---------------------------------------------------------------------------------

    @property
    def frozen_ns(self) -> int:
        """What a frozen clock shows: where it stands, and what the guest has slept since."""
        return self._capabilities.frozen_ns + self._slept_ns

    def _clock_time_get(self, raw: tuple[int, ...]) -> int:
        clock, _, pointer = raw
        if clock not in {_REALTIME, _MONOTONIC}:
            return _BADF
        self._host.write(pointer, struct.pack("<Q", self.frozen_ns % 2**64))
        return _OK

    def _clock_res_get(self, raw: tuple[int, ...]) -> int:
        clock, pointer = raw
        if clock not in {_REALTIME, _MONOTONIC}:
            return _BADF
        self._host.write(pointer, struct.pack("<Q", 1))
        return _OK

    def _now(self, clock: int) -> int:
        if self._frozen:
            return self.frozen_ns
        # The native monotonic clock counts from when the store's WASI was made.
        return time.time_ns() if clock == _REALTIME else time.monotonic_ns() - self._started_ns

    def _poll_oneoff(self, raw: tuple[int, ...]) -> int:
        """Wait for clocks and streams, seeing the deadline and the interrupt meanwhile.

        Files are always ready, so when there is any the native implementation answers at
        once; what may take long is waiting for a clock or for this process's standard input.
        """
        subscriptions, events, count, ready = raw
        if not 0 < count <= _MOST_SUBSCRIPTIONS:
            return _INVAL
        data = self._host.read(subscriptions, count * _SUBSCRIPTION_BYTES)
        clocks: list[tuple[int, int]] = []  # nanoseconds from now, user data
        stdin: list[int] = []
        for start in range(0, len(data), _SUBSCRIPTION_BYTES):
            userdata, tag = struct.unpack_from("<QB", data, start)
            if tag == _TAG_CLOCK:
                clock, timeout, _, flags = struct.unpack_from("<I4xQQH", data, start + 16)
                wait = timeout - self._now(clock) if flags & _ABSOLUTE else timeout
                clocks.append((max(wait, 0), userdata))
            elif (
                tag == _TAG_READ
                and self._reads_stdin
                and struct.unpack_from("<I", data, start + 16)[0] == _STDIN
            ):
                stdin.append(userdata)
            else:
                return self._host.forward("poll_oneoff", raw)
        if not clocks and not stdin:
            return _INVAL
        wait_ns = min(clocks)[0] if clocks else None
        readable = self._wait(wait_ns, stdin=bool(stdin))
        if readable:
            answers = [_event(userdata, _TAG_READ, 1) for userdata in stdin]
        else:
            answers = [_event(userdata, _TAG_CLOCK, 0) for wait, userdata in clocks if wait == wait_ns]
        self._host.write(events, b"".join(answers))
        self._host.write(ready, struct.pack("<I", len(answers)))
        return _OK

    def _wait(self, wait_ns: int | None, *, stdin: bool) -> bool:
        """Wait for standard input or until the time is over; whether there is input."""
        if self._frozen and wait_ns is not None:
            if stdin and _readable(0):
                return True
            self._slept_ns += wait_ns
            return False
        until = None if wait_ns is None else time.monotonic() + wait_ns / 1e9
        while True:
            reason = self._host.guard.why_stop()
            if reason:
                raise StopGuest(reason)
            left = TICK_S if until is None else min(TICK_S, until - time.monotonic())
            if stdin and _readable(max(left, 0)):
                return True
            if left <= 0:
                return False
            if not stdin:
                time.sleep(left)

    # Randomness ---------------------------------------------------------------------------

    def _random_get(self, raw: tuple[int, ...]) -> int:
        """The same bytes in every run: SHAKE-128 of the seed and the number of the call."""
        start, size = raw
        self._host.read(start, 0)
        position = 0
        while position < size:
            piece = min(size - position, _RANDOM_CHUNK_BYTES)
            self._random_calls += 1
            stream = f"wasm-lab {self._capabilities.seed} {self._random_calls}".encode()
            self._host.write(start + position, hashlib.shake_128(stream).digest(piece))
            position += piece
            if self._host.guard.why_stop():
                raise StopGuest(self._host.guard.why_stop())
        return _OK

    # Standard input -----------------------------------------------------------------------

    def _fd_read(self, raw: tuple[int, ...]) -> int:
        descriptor, buffers, count, read = raw
        if descriptor != _STDIN or not self._reads_stdin:
            return self._host.forward("fd_read", raw)
        vectors = self._host.read(buffers, min(count, _MOST_BUFFERS) * _IOVEC_BYTES)
        self._wait(None, stdin=True)
        places = list(struct.iter_unpack("<II", vectors))
        data = os.read(_STDIN, min(sum(size for _, size in places), _STDIN_CHUNK_BYTES))
        position = 0
        for start, size in places:
            piece = data[position : position + size]
            self._host.write(start, piece)
            position += len(piece)
            if position == len(data):
                break
        self._host.write(read, struct.pack("<I", len(data)))
        return _OK

    def _fd_close(self, raw: tuple[int, ...]) -> int:
        errno = self._host.forward("fd_close", raw)
        if errno == _OK:
            self._changed(raw[0])
        return errno

    def _fd_renumber(self, raw: tuple[int, ...]) -> int:
        errno = self._host.forward("fd_renumber", raw)
        if errno == _OK:
            self._changed(raw[0])
            self._changed(raw[1])
        return errno

    def _changed(self, descriptor: int) -> None:
        """A descriptor is no longer what it was."""
        if descriptor == _STDIN:
            self._reads_stdin = False
        if self._files:
            self._files.forget(descriptor)

    # Folders ------------------------------------------------------------------------------

    def _fd_prestat_get(self, raw: tuple[int, ...]) -> int:
        """No folder was opened to the guest, and it asks for one: libraries do when a path is used."""
        del raw
        self.sought_folder = True
        return _BADF

    def _path_open(self, raw: tuple[int, ...]) -> int:
        """Opening a named pipe waits for its other end inside the engine, where nothing can stop it."""
        directory, _, start, size, *_ = raw
        if self._is_pipe(directory, self._host.read(start, size)):
            return _NXIO
        return self._host.forward("path_open", raw)

    def _is_pipe(self, directory: int, path: bytes) -> bool:
        number = directory - FIRST_PREOPEN
        if not 0 <= number < len(self._capabilities.dirs):
            return False
        folder = os.fsencode(self._capabilities.dirs[number].host)
        file = os.path.join(folder, path.lstrip(b"/"))  # noqa: PTH118 - bytes, and for every opening
        try:
            if not stat.S_ISFIFO(os.stat(file).st_mode):  # noqa: PTH116
                return False
        except (OSError, ValueError):
            return False
        # Whether there is a pipe outside of the folder is not the guest's business.
        inside = os.path.realpath(folder) + b"/"
        return os.path.realpath(file).startswith(inside)

    def _path_call(self, call: Call, handler: Handler | None, raw: tuple[int, ...]) -> int:
        """A call with a path, kept for `denied` when it is refused."""
        errno = handler(raw) if handler else self._host.forward(call.name, raw)
        if errno in SAYS_NO and self._refusals:
            pending = self._refusals.before(call, raw, self._host.read)
            self._refusals.after(pending, errno, started_ns=0, duration_ns=0)
        return errno

    def denied(self, stdout: bytes, stderr: bytes) -> tuple[HostCall, ...]:
        """The refused calls that are known without an audit."""
        known = list(self._refused.values())
        if self._refusals:
            known += [call for call in self._refusals.take() if not call.allowed]
        if self.sought_folder:
            text = (stdout + stderr).decode(errors="replace")
            from wasm_lab.wasi.refusals import folder_was_missed, refusals_in

            missed = folder_was_missed(text)
            known += refusals_in(text) or ([missed] if missed else [])
        return tuple(known)


def _event(userdata: int, tag: int, size: int) -> bytes:
    return struct.pack("<QHB5xQH6x", userdata, _OK, tag, size, 0)


def _readable(seconds: float) -> bool:
    return bool(select.select([_STDIN], [], [], seconds)[0])
