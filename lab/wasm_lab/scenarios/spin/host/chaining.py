"""One guest's request that another guest of the same application answers: nothing goes over a network."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from wasm_lab.scenarios.spin.host.bodies import IncomingBytes
from wasm_lab.scenarios.spin.host.codes import ErrorCode
from wasm_lab.scenarios.spin.host.exchange import Exchange
from wasm_lab.scenarios.spin.host.types import FutureIncomingResponse, IncomingResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.scenarios.spin.host.bodies import OutgoingBytes
    from wasm_lab.scenarios.spin.host.guest import Guest
    from wasm_lab.scenarios.spin.host.types import OutgoingRequest

#: Requests that may stand behind one another: more is a loop.
DEPTH = 8


class Pump:
    """Passes on what one guest writes to the other who reads it, with the buffers' bounds on both sides."""

    def __init__(self, source: OutgoingBytes, target: IncomingBytes) -> None:
        self._source = source
        self._target = target
        self._done = False
        self._lock = threading.Lock()
        target.taken = self.move

    def move(self) -> None:
        """Move what can be moved now; called in either guest's thread, or by the ticker."""
        with self._lock:
            source, target = self._source, self._target
            if self._done or target.full:
                return
            finished, aborted = source.finished, source.aborted  # read before the bytes: none are missed
            data = source.take_all()
            if data:
                target.feed(data)
            if finished:
                target.finish()
            elif aborted:
                target.fail("The other component gave up what it was sending.")
            self._done = finished or aborted


class Chained(Exchange):
    """The exchange of the answering guest.

    Args:
        caller: the guest that asked.
        request: what it asked.
        authority: what the answering guest is told that it was called.
        more_fields: the ``spin-*`` fields.
    """

    def __init__(
        self,
        caller: Guest,
        request: OutgoingRequest,
        authority: str,
        more_fields: Callable[[], list[tuple[str, str]]],
        deadline_s: float,
    ) -> None:
        self.future = FutureIncomingResponse()
        self.depth = getattr(caller, "depth", 0) + 1
        self._answer_pump: Pump | None = None
        self._settled = False
        self._settling = threading.Lock()
        body = None
        if request.body_bytes is not None:
            body = IncomingBytes()
            pump = Pump(request.body_bytes, body)
            request.body_bytes.watch(pump.move)
        items = [item for item in request.fields.items if not item[0].startswith("spin-")]
        if not any(name == "host" for name, _ in items):
            items.insert(0, ("host", authority.encode()))
        self._items, self._more_fields = items, more_fields
        super().__init__(
            method=request.method_name,
            path_with_query=request.path_text or "/",
            scheme=request.scheme_name or "http",
            authority=authority,
            body=body,
            deadline_s=deadline_s,
        )
        caller.at_end(self.stop)

    def fields(self) -> list[tuple[str, bytes]]:
        return self._items + [(name, value.encode()) for name, value in self._more_fields()]

    def changed(self) -> None:
        """Something changed on the answering guest's side; called in its thread, or by the ticker."""
        with self._settling:
            if not self._settled:
                self._settle()
        pump = self._answer_pump
        if pump is not None:
            pump.move()

    def _settle(self) -> None:
        ended = self.ended
        if self.response is not None:
            content, body = self.response.body_bytes, None
            if content is not None:
                body = IncomingBytes()
                self._answer_pump = Pump(content, body)
            self.future.resolve(IncomingResponse(self.response.status, list(self.response.items), body))
        elif self.error is not None:
            self.future.fail(self.error)
        elif ended:
            self.future.fail(ErrorCode.InternalError("The other component failed."))
        else:
            return
        self._settled = True

    def over(self, failure: BaseException | None) -> None:
        response = self.response
        if response is not None and response.body_bytes is not None:
            response.body_bytes.abort()  # counts only when the guest has not finished it
        super().over(failure)
