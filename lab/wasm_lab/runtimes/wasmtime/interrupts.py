"""Signal handlers while guests run on the main thread.

Python runs signal handlers between bytecodes of the main thread. While a guest runs
there, the next bytecode is inside a callback made by ctypes, through which no exception
can pass: ctypes would print it and hand an undefined value to the engine. So while guests
run on the main thread, a relay stands in for each Python-level handler that commonly
raises: it calls the real handler, keeps what that raises, and the exception is raised as
soon as the guests have been stopped. A guest thus behaves as Python code in its place
would. When the last guest has been left, the handlers are as they were.
"""

from __future__ import annotations

import importlib
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

#: Ctrl-C, ``kill``, and timeouts by ``signal.alarm``.
RELAYED = tuple(
    int(getattr(signal, name)) for name in ("SIGINT", "SIGTERM", "SIGALRM") if hasattr(signal, name)
)

# The C functions themselves: those in `signal` wrap them and take 10 times as long, for every call.
_c_signal = importlib.import_module("_signal")
_get_handler, _set_handler = _c_signal.getsignal, _c_signal.signal


class MainThread:
    """What the main thread is doing: how many guests deep it is, and what a handler raised meanwhile."""

    __slots__ = ("depth", "ident", "pending")

    def __init__(self) -> None:
        self.ident = threading.main_thread().ident
        self.depth = 0
        self.pending: BaseException | None = None

    def hold(self) -> None:
        """Before a guest is entered: from here on handlers do not raise. Pair it with `release`."""
        if self.depth == 0:
            for relay in _relays:
                handler = _get_handler(relay.number)
                if handler is not relay and callable(handler):
                    relay.handler = handler
                    _set_handler(relay.number, relay)
        # The last step, and a plain store: a handler that still raises before it leaves nothing undone.
        self.depth += 1

    def release(self) -> None:
        """After a guest was left; after the outermost, raises what a handler raised meanwhile."""
        self.depth -= 1
        if self.depth == 0:
            pending, self.pending = self.pending, None
            for relay in _relays:
                if _get_handler(relay.number) is relay:
                    _set_handler(relay.number, relay.handler)
            if pending is not None:
                raise pending.with_traceback(None)


class _Relay:
    """Stands in for one signal's handler."""

    __slots__ = ("handler", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.handler: Callable[[int, FrameType | None], Any] = signal.default_int_handler

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if main_thread.depth == 0:
            self.handler(number, frame)
            return
        try:
            self.handler(number, frame)
        except BaseException as error:
            main_thread.pending = error


class _Held:
    """``with held:`` keeps handlers from raising, where they could: on the main thread.

    Setting up a guest makes and frees many objects whose destructors are written in Python,
    and what a handler raises in a destructor, Python drops: an interrupt would be lost.
    """

    def __enter__(self) -> None:
        if threading.get_ident() == main_thread.ident:
            main_thread.hold()

    def __exit__(self, *error: object) -> None:
        if threading.get_ident() == main_thread.ident:
            main_thread.release()


def pending_here() -> BaseException | None:
    """What a handler raised, if this is the thread where it did."""
    return main_thread.pending if threading.get_ident() == main_thread.ident else None


held = _Held()
_relays = tuple(_Relay(number) for number in RELAYED)
main_thread = MainThread()
