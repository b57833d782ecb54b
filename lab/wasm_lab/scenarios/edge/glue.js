// Calls functions of a Rust cell from JavaScript: allocate in the guest, copy, call, copy back.
//
// How values travel is written in wasm_lab/abi/rust.py, whose other end is Python; in short: a number is
// a Wasm number; text and typed arrays lie in the guest's argument frame and are passed as address and
// count; everything else lies there as a stream. A result that is no number comes as address and count
// in one 64-bit number; bit 63 marks the text of an `Err`.
import { imports } from "./wasm-lab-wasi.js";

const ALIGNMENT = 16; // of the frame and of each part in it
const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const whole = (size, low, high, array, name) => ({ size, low, high, array, get: `get${name}`, set: `set${name}` });
const wide = (size, low, high) => ({ size, low, high, big: true });
const PLAIN = {
  i8: whole(1, -0x80, 0x7f, Int8Array, "Int8"),
  u8: whole(1, 0, 0xff, Uint8Array, "Uint8"),
  i16: whole(2, -0x8000, 0x7fff, Int16Array, "Int16"),
  u16: whole(2, 0, 0xffff, Uint16Array, "Uint16"),
  i32: whole(4, -0x80000000, 0x7fffffff, Int32Array, "Int32"),
  u32: whole(4, 0, 0xffffffff, Uint32Array, "Uint32"),
  isize: whole(4, -0x80000000, 0x7fffffff, Int32Array, "Int32"),
  usize: whole(4, 0, 0xffffffff, Uint32Array, "Uint32"),
  i64: { ...whole(8, -(1n << 63n), (1n << 63n) - 1n, BigInt64Array, "BigInt64"), big: true },
  u64: { ...whole(8, 0n, (1n << 64n) - 1n, BigUint64Array, "BigUint64"), big: true },
  i128: wide(16, -(1n << 127n), (1n << 127n) - 1n),
  u128: wide(16, 0n, (1n << 128n) - 1n),
  f32: { size: 4, array: Float32Array, get: "getFloat32", set: "setFloat32", float: true },
  f64: { size: 8, array: Float64Array, get: "getFloat64", set: "setFloat64", float: true },
  bool: { size: 1, bool: true },
  char: { size: 4, char: true },
};

const shown = (value) => (value === null ? "null" : (value?.constructor?.name ?? typeof value));

// One plain value as the number that stands for it; TypeError or RangeError where it does not fit.
function checked(name, value, where) {
  const plain = PLAIN[name];
  if (plain.bool) {
    if (typeof value !== "boolean") throw new TypeError(`${where} must be a boolean, not ${shown(value)}`);
    return value ? 1 : 0;
  }
  if (plain.char) {
    if (typeof value !== "string" || [...value].length !== 1 || !value.isWellFormed())
      throw new TypeError(`${where} must be a string of one character`);
    return value.codePointAt(0);
  }
  if (plain.float) {
    if (typeof value !== "number") throw new TypeError(`${where} must be a number, not ${shown(value)}`);
    return value;
  }
  if (plain.big && Number.isSafeInteger(value)) value = BigInt(value);
  const right = plain.big ? typeof value === "bigint" : Number.isInteger(value);
  if (!right) throw new TypeError(`${where} must be ${plain.big ? "a BigInt or a whole number" : "a whole number"} (${name}), not ${typeof value === "number" ? value : shown(value)}`);
  if (value < plain.low || value > plain.high) throw new RangeError(`${where}: ${value} does not fit ${name}`);
  return value;
}

function put(view, at, name, number) {
  const plain = PLAIN[name];
  if (plain.bool) view.setUint8(at, number);
  else if (plain.char) view.setUint32(at, number, true);
  else if (plain.size === 16) {
    view.setBigUint64(at, BigInt.asUintN(64, number), true);
    view.setBigUint64(at + 8, BigInt.asUintN(64, number >> 64n), true);
  } else view[plain.set](at, number, true);
}

