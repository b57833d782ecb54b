"""Requests that guests send: ``wasi:http/outgoing-handler`` and ``fermyon:spin/http``.

Each request runs in a thread of its own and fills a future. Nothing of one guest reaches another's
request: no cookies, no redirects, no proxies or passwords from the environment.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from wasm_lab.components import Err, Ok
from wasm_lab.scenarios.spin.host.bodies import IncomingBytes, OutgoingBytes
from wasm_lab.scenarios.spin.host.codes import ErrorCode
from wasm_lab.scenarios.spin.host.fields import FORBIDDEN, Fields
from wasm_lab.scenarios.spin.host.io import StreamError
from wasm_lab.scenarios.spin.host.types import FutureIncomingResponse, IncomingResponse, OutgoingRequest
from wasm_lab.scenarios.spin.interfaces.limits import (
    ANSWER_S,
    CONNECT_S,
    RESULT_BYTES,
    held,
    tell,
    time_left,
)
from wasm_lab.scenarios.spin.outbound import destination

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from wasm_lab.scenarios.spin.context import ComponentContext
    from wasm_lab.scenarios.spin.outbound import Destination

#: Requests of one process under way at the same time; further ones wait for a thread.
THREADS = 128

#: Requests of one guest under way at the same time.
REQUESTS = 32

#: Seconds after which a body that the guest has not finished is sent as it comes: over a connection of
#: its own, and mostly without its length, which some servers refuse. Most guests finish theirs in less
#: than one thousandth of it.
BODY_S = 0.1

#: The application itself, where the guest's own request says no more than a path.
SELF = "self.alt"


class Client:
    """What sends the requests of one process: connections that are used again, and threads."""

    def __init__(self) -> None:
        import httpx

        self.transport = httpx.HTTPTransport(
            trust_env=False,
            retries=0,
            limits=httpx.Limits(max_connections=THREADS, max_keepalive_connections=32, keepalive_expiry=30),
        )
        self.threads = ThreadPoolExecutor(THREADS, "wasm-lab outgoing")

    def close(self) -> None:
        """End the threads as their requests end, and the connections."""
        self.threads.shutdown(wait=False, cancel_futures=True)
        self.transport.close()


class Sender:
    """Sends the requests of one component."""

    def __init__(self, context: ComponentContext) -> None:
        self._context = context

    def send(self, outgoing: OutgoingRequest, options: Any) -> FutureIncomingResponse:
        """Send a request, or have another component of the application answer it.

        Raises:
            Err: an `ErrorCode`: the request is none, or goes where the component may not.
        """
        scheme, authority = outgoing.scheme_name or "https", outgoing.authority_text
        path = outgoing.path_text or "/"
        rules, component = self._context.outbound, self._context.component.id
        # Guests that must name an authority write ":80" for none, as Spin's own SDK does.
        if authority is None or authority.lower().rpartition("@")[2].partition(":")[0] in ("", SELF):
            if not rules.allows_self():
                tell(rules.refusal("/", component))
                raise Err(ErrorCode.HttpRequestDenied())
            return self._context.chain(outgoing, None)
        to = destination(f"{scheme}://{authority}")
        if to is None or to.scheme not in ("http", "https") or "@" in authority:
            raise Err(ErrorCode.HttpRequestUriInvalid())
        if not path.startswith("/"):
            raise Err(ErrorCode.HttpRequestUriInvalid())
        if not rules.reaches(to):
            tell(rules.refusal(f"{scheme}://{authority}", component))
            raise Err(ErrorCode.HttpRequestDenied())
        if to.component is not None:
            return self._context.chain(outgoing, to.component)
        lengths = [value for name, value in outgoing.fields.items if name == "content-length"]
        if len(lengths) > 1 or not all(length.isdigit() for length in lengths):
            raise Err(ErrorCode.HttpProtocolError())
        under_way = _under_way()
        if len(under_way) >= REQUESTS:
            raise Err(ErrorCode.ConnectionLimitReached())
        client: Client = self._context.shared.get("http client", Client)
        sending = _Sending(
            client, to=to, outgoing=outgoing, path=path, times=_times(options), under_way=under_way
        )
        under_way.add(sending)
        client.threads.submit(sending.run)
        return sending.future


def _under_way() -> set[_Sending]:
    """What the running guest has sent and is not answered; it is given up when the guest ends."""
    return held("outgoing requests", lambda sending: sending.give_up())


def _times(options: Any) -> dict[str, float]:
    """Seconds for each step, none longer than the host's own."""
    told = {} if options is None else vars(options)

    def seconds(name: str, most_s: float) -> float:
        nanoseconds = told.get(name)
        return most_s if nanoseconds is None else max(0.001, min(most_s, nanoseconds / 1e9))

    return {
        "connect": seconds("_connect", time_left(CONNECT_S)),
        "first": seconds("_first_byte", time_left(ANSWER_S)),
        "between": seconds("_between_bytes", ANSWER_S),
    }


