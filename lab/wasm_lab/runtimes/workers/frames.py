"""Messages between a process and its worker, over a socket that the guest knows nothing of.

A frame is a header (the length of its body and the number of descriptors that come with it) and
a pickled message. Both ends are this package in processes of one user; a guest's bytes are only
ever data inside of a message.
"""

from __future__ import annotations

import os
import pickle
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEADER = struct.Struct(">QB")

#: Descriptors in one frame at most: standard input, output and error.
_MOST_DESCRIPTORS = 3

_CHUNK = 1 << 18


class Line:
    """One end of the socket. One message at a time in each direction."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def fileno(self) -> int:
        return self._end.fileno()

    def send(self, message: Any, descriptors: Sequence[int] = ()) -> None:
        """Send one message, with open files if any.

        Raises:
            OSError: the other end is closed.
        """
        body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        header = _HEADER.pack(len(body), len(descriptors))
        self._end.settimeout(None)
        if descriptors:
            socket.send_fds(self._end, [header], list(descriptors))
            self._end.sendall(body)
        else:
            self._end.sendall(header + body)

    def receive(self, timeout_s: float | None = None) -> tuple[Any, list[int]]:
        """The next message and the open files that came with it.

        Raises:
            EOFError: the other end is closed.
            TimeoutError: no whole message came in that time.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        descriptors: list[int] = []
        header = b""
        while len(header) < _HEADER.size:
            self._bound(until)
            try:
                data, came, _, _ = socket.recv_fds(self._end, _HEADER.size - len(header), _MOST_DESCRIPTORS)
            except ConnectionError:
                data, came = b"", []
            descriptors += came
            if not data:
                _close(descriptors)
                raise EOFError
            header += data
        size, _ = _HEADER.unpack(header)
        return pickle.loads(self._exactly(size, until)), descriptors

    def _exactly(self, size: int, until: float | None) -> bytearray:
        body = bytearray(size)
        view, filled = memoryview(body), 0
        while filled < size:
            self._bound(until)
            try:
                count = self._end.recv_into(view[filled : filled + _CHUNK])
            except ConnectionError:
                count = 0
            if not count:
                raise EOFError
            filled += count
        return body

    def _bound(self, until: float | None) -> None:
        # A timeout of 0 would mean a socket that does not wait at all.
        self._end.settimeout(None if until is None else max(1e-6, until - time.monotonic()))

    def close(self) -> None:
        self._end.close()


def _close(descriptors: Sequence[int]) -> None:
    for number in descriptors:
        os.close(number)
