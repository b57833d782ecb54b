"""A child process and the lines that are exchanged with it, whatever the measured code prints.

Orders go to its standard input, one at a time: the next is sent only when the last was answered,
so that a guest which shares that input with its host finds nothing else in it. Each answer is a
line that begins with a random mark; everything else on standard output is skipped. The end of
standard error is kept for the message of an error.

The child is killed when it passes its deadline and when the channel is closed. When this process
itself is killed, the child sees the end of its input; where it may be in an endless loop instead,
it was told to die with its parent (see `dying_with_parent`).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import selectors
import shutil
import subprocess
import sys
import time
import weakref
from typing import TYPE_CHECKING, NoReturn, TypeVar

from wasm_lab.errors import ProbeError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

#: Of standard error, how much of its end is kept, in bytes.
KEPT_STDERR_BYTES = 4 * 1024

#: What is skipped of standard output while one answer is awaited, in bytes; more is an error.
SKIPPED_BYTES = 256 * 1024 * 1024

_CHUNK = 1 << 16

T = TypeVar("T")


class Channel:
    """A running child and the way to ask it.

    Args:
        command: the program and its arguments.
        what: what messages call the child, such as ``fib in wasmtime``.
        deadline_s: seconds that each answer may take.
        scratch: a folder for the child to write to, removed when it has ended.

    Raises:
        ProbeError: it cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str | os.PathLike[str]],
        *,
        what: str,
        deadline_s: float,
        scratch: Path | None = None,
    ) -> None:
        self.what = what
        self.scratch = scratch
        self.deadline_s = deadline_s
        self.mark = secrets.token_hex(8)
        self.stderr = bytearray()
        self._begin = f"\n{self.mark} ".encode()
        self._buffer = bytearray(b"\n")  # so that a mark at the very beginning is found
        try:
            self._process = subprocess.Popen(
                [os.fspath(word) for word in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                # Ctrl-C is for the one who measures, who closes the channel in its own time.
                process_group=None if sys.platform == "win32" else 0,
            )
        except OSError as error:
            raise ProbeError(f"{what} could not be started: {error}.") from None
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._to, self._from, self._errors = process.stdin, process.stdout, process.stderr
        for stream in (self._to, self._from, self._errors):
            os.set_blocking(stream.fileno(), False)
        self.closed = False
        self._finalizer = weakref.finalize(self, _end, process, scratch)

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, order: str, payload: bytes = b"", *, deadline_s: float | None = None) -> list[str]:
        """Send one line and what belongs to it; the words of the answer.

        Raises:
            ProbeError: the child died, passed its deadline, or answered ``failed …``.
        """
        return self.exchange(order.encode() + b"\n" + payload, deadline_s=deadline_s)

    def exchange(self, data: bytes, *, deadline_s: float | None = None) -> list[str]:
        """As `ask`, with raw bytes; empty ones only wait for a further answer."""
        until = time.monotonic() + (self.deadline_s if deadline_s is None else deadline_s)
        line = self._talk(memoryview(data), self._take_line, until)
        words = line.decode(errors="replace").split(" ")
        if words[0] == "failed":
            text = bytes(self._talk(memoryview(b""), lambda: self._take(int(words[1])), until))
            self._fail(text.decode(errors="replace"))
        return words

    def payload(self, size: int) -> bytes:
        """The ``size`` bytes that follow an answer.

        Raises:
            ProbeError: as `ask`.
        """
        until = time.monotonic() + self.deadline_s
        return bytes(self._talk(memoryview(b""), lambda: self._take(size), until))

    def wait(self) -> int:
        """Read on to the child's end; its exit status.

        Raises:
            ProbeError: it passed its deadline.
        """
        until = time.monotonic() + self.deadline_s
        self._to.close()
        with contextlib.suppress(EOFError):
            self._pump(memoryview(b""), _never, until)
        return self._status(until)

    def close(self) -> None:
        """Kill the child and let go of it. Does nothing the second time."""
        self.closed = True
        self._finalizer()

    # Reading and writing -------------------------------------------------------------------

    def _take_line(self) -> bytes | None:
        start = self._buffer.find(self._begin)
        if start < 0:
            skipped = len(self._buffer) - len(self._begin)
            if skipped > 0:  # keep what may be the beginning of a mark
                self._skipped += skipped
                del self._buffer[:skipped]
            if self._skipped > SKIPPED_BYTES:
                self._fail(f"it printed more than {SKIPPED_BYTES >> 20} MiB", hint="Have it print less.")
            return None
        start += len(self._begin)
        end = self._buffer.find(b"\n", start)
        if end < 0:
            return None
        line = bytes(self._buffer[start:end])
        del self._buffer[: end + 1]
        return line

    def _take(self, size: int) -> bytes | None:
        if len(self._buffer) < size:
            return None
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _talk(self, data: memoryview, take: Callable[[], T | None], until: float) -> T:
        if self.closed:
            raise ProbeError(f"{self.what}: its process was closed.")
        try:
            return self._pump(data, take, until)
        except EOFError:
            self._fail(_ending(self._status(until)))
        except KeyboardInterrupt:
            self.close()  # in the middle of an exchange: it cannot be asked again
            raise

    def _pump(self, data: memoryview, take: Callable[[], T | None], until: float) -> T:
        """Write ``data`` and read until ``take`` gives something. Raises EOFError at the end of output."""
        self._skipped = 0
        if not data:
            found = take()
            if found is not None:
                return found
        with selectors.DefaultSelector() as selector:
            selector.register(self._from, selectors.EVENT_READ)
            if not self._errors.closed:
                selector.register(self._errors, selectors.EVENT_READ)
            if data:
                selector.register(self._to, selectors.EVENT_WRITE)
            while True:
                ready = selector.select(max(0.0, until - time.monotonic()))
                if not ready and time.monotonic() >= until:
                    self._fail(
                        "it gave no answer in time and was stopped",
                        hint="Is it an endless loop, or does it read standard input? Or take a smaller input.",
                    )
                for key, _ in ready:
                    if key.fileobj is self._to:
                        data = self._write(data)
                        if not data:
                            selector.unregister(self._to)
                    elif key.fileobj is self._errors:
                        self._read_errors(selector)
                    else:
                        piece = self._from.read(_CHUNK)
                        if piece == b"":
                            self._drain_errors()
                            raise EOFError
                        self._buffer += piece or b""
                        found = take()
                        if found is not None:
                            return found

    def _write(self, data: memoryview) -> memoryview:
        try:
            return data[os.write(self._to.fileno(), data[:_CHUNK]) :]
        except BlockingIOError:
            return data
        except BrokenPipeError:
            return data[:0]  # its output ends as well, which says why

    def _read_errors(self, selector: selectors.BaseSelector) -> None:
        piece = self._errors.read(_CHUNK)
        if piece == b"":
            selector.unregister(self._errors)
            self._errors.close()
        self.stderr += piece or b""
        del self.stderr[:-KEPT_STDERR_BYTES]

    def _drain_errors(self) -> None:
        if not self._errors.closed:
            with contextlib.suppress(OSError):
                self.stderr += self._errors.read(1 << 20) or b""
                del self.stderr[:-KEPT_STDERR_BYTES]

    def _status(self, until: float) -> int:
        try:
            return self._process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._fail("it did not end in time and was stopped")

    def _fail(self, why: str, *, hint: str = "") -> NoReturn:
        self._drain_errors()
        self.close()
        said = self.stderr.decode(errors="replace").strip()
        raise ProbeError(f"{self.what}: {why}." + (f" It said:\n{said}" if said else ""), hint=hint)


def _end(process: subprocess.Popen[bytes], scratch: Path | None) -> None:
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            with contextlib.suppress(OSError):
                stream.close()
    if process.poll() is None:
        process.kill()
    process.wait()
    if scratch:
        shutil.rmtree(scratch, ignore_errors=True)


def _ending(status: int) -> str:
    if status >= 0:
        return f"its process ended with exit status {status}"
    import signal

    name = signal.Signals(-status).name if -status in signal.valid_signals() else f"signal {-status}"
    return f"its process was ended by {name}"


def _never() -> bytes | None:
    return None
