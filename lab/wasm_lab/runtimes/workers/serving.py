"""The worker's own side: a fresh interpreter that answers requests until its parent is gone."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any, Protocol

from wasm_lab.errors import WasmLabError
from wasm_lab.runtimes.workers.ending import die_with, end_when_closed
from wasm_lab.runtimes.workers.frames import Line

if TYPE_CHECKING:
    from collections.abc import Callable


class Handler(Protocol):
    """What a runtime does in its worker. Its module has a function ``handler()`` that makes one."""

    def handle(self, request: Any, descriptors: list[int], say: Callable[[Any], None]) -> Any:
        """Answer one request; ``say`` sends messages ahead of the answer."""

    def idle(self) -> None:
        """After the answer was sent: tidy up, and get ready for the next request."""


def serve(number: int, parent: int, module: str) -> None:
    """Answer what comes over the socket of that number, until its other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which kills this process
    os.umask(os.umask(0o077) | 0o022)
    die_with(parent)
    line = Line(socket.socket(fileno=number))
    threading.Thread(target=end_when_closed, args=(number,), name="wasm-lab parent", daemon=True).start()
    try:
        handler: Handler = importlib.import_module(module).handler()
    except Exception as error:  # whatever an engine raises when it cannot start
        line.send(("unusable", f"{type(error).__name__}: {error}"))
        return
    line.send(("ready", os.getpid()))
    while True:
        try:
            request, descriptors = line.receive()
        except EOFError:
            os._exit(0)  # an engine's threads do not bear the interpreter's orderly end
        if sys.platform != "win32":
            os.ftruncate(2, 0)  # what is there from now on is of this request
        answer = _answer(handler, request, descriptors, line)
        line.send(answer)
        handler.idle()


def _answer(handler: Handler, request: Any, descriptors: list[int], line: Line) -> tuple[Any, ...]:
    try:
        return "answer", handler.handle(request, descriptors, line.send)
    except WasmLabError as error:
        return "refused", type(error).__name__, error.message, error.hint
    except Exception as error:  # to be told rather than to end this process
        import traceback

        return "failed", f"{type(error).__name__}: {error}", traceback.format_exc()
    finally:
        for number in descriptors:
            os.close(number)
