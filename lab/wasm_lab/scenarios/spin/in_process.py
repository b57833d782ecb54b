"""An ASGI application at work in this process, on an event loop in a thread of its own.

It is asked without a socket, or serves at a port of this machine.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from wasm_lab.errors import WasmLabError

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

LOOPBACK = "127.0.0.1"

#: How long the application may take to start, and to shut down, in seconds.
LIFESPAN_S = 60.0


class InProcess:
    """Starts an application, sends it requests from any thread, and shuts it down.

    Args:
        app: an ASGI 3 application that knows the lifespan protocol.
        url: what the application is told of its own address.

    Raises:
        WasmLabError: the application refused to start; the message is its own.
    """

    has_port = False  #: whether others reach it at its address

    def __init__(self, app: Any, url: str) -> None:
        self._app = app
        self.url = url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wasm-lab app", daemon=True)
        self._thread.start()
        try:
            self._run(self._start(), LIFESPAN_S)
        except BaseException:
            self._end_loop()
            raise

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request and wait for the whole answer; ``options`` are those of ``httpx.request``."""
        return self._run(self._client.request(method, path, **options))

    def close(self) -> None:
        """Shut the application down, as a server does, and end its thread."""
        try:
            self._run(self._shut_down(), LIFESPAN_S)
        finally:
            self._end_loop()

    def abandon(self) -> None:
        """End at once and without the application's shutdown: for the end of the process, when no thread starts."""
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop)
        self._thread.join(LIFESPAN_S)

    async def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._loop.stop()

    def _run(self, work: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout_s)
        except BaseException:  # an interrupted caller waits no longer, and so does what it asked for
            future.cancel()
            raise

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIFESPAN_S)
        self._loop.close()

    # In the loop's thread.

    async def _start(self) -> None:
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        state: dict[str, Any] = {}
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
        self._lifespan = self._loop.create_task(
            self._app(scope, self._to_app.get, self._from_app.put), name="lifespan"
        )
        await self._told("startup")
        await self._open()

    async def _shut_down(self) -> None:
        await self._shut()
        await self._told("shutdown")
        await self._lifespan

    async def _open(self) -> None:
        """Make ready for requests."""
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url=self.url, timeout=None)

    async def _shut(self) -> None:
        """Take no more requests."""
        await self._client.aclose()

    async def _told(self, step: str) -> None:
        """Ask for one step of the lifespan, and wait until the application has done it."""
        await self._to_app.put({"type": f"lifespan.{step}"})
        answer = self._loop.create_task(self._from_app.get())
        await asyncio.wait((answer, self._lifespan), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            await self._lifespan  # raises what ended it
            raise WasmLabError(f"The application ended during its {step}.")
        message = answer.result()
        if message["type"] != f"lifespan.{step}.complete":
            raise WasmLabError(message.get("message") or f"The application refused its {step}.")


class Served(InProcess):
    """The same behind a port of this machine, so that others can ask it too."""

    has_port = True

    def __init__(self, app: Any) -> None:
        with socket.socket() as free:
            free.bind((LOOPBACK, 0))
            self._port = free.getsockname()[1]
        super().__init__(app, f"http://{LOOPBACK}:{self._port}")

    async def _open(self) -> None:
        from granian.constants import Interfaces
        from granian.server.embed import Server

        # Without the lifespan protocol: the application was started already.
        self._server: Any = Server(
            self._app,
            address=LOOPBACK,
            port=self._port,
            interface=Interfaces.ASGINL,
            log_enabled=False,
            websockets=False,
        )
        self._served = self._loop.create_task(self._server.serve())
        self._client = httpx.AsyncClient(base_url=self.url, timeout=None)
        until = time.monotonic() + LIFESPAN_S
        while not await self._answers():
            if self._served.done():
                self._served.result()  # raises what ended it
            if self._served.done() or time.monotonic() > until:
                raise WasmLabError(f"The server at {self.url} does not answer.")
            await asyncio.sleep(0.005)

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, self._port)
        except OSError:
            return False
        writer.close()
        return True

    async def _shut(self) -> None:
        await self._client.aclose()
        self._server.stop()
        await self._served
