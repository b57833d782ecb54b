"""What is read of wrk's words, and that its script sends both requests."""

from __future__ import annotations

import http.server
import threading
from collections import Counter
from typing import Any

import pytest

from wasm_lab.errors import MeasureError, ToolchainError
from wasm_lab.scenarios.loadtest import generator
from wasm_lab.scenarios.loadtest.api import HELLO, SUM
from wasm_lab.scenarios.loadtest.generator import Generator, Load, _read


def test_what_wrk_measured_is_read() -> None:
    load = _read("Running 1s test\nwasm-lab-load 1000 500000 120 900 5000 1 20 3\n", 0.25)
    assert load == Load(
        requests=1000,
        duration_us=500_000,
        p50_us=120,
        p99_us=900,
        longest_us=5000,
        broken=1,
        refused=20,
        late=3,
        generator_share=0.5,
    )
    assert load.per_second == 1960  # the refused ones do not count
    assert load.failed == 24


@pytest.mark.parametrize("said", ["", "unable to connect to 127.0.0.1:9 Connection refused"])
def test_without_its_line_wrk_failed(said: str) -> None:
    with pytest.raises(MeasureError, match="wrk said nothing"):
        _read(said, 0.0)


def test_answers_that_are_all_refused_are_no_measurement() -> None:
    with pytest.raises(MeasureError, match="none was answered well"):
        _read("wasm-lab-load 50 500000 120 900 5000 0 50 0\n", 0.1)


def test_without_wrk_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "find_wrk", lambda: None)
    with pytest.raises(ToolchainError) as caught:
        Generator()
    assert "load" in caught.value.message


@pytest.mark.slow
def test_wrk_sends_both_requests_in_turns_and_tells_of_refusals() -> None:
    seen: Counter[tuple[str, str, bytes, str]] = Counter()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def any(self, status: int) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen[self.command, self.path, body, self.headers.get("Content-Type", "")] += 1
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            self.any(200)

        def do_POST(self) -> None:
            self.any(404)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    during = []
    try:
        with Generator() as load:
            found = load.run(int(server.server_address[1]), 1, 1, during=lambda: during.append(1))
    finally:
        server.shutdown()
        server.server_close()
    assert during == [1]
    hello, total = ("GET", HELLO.path, b"", ""), ("POST", SUM.path, SUM.body, "application/json")
    assert set(seen) == {hello, total}
    assert abs(seen[hello] - seen[total]) <= 1
    assert abs(found.refused - seen[total]) <= 1
    assert 0 < found.p50_us <= found.p99_us <= found.longest_us
    assert found.per_second == pytest.approx((found.requests - found.refused) / found.duration_us * 1e6)
