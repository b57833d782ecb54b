"""Real guests, made with spin-sdk, on the embedded host: their data in SQLite, Redis and PostgreSQL."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from wasm_lab.build import build
from wasm_lab.cells import parse_cell
from wasm_lab.scenarios.spin.asgi import application
from wasm_lab.scenarios.spin.host.limits import Limits
from wasm_lab.scenarios.spin.in_process import InProcess
from wasm_lab.scenarios.spin.manifest import load_manifest
from wasm_lab.scenarios.spin.runtime_config import RedisServer, RuntimeConfig
from wasm_lab.scenarios.spin.samples import build_sample
from wasm_lab.services import Postgres, Redis

pytestmark = pytest.mark.slow

GUESTS = Path(__file__).with_name("guests")

PROBE = """
spin_manifest_version = 2
[application]
name = "probe"
[variables]
redis = { default = "", secret = true }
postgres = { default = "", secret = true }
hosts = { default = "redis://nowhere" }
more = { default = "redis://nowhere" }
[[trigger.http]]
route = "/..."
component = "probe"
[component.probe]
source = "probe.wasm"
key_value_stores = ["default"]
sqlite_databases = ["default"]
ai_models = ["small"]
allowed_outbound_hosts = ["{{ hosts }}", "{{ more }}"]
[component.probe.variables]
colour = "blue"
redis = "{{ redis }}"
postgres = "{{ postgres }}"
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., InProcess]]:
    """Start a sample, or the probe of these tests."""
    started = []

    def begin(name: str, **settings: Any) -> InProcess:
        if name == "probe":
            folder = tmp_path / name
            folder.mkdir(exist_ok=True)
            source = parse_cell((GUESTS / "probe.rs").read_text(), label="probe.rs")
            (folder / "probe.wasm").write_bytes(build(source).wasm)
            (folder / "spin.toml").write_text(PROBE)
            path = folder / "spin.toml"
        else:
            path = build_sample(name, tmp_path)
        app = application(load_manifest(path), state_dir=tmp_path / "state", quiet=True, **settings)
        app.load()
        server = InProcess(app, f"http://{name}.localhost")
        started.append(server)
        return server

    yield begin
    for server in started:
        server.close()


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with Redis() as server:
        yield server


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture
def probe(start, redis, postgres) -> InProcess:
    return start(
        "probe",
        variables={
            "redis": redis.url,
            "postgres": postgres.url,
            "hosts": f"redis://{redis.address}",
            "more": f"postgres://{postgres.address}",
        },
    )


@pytest.mark.parametrize("backing", ["sqlite", "redis"])
def test_counter(start, redis, backing) -> None:
    runtime = (
        RuntimeConfig(key_value_stores={"default": RedisServer(redis.url)}) if backing == "redis" else None
    )
    app = start("counter", runtime=runtime)
    assert [app.request("GET", "/visits").text for _ in range(3)] == ["1\n", "2\n", "3\n"]
    assert app.request("PUT", "/keys/name", content=b"\x00value").status_code == 204
    assert app.request("GET", "/keys/name").content == b"\x00value"
    assert app.request("GET", "/keys").json() == ["name", "visits"]
    assert app.request("DELETE", "/keys/name").status_code == 204
    assert app.request("GET", "/keys/name").status_code == 404
    refused = app.request("GET", "/stores/other")
    assert (refused.status_code, refused.text) == (403, "other: Error::AccessDenied\n")


def test_what_a_store_holds_outlives_the_application(start) -> None:
    first = start("counter")
    first.request("GET", "/visits")
    first.request("GET", "/visits")
    assert start("counter").request("GET", "/visits").text == "3\n"


def test_notes(start) -> None:
    app = start("notes")
    for text in (b"one", "zwölf".encode()):
        assert app.request("POST", "/notes", content=text).status_code == 201
    assert app.request("DELETE", "/notes/1").status_code == 204
    assert app.request("GET", "/notes").json() == [{"id": 2, "text": "zwölf"}]
    assert app.request("GET", "/databases/other").text == "other: Error::AccessDenied\n"


def test_cache(start, redis) -> None:
    app = start("cache", variables={"redis_host": redis.address, "redis_url": redis.url})
    assert app.request("PUT", "/values/a", content=b"1").status_code == 204
    assert app.request("GET", "/values/a").content == b"1"
    assert app.request("PUT", "/values/b/100", content=b"2").text == "OK"
    assert app.request("POST", "/counters/n").text == "1\n"
    assert app.request("POST", "/sets/s/one").text == "1\n"
    assert app.request("GET", "/sets/s").json() == ["one"]
    assert app.request("DELETE", "/values/a").text == "1\n"
    assert app.request("POST", "/channels/news", content=b"x").status_code == 204
    assert app.request("GET", "/other?address=redis://elsewhere").text == "Error::InvalidAddress\n"


