"""Workers at work, and an origin behind them; workerd must be here: `make test-tools` gets it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from wasm_lab.scenarios.edge import LiveWorker, Worker, run_worker
from wasm_lab.toolchains.workerd import workerd_missing

Run = Callable[..., LiveWorker]


@pytest.fixture
def run() -> Iterator[Run]:
    """Start workers, which end with the test."""
    assert not workerd_missing(), workerd_missing()
    started: list[LiveWorker] = []

    def start(text: str, name: str = "shop", **settings: Any) -> LiveWorker:
        live = run_worker(Worker.of(name, text, **settings))
        started.append(live)
        return live

    yield start
    for live in started:
        live.close()


class Origin(ThreadingHTTPServer):
    """A web site whose answers are told to it by path; it counts who asks."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Origin

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        status, headers, body = self.server.pages.get(self.path, (404, {}, b"nothing here"))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def origin() -> Iterator[Origin]:
    server = Origin()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
