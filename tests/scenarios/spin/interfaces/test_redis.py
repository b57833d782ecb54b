"""Guests' Redis connections on a real server."""

from __future__ import annotations

import logging
import time

import pytest

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.interfaces import redis, redis_wire
from wasm_lab.scenarios.spin.interfaces.redis_wire import AddressError, parse_address
from wasm_lab.scenarios.spin.interfaces.variants import variant
from wasm_lab.services import Redis

Parameter = variant("RedisParameter", "", "Int64 Binary")


def case(caught) -> str:
    return type(caught.value.value).__name__


def interfaces(make_context, server, **more):
    return redis.implement(make_context(allowed=(f"redis://{server.address}",), **more))


@pytest.fixture
def connection(make_context, redis_server):
    import redis as driver

    with driver.Redis.from_url(redis_server.url) as client:
        client.flushall()
    opened = interfaces(make_context, redis_server)["fermyon:spin/redis@2.0.0"].Connection.open(
        redis_server.url
    )
    yield opened
    opened.close()


pytestmark = pytest.mark.slow


def test_every_function(connection):
    connection.set("a", b"\x00value")
    assert connection.get("a") == b"\x00value"
    assert connection.get("none") is None
    assert connection.incr("n") == 1
    assert connection.incr("n") == 2
    assert connection.del_(["a", "n", "none"]) == 2
    assert connection.sadd("s", ["one", "zwölf"]) == 2
    assert connection.sadd("s", ["one"]) == 0
    assert sorted(connection.smembers("s")) == ["one", "zwölf"]
    assert connection.srem("s", ["one", "none"]) == 1
    connection.publish("nobody", b"hears")


def test_any_command_with_its_kinds_of_answers(connection):
    def told(command, *arguments):
        return [
            (type(one).__name__, getattr(one, "value", None))
            for one in connection.execute(command, list(arguments))
        ]

    key = Parameter.Binary(b"key")
    assert told("SET", key, Parameter.Binary(b"12")) == [("Status", "OK")]
    assert told("GET", key) == [("Binary", b"12")]
    assert told("GET", Parameter.Binary(b"none")) == [("Nil", None)]
    assert told("INCRBY", key, Parameter.Int64(-2)) == [("Int64", 10)]
    assert told("MGET", key, Parameter.Binary(b"none")) == [("Binary", b"10"), ("Nil", None)]
    assert told("CONFIG GET", Parameter.Binary(b"maxmemory-policy"))[1] == ("Binary", b"noeviction")
    assert told("PING") == [("Status", "PONG")]


def test_a_value_of_the_wrong_kind(connection):
    connection.sadd("s", ["one"])
    for call in (lambda: connection.get("s"), lambda: connection.incr("s")):
        with pytest.raises(Err) as caught:
            call()
        assert case(caught) == "TypeError"
    connection.set("text", b"text")
    with pytest.raises(Err) as caught:
        connection.incr("text")
    assert case(caught) == "TypeError"
    with pytest.raises(Err) as caught:
        connection.execute("NOSUCH", [])
    assert "unknown command" in caught.value.value.value
    assert connection.get("text") == b"text"


@pytest.mark.parametrize("command", ["SUBSCRIBE", "psubscribe x", "MONITOR", "", "  "])
def test_streams_of_messages_are_refused(connection, command):
    with pytest.raises(Err) as caught:
        connection.execute(command, [Parameter.Binary(b"news")])
    assert "trigger" in caught.value.value.value
    connection.set("a", b"1")


def test_the_rules_decide(make_context, redis_server, caplog):
    interface = redis.implement(make_context(allowed=("redis://elsewhere",)))["fermyon:spin/redis@2.0.0"]
    with caplog.at_level(logging.WARNING), pytest.raises(Err) as caught:
        interface.Connection.open(redis_server.url)
    assert case(caught) == "InvalidAddress"
    assert f'Add "redis://{redis_server.address}" to allowed_outbound_hosts' in caplog.text
    assert redis_server.password not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://{address}",
        "unix:///run/redis.sock",
        "redis://",
        "redis://{address}/x",
        "redis+unix:///run/redis.sock",
        "redis://{address}:x",
        "redis://:p@elsewhere:1@@{address}/\x00",
    ],
)
def test_what_is_no_address(make_context, redis_server, url):
    interface = interfaces(make_context, redis_server)["fermyon:spin/redis@2.0.0"]
    with pytest.raises(Err) as caught:
        interface.Connection.open(url.format(address=redis_server.address))
    assert case(caught) in ("InvalidAddress", "Other")


