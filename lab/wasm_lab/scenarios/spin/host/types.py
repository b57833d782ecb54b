"""``wasi:http/types``: requests, responses and their bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.components import Err, Ok, current
from wasm_lab.scenarios.spin.host.bodies import BodyInput, BodyOutput, IncomingBytes, OutgoingBytes
from wasm_lab.scenarios.spin.host.codes import METHODS, SCHEMES, ErrorCode, Method, method_name, scheme_name
from wasm_lab.scenarios.spin.host.fields import Fields
from wasm_lab.scenarios.spin.host.io import Error, InputStream, Pollable
from wasm_lab.scenarios.spin.host.waiting import Signal

if TYPE_CHECKING:
    from wasm_lab.scenarios.spin.host.exchange import Exchange


class IncomingBody:
    """The resource ``incoming-body``: of a request to the guest, or of the response to its own request."""

    __slots__ = ("_body", "_given")

    def __init__(self, body: IncomingBytes | None) -> None:
        self._body = body
        self._given = False

    def stream(self) -> InputStream:
        if self._given:
            raise Err(None)
        self._given = True
        watch = current.data
        return InputStream(watch) if self._body is None else BodyInput(watch, self._body)

    @staticmethod
    def finish(this: IncomingBody) -> FutureTrailers:
        this.close()
        return FutureTrailers()

    def close(self) -> None:
        if self._body is not None:
            self._body.discard()
            self._body = None


class FutureTrailers:
    """The resource ``future-trailers``: there never are any, for no server here passes them on."""

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        self._taken = False

    def subscribe(self) -> Pollable:
        return Pollable(current.data)

    def get(self) -> Any:
        if self._taken:
            return Err(None)
        self._taken = True
        return Ok(Ok(None))


class IncomingRequest:
    """The resource ``incoming-request``."""

    __slots__ = ("_consumed", "_exchange")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._consumed = False

    def method(self) -> Any:
        name = self._exchange.method
        return METHODS.get(name) or Method.Other(name)

    def path_with_query(self) -> str | None:
        return self._exchange.path_with_query

    def scheme(self) -> Any:
        return SCHEMES[self._exchange.scheme]

    def authority(self) -> str | None:
        return self._exchange.authority

    def headers(self) -> Fields:
        return Fields.given(self._exchange.fields())

    def consume(self) -> IncomingBody:
        if self._consumed:
            raise Err(None)
        self._consumed = True
        return IncomingBody(self._exchange.body)


class OutgoingBody:
    """The resource ``outgoing-body``: of the guest's response, or of its own request."""

    __slots__ = ("_body", "_given")

    def __init__(self, body: OutgoingBytes) -> None:
        self._body = body
        self._given = False

    def write(self) -> BodyOutput:
        if self._given:
            raise Err(None)
        self._given = True
        return BodyOutput(current.data, self._body)

    @staticmethod
    def finish(this: OutgoingBody, trailers: Fields | None) -> None:
        body = this._body
        if body.expected is not None and body.written != body.expected:
            body.abort()
            raise Err(ErrorCode.HttpRequestBodySize(body.written))
        body.finish()

    def close(self) -> None:
        """Dropped by the guest: a body that was not finished never will be."""
        self._body.abort()


class OutgoingResponse:
    """The resource ``outgoing-response``."""

    __slots__ = ("_fields", "body_bytes", "status")

    def __init__(self, headers: Fields) -> None:
        self._fields = headers
        self.status = 200
        self.body_bytes: OutgoingBytes | None = None  #: None: the guest took no body, so it is empty

    def status_code(self) -> int:
        return self.status

    def set_status_code(self, status_code: int) -> None:
        if not 100 <= status_code <= 999:
            raise Err(None)
        self.status = status_code

    def headers(self) -> Fields:
        return self._fields

    def body(self) -> OutgoingBody:
        if self.body_bytes is not None:
            raise Err(None)
        self.body_bytes = current.data.body_of(_promised(self._fields))
        return OutgoingBody(self.body_bytes)

    @property
    def items(self) -> list[tuple[str, bytes]]:
        """The header fields."""
        return self._fields.items


class ResponseOutparam:
    """The resource ``response-outparam``: where the guest puts its answer, once."""

    __slots__ = ("_exchange",)

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @staticmethod
    def set(param: ResponseOutparam, response: Any) -> None:
        if type(response) is Ok:
            param._exchange.answer(response.value)
        else:
            param._exchange.refuse(response.value)

    def send_informational(self, status: int, headers: Fields) -> None:
        raise Err(ErrorCode.InternalError("This server sends no informational responses."))


