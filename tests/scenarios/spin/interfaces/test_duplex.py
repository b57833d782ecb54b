"""Answers that begin while the request's body is still on its way."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import httpx
import pytest

from wasm_lab.scenarios.spin.interfaces.duplex import Duplex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TIMES = {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": 5.0}


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    threads = []

    def start(behave: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))

        def run() -> None:
            with closing(listener), closing(listener.accept()[0]) as connection:
                connection.settimeout(5)
                behave(connection)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/path?query"

    yield start
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def until(connection: socket.socket, end: bytes) -> bytes:
    got = b""
    while end not in got and (part := connection.recv(1000)):
        got += part
    return got


def ask(url: str, body: Iterator[bytes], headers: dict[str, str] | None = None) -> httpx.Response:
    request = httpx.Request("POST", url, content=body, headers=headers, extensions={"timeout": TIMES})
    return Duplex().handle_request(request)


def test_the_answer_begins_before_the_body_ends(serve: Callable[..., str]) -> None:
    heard = []

    def behave(connection: socket.socket) -> None:
        heard.append(until(connection, b"\r\n\r\n"))
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        heard.append(until(connection, b"0\r\n\r\n"))
        connection.sendall(b"4\r\nback\r\n0\r\n\r\n")

    begun = threading.Event()

    def body() -> Iterator[bytes]:
        assert begun.wait(5), "the answer's head came first"
        yield b"one"
        yield b"two"

    response = ask(serve(behave), body())
    begun.set()
    assert b"".join(response.iter_raw()) == b"back"
    response.close()
    assert heard[0].startswith(b"POST /path?query HTTP/1.1\r\n")
    assert heard[1] == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


def test_a_promised_length_is_kept(serve: Callable[..., str]) -> None:
    heard = []

    def behave(connection: socket.socket) -> None:
        heard.append(until(connection, b"12345"))
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    response = ask(serve(behave), iter([b"123", b"45"]), {"content-length": "5"})
    assert response.status_code == 204
    response.close()
    assert b"chunked" not in heard[0].lower()


def test_a_body_that_is_given_up_is_no_whole_request(serve: Callable[..., str]) -> None:
    heard: list[bytes] = []
    ended = threading.Event()

    def behave(connection: socket.socket) -> None:
        heard.append(until(connection, b"0\r\n\r\n"))
        ended.set()

    def body() -> Iterator[bytes]:
        yield b"begun"
        raise ConnectionAbortedError

    with pytest.raises(httpx.TransportError):
        ask(serve(behave), body())
    assert ended.wait(5)
    assert b"begun" in heard[0]
    assert not heard[0].endswith(b"0\r\n\r\n")


def test_an_answer_to_half_a_body_is_an_answer(serve: Callable[..., str]) -> None:
    def behave(connection: socket.socket) -> None:
        until(connection, b"\r\n\r\n")
        connection.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!")

    ended = threading.Event()

    def body() -> Iterator[bytes]:
        yield b"x"
        ended.wait(5)

    response = ask(serve(behave), body())
    assert (response.status_code, b"".join(response.iter_raw())) == (413, b"no!")
    response.close()
    ended.set()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2xx nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nConte"])
def test_no_answer_is_an_error_of_httpx(serve: Callable[..., str], answer: bytes) -> None:
    def behave(connection: socket.socket) -> None:
        until(connection, b"0\r\n\r\n")
        connection.sendall(answer)

    with pytest.raises(httpx.ProtocolError):
        ask(serve(behave), iter([b"x"]))


def test_an_answer_that_breaks_off_is_an_error(serve: Callable[..., str]) -> None:
    def behave(connection: socket.socket) -> None:
        until(connection, b"0\r\n\r\n")
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")

    response = ask(serve(behave), iter([b"x"]))
    with pytest.raises(httpx.RemoteProtocolError):
        b"".join(response.iter_raw())
    response.close()


def test_nobody_listens() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(httpx.ConnectError):
        ask(f"http://127.0.0.1:{port}/", iter([b"x"]))