function take(view, at, name) {
  const plain = PLAIN[name];
  if (plain.bool) return view.getUint8(at) !== 0;
  if (plain.char) return String.fromCodePoint(view.getUint32(at, true));
  if (plain.size === 16) {
    const high = view.getBigUint64(at + 8, true);
    const number = (high << 64n) | view.getBigUint64(at, true);
    return plain.low < 0n ? BigInt.asIntN(128, number) : number;
  }
  return view[plain.get](at, true);
}

// The bytes of a run of plain values, and how many values they are. A typed array of the right type is not copied.
function run(name, value, where, length) {
  const { array, size } = PLAIN[name];
  if (name === "u8" && value instanceof ArrayBuffer) value = new Uint8Array(value);
  if (array === Uint8Array && value instanceof Uint8ClampedArray) value = new Uint8Array(value.buffer, value.byteOffset, value.length);
  let bytes;
  if (array && value instanceof array) bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  else if (Array.isArray(value) || (name === "char" && typeof value === "string")) {
    const items = typeof value === "string" ? [...value] : value;
    bytes = new Uint8Array(items.length * size);
    const view = new DataView(bytes.buffer);
    items.forEach((item, index) => put(view, index * size, name, checked(name, item, `${where}[${index}]`)));
    value = items;
  } else throw new TypeError(`${where} must be ${array ? `a ${array.name} or ` : ""}an array of ${name}, not ${shown(value)}`);
  if (length !== null && value.length !== length) throw new RangeError(`${where} must have ${length} items, not ${value.length}`);
  return { bytes, count: value.length };
}

function runBack(name, bytes) {
  const { array, size } = PLAIN[name];
  if (array) return new array(bytes.slice().buffer); // a copy: the guest's memory may move or change
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / size }, (_, index) => take(view, index * size, name));
}

function text(value, where) {
  if (typeof value !== "string") throw new TypeError(`${where} must be a string, not ${shown(value)}`);
  return utf8.encode(value);
}

// A growing stream of bytes.
class Writer {
  bytes = new Uint8Array(256);
  length = 0;

  room(count) {
    const at = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.length, 2 * this.bytes.length));
      larger.set(this.bytes);
      this.bytes = larger;
    }
    return at;
  }

  plain(name, number) {
    const at = this.room(PLAIN[name].size);
    put(new DataView(this.bytes.buffer), at, name, number);
  }

  all(bytes) {
    const at = this.room(bytes.length); // first: it may replace this.bytes
    this.bytes.set(bytes, at);
  }

  align(size) {
    this.room(-this.length & (size - 1));
  }
}

function write(type, value, out, where) {
  if (typeof type === "string" && type !== "text") return out.plain(type, checked(type, value, where));
  if (type === "text") {
    const bytes = text(value, where);
    out.plain("u32", bytes.length);
    return out.all(bytes);
  }
  const [kind, first, second] = type;
  if (kind === "run") {
    const { bytes, count } = run(first, value, where, second);
    out.plain("u32", count);
    out.align(PLAIN[first].size);
    return out.all(bytes);
  }
  if (kind === "option") {
    const none = value === null || value === undefined;
    out.plain("u8", none ? 0 : 1);
    return none ? undefined : write(first, value, out, where);
  }
  if (kind === "tuple") {
    const members = type.slice(1);
    if (!Array.isArray(value) || value.length !== members.length) throw new TypeError(`${where} must be an array of ${members.length} values`);
    return members.forEach((member, index) => write(member, value[index], out, `${where}[${index}]`));
  }
  if (kind === "list") {
    const items = Array.isArray(value) ? value : null;
    if (!items) throw new TypeError(`${where} must be an array, not ${shown(value)}`);
    if (second !== null && items.length !== second) throw new RangeError(`${where} must have ${second} items, not ${items.length}`);
    out.plain("u32", items.length);
    return items.forEach((item, index) => write(first, item, out, `${where}[${index}]`));
  }
  if (kind === "set") {
    if (!(value instanceof Set)) throw new TypeError(`${where} must be a Set, not ${shown(value)}`);
    out.plain("u32", value.size);
    for (const item of value) write(first, item, out, where);
    return undefined;
  }
  // A map; an object literal will do where its keys are text.
  const entries = value instanceof Map ? [...value] : first === "text" && value?.constructor === Object ? Object.entries(value) : null;
  if (!entries) throw new TypeError(`${where} must be a Map${first === "text" ? " or an object" : ""}, not ${shown(value)}`);
  out.plain("u32", entries.length);
  for (const [key, item] of entries) {
    write(first, key, out, `${where} (a key)`);
    write(second, item, out, `${where}[${String(key)}]`);
  }
  return undefined;
}