class _Sending:
    """One request on its way, in a thread of its own."""

    def __init__(
        self,
        client: Client,
        *,
        to: Destination,
        outgoing: OutgoingRequest,
        path: str,
        times: dict[str, float],
        under_way: set[_Sending],
    ) -> None:
        self.future = FutureIncomingResponse()
        self._client = client
        self._to = to
        self._outgoing = outgoing
        self._path = path
        self._times = times
        self._under_way = under_way
        self._given_up = False
        self._room = threading.Event()

    def give_up(self) -> None:
        """Nobody wants the answer any more."""
        self._given_up = True
        self._room.set()

    def run(self) -> None:
        """Send it, and pass the answer on as it comes."""
        try:
            response = self._answer()
            if response is not None:
                self._receive(response)
        finally:
            self._under_way.discard(self)

    def _answer(self) -> Any:
        """The beginning of the answer; None when there is none, which the guest was then told."""
        import httpx

        body = self._outgoing.body_bytes
        under_way = False
        try:
            if self._given_up or self.future.dropped:
                return None
            content = _content(body)
            sent = self._request(content)
            if content is None or isinstance(content, bytes):
                response = self._client.transport.handle_request(sent)
            else:
                from wasm_lab.scenarios.spin.interfaces.duplex import Duplex

                response = Duplex().handle_request(sent)
                under_way = True
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            self.future.fail(error_code(error))
            return None
        except Exception as error:  # the guest must hear something
            self.future.fail(ErrorCode.InternalError(f"{type(error).__name__}: {error}"))
            return None
        finally:
            if body is not None and not under_way:
                body.refuse()
        sent.extensions["timeout"]["read"] = self._times["between"]
        return response

    def _request(self, content: bytes | Iterator[bytes] | None) -> Any:
        import httpx

        to = self._to
        default = {"http": 80, "https": 443}[to.scheme]
        url = httpx.URL(
            scheme=to.scheme,
            host=to.host.strip("[]"),
            port=None if to.port == default else to.port,
            raw_path=self._path.encode("ascii"),
        )
        # The host that the rules allowed is the host that is asked, whatever the guest's own field says.
        fields = [
            (name.encode("ascii"), value) for name, value in self._outgoing.fields.items if name != "host"
        ]
        if content == b"" and self._outgoing.method_name in ("GET", "HEAD", "OPTIONS", "TRACE"):
            content = None
        elif isinstance(content, bytes):
            fields = [(name, value) for name, value in fields if name != b"content-length"]
        times = {
            "connect": self._times["connect"],
            "read": self._times["first"],
            "write": self._times["between"],
            "pool": self._times["connect"],
        }
        return httpx.Request(
            self._outgoing.method_name, url, headers=fields, content=content, extensions={"timeout": times}
        )

    def _receive(self, response: Any) -> None:
        import httpx

        incoming = IncomingBytes(self._room.set)
        items = [
            (name.decode("latin-1").lower(), value)
            for name, value in response.headers.raw
            if name.decode("latin-1").lower() not in FORBIDDEN
        ]
        self.future.resolve(IncomingResponse(response.status_code, items, incoming))
        try:
            for chunk in response.stream:
                if self._given_up:
                    break
                self._room.clear()
                if not incoming.feed(chunk):
                    while incoming.full and not self._given_up:
                        self._room.wait()
            else:
                incoming.finish()
                return
            incoming.fail("The request was given up.")
        except (httpx.HTTPError, OSError) as error:
            incoming.fail(str(error) or type(error).__name__)
        finally:
            response.close()


def _content(body: OutgoingBytes | None) -> bytes | Iterator[bytes] | None:
    """A body that is whole at once is sent with its length; another as it comes."""
    if body is None:
        return None
    until = time.monotonic() + BODY_S
    waiter = threading.Event()
    body.news.add(waiter)
    try:
        while not body.finished and not body.aborted and (left := until - time.monotonic()) > 0:
            waiter.clear()
            waiter.wait(left)
    finally:
        body.news.remove(waiter)
    return body.take_all() if body.finished else _sent(body)


