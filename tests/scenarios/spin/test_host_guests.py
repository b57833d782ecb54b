"""Real guests on the embedded host: every one on both of its halves, the front and the host in Python."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from wasm_lab.build import build
from wasm_lab.cells import parse_cell
from wasm_lab.scenarios.spin.asgi import Application, application
from wasm_lab.scenarios.spin.host.limits import Limits
from wasm_lab.scenarios.spin.in_process import InProcess
from wasm_lab.scenarios.spin.manifest import load_manifest
from wasm_lab.scenarios.spin.samples import build_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

pytestmark = pytest.mark.slow

GUESTS = Path(__file__).with_name("guests")

SHAPE = """
spin_manifest_version = 2
[application]
name = "shape"
[application.trigger.http]
base = "/base"
[[trigger.http]]
route = "/:segment/:end/..."
component = "shape"
[[trigger.http]]
route = "/static"
static_response = { status_code = 302, headers = { location = "/elsewhere" }, body = "moved" }
[component.shape]
source = "shape.wasm"
environment = { COLOUR = "blue", TWO = "2" }
"""


class Running:
    """An application at work, and the threads of its guests."""

    def __init__(self, app: Application, server: InProcess) -> None:
        self.app = app
        self.server = server

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.server.request("GET", path, **options)


@pytest.fixture(params=["front", "python"])
def half(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which half of the host serves the guests."""
    if request.param == "python":
        monkeypatch.setattr("wasm_lab.scenarios.spin.launch.fronted", lambda *_, **__: None)
    return str(request.param)


