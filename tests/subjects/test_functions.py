"""One function in every engine: equal answers, every phase, and trouble told clearly."""

from __future__ import annotations

import array
import math

import numpy as np
import pytest

from wasm_lab.errors import GuestError, ProbeError, UnsupportedError, UsageError
from wasm_lab.run import Phase
from wasm_lab.source import Kind, Source
from wasm_lab.subjects import function_subjects, places

RUST = ["wasmtime", "wasmer", "wasmedge", "wasmedge-aot", "node", "native"]
ALL = [*RUST, "javascript", "python"]
HERE = places()

FIB = "pub fn fib(n: u32) -> u64 { if n < 2 { n as u64 } else { fib(n - 1) + fib(n - 2) } }"
FIB_JS = "function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }"


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def rust(code: str) -> Source:
    return Source(code=code, kind=Kind.FUNCTIONS)


def needs(place: str) -> str:
    if HERE[place]:
        pytest.skip(HERE[place])
    return place


def one(place: str, code: str, function: str, args: tuple, **more):
    [subject] = function_subjects(rust(code), function, args, places=[needs(place)], **more)
    return subject


@pytest.mark.parametrize("place", ALL)
def test_every_place_answers_and_times_every_phase_that_it_names(place):
    subject = one(place, FIB, "fib", (12,), js_twin=FIB_JS, python_twin=fib)
    assert subject.answer().value == 144
    assert (subject.workload, subject.input) == ("fib", "12")
    assert subject.version
    probe = subject.start()
    try:
        assert 0 < probe.resolution_ns < 10_000_000
        for phase in subject.phases:
            batch = probe.time(phase, 2)
            assert batch.count == 2
            assert 0 < batch.duration_ns < 20_000_000_000
        assert {Phase.CALL, Phase.FIRST_CALL} <= subject.phases
        sizes = probe.weigh()
        assert sizes["RSS"] > 500_000
    finally:
        probe.close()
    with pytest.raises(ProbeError, match="closed"):
        probe.time(Phase.CALL, 1)


@pytest.mark.parametrize("place", ALL)
def test_more_calls_take_more_time(place):
    subject = one(place, FIB, "fib", (15,), js_twin=FIB_JS, python_twin=fib)
    probe = subject.start()
    try:
        probe.time(Phase.CALL, 200)
        few = min(probe.time(Phase.CALL, 20).duration_ns for _ in range(5))
        many = min(probe.time(Phase.CALL, 400).duration_ns for _ in range(5))
    finally:
        probe.close()
    assert many > 4 * few  # 20 times as many; half of a fifth of it would do on a noisy machine


@pytest.mark.parametrize("place", RUST)
def test_every_type_of_argument_and_result_crosses(place):
    code = """
    use std::collections::{BTreeMap, HashSet};
    pub fn all(a: &[f64], b: &str, c: Vec<u8>, e: usize, f: &[usize], g: Option<(u8, f32)>,
               h: &[String], i: &String, j: char, k: u128, l: [i16; 2], m: BTreeMap<String, Vec<i64>>,
               n: HashSet<u8>, o: bool, p: &&String) -> (String, usize, Vec<(u8, bool)>, Option<i128>, Vec<f32>) {
        let n: std::collections::BTreeSet<u8> = n.into_iter().collect();
        (format!("{a:?}{b}{c:?}{e}{f:?}{g:?}{h:?}{i}{j}{k}{l:?}{m:?}{n:?}{o}{p}"), f.len(),
         vec![(1, true), (2, false)], Some(-5), vec![0.5])
    }"""
    args = (
        [1.5, math.inf], "hé", b"\x01\x02", 7, [8, 9], (1, 2.5), ["x", "yy"], "i", "é", 2**100,
        [-1, 2], {"k": [2**60]}, {3, 1}, True, "pp",
    )  # fmt: skip
    text, length, pairs, option, floats = one(place, code, "all", args).answer().value
    assert text == (
        '[1.5, inf]hé[1, 2]7[8, 9]Some((1, 2.5))["x", "yy"]ié1267650600228229401496703205376'
        '[-1, 2]{"k": [1152921504606846976]}{1, 3}truepp'
    )
    assert (length, pairs, option) == (2, [(1, True), (2, False)], -5)
    assert floats.tolist() == [0.5]


