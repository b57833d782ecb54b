"""Workers at work: their answers, their log, KV, what they may reach, and how they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from wasm_lab.build import build
from wasm_lab.cells import parse_cell
from wasm_lab.errors import CompileError, ServiceError, UsageError
from wasm_lab.scenarios.edge import Bindings, LiveWorkers, Worker, run_worker

pytestmark = pytest.mark.slow

ENV = """export default { async fetch(request, env) {
  const told = {};
  for (const [name, value] of Object.entries(env)) told[name] = value instanceof ArrayBuffer ? [...new Uint8Array(value)] : value;
  return Response.json(told);
} };"""

KV = """export default { async fetch(request, { PAGES }) {
  const { op, args } = await request.json();
  try {
    const value = await PAGES[op](...args);
    return Response.json({ value: value instanceof Map ? [...value] : value ?? null });
  } catch (error) {
    return Response.json({ error: String(error) });
  }
} };"""

NASTY = ['say "hé"\n\\', '") ], services = [', "\x01\x7f\t😀", "", "x" * 5000]


def test_what_env_holds_is_exactly_what_was_given(run):
    texts = {f"T{index}": text for index, text in enumerate(NASTY)}
    bindings = Bindings(
        texts=texts, secrets={"S": NASTY[0]}, json={"J": {NASTY[0]: [1, None]}}, data={"D": bytes(range(256))}
    )
    told = run(ENV, bindings=bindings).get("/").json()
    assert told == {**texts, "S": NASTY[0], "J": {NASTY[0]: [1, None]}, "D": list(range(256))}


def test_requests_arrive_as_they_were_sent(run):
    live = run(
        "export default { async fetch(r) { const u = new URL(r.url); return new Response(await r.text(), { status: 418, headers: { m: r.method, p: u.pathname + u.search, x: r.headers.get('x-a') } }); } };"
    )
    answer = live.request("PUT", "/a%20b?c=d", {"x-a": "1"}, b"\x00body")
    assert (answer.status_code, answer.content) == (418, b"\x00body")
    assert dict(answer.headers)["m"] == "PUT"
    assert answer.headers["p"] == "/a%20b?c=d"
    assert answer.headers["x"] == "1"
    assert [(asked.method, asked.status) for asked in live.requests] == [("PUT", 418)]


def kv_of(run):
    live = run(KV, bindings=Bindings(kv=("PAGES", "OTHER")))

    def do(op, *args):
        told = live.post("/", json.dumps({"op": op, "args": args})).json()
        return told.get("error") or told["value"]

    return live, do


def test_kv_keeps_values_with_metadata_and_lists_them(run):
    live, do = kv_of(run)
    assert do("get", "none") is None
    do("put", "a/é ?#%", "välue", {"metadata": {"n": [1]}})
    do("put", "b", "2", {"expirationTtl": 3600})
    do("put", "a", "")
    assert do("get", "a/é ?#%") == "välue"
    assert do("get", "a") == ""
    assert do("getWithMetadata", "a/é ?#%")["metadata"] == {"n": [1]}
    listed = do("list")
    assert [key["name"] for key in listed["keys"]] == ["a", "a/é ?#%", "b"]
    assert listed["list_complete"]
    assert abs(listed["keys"][2]["expiration"] - time.time() - 3600) < 30
    page = do("list", {"limit": 1})
    assert not page["list_complete"]
    assert [key["name"] for key in do("list", {"limit": 5, "cursor": page["cursor"]})["keys"]] == [
        "a/é ?#%",
        "b",
    ]
    assert [key["name"] for key in do("list", {"prefix": "a/"})["keys"]] == ["a/é ?#%"]
    do("put", "j", '{"x": 1}')
    assert do("get", ["a", "b", "none"]) == [["a", ""], ["b", "2"], ["none", None]]
    assert do("get", ["j"], "json") == [["j", {"x": 1}]]
    do("delete", "b")
    assert do("get", "b") is None
    assert live.kv("OTHER").keys() == []


def test_values_of_other_types_are_refused_in_words(run):
    live = run(KV, bindings=Bindings(kv=("PAGES",)))
    pages = live.kv("PAGES")
    for value, kind in ((3, "int"), ({"a": 1}, "dict"), (None, "None"), (bytearray(b"x"), "bytearray")):
        with pytest.raises(UsageError, match=f"text or bytes; this is .*{kind}"):
            pages.put("a", value)
    with pytest.raises(UsageError, match="key of KV is text; this is of type int"):
        pages.get(3)
    with pytest.raises(UsageError, match="body of a request is text or bytes; this is of type dict"):
        live.post("/", {"op": "get"})
    with pytest.raises(UsageError, match="path of a request is text"):
        live.get(3)
    for headers in ({"a": 1}, "text"):
        with pytest.raises(UsageError, match="dictionary from text to text"):
            live.get("/", headers)
    pages.put("a", b"x")
    assert pages.get("a") == b"x"
    assert not live.requests


def test_kv_refuses_what_cloudflare_refuses(run):
    _, do = kv_of(run)
    assert "512" in do("put", "k" * 513, "v")
    assert "at least 60" in do("put", "k", "v", {"expirationTtl": 30})
    assert "1024" in do("put", "k", "v", {"metadata": "m" * 1100})
    assert do("get", "k") is None


def test_kv_holds_large_values_and_forgets_them_in_time(run):
    live, do = kv_of(run)
    pages = live.kv("PAGES")
    large = os.urandom(5_000_000)
    pages.put("large", large)
    assert pages.get("large") == large
    pages.put("brief", "x", expiration_ttl=1, metadata={"a": 1})
    assert pages.keys("br")[0].metadata == {"a": 1}
    deadline = time.monotonic() + 60
    while pages.get("brief") is not None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert do("get", "brief") is None
    assert [key.name for key in pages.keys("l")] == ["large"]
    with pytest.raises(UsageError, match="no KV namespace NONE"):
        live.kv("NONE")


REACH = """export default { async fetch(request) {
  const to = new URL(request.url).searchParams.get("to");
  try {
    const answer = await fetch(to);
    return new Response(`${answer.status} ${await answer.text()}`);
  } catch (error) {
    return new Response(String(error), { status: 502 });
  }
} };"""


def test_nothing_is_reached_unless_it_was_allowed(run, origin):
    origin.pages["/"] = (200, {}, b"hello")
    closed = run(REACH)
    told = closed.get(f"/?to=http://{origin.host}/")
    assert told.status_code == 502
    assert f"--allow-host {origin.host}" in told.text
    open_ = run(REACH, "open", allowed_hosts=(origin.host,))
    assert open_.get(f"/?to=http://{origin.host}/").text == "200 hello"
    assert "refused" in open_.get("/?to=http://127.0.0.1:1/").text
    assert "refused" in open_.get(f"/?to=http://localhost:{origin.server_port}/").text
    assert origin.asked == ["/"]


def test_a_redirect_leads_no_further_than_what_was_allowed(run, origin):
    origin.pages["/away"] = (302, {"Location": f"http://localhost:{origin.server_port}/secret"}, b"")
    live = run(REACH, allowed_hosts=(origin.host,))
    assert "refused" in live.get(f"/?to=http://{origin.host}/away").text
    assert origin.asked == ["/away"]


def test_a_socket_is_no_way_out(run, origin):
    text = """import { connect } from "cloudflare:sockets";
    export default { async fetch() { try { const s = connect("HOST"); await s.opened; return new Response("out"); } catch (e) { return new Response("shut"); } } };"""
    assert run(text.replace("HOST", origin.host)).get("/").text == "shut"


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ('export default {\n  fetch() { return new Response("hi" }\n};', 3, "SyntaxError"),
        ("const a = null;\n\na.b();\nexport default {};", 4, "TypeError"),
        ("const x = await fetch('http://a/');\nexport default {};", 2, "global scope"),
    ],
)
def test_a_text_that_is_wrong_is_shown_at_its_line(run, text, line, told):
    with pytest.raises(CompileError) as caught:
        run(text, first_line=2, label="cell")
    (diagnostic,) = caught.value.diagnostics
    assert told in diagnostic.message
    assert diagnostic.spans[0].line == line
    assert f"cell:{line}:" in str(caught.value)
    assert text.split("\n")[line - 2] in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        'export default {\n  fetch() {\n    return new Response("{");\n  }',
        'export default {\n  fetch() {\n    return new Response("{");\n  }\n\n',
        'addEventListener("fetch", (event) => {\n  if (event) {\n    event.respondWith(1);\n  }\n',
    ],
)
def test_a_text_that_ends_too_early_is_shown_at_its_end(run, text):
    with pytest.raises(CompileError, match="one of } . ] ` is missing") as caught:
        run(text, first_line=2, label="cell")
    (span,) = caught.value.diagnostics[0].spans
    assert (span.line, span.column) == (5, 4)
    assert "cell:5:4: SyntaxError: Unexpected end of input" in str(caught.value)


def test_a_module_that_ends_too_early_is_named(run, tmp_path):
    (tmp_path / "lib.js").write_text("export function a() {\n  return 1;\n")
    text = 'import { a } from "./lib.js";\nexport default { fetch() { return new Response(a()); } };'
    with pytest.raises(CompileError, match="lib.js:3: SyntaxError: Unexpected end of input"):
        run(text, folder=tmp_path)


def test_an_error_in_a_handler_is_in_the_log_with_its_line(run):
    live = run("export default {\n  fetch() { missing(); }\n};", first_line=2)
    assert live.get("/").status_code == 500
    assert "missing is not defined" in live.log
    assert "shop.js:3" in live.log


def test_a_rejection_that_nobody_awaits_is_in_the_log_with_its_line(run):
    live = run(
        """export const named = { fetch() {} };