def test_people(start, postgres) -> None:
    app = start("people", variables={"postgres_host": postgres.address, "postgres_url": postgres.url})
    assert app.request("POST", "/people", json={"name": "Ada", "born": 1815}).status_code == 201
    assert app.request("POST", "/people", json={"name": "Zoë", "born": None}).status_code == 201
    refused = app.request("POST", "/people", json={"name": "", "born": None})
    assert refused.status_code == 400
    assert "people_name_check" in refused.text
    none = app.request(
        "POST", "/people/all-or-none", json=[{"name": "a", "born": 1}, {"name": "", "born": 1}]
    )
    assert none.status_code == 400
    assert [person["name"] for person in app.request("GET", "/people").json()] == ["Ada", "Zoë"]
    assert app.request("GET", "/people/1").json() == {"id": 1, "name": "Ada", "born": 1815}
    assert app.request("GET", "/people/99").status_code == 404


def test_a_slow_statement_ends_with_the_request(start, postgres) -> None:
    app = start(
        "people",
        variables={"postgres_host": postgres.address, "postgres_url": postgres.url},
        limits=Limits(deadline_s=1),
    )
    assert app.request("GET", "/sleep/30").status_code == 500
    assert app.request("GET", "/sleep/0.01").text == "slept\n"


@pytest.mark.parametrize("kind", [Redis, Postgres])
def test_a_server_that_goes_and_comes_back_in_the_middle(start, kind) -> None:
    with kind() as server:
        if kind is Redis:
            variables = {"redis_host": server.address, "redis_url": server.url}
            app, path = start("cache", variables=variables), "/sets/s"
        else:
            variables = {"postgres_host": server.address, "postgres_url": server.url}
            app, path = start("people", variables=variables), "/people"
        assert app.request("GET", path).status_code == 200
        server.stop()
        for _ in range(3):
            assert app.request("GET", path).status_code == 500
        server.start()
        assert [app.request("GET", path).status_code for _ in range(3)] == [200] * 3


