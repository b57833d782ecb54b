"""Bodies on their way: bounded buffers between the network and a guest's thread.

What comes in waits for the guest until `INCOMING_BYTES` are here; what goes out waits for the
network until `OUTGOING_BYTES` are here. The side that is too fast waits.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from wasm_lab.scenarios.spin.host.io import READ_BYTES, InputStream, OutputStream, closed, failed
from wasm_lab.scenarios.spin.host.waiting import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wasm_lab.scenarios.spin.host.waiting import Watch

#: Bytes of a body that wait for the guest before no more are taken from the network.
INCOMING_BYTES = 256 * 1024

#: Bytes of a body that wait for the network before the guest must wait.
OUTGOING_BYTES = 256 * 1024


class IncomingBytes:
    """A body that comes in. The network's side calls `feed`, then `finish` or `fail`; the guest `take`.

    Args:
        taken: called in the guest's thread when a full buffer has room again, and when nobody will
            read the rest; the network's side may then go on.
    """

    def __init__(self, taken: Callable[[], None] | None = None) -> None:
        self.signal = Signal()
        self.taken = taken
        self._chunks: deque[bytes] = deque()
        self._at = 0  # where the rest of the first chunk begins
        self._waiting = 0
        self._ended = False
        self._failure = ""
        self._full = False
        self._unwanted = False
        self._lock = threading.Lock()

    @classmethod
    def of(cls, data: bytes) -> IncomingBytes:
        """A body that is here as a whole."""
        body = cls()
        if data:
            body.feed(data)
        body.finish()
        return body

    def feed(self, chunk: bytes) -> bool:
        """Add bytes; False when no more should come until `taken` is called."""
        with self._lock:
            if self._unwanted:
                return True
            self._chunks.append(chunk)
            self._waiting += len(chunk)
            self._full = self._waiting >= INCOMING_BYTES
            room = not self._full
        self.signal.set()
        return room

    @property
    def full(self) -> bool:
        return self._full

    def finish(self) -> None:
        """Everything came."""
        self._ended = True
        self.signal.set()

    def fail(self, why: str) -> None:
        """The rest will not come."""
        self._failure = why
        self.signal.set()

    def discard(self) -> None:
        """Nobody will read the rest."""
        with self._lock:
            self._unwanted = True
            self._chunks.clear()
            self._waiting = 0
            resume, self._full = self._full, False
        if resume and self.taken is not None:
            self.taken()

    @property
    def ended(self) -> bool:
        """Whether everything came, or the rest will not."""
        return self._ended or bool(self._failure)

    def ready(self) -> bool:
        """Whether `take` has something to say: bytes, the end or a failure."""
        return bool(self._chunks) or self._ended or bool(self._failure)

    def take(self, length: int) -> bytes:
        """Up to so many bytes; none when none are here yet. Raises `io.closed` at the end."""
        if not length:
            return b""
        with self._lock:
            if not self._chunks:
                if self._failure:
                    raise failed(self._failure)
                if self._ended:
                    raise closed()
                return b""
            chunk = self._chunks[0]
            if len(chunk) - self._at > length:
                chunk = chunk[self._at : self._at + length]
                self._at += length
            else:
                self._chunks.popleft()
                chunk = chunk[self._at :] if self._at else chunk
                self._at = 0
            self._waiting -= len(chunk)
            resume = self._full and self._waiting < INCOMING_BYTES // 2
            if resume:
                self._full = False
        if resume and self.taken is not None:
            self.taken()
        return chunk


class BodyInput(InputStream):
    """The ``input-stream`` of a body."""

    def __init__(self, watch: Watch, body: IncomingBytes) -> None:
        self.watch = watch
        self._body = body
        self.signal = body.signal

    def ready(self) -> bool:
        return self._body.ready()

    def read(self, length: int) -> bytes:
        return self._body.take(min(length, READ_BYTES))


def _nothing() -> None:
    pass


class OutgoingBytes:
    """A body that goes out. The guest calls `put`, then `finish` or `abort`; the network's side `take_all`.

    Args:
        expected: bytes that ``content-length`` promises; None when it promises nothing.
        now: called in the guest's thread when the network's side must look, for the buffer is full.
        soon: called there when it may look soon: the guest flushed, or nothing more will come.
            By default `chunks` is what looks.
    """

    def __init__(
        self,
        expected: int | None,
        now: Callable[[], None] | None = None,
        soon: Callable[[], None] | None = None,
    ) -> None:
        self.room = Signal(is_set=True)
        self.news = Signal()
        self.expected = expected
        self.written = 0
        self.finished = False
        self.aborted = False
        self._now = now or self.news.set
        self._soon = soon or self.news.set
        self._chunks: list[bytes] = []
        self._waiting = 0
        self._refused = False
        self._lock = threading.Lock()

    def unwatch(self) -> None:
        """The guest is over: nobody need be told any more, and whoever was can go."""
        self._now = self._soon = _nothing

    def watch(self, look: Callable[[], None]) -> None:
        """Have this called from now on when there is something new, and once at once."""
        self._now = self._soon = look
        look()

    @property
    def waiting(self) -> int:
        """Bytes that the network's side has not taken yet."""
        return self._waiting

    def space(self) -> int:
        """Bytes that `put` takes now."""
        return max(0, OUTGOING_BYTES - self._waiting)

    def put(self, contents: bytes) -> None:
        """Add bytes; raises `io.failed` when more come than were promised."""
        if self.expected is not None and self.written + len(contents) > self.expected:
            raise failed(f"The body is longer than the {self.expected} bytes that content-length promised.")
        self.written += len(contents)
        with self._lock:
            if self._refused:
                return
            self._chunks.append(contents)
            self._waiting += len(contents)
            full = self._waiting >= OUTGOING_BYTES
            if full:
                self.room.clear()
        if full:
            self._now()

    def flush(self) -> None:
        """What waits shall be sent."""
        if self._waiting:
            self._soon()

    def finish(self) -> None:
        """Nothing more comes."""
        self.finished = True
        self._soon()

    def abort(self) -> None:
        """The rest will not come."""
        if not self.finished:
            self.aborted = True
            self._soon()

    def refuse(self) -> None:
        """The network's side takes no more: what the guest still writes is dropped."""
        with self._lock:
            self._refused = True
            self._chunks.clear()
            self._waiting = 0
        self.room.set()

    def take_all(self) -> bytes:
        """Everything that waits, as one piece."""
        with self._lock:
            chunks, self._chunks = self._chunks, []
            self._waiting = 0
        self.room.set()
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def chunks(self) -> Iterator[bytes]:
        """What the guest writes, as it comes: for a client that sends it from a thread of its own.

        Raises:
            ConnectionAbortedError: the guest gave the body up.
        """
        waiter = threading.Event()
        self.news.add(waiter)
        try:
            while True:
                waiter.clear()
                finished, aborted = self.finished, self.aborted  # read before the bytes: none are missed
                data = self.take_all()
                if data:
                    yield data
                elif finished:
                    return
                elif aborted:
                    raise ConnectionAbortedError("The guest gave up the body of its request.")
                else:
                    waiter.wait()
        finally:
            self.news.remove(waiter)


class BodyOutput(OutputStream):
    """The ``output-stream`` of a body."""

    def __init__(self, watch: Watch, body: OutgoingBytes) -> None:
        self.watch = watch
        self._body = body
        self.signal = body.room

    def ready(self) -> bool:
        return self._body.space() > 0 or self._body.finished or self._body.aborted

    def check_write(self) -> int:
        if self._body.finished or self._body.aborted:
            raise closed()
        return self._body.space()

    def accept(self, contents: bytes) -> None:
        self._body.put(contents)

    def flush(self) -> None:
        self._body.flush()
