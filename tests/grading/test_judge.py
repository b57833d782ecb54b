"""The judge's session: what it compiles, calls and runs is a student's, and stays behind walls."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from wasm_lab.capabilities import Capabilities
from wasm_lab.cells import parse_cell
from wasm_lab.confine.landlock import landlock_version
from wasm_lab.errors import (
    CompileError,
    GuestError,
    GuestTrap,
    HeaderError,
    LoadError,
    PoisonedError,
    UnsupportedError,
)
from wasm_lab.exercises import Cases
from wasm_lab.grading.judge import JudgeSession, clock_and_seed
from wasm_lab.session import using

pytestmark = pytest.mark.skipif(not landlock_version(), reason="the kernel has no Landlock")

LIBRARY = """
use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};
thread_local! { static N: Cell<u32> = const { Cell::new(0) }; }
/// Adds.
pub fn add(a: i32, b: i32) -> i32 { a + b }
pub fn count() -> u32 { N.set(N.get() + 1); N.get() }
pub fn now() -> u64 { SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 }
pub fn hello(name: &str, rows: Vec<Vec<f64>>) -> (String, Vec<u8>) { println!("{name}"); (format!("{name} {rows:?}"), vec![1, 2]) }
pub fn twice(xs: &mut [i64]) { for x in xs { *x *= 2 } }
pub fn fails() -> Result<u8, String> { Err("no".into()) }
pub fn panics(x: u8) -> u8 { if x > 1 { panic!("too \\x1b[31mlarge\\u{202e}") } x }
pub fn variable() -> Option<String> { std::env::var("HOME").ok() }
pub fn wide() -> i128 { i128::MIN }
"""


@pytest.fixture(scope="module")
def session():
    session = JudgeSession(digest="0" * 64)
    yield session
    session.close()


@pytest.fixture(scope="module")
def cell(session):
    return session.define(session.compile(parse_cell(LIBRARY, name="answer")))


@pytest.fixture
def call(cell):
    cell.reset()
    return cell.functions


def test_functions_are_called_in_another_process(call, cell):
    assert call["add"](2, 2) == 4
    assert call["add"].__doc__.startswith("Adds.")
    assert call["hello"]("you", [[1.0], []]) == ("you [[1.0], []]", b"\x01\x02")
    assert call["wide"]() == -(1 << 127)
    numbers = [1, 2]
    call["twice"](numbers)
    assert numbers == [2, 4]
    assert cell.instance._process.pid != os.getpid()


def test_state_is_kept_until_a_reset(call, cell):
    assert [call["count"](), call["count"]()] == [1, 2]
    cell.reset()
    assert call["count"]() == 1


def test_what_it_says_is_kept_and_goes_to_no_stream(call, session, capfd):
    call["hello"]("printed here", [])
    assert b"printed here" in session.said["stdout"]
    assert capfd.readouterr() == ("", "")


def test_errors_and_panics_come_as_they_do_elsewhere(call, cell):
    with pytest.raises(GuestError, match="no"):
        call["fails"]()
    with pytest.raises(GuestTrap) as panic:
        call["panics"](2)
    assert "too \\u{1b}[31mlarge\\u{202e}" in panic.value.message
    with pytest.raises(PoisonedError, match="run the cell again"):
        call["add"](1, 1)
    cell.reset()
    assert call["panics"](1) == 1


def test_clock_and_seed_are_the_masters(call):
    assert call["now"]() == clock_and_seed("0" * 64)[0]
    assert clock_and_seed("0" * 64) != clock_and_seed("1" * 64)
    assert call["variable"]() is None


def test_a_program_runs_there_with_folders_to_read(session, tmp_path):
    (tmp_path / "given.txt").write_text("given")
    code = """
    use std::io::Read;
    fn main() {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).unwrap();
        print!("{text} {:?}", std::fs::read_to_string("/data/given.txt"));
        eprint!("{:?}", std::fs::write("/data/new", "x").is_err());
        std::process::exit(3)
    }"""
    artifact = session.compile(parse_cell(code, name="program"))
    from wasm_lab.capabilities import Directory

    given = Capabilities(stdin=b"in", dirs=(Directory(tmp_path, "/data", writable=False),))
    run = session.run(artifact, given, audit=True)
    assert (run.stdout, run.stderr, run.exit_status) == (b'in Ok("given")', b"true", 3)
    assert [call.name for call in run.audit if not call.allowed] == ["path_open"]
    assert session.last_run is run
    assert session.program("program") is not None


def test_runs_with_folders_of_their_own_share_a_process(session, tmp_path):
    from wasm_lab.capabilities import Directory

    code = """fn main() {
        for entry in std::fs::read_dir("/data").unwrap() {
            let path = entry.unwrap().path();
            println!("{} {:?}", path.display(), std::fs::read_to_string(&path).ok());
        }
    }"""
    artifact = session.compile(parse_cell(code, name="lister"))
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / f"{number}.txt").write_text(str(number))
        (folder / "link").symlink_to("/etc/passwd")
        run = session.run(artifact, Capabilities(dirs=(Directory(folder, "/data", writable=False),)))
        assert run.stdout.decode().splitlines() == [f'/data/{number}.txt Some("{number}")', "/data/link None"]
    large = tmp_path / "large"
    large.mkdir()
    with (large / "zeros").open("wb") as file:
        file.truncate(17 << 20)
    run = session.run(artifact, Capabilities(dirs=(Directory(large, "/data", writable=False),)))
    assert run.stdout.startswith(b"/data/zeros Some")
    processes = session._runtime._processes
    assert [len(read) for _, read in processes] == [1, 2]
    assert not list(session._runtime._given.folder.iterdir())


def test_only_the_functions_that_tests_call_get_names():
    session = JudgeSession(digest="", functions={"answer": {"add": []}})
    code = "pub fn add() -> u8 { 1 } pub fn Cases() -> u8 { 2 } pub fn sorted() -> u8 { 3 }"
    assert set(session.define(session.compile(parse_cell(code, name="answer"))).functions) == {"add"}
    session.close()


def test_what_a_test_gives_is_changed_only_where_the_masters_function_changes_it():
    """Else a student could write into what a test compares with, or from a hidden case into a visible one."""
    session = JudgeSession(digest="", functions={"answer": {"total": [], "sort": [0], "mixed": [1]}})
    code = (
        "pub fn total(xs: &mut [i64]) -> i64 { let all = xs.iter().sum(); xs.fill(0); all }\n"
        "pub fn sort(xs: &mut [i64]) { xs.sort() }\n"
        "pub fn mixed(from: &mut [u8], to: &mut [u8]) { to.copy_from_slice(from); from.fill(0) }"
    )
    call = session.define(session.compile(parse_cell(code, name="answer"))).functions
    data = [3, 1, 2]
    assert (call["total"](data), call["total"](xs=data), data) == (6, 6, [3, 1, 2])
    call["sort"](data)
    assert data == [1, 2, 3]
    first, second = bytearray(b"ab"), bytearray(2)
    call["mixed"](first, to=second)
    assert (first, second) == (b"ab", b"ab")
    session.close()


def test_nothing_is_kept_from_call_to_call_unless_a_case_says_so():
    session = JudgeSession(digest="", functions={"answer": {"count": []}})
    call = session.define(session.compile(parse_cell(LIBRARY, name="answer"))).functions["count"]
    assert [call(), call()] == [1, 1]
    cases = Cases(points=3)
    with using(session):
        cases.true("each on its own", lambda: [call(), call()] == [1, 1])
        cases.true("in one instance", lambda: [call(), call()] == [1, 2], one_instance=True)
        cases.equal("of a function around it", lambda: [call(), call()], (), [1, 1])
    assert cases.score().points == 3
    assert [call(), call()] == [1, 1]
    session.close()


@pytest.mark.parametrize(
    "options",
    [{"target": "wasm32-wasip2"}, {"test": True}],
    ids=["component", "tests"],
)
def test_what_is_not_judged_is_refused(session, options):
    with pytest.raises(UnsupportedError):
        session.compile(parse_cell("fn main() {}", name="x", **options))


def test_what_would_run_it_elsewhere_is_refused(session, cell):
    with pytest.raises(UnsupportedError, match="not measured"):
        session.cell_of_function("add")
    with pytest.raises(UnsupportedError, match="not as components"):
        session.guests["add"] = cell.artifact
    with pytest.raises(UnsupportedError, match="not as components"):
        _ = {**session.guests}
    with pytest.raises(UnsupportedError):
        session.check_wit("", name="x")
    with pytest.raises(UnsupportedError):
        session.test(parse_cell("#[test] fn t() {}", name="x", test=True))


def test_a_process_that_judges_compiles_nothing_without_walls(tmp_path):
    (tmp_path / "hidden").write_text("tests")
    code = f"""
