"""Values between JavaScript and Rust: each type there and back, in the real engine."""

from __future__ import annotations

import pytest

from wasm_lab.build import build
from wasm_lab.cells import parse_cell

pytestmark = pytest.mark.slow

RUST = """
use std::collections::{BTreeMap, BTreeSet, HashMap};

macro_rules! echo { ($($name:ident: $type:ty),* $(,)?) => { $(pub fn $name(v: $type) -> $type { v })* } }
"""

#: Name, Rust type, JavaScript values that must come back as they went.
ECHOED = [
    ("e_i8", "i8", "[-128, 0, 127]"),
    ("e_u8", "u8", "[0, 255]"),
    ("e_i16", "i16", "[-32768, 32767]"),
    ("e_u16", "u16", "[0, 65535]"),
    ("e_i32", "i32", "[-2147483648, -1, 2147483647]"),
    ("e_u32", "u32", "[0, 4294967295]"),
    ("e_usize", "usize", "[0, 4294967295]"),
    ("e_i64", "i64", "[-(2n ** 63n), -1n, 2n ** 63n - 1n]"),
    ("e_u64", "u64", "[0n, 2n ** 64n - 1n]"),
    ("e_i128", "i128", "[-(2n ** 127n), -1n, 0n, 2n ** 127n - 1n]"),
    ("e_u128", "u128", "[0n, 2n ** 64n, 2n ** 128n - 1n]"),
    ("e_f32", "f32", "[0.5, -Infinity]"),
    ("e_f64", "f64", "[0.1, NaN, 1e308]"),
    ("e_bool", "bool", "[true, false]"),
    ("e_char", "char", '["a", "é", "😀"]'),
    ("e_string", "String", '["", "straße 😀\\u0000"]'),
    ("e_bytes", "Vec<u8>", "[new Uint8Array([]), new Uint8Array([0, 255]), new Uint8Array(300000).fill(7)]"),
    ("e_shorts", "Vec<i16>", "[new Int16Array([-1, 300])]"),
    ("e_longs", "Vec<u64>", "[new BigUint64Array([2n ** 64n - 1n])]"),
    ("e_floats", "Vec<f64>", "[new Float64Array([0.1, NaN])]"),
    ("e_singles", "Vec<f32>", "[new Float32Array([0.5])]"),
    ("e_flags", "Vec<bool>", "[[true, false]]"),
    ("e_chars", "Vec<char>", '[["a", "😀"]]'),
    ("e_huge", "Vec<u128>", "[[2n ** 100n, 1n]]"),
    ("e_array", "[u32; 3]", "[new Uint32Array([1, 2, 4000000000])]"),
    ("e_words", "Vec<String>", '[["a", "", "é"], []]'),
    ("e_nested", "Vec<Vec<u32>>", "[[new Uint32Array([1]), new Uint32Array([])]]"),
    ("e_option", "Option<String>", '["x", null]'),
    ("e_maybe", "Option<u8>", "[5, null]"),
    ("e_pair", "(u8, String, f64)", '[[1, "x", 0.5]]'),
    (
        "e_map",
        "BTreeMap<String, Vec<u8>>",
        '[new Map([["a", new Uint8Array([1])], ["b", new Uint8Array([])]])]',
    ),
    ("e_ages", "BTreeMap<i64, bool>", "[new Map([[-1n, true]])]"),
    ("e_set", "BTreeSet<u16>", "[new Set([1, 65535])]"),
    (
        "e_mixed",
        "Vec<(Option<u64>, [u8; 2])>",
        "[[[null, new Uint8Array([1, 2])], [5n, new Uint8Array([3, 4])]]]",
    ),
]

OTHERS = """
pub fn length(s: &str) -> usize { s.len() }
pub fn sum(v: &[f64]) -> f64 { v.iter().sum() }
pub fn double(v: &mut [i32]) { v.iter_mut().for_each(|x| *x *= 2) }
pub fn joined(a: &str, n: u8, b: &[u16], c: &[String]) -> String { format!("{a}{n}{b:?}{c:?}") }
pub fn counted(words: &[&str]) -> HashMap<String, u32> { words.iter().map(|w| (w.to_string(), w.len() as u32)).collect() }
pub fn parse(s: &str) -> Result<i64, std::num::ParseIntError> { s.parse() }
pub fn nothing(ok: bool) -> Result<(), String> { if ok { Ok(()) } else { Err("no: é".into()) } }
pub fn found(s: &str) -> Result<Option<u8>, String> { Ok(s.bytes().next()) }
pub fn grow(n: usize) -> Vec<u8> { vec![1; n] }
pub fn boom(n: u32) -> u32 { println!("out"); if n > 3 { panic!("too many: {n}") } n }
pub fn leave() { std::process::exit(3) }
pub fn deep(n: u64) -> u64 { if n == 0 { 0 } else { std::hint::black_box(deep(std::hint::black_box(n - 1))) + 1 } }
pub fn random() -> usize { HashMap::<u8, u8>::new().len() }
pub fn elapsed() -> bool { std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() > 1_600_000_000 }
pub fn count() -> u32 { static mut N: u32 = 0; unsafe { N += 1; N } }
pub fn file() -> String { std::fs::read_to_string("/etc/passwd").unwrap_err().to_string() }
pub fn slept() { std::thread::sleep(std::time::Duration::from_millis(1)) }
"""

