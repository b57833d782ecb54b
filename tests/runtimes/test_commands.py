"""Commands: what goes in, what comes out, and how they end."""

from __future__ import annotations

import pytest

from wasm_lab.capabilities import MIB, Capabilities, Directory
from wasm_lab.errors import LoadError, UnsupportedError, UsageError
from wasm_lab.run import Phase, TrapKind


@pytest.fixture(params=["probe", "probe2"], ids=["wasi-0.1", "wasi-0.2"])
def guest(request):
    return request.getfixturevalue(request.param)


def run(runtime, guest, *args, **capabilities):
    return runtime.run(guest, Capabilities(args=args, **capabilities))


def test_hello(runtime, guest):
    result = run(runtime, guest, "hello")
    assert (result.exit_status, result.trap, result.stdout, result.stderr) == (0, None, b"hello\n", b"")
    assert result.ok
    assert result.refused == ()
    assert result.module_sha256 == guest.sha256
    assert result.phases_ns[Phase.RUN] > 0
    assert (result.runtime, result.runtime_version) == ("wasmtime", runtime.version)


def test_arguments(runtime, guest):
    assert run(runtime, guest, "args", "two words", "", "ü").stdout.decode() == (
        f'["{guest.label}", "args", "two words", "", "ü"]\n'
    )
    assert run(runtime, guest, "args", program="other").stdout == b'["other", "args"]\n'


def test_environment_is_empty_until_granted(runtime, guest, monkeypatch):
    monkeypatch.setenv("SECRET", "of the host")
    assert run(runtime, guest, "env").stdout == b"[]\n"
    assert (
        run(runtime, guest, "env", env={"B": "=x", "A": "ü"}).stdout.decode() == '[("A", "ü"), ("B", "=x")]\n'
    )


@pytest.mark.parametrize("data", [b"", b"text\n", bytes(range(256)) * 1000], ids=["empty", "text", "binary"])
def test_stdin_is_the_bytes_given(runtime, guest, data):
    assert run(runtime, guest, "echo", stdin=data).stdout == data


@pytest.mark.parametrize("status", [0, 1, 2, 101, 125])
def test_exit_status(runtime, probe, status):
    assert run(runtime, probe, "exit", str(status)).exit_status == status


@pytest.mark.parametrize("status", [126, 134, 200, 255])
def test_exit_statuses_that_wasmtime_itself_refuses(runtime, probe, status):
    result = run(runtime, probe, "exit", str(status))
    assert (result.exit_status, result.trap) == (status, None)


def test_wasi_02_knows_only_success_and_failure(runtime, probe2):
    assert run(runtime, probe2, "exit", "0").exit_status == 0
    assert run(runtime, probe2, "exit", "7").exit_status == 1


def test_streams_are_kept_apart(runtime, guest):
    result = run(runtime, guest, "streams")
    assert (result.stdout, result.stderr) == (b"one\nthree\n", b"two\n")


def test_output_comes_while_the_guest_runs(runtime, guest):
    seen = []
    result = runtime.run(
        guest,
        Capabilities(args=("loop",), deadline_s=0.2),
        output=lambda name, data: seen.append((name, data)),
    )
    assert seen == [("stdout", b"looping\n")]
    assert result.stdout == b"looping\n"
    assert result.trap.kind is TrapKind.DEADLINE


def test_what_a_sink_raises_stops_the_guest(runtime, guest):
    def closed(name, data):
        raise BrokenPipeError("nobody reads")

    with pytest.raises(BrokenPipeError, match="nobody reads"):
        runtime.run(guest, Capabilities(args=("loop",)), output=closed)


def test_panic(runtime, guest):
    result = run(runtime, guest, "panic", "it")
    assert result.exit_status is None
    assert result.trap.kind is TrapKind.PANIC
    assert result.trap.message == "first line\nsecond line of it"
    assert [frame.function for frame in result.trap.frames] == ["probe::main"]
    assert b"panicked at" in result.stderr


def test_panic_of_the_standard_library(runtime, guest):
    trap = run(runtime, guest, "index").trap
    assert trap.kind is TrapKind.PANIC
    assert trap.message == "index out of bounds: the len is 3 but the index is 7"


def test_division_by_zero_is_a_panic_in_rust(runtime, guest):
    trap = run(runtime, guest, "divide").trap
    assert (trap.kind, trap.message) == (TrapKind.PANIC, "attempt to divide by zero")


@pytest.mark.parametrize("how", ["recurse", "recurse_with_array"])
def test_deep_recursion(runtime, guest, how):
    trap = run(runtime, guest, how).trap
    assert trap.kind is TrapKind.STACK_OVERFLOW
    assert [frame.function for frame in trap.frames] == [f"probe::{how}"] * 2


def test_memory_limit(runtime, guest):
    result = run(runtime, guest, "memory", memory_bytes=16 * MIB)
    assert result.trap.kind is TrapKind.ALLOCATION
    assert result.trap.message.startswith("memory allocation of")
    assert result.linear_memory_bytes <= 16 * MIB
    assert result.stderr


