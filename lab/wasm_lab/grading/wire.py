"""What a judge and a guest's process say to each other: plain values in MessagePack, behind their length.

The guest's process is not trusted. So a message is bounded before it is read, holds nothing but None, bool, int,
float, str, bytes and lists of them, and nothing in it is believed before it was checked (`Reply`).
"""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import WasmLabError

if TYPE_CHECKING:
    import socket

#: Bytes of one message at most: from the guest's process, and to it (a module, arguments).
FROM_GUEST_BYTES = 16 * 1024 * 1024
TO_GUEST_BYTES = 96 * 1024 * 1024

#: Items of one list at most: the audit of a run is the longest.
MOST_ITEMS = 200_000

_LENGTH = struct.Struct(">I")
_CHUNK = 1 << 18


class WrongMessage(WasmLabError):
    """What came is no message of this form."""


def pack(message: Any) -> bytes:
    """The bytes of a message, with their length before them."""
    import msgpack  # type: ignore[import-untyped]

    body: bytes = msgpack.packb(message, use_bin_type=True, strict_types=True)
    return _LENGTH.pack(len(body)) + body


def unpack(body: bytes | bytearray) -> Any:
    """The message in those bytes.

    Raises:
        WrongMessage: it is none, or it is too long or too deep.
    """
    import msgpack

    try:
        return msgpack.unpackb(
            body,
            raw=False,
            use_list=True,
            strict_map_key=True,
            max_array_len=MOST_ITEMS,
            max_map_len=0,
            max_ext_len=0,
        )
    except Exception as error:  # whatever a parser makes of bytes that nobody trusts
        raise WrongMessage(f"What came is no message: {type(error).__name__}.") from None


class Line:
    """One end of the socket.

    Args:
        end: a connected stream socket.
        most_bytes: that a message which comes may have.
    """

    def __init__(self, end: socket.socket, most_bytes: int) -> None:
        self._end = end
        self._most = most_bytes

    def send(self, message: Any, until: float | None = None) -> None:
        """Send one message.

        Args:
            until: when it must have been taken, on the monotonic clock.

        Raises:
            OSError: the other end is closed.
            TimeoutError: it was not taken in time.
        """
        self._bound(until)
        self._end.sendall(pack(message))

    def receive(self, until: float | None = None) -> Any:
        """The next message.

        Raises:
            EOFError: the other end is closed.
            TimeoutError: no whole message came in time.
            WrongMessage: it is too long, or no message.
        """
        (size,) = _LENGTH.unpack(self._exactly(_LENGTH.size, until))
        if size > self._most:
            raise WrongMessage(f"A message of {size} bytes came, and {self._most} are the most.")
        return unpack(self._exactly(size, until))

    def _exactly(self, size: int, until: float | None) -> bytearray:
        body = bytearray()
        while len(body) < size:  # no room is made for what is only promised
            self._bound(until)
            try:
                piece = self._end.recv(min(size - len(body), _CHUNK))
            except ConnectionError:
                piece = b""
            if not piece:
                raise EOFError
            body += piece
        return body

    def _bound(self, until: float | None) -> None:
        # A timeout of 0 would mean a socket that does not wait at all.
        self._end.settimeout(None if until is None else max(1e-6, until - time.monotonic()))

    def close(self) -> None:
        self._end.close()


class Reply:
    """A list of values whose sorts are checked as they are taken, from the left.

    Example:
        >>> reply = Reply(["value", 3])
        >>> reply.text(), reply.integer()
        ('value', 3)
        >>> reply.text()
        Traceback (most recent call last):
        wasm_lab.grading.wire.WrongMessage: A value is missing.
    """

    def __init__(self, values: Any) -> None:
        if not isinstance(values, list):
            raise WrongMessage("A list was expected.")
        self._values = values
        self._at = 0

    def any(self) -> Any:
        """The next value, of whatever sort."""
        if self._at >= len(self._values):
            raise WrongMessage("A value is missing.")
        self._at += 1
        return self._values[self._at - 1]

    def text(self, most: int = 1 << 20) -> str:
        return str(self._of(str)[:most])

    def data(self, most: int = FROM_GUEST_BYTES) -> bytes:
        return bytes(self._of(bytes)[:most])

    def integer(self) -> int:
        return int(self._of(int))

    def optional_integer(self) -> int | None:
        value = self.any()
        if value is not None and type(value) is not int:
            raise WrongMessage("An integer was expected.")
        return value

    def truth(self) -> bool:
        return bool(self._of(bool))

    def number(self) -> int | float | None:
        """What a function of WebAssembly's may give: an integer of 64 bits, a float, or nothing."""
        value = self.any()
        if value is None or type(value) is float:
            return value
        if type(value) is int and -(1 << 63) <= value < 1 << 63:
            return value
        raise WrongMessage("A number was expected.")

    def each(self) -> list[Reply]:
        """The next value, a list of lists."""
        return [Reply(item) for item in self._of(list)]

    def inner(self) -> Reply:
        """The next value, a list."""
        return Reply(self._of(list))

    def _of(self, sort: type) -> Any:
        value = self.any()
        if type(value) is not sort:
            raise WrongMessage(f"{sort.__name__} was expected.")
        return value
