"""The comparison of answers: what is the same, and what is told of a difference."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from wasm_lab.errors import AnswersDiffer
from wasm_lab.scenarios.loadtest.api import CASES, HELLO, check, media_type, normalised


class Right(http.server.BaseHTTPRequestHandler):
    """Answers as the table of cases says, with other spaces and another order of keys."""

    kind = "application/json; charset=utf-8"

    def answer(self, status: int, value: Any) -> bytes:
        return json.dumps(dict(reversed(value.items())), indent=2).encode()

    def do_GET(self) -> None:
        self._any()

    def do_POST(self) -> None:
        self._any()

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        case = next(c for c in CASES if (c.method, c.path, c.body) == (self.command, self.path, body))
        status, answer = self.status(case.status), self.answer(case.status, case.answer)
        self.send_response(status)
        self.send_header("Content-Type", self.kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def status(self, status: int) -> int:
        return status

    def log_message(self, *_: Any) -> None:
        pass


class WrongStatus(Right):
    def status(self, status: int) -> int:
        return 405 if status == 404 else status


class WrongKind(Right):
    kind = "text/plain"


class WrongNumber(Right):
    def answer(self, status: int, value: Any) -> bytes:
        return json.dumps({**value, "letters": 4} if "letters" in value else value).encode()


class Float(Right):
    def answer(self, status: int, value: Any) -> bytes:
        return json.dumps({**value, "sum": float(value["sum"])} if "sum" in value else value).encode()


@pytest.fixture
def serve() -> Iterator[Any]:
    servers = []

    def start(handler: type[Right]) -> int:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return int(server.server_address[1])

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_equal_answers_pass_whatever_their_spaces_and_order(serve: Any) -> None:
    check("it", serve(Right))


@pytest.mark.parametrize(
    ("handler", "told"),
    [
        (WrongStatus, r"405.* must answer 404"),
        (WrongKind, "text/plain"),
        (WrongNumber, '"letters":4.* must answer .*"letters":3'),
        (Float, r'"sum":66\.0|"sum":\d+\.0'),
    ],
)
def test_a_difference_is_shown(serve: Any, handler: type[Right], told: str) -> None:
    with pytest.raises(AnswersDiffer, match=told) as caught:
        check("Node + Express", serve(handler))
    assert "Node + Express answers" in caught.value.message
    assert "Nothing was timed" in caught.value.hint


def test_no_answer_is_a_difference(serve: Any) -> None:
    port = serve(Right)
    with pytest.raises(AnswersDiffer, match="gave no answer to GET /hello/Ada"):
        check("it", port + 1 if port < 65535 else port - 1, (HELLO,))


def test_the_cases_cover_each_status_and_both_requests_of_the_load() -> None:
    assert {case.status for case in CASES} == {200, 400, 404}
    assert {case.method for case in CASES if case.status == 200} == {"GET", "POST"}
    assert len({(case.method, case.path, case.body) for case in CASES}) == len(CASES)
    assert any(ord(letter) > 0xFFFF for case in CASES if case.answer for letter in str(case.answer))


def test_normalised_json() -> None:
    assert normalised(b'{"b":1,\n "a":"\\u00e9"}') == '{"a":"é","b":1}'.encode()
    assert normalised(b"no json") == b"no json"
    assert normalised(b"1") != normalised(b"1.0")


def test_media_type() -> None:
    assert media_type('Application/JSON;charset="UTF-8"') == "application/json"
    assert media_type("application/json; charset=latin-1") == "application/json; charset=latin-1"
    assert media_type("") == ""