def test_memory_limit_at_the_start(runtime, wat):
    guest = wat('(module (memory 100) (func (export "_start")))')
    trap = run(runtime, guest, memory_bytes=MIB).trap
    assert trap.kind is TrapKind.ALLOCATION
    assert run(runtime, guest, memory_bytes=None).ok


def test_memory_limit_holds_for_all_memories_together(runtime, wat):
    guest = wat("""(module (memory 1) (memory 1) (func (export "_start")
        (if (i32.lt_s (memory.grow 1 (i32.const 7)) (i32.const 0)) (then unreachable))
        (if (i32.ge_s (memory.grow 0 (i32.const 8)) (i32.const 0)) (then unreachable))))""")
    assert run(runtime, guest, memory_bytes=MIB).ok


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("unreachable", TrapKind.UNREACHABLE),
        ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", TrapKind.DIVIDE_BY_ZERO),
        ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", TrapKind.INTEGER_OVERFLOW),
        ("(drop (i32.trunc_f32_s (f32.const nan)))", TrapKind.BAD_CONVERSION),
        ("(drop (i32.load (i32.const -4)))", TrapKind.OUT_OF_BOUNDS),
        ("(call_indirect (i32.const 0))", TrapKind.INDIRECT_CALL),
        ("(call_indirect (i32.const 9))", TrapKind.TABLE),
        ("(call $start)", TrapKind.STACK_OVERFLOW),
    ],
)
def test_kinds_of_trap(runtime, wat, code, kind):
    guest = wat(f'(module (memory 1) (table 1 funcref) (func $start (export "_start") {code}))')
    result = run(runtime, guest)
    assert result.exit_status is None
    assert result.trap.kind is kind
    assert result.trap.frames


def test_frames_tell_lines_where_there_is_debug_information(runtime, compile_rust, tmp_path):
    source = tmp_path / "lines.rs"
    source.write_text(
        "fn main() {\n    let none: Option<u8> = std::env::args().nth(9).map(|_| 1);\n    none.unwrap();\n}\n"
    )
    trap = run(runtime, compile_rust(source, tmp_path, "-g")).trap
    frame = trap.frames[0]
    assert (frame.function, frame.line) == ("lines::main", 3)
    assert frame.file.endswith("lines.rs")


def test_fuel(runtime, guest):
    used = run(runtime, guest, "hello", fuel=10**9).fuel_used
    assert 1000 < used < 10**9
    assert run(runtime, guest, "hello", fuel=10**9).fuel_used == used
    assert run(runtime, guest, "hello").fuel_used is None
    trap = run(runtime, guest, "loop", fuel=10**6).trap
    assert trap.kind is TrapKind.FUEL


def test_output_flood_is_stopped(runtime, guest):
    result = run(runtime, guest, "flood", output_bytes=100_000)
    assert result.trap.kind is TrapKind.OUTPUT
    assert len(result.stdout) == 100_000


def test_output_in_one_piece_is_limited_too(runtime, guest):
    seen = []
    capabilities = Capabilities(args=("flood_once", "50000"), output_bytes=1000)
    result = runtime.run(guest, capabilities, output=lambda name, data: seen.append(data))
    assert result.trap.kind is TrapKind.OUTPUT
    assert result.stdout == b"".join(seen) == b"y" * 1000
    assert run(runtime, guest, "flood_once", "50000", output_bytes=50_000).ok
    assert len(run(runtime, guest, "flood_once", "50000", output_bytes=None).stdout) == 50_000


@pytest.mark.parametrize("text", ["with\0zero", "lone \udc80 surrogate"])
def test_text_that_wasi_cannot_pass_on(runtime, guest, text):
    with pytest.raises(UsageError):
        run(runtime, guest, text)
    with pytest.raises(UsageError):
        run(runtime, guest, env={"A": text})


def test_missing_folder(runtime, guest, tmp_path):
    with pytest.raises(UsageError, match="nowhere"):
        run(runtime, guest, dirs=(Directory(tmp_path / "nowhere", "/data"),))


def test_hosts_are_refused_and_not_ignored(runtime, guest):
    with pytest.raises(UnsupportedError, match="hosts"):
        run(runtime, guest, hosts=("example.org:80",))


def test_network_is_closed(runtime, guest):
    assert run(runtime, guest, "connect", "127.0.0.1:9").stdout.startswith(b"error ")


def test_a_library_is_no_command(runtime, library):
    with pytest.raises(LoadError, match=r"library.*count, widen|widen.*count|exports.*count"):
        run(runtime, library)


def test_output_inherited(probe, capfd, runtime):
    result = run(runtime, probe, "streams", inherit_output=True)
    out, err = capfd.readouterr()
    assert (out, err) == ("one\nthree\n", "two\n")
    assert result.stdout == result.stderr == b""
