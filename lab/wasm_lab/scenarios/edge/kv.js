// A KV namespace for workerd, which speaks to it as src/workerd/api/kv.c++ in its source has it:
//   GET /KEY?urlencoded=true                    the value, with CF-KV-Metadata and CF-Expiration; 404
//   PUT /KEY?expiration=S | expiration_ttl=S    the body is the value
//   DELETE /KEY
//   GET /?prefix=P&key_count_limit=N&cursor=C   {keys: [{name, expiration, metadata}], list_complete, cursor}
//   POST /bulk/get                              {keys: [], type, withMetadata}: an object from key to value
// The limits are those of Cloudflare's documentation ("KV limits"). Values lie in pieces, since a row of a
// Durable Object's database holds 2 MB at most.
import { DurableObject } from "cloudflare:workers";

const LONGEST_KEY = 512; // bytes
const LARGEST_VALUE = 25 * 1024 * 1024; // bytes
const LARGEST_METADATA = 1024; // bytes
const SHORTEST_LIFE = 60; // seconds
const MOST_KEYS = 1000; // of one list
const MOST_READ = 100; // keys of one bulk read
const PIECE = 1024 * 1024; // bytes

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const bytesOf = (text) => new TextEncoder().encode(text).length;
const now = () => Math.floor(Date.now() / 1000);

export class Store extends DurableObject {
  constructor(state, env) {
    super(state, env);
    this.sql = state.storage.sql;
    this.sql.exec("CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, expiration INTEGER, metadata TEXT) WITHOUT ROWID");
    this.sql.exec("CREATE TABLE IF NOT EXISTS pieces (key TEXT, number INTEGER, data BLOB, PRIMARY KEY (key, number))");
  }

  async fetch(request) {
    try {
      return await this.answer(request);
    } catch (error) {
      // A body that nobody reads would keep the sender waiting for ever.
      if (request.body && !request.bodyUsed) await read(request.body).catch(() => {});
      const status = error instanceof Refusal ? error.status : 500;
      return new Response(error.message, { status, statusText: error.message.replace(/[^\x20-\x7e]/g, "?") });
    }
  }

  async answer(request) {
    const url = new URL(request.url);
    const query = url.searchParams;
    if (request.method === "POST" && url.pathname === "/bulk/get") return this.bulk(await request.json());
    const written = url.pathname.slice(1);
    if (request.method === "GET" && written === "") return this.list(query);
    const key = checkedKey(query.get("urlencoded") === "true" ? decodeURIComponent(written) : written);
    if (request.method === "GET") return this.get(key);
    if (request.method === "PUT") return this.put(key, request, query);
    if (request.method === "DELETE") {
      this.forget(key);
      return new Response();
    }
    throw new Refusal(405, `KV has no ${request.method}`);
  }

  // The entry of a key; one whose time is over is removed.
  entry(key) {
    const [found] = this.sql.exec("SELECT expiration, metadata FROM entries WHERE key = ?", key);
    if (found && found.expiration !== null && found.expiration <= now()) {
      this.forget(key);
      return undefined;
    }
    return found;
  }

  value(key) {
    const pieces = [...this.sql.exec("SELECT data FROM pieces WHERE key = ? ORDER BY number", key)];
    return new Blob(pieces.map((piece) => piece.data));
  }

  get(key) {
    const found = this.entry(key);
    if (!found) throw new Refusal(404, "Not Found");
    const headers = new Headers();
    if (found.metadata !== null) headers.set("CF-KV-Metadata", found.metadata);
    if (found.expiration !== null) headers.set("CF-Expiration", String(found.expiration));
    return new Response(this.value(key).stream(), { headers });
  }

  async put(key, request, query) {
    const lenient = request.headers.has("x-wasm-lab"); // the lab itself asks: a worker's request never has it
    const expiration = expirationOf(query, lenient);
    const metadata = request.headers.get("CF-KV-Metadata");
    if (metadata !== null && bytesOf(metadata) > LARGEST_METADATA)
      throw new Refusal(413, `Metadata length of ${bytesOf(metadata)} exceeds limit of ${LARGEST_METADATA}.`);
    const value = await read(request.body);
    this.ctx.storage.transactionSync(() => {
      this.forget(key);
      this.sql.exec("INSERT INTO entries VALUES (?, ?, ?)", key, expiration, metadata);
      for (let at = 0; at < value.length; at += PIECE)
        this.sql.exec("INSERT INTO pieces VALUES (?, ?, ?)", key, at / PIECE, value.slice(at, at + PIECE));
    });
    return new Response();
  }

  forget(key) {
    this.sql.exec("DELETE FROM entries WHERE key = ?", key);
    this.sql.exec("DELETE FROM pieces WHERE key = ?", key);
  }

