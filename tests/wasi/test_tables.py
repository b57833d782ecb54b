"""The table of WASI 0.1 calls against the engine's own: names, types and error numbers."""

from __future__ import annotations

import pytest
import wasmtime

from wasm_lab.wasi.tables import ENUMS, ERRNO, ERRNOS, FLAGS, MODULE, calls, errno_name


@pytest.mark.parametrize("call", calls().values(), ids=lambda call: call.name)
def test_types_are_those_of_the_engine(call):
    parameters = f"(param {' '.join(call.core_parameters)})" if call.core_parameters else ""
    result = "(result i32)" if call.returns_errno else ""
    module = wasmtime.wat2wasm(f'(module (import "{MODULE}" "{call.name}" (func {parameters} {result})))')
    engine = wasmtime.Engine()
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    linker.instantiate_pre(wasmtime.Module(engine, module))  # raises when a type differs


def test_all_calls_of_the_interface():
    assert len(calls()) == 46
    assert {call.capability for call in calls().values()} == {
        "",
        "args",
        "env",
        "clock",
        "random",
        "dirs",
        "hosts",
    }


def test_errnos():
    # Spot checks against wasi-libc's <wasi/api.h>.
    known = {"success": 0, "acces": 2, "badf": 8, "fault": 21, "inval": 28, "noent": 44, "nosys": 52, "perm": 63,
             "rofs": 69, "xdev": 75, "notcapable": 76}  # fmt: skip
    assert {name: ERRNO[name] for name in known} == known
    assert len(ERRNOS) == 77
    assert errno_name(76) == "notcapable"
    assert errno_name(1234) == "errno 1234"


def test_kinds_are_known():
    plain = {"fd", "u32", "u64", "s64", "size", "size64", "timestamp", "cookie", "path", "iovs", "buffer", "pointer",
             "fdstat", "filestat", "prestat"}  # fmt: skip
    used = {value.kind for call in calls().values() for value in (*call.parameters, *call.results)}
    assert used <= plain | set(FLAGS) | set(ENUMS)
    assert len(FLAGS["rights"]) == 30
