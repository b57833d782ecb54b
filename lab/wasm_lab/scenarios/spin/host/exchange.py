"""One HTTP request and its answer: where the server's loop and the guest's thread meet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.spin.host.bodies import OutgoingBytes
from wasm_lab.scenarios.spin.host.guest import Guest

if TYPE_CHECKING:
    from wasm_lab.scenarios.spin.host.bodies import IncomingBytes
    from wasm_lab.scenarios.spin.host.types import OutgoingResponse


class Exchange(Guest):
    """A request that a guest answers.

    Args:
        method: as in the request line.
        path_with_query: as in the request line.
        scheme: ``http`` or ``https``.
        authority: the host that was asked, with its port where one was given.
        body: what the client sends; None when it sends nothing.
        deadline_s: seconds that the guest may take.

    A subclass gives `fields` and `changed`. They are methods and no callables given here, for an
    exchange that refers to itself would wait for the garbage collector.
    """

    def __init__(
        self,
        *,
        method: str,
        path_with_query: str,
        scheme: str,
        authority: str | None,
        body: IncomingBytes | None,
        deadline_s: float,
    ) -> None:
        super().__init__(deadline_s)
        self.method = method
        self.path_with_query = path_with_query
        self.scheme = scheme
        self.authority = authority
        self.body = body
        self.response: OutgoingResponse | None = None  #: what the guest answered
        self.error: Any = None  #: the ``error-code`` that it answered instead
        self.failure: BaseException | None = None  #: what ended it otherwise
        self.ended = False  #: whether the guest is over
        self._unsent = False

    def fields(self) -> list[tuple[str, bytes]]:
        """The header fields, names in lower case."""
        raise NotImplementedError

    def changed(self) -> None:
        """The server's side should look; called in the guest's thread."""
        raise NotImplementedError

    def begin_again(self) -> None:
        super().begin_again()
        self.response = self.error = self.failure = None
        self.ended = self._unsent = False

    def answer(self, response: OutgoingResponse) -> None:
        """The guest set its response."""
        self.response = response
        self._unsent = True

    def refuse(self, code: Any) -> None:
        """The guest set an ``error-code`` in place of a response."""
        self.error = code
        self._unsent = True

    def why_no_response(self) -> str:
        """What to say of a guest that came back without one."""
        if self.error is None:
            return "it came back without a response"
        payload = getattr(self.error, "value", None)
        told = "" if payload is None else f": {payload}"
        return f"in place of a response it gave the error {type(self.error).__name__}{told}"

    def body_of(self, expected: int | None) -> OutgoingBytes:
        """A body for the response."""
        return OutgoingBytes(expected, self.send_now, self._send_soon)

    def send_now(self) -> None:
        """Have the server's side look at once."""
        self._unsent = False
        self.changed()

    def _send_soon(self) -> None:
        # Most guests end at once after the last they write. Telling the server's side costs as much as
        # a whole small guest, so it is told by what comes first: the guest waits, it ends, or a tick.
        self._unsent = True

    def tick(self) -> None:
        if self._unsent:
            self.send_now()

    def about_to_wait(self) -> None:
        if self._unsent:
            self.send_now()
        super().about_to_wait()

    def over(self, failure: BaseException | None) -> None:
        """The guest came back."""
        self.failure = failure
        self.end()
        self.ended = True
        self.send_now()
        if self.response is not None and self.response.body_bytes is not None:
            self.response.body_bytes.unwatch()
