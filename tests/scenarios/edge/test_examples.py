"""Published examples of Workers, retyped from Cloudflare's documentation, with what it says they do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket

import pytest

from wasm_lab.artifact import Artifact
from wasm_lab.build.wasm_tools import assemble
from wasm_lab.scenarios.edge import Bindings

pytestmark = pytest.mark.slow


def module(wat: str, name: str = "simple") -> dict[str, Artifact]:
    return {name: Artifact(wasm=assemble(wat, label=name), label=name)}


SIMPLE = """(module
  (func $i (import "imports" "imported_func") (param i32))
  (func (export "exported_func") (param $input i32) (result i32)
    local.get $input
    call $i
    local.get $input
    return))"""


def test_wasm_in_javascript(run):
    live = run(
        """import mod from "./simple.wasm";
const importObject = {
	imports: {
		imported_func: (arg) => {
			console.log(`Hello from JavaScript: ${arg}`);
		},
	},
};
const instance = await WebAssembly.instantiate(mod, importObject);
export default {
	async fetch() {
		const retval = instance.exports.exported_func(42);
		return new Response(`Success: ${retval}`);
	},
};""",
        artifacts=module(SIMPLE),
    )
    assert live.get("/").text == "Success: 42"
    assert "Hello from JavaScript: 42" in live.log


def test_wasm_as_a_global_of_the_older_syntax(run):
    text = """addEventListener("fetch", (event) => {
  event.respondWith(handleRequest(event.request));
});
const instance = new WebAssembly.Instance(simple, { imports: { imported_func: (n) => console.log(n) } });
async function handleRequest(request) {
  return new Response(`${GREETING} ${instance.exports.exported_func(7)}`);
}"""
    live = run(
        text, artifacts=module(SIMPLE), wasm=("simple",), bindings=Bindings(texts={"GREETING": "hello"})
    )
    assert live.get("/").text == "hello 7"


GLUE_OF_WASM_BINDGEN = """(module
  (import "./index_bg.js" "__wbg_log" (func $log (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "hello from rust")
  (global $next (mut i32) (i32.const 1024))
  (func (export "__wbindgen_malloc") (param i32) (result i32)
    global.get $next  global.get $next local.get 0 i32.add  global.set $next)
  (func (export "fetch") (result i32) i32.const 16 i32.const 15 call $log i32.const 200))"""


def test_the_manual_form_of_workers_rs(run):
    live = run(
        """import wasm from "./index_bg.wasm";
const decoder = new TextDecoder("utf-8");
let memory;
const imports = { __wbg_log(at, count) { console.log(decoder.decode(new Uint8Array(memory.buffer, at, count))); } };
const { exports } = new WebAssembly.Instance(wasm, { "./index_bg.js": imports });
memory = exports.memory;
export default { fetch() { return new Response(null, { status: exports.fetch() }); } };""",
        artifacts=module(GLUE_OF_WASM_BINDGEN, "index_bg"),
    )
    assert live.get("/").status_code == 200
    assert "hello from rust" in live.log


def test_redirect(run):
    live = run(
        """export default {
	async fetch(request) {
		const destinationURL = "https://example.com";
		const statusCode = 301;
		return Response.redirect(destinationURL, statusCode);
	},
};"""
    )
    answer = live.get("/")
    assert answer.status_code == 301
    assert answer.headers["location"].startswith("https://example.com")


def test_bulk_redirects(run):
    live = run(
        """export default {
	async fetch(request) {
		const externalHostname = "examples.cloudflareworkers.com";
		const redirectMap = new Map([
			["/bulk1", "https://" + externalHostname + "/redirect2"],
			["/bulk2", "https://" + externalHostname + "/redirect3"],
		]);
		const requestURL = new URL(request.url);
		const path = requestURL.pathname;
		const location = redirectMap.get(path);
		if (location) {
			return Response.redirect(location, 301);
		}
		return fetch(request);
	},
};"""
    )
    assert live.get("/bulk2").headers["location"] == "https://examples.cloudflareworkers.com/redirect3"


def test_alter_headers(run, origin):
    origin.pages["/"] = (200, {"x-header2-to-delete": "1", "x-header-to-change": "before"}, b"body")
    live = run(
        f"""export default {{
	async fetch(request) {{
		const response = await fetch("http://{origin.host}/");
		const newResponse = new Response(response.body, response);
		newResponse.headers.append("x-workers-hello", "Hello from Cloudflare Workers");
		newResponse.headers.delete("x-header2-to-delete");
		newResponse.headers.set("x-header-to-change", "NewValue");
		return newResponse;
	}},
}};""",
        allowed_hosts=(origin.host,),
    )
    answer = live.get("/")
    assert answer.text == "body"
    assert answer.headers["x-workers-hello"] == "Hello from Cloudflare Workers"
    assert "x-header2-to-delete" not in answer.headers
    assert answer.headers["x-header-to-change"] == "NewValue"


def test_rewrite_links(run, origin):
    page = b'<a href="https://developer.mozilla.org/x">a</a><img src="https://developer.mozilla.org/y.png"><b>c</b>'
    origin.pages["/"] = (200, {"Content-Type": "text/html;charset=utf-8"}, page)
    live = run(
        """export default {
	async fetch(request) {
		const OLD_URL = "developer.mozilla.org";
		const NEW_URL = "mynewdomain.com";
		class AttributeRewriter {
			constructor(attributeName) {
				this.attributeName = attributeName;
			}
			element(element) {
				const attribute = element.getAttribute(this.attributeName);
				if (attribute) {
					element.setAttribute(this.attributeName, attribute.replace(OLD_URL, NEW_URL));
				}
			}
		}
		const rewriter = new HTMLRewriter()
			.on("a", new AttributeRewriter("href"))
			.on("img", new AttributeRewriter("src"));
		const res = await fetch(request);
		const contentType = res.headers.get("Content-Type");
		if (contentType.startsWith("text/html")) {
			return rewriter.transform(res);
		} else {
			return res;
		}
	},
};""",
        allowed_hosts=(origin.host,),
    )
    # The request's own URL is the origin's, as it is behind a zone of Cloudflare's.
    assert live.get("/", {"Host": origin.host}).content == page.replace(
        b"developer.mozilla.org", b"mynewdomain.com"
    )


def test_the_cache_api(run, origin):
    origin.pages["/a"] = (200, {"ETag": '"1"'}, b"from the origin")
    live = run(
        """export default {
	async fetch(request, env, ctx) {
		const cacheUrl = new URL(request.url);
		const cacheKey = new Request(cacheUrl.toString(), request);
		const cache = caches.default;
		let response = await cache.match(cacheKey);
		if (!response) {
			console.log(`Response for request url: ${request.url} not present in cache. Fetching and caching request.`);
			response = await fetch(request);
			response = new Response(response.body, response);
			response.headers.append("Cache-Control", "s-maxage=10");
			ctx.waitUntil(cache.put(cacheKey, response.clone()));
		} else {
			console.log(`Cache hit for: ${request.url}.`);
		}
		if (cacheUrl.search === "?purge") await cache.delete(new Request(cacheUrl.origin + "/a"));
		return response;
	},
};""",
        allowed_hosts=(origin.host,),
    )
    host = {"Host": origin.host}
    first = live.get("/a", host)
    second = live.get("/a", host)
    assert first.text == second.text == "from the origin"
    assert origin.asked == ["/a"]
    assert second.headers["cf-cache-status"] == "HIT"
    assert "Cache hit for" in live.log
    assert live.get("/a", {**host, "If-None-Match": '"1"'}).status_code == 304
    live.get("/a?purge", host)
    live.get("/a", host)
    assert origin.asked == ["/a", "/a?purge", "/a"]


def test_a_counter_in_kv(run):
    live = run(
        """export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/reset") { await env.COUNTER.delete("count"); return new Response("reset"); }
    const count = parseInt((await env.COUNTER.get("count")) ?? "0") + 1;
    await env.COUNTER.put("count", count.toString(), { metadata: { at: pathname } });
    return new Response(`Count: ${count}`);
  },
};""",
        bindings=Bindings(kv=("COUNTER",)),
    )
    assert [live.get("/x").text for _ in range(3)] == ["Count: 1", "Count: 2", "Count: 3"]
    assert live.kv("COUNTER").keys()[0].metadata == {"at": "/x"}
    live.get("/reset")
    assert live.get("/").text == "Count: 1"


def test_signing_requests(run):
    live = run(
        """const encoder = new TextEncoder();
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const key = await crypto.subtle.importKey("raw", encoder.encode(env.SECRET_DATA), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
    if (url.pathname.startsWith("/generate/")) {
      url.pathname = url.pathname.replace("/generate/", "/");
      const mac = await crypto.subtle.sign("HMAC", key, encoder.encode(url.pathname));
      return new Response(btoa(String.fromCharCode(...new Uint8Array(mac))));
    }
    const received = Uint8Array.from(atob(url.searchParams.get("mac")), (c) => c.charCodeAt(0));
    const verified = await crypto.subtle.verify("HMAC", key, received, encoder.encode(url.pathname));
    return new Response(verified ? "welcome" : "Invalid MAC", { status: verified ? 200 : 403 });
  },
};""",
        bindings=Bindings(secrets={"SECRET_DATA": "my secret symmetric key"}),
    )
    mac = live.get("/generate/page").text
    assert (
        mac
        == base64.b64encode(hmac.new(b"my secret symmetric key", b"/page", hashlib.sha256).digest()).decode()
    )
    query = mac.replace("+", "%2B").replace("=", "%3D")
    assert live.get(f"/page?mac={query}").text == "welcome"
    assert live.get(f"/other?mac={query}").status_code == 403


def test_basic_authentication(run):
    live = run(
        """import { Buffer } from "node:buffer";
