"""``wasm-lab spin up`` as a process: its workers, what they refuse, and how they end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from wasm_lab.scenarios.spin.samples import build_sample
from wasm_lab.services import Redis

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

WASM_LAB = str(Path(sys.executable).with_name("wasm-lab"))


class Up:
    """A server of its own for a sample."""

    def __init__(
        self, manifest: Path, state: Path, *, workers: int = 2, variables: dict[str, str] | None = None
    ) -> None:
        words = [WASM_LAB, "spin", "up", "--from", str(manifest)]
        words += ["--listen", "127.0.0.1:0", "--workers", str(workers), "--state-dir", str(state)]
        for name, value in (variables or {}).items():
            words += ["--variable", f"{name}={value}"]
        self.log = state / "server.log"
        state.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        found = re.fullmatch(r"Serving http://127\.0\.0\.1:(\d+)\n", first)
        if found is None:
            self.stop()
            raise AssertionError((first, self.log.read_text()))
        self.port = int(found[1])

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)

    def get(self, path: str) -> tuple[int, bytes]:
        with self.client() as client:
            answer = client.get(path)
        return answer.status_code, answer.content

    def raw(self, data: bytes) -> bytes:
        """What comes back for these bytes, until the server closes the connection or a second has passed."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            connection.settimeout(1)
            connection.sendall(data)
            got = b""
            try:
                while part := connection.recv(65536):
                    got += part
            except TimeoutError:
                pass
            return got

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    for name in ("moody", "echo", "listener"):
        build_sample(name, folder)
    return folder


@pytest.fixture(scope="module")
def moody(samples: Path) -> Iterator[Up]:
    server = Up(samples / "moody" / "spin.toml", samples / "state-moody")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def echo(samples: Path) -> Iterator[Up]:
    server = Up(samples / "echo" / "spin.toml", samples / "state-echo")
    yield server
    server.stop()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GARBAGE\r\n\r\n", 400),
        (b"GET / HTTP/9.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"x: y\r\n" * 500 + b"\r\n", 431),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\n", 413),
    ],
    ids=["no request", "version", "header", "headers", "address", "length", "body"],
)
def test_what_is_no_request_is_refused(moody: Up, data: bytes, status: int) -> None:
    assert moody.raw(data).startswith(b"HTTP/1.1 %d " % status)
    assert moody.get("/fine") == (200, b"fine\n")


def test_a_trap_behind_the_beginning_breaks_the_answer_off(moody: Up) -> None:
    got = moody.raw(b"GET /late HTTP/1.1\r\nHost: x\r\n\r\n")
    whole = b"Content-Length: 49" in got.title() or got.startswith(b"HTTP/1.1 500")
    assert whole or not got.endswith(b"0\r\n\r\n")
    assert moody.get("/fine") == (200, b"fine\n")


def test_a_connection_serves_one_request_after_the_other(moody: Up) -> None:
    with moody.client() as client:
        for path, status in [("/fine", 200), ("/panic", 500), ("/fine", 200), ("/silent", 500)] * 5:
            assert client.get(path).status_code == status


def test_bodies_stream_both_ways(echo: Up) -> None:
    with socket.create_connection(("127.0.0.1", echo.port), 10) as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        got = b""
        for number in range(5):
            connection.sendall(b"6\r\npiece%d\r\n" % number)
            while b"piece%d" % number not in got:
                got += connection.recv(1000)
        connection.sendall(b"0\r\n\r\n")
        while not got.endswith(b"0\r\n\r\n"):
            got += connection.recv(1000)


def test_large_bodies_take_little_memory(echo: Up) -> None:
    before = sum(worker.memory_info().rss for worker in echo.workers())
    size, taken, most = 200_000_000, 0, 0
    with echo.client() as client:
        with client.stream("GET", f"/bytes/{size}") as answer:
            for number, part in enumerate(answer.iter_raw()):
                taken += len(part)
                if number % 200 == 0:
                    most = max(most, sum(worker.memory_info().rss for worker in echo.workers()))
        assert taken == size
        assert client.post("/sum", content=iter([b"x" * 1_000_000] * 100)).text == "100000000\n"
    assert most - before < 60_000_000


