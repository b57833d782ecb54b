"""What is peculiar to the runtimes that run each command in a process: native, node, WasmEdge."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace

import pytest

from wasm_lab.artifact import CORE_PREAMBLE, Artifact
from wasm_lab.build import build
from wasm_lab.capabilities import Capabilities, Directory
from wasm_lab.errors import LoadError, UnsupportedError
from wasm_lab.run import Phase, TrapKind
from wasm_lab.runtimes import get_runtime
from wasm_lab.runtimes.wasmedge.log import LogFilter
from wasm_lab.source import Kind, Source
from wasm_lab.toolchains import node as node_tool
from wasm_lab.toolchains import wasmedge as wasmedge_tool

ENGINES = ["native", "node", pytest.param("wasmedge", marks=pytest.mark.slow)]


def program(code: str, label: str = "a program") -> Artifact:
    return build(Source(code=code, kind=Kind.PROGRAM, label=label))


def runtime(name):
    found = get_runtime(name)
    if found.missing():
        (pytest.fail if name == "wasmedge" else pytest.skip)(found.missing())
    return found


@pytest.mark.parametrize("name", ENGINES)
def test_an_interrupt_stops_the_guest_and_leaves_no_process(name):
    guest = program('fn main() { println!("busy"); loop { std::hint::black_box(1); } }')
    engine = runtime(name)
    busy = threading.Event()

    def interrupt():
        busy.wait(30)
        os.kill(os.getpid(), signal.SIGINT)

    before = children()
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        engine.run(guest, Capabilities(deadline_s=60), output=lambda stream, data: busy.set())
    thread.join()
    assert children() <= before


def children() -> set[int]:
    """The processes that this one has started and that still run; other tests leave warm workers."""
    import psutil

    return {each.pid for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE}


@pytest.mark.parametrize("name", ENGINES)
def test_functions_are_left_to_others(name):
    with pytest.raises(UnsupportedError, match="function by function"):
        get_runtime(name).instantiate(program("fn main() {}"), Capabilities())


@pytest.mark.parametrize("name", ["native", "node"])
def test_argument_0_is_the_label_or_the_name_that_is_asked_for(name):
    guest = program('fn main() { print!("{}", std::env::args().next().unwrap()); }', label="prog.rs")
    assert runtime(name).run(guest, Capabilities()).stdout == b"prog.rs"
    assert runtime(name).run(guest, Capabilities(program="other")).stdout == b"other"


@pytest.mark.parametrize("name", ["node", pytest.param("wasmedge", marks=pytest.mark.slow)])
def test_what_is_no_module_is_refused(name):
    with pytest.raises(LoadError, match="nonsense"):
        runtime(name).run(Artifact(wasm=CORE_PREAMBLE + b"\xff", label="nonsense"), Capabilities())
    with pytest.raises(LoadError, match="component"):
        runtime(name).run(Artifact(wasm=b"\0asm\x0d\0\x01\0", label="a component"), Capabilities())


def test_a_native_program_is_built_from_its_source_and_a_finished_module_is_refused():
    native = runtime("native")
    guest = program('fn main() { print!("{}", usize::BITS); }')
    first, again = native.run(guest, Capabilities()), native.run(guest, Capabilities())
    assert first.stdout == b"64"
    assert set(first.phases_ns) == {Phase.COMPILE, Phase.PROCESS}
    assert set(again.phases_ns) == {Phase.PROCESS}
    with pytest.raises(LoadError, match="finished module"):
        native.run(replace(guest, source=None), Capabilities())


def test_a_folder_goes_to_a_native_program_under_its_own_name_alone(tmp_path):
    guest = program("fn main() {}")
    with pytest.raises(UnsupportedError, match="under that name alone"):
        runtime("native").run(guest, Capabilities(dirs=(Directory(tmp_path, "/data"),)))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("std::process::abort()", TrapKind.UNREACHABLE),
        ("unsafe { std::ptr::null_mut::<u8>().write_volatile(1) }", TrapKind.OUT_OF_BOUNDS),
        ('panic!("on purpose")', TrapKind.PANIC),
    ],
)
def test_signals_are_traps(code, kind):
    run = runtime("native").run(program(f"fn main() {{ {code} }}"), Capabilities())
    assert run.exit_status is None
    assert run.trap
    assert run.trap.kind is kind


def test_node_tells_where_a_guest_trapped_and_how_long_each_phase_took():
    guest = program('#[inline(never)] fn bake() { panic!("no eggs") } fn main() { bake() }')
    run = runtime("node").run(guest, Capabilities())
    assert run.trap
    assert run.trap.message == "no eggs"
    assert any(
        frame.function.endswith("::bake") or frame.function.endswith("::main") for frame in run.trap.frames
    )
    assert list(run.phases_ns) == [Phase.COMPILE, Phase.INSTANTIATE, Phase.RUN, Phase.PROCESS]
    assert run.linear_memory_bytes >= 65536


def test_node_outlives_a_guest_whose_memory_grows_while_it_writes():
    # Fast calls into node:wasi abort here in nine runs of ten (see Node.command).
    guest = program(
        "fn main() { let mut kept: Vec<Vec<u8>> = vec![]; "
        'for i in 0..40 { kept.push(vec![1; 1 << 20]); eprintln!("{i} MiB, {}", kept.len()); } }'
    )
    for _ in range(5):
        assert runtime("node").run(guest, Capabilities()).exit_status == 0


def test_without_node_it_is_said_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("WASM_LAB_TOOLS", str(tmp_path))
    assert node_tool.find_node() is None
    assert "sudo apt install nodejs" in get_runtime("node").missing()
    with pytest.raises(UnsupportedError) as caught:
        get_runtime("node").run(program("fn main() {}"), Capabilities())
    assert "nodejs" in str(caught.value)
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v16.20.0\n")
    old.chmod(0o755)
    assert "is Node.js 16.20.0" in get_runtime("node").missing()


def test_without_wasmedge_it_is_said_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("WASM_LAB_TOOLS", str(tmp_path))
    assert wasmedge_tool.find_wasmedge() is None
    for name in ("wasmedge", "wasmedge-aot"):
        assert "wasmedge" in get_runtime(name).missing()
    broken = tmp_path / "wasmedge"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    assert "does not run" in get_runtime("wasmedge").missing()


@pytest.mark.slow
def test_wasmedge_keeps_what_it_compiled():
    guest = program('fn main() { println!("compiled"); }')
    first, again = (runtime("wasmedge-aot").run(guest, Capabilities()) for _ in range(2))
    assert first.stdout == again.stdout == b"compiled\n"
    assert Phase.COMPILE in first.phases_ns
    assert again.code_cached
    assert set(again.phases_ns) == {Phase.PROCESS}


@pytest.mark.slow
def test_lines_like_those_of_wasmedges_log_stay_the_guests_own():
    line = "[2026-01-01 00:00:00.000] [error] execution failed: unreachable, Code: 0x40a"
    guest = program(f'fn main() {{ println!("{line}\\nand on"); }}')
    run = runtime("wasmedge").run(guest, Capabilities())
    assert run.stdout.decode() == f"{line}\nand on\n"
    assert run.exit_status == 0


LOG = b"[2026-01-01 00:00:00.000] [error] execution failed: unreachable, Code: 0x40a\n"
MORE = b'[2026-01-01 00:00:00.001] [error]     When executing function name: "_start"\n'
GROW = b"[2026-01-01 00:00:00.000] [error] Memory Instance: Memory grow page failed\n"


@pytest.mark.parametrize("size", [1, 2, 7, 60, 10_000])
@pytest.mark.parametrize(
    ("output", "own", "verdict"),
    [
        (b"", b"", None),
        (b"text [1] [2026-01", b"text [1] [2026-01", None),
        (b"text" + LOG + MORE, b"text", ("execution", "unreachable")),
        (LOG + b"text\n" + LOG, LOG + b"text\n", ("execution", "unreachable")),
        (LOG + b"text", LOG + b"text", None),
        (b"a\n" + GROW + b"b\n" + GROW + LOG, b"a\nb\n", ("execution", "unreachable")),
        (MORE + b"[", MORE + b"[", None),
    ],
)
def test_the_log_is_taken_from_the_guests_output(output, own, verdict, size):
    sieve = LogFilter()
    passed = b"".join(sieve.feed(output[at : at + size]) for at in range(0, len(output), size))
    assert passed + sieve.finish() == own
    assert sieve.verdict == verdict
