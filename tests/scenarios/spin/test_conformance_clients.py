"""Clients that mean harm, or know no better, against ``wasm-lab spin up``, byte by byte."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from wasm_lab.build import build
from wasm_lab.cells import parse_cell

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

WASM_LAB = str(Path(sys.executable).with_name("wasm-lab"))

MANIFEST = """
spin_manifest_version = 2
[application]
name = "shape"
[[trigger.http]]
route = "/..."
component = "shape"
[[trigger.http]]
route = "/admin/..."
component = "admin"
[component.shape]
source = "shape.wasm"
[component.admin]
source = "shape.wasm"
"""


class Server:
    """The shape guest behind a server process of its own."""

    def __init__(self, folder: Path) -> None:
        words = [WASM_LAB, "spin", "up", "--from", str(folder), "--listen", "127.0.0.1:0"]
        words += ["--workers", "1", "--state-dir", str(folder / "state")]
        self.log = folder / "server.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        found = re.search(r":(\d+)$", self.process.stdout.readline().strip())
        assert found is not None, self.log.read_text()
        self.port = int(found[1])

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), 10)
        connection.settimeout(20)
        return connection

    def ask(self, data: bytes, *, half: bool = False) -> bytes:
        """All that comes back for these bytes; the request must ask for the connection's end."""
        with self.connect() as connection:
            connection.sendall(data)
            if half:
                connection.shutdown(socket.SHUT_WR)
            got = b""
            while part := connection.recv(65536):
                got += part
            return got

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("shape")
    source = parse_cell(
        (Path(__file__).with_name("guests") / "shape.rs").read_text(encoding="utf-8"), label="shape.rs"
    )
    (folder / "shape.wasm").write_bytes(build(source).wasm)
    (folder / "spin.toml").write_text(MANIFEST)
    running = Server(folder)
    yield running
    running.stop()


def request(first: str, *more: str, host: str = "Host: x") -> bytes:
    lines = [first, host, *more, "Connection: close"]
    return ("\r\n".join(line for line in lines if line) + "\r\n\r\n").encode("latin-1")


CHUNKED = "Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    "data",
    [
        request("GET / HTTP/1.1", "Host: y"),
        request("GET / HTTP/1.1", host="Host: a b/c?d"),
        request("GET / HTTP/1.1", host="Host: user@x"),
        request("GET / HTTP/1.1", host="Host: \xff"),
        request("GET nowhere HTTP/1.1"),
        request("GET /a b HTTP/1.1"),
        request("POST / HTTP/1.1", "Content-Length: 4", "Content-Length: 5") + b"hello",
        request("POST / HTTP/1.1", "Content-Length: +5") + b"hello",
        request("POST / HTTP/1.1", "Transfer-Encoding: chunked, identity") + b"0\r\n\r\n",
        request("POST / HTTP/1.1", "Transfer-Encoding : chunked") + b"0\r\n\r\n",
        request("POST / HTTP/1.0", CHUNKED) + b"0\r\n\r\n",
        request("POST / HTTP/1.1", CHUNKED) + b"zz\r\nhello\r\n0\r\n\r\n",
        request("POST / HTTP/1.1", CHUNKED) + b"ffffffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        request("POST / HTTP/1.1", CHUNKED) + b"3\r\nhello\r\n0\r\n\r\n",
        request("GET / HTTP/1.1", "X: a\r\n folded"),
        request("GET / HTTP/1.1", "X: a\0b"),
    ],
    ids=[
        "two hosts",
        "host with a path",
        "host with a user",
        "host of no ASCII",
        "path without slash",
        "space",
        "two lengths",
        "signed length",
        "two codings",
        "space before colon",
        "chunks in 1.0",
        "chunk of no size",
        "endless chunk",
        "chunk too long",
        "folded",
        "zero byte",
    ],
)
def test_nonsense_is_a_400(server: Server, data: bytes) -> None:
    assert server.ask(data).startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))


def test_a_body_that_is_too_short_is_a_400(server: Server) -> None:
    got = server.ask(request("POST / HTTP/1.1", "Content-Length: 50") + b"hello", half=True)
    assert got.startswith(b"HTTP/1.1 400 ")


