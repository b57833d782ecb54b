"""The host's side of `front`: the component that stands beside a guest inside the sandbox.

It implements wasi:io and wasi:http/types in Wasm, and calls the functions here. Bytes cross as strings,
each byte one character below U+0100: a list of bytes would take 32 bytes for each on the way.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from wasm_lab.components import Err, current
from wasm_lab.scenarios.spin.host.codes import ErrorCode
from wasm_lab.scenarios.spin.host.fields import Fields
from wasm_lab.scenarios.spin.host.io import Pollable
from wasm_lab.scenarios.spin.host.types import OutgoingResponse
from wasm_lab.scenarios.spin.host.waiting import wait_for_any

if TYPE_CHECKING:
    from wasm_lab.scenarios.spin.host.exchange import Exchange
    from wasm_lab.scenarios.spin.host.log import ComponentLog

_REQUEST, _RESPONSE = 1, 2
_NONE_YET, _AT_END, _BROKEN = 0, 1, 2
_EMPTY, _MORE, _WHOLE = 0, 1, 2
_NEVER = 2**64 - 1
_BILLION = 1_000_000_000


class FrontHost:
    """``wasm-lab:front/host`` for one component."""

    def __init__(self, log: ComponentLog) -> None:
        self._log = log

    def head(self) -> str:
        exchange: Exchange = current.data
        lines = [
            exchange.method,
            exchange.path_with_query,
            exchange.scheme,
            exchange.authority or "",
            "0" if exchange.body is None else "1",
        ]
        lines += [f"{name}\t{value.decode('latin-1')}" for name, value in exchange.fields()]
        return "\n".join(lines)

    def read(self, most: int) -> str:
        body = current.data.body
        if body is None:
            raise Err(_AT_END)
        try:
            data = body.take(most)
        except Err as error:
            raise Err(_AT_END if type(error.value).__name__ == "Closed" else _BROKEN) from None
        if not data:
            raise Err(_NONE_YET)
        text: str = data.decode("latin-1")
        return text

    def answer(self, head: str, data: str, state: int) -> int:
        exchange: Exchange = current.data
        status, *lines = head.split("\n")
        items = []
        for line in lines:
            name, _, value = line.partition("\t")
            items.append((name, value.encode("latin-1")))
        response = OutgoingResponse(Fields.given(items))
        response.status = int(status)
        room = 0
        if state != _EMPTY:
            body = response.body_bytes = exchange.body_of(None)
            if data:
                body.put(data.encode("latin-1"))
            if state == _WHOLE:
                body.finish()
            room = body.space()
        exchange.answer(response)
        return room

    def refuse(self, code: str) -> None:
        current.data.refuse(ErrorCode.InternalError(code))

    def write(self, data: str) -> int:
        body = current.data.response.body_bytes
        body.put(data.encode("latin-1"))
        body.flush()  # the front writes only what shall be sent
        room: int = body.space()
        return room

    def room(self) -> int:
        room: int = current.data.response.body_bytes.space()
        return room

    def finish(self, whole: bool) -> None:
        body = current.data.response.body_bytes
        if whole:
            body.finish()
        else:
            body.abort()

    def ready(self) -> int:
        exchange: Exchange = current.data
        found = 0
        if exchange.body is None or exchange.body.ready():
            found |= _REQUEST
        if exchange.response is None or exchange.response.body_bytes is None:
            return found | _RESPONSE
        return found | _RESPONSE if exchange.response.body_bytes.space() else found

    def wait(self, which: int, until: int) -> None:
        exchange: Exchange = current.data
        events: list[Any] = []
        if which & _REQUEST and exchange.body is not None:
            events.append(Pollable(exchange, exchange.body.ready, exchange.body.signal))
        if which & _RESPONSE and exchange.response is not None and exchange.response.body_bytes is not None:
            body = exchange.response.body_bytes
            events.append(Pollable(exchange, lambda: body.space() > 0, body.room))
        if until != _NEVER:
            at_s = until / _BILLION
            events.append(Pollable(exchange, lambda: time.monotonic_ns() >= until, None, at_s))
        wait_for_any(events, exchange)

    def now(self) -> int:
        return time.monotonic_ns()

    def print(self, where: int, text: str) -> None:
        lines = current.data.lines(self._log, "stdout" if where == 1 else "stderr")
        lines.write(text.encode("latin-1"))
