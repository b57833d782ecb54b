"""One request on the server's side: from ASGI to the guest, and its answer back."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.spin.host.bodies import IncomingBytes
from wasm_lab.scenarios.spin.host.exchange import Exchange
from wasm_lab.scenarios.spin.host.fields import FORBIDDEN

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from wasm_lab.scenarios.spin.host.bodies import OutgoingBytes
    from wasm_lab.scenarios.spin.host.limits import Limits
    from wasm_lab.scenarios.spin.host.types import OutgoingResponse
    from wasm_lab.scenarios.spin.routes import Match

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: Ticks (see `crew`) that a guest runs before somebody looks whether its client is still there.
PATIENCE_TICKS = 10

#: RFC 3986, 3.2: a host and port as a client may name them, here without user information.
_HOST = re.compile(rb"[!$&'()*+,;=\-._~%0-9A-Za-z]*(:[0-9]*)?|\[[0-9A-Fa-f:.]+\](:[0-9]*)?").fullmatch

_NOT_FOR_GUESTS = frozenset(name.encode() for name in FORBIDDEN)


class AnswerLost(Exception):
    """The guest's answer broke off after its beginning was sent; the connection must break off too."""


class Serving(Exchange):
    """An exchange with a client over ASGI. Made in the event loop; start its guest, then `deliver`.

    Args:
        scope: of the request, with `receive` and `send`, as the server gives them.
        limits: what the request may use.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, limits: Limits) -> None:
        self._loop = asyncio.get_running_loop()
        self._scope = scope
        self._receive = receive
        self._send = send
        self._limits = limits
        self._news: asyncio.Future[None] | None = None
        self._told = False
        self._room: asyncio.Event | None = None  # set when the request's body may go on
        self._listener: asyncio.Task[None] | None = None
        self._ticks = 0
        self._bad = 0  # the status that tells the client what is wrong with its request
        self._gone = False
        self.match: Match | None = None  #: the route, which gives the ``spin-*`` fields
        length: int | None = 0 if scope["http_version"] in ("1.1", "1.0") else None
        host = None
        for name, value in scope["headers"]:
            if name == b"content-length":
                length = int(value) if value.isdigit() else None
            elif name == b"transfer-encoding":
                length = None
            elif name == b"host":
                if host is not None or not _HOST(value):  # RFC 9112, 3.2: answer 400
                    self._bad = HTTPStatus.BAD_REQUEST
                host = value.decode("latin-1")
        body = None
        if length != 0:
            body = IncomingBytes(self._body_taken)
            self._room = asyncio.Event()
            if length is not None and length > limits.request_bytes and not self._bad:
                self._bad = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        raw = scope.get("raw_path") or scope["path"].encode()
        query = scope["query_string"]
        self.path = _text(raw)
        if not self.path.startswith("/") and (self.path, scope["method"]) != ("*", "OPTIONS"):
            self._bad = HTTPStatus.BAD_REQUEST  # RFC 9112, 3.2
        super().__init__(
            method=scope["method"],
            path_with_query=f"{self.path}?{_text(query)}" if query else self.path,
            scheme=scope["scheme"],
            authority=host,
            body=body,
            deadline_s=limits.deadline_s,
        )

    @property
    def full_url(self) -> str:
        """The URL that the client asked for."""
        path = "" if self.path == "*" else self.path_with_query  # RFC 9112, 3.3: of the server itself
        return f"{self.scheme}://{self.authority or 'localhost'}{path}"

    @property
    def client_address(self) -> str:
        """Who asks, as ``ip:port``."""
        client = self._scope.get("client")
        if not client:
            return "0.0.0.0:0"
        host = f"[{client[0]}]" if ":" in client[0] else client[0]
        return f"{host}:{client[1]}"

    def fields(self) -> list[tuple[str, bytes]]:
        items = [
            (name.decode("latin-1"), value)
            for name, value in self._scope["headers"]
            if name not in _NOT_FOR_GUESTS and not name.startswith(b"spin-")
        ]
        if self.match is not None:
            told = self.match.headers(full_url=self.full_url, client_address=self.client_address)
            items += [(name, value.encode()) for name, value in told]
        return items

    # In the guest's thread.

    def changed(self) -> None:
        if self.at_once:  # `deliver` looks as soon as the guest has come back
            self._told = True
        elif not self._told:
            self._told = True
            self._loop.call_soon_threadsafe(self._wake)

    def _body_taken(self) -> None:
        assert self._room is not None
        self._loop.call_soon_threadsafe(self._room.set)

    def begin_again(self) -> None:
        super().begin_again()
        self._told = False

    def tick(self) -> None:
        super().tick()
        self._ticks += 1
        if self._ticks == PATIENCE_TICKS:
            self.changed()

    # In the event loop's.

    def _wake(self) -> None:
        news = self._news
        if news is not None and not news.done():
            news.set_result(None)

    async def _something_new(self) -> None:
        """Wait until the guest's side told something since the last look."""
        if not self._told:
            self._news = self._loop.create_future()
            await self._news
        self._told = False

    async def deliver(self, start: Callable[[], None]) -> None:
        """Start the guest, and send its answer.

        Args:
            start: starts it; called when the request is worth it.

        Raises:
            AnswerLost: the answer broke off.
        """
        refused = self._bad
        if refused:
            await self.refuse_request(refused)
            return
        if self.body is not None:
            self._listener = self._loop.create_task(self._listen(self.body))
        start()
        try:
            while True:
                await self._something_new()
                if self._gone:
                    if self._bad:
                        await self.refuse_request(self._bad)
                    return
                ended = self.ended  # read first: what the guest did before its end is all seen below
                if self._bad:
                    await self.refuse_request(self._bad)
                    return
                if self.response is not None:
                    body = self.response.body_bytes
                    failed = body is not None and not body.finished and (ended or body.aborted)
                    if failed:
                        await self.refuse_request(HTTPStatus.INTERNAL_SERVER_ERROR)
                    else:
                        await self._respond(self.response, body)
                    return
                if ended or self.error is not None:
                    await self.refuse_request(HTTPStatus.INTERNAL_SERVER_ERROR)
                    return
                self._look_for_client()
        except asyncio.CancelledError:
            self.stop()  # nobody waits for the answer any more
            raise
        finally:
            if self._listener is not None:
                self._listener.cancel()

    async def _respond(self, response: OutgoingResponse, body: OutgoingBytes | None) -> None:
        headers = [(name.encode("latin-1"), value) for name, value in response.items]
        headless = self.method == "HEAD" or response.status in (204, 304)
        finished = body is None or body.finished
        content = b"" if body is None else body.take_all()
        if finished and not (response.status in (204, 304) or response.status < 200):
            length = len(content) if body is None else body.written
            if not any(name == b"content-length" for name, _ in headers):
                headers.append((b"content-length", b"%d" % length))
        await self._send({"type": "http.response.start", "status": response.status, "headers": headers})
        if headless or finished or body is None:
            if body is not None:
                body.refuse()
            await self._send({"type": "http.response.body", "body": b"" if headless else content})
            return
        while True:
            # The first of these carries the head too, so it is sent even without content.
            await self._send({"type": "http.response.body", "body": content, "more_body": True})
            self._look_for_client()
            while True:
                await self._something_new()
                if self._gone:
                    body.refuse()
                    return
                ended, finished, aborted = self.ended, body.finished, body.aborted
                content = body.take_all()
                if finished:
                    await self._send({"type": "http.response.body", "body": content})
                    return
                if ended or aborted:
                    raise AnswerLost
                if content:
                    break

    async def refuse_request(self, status: int) -> None:
        """Answer in the guest's place, and end the guest if there is one."""
        headers = [(b"content-type", b"text/plain")]
        if self.body is not None and not self.body.ended:
            headers.append((b"connection", b"close"))
        self.stop()
        await self.send_whole(status, headers, REASONS.get(status, "").encode())

    async def send_whole(self, status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> None:
        """Send an answer that no guest gave."""
        headers = [*headers, (b"content-length", b"%d" % len(content))]
        await self._send({"type": "http.response.start", "status": int(status), "headers": headers})
        await self._send({"type": "http.response.body", "body": b"" if self.method == "HEAD" else content})

    def _look_for_client(self) -> None:
        """A guest takes its time: see from now on whether its client is still there."""
        if self._listener is None and (self._ticks >= PATIENCE_TICKS or self.response is not None):
            self._listener = self._loop.create_task(self._listen(None))

    async def _listen(self, body: IncomingBytes | None) -> None:
        """Take the request's body in, then wait for the client to go."""
        taken = 0
        while body is not None:
            try:
                async with asyncio.timeout(self._limits.idle_s):
                    message = await self._receive()
            except TimeoutError:
                self._break_off(body, HTTPStatus.REQUEST_TIMEOUT)
                return
            if message["type"] == "http.disconnect":
                body.fail("The client closed the connection before its request was whole.")
                self._bad = HTTPStatus.BAD_REQUEST  # nonsense in a body looks the same; that client listens
                self._client_went()
                return
            chunk = message.get("body", b"")
            taken += len(chunk)
            if taken > self._limits.request_bytes:
                self._break_off(body, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                return
            room = body.feed(chunk) if chunk else True
            if not message.get("more_body", False):
                body.finish()
                break
            assert self._room is not None
            if not room:
                self._room.clear()
                if body.full:  # the guest may have taken it meanwhile
                    await self._room.wait()
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._client_went()
                return

    def _break_off(self, body: IncomingBytes, status: HTTPStatus) -> None:
        body.fail(f"The rest of the request does not come: {status.phrase}.")
        if self.response is None:
            self._bad = status
            self._told = True
            self._wake()

    def _client_went(self) -> None:
        self._gone = True
        self.stop()
        self._told = True
        self._wake()


def _text(raw: bytes) -> str:
    """A part of an address as a guest gets it: hardly anything but ASCII, and UTF-8 where it is."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


#: What the server says in a guest's place.
REASONS = {
    400: "This is no valid request.\n",
    404: "No component of this application answers this path.\n",
    408: "The request's body did not come.\n",
    413: "The request's body is too large.\n",
    500: "The component failed; the server's log says how.\n",
    503: "Too many requests wait already.\n",
}