def test_what_lies_behind_a_body_is_no_second_request(server: Server) -> None:
    both = request("POST / HTTP/1.1", "Content-Length: 4", CHUNKED)
    got = server.ask(both + b"5\r\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
    assert got.count(b"HTTP/1.1 ") == 1
    assert b"smuggled" not in got


def test_a_route_sees_what_the_guest_sees(server: Server) -> None:
    for path in ("/x/../admin/y", "/%61dmin/y", "/admin%2fy", "/x?/admin/y"):
        got = server.ask(request(f"GET {path} HTTP/1.1"))
        assert f"path {path}\n".encode() in got
        assert b"spin-matched-route: /...\n" in got
    got = server.ask(request("GET http://elsewhere/admin/y HTTP/1.1"))
    assert b"path /admin/y\n" in got
    assert b"spin-matched-route: /admin/...\n" in got


def test_letters_beyond_ascii_arrive_once_encoded(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall("GET /ä?ö HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        got = b""
        while part := connection.recv(65536):
            got += part
    assert "path /ä?ö\n".encode() in got


def test_options_of_the_server_itself(server: Server) -> None:
    got = server.ask(request("OPTIONS * HTTP/1.1"))
    assert b"path *\n" in got
    assert b"spin-full-url: http://x\n" in got


def test_a_client_does_not_speak_for_the_host(server: Server) -> None:
    got = server.ask(
        request("GET /x HTTP/1.1", "Spin-Path-Info: /evil", "spin-client-addr: 6.6.6.6:6", "SPIN-Evil: 1")
    )
    assert b"evil" not in got
    assert b"6.6.6.6" not in got
    assert b"spin-path-info: /x\n" in got


def test_requests_in_one_breath_are_answered_in_their_order(server: Server) -> None:
    several = b"".join(b"GET /no%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(9))
    got = server.ask(several + request("GET /last HTTP/1.1"))
    assert re.findall(rb"path /(\w+)", got) == [*(b"no%d" % number for number in range(9)), b"last"]


def test_a_client_that_waits_to_be_asked_for_its_body(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(request("POST / HTTP/1.1", "Expect: 100-continue", "Content-Length: 5"))
        got = connection.recv(65536)
        assert got.startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"hello")
        while part := connection.recv(65536):
            got += part
    assert b"HTTP/1.1 200 OK" in got
    assert b"body [104, 101, 108, 108, 111]" in got


def test_head_with_a_body_leaves_the_connection_in_order(server: Server) -> None:
    head = b"HEAD /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    got = server.ask(head + request("GET /behind HTTP/1.1"))
    assert got.count(b"HTTP/1.1 200") == 2
    assert got.count(b"method ") == 1
    assert b"path /behind\n" in got


@pytest.mark.parametrize("beginning", [b"", b"GET /x HTTP/1.1\r\nHo"], ids=["silent", "slow"])
def test_many_connections_that_say_nothing_keep_nobody_out(server: Server, beginning: bytes) -> None:
    held = [server.connect() for _ in range(1500)]
    try:
        for connection in held:
            connection.sendall(beginning)
        assert server.ask(request("GET /x HTTP/1.1")).startswith(b"HTTP/1.1 200 ")
    finally:
        for connection in held:
            connection.close()


def test_bodies_that_come_slowly_keep_nobody_out(server: Server) -> None:
    held = [server.connect() for _ in range(300)]
    try:
        for connection in held:
            connection.sendall(request("POST /x HTTP/1.1", "Content-Length: 4") + b"ab")
        time.sleep(0.3)
        assert server.ask(request("GET /x HTTP/1.1")).startswith(b"HTTP/1.1 200 ")
        for connection in held:
            connection.sendall(b"cd")
        assert all(connection.recv(12) == b"HTTP/1.1 200" for connection in held)
    finally:
        for connection in held:
            connection.close()


def test_workers_end_with_a_server_that_was_killed(server: Server, tmp_path: Path) -> None:
    for name in ("shape.wasm", "spin.toml"):
        (tmp_path / name).write_bytes((server.log.parent / name).read_bytes())
    running = Server(tmp_path)
    workers = psutil.Process(running.process.pid).children()
    assert workers
    running.process.kill()
    running.stop()
    _, alive = psutil.wait_procs(workers, 30)
    assert not alive
    with pytest.raises(OSError, match="refused"):
        running.connect()