// Reads a stream that the guest wrote; `at` is where the next value begins.
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  plain(name) {
    const value = take(this.view, this.at, name);
    this.at += PLAIN[name].size;
    return value;
  }

  some(count) {
    if (count > this.bytes.length - this.at) throw new RangeError("the guest's value ends before it is whole");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  value(type) {
    if (type === "text") return fromUtf8.decode(this.some(this.plain("u32")));
    if (typeof type === "string") return this.plain(type);
    const [kind, first, second] = type;
    if (kind === "run") return runBack(first, this.some(this.plain("u32") * PLAIN[first].size));
    if (kind === "option") return this.plain("u8") === 0 ? null : this.value(first);
    if (kind === "tuple") return type.slice(1).map((member) => this.value(member));
    const count = this.plain("u32");
    const items = Array.from({ length: count }, () => (kind === "map" ? [this.value(first), this.value(second)] : this.value(first)));
    return kind === "map" ? new Map(items) : kind === "set" ? new Set(items) : items;
  }
}

// The functions of one cell. The instance is made by the first call and kept for later requests; a trap
// leaves its state unknown, so the next call begins with a new one.
export class Cell {
  #module;
  #name;
  #wasi = null;
  #instance = null;
  #frame = { address: ALIGNMENT, size: 0 };

  constructor(module, name) {
    this.#module = module;
    this.#name = name;
  }

  #exports() {
    if (this.#instance === null) {
      this.#wasi = imports(this.#module, this.#name);
      this.#frame = { address: ALIGNMENT, size: 0 };
      const instance = new WebAssembly.Instance(this.#module, this.#wasi.imports);
      this.#wasi.memory = instance.exports.memory;
      this.#enter(() => instance.exports._initialize?.());
      this.#instance = instance;
    }
    return this.#instance.exports;
  }

