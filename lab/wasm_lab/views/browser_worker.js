// What is timed in the user's browser, in a Web Worker of its own: the generated harness (the same
// module as in every other engine) and its JavaScript twin, in turn.
//
// The harness reads orders from its standard input, and a worker cannot wait for input. So the input
// is where the next order is decided: while the harness waits in fd_read, `plan` runs, times the twin,
// posts samples, and hands out the next order, until it has none.
"use strict";

const now = () => performance.now();
const ns = (milliseconds) => Math.round(milliseconds * 1e6);

// WASI 0.1, as little of it as a program without files needs --------------------------------

const ERRNO = { success: 0, badf: 8, inval: 28, nosys: 52 };

class Exit extends Error {
  constructor(status) {
    super(`it ended the program with exit status ${status}`);
    this.status = status;
  }
}

// `more` gives the next bytes of standard input (empty: the end); `wrote` takes what goes to 1 and 2.
function wasi(module, more, wrote) {
  let memory = null;
  let pending = new Uint8Array(0);
  const view = () => new DataView(memory.buffer);
  const bytes = (at, size) => new Uint8Array(memory.buffer, at, size);
  const vectors = (at, count) =>
    Array.from({ length: count }, (_, i) => [view().getUint32(at + 8 * i, true), view().getUint32(at + 8 * i + 4, true)]);
  const empty = (count, size) => {
    view().setUint32(count, 0, true);
    view().setUint32(size, 0, true);
    return ERRNO.success;
  };
  const calls = {
    args_sizes_get: empty,
    environ_sizes_get: empty,
    args_get: () => ERRNO.success,
    environ_get: () => ERRNO.success,
    clock_res_get(_clock, at) {
      view().setBigUint64(at, 1000n, true);
      return ERRNO.success;
    },
    clock_time_get(clock, _precision, at) {
      const time = clock === 0 ? performance.timeOrigin + now() : now();
      view().setBigUint64(at, BigInt(ns(time)), true);
      return ERRNO.success;
    },
    random_get(at, size) {
      for (let i = 0; i < size; i += 65536) crypto.getRandomValues(bytes(at + i, Math.min(65536, size - i)));
      return ERRNO.success;
    },
    sched_yield: () => ERRNO.success,
    proc_exit(status) {
      throw new Exit(status);
    },
    fd_fdstat_get(fd, at) {
      if (fd > 2) return ERRNO.badf;
      bytes(at, 24).fill(0);
      view().setUint8(at, 2); // a character device
      view().setBigUint64(at + 8, 0xffffffffffffffffn, true);
      return ERRNO.success;
    },
    fd_prestat_get: () => ERRNO.badf,
    fd_close: () => ERRNO.success,
    fd_read(fd, at, count, read) {
      if (fd !== 0) return ERRNO.badf;
      if (pending.length === 0) pending = more();
      let total = 0;
      for (const [place, size] of vectors(at, count)) {
        const part = pending.subarray(0, size);
        bytes(place, part.length).set(part);
        pending = pending.subarray(part.length);
        total += part.length;
      }
      view().setUint32(read, total, true);
      return ERRNO.success;
    },
    fd_write(fd, at, count, written) {
      if (fd !== 1 && fd !== 2) return ERRNO.badf;
      let total = 0;
      for (const [place, size] of vectors(at, count)) {
        wrote(fd, bytes(place, size).slice());
        total += size;
      }
      view().setUint32(written, total, true);
      return ERRNO.success;
    },
  };
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== "function" || from !== "wasi_snapshot_preview1")
      throw new Error(`the module imports ${from} ${name}, which no browser has`);
    imports[from] = imports[from] || {};
    imports[from][name] = calls[name] || (() => ERRNO.nosys);
  }
  const instance = new WebAssembly.Instance(module, imports);
  memory = instance.exports.memory;
  return instance;
}

// The harness ---------------------------------------------------------------------------------

const MARK = "wasm-lab";

