"""Requests that guests send, on a server that is one."""

from __future__ import annotations

import http.server
import logging
import socket
import threading
import time
from types import SimpleNamespace

import pytest

from wasm_lab.components import Err, Ok
from wasm_lab.scenarios.spin.host.bodies import OutgoingBytes
from wasm_lab.scenarios.spin.host.fields import Fields
from wasm_lab.scenarios.spin.host.io import StreamError
from wasm_lab.scenarios.spin.host.types import OutgoingRequest, RequestOptions
from wasm_lab.scenarios.spin.interfaces import outgoing_http


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/redirect":
            self.answer(302, b"", [("location", "http://elsewhere.invalid/"), ("set-cookie", "a=1")])
        elif self.path == "/slow":
            time.sleep(1)
            self.answer(200, b"late")
        elif self.path == "/stream":
            self.send_response(200)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for at in range(3):
                self.wfile.write(b"5\r\npart%d\r\n" % at)
                self.wfile.flush()
                time.sleep(0.05)
            self.wfile.write(b"0\r\n\r\n")
        elif self.path == "/large":
            self.answer(200, bytes(3 << 20))
        elif self.path == "/endless":
            self.send_response(200)
            self.send_header("content-length", str(1 << 40))
            self.end_headers()
            try:
                while True:
                    self.wfile.write(bytes(1 << 16))
            except OSError:
                self.server.left.set()  # type: ignore[attr-defined]
                self.close_connection = True
        elif self.path == "/stalls":
            self.send_response(200)
            self.send_header("content-length", "100")
            self.end_headers()
            self.wfile.write(b"part")
            self.wfile.flush()
            self.server.left.wait(60)  # type: ignore[attr-defined]
            self.close_connection = True
        elif self.path == "/broken":
            self.send_response(200)
            self.send_header("content-length", "100")
            self.end_headers()
            self.wfile.write(b"part")
            self.close_connection = True
        else:
            self.answer(200, b"got")

    def do_POST(self) -> None:
        if "chunked" in self.headers.get("transfer-encoding", ""):
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.answer(200, body)

    def answer(self, status: int, body: bytes, more: list[tuple[str, str]] | None = None) -> None:
        self.server.seen.append((self.command, self.path, dict(self.headers)))  # type: ignore[attr-defined]
        self.send_response(status)
        for name, value in more or []:
            self.send_header(name, value)
        self.send_header("X-Seen", "yes")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    made.handle_error = lambda *_: None  # clients that go are what is tried here
    made.seen = []  # type: ignore[attr-defined]
    made.left = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=made.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def made(make_context, server):
    return outgoing_http.implement(make_context(allowed=(f"http://127.0.0.1:{server.server_port}",)))


@pytest.fixture
def handle(made):
    return made["wasi:http/outgoing-handler"].handle


def asking(server, path="/", method="GET", fields=(), body=None, authority=None):
    request = OutgoingRequest(Fields.from_list([(name, value) for name, value in fields]))
    request.method_name, request.scheme_name, request.path_text = method, "http", path
    request.authority_text = authority or f"127.0.0.1:{server.server_port}"
    if body is not None:
        request.body_bytes = OutgoingBytes(None)
        request.body_bytes.put(body)
        request.body_bytes.finish()
    return request


def settled(future, within_s: float = 10):
    deadline = time.monotonic() + within_s
    while not future.signal.is_set():
        assert time.monotonic() < deadline, "no answer"
        time.sleep(0.002)
    outcome = future.get()
    assert type(outcome) is Ok
    return outcome.value


def body_of(response, within_s: float = 10) -> bytes:
    incoming = response._body
    deadline, parts = time.monotonic() + within_s, []
    while time.monotonic() < deadline:
        try:
            part = incoming.take(1 << 16)
        except Err as error:
            if type(error.value) is StreamError.Closed:
                return b"".join(parts)
            raise AssertionError(error.value) from None
        parts.append(part)
        if not part:
            time.sleep(0.002)
    raise AssertionError("the body has no end")


