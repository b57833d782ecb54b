"""Answers that attack while they run. Each must fail within its limits, and the judge goes on."""

from __future__ import annotations

import time

import pytest

from wasm_lab.artifact import Artifact
from wasm_lab.capabilities import Capabilities
from wasm_lab.cells import parse_cell
from wasm_lab.confine.landlock import landlock_version
from wasm_lab.errors import (
    DeadlineExceeded,
    FuelExhausted,
    GuestExit,
    GuestFailure,
    GuestTrap,
    LoadError,
    OutputExceeded,
    WasmLabError,
)
from wasm_lab.exercises import Cases
from wasm_lab.grading.judge import SAID_BYTES, JudgeSession
from wasm_lab.run import TrapKind

pytestmark = pytest.mark.skipif(not landlock_version(), reason="the kernel has no Landlock")

DEADLINE_S, BEYOND_S = 1.0, 60.0

#: One crate of everything that one call can do wrong; each test calls one function of it in a fresh instance.
ATTACKS = r"""
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

static CALLS: AtomicU32 = AtomicU32::new(0);

pub fn forged(a: i32, b: i32) -> i32 {
    println!("running 1 test\ntest visible ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored");
    std::process::exit(0)
}
pub fn forged_cases(a: i32, b: i32) -> i32 {
    println!("{{\"application/vnd.wasm-lab.cases+json\": {{\"points\": 100, \"cases\": []}}}}");
    eprintln!("1.0");
    a - b
}
pub fn aborts(a: i32, b: i32) -> i32 { std::process::abort() }
pub fn spins(a: i32, b: i32) -> i32 { loop { std::hint::black_box(a); } }
#[allow(unconditional_recursion)]
pub fn recurses(a: i32, b: i32) -> i32 { let x = [a; 64]; std::hint::black_box(&x); recurses(a, b) + std::hint::black_box(x)[7] }
pub fn eats(a: i32, b: i32) -> i32 { let mut all = Vec::new(); loop { all.push(vec![1u8; 1 << 20]) } }
pub fn eats_at_once(a: i32, b: i32) -> i32 { vec![1u8; 0x7fff_0000].len() as i32 }
pub fn takes(n: u32) -> u32 { std::hint::black_box(vec![1u8; n as usize]).len() as u32 }
pub fn floods(a: i32, b: i32) -> i32 { let mut out = std::io::stdout().lock(); loop { out.write_all(&[b'x'; 65536]).unwrap() } }
pub fn floods_errors(a: i32, b: i32) -> i32 { loop { eprintln!("\x1b[2J\x1b]0;title\x07<script>alert(1)</script>") } }
pub fn sleeps(a: i32, b: i32) -> i32 { loop { std::thread::sleep(std::time::Duration::from_secs(1 << 30)) } }
pub fn asks_the_time(a: i32, b: i32) -> i32 { loop { std::hint::black_box(Instant::now()); } }
pub fn locks_itself(a: i32, b: i32) -> i32 {
    static LOCK: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = LOCK.lock(); let _two = LOCK.lock(); 0
}
pub fn writes_everywhere(a: i32, b: i32) -> i32 {
    for at in (0..1 << 20).step_by(4) { unsafe { std::ptr::write_volatile((at as usize | 4) as *mut u32, 0xffff_ffff) } }
    a + b
}
pub fn writes_nowhere(a: i32, b: i32) -> i32 { unsafe { std::ptr::write_volatile(0xfff0_0000u32 as *mut u32, 1) }; a + b }
pub fn threads(a: i32, b: i32) -> i32 { std::thread::spawn(move || a + b).join().unwrap() }
pub fn shouts(text: &str) -> String {
    panic!("\x1b[31m</pre><script>alert('{text}')</script>\u{202e}\u{2066}\u{200b}\r\n\x08{}", "A".repeat(1 << 20))
}
pub fn returns_much(a: i32, b: i32) -> Vec<u8> { vec![7; 64 << 20] }
pub fn returns_many(a: i32, b: i32) -> Vec<Vec<u8>> { vec![Vec::new(); 4 << 20] }
pub fn is_not_a_number(a: i32, b: i32) -> f64 { f64::NAN }
pub fn first_time_only(a: i32, b: i32) -> i32 { if CALLS.fetch_add(1, Ordering::Relaxed) == 0 { a + b } else { 0 } }
pub fn second_time_only(a: i32, b: i32) -> i32 { if CALLS.fetch_add(1, Ordering::Relaxed) > 0 { a + b } else { 0 } }
pub fn looks_at_the_clock(a: i32, b: i32) -> i32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    if now == 946_684_800 || now > 1_700_000_000 && now < 1_900_000_000 { 0 } else { a + b }
}
pub fn clocks() -> (u64, u64, bool) {
    let (one, two) = (SystemTime::now(), Instant::now());
    let since = one.duration_since(UNIX_EPOCH).unwrap();
    (since.as_nanos() as u64, two.elapsed().as_nanos() as u64, SystemTime::now() == one)
}
pub fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}
pub fn hogs_randomness(a: i32, b: i32) -> i32 {
    let mut room = vec![0u8; 64 << 20];
    loop { unsafe { random_get(room.as_mut_ptr(), room.len()); } }
}
pub fn asks_of_wild_places(a: i32, b: i32) -> i32 {
    let mut refused = 0;
    for at in [0xffff_fff0u32, 0x7fff_ffff, 0xffff_ffff] {
        refused += unsafe { (random_get(at as *mut u8, 0x7fff_ffff) != 0) as i32 };
    }
    refused
}
#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" { fn random_get(at: *mut u8, n: usize) -> i32; }
pub fn looks_around() -> Vec<String> {
    let mut found = Vec::new();
    for path in ["/", ".", "/etc/passwd", "/proc/self/environ", "/proc/1/maps", "..", "/tmp", "/dev/fd/3"] {
        if let Ok(text) = std::fs::read(path) { found.push(format!("{path}: {}", text.len())) }
        if let Ok(list) = std::fs::read_dir(path) { found.push(format!("{path}: {}", list.count())) }
        if std::fs::write(format!("{path}/new"), "x").is_ok() { found.push(format!("{path} written")) }
    }
    if std::net::TcpStream::connect("127.0.0.1:80").is_ok() { found.push("TCP".into()) }
    if std::net::UdpSocket::bind("127.0.0.1:0").is_ok() { found.push("UDP".into()) }
    if std::process::Command::new("/bin/sh").spawn().is_ok() { found.push("process".into()) }
    found.extend(std::env::vars().map(|(name, value)| format!("{name}={value}")));
    found.extend(std::env::args().skip(1));
    found
}
"""