// Runs the harness; `plan` is a generator that yields orders and is given each answer:
// {words: ["elapsed", "123"], payload: Uint8Array}.
function converse(wasm, argumentBytes, plan) {
  const encode = (text) => new TextEncoder().encode(text);
  let out = [];
  let errors = "";
  let started = false;
  let left = false;
  const answer = () => {
    const size = out.reduce((sum, each) => sum + each.length, 0);
    const whole = new Uint8Array(size);
    let at = 0;
    for (const each of out) {
      whole.set(each, at);
      at += each.length;
    }
    out = [];
    // What the measured code itself prints may stand before the mark.
    const text = new TextDecoder("latin1").decode(whole);
    const found = text.startsWith(`${MARK} `) ? 0 : text.indexOf(`\n${MARK} `) + 1;
    if (found === 0 && !text.startsWith(`${MARK} `)) throw new Error("the harness gave no answer");
    const end = text.indexOf("\n", found);
    return { words: text.slice(found + MARK.length + 1, end).split(" "), payload: whole.subarray(end + 1) };
  };
  const more = () => {
    if (!started) {
      started = true;
      const head = encode(`${MARK} ${argumentBytes.length}\n`);
      const whole = new Uint8Array(head.length + argumentBytes.length);
      whole.set(head);
      whole.set(argumentBytes, head.length);
      return whole;
    }
    const next = plan.next(answer());
    left = Boolean(next.done);
    return next.done ? new Uint8Array(0) : encode(`${next.value}\n`);
  };
  plan.next(); // to its first yield, which is given "ready"
  const instance = wasi(wasm, more, (fd, data) => {
    if (fd === 1) out.push(data);
    else errors = (errors + new TextDecoder().decode(data)).slice(-4000);
  });
  try {
    instance.exports._start();
  } catch (error) {
    if (error instanceof Exit && error.status === 0) return;
    if (error instanceof WebAssembly.RuntimeError || error instanceof Exit)
      throw new Error(`the Rust function stopped: ${errors.trim() || error.message}`);
    throw error;
  }
  if (!left) throw new Error("the harness ended before it was asked to");
}

// The twin -------------------------------------------------------------------------------------

const ARRAYS = {
  i8: Int8Array, u8: Uint8Array, i16: Int16Array, u16: Uint16Array, i32: Int32Array, u32: Uint32Array,
  i64: BigInt64Array, u64: BigUint64Array, f32: Float32Array, f64: Float64Array,
};

function untagged(value) {
  if (Array.isArray(value)) return value.map(untagged);
  if (value === null || typeof value !== "object") return value;
  const [tag, inner] = Object.entries(value)[0];
  switch (tag) {
    case "big": return BigInt(inner);
    case "number": return Number(inner);
    case "map": return new Map(inner.map(([k, v]) => [untagged(k), untagged(v)]));
    case "set": return new Set(inner.map(untagged));
    default: return new ARRAYS[tag](Uint8Array.from(atob(inner), (each) => each.charCodeAt(0)).buffer);
  }
}

function base64(view) {
  let text = "";
  for (const each of new Uint8Array(view.buffer, view.byteOffset, view.byteLength)) text += String.fromCharCode(each);
  return btoa(text);
}

function tagged(value) {
  if (value === undefined || value === null) return null;
  if (typeof value === "bigint") return { big: String(value) };
  if (typeof value === "number")
    return Number.isFinite(value) && !Object.is(value, -0) ? value : { number: Object.is(value, -0) ? "-0" : String(value) };
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value !== "object") throw new TypeError(`the twin answered a ${typeof value}, which has no Python form`);
  if (Array.isArray(value)) return value.map(tagged);
  if (typeof value.then === "function")
    throw new TypeError("the twin is asynchronous: it answered a Promise; write it without async");
  const name = Object.keys(ARRAYS).find((each) => value instanceof ARRAYS[each]) || (value instanceof Uint8ClampedArray && "u8");
  if (name) return { [name]: base64(value) };
  if (value instanceof Map) return { map: [...value].map(([k, v]) => [tagged(k), tagged(v)]) };
  if (value instanceof Set) return { set: [...value].map(tagged) };
  return { map: Object.entries(value).map(([k, v]) => [k, tagged(v)]) };
}