@pytest.mark.parametrize("place", ALL)
def test_what_is_changed_in_place_begins_afresh_in_each_call(place):
    code = 'pub fn sort(xs: &mut [i32]) -> u32 { assert!(xs[0] > xs[1], "sorted before"); xs.sort(); 7 }'
    js = "function sort(xs) { if (!(xs[0] > xs[1])) throw new Error('sorted before'); xs.sort(); return 7; }"
    py = "def sort(xs):\n    assert xs[0] > xs[1], 'sorted before'\n    xs.sort()\n    return 7\n"
    subject = one(place, code, "sort", ([3, 1, 2],), js_twin=js, python_twin=py)
    result, changed = subject.answer().value
    assert result == 7
    assert list(changed) == [1, 2, 3]
    probe = subject.start()
    try:
        probe.time(Phase.CALL, 50_000)  # more than one portion of copies
    finally:
        probe.close()


@pytest.mark.parametrize("place", ALL)
def test_what_is_taken_by_value_is_given_anew(place):
    code = "pub fn total(xs: Vec<f64>, name: String) -> f64 { xs.iter().sum::<f64>() + name.len() as f64 }"
    js = "function total(xs, name) { let s = 0; for (const x of xs) s += x; xs.fill(0); return s + name.length; }"
    py = "def total(xs, name):\n    s = sum(xs) + len(name)\n    xs.clear()\n    return s\n"
    subject = one(place, code, "total", ([1.0, 2.5], "abc"), js_twin=js, python_twin=py)
    probe = subject.start()
    try:
        probe.time(Phase.CALL, 5)
        assert probe.answer().value == 6.5
    finally:
        probe.close()


@pytest.mark.parametrize("place", RUST)
def test_err_is_an_error_with_its_text(place):
    code = 'pub fn half(n: u32) -> Result<u32, String> { if n % 2 == 0 { Ok(n / 2) } else { Err(format!("{n} is odd")) } }'
    assert one(place, code, "half", (8,)).answer().value == 4
    with pytest.raises(GuestError, match="3 is odd"):
        one(place, code, "half", (3,)).answer()


def test_a_usize_that_only_this_machine_can_hold_is_told():
    code = "pub fn most() -> usize { usize::MAX }"
    assert one("wasmtime", code, "most", ()).answer().value == 2**32 - 1
    with pytest.raises(ProbeError, match="usize of more than 32 bits"):
        one("native", code, "most", ()).answer()


# Hostile code ---------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ALL)
def test_a_function_that_fails_says_what_it_said(place):
    code = 'pub fn bad(n: u32) -> u32 { if n == 1 { panic!("the bad thing") } n }'
    js = "function bad(n) { throw new RangeError('the bad thing'); }"
    py = "def bad(n):\n    raise RuntimeError('the bad thing')\n"
    subject = one(place, code, "bad", (1,), js_twin=js, python_twin=py)
    probe = subject.start()
    try:
        with pytest.raises(ProbeError, match="the bad thing"):
            probe.time(Phase.CALL, 1)
    finally:
        probe.close()


@pytest.mark.parametrize("place", ALL)
def test_an_endless_loop_is_killed_at_its_deadline(place):
    code = (
        "pub fn spin(n: u32) -> u32 { let mut i = n; loop { i = std::hint::black_box(i.wrapping_add(1)); } }"
    )
    js = "function spin(n) { for (;;) n++; }"
    py = "def spin(n):\n    while True: n += 1\n"
    subject = one(place, code, "spin", (1,), js_twin=js, python_twin=py, deadline_s=1.5)
    with pytest.raises(ProbeError, match="in time"):
        subject.answer()