const encoder = new TextEncoder();
function timingSafeEqual(a, b) {
  const aBytes = encoder.encode(a), bBytes = encoder.encode(b);
  if (aBytes.byteLength !== bBytes.byteLength) return false;
  return crypto.subtle.timingSafeEqual(aBytes, bBytes);
}
export default {
  async fetch(request, env) {
    const authorization = request.headers.get("Authorization");
    if (!authorization) return new Response("You need to login.", { status: 401, headers: { "WWW-Authenticate": 'Basic realm="my scope"' } });
    const [, encoded] = authorization.split(" ");
    const [user, pass] = Buffer.from(encoded, "base64").toString().split(":");
    if (!timingSafeEqual("admin", user) || !timingSafeEqual(env.PASSWORD, pass)) return new Response("no", { status: 401 });
    return new Response("private");
  },
};""",
        compatibility_flags=("nodejs_compat",),
        bindings=Bindings(secrets={"PASSWORD": "pässword"}),
    )
    assert live.get("/").headers["www-authenticate"].startswith("Basic")
    right = base64.b64encode("admin:pässword".encode()).decode()
    assert live.get("/", {"Authorization": f"Basic {right}"}).text == "private"
    assert live.get("/", {"Authorization": "Basic YWRtaW46eA=="}).status_code == 401


def test_streaming(run):
    live = run(
        """export default {
  async fetch() {
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    const encoder = new TextEncoder();
    (async () => {
      for (let i = 0; i < 3; i++) {
        await writer.write(encoder.encode(`part ${i}\\n`));
        await scheduler.wait(5);
      }
      await writer.close();
    })();
    return new Response(readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TransformStream({
      transform(chunk, controller) { controller.enqueue(chunk.toUpperCase()); },
    })).pipeThrough(new TextEncoderStream()), { headers: { "content-type": "text/event-stream" } });
  },
};"""
    )
    assert live.get("/").text == "PART 0\nPART 1\nPART 2\n"


def test_a_router_and_what_is_read_from_a_request(run):
    live = run(
        """const routes = [
  ["GET", /^\\/users\\/(\\d+)$/, (request, id) => Response.json({ id: Number(id) })],
  ["POST", /^\\/form$/, async (request) => Response.json(Object.fromEntries(await request.formData()))],
  ["POST", /^\\/json$/, async (request) => Response.json(await request.json(), { status: 201 })],
  ["GET", /^\\/cookie$/, (request) => new Response(request.headers.get("Cookie")?.match(/__uid=([^;]+)/)?.[1] ?? "none")],
];
export default {
  fetch(request) {
    const { pathname } = new URL(request.url);
    for (const [method, pattern, handler] of routes) {
      const found = request.method === method && pathname.match(pattern);
      if (found) return handler(request, ...found.slice(1));
    }
    return new Response("Not Found", { status: 404 });
  },
};"""
    )
    assert live.get("/users/7").json() == {"id": 7}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert live.post("/form", "a=1&b=%C3%A9", form).json() == {"a": "1", "b": "é"}
    answer = live.post("/json", '{"x": [1]}')
    assert (answer.status_code, answer.json()) == (201, {"x": [1]})
    assert live.get("/cookie", {"Cookie": "a=b; __uid=me"}).text == "me"
    assert live.get("/none").status_code == 404


def test_text_html_json_and_bytes_as_modules(run, tmp_path):
    (tmp_path / "page.html").write_text("<h1>hé</h1>")
    (tmp_path / "words.json").write_text('{"a": [1]}')
    (tmp_path / "bytes.bin").write_bytes(b"\x00\xff")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "greet.mjs").write_text("export const greet = (name) => `hello ${name}`;")
    live = run(
        """import html from "./page.html";
