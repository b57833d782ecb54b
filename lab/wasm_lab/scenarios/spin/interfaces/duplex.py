"""HTTP/1.1 requests whose answer may begin while their body is still on its way.

``wasi:http`` lets a guest wait for the answer before it has written the body, as programs do that pipe
a request through. httpx sends a whole body first, which would make the two wait for each other.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import h11
import httpcore
import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes asked of the network at once.
PIECE = 64 * 1024


class Duplex(httpx.BaseTransport):
    """Sends one request over a connection of its own, its body from a thread of its own.

    Example:
        >>> sent = httpx.Request("POST", "http://localhost/", content=iter([b"a", b"b"]))
        >>> response = Duplex().handle_request(sent)                      # doctest: +SKIP
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the head, begin with the body, and wait for the answer's head.

        Raises:
            httpx.HTTPError: there is no answer; the kinds are those of httpx's own transport.
        """
        exchange = _Exchange(request)
        try:
            head = exchange.begin()
        except BaseException:
            exchange.close()
            raise
        return httpx.Response(
            head.status_code, headers=list(head.headers), stream=_Answer(exchange), request=request
        )


class _Exchange:
    """One connection. h11 keeps the protocol; its state is touched under the lock alone."""

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self._times: dict[str, float | None] = request.extensions["timeout"]
        self._lock = threading.Lock()
        self._state = h11.Connection(h11.CLIENT)
        self._network: httpcore.NetworkStream | None = None
        self._closed = False

    def begin(self) -> h11.Response:
        request, url = self._request, self._request.url
        try:
            network = httpcore.SyncBackend().connect_tcp(
                url.host, url.port or {"http": 80, "https": 443}[url.scheme], timeout=self._times["connect"]
            )
            self._network = network
            if url.scheme == "https":
                self._network = network.start_tls(
                    httpcore.default_ssl_context(), url.host, self._times["connect"]
                )
            self._write(h11.Request(method=request.method, target=url.raw_path, headers=request.headers.raw))
            threading.Thread(target=self._send_body, name="wasm-lab body", daemon=True).start()
            while True:
                event = self._next()
                if isinstance(event, h11.Response):
                    return event
        except Exception as error:
            raise _as_httpx(error) from error

    def _write(self, event: Any) -> None:
        assert self._network is not None
        with self._lock:
            data = self._state.send(event)
        if data:
            self._network.write(data, self._times["write"])

    def _send_body(self) -> None:
        stream = self._request.stream
        assert isinstance(stream, httpx.SyncByteStream)
        try:
            for piece in stream:
                if self._closed:
                    return
                self._write(h11.Data(data=piece))
            self._write(h11.EndOfMessage())
        except ConnectionAbortedError:
            self.give_up()  # the server must not take what it has for a whole request
        except (httpcore.NetworkError, httpcore.TimeoutException, h11.LocalProtocolError, OSError):
            pass  # a server may answer and close before it has heard all; else reading fails too
        finally:
            stream.close()

    def _next(self) -> Any:
        assert self._network is not None
        while True:
            with self._lock:
                event = self._state.next_event()
            if event is not h11.NEED_DATA:
                return event
            data = self._network.read(PIECE, self._times["read"])
            with self._lock:
                self._state.receive_data(data)

    def pieces(self) -> Iterator[bytes]:
        try:
            while not isinstance(event := self._next(), h11.EndOfMessage):
                if isinstance(event, h11.Data):
                    yield bytes(event.data)
        except (httpcore.NetworkError, httpcore.TimeoutException, h11.RemoteProtocolError, OSError) as error:
            raise _as_httpx(error) from error

    def give_up(self) -> None:
        """Wake whoever waits for the network; to close here would free the number of a socket in use."""
        self._closed = True
        if self._network is not None:
            with suppress(OSError):
                self._network.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.give_up()
        if self._network is not None:
            self._network.close()


class _Answer(httpx.SyncByteStream):
    """The body of an answer."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        return self._exchange.pieces()

    def close(self) -> None:
        self._exchange.close()


def _as_httpx(error: Exception) -> Exception:
    """The same failure as httpx calls it; httpcore's names are the same."""
    if isinstance(error, h11.RemoteProtocolError):
        return httpx.RemoteProtocolError(str(error))
    if isinstance(error, h11.LocalProtocolError):
        return httpx.LocalProtocolError(str(error))
    kind = getattr(httpx, type(error).__name__, None)
    if type(error).__module__.startswith("httpcore") and kind is not None:
        return kind(str(error))  # type: ignore[no-any-return]
    return error