@pytest.mark.parametrize("place", ALL)
def test_what_is_printed_does_not_disturb_the_answers(place):
    code = 'pub fn loud(n: u32) -> u32 { print!("elapsed 5\\nno line end {n}"); eprintln!("e"); n + 1 }'
    js = "function loud(n) { console.log('elapsed 5'); process.stdout.write('no end'); console.error('e'); return n + 1; }"
    py = "import sys\ndef loud(n):\n    print('elapsed 5')\n    print('e', file=sys.stderr)\n    return n + 1\n"
    subject = one(place, code, "loud", (41,), js_twin=js, python_twin=py)
    assert subject.answer().value == 42
    probe = subject.start()
    try:
        assert probe.time(Phase.CALL, 3000).duration_ns > 0
        assert probe.answer().value == 42
    finally:
        probe.close()


@pytest.mark.parametrize("place", RUST)
def test_a_function_that_ends_the_program_is_told(place):
    code = "pub fn leave(n: u32) -> u32 { if n == 1 { std::process::exit(9) } n }"
    with pytest.raises(ProbeError, match=r"status 9|ended"):
        one(place, code, "leave", (1,)).answer()


@pytest.mark.parametrize("place", ["wasmtime", "node", "native"])
def test_a_function_that_reads_standard_input_does_not_hang_for_ever(place):
    code = "pub fn read(n: u32) -> u32 { let mut s = String::new(); std::io::stdin().read_line(&mut s).unwrap(); n }"
    with pytest.raises(ProbeError):
        one(place, code, "read", (1,), deadline_s=2.0).answer()


def test_a_killed_process_is_told():
    import os
    import signal

    probe = one("wasmtime", FIB, "fib", (5,)).start()
    try:
        os.kill(probe.pid, signal.SIGKILL)
        with pytest.raises(ProbeError, match="SIGKILL"):
            probe.time(Phase.CALL, 1)
    finally:
        probe.close()


# What was asked wrongly -----------------------------------------------------------------------


def test_wrong_requests_are_refused_with_reasons():
    source = rust(FIB + "\npub fn generic<T>(t: T) -> T { t }")
    with pytest.raises(UsageError, match="takes 1 arguments, and 2"):
        function_subjects(source, "fib", (1, 2), places=["wasmtime"])
    with pytest.raises(UsageError, match="must fit u32"):
        function_subjects(source, "fib", (-1,), places=["wasmtime"])
    with pytest.raises(UsageError, match="no public function fob"):
        function_subjects(source, "fob", (1,), places=["wasmtime"])
    with pytest.raises(UsageError, match="generic of cell cannot be called from outside: it is generic"):
        function_subjects(source, "generic", (1,), places=["wasmtime"])
    with pytest.raises(UsageError, match="No place is named 'moon'"):
        function_subjects(source, "fib", (1,), places=["moon"])
    with pytest.raises(UsageError, match="no kind of guards"):
        function_subjects(source, "fib", (1,), places=["wasmtime"], guards="steel")
    with pytest.raises(UsageError, match="no Python twin"):
        function_subjects(source, "fib", (1,), places=["python"])
    with pytest.raises(UsageError, match="no library of functions"):
        function_subjects(Source(code="fn main() {}", kind=Kind.PROGRAM), "main", (), places=["wasmtime"])


def test_a_phase_that_cannot_be_told_apart_is_refused():
    probe = one("python", FIB, "fib", (3,), python_twin=fib).start()
    try:
        with pytest.raises(UnsupportedError, match="compile"):
            probe.time(Phase.COMPILE, 1)
    finally:
        probe.close()


@pytest.mark.parametrize(
    ("twin", "said"),
    [
        ("function other() {}", "fib"),
        ("function fib(n) { return n", "SyntaxError"),
        ("async function fib(n) { return n; }", "asynchronous"),
        ("const fib = 5;", "defines no function"),
    ],
)
def test_a_broken_javascript_twin_says_why(twin, said):
    with pytest.raises(ProbeError, match=said):
        one("javascript", FIB, "fib", (3,), js_twin=twin).answer()