def test_fetch(start) -> None:
    class Upstream(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"{self.path} {self.headers['x-sent-by']}".encode()
            self.send_response(200)
            self.send_header("content-type", "text/x-test")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            if "content-length" in self.headers:
                body = self.rfile.read(int(self.headers["content-length"]))[::-1]
            else:  # on a busy machine the guest's body came in pieces
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body = self.rfile.read(size)[::-1] + body
                    self.rfile.readline()
                self.rfile.readline()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    thread = threading.Thread(target=upstream.serve_forever, args=(0.05,))
    thread.start()
    try:
        app = start("fetch", variables={"allowed": f"127.0.0.1:{upstream.server_port}"})
        got = app.request("GET", "/allowed")
        assert (got.status_code, got.text) == (200, "/from-the-guest a guest")
        assert got.headers["content-type"] == "text/x-test"
        assert app.request("POST", "/allowed", content=b"abc").content == b"cba"
        assert app.request("GET", "/self").status_code == 200
        refused = app.request("GET", "/?url=http://elsewhere.invalid/")
        assert refused.status_code == 502
        assert "HttpRequestDenied" in refused.text
    finally:
        upstream.shutdown()
        upstream.server_close()
        thread.join()


def heard(server: Redis, message: bytes) -> int:
    """Publish a message once somebody listens; the number of those who got it."""
    import redis as driver

    deadline = time.monotonic() + 60
    with driver.Redis.from_url(server.url) as client:
        while time.monotonic() < deadline:
            if dict(client.pubsub_numsub("news"))[b"news"]:
                return int(client.publish("news", message))
            time.sleep(0.05)
    return 0


def counted(app: InProcess, count: int) -> None:
    """Wait until the sample's reader tells of so many messages."""
    deadline = time.monotonic() + 60
    while app.request("GET", "/count").text != str(count):
        assert time.monotonic() < deadline, app.request("GET", "/count").text
        time.sleep(0.05)


def soon(happens: Callable[[], bool]) -> bool:
    """Whether it happens within ten seconds."""
    deadline = time.monotonic() + 60
    while not happens():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_messages_of_a_channel(start) -> None:
    with Redis() as server:
        app = start("listener", variables={"redis_url": server.url})
        assert heard(server, b"one") == 1
        counted(app, 1)
        assert soon(lambda: app.request("GET", "/last").text == "one")
        assert heard(server, b"panic") == 1  # harms no other
        assert heard(server, b"two") == 1
        counted(app, 2)
        assert soon(lambda: app.request("GET", "/last").text == "two")
        server.crash()
        server.start()
        assert heard(server, b"three") == 1
        counted(app, 3)
        assert soon(lambda: app.request("GET", "/last").text == "three")


def test_wasi_keyvalue(probe) -> None:
    assert probe.request("GET", "/keyvalue").text == (
        '[("b", Some([50])), ("none", None)] ["a", "b"] (5, -2) (Some([99, 104, 97, 110, 103, 101, 100]), true) '
        "false Some([109, 105, 110, 101]) Some(Error::AccessDenied)"
    )


def test_configuration(probe, redis, postgres) -> None:
    told = probe.request("GET", "/config").text
    assert told.startswith('Ok(Some("blue")) Ok(None) [("colour", "blue"), ("postgres", ')
    assert redis.password in told  # the guest's own: it may see it
    told = probe.request("GET", "/variables").text
    assert told.startswith('Ok("blue") Err(Error::InvalidName(')


def test_refusals(probe, capfd) -> None:
    lines = probe.request("GET", "/refused").text.splitlines()
    assert 'ConnectionFailed("address mysql://localhost/x is not permitted' in lines[0]
    assert 'ConnectionFailed("address mqtt://localhost is not permitted' in lines[1]
    assert 'RuntimeError("No language model is configured' in lines[2]
    assert lines[3] == "Some(Error::ModelNotSupported)"
    assert lines[4] == "Some(Error::InvalidAddress)"
    assert 'Add \\"postgres://elsewhere\\" to allowed_outbound_hosts' in lines[5]
    assert lines[6] == "Some(Error::AccessDenied)"


def test_sqlite_of_both_versions(probe) -> None:
    told = probe.request("GET", "/sqlite").text
    assert told.startswith(
        '["a", "b", "c"] ["[Value::Integer(-1), Value::Real(0.5), Value::Null]"] Some(Error::Io('
    )
    assert told.endswith(" 1")


def test_postgres_of_all_versions(probe) -> None:
    second = probe.request("GET", "/pg").text
    assert (
        '["a:DbDataType::Int32", "b:DbDataType::Str", "c:DbDataType::Str", "d:DbDataType::Other"]' in second
    )
    assert '[[DbValue::Int32(7), DbValue::Str("ä"), DbValue::DbNull, DbValue::Unsupported]]' in second
    assert "syntax error" in second
    assert probe.request("GET", "/pg3").text == (
        "[[DbValue::Date((2024, 2, 29)), DbValue::Datetime((1999, 12, 31, 23, 59, 58, 7000))]]"
    )
    types, rows, error = probe.request("GET", "/pg4").text.splitlines()
    assert types == (
        '["DbDataType::Uuid", "DbDataType::Jsonb", "DbDataType::Decimal", "DbDataType::RangeInt32", '
        '"DbDataType::ArrayStr", "DbDataType::Interval", "DbDataType::Other(\\"inet\\")"]'
    )
    for part in (
        'DbValue::Uuid("12345678-1234-5678-1234-567812345678")',
        'DbValue::Decimal("12.50")',
        "DbValue::RangeInt32((Some((1, RangeBoundKind::Inclusive)), None))",
        'DbValue::ArrayStr([Some("x"), None])',
        "DbValue::Interval(Interval { micros: 1, days: 2, months: 3 })",
        "DbValue::Unsupported([",
    ):
        assert part in rows
    assert 'code: "22012"' in error


def test_redis_answers(probe) -> None:
    told = probe.request("GET", "/redis-kinds").text
    assert told.startswith(
        'Ok([RedisResult::Status("OK")]) Ok([RedisResult::Binary([53]), RedisResult::Nil]) Ok([RedisResult::Int64(6)]) '
        "Some(Error::TypeError) Some(Error::Other("
    )


def test_what_a_guest_leaves_open_is_undone(probe) -> None:
    assert [probe.request("GET", "/leave-open").text for _ in range(3)] == ["[[DbValue::Int64(1)]]"] * 3


def test_handles_of_one_guest_are_counted(probe) -> None:
    for _ in range(2):
        assert probe.request("GET", "/many").text == (
            "32 Some(Error::TooManyConnections) 256 Some(Error::StoreTableFull)"
        )


def test_large_values(probe) -> None:
    told = probe.request("GET", "/large").text
    assert told.startswith("2097152 ")
    assert "the key has 100000 bytes" in told
    assert probe.request("GET", "/too-large").status_code == 500
    assert probe.request("GET", "/large").text == told


def test_many_guests_at_once(probe, redis, postgres) -> None:
    paths = ["/keyvalue", "/redis-kinds", "/pg3", "/sqlite"] * 15
    probe.request("GET", "/sqlite")
    with ThreadPoolExecutor(16) as crowd:
        answers = list(crowd.map(lambda path: probe.request("GET", path), paths))
    # The key-value guests race with each other for one key, which they are told, and may give up on.
    wrong = [a for a in answers if a.status_code != 200 and a.request.url.path != "/keyvalue"]
    assert not wrong
