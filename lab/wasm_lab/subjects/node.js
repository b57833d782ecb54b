// The process in which node is timed: WebAssembly by node:wasi, or a JavaScript twin.
// The first line on standard input is JSON with the settings; then orders, one a line, each answered
// by a line that begins with the mark before the next one comes (see channel.py).
//
// What each phase is here:
// - compile: new WebAssembly.Module; each time of other bytes (a custom section with a number is
//   added), because V8 gives equal bytes their code back. V8 compiles by its baseline compiler,
//   functions when they are first called, and optimises later in the background;
// - instantiate: a WASI context and an instance;
// - first and steady call of Wasm: the guest itself tells;
// - run: _start of a fresh instance, from entry to return, its output in a file;
// - first call of a twin: of a function evaluated anew, in a new context;
// - steady call of a twin: a loop here, by performance.now().
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

let pending = Buffer.alloc(0);

// What standard input has now; null at its end.
function read() {
  const piece = Buffer.alloc(1 << 16);
  for (;;) {
    try {
      const n = fs.readSync(0, piece, 0, piece.length, null);
      return n === 0 ? null : piece.subarray(0, n);
    } catch (error) {
      if (error.code === "EOF") return null;
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

// The next order; empty when there will be none.
function line() {
  const pieces = [];
  for (let piece = pending; piece; piece = read()) {
    const end = piece.indexOf(10);
    if (end >= 0) {
      pending = piece.subarray(end + 1);
      return Buffer.concat([...pieces, piece.subarray(0, end)]).toString();
    }
    pieces.push(piece);
  }
  return "";
}

function write(data) {
  for (let at = 0; at < data.length; ) {
    try {
      at += fs.writeSync(1, data, at);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

// With a file of settings as argument, the command runs once with this process's own streams.
const once = process.argv[2] !== undefined;
const settings = JSON.parse(once ? fs.readFileSync(process.argv[2]) : line());
const say = (words, payload) => {
  const head = Buffer.from(`\n${settings.mark} ${words}\n`);
  write(payload ? Buffer.concat([head, payload]) : head);
};
const fail = (message) => {
  const data = Buffer.from(message);
  say(`failed ${data.length}`, data);
};
// An error with the lines of its stack that are the measured code's own.
function told(error) {
  if (!error || !error.stack) return String(error);
  return String(error.stack).split("\n").filter((each) => !each.includes(__filename) && !each.includes("node:internal")).join("\n");
}
const ns = (milliseconds) => Math.round(milliseconds * 1e6);
const now = () => performance.now();

// The step that the clock shows, its own cost included: the median of 33.
function clockStep() {
  const steps = [];
  for (let i = 0; i < 33; i++) {
    const start = now();
    let end = now();
    while (end === start) end = now();
    steps.push(end - start);
  }
  return Math.max(1, ns(steps.sort((a, b) => a - b)[16]));
}

// WebAssembly --------------------------------------------------------------------------------

function wasm() {
  // V8's fast calls from Wasm to node:wasi may collect garbage where it must not (nodejs/node issues
  // 46777 and 53087): with them, node 20.20.2 dies by SIGSEGV after some tens of runs in one process.
  // Twins keep them.
  require("node:v8").setFlagsFromString("--no-turbo-fast-api-calls");
  const { WASI } = require("node:wasi");
  const bytes = fs.readFileSync(settings.wasm);
  const granted = settings.capabilities;
  let serial = 0;
  let compiled = null;
  const module = () => (compiled = compiled || new WebAssembly.Module(bytes));

  // A further custom section (binary format, 5.5.3): id 0, size, a name of one byte, eight bytes.
  function others() {
    const section = Buffer.from([0, 10, 1, 120, 0, 0, 0, 0, 0, 0, 0, 0]);
    section.writeUInt32LE(++serial, 4);
    section.writeUInt32LE(process.pid, 8);
    return Buffer.concat([bytes, section]);
  }

  function context(files) {
    const preopens = {};
    for (const [host, guest] of granted ? granted.dirs : []) preopens[guest] = host;
    return new WASI({
      version: "preview1",
      args: granted ? [granted.program || settings.label, ...granted.args] : [settings.label],
      env: granted ? granted.env : {},
      preopens,
      stdin: files ? files[0] : 0,
      stdout: files ? files[1] : 1,
      stderr: files ? files[2] : 2,
      returnOnExit: true,
    });
  }

  function instance(files) {
    const wasi = context(files);
    return [wasi, new WebAssembly.Instance(module(), wasi.getImportObject())];
  }

  const folder = settings.scratch;

  // One run of the command: status, milliseconds, what it wrote, its memory.
  function run() {
    const input = path.join(folder, "stdin");
    fs.writeFileSync(input, Buffer.from(granted.stdin, "base64"));
    const output = path.join(folder, "stdout");
    const files = [fs.openSync(input, "r"), fs.openSync(output, "w"), 2];
    try {
      const [wasi, made] = instance(files);
      const start = now();
      const status = wasi.start(made);
      const elapsed = now() - start;
      const memory = made.exports.memory ? made.exports.memory.buffer.byteLength : 0;
      return { status: status || 0, elapsed, stdout: fs.readFileSync(output), memory };
    } finally {
      fs.closeSync(files[0]);
      fs.closeSync(files[1]);
    }
  }

  const kept = [];
  const total = (count, once) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += once();
    say(`elapsed ${ns(sum)}`);
  };
  return {
    ready() {
      const [, made] = instance();
      if (settings.export === undefined && typeof made.exports._start !== "function")
        throw new Error("the module has no _start");
    },
    compile: (count) =>
      total(count, () => {
        const other = others();
        const start = now();
        new WebAssembly.Module(other);
        return now() - start;
      }),
    instantiate: (count) =>
      total(count, () => {
        module();
        const start = now();
        instance();
        return now() - start;
      }),
    once() {
      const [wasi, made] = instance([0, 1, 2]);
      return wasi.start(made);
    },
    run(count) {
      let sum = 0;
      let size = 0;
      for (let i = 0; i < count; i++) {
        const { elapsed, memory } = run();
        sum += elapsed;
        size = memory;
      }
      say(`elapsed ${ns(sum)} ${size}`);
    },
    outcome() {
      const { status, stdout, memory } = run();
      say(`outcome ${status} ${stdout.length} ${memory}`, stdout);
    },
    keep(count) {
      for (let i = 0; i < count; i++) kept.push(instance());
      say("kept");
    },
    memory() {
      const [, made] = instance();
      const size = made.exports.memory ? made.exports.memory.buffer.byteLength : 0;
      say(`memory ${size} ${size}`);
    },
    enter() {
      const [wasi, made] = instance();
      say("entering");
      const status = wasi.start(made);
      if (status) fail(`it ended the program with exit status ${status}`);
      else say("left");
    },
    ...(settings.export === undefined ? {} : exported(instance)),
  };
}

// An exported function of a module made elsewhere, called by the generated driver (exports.py).
function exported(instance) {
  const args = settings.args.map((each, i) => (settings.params[i] === "i64" ? BigInt(each) : Number(each)));
  const driver = new WebAssembly.Module(fs.readFileSync(settings.driver));
  const fresh = () => {
    const [wasi, made] = instance();
    // A library without a set-up function of its own has its constructors as an export, if any.
    if (typeof made.exports._initialize === "function") wasi.initialize(made);
    else if (typeof made.exports.__wasm_call_ctors === "function") made.exports.__wasm_call_ctors();
    const f = made.exports[settings.export];
    const loop = new WebAssembly.Instance(driver, { m: { f } }).exports.loop;
    return { f, loop, memory: made.exports.memory };
  };
  const size = (each) => (each.memory ? each.memory.buffer.byteLength : 0);
  const time = (each, count) => {
    let sum = 0;
    for (let left = count; left > 0; ) {
      const part = Math.min(left, 0xffffffff);
      left -= part;
      const start = now();
      each.loop(part | 0, ...args);
      sum += now() - start;
    }
    return sum;
  };
  let steady = null;
  return {
    first(count) {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += time(fresh(), 1);
      say(`elapsed ${ns(sum)}`);
    },
    time(count) {
      steady = steady || fresh();
      say(`elapsed ${ns(time(steady, count))}`);
    },
    answer() {
      const result = fresh().f(...args);
      const results = Array.isArray(result) ? result : result === undefined ? [] : [result];
      const words = results.map((each) => (Object.is(each, -0) ? "-0" : String(each)));
      const data = Buffer.from(words.join(" "));
      say(`answer ${data.length}`, data);
    },
    memory() {
      const start = size(fresh());
      say(`memory ${start} ${steady ? size(steady) : start}`);
    },
  };
}

// Timing a function called from JavaScript. The arguments lie in two equal arrays, taken in turn,
// and each result is kept: otherwise an optimiser may see that the call could be made only once.
function calling(fresh, argumentsOf, copies, wrap) {
  let steady = null;
  let first = argumentsOf();
  let box = [first, argumentsOf()];
  const names = first.map((_, index) => `a[${index}]`).join(", ");
  const loop = () =>
    new Function(
      "f", "box", "count", "now",
      `"use strict"; let kept; const start = now();
       for (let i = 0; i < count; i++) { const a = box[i & 1]; kept = f(${names}); }
       const elapsed = now() - start; globalThis.__kept = kept; return elapsed;`,
    );
  const portioned = () =>
    new Function(
      "f", "box", "count", "now",
      `"use strict"; let kept; const start = now();
       for (let i = 0; i < count; i++) { const a = box[i]; kept = f(${names}); }
       const elapsed = now() - start; globalThis.__kept = kept; return elapsed;`,
    );
  const run = copies ? portioned() : loop();
  const time = (f, count) => {
    if (!copies) return run(f, box, count, now);
    let sum = 0;
    for (let left = count; left > 0; ) {
      const portion = Math.min(left, settings.portion);
      left -= portion;
      const own = Array.from({ length: portion }, argumentsOf);
      sum += run(f, own, portion, now);
    }
    return sum;
  };
  return {
    first(count) {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += time(fresh(), 1);
      say(`elapsed ${ns(sum)}`);
    },
    time(count) {
      steady = steady || fresh();
      say(`elapsed ${ns(time(steady, count))}`);
    },
    answer() {
      const a = argumentsOf();
      const result = fresh()(...a);
      const data = Buffer.from(JSON.stringify(tagged(wrap(result, a))));
      say(`answer ${data.length}`, data);
    },
  };
}

// JavaScript twins ---------------------------------------------------------------------------

const ARRAYS = {
  i8: Int8Array, u8: Uint8Array, i16: Int16Array, u16: Uint16Array, i32: Int32Array,
  u32: Uint32Array, i64: BigInt64Array, u64: BigUint64Array, f32: Float32Array, f64: Float64Array,
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
    default: {
      const raw = Buffer.from(inner, "base64");
      return new ARRAYS[tag](raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
    }
  }
}

function tagged(value) {
  switch (typeof value) {
    case "undefined": return null;
    case "bigint": return { big: String(value) };
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { number: Object.is(value, -0) ? "-0" : String(value) };
    case "string": case "boolean": return value;
    case "object": break;
    default: throw new TypeError(`the twin answered a ${typeof value}, which has no Python form`);
  }
  if (value === null) return null;
  const kind = Object.prototype.toString.call(value).slice(8, -1); // holds for other contexts' objects
  if (Array.isArray(value)) return value.map(tagged);
  if (ArrayBuffer.isView(value)) {
    const plain = kind === "Uint8ClampedArray" ? "Uint8Array" : kind;
    const name = Object.keys(ARRAYS).find((each) => ARRAYS[each].name === plain);
    if (name) return { [name]: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") };
  }
  if (kind === "Map") return { map: [...value].map(([k, v]) => [tagged(k), tagged(v)]) };
  if (kind === "Set") return { set: [...value].map(tagged) };
  if (kind === "Promise") throw new TypeError("the twin is asynchronous: it answered a Promise; write it without async");
  return { map: Object.entries(value).map(([k, v]) => [k, tagged(v)]) };
}

function twin() {
  const { code, name, mutable, owned } = settings;
  let serial = 0;
  const evaluated = (text) => {
    const made = vm.runInThisContext(text, { filename: settings.label });
    if (typeof made !== "function") throw new TypeError(`the code defines no function ${name}`);
    return made;
  };
  // A number in a comment, because V8 gives equal text its code back. In a function of its own, so
  // that names declared with const or class do not collide when it is evaluated again.
  const fresh = () => evaluated(`(function () { ${code}\n;return ${name};\n/* ${++serial} */ })()`);
  const decoded = settings.args;
  const shared = decoded.map(untagged);
  // What Rust takes by value or changes in place is made anew for each call, before the clock runs.
  const copied = new Set([...mutable, ...owned]);
  const argumentsOf = () => shared.map((each, index) => (copied.has(index) ? untagged(decoded[index]) : each));
  const made = calling(fresh, argumentsOf, copied.size > 0, (result, a) => {
    if (result && typeof result.then === "function")
      throw new TypeError("the twin is asynchronous: it answered a Promise; write it without async");
    return [...(settings.void ? [] : [result]), ...mutable.map((index) => a[index])];
  });
  return { ready: () => void fresh(), ...made };
}

// Orders -------------------------------------------------------------------------------------

const COUNTED = new Set(["compile", "instantiate", "run", "keep", "first", "time"]);

function serve() {
  let does;
  try {
    does = settings.wasm === undefined ? twin() : wasm();
    does.ready();
  } catch (error) {
    fail(told(error));
    return;
  }
  say("ready");
  for (;;) {
    const order = line();
    if (!order) return;
    const [what, number] = order.split(" ");
    try {
      if (what === "step") say(`step ${clockStep()}`);
      else if (COUNTED.has(what)) does[what](Number(number));
      else does[what]();
    } catch (error) {
      fail(told(error));
    }
  }
}

if (once) process.exitCode = wasm().once();
else serve();