import wasm_lab
from wasm_lab.errors import CompileError
from wasm_lab.grading.judge import begin
from wasm_lab.session import Session, default_session
session = begin(digest="0")
assert default_session() is session
try:
    wasm_lab.load('pub fn x() -> &\\'static str {{ include_str!("{tmp_path}/hidden") }}')
except CompileError as error:
    print("refused", "Permission denied" in str(error))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == "refused True\n", done.stderr


def test_folders_to_write_and_no_deadline_are_refused(session, tmp_path):
    from wasm_lab.capabilities import Directory

    artifact = session.compile(parse_cell("fn main() {}", name="x"))
    with pytest.raises(UnsupportedError, match="may write"):
        session.run(artifact, Capabilities(dirs=(Directory(tmp_path, "/data"),)))
    with pytest.raises(UnsupportedError, match="not in node"):
        session.run(artifact, runtime="node")


def test_the_compiler_sees_no_file_and_no_variable(session, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HIDDEN", "tests")
    (tmp_path / "hidden.txt").write_text("tests")
    with pytest.raises(CompileError, match="No such file"):
        session.compile(parse_cell('pub fn x() -> &\'static str { include_str!("hidden.txt") }', name="x"))
    code = f'pub fn x() -> &\'static str {{ include_str!("{tmp_path}/hidden.txt") }}'
    with pytest.raises(CompileError, match="Permission denied"):
        session.compile(parse_cell(code, name="x"))
    with pytest.raises(CompileError, match="not defined"):
        session.compile(parse_cell('pub fn x() -> &\'static str { env!("HIDDEN") }', name="x"))


#: A procedural macro, which is machine code inside of the compiler: what it finds there becomes a text.
PROBE = r"""
use std::{fs, net, process};
#[proc_macro]
pub fn probe(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let mut found = Vec::new();
    for path in ["/etc/passwd", "/proc/self/environ", "/proc/1/cmdline", "HIDDEN"] {
        if fs::read(path).is_ok() { found.push(format!("read {path}")) }
    }
    for path in ["/", "/tmp", "/proc", "/home", "/root", "CACHE", "CACHE/v1"] {
        if fs::read_dir(path).is_ok() { found.push(format!("listed {path}")) }
        if fs::write(format!("{path}/wasm-lab-evil"), "x").is_ok() { found.push(format!("wrote {path}")) }
    }
    if net::TcpListener::bind("127.0.0.1:0").is_ok() { found.push("TCP".into()) }
    if net::UdpSocket::bind("127.0.0.1:0").is_ok() { found.push("UDP".into()) }
    if process::Command::new("/bin/sh").arg("-c").arg("true").status().is_ok() { found.push("shell".into()) }
    let mut names: Vec<String> = std::env::vars().map(|(name, _)| name).filter(|name| !name.starts_with("CARGO_")).collect();
    names.sort();
    format!("{:?}", format!("{} | {} | {}", names.join(" "), std::env::var("CARGO_MANIFEST_DIR").unwrap(), found.join(", "))).parse().unwrap()
}
"""


def _can_link_for_this_machine():
    from wasm_lab.errors import ToolchainError
    from wasm_lab.toolchains.host_linker import for_host
    from wasm_lab.toolchains.rust import find_rust

    try:
        for_host(find_rust())
    except ToolchainError:
        return False
    return True


@pytest.mark.skipif(
    not _can_link_for_this_machine(), reason="procedural macros need a linker for this machine"
)
def test_crates_are_those_of_the_exercise(session):
    named = parse_cell('---\n[dependencies]\nlibm = "0.2"\n---\npub fn one() -> u8 { 1 }', name="answer")
    with pytest.raises(HeaderError, match="its crates are not those of the exercise"):
        session.compile(named)


def test_the_exercises_own_macros_run_and_find_nothing_inside_of_the_compiler(tmp_path):
    from wasm_lab.build.cache import default_cache

    package = tmp_path / "probing"
    (package / "src").mkdir(parents=True)
    hidden = tmp_path / "hidden.txt"
    hidden.write_text("tests")
    (package / "Cargo.toml").write_text(
        '[package]\nname = "probing"\nversion = "0.1.0"\nedition = "2021"\n[lib]\nproc-macro = true\n'
    )
    (package / "src" / "lib.rs").write_text(
        PROBE.replace("HIDDEN", str(hidden)).replace("CACHE", str(default_cache().root))
    )
    code = f"""---
[dependencies]
probing = {{ path = "{package}" }}
---
pub fn found() -> String {{ probing::probe!().to_string() }}
"""
    session = JudgeSession(digest="0" * 64, dependencies=[{"probing": {"path": str(package)}}])
    cell = session.define(session.compile(parse_cell(code, name="probed")))
    names, folder, found = cell.functions["found"]().split(" | ")
    assert set(names.split()) <= {
        "PATH",
        "TMPDIR",
        "LD_LIBRARY_PATH",
    }  # rustc's driver may set the last itself
    assert (folder, found) == ("/exercise", "")
    assert not hasattr(cell.functions["found"], "__wrapped__")
    session.close()


def test_a_cell_uses_an_earlier_one_as_a_crate(session):
    first = session.define(session.compile(parse_cell("pub fn two() -> u8 { 2 }", name="numbers")))
    source = parse_cell(
        "pub fn four() -> u8 { 2 * numbers::two() }", name="more", uses=[first.artifact.source]
    )
    assert session.define(session.compile(source)).functions["four"]() == 4


def test_without_landlock_nothing_is_judged_unless_that_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setattr("wasm_lab.confine.landlock.landlock_version", lambda: 0)
    with pytest.raises(UnsupportedError, match="--without-walls"):
        JudgeSession(digest="")
    (tmp_path / "data").write_text("seen")
    session = JudgeSession(digest="", walls=False)
    code = f'pub fn data() -> &\'static str {{ include_str!("{tmp_path}/data") }}'
    cell = session.define(session.compile(parse_cell(code, name="open")))
    assert cell.functions["data"]() == "seen"
    assert cell.instance._process.pid != os.getpid()
    session.close()


def test_an_engine_that_does_not_come_to_an_end_with_a_module(session, monkeypatch):
    monkeypatch.setattr("wasm_lab.grading.guest_process.COMPILE_S", 0.0)
    artifact = session.compile(
        parse_cell('pub fn slow() -> u8 { println!("{:?}", vec![1.5]); 77 }', name="slow")
    )
    with pytest.raises(LoadError, match="machine code"):
        session.define(artifact)
    monkeypatch.undo()
    assert session.define(artifact).functions["slow"]() == 77


def test_a_guest_outlives_the_thread_that_first_called_it(session):
    import threading

    artifact = session.compile(parse_cell("pub fn add(a: i32, b: i32) -> i32 { a + b + 1 }", name="threaded"))
    other = JudgeSession(digest="")
    thread = threading.Thread(target=other.define, args=(artifact,))
    thread.start()
    thread.join()
    assert other.cell("threaded").functions["add"](2, 2) == 5
    other.close()