def _sent(body: OutgoingBytes) -> Iterator[bytes]:
    """What the guest writes, as it comes, until the guest or the network wants no more."""
    try:
        yield from body.chunks()
    finally:
        body.refuse()


def error_code(error: Exception) -> Any:
    """What wasi:http calls a failure of httpx's."""
    import httpx

    text = str(error)
    if isinstance(error, httpx.ConnectTimeout):
        return ErrorCode.ConnectionTimeout()
    if isinstance(error, httpx.PoolTimeout):
        return ErrorCode.ConnectionLimitReached()
    if isinstance(error, httpx.WriteTimeout):
        return ErrorCode.ConnectionWriteTimeout()
    if isinstance(error, httpx.TimeoutException):
        return ErrorCode.HttpResponseTimeout()
    if isinstance(error, httpx.ConnectError):
        if "CERTIFICATE" in text.upper():
            return ErrorCode.TlsCertificateError()
        if "SSL" in text.upper():
            return ErrorCode.TlsProtocolError()
        if "refused" in text:
            return ErrorCode.ConnectionRefused()
        if any(word in text for word in ("Name or service", "name resolution", "nodename", "No address")):
            return ErrorCode.DnsError({"rcode": text[:200], "info_code": None})
        return ErrorCode.DestinationUnavailable()
    if isinstance(error, (httpx.ProtocolError, httpx.UnsupportedProtocol)):
        return ErrorCode.HttpProtocolError()
    if isinstance(error, httpx.InvalidURL | UnicodeError):
        return ErrorCode.HttpRequestUriInvalid()
    if isinstance(error, (httpx.NetworkError, OSError)):
        return ErrorCode.ConnectionTerminated()
    return ErrorCode.InternalError(text)


def implement(context: ComponentContext) -> Mapping[str, object]:
    """The imports that a component needs to send requests."""
    sender = Sender(context)

    class outgoing_handler:  # noqa: N801 - an interface, whose names are the WIT's
        """``wasi:http/outgoing-handler``."""

        @staticmethod
        def handle(request: OutgoingRequest, options: Any) -> FutureIncomingResponse:
            return sender.send(request, options)

    class http:  # noqa: N801
        """``fermyon:spin/http``: a request and its whole answer in one call."""

        @staticmethod
        def send_request(req: Any) -> dict[str, Any]:
            return _send_v1(sender.send, req)

    return {"wasi:http/outgoing-handler": outgoing_handler, "fermyon:spin/http": http}


def _send_v1(send: Callable[[OutgoingRequest, Any], FutureIncomingResponse], req: Any) -> dict[str, Any]:
    uri = str(req.uri)
    try:
        fields = Fields.from_list([(name, value.encode()) for name, value in req.headers])
    except Err:
        raise Err("request-error") from None
    outgoing = OutgoingRequest(fields)
    outgoing.method_name = str(getattr(req.method, "name", req.method)).upper()
    if uri.startswith("/"):
        outgoing.path_text = uri
    else:
        scheme, separator, rest = uri.partition("://")
        if not separator or destination(uri) is None:
            raise Err("invalid-url")
        end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
        path = rest[end:].partition("#")[0]
        outgoing.scheme_name, outgoing.authority_text = scheme.lower(), rest[:end]
        outgoing.path_text = path if path.startswith("/") else f"/{path}"
    if req.body is not None:
        outgoing.body_bytes = OutgoingBytes(None)
        outgoing.body_bytes.put(req.body)
        outgoing.body_bytes.finish()
    try:
        future = send(outgoing, None)
    except Err as error:
        denied = type(error.value).__name__ == "HttpRequestDenied"
        raise Err("destination-not-allowed" if denied else "invalid-url") from None
    future.subscribe().block()
    outcome = future.get()
    if type(outcome) is not Ok or type(outcome.value) is not Ok:
        raise Err("runtime-error")
    response: IncomingResponse = outcome.value.value
    return {
        "status": response.status(),
        "headers": [(name, value.decode("latin-1")) for name, value in response.headers().entries()],
        "body": _whole(response),
    }


def _whole(response: IncomingResponse) -> bytes:
    stream = response.consume().stream()
    parts: list[bytes] = []
    size = 0
    while True:
        try:
            part = stream.blocking_read(1 << 16)
        except Err as error:
            if type(error.value) is StreamError.Closed:
                return b"".join(parts)
            raise Err("runtime-error") from None
        size += len(part)
        if size > RESULT_BYTES:
            response.close()
            raise Err("runtime-error")
        parts.append(part)