import words from "./words.json";
import bytes from "./bytes.bin";
import { greet } from "./lib/greet.mjs";
export default { fetch() { return Response.json([html, words, [...new Uint8Array(bytes)], greet("you")]); } };""",
        folder=tmp_path,
    )
    assert live.get("/").json() == ["<h1>hé</h1>", {"a": [1]}, [0, 255], "hello you"]


def test_country_code_redirect(run):
    live = run(
        """export default {
	async fetch(request) {
		const countryMap = {
			US: "https://example.com/us",
			EU: "https://example.com/eu",
		};
		const country = request.cf?.country;
		if (country != null && country in countryMap) {
			const url = countryMap[country];
			return Response.redirect(url);
		} else {
			return new Response(`${country} ${request.headers.get("x-wasm-lab-cf")}`);
		}
	},
};"""
    )
    assert live.get("/", cf={"country": "US"}).headers["location"] == "https://example.com/us"
    assert live.get("/", cf={"country": "Neuland"}).text == "Neuland null"
    assert live.get("/").text == "undefined null"


def test_websockets(run):
    live = run(
        """export default {
  async fetch(request) {
    if (request.headers.get("Upgrade") !== "websocket") return new Response("Expected Upgrade: websocket", { status: 426 });
    const [client, server] = Object.values(new WebSocketPair());
    server.accept();
    server.addEventListener("message", (event) => server.send(`echo ${event.data}`));
    return new Response(null, { status: 101, webSocket: client });
  },
};"""
    )
    assert live.get("/").status_code == 426
    with socket.create_connection(("127.0.0.1", int(live.url.rpartition(":")[2])), 10) as client:
        client.sendall(
            b"GET / HTTP/1.1\r\nHost: edge\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += client.recv(4096)
        assert b" 101 " in answer
        client.sendall(b"\x81\x82\0\0\0\0hi")  # one masked text frame (RFC 6455, 5.2), masked by zeros
        frame = client.recv(4096)
        assert frame == b"\x81\x07echo hi"
