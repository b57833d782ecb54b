"""Messages of the Redis trigger: one at a time in their order, for every component of the channel."""

from __future__ import annotations

import queue
import time
from typing import Any

import pytest
import redis as driver

from wasm_lab.scenarios.spin.host.crew import Crew
from wasm_lab.scenarios.spin.host.limits import Limits
from wasm_lab.scenarios.spin.messages import Messages

pytestmark = pytest.mark.slow

#: Longer than a tick of the crew: another thread takes the next guest, if it is there.
SLOW_S = 0.03


class Listener:
    """In place of a component: notes when it begins and ends with a message."""

    handler = "listener"

    def __init__(self, name: str, seen: queue.SimpleQueue[tuple[str, str, bytes]]) -> None:
        self.name = name
        self.seen = seen

    def enter(self, guest: Any, handle: Any) -> None:
        handle({"listener": self}, guest)

    def handle_message(self, message: bytes) -> None:
        self.seen.put((self.name, "begins", message))
        time.sleep(SLOW_S)
        self.seen.put((self.name, "ends", message))


def test_a_message_is_handled_when_the_one_before_it_is(redis_server) -> None:
    seen: queue.SimpleQueue[tuple[str, str, bytes]] = queue.SimpleQueue()
    triggers: Any = [(redis_server.url, "news", Listener(name, seen)) for name in ("one", "other")]
    crew = Crew()
    messages = Messages("in-order", triggers, crew, Limits(), pytest.fail)
    try:
        with driver.Redis.from_url(redis_server.url) as client:
            until = time.monotonic() + 60
            while client.publish("news", b"first") == 0:
                assert time.monotonic() < until
                time.sleep(0.05)
            for message in (b"second", b"last"):
                client.publish("news", message)
        told = [seen.get(timeout=60) for _ in range(12)]
    finally:
        messages.close()
        crew.close()
    for number, message in enumerate((b"first", b"second", b"last")):
        turn = told[4 * number : 4 * number + 4]
        assert {heard for _, _, heard in turn} == {message}, told
        assert [name for name, _, _ in turn].count("one") == 2, told


def test_a_component_that_takes_long_does_not_hold_up_the_end(redis_server) -> None:
    seen: queue.SimpleQueue[tuple[str, str, bytes]] = queue.SimpleQueue()

    class Sleeper(Listener):
        def handle_message(self, message: bytes) -> None:
            self.seen.put((self.name, "begins", message))
            time.sleep(20)

    crew = Crew()
    triggers: Any = [(redis_server.url, "news", Sleeper("one", seen))]
    messages = Messages("at-the-end", triggers, crew, Limits(), pytest.fail)
    with driver.Redis.from_url(redis_server.url) as client:
        until = time.monotonic() + 60
        while client.publish("news", b"first") == 0:
            assert time.monotonic() < until
            time.sleep(0.05)
    seen.get(timeout=60)
    started = time.monotonic()
    messages.close()
    crew.close()
    assert time.monotonic() - started < 10
