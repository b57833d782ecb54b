"""An ASGI application at work in this process."""

from __future__ import annotations

import asyncio
import threading
import urllib.error
import urllib.request

import httpx
import pytest

from wasm_lab.errors import WasmLabError
from wasm_lab.scenarios.spin.in_process import InProcess, Served


class Small:
    """Answers with what it was asked, and remembers how it was started and stopped."""

    def __init__(self, failing: str = "") -> None:
        self.steps: list[str] = []
        self.failing = failing

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                assert (await receive())["type"] == f"lifespan.{step}"
                if self.failing == f"raise at {step}":
                    raise KeyError(step)
                if self.failing == step:
                    await send({"type": f"lifespan.{step}.failed", "message": f"no {step} today"})
                    return
                self.steps.append(step)
                await send({"type": f"lifespan.{step}.complete"})
            return
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        if scope["path"] == "/raise":
            raise ValueError("in the application")
        if scope["path"] == "/slow":
            await asyncio.sleep(60)
        await send(
            {"type": "http.response.start", "status": 201, "headers": [(b"x-path", scope["raw_path"])]}
        )
        await send({"type": "http.response.body", "body": scope["method"].encode() + b" " + body})


@pytest.fixture(params=["in process", "served"])
def started(request: pytest.FixtureRequest):
    app = Small()
    server = Served(app) if request.param == "served" else InProcess(app, "http://small.localhost")
    yield app, server
    if not app.steps or app.steps[-1] != "shutdown":
        server.close()


def test_requests_reach_it_with_method_path_and_body(started) -> None:
    app, server = started
    answer = server.request("PUT", "/a%20b?c=d", content=b"text")
    assert (answer.status_code, answer.text) == (201, "PUT text")
    assert answer.headers["x-path"] == "/a%20b"
    assert app.steps == ["startup"]


def test_a_failure_in_the_application_is_an_answer(started) -> None:
    _, server = started
    assert server.request("GET", "/raise").status_code == 500
    assert server.request("GET", "/").status_code == 201


def test_many_threads_ask_at_once(started) -> None:
    _, server = started
    answers = {}

    def ask(number: int) -> None:
        answers[number] = server.request("POST", "/", content=str(number)).text

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: f"POST {number}" for number in range(20)}


def test_closing_shuts_it_down_and_ends_its_thread(started) -> None:
    app, server = started
    server.close()
    assert app.steps == ["startup", "shutdown"]
    assert not server._thread.is_alive()


def test_another_program_can_ask_what_is_served() -> None:
    server = Served(Small())
    with urllib.request.urlopen(server.url, timeout=60) as answer:
        assert answer.read() == b"GET "
    server.close()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(server.url, timeout=60)


def test_a_request_can_have_a_deadline_where_there_is_a_socket() -> None:
    server = Served(Small())
    with pytest.raises(httpx.ReadTimeout):
        server.request("GET", "/slow", timeout=0.2)
    assert server.request("GET", "/").status_code == 201
    server.close()


@pytest.mark.parametrize("make", [lambda app: InProcess(app, "http://small.localhost"), Served])
def test_an_application_that_does_not_start_is_an_error_with_its_message(make) -> None:
    before = threading.active_count()
    with pytest.raises(WasmLabError, match="no startup today"):
        make(Small("startup"))
    with pytest.raises(KeyError, match="startup"):
        make(Small("raise at startup"))
    assert threading.active_count() == before


def test_an_application_that_does_not_stop_well_is_an_error() -> None:
    server = InProcess(Small("shutdown"), "http://small.localhost")
    with pytest.raises(WasmLabError, match="no shutdown today"):
        server.close()
    assert not server._thread.is_alive()