export default { async fetch() {
  Promise.reject(new Error("lost"));
  Promise.reject(3);
  const caught = Promise.reject(new Error("caught"));
  caught.catch(() => {});
  return new Response("ok");
} };""",
        main="lib/a.js",
        first_line=2,
    )
    assert live.get("/").text == "ok"
    assert live.log == (
        "Uncaught (in promise) Error: lost\n    at Object.fetch (lib/a.js:4:18)\nUncaught (in promise) 3\n"
    )


def test_a_worker_sees_its_rejections_as_ever(run):
    live = run(
        """addEventListener("unhandledrejection", (event) => console.log("mine", event.reason));
export default { fetch() { Promise.reject(4); return new Response("ok"); } };"""
    )
    assert live.get("/").text == "ok"
    assert live.log == "mine 4\nUncaught (in promise) 4\n"


def test_a_refused_request_is_in_the_log_once(run):
    live = run(
        """const ask = async () => await fetch("http://a.test/");
export default { async fetch(request) {
  switch (new URL(request.url).pathname) {
    case "/caught": return ask().catch(() => new Response("caught"));
    case "/lost": ask(); await scheduler.wait(50); return new Response("lost");
    case "/passed": return fetch("http://a.test/");
    default: return await ask();
  }
} };"""
    )
    words = "wasm-lab: a request to a.test was refused; allow it with --allow-host a.test\n"
    told = ""
    for path, places in (
        ("/caught", ""),
        ("/passed", ""),
        ("/", "    at async ask (shop.js:1:25)\n    at async Object.fetch (shop.js:7:21)\n"),
        ("/lost", "    at async ask (shop.js:1:25)\n"),
    ):
        live.get(path)
        told += words + places
        assert live.log == told, path


def test_a_worker_that_hangs_is_told_and_can_be_stopped(run):
    live = run("export default { fetch() { for (;;); } };")
    with pytest.raises(ServiceError, match="did not answer GET / within 0.5 s"):
        live.get("/", timeout_s=0.5)
    live.stop()
    assert live.state == "stopped"
    with pytest.raises(UsageError, match="was stopped"):
        live.get("/")


def test_a_crash_is_told_with_the_log(run):
    live = run("export default { fetch() { console.log('last words'); return new Response('x'); } };")
    live.get("/")
    live._server.crash()
    assert live.state == "ended unexpectedly"
    with pytest.raises(ServiceError, match="workerd ended") as caught:
        live.get("/")
    assert "last words" in str(caught.value)


def test_a_newer_worker_takes_the_place_of_the_older_with_its_kv(run):
    workers = LiveWorkers()
    text = "export default { async fetch(r, { K }) { const n = Number(await K.get('n') ?? 0) + 1; await K.put('n', String(n)); return new Response(MARK + n); } };"
    try:
        first = workers.start(Worker.of("w", text.replace("MARK", "'a'"), bindings=Bindings(kv=("K",))))
        assert first.get("/").text == "a1"
        address = first.url
        second = workers.start(Worker.of("w", text.replace("MARK", "'b'"), bindings=Bindings(kv=("K",))))
        assert second.get("/").text == "b2"
        assert second.url == address
        with pytest.raises(CompileError):
            workers.start(Worker.of("w", "export default { fetch( };"))
        third = workers.start(Worker.of("w", text.replace("MARK", "'c'"), bindings=Bindings(kv=("K",))))
        assert third.get("/").text == "c3"
    finally:
        workers.close()
    assert not third.running


def test_using_says_which_workers_import_a_cell(run):
    tools = build(parse_cell("pub fn one() -> u32 { 1 }", name="tools"))
    workers = LiveWorkers()
    text = 'import { one } from "tools"; export default { fetch() { return new Response(one()); } };'
    try:
        workers.start(Worker.of("w", text, artifacts={"tools": tools}))
        assert workers.using("tools") == ["w"]
        assert workers.using("other") == []
    finally:
        workers.close()


ENDING = """
import os, signal, sys
from wasm_lab.scenarios.edge import Worker, run_worker
live = run_worker(Worker.of("w", "export default { fetch() { return new Response('hi'); } };"))
print(live._server.folder, flush=True)
print(live.get("/").text, flush=True)
if sys.argv[1] == "interrupt":
    os.kill(os.getpid(), signal.SIGINT)
