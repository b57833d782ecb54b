"""The sample Spin applications do what their comments say, in the embedded host."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from wasm_lab.scenarios.spin.live import LiveApp, LiveApps
from wasm_lab.scenarios.spin.samples import build_sample
from wasm_lab.services import Postgres, Redis

pytestmark = pytest.mark.slow


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., LiveApp]]:
    """``start("counter", variable="value")``: a sample at work."""
    apps = LiveApps()

    def started(name: str, **variables: str) -> LiveApp:
        path = build_sample(name, tmp_path)
        return apps.start(
            name, path.read_text(), folder=path.parent, guests={}, variables=variables, quiet=True
        )

    yield started
    apps.close()


def test_hello_routes_inside_and_among_components(start: Any) -> None:
    app = start("hello")
    assert app.get("/hello/Ada").text == "Hello, Ada!\n"
    assert app.log == "greeting Ada\n"
    assert app.post("/length", content=b"x" * 1000).text == "1000\n"
    assert app.get("/status/418").status_code == 418
    assert (app.get("/nowhere").status_code, app.put("/hello/Ada").status_code) == (404, 404)
    told = app.post("/headers?a=b", headers={"x-mine": "yes"}).json()
    assert (told["method"], told["query"]) == ("POST", "a=b")
    assert ["x-mine", "yes"] in told["headers"]
    assert app.get("/about/rust/and/wasm").json() == {
        "component-route": "/about/:topic",
        "matched-route": "/about/:topic/...",
        "path-info": "/and/wasm",
        "topic": "rust",
    }
    assert app.get("/about/exactly").json()["matched-route"] == "/about/exactly"


def test_counter_keeps_values(start: Any) -> None:
    app = start("counter")
    assert app.get("/").status_code == 200
    assert "GET /visits\n" in app.get("/").text
    assert app.get("/visitors").status_code == app.post("/visits").status_code == 404
    assert "GET /visits\n" in app.get("/visitors").text
    assert [app.get("/visits").text for _ in range(2)] == ["1\n", "2\n"]
    assert app.put("/keys/name", content=b"a value").status_code == 204
    assert app.get("/keys/name").text == "a value"
    assert app.get("/keys").json() == ["name", "visits"]
    assert app.delete("/keys/name").status_code == 204
    assert app.get("/keys/name").status_code == 404
    assert app.get("/stores/default").status_code == 200
    assert app.get("/stores/other").status_code == 403


def test_notes_keeps_rows(start: Any) -> None:
    app = start("notes")
    assert app.post("/notes", content="it's; DROP TABLE notes").status_code == 201
    assert app.get("/notes").json() == [{"id": 1, "text": "it's; DROP TABLE notes"}]
    assert app.delete("/notes/1").status_code == 204
    assert app.get("/notes").json() == []
    assert app.get("/databases/other").status_code == 403


def test_settings_are_what_the_manifest_says(start: Any) -> None:
    app = start("settings", token="a secret")
    assert app.get("/variables/token").text == "a secret"
    assert app.get("/variables/sentence").text == "the colour is blue"
    assert app.get("/variables/absent").status_code == 404
    assert app.get("/environment").json() == {"EMPTY": "", "MODE": "lab"}
    assert app.get("/files/greeting.txt").text == "good morning\n"
    assert app.get("/files/texts").json() == ["one.txt", "two.txt"]
    assert app.put("/files/texts/one.txt", content=b"changed").status_code == 403
    assert app.get("/files/texts/one.txt").text == "the first\n"


def test_echo_streams_both_ways(start: Any) -> None:
    app = start("echo")
    body = bytes(range(256)) * 4096
    assert app.post("/echo", content=body).content == body
    assert app.post("/sum", content=body).text == f"{len(body)}\n"
    assert app.get("/bytes/3000000").content == b"x" * 3_000_000
    assert app.get("/slowly/3").text == "1\n2\n3\n"
    assert app.get("/other").status_code == 404


def test_moody_fails_in_every_way_and_is_well_afterwards(start: Any) -> None:
    app = start("moody")
    for way in ("panic", "abort", "exit", "bounds", "stack", "memory", "silent", "error"):
        assert app.get(f"/{way}").status_code == 500, way
        assert app.get("/fine").text == "fine\n"
    assert "as asked" in app.log
    # In process there is no connection to break off. Whether the answer has begun when the guest fails is a race.
    late = app.get("/late")
    assert late.status_code == 500 or late.content in (b"the beginning", b"")
    assert app.get("/fine").text == "fine\n"


def test_fetch_reaches_only_what_is_allowed(start: Any) -> None:
    class Outside(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = f"{self.path} by {self.headers['x-sent-by']}".encode()
            self.send_response(203)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Outside) as server:
        threading.Thread(target=server.serve_forever).start()
        place = f"127.0.0.1:{server.server_port}"
        app = start("fetch", allowed=place)
        allowed = app.get("/allowed")
        assert (allowed.status_code, allowed.text) == (203, "/from-the-guest by a guest")
        assert app.get(f"/?url=http://localhost:{server.server_port}/").status_code == 502
        inner = app.get("/self")
        assert inner.text == "inner GET /inner/of-this-application, sent by a guest\n"
        app.stop()
        server.shutdown()


def test_cache_speaks_to_redis(start: Any) -> None:
    with Redis() as server:
        app = start("cache", redis_url=server.url, redis_host=server.address)
        assert app.put("/values/a", content=b"\x00\xff").status_code == 204
        assert app.get("/values/a").content == b"\x00\xff"
        assert app.put("/values/brief/100", content=b"x").text == "OK"
        assert app.delete("/values/a").text == "1\n"
        assert app.get("/values/a").status_code == 404
        assert [app.post("/counters/n").text for _ in range(2)] == ["1\n", "2\n"]
        assert app.post("/sets/s/m").text == "1\n"
        assert app.get("/sets/s").json() == ["m"]
        assert app.delete("/sets/s/m").text == "1\n"
        assert app.get("/other?address=redis://127.0.0.1:1").status_code == 403
        app.stop()


def test_people_speaks_to_postgresql(start: Any) -> None:
    with Postgres() as server:
        app = start("people", postgres_url=server.url, postgres_host=server.address)
        assert app.post("/people", json={"name": "Ada", "born": 1815}).status_code == 201
        assert app.post("/people", json={"name": "Robert'); DROP TABLE people; --"}).status_code == 201
        assert app.get("/people/1").json() == {"id": 1, "name": "Ada", "born": 1815}
        assert app.get("/people").json()[1]["born"] is None
        assert app.get("/people/9").status_code == 404
        refused = app.post("/people", json={"name": ""})
        assert refused.status_code == 400
        assert "people_name_check" in refused.text
        assert app.post("/people/all-or-none", json=[{"name": "B"}, {"name": ""}]).status_code == 400
        assert app.post("/people/all-or-none", json=[{"name": "B"}, {"name": "C"}]).text == "2\n"
        assert [one["name"][:3] for one in app.get("/people").json()] == ["Ada", "Rob", "B", "C"]
        assert app.get("/sleep/0.01").text == "slept\n"
        app.stop()


def test_listener_hears_a_channel_and_survives_a_panic(start: Any) -> None:
    from redis import Redis as Client

    with Redis() as server:
        app = start("listener", redis_url=server.url)
        client = Client.from_url(server.url)
        waited = threading.Event()
        for _ in range(3000):
            if client.publish("news", "first"):
                break
            waited.wait(0.01)
        client.publish("news", "panic")
        client.publish("other", "not for it")
        client.publish("news", json.dumps({"last": True}))
        answer: httpx.Response | None = None
        for _ in range(3000):
            answer = app.get("/count")
            if answer.text == "2":
                break
            waited.wait(0.01)
        assert answer is not None
        assert answer.text == "2"
        assert "message 1: first\n" in app.log
        assert app.get("/last").json() == {"last": True}
        client.close()
        app.stop()