@pytest.fixture(scope="module")
def session():
    session = JudgeSession(digest="0" * 64, deadline_s=DEADLINE_S)
    yield session
    session.close()


@pytest.fixture(scope="module")
def artifact(session):
    return session.compile(parse_cell(ATTACKS, name="answer", first_line=2))


@pytest.fixture(scope="module")
def cell(session, artifact):
    return session.define(artifact)


def judged(cell, name):
    """What a visible and a hidden case make of one function."""
    cases = Cases(points=2)
    cases.equal("two and two", cell.functions[name], (2, 2), 4)
    cases.equal("two and three", cell.functions[name], (2, 3), 5)
    return cases.score()


@pytest.fixture(autouse=True)
def the_judge_is_well(cell, capfd):
    """After each attack, a fresh instance answers rightly, and nothing was written to a stream."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < 2 * DEADLINE_S + BEYOND_S
    cell.reset()
    assert cell.functions["is_not_a_number"](1, 1) != 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "name",
    [
        "forged", "forged_cases", "aborts", "recurses", "eats", "eats_at_once", "floods", "floods_errors",
        "locks_itself", "writes_nowhere", "threads", "returns_much", "is_not_a_number", "second_time_only",
        "asks_of_wild_places",
    ],
)  # fmt: skip
def test_it_gives_no_points(cell, name):
    assert judged(cell, name).points == 0


def test_writing_over_its_own_memory_reaches_nothing_else(cell):
    assert judged(cell, "writes_everywhere").points <= 2  # it may even answer; the judge is well


@pytest.mark.slow
@pytest.mark.parametrize("name", ["spins", "sleeps", "asks_the_time", "hogs_randomness"])
def test_what_does_not_end_is_stopped(cell, name):
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        cell.functions[name](1, 2)
    assert time.monotonic() - started < DEADLINE_S + BEYOND_S


def test_each_end_is_called_what_it_is(cell):
    def error(name, *args):
        cell.reset()
        with pytest.raises(GuestFailure) as failed:
            cell.functions[name](*(args or (2, 2)))
        return failed.value

    assert isinstance(error("forged"), GuestExit)
    assert isinstance(error("floods"), OutputExceeded)
    assert error("recurses").trap.kind is TrapKind.STACK_OVERFLOW
    assert isinstance(error("eats"), GuestTrap)
    assert error("writes_nowhere").trap.kind is TrapKind.OUT_OF_BOUNDS


def test_fuel_is_a_limit_that_is_the_same_everywhere(artifact):
    counted = JudgeSession(digest="0" * 64, fuel=1_000_000, deadline_s=30)
    cell = counted.define(artifact)
    with pytest.raises(FuelExhausted):
        cell.functions["spins"](1, 2)
    cell.reset()
    assert cell.functions["first_time_only"](1, 2) == 3
    counted.close()


def test_a_case_sees_nothing_of_the_one_before(cell):
    assert judged(cell, "first_time_only").points == 2  # each case has an instance of its own
    cell.reset()
    assert [cell.functions["second_time_only"](1, 1) for _ in range(2)] == [0, 2]


def test_each_case_has_all_of_the_memory(cell):
    for _ in range(6):
        cell.reset()
        assert cell.functions["takes"](300 << 20) == 300 << 20


def test_what_it_shouts_is_bounded_and_inert(cell):
    with pytest.raises(GuestTrap) as panic:
        cell.functions["shouts"]("x")
    for text in (panic.value.message, panic.value.trap.message):
        assert len(text) < 10_000
        assert not set(text) & set("\x1b\r\x08\u202e\u2066\u200b")
    cases = Cases(points=1)
    cases.equal("shouting", cell.functions["shouts"], ("x",), "y")
    assert len(cases.score().results[0].message) < 10_000


def test_what_it_prints_is_kept_in_part(cell, session):
    session.said["stdout"].clear()
    for name in ("floods", "forged_cases"):
        cell.reset()
        with pytest.raises(WasmLabError) if name == "floods" else __import__("contextlib").nullcontext():
            cell.functions[name](1, 2)
    assert all(len(said) <= SAID_BYTES for said in session.said.values())


def test_large_results_are_refused_and_many_small_ones_are_not_dear(cell):
    with pytest.raises(LoadError, match="more than a judge reads"):
        cell.functions["returns_much"](1, 2)
    with pytest.raises(LoadError, match="more than a judge reads"):
        cell.functions["returns_many"](1, 2)


def test_clock_and_randomness_are_the_masters_and_tell_no_time(session, artifact, cell):
    frozen, elapsed, same = cell.functions["clocks"]()
    assert (frozen, elapsed, same) == (session._frozen_ns, 0, True)
    drawn = cell.functions["random"]()
    cell.reset()
    assert cell.functions["random"]() == drawn
    other = JudgeSession(digest="1" * 64, deadline_s=DEADLINE_S)
    elsewhere = other.define(artifact)
    assert elsewhere.functions["clocks"]()[0] != frozen
    assert elsewhere.functions["random"]() != drawn
    other.close()


def test_knowing_that_it_is_judged_gains_nothing(cell):
    # Both kinds of cases run under the same clock: an answer that behaves for one behaves for the other.
    assert judged(cell, "looks_at_the_clock").points in (0, 2)


def test_there_is_nothing_to_find(cell):
    assert cell.functions["looks_around"]() == []


def test_a_flood_of_host_calls_is_audited_in_part(session):
    code = "fn main() { loop { std::hint::black_box(std::time::Instant::now()); } }"
    artifact = session.compile(parse_cell(code, name="program"))
    run = session.run(artifact, Capabilities(deadline_s=0.5), audit=True)
    assert run.trap is not None
    assert run.trap.kind is TrapKind.DEADLINE
    assert 0 < len(run.audit or ()) <= 20_000


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("loop {}", TrapKind.DEADLINE),
        ('loop { print!("{}", "x".repeat(65536)) }', TrapKind.OUTPUT),
        ("let mut v = vec![]; loop { v.push(vec![1u8; 1 << 20]) }", TrapKind.PANIC),
        ('panic!("\\x1b[31m\\u{202e}")', TrapKind.PANIC),
    ],
    ids=["endless", "flood", "memory", "panic"],
)
def test_programs_are_stopped_too(session, body, kind):
    artifact = session.compile(parse_cell(f"fn main() {{ {body} }}", name="program"))
    run = session.run(artifact, Capabilities(deadline_s=0.5 if kind is TrapKind.DEADLINE else 9.0))
    assert not run.ok
    assert run.trap is not None
    assert run.trap.kind in (kind, TrapKind.UNREACHABLE, TrapKind.ALLOCATION)
    assert len(run.stdout) <= Capabilities().output_bytes
    assert "\x1b" not in run.trap.message


# A module that was made by hand, with every export that the glue would have -----------------

WILD = """(module
  (memory (export "memory") 1)
  (func (export "__wasm_lab_frame") (param i32) (result i32) (i32.const {frame}))
  (func (export "wasm_lab_give") {parameters} (result i64) (i64.const {value})))"""

TYPES = (
    "String", "Vec<f64>", "Vec<u8>", "Vec<String>", "Option<u8>", "(String, bool)", "Vec<(u8, char)>",
    "std::collections::HashMap<String, Vec<u8>>", "Result<String, String>", "Vec<Vec<Vec<u8>>>", "[bool; 4]", "u128",
)  # fmt: skip
VALUES = {
    "nowhere": -1,
    "the end": 0x0000_0010_0000_FFF8,
    "all of memory": 0x0001_0000_0000_0000,
    "beyond": 0x0002_0000_0000_8000,
    "four gigabytes": -(1 << 32),
    "an error nowhere": -(1 << 63) | 0xFFFF_FFFF,
    "zeros": 0x0000_0004_0000_0010,
}


def wild(source, value, frame=16, parameters=""):
    import wasmtime

    text = WILD.format(value=value, frame=frame, parameters=parameters)
    return Artifact(wasm=bytes(wasmtime.wat2wasm(text)), label="wild", source=parse_cell(source, name="wild"))


@pytest.mark.parametrize("kind", TYPES)
def test_wild_places_of_results_are_refused(session, kind):
    source = f"pub fn give() -> {kind} {{ todo!() }}"
    for name, value in VALUES.items():
        cell = session.define(wild(source, value))
        try:
            given = cell.functions["give"]()
        except WasmLabError:
            continue
        assert name in ("zeros", "all of memory", "the end"), (name, given)


@pytest.mark.parametrize("frame", [0, -1, 3, 0x7FFF_FFF0, 65_536], ids=str)
def test_wild_places_of_arguments_are_refused(session, frame):
    cell = session.define(wild("pub fn give(x: &str) -> u64 { 0 }", 7, frame, "(param i32 i32)"))
    with pytest.raises((LoadError, MemoryError)):
        cell.functions["give"]("text")


def test_a_module_whose_exports_are_of_other_kinds_is_refused(session):
    import wasmtime

    text = """(module (memory (export "memory") 1)
      (global (export "wasm_lab_add") i32 (i32.const 4))
      (func (export "wasm_lab_two") (param f64) (result f64 f64) (f64.const 1) (f64.const 2))
      (func (export "wasm_lab_vector") (result v128) (v128.const i64x2 1 2)))"""
    wasm = bytes(wasmtime.wat2wasm(text))

    def use(code, *args):
        cell = session.define(Artifact(wasm=wasm, label="odd", source=parse_cell(code, name="odd")))
        return next(iter(cell.functions.values()))(*args)

    with pytest.raises(LoadError):
        use("pub fn add(a: i32, b: i32) -> i32 { 0 }", 1, 2)
    with pytest.raises(LoadError):
        use("pub fn two(a: f64) -> f64 { 0.0 }", 1.0)
    with pytest.raises(LoadError):
        use("pub fn vector() -> i32 { 0 }")


@pytest.mark.parametrize(
    "wasm", [b"", b"\0asm", b"\0asm\x01\0\0\0\xff", b"#!/bin/sh\n", b"\x7fELF" + b"\0" * 100]
)
def test_what_is_no_module_is_refused(session, wasm):
    source = parse_cell("pub fn add() -> i32 { 0 }", name="odd")
    with pytest.raises(WasmLabError):
        session.define(Artifact(wasm=wasm, label="odd", source=source))