def test_a_request_and_its_answer(handle, server, guest):
    fields = [("x-mine", b"1"), ("host", b"forged.example")]
    outcome = settled(handle(asking(server, "/path?q=1&r=%20", fields=fields), None))
    assert type(outcome) is Ok
    assert outcome.value.status() == 200
    headers = dict(outcome.value.headers().entries())
    assert headers["x-seen"] == b"yes"
    assert "connection" not in headers
    assert body_of(outcome.value) == b"got"
    (method, path, told) = server.seen[0]
    assert (method, path, told["x-mine"]) == ("GET", "/path?q=1&r=%20", "1")
    assert told["Host"] == f"127.0.0.1:{server.server_port}"  # what the rules allowed, not what was forged
    assert not {name.lower() for name in told} - {"x-mine", "host"}


def test_a_body_with_its_length_or_as_it_comes(handle, server, guest):
    outcome = settled(handle(asking(server, method="POST", body=b"whole"), None))
    assert body_of(outcome.value) == b"whole"
    assert server.seen[0][2]["Content-Length"] == "5"
    request = asking(server, method="POST")
    request.body_bytes = body = OutgoingBytes(None)
    future = handle(request, None)
    for at in range(3):
        time.sleep(outgoing_http.BODY_S)
        body.put(b"part%d" % at)
        body.flush()
    body.finish()
    assert body_of(settled(future).value) == b"part0part1part2"
    assert server.seen[1][2]["Transfer-Encoding"] == "chunked"


def test_a_length_that_the_guest_promises(handle, server, guest):
    request = asking(server, method="POST", fields=[("content-length", b"13")])
    request.body_bytes = OutgoingBytes(13)
    request.body_bytes.put(b"Hello, world!")
    request.body_bytes.finish()
    assert body_of(settled(handle(request, None)).value) == b"Hello, world!"
    told = {name.lower(): value for name, value in server.seen[0][2].items()}
    assert told["content-length"] == "13"
    assert "transfer-encoding" not in told


def test_an_empty_body_of_a_get_is_none(handle, server, guest):
    settled(handle(asking(server, body=b""), None))
    told = {name.lower() for name in server.seen[0][2]}
    assert not told & {"transfer-encoding", "content-length"}


def test_answers_that_stream_and_large_ones(handle, server, guest):
    assert body_of(settled(handle(asking(server, "/stream"), None)).value) == b"part0part1part2"
    assert body_of(settled(handle(asking(server, "/large"), None)).value) == bytes(3 << 20)


def test_redirects_are_not_followed_and_cookies_not_kept(handle, server, guest):
    outcome = settled(handle(asking(server, "/redirect"), None))
    assert outcome.value.status() == 302
    settled(handle(asking(server, "/after"), None))
    assert "cookie" not in {name.lower() for name in server.seen[1][2]}


def test_the_environments_proxy_and_passwords_are_not_used(handle, server, guest, monkeypatch, tmp_path):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password geheim\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert settled(handle(asking(server), None)).value.status() == 200
    assert "Authorization" not in server.seen[0][2]


@pytest.mark.parametrize(
    ("authority", "code"),
    [
        ("elsewhere.invalid", "HttpRequestDenied"),
        ("localhost:{port}", "HttpRequestDenied"),
        ("user:geheim@127.0.0.1:{port}", "HttpRequestUriInvalid"),
        ("127.0.0.1:99999", "HttpRequestUriInvalid"),
        ("other.spin.internal", "HttpRequestDenied"),
        ("self.alt", "HttpRequestDenied"),
    ],
)
def test_where_it_may_not_go(handle, server, guest, caplog, authority, code):
    with caplog.at_level(logging.WARNING), pytest.raises(Err) as caught:
        handle(asking(server, authority=authority.format(port=server.server_port)), None)
    assert type(caught.value.value).__name__ == code
    if code == "HttpRequestDenied":
        assert "to allowed_outbound_hosts under [component.guest]" in caplog.text
    assert "geheim" not in caplog.text
    assert not server.seen


def test_2130706433_is_127_0_0_1_for_the_rules_too(handle, server, guest):
    assert (
        settled(handle(asking(server, authority=f"2130706433:{server.server_port}"), None)).value.status()
        == 200
    )


