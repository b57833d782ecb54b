"""The Redis trigger's subscription: messages, a lost server, an end."""

from __future__ import annotations

import logging
import queue
import time

import pytest
import redis as driver

from wasm_lab.errors import UsageError
from wasm_lab.scenarios.spin.redis_trigger import Subscriber
from wasm_lab.services import Redis


def test_an_address_that_is_none():
    with pytest.raises(UsageError, match="The address of the Redis trigger is none"):
        Subscriber("http://x", ["news"], print)


@pytest.mark.slow
def test_messages_come_in_their_order(redis_server):
    got: queue.Queue = queue.Queue()
    subscriber = Subscriber(redis_server.url, ["news", "sport", "news"], lambda *told: got.put(told))
    try:
        assert subscriber.wait(10)
        with driver.Redis.from_url(redis_server.url) as client:
            assert client.publish("news", b"\x00one") == 1
            client.publish("sport", b"two")
            client.publish("other", b"not ours")
            client.publish("news", b"")
        assert [got.get(timeout=60) for _ in range(3)] == [
            ("news", b"\x00one"),
            ("sport", b"two"),
            ("news", b""),
        ]
    finally:
        subscriber.close()
    assert not subscriber._thread.is_alive()


@pytest.mark.slow
def test_a_message_that_cannot_be_delivered_stops_nothing(redis_server, caplog):
    got: queue.Queue = queue.Queue()

    def deliver(channel: str, data: bytes) -> None:
        if data == b"bad":
            raise RuntimeError("as asked")
        got.put(data)

    subscriber = Subscriber(redis_server.url, ["news"], deliver)
    try:
        assert subscriber.wait(10)
        with driver.Redis.from_url(redis_server.url) as client:
            client.publish("news", b"bad")
            client.publish("news", b"good")
        assert got.get(timeout=60) == b"good"
        assert "could not be delivered" in caplog.text
    finally:
        subscriber.close()


@pytest.mark.slow
def test_a_server_that_goes_is_found_again(caplog):
    got: queue.Queue = queue.Queue()
    with Redis() as server, caplog.at_level(logging.WARNING):
        subscriber = Subscriber(server.url, ["news"], lambda _, data: got.put(data))
        try:
            assert subscriber.wait(10)
            server.crash()
            deadline = time.monotonic() + 60
            while subscriber.listening and time.monotonic() < deadline:
                time.sleep(0.02)
            assert not subscriber.listening
            server.start()
            assert subscriber.wait(15)
            with driver.Redis.from_url(server.url) as client:
                client.publish("news", b"again")
            assert got.get(timeout=60) == b"again"
            assert "is lost; trying again" in caplog.text
            assert server.password not in caplog.text
        finally:
            subscriber.close()


@pytest.mark.slow
def test_a_server_that_is_not_there_does_not_hold_up_the_end():
    with Redis() as server:
        url = server.url
    subscriber = Subscriber(url, ["news"], lambda *_: None)
    assert not subscriber.wait(0.3)
    started = time.monotonic()
    subscriber.close()
    assert time.monotonic() - started < 20