  list(query) {
    const limit = query.has("key_count_limit") ? Number(query.get("key_count_limit")) : MOST_KEYS;
    if (!(Number.isInteger(limit) && limit >= 1 && limit <= MOST_KEYS))
      throw new Refusal(400, `Invalid key_count_limit of ${query.get("key_count_limit")}. Please specify an integer from 1 to ${MOST_KEYS}.`);
    const prefix = query.get("prefix") ?? "";
    const after = query.get("cursor") ? decodeURIComponent(atob(query.get("cursor"))) : "";
    // SQLite orders text by its UTF-8 bytes, as KV does.
    const rows = [
      ...this.sql.exec(
        "SELECT key, expiration, metadata FROM entries WHERE key >= ?1 AND substr(key, 1, length(?1)) = ?1 AND key > ?2 " +
          "AND (expiration IS NULL OR expiration > ?3) ORDER BY key LIMIT ?4",
        prefix, after, now(), limit + 1,
      ),
    ];
    const keys = rows.slice(0, limit).map(({ key, expiration, metadata }) => ({
      name: key,
      ...(expiration === null ? {} : { expiration }),
      ...(metadata === null ? {} : { metadata }), // as text: workerd parses it
    }));
    const whole = rows.length <= limit;
    return Response.json({
      keys,
      list_complete: whole,
      ...(whole ? {} : { cursor: btoa(encodeURIComponent(keys.at(-1).name)) }),
      cacheStatus: null,
    });
  }

  async bulk({ keys, type, withMetadata }) {
    if (keys.length < 1) throw new Refusal(400, "You must request a minimum of 1 key");
    if (keys.length > MOST_READ) throw new Refusal(400, `You can request a maximum of ${MOST_READ} keys`);
    const found = {};
    let size = 0;
    for (const key of keys) {
      const entry = this.entry(checkedKey(key));
      let value = entry ? await this.value(key).text() : null;
      size += value?.length ?? 0;
      if (size > LARGEST_VALUE) throw new Refusal(413, "Total size of request exceeds the limit of 25MB");
      if (value !== null && type === "json") value = parsed(value);
      const metadata = entry?.metadata ? JSON.parse(entry.metadata) : null;
      found[key] = withMetadata && value !== null ? { value, metadata } : value;
    }
    return Response.json(found);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, "At least one of the requested keys corresponds to a non-json value");
  }
}

function checkedKey(key) {
  if (key === "") throw new Refusal(400, "Key names must not be empty");
  if (key === "." || key === "..") throw new Refusal(400, `Illegal key name "${key}". Please use a different name.`);
  const size = bytesOf(key);
  if (size > LONGEST_KEY) throw new Refusal(414, `UTF-8 encoded length of ${size} exceeds key length limit of ${LONGEST_KEY}.`);
  return key;
}

// Seconds since 1970 at which an entry ends; null for never.
function expirationOf(query, lenient) {
  const relative = query.get("expiration_ttl");
  const written = relative ?? query.get("expiration");
  if (written === null) return null;
  const seconds = Number(written);
  if (!Number.isInteger(seconds) || seconds <= 0) throw new Refusal(400, `Invalid expiration of ${written}. Please specify a whole number of seconds.`);
  const end = relative === null ? seconds : now() + seconds;
  if (!lenient && end < now() + SHORTEST_LIFE)
    throw new Refusal(400, `Invalid expiration of ${written}. It must be at least ${SHORTEST_LIFE} seconds in the future.`);
  return end;
}

async function read(body) {
  const parts = [];
  let size = 0;
  if (body)
    for await (const part of body) {
      size += part.length;
      if (size <= LARGEST_VALUE) parts.push(part); // the rest is read and dropped
    }
  if (size > LARGEST_VALUE) throw new Refusal(413, `Value length of ${size} exceeds limit of ${LARGEST_VALUE}.`);
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

// NAMESPACE is set in the service that a worker's binding points to; in the lab's own, the first part of
// the path says which namespace is meant.
export default {
  fetch(request, env) {
    const url = new URL(request.url);
    const own = env.NAMESPACE === undefined;
    let name = env.NAMESPACE;
    if (own) {
      const [, first, ...rest] = url.pathname.split("/");
      if (first === "") return new Response("ready");
      name = decodeURIComponent(first);
      url.pathname = `/${rest.join("/")}`;
    }
    const passed = new Request(url, request);
    if (own) passed.headers.set("x-wasm-lab", "1");
    else passed.headers.delete("x-wasm-lab");
    return env.STORE.get(env.STORE.idFromName(name)).fetch(passed);
  },
};
