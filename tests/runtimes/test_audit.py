"""The audit of real guests, honest and hostile."""

from __future__ import annotations

import pytest

from wasm_lab.capabilities import Capabilities, ClockMode, Directory, RandomMode
from wasm_lab.errors import UnsupportedError
from wasm_lab.wasi.audit import KEPT_CALLS, grouped


def audited(runtime, guest, *args, **capabilities):
    return runtime.run(guest, Capabilities(args=args, **capabilities), audit=True)


def test_what_hello_calls(runtime, probe):
    result = audited(runtime, probe, "hello")
    assert result.stdout == b"hello\n"
    calls = {call.name: call for call in result.audit}
    assert calls["fd_write"].arguments == {"fd": "stdout", "buffers": "6 bytes"}
    assert calls["fd_write"].result == "6 bytes"
    assert all(call.allowed for call in result.audit)
    assert all(call.duration_ns > 0 for call in result.audit)
    starts = [call.started_ns for call in result.audit]
    assert starts == sorted(starts)


def test_an_audit_changes_nothing(runtime, probe, tmp_path):
    (tmp_path / "a.txt").write_text("of a")
    dirs = (Directory(tmp_path, "/data"),)
    fixed = {
        "clock": ClockMode.FROZEN,
        "random": RandomMode.SEEDED,
        "dirs": dirs,
        "env": {"A": "b"},
        "stdin": b"in",
    }
    for args in (["args"], ["env"], ["echo"], ["read", "/data/a.txt"], ["list", "/data"], ["clock"], ["random"],
                 ["exit", "3"], ["panic"], ["streams"]):  # fmt: skip
        plain = runtime.run(probe, Capabilities(args=tuple(args), **fixed))
        seen = runtime.run(probe, Capabilities(args=tuple(args), **fixed), audit=True)
        assert (plain.stdout, plain.stderr, plain.exit_status) == (seen.stdout, seen.stderr, seen.exit_status)
        assert plain.audit is None
        assert seen.audit


def test_files_by_name(runtime, probe, tmp_path):
    (tmp_path / "a.txt").write_text("of a")
    calls = audited(runtime, probe, "read", "/data/a.txt", dirs=(Directory(tmp_path, "/data"),)).audit
    opened = next(call for call in calls if call.name == "path_open")
    assert opened.arguments["dir"] == "/data"
    assert opened.arguments["path"] == "a.txt"
    assert opened.arguments["rights"].startswith("fd_read")
    assert opened.result == "fd 4"
    assert opened.capability == "dirs"
    read = next(call for call in calls if call.name == "fd_read")
    assert (read.arguments["fd"], read.result) == ("/data/a.txt", "4 bytes")
    assert any(call.name == "fd_close" and call.arguments == {"fd": "/data/a.txt"} for call in calls)


def test_refused_paths(runtime, probe, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to("/etc")
    result = audited(runtime, probe, "read", "/data/link/passwd", dirs=(Directory(inside, "/data"),))
    (refused,) = result.refused
    assert refused.arguments["path"] == "link/passwd"
    assert (refused.result, refused.capability, refused.flag) == ("perm", "dirs", "--dir HOST::GUEST")
    result = audited(runtime, probe, "mkdir", "/data/new", dirs=(Directory(inside, "/data", writable=False),))
    (refused,) = result.refused
    assert (refused.name, refused.flag) == ("path_create_directory", f"--dir {inside}::/data")


def test_refused_clock_and_randomness(runtime, probe):
    (refused,) = audited(runtime, probe, "clock", clock=ClockMode.REFUSED).refused
    assert (refused.name, refused.capability, refused.flag) == ("clock_time_get", "clock", "--clock real")
    (refused,) = audited(runtime, probe, "random", random=RandomMode.REFUSED).refused
    assert (refused.name, refused.capability, refused.flag) == ("random_get", "random", "--random real")


def test_leaving_is_seen_too(runtime, probe):
    last = audited(runtime, probe, "exit", "3").audit[-1]
    assert (last.name, last.arguments) == ("proc_exit", {"status": 3})


def test_calls_of_an_instance(runtime, library):
    instance = runtime.instantiate(library, Capabilities(), audit=True)
    instance.take_audit()
    instance.function("count")()
    assert instance.take_audit() == ()
    instance.function("greet")(2)
    assert [call.name for call in instance.take_audit()] == ["fd_write", "fd_write"]
    assert instance.take_audit() == ()


def test_components_are_not_audited_and_say_so(runtime, probe2):
    with pytest.raises(UnsupportedError, match=r"WASI 0\.1"):
        audited(runtime, probe2)


def test_a_long_audit_is_counted(runtime, wat):
    more = KEPT_CALLS + 500
    guest = wat(f"""(module
        (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") (local i32)
            (loop $again
                (drop (call $yield))
                (br_if $again (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const {more}))))))""")
    audit = audited(runtime, guest).audit
    assert len(audit) == KEPT_CALLS + 1
    assert audit[-1].arguments == {"calls": 500}
    (group,) = grouped(audit)
    assert (group.name, group.count) == ("sched_yield", more)


#: Every call of WASI 0.1 with arguments that no honest guest passes.
HOSTILE = """(module
    {imports}
    (memory (export "memory") 1)
    (data (i32.const 0) "\\ff\\fe\\00..\\2f..\\2fetc")
    (func (export "_start") {calls}))"""


@pytest.mark.parametrize("audit", [False, True])
@pytest.mark.parametrize("value", [0, 1, 3, 65535, 65536, 2**31, 2**32 - 1, 2**63 - 1])
def test_hostile_arguments(runtime, wat, tmp_path, value, audit):
    from wasm_lab.wasi.tables import MODULE, calls

    imports, body = [], []
    for call in calls().values():
        if call.name in {"proc_exit", "proc_raise"}:
            continue
        types = call.core_parameters
        imports.append(
            f'(import "{MODULE}" "{call.name}" (func ${call.name} (param {" ".join(types)}) (result i32)))'
        )
        constants = " ".join(f"({kind}.const {value % 2**32 if kind == 'i32' else value})" for kind in types)
        body.append(f"(drop (call ${call.name} {constants}))")
    for one in body:
        guest = wat(HOSTILE.format(imports="\n".join(imports), calls=one))
        dirs = (Directory(tmp_path, "/data"),)
        capabilities = Capabilities(clock=ClockMode.FROZEN, random=RandomMode.SEEDED, dirs=dirs, deadline_s=5)
        result = runtime.run(guest, capabilities, audit=audit)
        assert result.exit_status == 0 or result.trap, one
        assert result.trap is None or "host failed" not in result.trap.message, (one, result.trap)


def test_no_exported_memory(runtime, wat):
    guest = wat("""(module
        (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
        (func (export "_start") (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0)))))""")
    for audit in (False, True):
        trap = runtime.run(guest, Capabilities(), audit=audit).trap
        assert "memory export" in trap.message


def test_memory_with_64_bit_addresses(runtime, wat):
    guest = wat("""(module
        (import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32)))
        (memory (export "memory") i64 1)
        (func (export "_start") (drop (call $y))))""")
    result = runtime.run(guest, Capabilities(), audit=True)
    assert result.exit_status == 0 or result.trap
