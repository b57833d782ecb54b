"""``wasi:io``: errors, pollables and streams."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.host.codes import variant
from wasm_lab.scenarios.spin.host.waiting import wait_for_any

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.scenarios.spin.host.waiting import Signal, Watch

#: Bytes that one read gives at most, whatever the guest asks for.
READ_BYTES = 64 * 1024


class Error:
    """The resource ``error``: what an operation failed of."""

    def __init__(self, message: str, code: Any = None) -> None:
        self.message = message
        self.code = code  #: for ``http-error-code`` and ``filesystem-error-code``

    def to_debug_string(self) -> str:
        return self.message


#: The variant ``stream-error``.
StreamError = variant("StreamError", "Closed", "LastOperationFailed")


def closed() -> Err:
    """What a stream raises that is at its end."""
    return Err(StreamError.Closed())


def failed(message: str, code: Any = None) -> Err:
    """What a stream raises whose last operation failed."""
    return Err(StreamError.LastOperationFailed(Error(message, code)))


def always() -> bool:
    return True


class Pollable:
    """The resource ``pollable``.

    Args:
        watch: bounds the waiting: the running instance's own data.
        ready: whether it is ready now.
        signal: set when that may have changed; None when only time changes it.
        ready_at_s: when it becomes ready by itself, on the clock of ``time.monotonic``.
    """

    __slots__ = ("ready", "ready_at_s", "signal", "watch")

    def __init__(
        self,
        watch: Watch,
        ready: Callable[[], bool] = always,
        signal: Signal | None = None,
        ready_at_s: float | None = None,
    ) -> None:
        self.watch = watch
        self.ready = ready
        self.signal = signal
        self.ready_at_s = ready_at_s

    def block(self) -> None:
        if not self.ready():
            wait_for_any((self,), self.watch)


def timer(watch: Watch, ready_at_s: float) -> Pollable:
    """A pollable that becomes ready at a time on the clock of ``time.monotonic``."""
    return Pollable(watch, lambda: time.monotonic() >= ready_at_s, None, ready_at_s)


def poll(pollables: list[Pollable]) -> list[int]:
    """``wasi:io/poll.poll``: which are ready, after waiting for the first."""
    ready = [index for index, pollable in enumerate(pollables) if pollable.ready()]
    if ready:
        return ready
    if not pollables:
        raise ValueError("poll was called with an empty list, which WASI does not allow.")
    wait_for_any(pollables, pollables[0].watch)
    return [index for index, pollable in enumerate(pollables) if pollable.ready()]


class InputStream:
    """The resource ``input-stream``. A subclass gives `read`, `ready` and perhaps `signal`."""

    signal: Signal | None = None
    ready_at_s: float | None = None

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def ready(self) -> bool:
        """Whether `read` has something to say: bytes, the end or a failure."""
        return True

    def read(self, length: int) -> bytes:
        """Up to so many bytes; none when there is nothing yet. Raises `closed` at the end."""
        raise closed()

    def blocking_read(self, length: int) -> bytes:
        if length and not self.ready():
            wait_for_any((self,), self.watch)
        return self.read(length)

    def skip(self, length: int) -> int:
        return len(self.read(length))

    def blocking_skip(self, length: int) -> int:
        return len(self.blocking_read(length))

    def subscribe(self) -> Pollable:
        return Pollable(self.watch, self.ready, self.signal)


class BytesInput(InputStream):
    """A stream of bytes that are here already."""

    def __init__(self, watch: Watch, data: bytes) -> None:
        super().__init__(watch)
        self._data = data
        self._at = 0

    def read(self, length: int) -> bytes:
        if self._at >= len(self._data):
            raise closed()
        chunk = self._data[self._at : self._at + min(length, READ_BYTES)]
        self._at += len(chunk)
        return chunk


class OutputStream:
    """The resource ``output-stream``. A subclass gives `check_write`, `accept` and perhaps `ready`."""

    signal: Signal | None = None
    ready_at_s: float | None = None

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def ready(self) -> bool:
        """Whether `check_write` would give room, or raise."""
        return True

    def check_write(self) -> int:
        """How many bytes may be written now."""
        return READ_BYTES

    def accept(self, contents: bytes) -> None:
        """Take bytes; there is room for them."""

    def flush(self) -> None:
        """Send on what was written; does not wait."""

    def write(self, contents: bytes) -> None:
        if len(contents) > self.check_write():
            raise ValueError("The guest wrote more than check-write allowed.")
        self.accept(contents)

    def blocking_write_and_flush(self, contents: bytes) -> None:
        at = 0
        while True:
            room = self.check_write()
            if room >= len(contents) - at:
                self.accept(contents[at:] if at else contents)
                break
            if room:
                self.accept(contents[at : at + room])
                at += room
            else:
                wait_for_any((self,), self.watch)
        self.flush()

    def blocking_flush(self) -> None:
        self.flush()
        if not self.ready():
            wait_for_any((self,), self.watch)
        self.check_write()  # tells of a failure meanwhile

    def subscribe(self) -> Pollable:
        return Pollable(self.watch, self.ready, self.signal)

    def write_zeroes(self, length: int) -> None:
        if length > self.check_write():
            raise ValueError("The guest wrote more than check-write allowed.")
        self.accept(bytes(length))

    def blocking_write_zeroes_and_flush(self, length: int) -> None:
        while length > 0:
            part = min(length, READ_BYTES)
            self.blocking_write_and_flush(bytes(part))
            length -= part

    def splice(self, src: InputStream, length: int) -> int:
        room = min(length, self.check_write())
        if not room:
            return 0
        data = src.read(room)
        self.accept(data)
        return len(data)

    def blocking_splice(self, src: InputStream, length: int) -> int:
        if length and not self.ready():
            wait_for_any((self,), self.watch)
        if length and not src.ready():
            wait_for_any((src,), self.watch)
        return self.splice(src, length)


class error:  # noqa: N801 - an interface, whose names are the WIT's
    """``wasi:io/error``."""

    Error = Error


class poll_interface:  # noqa: N801
    """``wasi:io/poll``."""

    Pollable = Pollable
    poll = staticmethod(poll)


class streams:  # noqa: N801
    """``wasi:io/streams``."""

    InputStream = InputStream
    OutputStream = OutputStream


#: What these interfaces are called in WIT.
INTERFACES: dict[str, object] = {
    "wasi:io/error": error,
    "wasi:io/poll": poll_interface,
    "wasi:io/streams": streams,
}
