"""The child's side of a `channel.Channel`, for workers in Python: orders in, marked answers out."""

from __future__ import annotations

import json
import os
import time
from typing import Any


class Desk:
    """Reads orders from standard input and answers on standard output, unbuffered.

    Whoever asks waits for each answer, so no order lies behind another in the pipe, and a guest
    may take over standard input between two orders.
    """

    def __init__(self) -> None:
        self._pending = bytearray()
        self.settings: dict[str, Any] = json.loads(self.line())
        self.mark: str = self.settings["mark"]

    def line(self) -> str:
        """The next order; empty when there will be none."""
        seen = 0
        while (end := self._pending.find(b"\n", seen)) < 0:
            seen = len(self._pending)
            piece = os.read(0, 1 << 16)
            if not piece:
                return ""
            self._pending += piece
        line = bytes(self._pending[:end])
        del self._pending[: end + 1]
        return line.decode()

    def take(self, size: int) -> bytes:
        """The ``size`` bytes that follow an order."""
        while len(self._pending) < size:
            piece = os.read(0, 1 << 16)
            if not piece:
                raise EOFError
            self._pending += piece
        data = bytes(self._pending[:size])
        del self._pending[:size]
        return data

    def say(self, words: str, payload: bytes = b"") -> None:
        """Answer."""
        self._write(f"\n{self.mark} {words}\n".encode() + payload)

    def fail(self, message: str) -> None:
        """Answer that the order could not be done."""
        data = message.encode(errors="replace")
        self.say(f"failed {len(data)}", data)

    @staticmethod
    def _write(data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(1, view) :]


def clock_step_ns() -> int:
    """The step that `time.perf_counter_ns` shows here, its own cost included: the median of 33."""
    steps = []
    for _ in range(33):
        start = time.perf_counter_ns()
        while (end := time.perf_counter_ns()) == start:
            pass
        steps.append(end - start)
    return sorted(steps)[16]


def number(word: str, kind: str) -> int | float:
    """A Wasm number from its text: integers are signed, as Rust's ``i32`` and ``i64`` are."""
    return float(word) if kind.startswith("f") else int(word)