class OutgoingRequest:
    """The resource ``outgoing-request``: what ``outgoing-handler`` sends."""

    def __init__(self, headers: Fields) -> None:
        self.fields = headers
        self.method_name = "GET"
        self.scheme_name: str | None = None
        self.authority_text: str | None = None
        self.path_text: str | None = None
        self.body_bytes: OutgoingBytes | None = None  #: None: the guest took no body, so it is empty

    def body(self) -> OutgoingBody:
        if self.body_bytes is not None:
            raise Err(None)
        self.body_bytes = OutgoingBytes(_promised(self.fields))
        return OutgoingBody(self.body_bytes)

    def method(self) -> Any:
        return METHODS.get(self.method_name) or Method.Other(self.method_name)

    def set_method(self, method: Any) -> None:
        name = method_name(method)
        if not name or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise Err(None)
        self.method_name = name

    def path_with_query(self) -> str | None:
        return self.path_text

    def set_path_with_query(self, path_with_query: str | None) -> None:
        if path_with_query is not None and any(
            ord(char) <= 32 or ord(char) == 127 for char in path_with_query
        ):
            raise Err(None)
        self.path_text = path_with_query

    def scheme(self) -> Any:
        if self.scheme_name is None:
            return None
        return SCHEMES.get(self.scheme_name) or _other_scheme(self.scheme_name)

    def set_scheme(self, scheme: Any) -> None:
        name = None if scheme is None else scheme_name(scheme)
        if name is not None and not (name[:1].isalpha() and name.isascii()):
            raise Err(None)
        self.scheme_name = name

    def authority(self) -> str | None:
        return self.authority_text

    def set_authority(self, authority: str | None) -> None:
        if authority is not None and (
            not authority
            or any(ord(char) <= 32 or ord(char) == 127 or char in '/?#\\"<>' for char in authority)
        ):
            raise Err(None)
        self.authority_text = authority

    def headers(self) -> Fields:
        return Fields.given(self.fields.items)


class RequestOptions:
    """The resource ``request-options``: times in nanoseconds; None: the host's own."""

    def __init__(self) -> None:
        self._connect: int | None = None
        self._first_byte: int | None = None
        self._between_bytes: int | None = None

    def connect_timeout(self) -> int | None:
        return self._connect

    def set_connect_timeout(self, duration: int | None) -> None:
        self._connect = duration

    def first_byte_timeout(self) -> int | None:
        return self._first_byte

    def set_first_byte_timeout(self, duration: int | None) -> None:
        self._first_byte = duration

    def between_bytes_timeout(self) -> int | None:
        return self._between_bytes

    def set_between_bytes_timeout(self, duration: int | None) -> None:
        self._between_bytes = duration


class IncomingResponse:
    """The resource ``incoming-response``.

    Args:
        status: its status code.
        items: its header fields, names in lower case.
        body: its body; None when it is empty.
    """

    def __init__(self, status: int, items: list[tuple[str, bytes]], body: IncomingBytes | None) -> None:
        self._status = status
        self._items = items
        self._body = body
        self._consumed = False

    def status(self) -> int:
        return self._status

    def headers(self) -> Fields:
        return Fields.given(self._items)

    def consume(self) -> IncomingBody:
        if self._consumed:
            raise Err(None)
        self._consumed = True
        return IncomingBody(self._body)

    def close(self) -> None:
        """Dropped by the guest: a body that it did not take, nobody will read."""
        if not self._consumed and self._body is not None:
            self._body.discard()


class FutureIncomingResponse:
    """The resource ``future-incoming-response``: settled by `resolve` or `fail`, from any thread."""

    def __init__(self) -> None:
        self.signal = Signal()
        self.dropped = False  #: whether the guest does not want it any more
        self._outcome: Any = None
        self._taken = False

    def resolve(self, response: IncomingResponse) -> None:
        self._settle(Ok(response))

    def fail(self, code: Any) -> None:
        """Give an `ErrorCode`."""
        self._settle(Err(code))

    def _settle(self, outcome: Any) -> None:
        self._outcome = outcome
        self.signal.set()

    def subscribe(self) -> Pollable:
        return Pollable(current.data, self.signal.is_set, self.signal)

    def get(self) -> Any:
        if not self.signal.is_set():
            return None
        if self._taken:
            return Err(None)
        self._taken = True
        outcome, self._outcome = self._outcome, None
        return Ok(outcome)

    def close(self) -> None:
        self.dropped = True
        outcome, self._outcome = self._outcome, None
        if isinstance(outcome, Ok):
            outcome.value.close()


def http_error_code(err: Error) -> Any:
    """``http-error-code``: what a stream of a body failed of, where it is an error of HTTP."""
    return err.code if type(err.code).__qualname__.startswith("ErrorCode.") else None


def _other_scheme(name: str) -> Any:
    from wasm_lab.scenarios.spin.host.codes import Scheme

    return Scheme.Other(name)


def _promised(fields: Fields) -> int | None:
    """The number in ``content-length``; None when there is none, or nonsense."""
    for name, value in fields.items:
        if name == "content-length":
            return int(value) if value.isdigit() else None
    return None


class types:  # noqa: N801 - an interface, whose names are the WIT's
    """``wasi:http/types``."""

    Fields = Fields
    IncomingRequest = IncomingRequest
    OutgoingRequest = OutgoingRequest
    RequestOptions = RequestOptions
    ResponseOutparam = ResponseOutparam
    IncomingResponse = IncomingResponse
    IncomingBody = IncomingBody
    FutureTrailers = FutureTrailers
    OutgoingResponse = OutgoingResponse
    OutgoingBody = OutgoingBody
    FutureIncomingResponse = FutureIncomingResponse
    http_error_code = staticmethod(http_error_code)


#: What this interface is called in WIT.
INTERFACES: dict[str, object] = {"wasi:http/types": types}
