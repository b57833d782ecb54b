// What is behind the Cache API (`caches.default`): workerd puts, asks and purges by HTTP, as
// src/workerd/api/cache.c++ in its source has it. Kept in memory, for as long as the worker runs.
// How long without Cache-Control: Cloudflare's documentation, "Default cache behavior".
const DEFAULT_LIFE = { 200: 7200, 206: 7200, 301: 7200, 302: 1200, 303: 1200, 404: 180, 410: 180 }; // seconds
const LARGEST = 64 * 1024 * 1024; // bytes of all that is kept

const kept = new Map(); // from namespace and URL, the oldest first
let size = 0;

export default {
  async fetch(request) {
    const key = `${request.headers.get("cf-cache-namespace") ?? ""}\n${request.headers.get("cf-cache-key") ?? request.url}`;
    if (request.method === "PUT") return put(key, request);
    if (request.method === "PURGE") return new Response(null, { status: forget(key) ? 200 : 404 });
    return match(key, request);
  },
};

function match(key, request) {
  const found = kept.get(key);
  if (found && found.end <= Date.now()) forget(key);
  else if (found) {
    const headers = new Headers(found.headers);
    headers.set("CF-Cache-Status", "HIT");
    headers.set("Age", String(Math.floor((Date.now() - found.begin) / 1000)));
    const tags = request.headers.get("If-None-Match")?.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
    if (tags && headers.has("ETag") && (tags.includes("*") || tags.includes(headers.get("ETag").replace(/^W\//, ""))))
      return new Response(null, { status: 304, headers });
    const empty = [101, 204, 205, 304].includes(found.status);
    return new Response(empty ? null : found.body, { status: found.status, headers, encodeBody: "manual" });
  }
  return new Response(null, { status: 504, headers: { "CF-Cache-Status": "MISS" } });
}

// The body of the request is a whole HTTP/1.1 answer.
async function put(key, request) {
  const { status, headers, body } = parse(new Uint8Array(await request.arrayBuffer()));
  const life = lifeOf(status, headers);
  forget(key);
  if (life > 0 && body.length <= LARGEST) {
    for (const oldest of kept.keys()) {
      if (size + body.length <= LARGEST) break;
      forget(oldest);
    }
    kept.set(key, { status, headers: [...headers], body, begin: Date.now(), end: Date.now() + 1000 * life });
    size += body.length;
  }
  return new Response(null, { status: 204 });
}

function forget(key) {
  size -= kept.get(key)?.body.length ?? 0;
  return kept.delete(key);
}

function lifeOf(status, headers) {
  const control = (headers.get("Cache-Control") ?? "").toLowerCase();
  if (/\bno-store\b|\bno-cache\b|\bprivate\b(?!=)/.test(control)) return 0;
  if (headers.has("Set-Cookie") && !/private=set-cookie/.test(control)) return 0;
  const told = control.match(/\bs-maxage=(\d+)/) ?? control.match(/\bmax-age=(\d+)/);
  if (told) return Number(told[1]);
  if (headers.has("Expires")) return (Date.parse(headers.get("Expires")) - Date.now()) / 1000 || 0;
  return DEFAULT_LIFE[status] ?? 0;
}

function parse(message) {
  const end = find(message, "\r\n\r\n", 0);
  const [first, ...lines] = new TextDecoder("latin1").decode(message.subarray(0, end)).split("\r\n");
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  let body = message.slice(end + 4);
  if (/chunked/i.test(headers.get("Transfer-Encoding") ?? "")) body = unchunked(body);
  headers.delete("Transfer-Encoding");
  return { status: Number(first.split(" ")[1]), headers, body };
}

function find(bytes, text, from) {
  const wanted = new TextEncoder().encode(text);
  for (let at = from; at <= bytes.length - wanted.length; at++) if (wanted.every((byte, index) => bytes[at + index] === byte)) return at;
  throw new Error("this is no HTTP answer");
}

function unchunked(bytes) {
  const parts = [];
  for (let at = 0; ; ) {
    const end = find(bytes, "\r\n", at);
    const count = parseInt(new TextDecoder().decode(bytes.subarray(at, end)), 16);
    if (!count) break;
    parts.push(bytes.subarray(end + 2, end + 2 + count));
    at = end + 2 + count + 2;
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