JAVASCRIPT = """
const same = (a, b) => {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a.constructor !== b.constructor) return false;
  if (a instanceof Map || a instanceof Set) return same([...a], [...b]);
  return a.length === b.length && Array.prototype.every.call(a, (item, index) => same(item, b[index]));
};
const tell = (f) => {
  try {
    const value = f();
    return typeof value === "bigint" ? `${value}n` : value;
  } catch (error) {
    return `${error.constructor.name}: ${error.message}`;
  }
};
export default {
  async fetch(request) {
    const path = new URL(request.url).pathname;
    if (path === "/echo") {
      const wrong = [];
      for (const [name, values] of Object.entries(ECHOED))
        for (const value of values) {
          const back = t[name](value);
          if (!same(value, back)) wrong.push(`${name}: ${String(value)} came back as ${String(back)}`);
        }
      return Response.json(wrong);
    }
    return Response.json(CASES[path]());
  },
};
const CASES = {
  "/plain": () => {
    const numbers = [1, -2];
    const typed = new Int32Array([3]);
    t.double(numbers);
    t.double(typed);
    return [t.length("é"), t.sum([1, 0.5]), t.sum(new Float64Array([1, 2])), numbers, [...typed],
      t.joined("a", 1, new Uint16Array([2]), ["x", "y"]), [...t.counted(["a", "bé"])].sort(), t.e_map({ k: new Uint8Array([9]) }).get("k")[0],
      `${t.e_i64(5)}`, t.e_bytes(new Uint8Array([1, 2, 3]).subarray(1)).join(), t.e_bytes(new Uint8ClampedArray([300])).join(), t.e_bytes(new Uint8Array([4]).buffer).join(), t.e_bytes([1, 2]).join()];
  },
  "/results": () => [tell(() => t.parse("12")), tell(() => t.parse("x")), tell(() => t.nothing(true)) ?? null, tell(() => t.nothing(false)), t.found(""), t.found("A")],
  "/refused": () => [() => t.e_u8(256), () => t.e_u8(1.5), () => t.e_u8("1"), () => t.e_bool(1), () => t.e_char("ab"), () => t.length(5), () => t.e_bytes(new Uint16Array(1)), () => t.e_bytes([256]),
    () => t.e_array([1]), () => t.e_words("ab"), () => t.e_pair([1]), () => t.e_option(5), () => t.sum(), () => t.e_u64(-1), () => t.e_set([1]), () => t.e_map(new Set())].map(tell),
  "/grow": () => {
    // The guest's memory grows while it holds the arguments and while it makes the result.
    const large = new Uint8Array(3_000_000).fill(5);
    const first = t.e_bytes(large);
    const second = t.grow(40_000_000);
    return [first.length, first.every((byte) => byte === 5), second.length, t.length("x".repeat(5_000_000))];
  },
  "/trap": () => [t.count(), t.count(), tell(() => t.boom(9)), t.count(), tell(() => t.leave()), t.count(), tell(() => t.deep(10_000_000n)).slice(0, 20), t.boom(2), t.count()],
  "/wasi": () => [t.random(), t.elapsed(), t.file(), tell(() => t.slept())],
};
"""


@pytest.fixture(scope="module")
def tools():
    rust = (
        RUST + "".join(f"pub fn {name}(v: {kind}) -> {kind} {{ v }}\n" for name, kind, _ in ECHOED) + OTHERS
    )
    return build(
        parse_cell(rust.replace("macro_rules!", "#[allow(unused_macros)] macro_rules!"), name="tools")
    )


@pytest.fixture
def ask(run, tools):
    values = ",\n".join(f"{name}: {values}" for name, _, values in ECHOED)
    text = f'import * as t from "tools";\nconst ECHOED = {{ {values} }};{JAVASCRIPT}'
    live = run(text, artifacts={"tools": tools})

    def asked(path: str):
        answer = live.get(path)
        assert answer.status_code == 200, live.log
        return answer.json()

    asked.live = live
    return asked


def test_every_type_comes_back(ask):
    assert ask("/echo") == []


def test_calls(ask):
    assert ask("/plain") == [
        2,
        1.5,
        3,
        [2, -4],
        [6],
        'a1[2]["x", "y"]',
        [["a", 1], ["bé", 3]],
        9,
        "5",
        "2,3",
        "255",
        "4",
        "1,2",
    ]


def test_results_become_values_and_errors(ask):
    assert ask("/results") == ["12n", "Error: invalid digit found in string", None, "Error: no: é", None, 65]


def test_what_does_not_fit_is_refused_by_name_before_the_guest_is_entered(ask):
    told = ask("/refused")
    assert told[0] == "RangeError: e_u8() argument v: 256 does not fit u8"
    assert told[1] == "TypeError: e_u8() argument v must be a whole number (u8), not 1.5"
    assert (
        told[6] == "TypeError: e_bytes() argument v must be a Uint8Array or an array of u8, not Uint16Array"
    )
    assert told[7] == "RangeError: e_bytes() argument v[0]: 256 does not fit u8"
    assert told[12] == "TypeError: sum() takes 1 arguments, not 0"
    assert all(line.startswith(("TypeError: ", "RangeError: ")) for line in told), told


def test_memory_that_grows_invalidates_nothing(ask):
    assert ask("/grow") == [3_000_000, True, 40_000_000, 5_000_000]


def test_a_trap_ends_the_instance_and_the_next_call_has_a_new_one(ask):
    told = ask("/trap")
    assert told[:2] == [1, 2]
    assert "tools trapped" in told[2]
    assert "too many: 9" in told[2]
    assert told[3] == 1, "state began again"
    assert "status 3" in told[4]
    assert told[5] == 1
    assert told[6].startswith("Error: tools trapped")
    assert told[7:] == [2, 1]
    assert "out" in ask.live.log
    assert "panicked" in ask.live.log


def test_the_wasi_of_a_worker(ask):
    told = ask("/wasi")
    assert told[:2] == [0, True]
    assert told[2]
    assert told[3] is None or "trapped" in told[3]