@pytest.fixture
def start(half: str, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[InProcess] = []

    def begin(name: str, **settings: Any) -> Running:
        if name == "shape":
            path = tmp_path / name / "spin.toml"
            path.parent.mkdir()
            source = parse_cell((GUESTS / "shape.rs").read_text(), label="shape.rs")
            (path.parent / "shape.wasm").write_bytes(build(source).wasm)
            path.write_text(SHAPE)
        else:
            path = build_sample(name, tmp_path)
        manifest = load_manifest(path)
        app = application(
            manifest, state_dir=tmp_path / "state", log_dir=tmp_path / "logs", quiet=True, **settings
        )
        server = InProcess(app, f"http://{name}.localhost")
        started.append(server)
        component = next(trigger.component for trigger in manifest.http_triggers)
        assert app.launcher(component, "http").is_fronted == (half == "front")
        return Running(app, server)

    yield begin
    for server in started:
        server.close()


def quiet_within(crew: Any, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while crew.busy and time.monotonic() < until:
        time.sleep(0.01)
    return not crew.busy


def test_a_guest_sees_the_request_and_where_it_was_routed(start: Callable[..., Running]) -> None:
    running = start("shape")
    answer = running.server.request(
        "POST",
        "/base/path/end/rest%20x?key=value",
        content="grüße",
        headers={
            "host": "example.com",
            "x-bytes": b"\xe4",
            "X-Two": "1",
            "spin-path-info": "forged",
            "connection": "close",
        },
    )
    lines = answer.text.splitlines()
    assert lines[:4] == [
        "method Method::Post",
        "path /base/path/end/rest%20x?key=value",
        "scheme Some(Scheme::Http)",
        'authority Some("example.com")',
    ]
    assert "x-bytes: ä" in lines
    assert "x-two: 1" in lines
    assert "host: example.com" in lines
    assert not any(line.startswith("connection") for line in lines)
    told = dict(line.split(": ", 1) for line in lines if line.startswith("spin-"))
    assert told.pop("spin-client-addr").startswith("127.0.0.1:")
    assert told == {
        "spin-path-info": "/rest%20x",
        "spin-full-url": "http://example.com/base/path/end/rest%20x?key=value",
        "spin-matched-route": "/base/:segment/:end/...",
        "spin-base-path": "/base",
        "spin-raw-component-route": "/:segment/:end/...",
        "spin-component-route": "/:segment/:end",
        "spin-path-match-segment": "path",
        "spin-path-match-end": "end",
    }
    assert lines[-1] == f"body {list('grüße'.encode())}"


def test_answers_of_every_shape(start: Callable[..., Running]) -> None:
    running = start("moody")
    assert running.get("/fine").text == "fine\n"
    running = start("echo")
    assert running.get("/nothing").status_code == 404
    for size in (0, 1, 65_536, 3_000_000):
        assert running.get(f"/bytes/{size}").content == b"x" * size
    data = bytes(range(256)) * 4000
    assert running.server.request("POST", "/echo", content=data).content == data
    assert running.server.request("POST", "/sum", content=data).text == f"{len(data)}\n"
    assert running.server.request("POST", "/sum").text == "0\n"


@pytest.fixture
def root(start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch) -> Running:
    monkeypatch.setattr(
        f"{__name__}.SHAPE",
        SHAPE.replace('base = "/base"', 'base = "/"').replace("/:segment/:end/...", "/..."),
    )
    return start("shape")


def test_responses_without_body(root: Running) -> None:
    empty = root.get("/empty")
    assert (empty.status_code, empty.content) == (204, b"")
    assert "content-length" not in empty.headers
    nobody = root.get("/nobody")
    assert (nobody.status_code, nobody.headers["content-length"]) == (200, "0")
    moved = root.get("/static")
    assert (moved.status_code, moved.headers["location"], moved.text) == (302, "/elsewhere", "moved")


def test_header_fields_come_through_as_they_are(root: Running) -> None:
    twice = root.get("/twice")
    assert twice.headers.get_list("set-cookie") == ["one", "two"]
    assert dict(twice.headers.raw)[b"x-bytes"] == b"\xe4\xf6"
    assert root.get("/headers").text.splitlines() == [
        "Ok(())",
        "Err(HeaderError::InvalidSyntax)",
        "Err(HeaderError::InvalidSyntax)",
        "Err(HeaderError::Forbidden)",
        "Err(HeaderError::Immutable)",
    ]


def test_content_length_is_kept(root: Running) -> None:
    exact = root.get("/exact")
    assert (exact.text, exact.headers["content-length"]) == ("12345", "5")
    long = root.get("/long")  # the guest writes more than it has announced
    # Whether its answer had begun when it failed is a race; what was sent of a 200 has then broken off.
    assert (long.status_code, long.text) in (
        (500, "The component failed; the server's log says how.\n"),
        (200, ""),
    )


def test_head_has_the_fields_and_no_body(root: Running) -> None:
    answer = root.server.request("HEAD", "/exact")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "5")
    assert root.server.request("HEAD", "/binary").content == b""
    assert root.server.request("HEAD", "/static").content == b""


def test_every_byte_survives(root: Running) -> None:
    assert root.get("/binary").content == bytes(range(256))


@pytest.mark.parametrize(("status", "expected"), [(200, 200), (404, 404), (599, 599), (99, 500), (1000, 500)])
def test_status_codes(root: Running, status: int, expected: int) -> None:
    assert root.get(f"/status/{status}").status_code == expected


def logged(folder: Path, stream: str, until: str) -> str:
    """What a guest's log has once a text stands in it: some is written after the answer was sent."""
    path = folder / "logs" / f"shape_{stream}.txt"
    deadline = time.monotonic() + 60
    while True:
        said = path.read_text() if path.exists() else ""
        if until in said or time.monotonic() > deadline:
            return said
        time.sleep(0.01)


def test_what_a_guest_prints_is_logged(root: Running, tmp_path: Path) -> None:
    assert root.get("/print").text == "printed"
    assert logged(tmp_path, "stdout", "grüße\n" * 3) == "to the output\n" + "grüße\n" * 3
    # A line without an end is written when the guest is over.
    assert logged(tmp_path, "stderr", "\n") == "no end of line\n"


def test_a_flood_of_output_is_cut_off(root: Running, tmp_path: Path) -> None:
    assert root.get("/flood").text == "flooded"
    said = logged(tmp_path, "stdout", "the rest is dropped")
    assert 1_000_000 < len(said) < 1_100_000
    assert "the rest is dropped" in said


def test_clocks_randomness_and_environment(root: Running) -> None:
    assert root.get("/clock").text == "true true"
    assert len({root.get("/random").text for _ in range(5)}) > 1
    assert root.get("/environment").text.splitlines() == ["COLOUR=blue", "TWO=2"]


def test_a_guest_that_computes_long_answers_too(root: Running) -> None:
    assert root.get("/compute").text == str(sum(range(200_000_000)))
    assert root.get("/exact").text == "12345"


@pytest.mark.parametrize("way", ["panic", "abort", "exit", "bounds", "stack", "memory", "silent"])
def test_a_guest_that_fails_is_a_500_and_the_next_is_well(start: Callable[..., Running], way: str) -> None:
    running = start("moody")
    assert running.get(f"/{way}").status_code == 500
    assert running.get("/fine").status_code == 200


def test_an_error_of_the_guests_own_is_its_answer(start: Callable[..., Running]) -> None:
    answer = start("moody").get("/error")
    assert (answer.status_code, answer.text) == (500, "failed\n")


def test_the_deadline_ends_a_loop_and_nobody_waits_for_it(start: Callable[..., Running]) -> None:
    running = start("moody", limits=Limits(deadline_s=1.0))
    answers: list[int] = []
    loops = [
        threading.Thread(target=lambda: answers.append(running.get("/loop").status_code)) for _ in range(4)
    ]
    for thread in loops:
        thread.start()
    time.sleep(0.1)
    assert [running.get("/fine").status_code for _ in range(5)] == [200] * 5
    assert not answers
    for thread in loops:
        thread.join(20)
    assert answers == [500] * 4


def test_guests_that_wait_hold_up_nobody(start: Callable[..., Running]) -> None:
    running = start("echo")
    done: list[str] = []
    slow = [threading.Thread(target=lambda: done.append(running.get("/slowly/25").text)) for _ in range(30)]
    for thread in slow:
        thread.start()
    assert running.get("/bytes/5").content == b"xxxxx"
    assert len(done) < 30
    for thread in slow:
        thread.join(20)
    assert done == ["".join(f"{line}\n" for line in range(1, 26))] * 30


class Client:
    """A client that ASGI's own messages are in the hands of."""

    def __init__(self, app: Application, path: str, **scope: Any) -> None:
        self.app = app
        self.scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"host", b"test")],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
            **scope,
        }
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.got: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        return await self.sent.get()

    async def send(self, message: Any) -> None:
        self.got.append(message)

    async def run(self, *messages: dict[str, Any]) -> list[dict[str, Any]]:
        for message in messages:
            self.sent.put_nowait(message)
        async with asyncio.timeout(20):
            await self.app(self.scope, self.receive, self.send)
        return self.got