@pytest.mark.parametrize(
    ("twin", "said"), [("def fob(n): pass", "no function fib"), ("def fib(n) return", "SyntaxError")]
)
def test_a_broken_python_twin_says_why(twin, said):
    with pytest.raises(ProbeError, match=said):
        one("python", FIB, "fib", (3,), python_twin=twin).answer()


# Twins' values --------------------------------------------------------------------------------


def echo(kind: str, value, *, js: str = "function echo(x) { return x; }"):
    code = f"pub fn echo(x: {kind}) -> {kind} {{ x }}"
    return one("javascript", code, "echo", (value,), js_twin=js).answer().value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("u64", 2**53), ("u64", 2**53 + 1), ("i64", -(2**63)), ("u128", 2**127), ("f64", -0.0), ("f64", 0.1),
        ("f64", math.inf), ("bool", True), ("char", "é"), ("String", "a\u2028b"), ("Option<u8>", None),
        ("Vec<u8>", b"\x00\xff"), ("(u8, String)", (1, "x")), ("Vec<(u8, bool)>", [(1, True)]),
    ],
)  # fmt: skip
def test_values_come_back_from_javascript_as_from_rust(kind, value):
    found = echo(kind, value)
    assert found == value
    assert type(found) is type(value)
    assert math.copysign(1, found) == math.copysign(1, value) if isinstance(value, float) else True


@pytest.mark.parametrize(
    ("kind", "dtype", "name"),
    [
        ("f64", "float64", "Float64Array"), ("f32", "float32", "Float32Array"), ("i32", "int32", "Int32Array"),
        ("u16", "uint16", "Uint16Array"), ("u8", "uint8", "Uint8Array"), ("u64", "uint64", "Float64Array"),
    ],
)  # fmt: skip
def test_sequences_of_numbers_are_typed_arrays(kind, dtype, name):
    array = np.array([0, 1, 200], dtype)
    js = f"function echo(x) {{ if (x.constructor.name !== '{name}') throw new Error(x.constructor.name); return x; }}"
    found = echo(f"Vec<{kind}>", array, js=js)
    if kind == "u8":
        assert found == array.tobytes()
    else:
        assert found.dtype == dtype
        assert found.tolist() == [0, 1, 200]


@pytest.mark.parametrize("place", ALL)
@pytest.mark.parametrize(
    "xs", [memoryview(np.array([1.0, 2.5])), np.array([1.0, 2.5]), [1.0, 2.5], array.array("d", [1.0, 2.5])]
)
def test_any_buffer_is_a_sequence_of_numbers(place, xs):
    code = "pub fn total(xs: &[f64]) -> f64 { xs.iter().sum() }"
    js = "function total(xs) { return xs.reduce((a, b) => a + b); }"
    py = "def total(xs):\n    return sum(xs)\n"
    assert one(place, code, "total", (xs,), js_twin=js, python_twin=py).answer().value == 3.5


def test_integers_beyond_two_to_the_53_are_big():
    js = "function echo(x) { if (x.constructor.name !== 'BigUint64Array') throw new Error(x.constructor.name); return x; }"
    assert echo("Vec<u64>", [2**64 - 1, 1], js=js).tolist() == [2**64 - 1, 1]


def test_maps_and_sets_cross_to_javascript():
    code = """use std::collections::{BTreeMap, BTreeSet};
    pub fn f(m: BTreeMap<String, u32>, s: BTreeSet<u8>) -> BTreeMap<String, u32> { m }"""
    js = "function f(m, s) { m.set('size', s.size); return m; }"
    found = one("javascript", code, "f", ({"a": 1}, {1, 2}), js_twin=js).answer().value
    assert found == {"a": 1, "size": 2}


def test_a_twin_may_be_declared_in_any_way_and_use_helpers():
    js = "const helper = (n) => n * 2; class K {}; const fib = (n) => helper(n) + 1;"
    subject = one("javascript", FIB, "fib", (4,), js_twin=js)
    probe = subject.start()
    try:
        probe.time(Phase.FIRST_CALL, 3)  # evaluated anew each time, so nothing may be declared twice
        assert probe.answer().value == 9
    finally:
        probe.close()