def test_nothing_can_be_smuggled(handle, server, guest):
    for fields in ([("content-length", b"1"), ("content-length", b"2")], [("content-length", b"1x")]):
        with pytest.raises(Err) as caught:
            handle(asking(server, method="POST", fields=fields), None)
        assert type(caught.value.value).__name__ == "HttpProtocolError"
    with pytest.raises(Err):
        Fields.from_list([("transfer-encoding", b"chunked")])
    with pytest.raises(Err):
        Fields.from_list([("x", b"a\r\nb: c")])
    request = asking(server)
    request.path_text = "/a HTTP/1.1\r\nx: y"
    outcome = settled(handle(request, None))
    assert type(outcome) is Err or server.seen[0][1].startswith("/a%20HTTP")


def test_times(handle, server, guest):
    options = RequestOptions()
    options.set_first_byte_timeout(100_000_000)
    outcome = settled(handle(asking(server, "/slow"), options))
    assert type(outcome) is Err
    assert type(outcome.value).__name__ == "HttpResponseTimeout"


def test_the_time_between_bytes(handle, server, guest):
    options = RequestOptions()
    options.set_between_bytes_timeout(100_000_000)
    response = settled(handle(asking(server, "/stalls"), options)).value
    with pytest.raises(AssertionError, match="LastOperationFailed"):
        body_of(response)
    server.left.set()


def test_failures_have_their_codes(make_context, guest):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    made = outgoing_http.implement(make_context(allowed=("*://*:*",)))
    handle = made["wasi:http/outgoing-handler"].handle
    nobody = SimpleNamespace(server_port=port)
    assert type(settled(handle(asking(nobody), None)).value).__name__ == "ConnectionRefused"
    unknown = asking(nobody, authority="no-such-host.invalid")
    assert type(settled(handle(unknown, None), 30).value).__name__ in ("DnsError", "DestinationUnavailable")


def test_an_answer_that_breaks_off(handle, server, guest):
    response = settled(handle(asking(server, "/broken"), None)).value
    with pytest.raises(AssertionError, match="LastOperationFailed"):
        body_of(response)


def test_requests_of_one_guest_are_counted_and_end_with_it(handle, server, guest):
    futures = [handle(asking(server, "/slow"), None) for _ in range(outgoing_http.REQUESTS)]
    with pytest.raises(Err) as caught:
        handle(asking(server), None)
    assert type(caught.value.value).__name__ == "ConnectionLimitReached"
    guest.end()
    assert len(futures) == outgoing_http.REQUESTS


@pytest.mark.parametrize("consumed", [True, False])
def test_an_answer_without_end_ends_with_the_guest(handle, server, guest, consumed):
    response = settled(handle(asking(server, "/endless"), None)).value
    if consumed:
        response.consume()  # and reads no further
    time.sleep(0.1)
    assert not server.left.is_set()
    guest.end()
    assert server.left.wait(10)


def test_requests_within_the_application_go_to_the_chain(make_context, guest):
    asked = []
    context = make_context(
        allowed=("http://self", "http://*.spin.internal"),
        chain=lambda request, name: asked.append((request, name)),
    )
    handle = outgoing_http.implement(context)["wasi:http/outgoing-handler"].handle
    inner = asking(None, authority="inner.spin.internal")
    handle(inner, None)
    for authority in (None, ":80", "self.alt", "self.alt:8080"):
        itself = asking(None, authority="x")
        itself.authority_text = authority
        handle(itself, None)
        assert asked.pop() == (itself, None)
    assert asked == [(inner, "inner")]


def test_version_1(made, server, guest, monkeypatch):
    from wasm_lab.components import state

    monkeypatch.setattr(state.Current, "data", guest)
    send = made["fermyon:spin/http"].send_request
    base = f"http://127.0.0.1:{server.server_port}"

    def asked(uri, method="get", body=None, headers=()):
        return send(SimpleNamespace(method=method, uri=uri, headers=list(headers), params=[], body=body))

    got = asked(f"{base}/path?x=1#part", headers=[("x-mine", "1")])
    assert (got["status"], got["body"]) == (200, b"got")
    assert server.seen[0][1] == "/path?x=1"
    assert asked(base, "post", b"sent")["body"] == b"sent"
    for uri, says in (
        ("http://elsewhere.invalid/", "destination-not-allowed"),
        ("/self", "destination-not-allowed"),
        ("no url", "invalid-url"),
    ):
        with pytest.raises(Err) as caught:
            asked(uri)
        assert caught.value.value == says
