"""Whole programs in every engine: what they are granted, what they answer, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from wasm_lab.artifact import Artifact
from wasm_lab.build import build
from wasm_lab.capabilities import Capabilities, ClockMode, Directory, RandomMode
from wasm_lab.errors import LoadError, ProbeError, UnsupportedError, UsageError
from wasm_lab.run import Phase
from wasm_lab.source import Kind, Source
from wasm_lab.subjects import command_subjects, places

HERE = places()
ALL = ["wasmtime", "wasmer", "wasmedge", "wasmedge-aot", "node", "native"]

TELLS = """use std::io::Read;
fn main() {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input).unwrap();
    println!("{input} {:?} {:?} {:?}", std::env::args().skip(1).collect::<Vec<_>>(), std::env::var("A"),
             std::fs::read_to_string("data/x"));
    eprintln!("to stderr");
    std::process::exit(3)
}"""


def needs(place: str) -> str:
    if HERE[place]:
        pytest.skip(HERE[place])
    return place


def program(code: str) -> Artifact:
    return build(Source(code=code, kind=Kind.PROGRAM, label="program"), incremental=False)


def one(place: str, code: str, capabilities: Capabilities | None = None, **more):
    [subject] = command_subjects(program(code), capabilities or Capabilities(), places=[needs(place)], **more)
    return subject


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "x").write_text("file")
    return tmp_path


@pytest.mark.parametrize("place", ALL)
def test_a_program_gets_what_it_is_granted(place, folder):
    granted = Capabilities(args=("q", "w w"), env={"A": "b"}, stdin=b"in", dirs=(Directory(folder, "data"),))
    subject = one(place, TELLS, granted)
    answer = subject.answer()
    assert answer.stdout == b'in ["q", "w w"] Ok("b") Ok("file")\n'
    assert answer.exit_status == 3
    assert (subject.workload, subject.input, subject.language) == ("program", "q w w", "rust")
    probe = subject.start()
    try:
        assert probe.resolution_ns > 0
        assert {Phase.RUN, Phase.PROCESS} & subject.phases
        for phase in subject.phases:
            assert probe.time(phase, 2).duration_ns > 0
        assert probe.weigh()
        assert probe.answer().stdout == answer.stdout
    finally:
        probe.close()


@pytest.mark.parametrize("place", ALL)
def test_nothing_more_is_granted(place, monkeypatch):
    monkeypatch.setenv("A", "from the lab")
    answer = one(place, TELLS, Capabilities(stdin=b"")).answer()
    assert b"Err(NotPresent)" in answer.stdout
    assert b'Ok("file")' not in answer.stdout


@pytest.mark.parametrize("place", ALL)
def test_a_program_that_traps_or_dies_says_why(place):
    subject = one(place, 'fn main() { println!("first"); panic!("the bad thing") }')
    with pytest.raises(ProbeError, match="the bad thing|unreachable|the guest was stopped"):
        subject.answer()
    probe = subject.start()
    try:
        with pytest.raises(ProbeError):
            probe.time(Phase.RUN if Phase.RUN in subject.phases else Phase.PROCESS, 1)
    finally:
        probe.close()


@pytest.mark.parametrize("place", ALL)
def test_an_endless_program_is_killed_at_its_own_deadline(place):
    code = "fn main() { let mut i = 0u64; loop { i = std::hint::black_box(i + 1); } }"
    subject = one(place, code, Capabilities(deadline_s=1.0))
    with pytest.raises(ProbeError, match="in time"):
        subject.answer()


@pytest.mark.parametrize("place", ALL)
def test_binary_output_comes_whole(place):
    code = """use std::io::Write;
    fn main() { let mut out = std::io::stdout();
        let all: Vec<u8> = (0..=255u8).cycle().take(300_000).collect(); out.write_all(&all).unwrap(); }"""
    assert one(place, code).answer().stdout == bytes(i % 256 for i in range(300_000))


@pytest.mark.parametrize("guards", ["none", "epochs", "fuel", "audit"])
def test_guards_change_no_answer(guards, folder):
    granted = Capabilities(stdin=b"in", dirs=(Directory(folder, "data"),))
    subject = one("wasmtime", TELLS, granted, guards=guards)
    assert b'Ok("file")' in subject.answer().stdout
    assert subject.guards == guards


@pytest.mark.parametrize("place", ["wasmtime", "wasmedge", "wasmedge-aot"])
def test_a_read_only_folder_holds_where_it_is_not_refused(place, folder):
    code = 'fn main() { println!("{:?}", std::fs::write("data/new", "x").is_ok()); }'
    granted = Capabilities(dirs=(Directory(folder, "data", writable=False),))
    assert one(place, code, granted).answer().stdout == b"false\n"
    assert not (folder / "new").exists()


@pytest.mark.parametrize(
    ("place", "more", "what"),
    [
        ("node", {"clock": ClockMode.FROZEN}, "clock"),
        ("node", {"random": RandomMode.SEEDED}, "random"),
        ("native", {"memory_bytes": 1 << 20}, "memory_bytes"),
        ("wasmer", {"clock": ClockMode.REFUSED}, "clock"),
        ("wasmtime", {"hosts": ("example.org:80",)}, "hosts"),
        ("wasmtime", {"fuel": 5}, "fuel"),
        ("node", {"output_bytes": 10}, "output_bytes"),
    ],
)
def test_what_a_place_cannot_enforce_is_refused(place, more, what):
    with pytest.raises(UnsupportedError, match=f"{place} cannot enforce {what}"):
        one(place, "fn main() {}", replace(Capabilities(), **more))


@pytest.mark.parametrize("place", ["node", "native", "wasmer"])
def test_read_only_folders_are_refused_where_they_would_not_hold(place, folder):
    with pytest.raises(UnsupportedError, match="read-only"):
        one(place, TELLS, Capabilities(dirs=(Directory(folder, "data", writable=False),)))


@pytest.mark.parametrize("place", ["wasmtime", "node"])
def test_linear_memory_is_that_of_the_last_run(place):
    code = "fn main() { std::hint::black_box(vec![1u8; 5_000_000]); }"
    probe = one(place, code).start()
    try:
        before = probe.weigh()
        assert before["linear memory"] == before["linear memory at start"]
        probe.time(Phase.RUN, 1)
        assert probe.weigh()["linear memory"] > before["linear memory"] + 4_900_000
    finally:
        probe.close()


@pytest.mark.parametrize("place", ["native", "wasmedge"])
def test_a_program_that_is_a_process_has_no_idle_instances(place):
    probe = one(place, "fn main() {}").start()
    with pytest.raises(UnsupportedError, match="keeps no process"):
        probe.idle(1)
    probe.close()


def test_wasmedge_keeps_to_a_limit_of_memory():
    code = 'fn main() { let v = vec![1u8; 50_000_000]; println!("{}", std::hint::black_box(&v).len()); }'
    assert one("wasmedge", code).answer().stdout == b"50000000\n"
    with pytest.raises(ProbeError):
        one("wasmedge", code, Capabilities(memory_bytes=8 << 20)).answer()


def test_what_cannot_be_compiled_ahead_of_time_says_so():
    needs("wasmedge-aot")
    whole = wat('(module (memory (export "memory") 1) (func (export "_start")))').wasm
    broken = Artifact(wasm=whole[:-2] + b"\x6a\x0b", label="broken.wasm")
    with pytest.raises(LoadError, match="cannot compile broken"):
        command_subjects(broken, Capabilities(), places=["wasmedge-aot"])


def test_wrong_requests_are_refused_with_reasons():
    hello = program("fn main() {}")
    with pytest.raises(UsageError, match="standard input can be read once"):
        command_subjects(hello, Capabilities(stdin=None), places=["wasmtime"])
    with pytest.raises(LoadError, match="no WebAssembly module"):
        command_subjects(Artifact(wasm=b"\x7fELF", label="a.out"), Capabilities(), places=["wasmtime"])
    component = Artifact(wasm=b"\0asm\x0d\0\x01\0", label="c")
    with pytest.raises(UnsupportedError, match="component"):
        command_subjects(component, Capabilities(), places=["wasmtime"])
    with pytest.raises(UnsupportedError, match="made elsewhere"):
        command_subjects(replace(hello, source=None), Capabilities(), places=["native"])
    with pytest.raises(UsageError, match="python runs no programs"):
        command_subjects(hello, Capabilities(), places=["python"])


def wat(text: str, label: str = "module.wasm") -> Artifact:
    import wasmtime

    return Artifact(wasm=bytes(wasmtime.wat2wasm(text)), label=label)


@pytest.mark.parametrize("place", ["wasmtime", "wasmer", "wasmedge", "node"])
def test_a_module_that_does_not_load_says_so(place):
    needs(place)
    whole = wat('(module (memory (export "memory") 1) (func (export "_start")))').wasm
    broken = Artifact(wasm=whole[:-2] + b"\x6a\x0b", label="broken.wasm")  # adds what is not there
    [subject] = command_subjects(broken, Capabilities(), places=[place])
    with pytest.raises(ProbeError, match=f"in {place}.*(?s:.)"):
        subject.answer()


@pytest.mark.parametrize("place", ["wasmtime", "wasmer", "wasmedge", "node"])
def test_a_missing_import_is_told(place):
    needs(place)
    asks = wat(
        '(module (import "env" "moon" (func)) (memory (export "memory") 1) (func (export "_start") call 0))'
    )
    [subject] = command_subjects(asks, Capabilities(), places=[place])
    with pytest.raises(ProbeError, match="env"):
        subject.answer()


def test_what_is_no_program_is_refused_at_once():
    library = wat('(module (memory (export "memory") 1) (func (export "f")))', "library.wasm")
    with pytest.raises(LoadError, match=r"library, not a program.*exports f"):
        command_subjects(library, Capabilities(), places=["wasmtime"])
    damaged = Artifact(wasm=library.wasm[:-1], label="damaged.wasm")
    with pytest.raises(LoadError, match="damaged"):
        command_subjects(damaged, Capabilities(), places=["wasmtime"])