  // Whatever is thrown while the guest runs leaves it in an unknown state.
  #enter(call) {
    try {
      return call();
    } catch (error) {
      const said = this.#wasi.flush();
      this.#instance = null;
      const why = said.trim() ? `${error.message}: ${said.trim().split("\n").slice(0, 2).join(" ")}` : error.message;
      throw new Error(`${this.#name} trapped: ${why}`, { cause: error });
    } finally {
      this.#wasi.flush();
    }
  }

  // New views each time: whenever the guest's memory grows, the old ones are detached and have length 0.
  #bytes(at, count) {
    return new Uint8Array(this.#instance.exports.memory.buffer, at, count);
  }

  // Room for the arguments; the guest allocates it, and may grow its memory for that.
  #place(size) {
    if (size <= this.#frame.size) return this.#frame.address;
    const room = Math.min(Math.max(4096, 2 ** Math.ceil(Math.log2(size))), 0x7fff0000);
    this.#frame.size = 0; // the old one is given back even when the new one cannot be had
    const address = this.#enter(() => this.#instance.exports.__wasm_lab_frame(room)) >>> 0;
    if (address === 0 || size > room) throw new RangeError(`${this.#name} has no memory left for ${size} bytes of arguments`);
    this.#frame = { address, size: room };
    return address;
  }

  // parameters: [name, type] each, in order. Types are described in wasm_lab/scenarios/edge/glue.py.
  define(name, parameters, result) {
    const call = (...values) => {
      const exports = this.#exports();
      if (values.length !== parameters.length) throw new TypeError(`${name}() takes ${parameters.length} arguments, not ${values.length}`);
      const parts = parameters.map(([parameter, type], index) => argument(type, values[index], `${name}() argument ${parameter}`));
      let size = 0;
      for (const part of parts) if (part.bytes) size = (part.at = (size + ALIGNMENT - 1) & -ALIGNMENT) + part.bytes.length;
      const base = size > 0 ? this.#place(size) : ALIGNMENT;
      const words = [];
      for (const part of parts) {
        if (!part.bytes) words.push(...part.words);
        else {
          this.#bytes(base + part.at, part.bytes.length).set(part.bytes);
          words.push(base + part.at, ...part.words);
        }
      }
      const value = this.#enter(() => exports[`wasm_lab_${name}`](...words));
      for (const [index, part] of parts.entries()) if (part.back) part.back(values[index], this.#bytes(base + part.at, part.bytes.length));
      return this.#result(result, value);
    };
    Object.defineProperty(call, "name", { value: name });
    return call;
  }

  #result(type, value) {
    if (type === "unit") return undefined;
    const fallible = type[0] === "result";
    const inner = fallible ? type[1] : type;
    if (typeof value !== "bigint" || (!fallible && (inner === "i64" || inner === "u64"))) return direct(inner, value);
    const address = Number(value & 0xffffffffn);
    const count = Number((value >> 32n) & 0x7fffffffn);
    if (fallible && value < 0n) throw new Error(fromUtf8.decode(this.#bytes(address, count)));
    if (inner === "unit") return undefined;
    if (inner === "text") return fromUtf8.decode(this.#bytes(address, count));
    if (inner[0] === "run") return runBack(inner[1], this.#bytes(address, count * PLAIN[inner[1]].size));
    if (PLAIN[inner]) return new Reader(this.#bytes(address, count * PLAIN[inner].size)).value(inner);
    return new Reader(this.#bytes(address, count)).value(inner);
  }
}

// One argument: the Wasm numbers for it (`words`) and, unless it is a number, the bytes for the frame before them.
function argument(type, value, where) {
  if (typeof type === "string" && type !== "text") {
    const number = checked(type, value, where);
    if (PLAIN[type].size === 16) return { words: [BigInt.asIntN(64, number), BigInt.asIntN(64, number >> 64n)] };
    return { words: [number] };
  }
  if (type === "text") {
    const bytes = text(value, where);
    return { bytes, words: [bytes.length] };
  }
  if (type[0] === "run") {
    const { bytes, count } = run(type[1], value, where, type[2]);
    return { bytes, words: [count] };
  }
  if (type[0] === "run mut") {
    const { bytes, count } = run(type[1], value, where, null);
    return { bytes, words: [count], back: (into, changed) => giveBack(type[1], into, changed) };
  }
  const out = new Writer();
  write(type, value, out, where);
  return { bytes: out.bytes.subarray(0, out.length), words: [] };
}

// `&mut [T]`: the caller's own array gets what the guest changed.
function giveBack(name, into, changed) {
  const items = runBack(name, changed);
  if (into instanceof ArrayBuffer) new Uint8Array(into).set(items);
  else if (Array.isArray(into)) into.splice(0, into.length, ...items);
  else into.set(items);
}

function direct(name, value) {
  const plain = PLAIN[name];
  if (plain.bool) return value !== 0;
  if (plain.char) return String.fromCodePoint(value);
  if (name === "u64") return BigInt.asUintN(64, value);
  return plain.low === 0 ? value >>> 0 : value; // Wasm's numbers come signed
}