# Instances and guards -------------------------------------------------------------------------


@pytest.mark.parametrize("guards", ["none", "epochs", "fuel", "audit"])
def test_guards_of_wasmtime_change_the_name_and_not_the_answer(guards):
    subject = one("wasmtime", FIB, "fib", (10,), guards=guards)
    assert subject.answer().value == 55
    assert subject.guards == guards
    assert ("+" in subject.name) == (guards != "none")
    probe = subject.start()
    try:
        for phase in subject.phases:
            assert probe.time(phase, 1).duration_ns > 0
    finally:
        probe.close()


@pytest.mark.parametrize("place", ["wasmtime", "node"])
def test_idle_instances_take_memory(place):
    probe = one(place, FIB, "fib", (5,)).start()
    try:
        before = probe.weigh()
        probe.idle(300)
        after = probe.weigh()
        assert after["RSS"] > before["RSS"]
        probe.time(Phase.CALL, 1)
    finally:
        probe.close()


@pytest.mark.parametrize("place", ["wasmer", "wasmedge", "native", "javascript", "python"])
def test_elsewhere_a_further_instance_is_a_further_process(place):
    import psutil

    probe = one(place, FIB, "fib", (5,), js_twin=FIB_JS, python_twin=fib).start()
    try:
        before, children = probe.weigh(), len(psutil.Process().children())
        probe.idle(2)
        assert len(psutil.Process().children()) == children + 2
        assert probe.weigh()["RSS"] > 2 * before["RSS"]
        assert probe.time(Phase.CALL, 1).duration_ns > 0
    finally:
        probe.close()


@pytest.mark.parametrize("place", ["wasmtime", "node"])
def test_linear_memory_is_told_at_start_and_now(place):
    code = "pub fn grow(n: usize) -> usize { let v = vec![1u8; n]; std::hint::black_box(&v).len() }"
    probe = one(place, code, "grow", (5_000_000,)).start()
    try:
        probe.time(Phase.CALL, 1)
        sizes = probe.weigh()
    finally:
        probe.close()
    assert sizes["linear memory at start"] < 3_000_000
    assert sizes["linear memory"] >= sizes["linear memory at start"] + 5_000_000 - 65_536
    assert sizes["module"] > 1000


@pytest.mark.parametrize("place", ["wasmtime", "node"])
def test_many_instances_one_after_the_other_do_no_harm(place):
    """node 20.20.2 dies within 200 of them where V8 may call node:wasi directly."""
    probe = one(place, FIB, "fib", (12,)).start()
    try:
        assert probe.time(Phase.FIRST_CALL, 400).duration_ns > 0
        assert probe.answer().value == 144
    finally:
        probe.close()


@pytest.mark.parametrize("place", ALL)
def test_the_clock_inside_agrees_with_one_outside(place):
    """The instrument's own test, with wide bounds: no batch lasts longer inside than seen from here."""
    import time

    subject = one(place, FIB, "fib", (15,), js_twin=FIB_JS, python_twin=fib)
    probe = subject.start()
    try:
        count = 10
        while probe.time(Phase.CALL, count).duration_ns < 100_000_000:
            count *= 2
        started = time.perf_counter_ns()
        inside = probe.time(Phase.CALL, count).duration_ns
        outside = time.perf_counter_ns() - started
    finally:
        probe.close()
    assert 0.5 * outside < inside < 1.02 * outside


@pytest.mark.slow
@pytest.mark.parametrize("place", ALL)
def test_large_arguments_and_results_cross(place):
    code = "pub fn twice(xs: &[f64]) -> Vec<f64> { xs.iter().map(|x| x * 2.0).collect() }"
    js = "function twice(xs) { return xs.map((x) => x * 2); }"
    py = "def twice(xs):\n    return xs * 2\n"
    xs = np.arange(2_000_000, dtype=np.float64)
    found = one(place, code, "twice", (xs,), js_twin=js, python_twin=py).answer().value
    assert np.array_equal(found, xs * 2)