def test_an_address_cannot_choose_how_it_is_connected():
    address = parse_address("redis://user:p%40ss@h:1/3?connection_class=os&host=evil&unix_socket_path=/x")
    assert (address.host, address.port, address.username, address.password, address.db) == (
        "h",
        1,
        "user",
        "p@ss",
        3,
    )
    assert "p@ss" not in repr(address)
    with pytest.raises(AddressError):
        parse_address("redis://h/123456789")


def test_a_wrong_password_is_an_error_that_does_not_show_it(make_context, redis_server):
    interface = interfaces(make_context, redis_server)["fermyon:spin/redis@2.0.0"]
    with pytest.raises(Err) as caught:
        interface.Connection.open(f"redis://:geheim@{redis_server.address}")
    assert case(caught) == "Other"
    assert "geheim" not in caught.value.value.value


def test_version_1(make_context, redis_server):
    interface = interfaces(make_context, redis_server)["fermyon:spin/redis"]
    url = redis_server.url
    interface.set(url, "v1", b"x")
    assert interface.get(url, "v1") == b"x"
    assert interface.get(url, "v1 none") == b""
    assert interface.incr(url, "v1 n") == 1
    assert interface.sadd(url, "v1 s", ["a"]) == 1
    assert interface.smembers(url, "v1 s") == ["a"]
    assert interface.srem(url, "v1 s", ["a"]) == 1
    assert interface.del_(url, ["v1"]) == 1
    interface.publish(url, "c", b"")
    assert interface.execute(url, "PING", [])[0].value == "PONG"
    for bad in ("redis://elsewhere", "no address"):
        with pytest.raises(Err) as caught:
            interface.get(bad, "a")
        assert caught.value.value == "error"


def test_what_a_guest_did_to_its_connection_reaches_no_other(make_context, redis_server):
    interface = interfaces(make_context, redis_server)["fermyon:spin/redis@2.0.0"]
    first = interface.Connection.open(redis_server.url)
    first.execute("SELECT", [Parameter.Int64(5)])
    first.set("only in 5", b"1")
    first.close()
    second = interface.Connection.open(redis_server.url)
    assert second.get("only in 5") is None
    second.close()


def test_a_connection_is_used_again(make_context, redis_server):
    interface = interfaces(make_context, redis_server)["fermyon:spin/redis@2.0.0"]
    numbers = set()
    for _ in range(5):
        opened = interface.Connection.open(redis_server.url)
        wire = opened._wire
        numbers.add(id(wire._connection))
        opened.get("a")
        opened.close()
        opened.close()
    assert len(numbers) == 1


def test_connections_of_one_guest_are_counted_and_end_with_it(make_context, redis_server, guest):
    interface = interfaces(make_context, redis_server)["fermyon:spin/redis@2.0.0"]
    opened = [interface.Connection.open(redis_server.url) for _ in range(redis.CONNECTIONS)]
    with pytest.raises(Err) as caught:
        interface.Connection.open(redis_server.url)
    assert case(caught) == "TooManyConnections"
    guest.end()
    assert all(one._wire._closed for one in opened)


def test_the_server_goes_and_comes_back(make_context):
    with Redis() as server:
        interface = interfaces(make_context, server)["fermyon:spin/redis@2.0.0"]
        held = interface.Connection.open(server.url)
        held.set("a", b"1")
        server.stop()
        with pytest.raises(Err):
            held.get("a")
        with pytest.raises(Err) as caught:
            interface.Connection.open(server.url)
        assert case(caught) == "Other"
        server.start()
        assert held.get("a") == b"1"
        again = interface.Connection.open(server.url)
        assert again.get("a") == b"1"


def test_idle_connections_that_the_server_ended_are_not_used(make_context):
    with Redis() as server:
        interface = interfaces(make_context, server)["fermyon:spin/redis@2.0.0"]
        interface.Connection.open(server.url).close()
        server.crash()
        server.start()
        interface.Connection.open(server.url).get("a")


def test_a_server_that_hangs_ends_with_the_guests_deadline(make_context, guest):
    with Redis() as server:
        interface = interfaces(make_context, server)["fermyon:spin/redis@2.0.0"]
        held = interface.Connection.open(server.url)
        server.pause()
        guest.deadline_s = time.monotonic() + 0.3
        started = time.monotonic()
        with pytest.raises(Err) as caught:
            held.get("a")
        assert "does not answer in time" in caught.value.value.value
        assert time.monotonic() - started < 30
        server.resume()
        guest.deadline_s = time.monotonic() + 60
        assert held.get("a") is None


def test_an_answer_has_bounds(connection, monkeypatch):
    connection.set("large", bytes(100_000))
    monkeypatch.setattr(redis_wire, "RESULT_BYTES", 50_000)
    with pytest.raises(Err) as caught:
        connection.get("large")
    assert "more than 50000 bytes" in caught.value.value.value
    assert connection.get("none") is None