sys.stdin.read()
"""


@pytest.mark.parametrize("way", ["kill", "interrupt", "end"])
def test_nothing_outlives_the_process(way):
    lab = subprocess.Popen(
        [sys.executable, "-c", ENDING, way],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert lab.stdout is not None
    assert lab.stdin is not None
    folder = lab.stdout.readline().strip()
    assert folder
    assert lab.stdout.readline().strip() == "hi"
    if way == "kill":
        lab.send_signal(signal.SIGKILL)
    lab.stdin.close()
    lab.wait(20)
    lab.stdout.close()
    deadline = time.monotonic() + 60
    while Path(folder).exists() or _workerds(folder):
        assert time.monotonic() < deadline, "workerd or its folder is left"
        time.sleep(0.05)


def _workerds(folder: str) -> list[int]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if any(folder in word for word in process.info["cmdline"] or ()):
            found.append(process.pid)
    return found


def test_many_at_once_do_not_collide():
    text = "export default {{ fetch() {{ return new Response('{}'); }} }};"
    lives = [run_worker(Worker.of("w", text.format(index))) for index in range(4)]
    try:
        assert [live.get("/").text for live in lives] == ["0", "1", "2", "3"]
    finally:
        for live in lives:
            live.close()


def test_the_log_says_what_is_not_here(run):
    live = run(
        """export default { async fetch(request, env) {
  const { pathname } = new URL(request.url);
  if (pathname === "/kv") return new Response(await env.NOTES.get("a"));
  if (pathname === "/cf") return new Response(request.cf.country);
  return fetch(request);
} };"""
    )
    for path in ("/kv", "/cf", "/"):
        assert live.get(path).status_code == 500
    for words in ("env has no NOTES", "request.cf is", "is the worker itself"):
        assert live.log.count(words) == 1, live.log


@pytest.mark.parametrize(
    "text", ['export { default } from "./other.js";', 'export{default,named}from"./other.js"']
)
def test_a_default_export_that_is_passed_on(run, tmp_path, text):
    (tmp_path / "other.js").write_text(
        "export const named = {};\nexport default { fetch() { return new Response('from the other'); } };"
    )
    assert run(text, folder=tmp_path).get("/").text == "from the other"


@pytest.mark.parametrize(
    "text",
    [
        'addEventListener("fetch", e => e.respondWith(new Response("We export goods")));',
        'const k = "export default it";\nself.addEventListener("fetch", e => e.respondWith(new Response(`We ${k} goods`)));',
        '// not: export default {}\naddEventListener("fetch", e => e.respondWith(new Response("We mark goods")));',
    ],
)
def test_a_script_that_speaks_of_exports_is_a_script(run, text):
    assert run(text).get("/").text in ("We export goods", "We export default it goods", "We mark goods")


def test_what_a_default_export_holds_is_no_import(run):
    text = 'export default { "fetch": () => new Response(/import "x"/.test(`import "x"`)) };'
    assert run(text).get("/").text == "true"


DEFAULT = "export default { fetch() {} };"


@pytest.mark.parametrize(
    "text",
    [
        f"const worker: ExportedHandler<Env> = {{}};\n{DEFAULT}",
        f"const {{ a }}: {{ a: string }} = b;\n{DEFAULT}",
        "export default { fetch() {} } satisfies ExportedHandler;",
        f"const a = b as string;\n{DEFAULT}",
        "export default { fetch(request: Request) {} };",
        f"export interface Env {{ A: string }}\n{DEFAULT}",
        f"type A = string;\n{DEFAULT}",
        f"class A {{ private b = 1; }}\n{DEFAULT}",
        f"class A {{\n  b: Map<string, number>;\n}}\n{DEFAULT}",
        f"class A implements B {{}}\n{DEFAULT}",
    ],
)
def test_a_text_with_types_is_called_typescript(run, text):
    with pytest.raises(CompileError) as caught:
        run(text)
    assert "TypeScript" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "text",
    [
        "const x = ;",
        "const x;",
        "const x = { a: 1 b: 2 };",
        "if (x { }",
        "foo bar;",
        "const class = 1;",
        "let x = f(;",
        "const type = 1; foo bar;",
    ],
)
def test_another_mistake_is_not_called_typescript(run, text):
    with pytest.raises(CompileError) as caught:
        run(f"{text}\n{DEFAULT}")
    assert not caught.value.hint