// The twin's function, the arguments of each call, and a loop as node.js times it: two equal arrays of
// arguments are taken in turn and results are kept, so that no call can be left out.
function twinOf(settings) {
  const { code, name, mutable, owned, portion } = settings;
  const made = new Function(`${code}\n;return ${name};`)();
  if (typeof made !== "function") throw new TypeError(`the twin's code defines no function ${name}`);
  const decoded = JSON.parse(settings.args);
  const shared = decoded.map(untagged);
  const copied = new Set([...mutable, ...owned]);
  const argumentsOf = () => shared.map((each, index) => (copied.has(index) ? untagged(decoded[index]) : each));
  const names = shared.map((_, index) => `a[${index}]`).join(", ");
  const loop = new Function(
    "f", "box", "count", "now",
    `"use strict"; let kept; const start = now();
     for (let i = 0; i < count; i++) { const a = box[${copied.size ? "i" : "i & 1"}]; kept = f(${names}); }
     const elapsed = now() - start; globalThis.__kept = kept; return elapsed;`,
  );
  const box = [argumentsOf(), argumentsOf()];
  return {
    time(count) {
      if (!copied.size) return loop(made, box, count, now);
      let sum = 0;
      for (let left = count; left > 0; ) {
        const part = Math.min(left, portion);
        left -= part;
        sum += loop(made, Array.from({ length: part }, argumentsOf), part, now);
      }
      return sum;
    },
    answer() {
      const a = argumentsOf();
      const result = made(...a);
      return JSON.stringify([...(settings.void ? [] : [tagged(result)]), ...mutable.map((index) => tagged(a[index]))]);
    },
  };
}

// Plans ----------------------------------------------------------------------------------------

function clockStep() {
  const steps = [];
  for (let i = 0; i < 15; i++) {
    const start = now();
    let end = now();
    while (end === start) end = now();
    steps.push(end - start);
  }
  return steps.sort((a, b) => a - b)[7];
}

function* answers(twin) {
  yield; // ready
  const { payload } = yield "answer";
  const wasm = payload.slice();
  postMessage({ kind: "answers", wasm, twin: twin ? twin.answer() : null });
}

function* measuring(twin, settings) {
  yield; // ready
  const step = clockStep();
  const least = Math.max(settings.batch_ms, 200 * step); // so that a batch is read to 0.5 %
  const once = {
    *wasm(count) {
      const { words } = yield `time ${count}`;
      return Number(words[1]) / 1e6;
    },
    *twin(count) {
      return twin.time(count);
    },
  };
  const subjects = twin ? ["wasm", "twin"] : ["wasm"];
  const counts = {};
  const taken = { wasm: 0, twin: 0 };
  const told = (who, count, elapsed, warm) =>
    postMessage({ kind: "sample", row: [who, settings.process, taken[who]++, (elapsed * 1e6) / count, count, warm], step });
  for (const who of subjects) {
    let count = 1;
    for (let tries = 0; tries < 40; tries++) {
      const elapsed = yield* once[who](count);
      told(who, count, elapsed, false);
      if (elapsed >= least) break;
      count = elapsed < least / 20 ? count * 8 : Math.ceil((count * least * 1.15) / elapsed);
    }
    counts[who] = count;
  }
  // A B B A: what drifts steadily, as heat and clock frequency do, weighs on both alike.
  for (let block = 0; block < settings.blocks; block++)
    for (const who of [...subjects, ...[...subjects].reverse()]) {
      const elapsed = yield* once[who](counts[who]);
      told(who, counts[who], elapsed, block > 0);
      // Sized while the code was not yet optimised, or the machine busy: the next ones are longer.
      if (elapsed < least) counts[who] = Math.ceil((counts[who] * least * 1.15) / Math.max(elapsed, step));
    }
}

onmessage = ({ data }) => {
  try {
    const module = new WebAssembly.Module(data.wasm);
    const twin = data.twin ? twinOf(data.twin) : null;
    converse(module, data.arguments, data.task === "answer" ? answers(twin) : measuring(twin, data));
    postMessage({ kind: "ended" });
  } catch (error) {
    postMessage({ kind: "failed", message: String((error && error.message) || error) });
  }
};