def in_loop(running: Running, client: Client, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    got: list[dict[str, Any]] = asyncio.run_coroutine_threadsafe(
        client.run(*messages), running.server._loop
    ).result(30)
    return got


POST = {"method": "POST", "headers": [(b"host", b"test"), (b"transfer-encoding", b"chunked")]}


def test_a_client_that_goes_stops_its_guest(start: Callable[..., Running]) -> None:
    running = start("moody")
    client = Client(running.app, "/loop")
    assert in_loop(running, client, {"type": "http.disconnect"}) == []
    assert quiet_within(running.app.crew, 5)


def test_a_client_that_goes_while_its_guest_waits_stops_it_too(start: Callable[..., Running]) -> None:
    running = start("echo")
    client = Client(running.app, "/echo", **POST)
    begun = {"type": "http.request", "body": b"some", "more_body": True}
    in_loop(running, client, begun, {"type": "http.disconnect"})
    assert quiet_within(running.app.crew, 5)


def test_a_body_that_does_not_come_is_a_408(start: Callable[..., Running]) -> None:
    running = start("counter", limits=Limits(idle_s=0.2))  # it reads the whole body before it answers
    begun = {"type": "http.request", "body": b"some", "more_body": True}
    got = in_loop(running, Client(running.app, "/keys/name", **{**POST, "method": "PUT"}), begun)
    assert got[0]["status"] == 408
    assert b"".join(each["body"] for each in got[1:]) == b"The request's body did not come.\n"
    assert quiet_within(running.app.crew, 5)
    assert running.get("/keys/name").status_code == 404, "half a value is not kept"


def test_a_guest_that_began_its_answer_sees_the_end_of_a_body_that_does_not_come(
    start: Callable[..., Running],
) -> None:
    running = start("echo", limits=Limits(idle_s=0.2))
    begun = {"type": "http.request", "body": b"some", "more_body": True}
    got = in_loop(running, Client(running.app, "/nothing-yet", **POST), begun)
    assert got[0]["status"] == 404  # this guest answers before it reads
    got = in_loop(running, Client(running.app, "/sum", **POST), begun)
    assert got[0]["status"] == 200
    assert b"".join(each["body"] for each in got[1:]) == b"4\n"
    assert quiet_within(running.app.crew, 5)


def test_a_body_that_is_too_large_is_a_413(start: Callable[..., Running]) -> None:
    running = start("echo", limits=Limits(request_bytes=1000))
    headers = {"method": "POST", "headers": [(b"host", b"test"), (b"content-length", b"1001")]}
    got = in_loop(running, Client(running.app, "/sum", **headers))
    assert got[0]["status"] == 413
    assert running.server.request("POST", "/sum", content=b"x" * 1000).text == "1000\n"


def test_a_body_of_unknown_length_that_becomes_too_large_is_a_413(start: Callable[..., Running]) -> None:
    running = start("counter", limits=Limits(request_bytes=1000))  # it reads the whole body before it answers
    client = Client(running.app, "/keys/name", **{**POST, "method": "PUT"})
    pieces = [{"type": "http.request", "body": b"x" * 501, "more_body": more} for more in (True, False)]
    got = in_loop(running, client, *pieces)
    assert got[0]["status"] == 413
    assert running.get("/keys/name").status_code == 404


def test_what_is_sent_early_arrives_early(start: Callable[..., Running]) -> None:
    """The guest writes a line and then waits for the next piece of the request: both ways stream."""
    running = start("echo")

    async def talk() -> list[bytes]:
        client = Client(running.app, "/echo", **POST)
        task = asyncio.ensure_future(client.run())
        seen = []
        for number in range(3):
            piece = b"piece %d" % number
            client.sent.put_nowait({"type": "http.request", "body": piece, "more_body": True})
            async with asyncio.timeout(10):
                while not (client.got and client.got[-1].get("body") == piece):
                    await asyncio.sleep(0.001)
            seen.append(client.got[-1]["body"])
        client.sent.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        await task
        return seen

    pieces = asyncio.run_coroutine_threadsafe(talk(), running.server._loop).result(30)
    assert pieces == [b"piece 0", b"piece 1", b"piece 2"]


def test_a_slow_client_holds_the_guest_back(start: Callable[..., Running]) -> None:
    running = start("echo")

    async def slow() -> tuple[int, int]:
        client = Client(running.app, "/bytes/20000000")
        go_on = asyncio.Event()
        taken = 0

        async def send(message: Any) -> None:
            nonlocal taken
            taken += len(message.get("body", b""))
            if message["type"] == "http.response.body":
                await go_on.wait()

        client.send = send  # type: ignore[method-assign]
        task = asyncio.ensure_future(client.run())
        await asyncio.sleep(0.5)
        early = taken
        go_on.set()
        await task
        return early, taken

    early, whole = asyncio.run_coroutine_threadsafe(slow(), running.server._loop).result(60)
    assert early < 2_000_000
    assert whole == 20_000_000
