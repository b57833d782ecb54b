"""Bodies: bounded buffers, whoever is the slower side."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.host.bodies import (
    INCOMING_BYTES,
    OUTGOING_BYTES,
    BodyInput,
    BodyOutput,
    IncomingBytes,
    OutgoingBytes,
)
from wasm_lab.scenarios.spin.host.chaining import Pump
from wasm_lab.scenarios.spin.host.guest import Guest
from wasm_lab.scenarios.spin.host.io import poll
from wasm_lab.scenarios.spin.host.waiting import GuestStopped


def watch(limit_s: float = 10.0) -> Guest:
    guest = Guest(limit_s)
    guest.start()
    return guest


def ending(call: Any, *arguments: Any) -> str:
    with pytest.raises(Err) as caught:
        call(*arguments)
    return type(caught.value.value).__name__


def test_what_comes_in_is_read_in_pieces_of_any_size() -> None:
    body = IncomingBytes()
    for chunk in (b"abc", b"defgh", b"i"):
        assert body.feed(chunk)
    body.finish()
    assert [body.take(2), body.take(2), body.take(100), body.take(1)] == [b"ab", b"c", b"defgh", b"i"]
    assert ending(body.take, 1) == "Closed"


def test_nothing_yet_is_no_end() -> None:
    body = IncomingBytes()
    assert body.take(5) == b""
    assert not body.ready()
    body.feed(b"x")
    assert body.ready()
    assert body.take(0) == b""


def test_a_body_that_breaks_off_fails_after_what_came() -> None:
    body = IncomingBytes()
    body.feed(b"abc")
    body.fail("gone")
    assert body.take(10) == b"abc"
    assert ending(body.take, 1) == "LastOperationFailed"


def test_a_full_buffer_says_so_and_when_there_is_room_again() -> None:
    called = []
    body = IncomingBytes(lambda: called.append(True))
    assert body.feed(b"x" * (INCOMING_BYTES - 1))
    assert not body.feed(b"y")
    assert body.full
    body.take(INCOMING_BYTES // 4)
    assert not called
    body.take(INCOMING_BYTES)
    assert called == [True]
    assert not body.full


def test_what_nobody_wants_is_dropped() -> None:
    called = []
    body = IncomingBytes(lambda: called.append(True))
    body.feed(b"x" * INCOMING_BYTES)
    body.discard()
    assert called == [True]
    assert body.feed(b"z" * INCOMING_BYTES), "there is room for ever"


def test_a_blocking_read_waits_for_the_network() -> None:
    body = IncomingBytes()
    stream = BodyInput(watch(), body)
    threading.Timer(0.05, body.feed, (b"late",)).start()
    assert stream.blocking_read(10) == b"late"
    threading.Timer(0.05, body.finish).start()
    assert ending(stream.blocking_read, 10) == "Closed"


def test_poll_says_which_of_several_is_ready() -> None:
    guest = watch()
    bodies = [IncomingBytes() for _ in range(3)]
    pollables = [BodyInput(guest, body).subscribe() for body in bodies]
    threading.Timer(0.05, bodies[1].feed, (b"x",)).start()
    assert poll(pollables) == [1]
    bodies[2].finish()
    assert poll(pollables) == [1, 2]


def test_waiting_ends_with_the_deadline_and_with_the_request() -> None:
    began = time.monotonic()
    with pytest.raises(GuestStopped):
        BodyInput(watch(0.05), IncomingBytes()).blocking_read(1)
    assert time.monotonic() - began >= 0.05
    guest = watch()
    threading.Timer(0.05, guest.stop).start()
    with pytest.raises(GuestStopped):
        BodyInput(guest, IncomingBytes()).blocking_read(1)
    with pytest.raises(GuestStopped):  # and nothing is waited for after it
        BodyInput(guest, IncomingBytes()).blocking_read(1)


def test_what_goes_out_is_bounded() -> None:
    asked: list[bool] = []
    body = OutgoingBytes(None, now=lambda: asked.append(True), soon=lambda: None)
    stream = BodyOutput(watch(), body)
    while room := stream.check_write():
        stream.write(b"x" * min(room, 100_000))
    assert body.waiting == OUTGOING_BYTES
    assert asked == [True]
    with pytest.raises(ValueError, match="more than check-write allowed"):
        stream.write(b"x")
    threading.Timer(0.05, body.take_all).start()
    stream.blocking_write_and_flush(b"y" * 4096)
    assert body.take_all() == b"y" * 4096


def test_no_more_than_content_length_promised() -> None:
    body = OutgoingBytes(5, lambda: None, lambda: None)
    body.put(b"abc")
    assert ending(body.put, b"def") == "LastOperationFailed"
    body.put(b"de")
    assert body.take_all() == b"abcde"


def test_a_finished_body_takes_nothing_more() -> None:
    body = OutgoingBytes(None, lambda: None, lambda: None)
    stream = BodyOutput(watch(), body)
    body.finish()
    assert ending(stream.check_write) == "Closed"
    assert stream.ready()


def test_a_client_takes_the_pieces_as_they_come() -> None:
    body = OutgoingBytes(None)
    got: list[bytes] = []

    def client() -> None:
        got.extend(body.chunks())

    thread = threading.Thread(target=client)
    thread.start()
    for piece in (b"one", b"two"):
        body.put(piece)
        body.flush()
    body.finish()
    thread.join(5)
    assert b"".join(got) == b"onetwo"


def test_a_request_that_the_guest_gives_up_is_no_whole_one() -> None:
    body = OutgoingBytes(None)
    body.put(b"some")
    body.abort()
    chunks = body.chunks()
    assert next(chunks) == b"some"
    with pytest.raises(ConnectionAbortedError):
        next(chunks)


def test_a_pump_keeps_both_sides_bounds() -> None:
    source, target = OutgoingBytes(None), IncomingBytes()
    source.watch(Pump(source, target).move)
    sent = got = 0
    writer, reader = BodyOutput(watch(), source), BodyInput(watch(), target)
    total = 3 * 1024 * 1024

    def write() -> None:
        nonlocal sent
        while sent < total:
            writer.blocking_write_and_flush(b"x" * 4096)
            sent += 4096
        source.finish()

    thread = threading.Thread(target=write)
    thread.start()
    most = 0
    while got < total:
        got += len(reader.blocking_read(10_000))
        most = max(most, sent - got)
    assert ending(reader.blocking_read, 1) == "Closed"
    thread.join(5)
    assert got == total
    assert most <= INCOMING_BYTES + 2 * OUTGOING_BYTES