def test_a_client_that_reads_nothing_holds_nobody_up(echo: Up) -> None:
    lazy = [socket.create_connection(("127.0.0.1", echo.port), 10) for _ in range(20)]
    for connection in lazy:
        connection.sendall(b"GET /bytes/100000000 HTTP/1.1\r\nHost: x\r\n\r\n")
    time.sleep(0.3)
    assert echo.get("/bytes/5") == (200, b"xxxxx")
    for connection in lazy:
        connection.close()


def test_traps_among_many_requests_lose_no_answer(moody: Up) -> None:
    wrong: list[object] = []
    counted, lock = [0, 0], threading.Lock()

    def ask(offset: int) -> None:
        with moody.client() as client:
            for number in range(100):
                trap = (number + offset) % 20 == 0
                answer = client.get("/panic" if trap else "/fine")
                if answer.status_code != (500 if trap else 200) or (not trap and answer.text != "fine\n"):
                    wrong.append((trap, answer))
                with lock:
                    counted[trap] += 1

    threads = [threading.Thread(target=ask, args=(offset,)) for offset in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not wrong
    assert counted == [1520, 80]


def test_a_worker_that_is_killed_is_replaced(samples: Path) -> None:
    server = Up(samples / "moody" / "spin.toml", samples / "state-killed")
    try:
        server.workers()[0].kill()
        until = time.monotonic() + 60
        while len([one for one in server.workers() if one.status() != psutil.STATUS_ZOMBIE]) < 2:
            assert time.monotonic() < until
            time.sleep(0.05)
        assert server.get("/fine") == (200, b"fine\n")
    finally:
        server.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_requests_under_way_are_answered_before_the_end(samples: Path, number: int) -> None:
    server = Up(samples / "echo" / "spin.toml", samples / f"state-end-{number}")
    answers: list[bytes] = []
    begun = threading.Semaphore(0)

    def ask() -> None:
        with server.client() as client, client.stream("GET", "/slowly/50") as answer:
            pieces = answer.iter_raw()
            got = next(pieces)
            begun.release()
            answers.append(got + b"".join(pieces))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert all(begun.acquire(timeout=60) for _ in threads)
    workers = server.workers()
    assert server.stop(number) == 0
    for thread in threads:
        thread.join(20)
    assert answers == [b"".join(b"%d\n" % line for line in range(1, 51))] * 4
    assert not any(worker.is_running() for worker in workers)


def test_a_guest_that_does_not_end_does_not_keep_the_server(samples: Path) -> None:
    server = Up(samples / "moody" / "spin.toml", samples / "state-loop")
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(b"GET /loop HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(40) == 0
    server.stop()


def test_messages_of_redis_run_the_listener_once_each(samples: Path) -> None:
    import redis

    with Redis() as service, ExitStack() as cleanup:
        server = Up(
            samples / "listener" / "spin.toml",
            samples / "state-listener",
            variables={"redis_url": service.url},
        )
        try:
            client = cleanup.enter_context(redis.Redis.from_url(service.url))
            until = time.monotonic() + 60
            while client.publish("news", b"first") == 0:
                assert time.monotonic() < until
                time.sleep(0.05)
            assert client.publish("news", b"panic") == 1, "one process subscribes"
            for number in range(200):
                client.publish("news", b"message %d" % number)
            while server.get("/last") != (200, b"message 199"):
                assert time.monotonic() < until
                time.sleep(0.05)
            # The listener counts by reading and writing back: in order and one by one, none is lost.
            assert server.get("/count") == (200, b"201")
        finally:
            server.stop()


def test_an_address_that_is_taken_is_said(samples: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        words = [WASM_LAB, "spin", "up", "--from", str(samples / "echo")]
        words += ["--listen", f"127.0.0.1:{taken.getsockname()[1]}"]
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ)
        )
    assert done.returncode != 0
    assert "Cannot listen" in done.stderr
    assert "Traceback" not in done.stderr
