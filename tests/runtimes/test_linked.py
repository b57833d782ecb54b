"""Modules that call each other: matched by name and type, one guest for every guard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wasm_lab.artifact import Artifact
from wasm_lab.build.imports import import_modules
from wasm_lab.build.wasm_tools import assemble
from wasm_lab.capabilities import Capabilities
from wasm_lab.cells import parse_cell
from wasm_lab.cells.languages import parse_language_cell
from wasm_lab.errors import DeadlineExceeded, LoadError, UnsupportedError
from wasm_lab.runtimes import NAMES, get_runtime
from wasm_lab.session import Session

LIBRARY = parse_language_cell(
    "int twice(int n) { return 2 * n; }\ndouble mean(const double *xs, size_t n) { return 0; }\n"
    "int spin(void) { for (;;); }\nint said(void) { return 0; }\nint state(void) { return 0; }\n",
    language="c",
    name="lib",
)
LIBRARY_WAT = """
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "\\10\\00\\00\\00\\07\\00\\00\\00library")
  (global $set (mut i32) (i32.const 0))
  (func (export "_initialize") (global.set $set (i32.const 5)))
  (func (export "twice") (param i32) (result i32) (i32.mul (i32.const 2) (local.get 0)))
  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
  (func (export "free") (param i32))
  (func (export "mean") (param i32 i32) (result f64) (f64.const 0))
  (func (export "spin") (result i32) (loop (br 0)) unreachable)
  (func (export "state") (result i32)
    (global.set $set (i32.add (global.get $set) (i32.const 1))) global.get $set)
  (func (export "said") (result i32)
    (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0))))
"""


def library() -> Artifact:
    return Artifact(wasm=assemble(LIBRARY_WAT), label="lib", source=LIBRARY)


def user(imported: str, body: str) -> Artifact:
    text = f"""(module {imported}
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (data (i32.const 8) "\\10\\00\\00\\00\\05\\00\\00\\00user\\0a")
      (func (export "_start") {body}))"""
    return Artifact(wasm=assemble(text), label="user", libraries=(library(),))


TWICE = '(import "lib" "twice" (func $twice (param i32) (result i32)))'
EXIT = "(call $exit (call $twice (i32.const 21)))"


def run(artifact: Artifact, audit: bool = False, **granted):
    return get_runtime("wasmtime").run(artifact, Capabilities(**granted), audit=audit)


def test_a_function_of_another_module_is_called():
    assert run(user(TWICE, EXIT)).exit_status == 42


@pytest.mark.parametrize("audit", [False, True])
def test_each_module_writes_from_its_own_memory(audit):
    said = '(import "lib" "said" (func $said (result i32)))'
    body = "(drop (call $said)) (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))"
    done = run(user(said, body), audit=audit)
    assert done.stdout == b"libraryuser\n"
    assert not audit or [call.name for call in done.audit] == ["fd_write", "fd_write"]


def test_a_library_is_set_up_and_fresh_for_each_run():
    state = '(import "lib" "state" (func $state (result i32)))'
    artifact = user(state, "(drop (call $state)) (call $exit (call $state))")
    assert [run(artifact).exit_status for _ in range(2)] == [7, 7]


def test_the_deadline_holds_in_a_library():
    spin = '(import "lib" "spin" (func $spin (result i32)))'
    done = run(user(spin, "(drop (call $spin))"), deadline_s=0.2)
    assert done.trap is not None
    assert done.trap.kind == "deadline exceeded"


def test_the_limit_of_memory_is_for_all_of_them():
    done = run(user(TWICE, EXIT), memory_bytes=65536)
    assert done.trap is not None


@pytest.mark.parametrize(
    ("imported", "message", "hint"),
    [
        (
            '(import "lib" "twice" (func (param f64) (result f64)))',
            r"user imports lib.twice as \(f64\) -> f64, and lib exports it as \(i32\) -> i32",
            "a memory of its own",
        ),
        (
            '(import "lib" "thrice" (func))',
            "user imports lib.thrice, and lib exports no thrice",
            "It exports twice",
        ),
        ('(import "lib" "memory" (memory 1))', "is no function|exports no memory", ""),
        (
            '(import "lib" "mean" (func (param i32 i32) (result f64)))',
            r"lib.mean, which takes const double \*xs, size_t n, an address",
            "numbers cross",
        ),
        ('(import "other" "f" (func))', "no host here provides: other.f", "--name other"),
    ],
)
def test_what_does_not_match_is_explained(imported, message, hint):
    with pytest.raises(LoadError, match=message) as refused:
        run(user(imported, ""))
    assert hint in refused.value.hint


@pytest.mark.parametrize("name", [name for name in NAMES if name != "wasmtime"])
def test_other_runtimes_refuse(name):
    with pytest.raises(
        UnsupportedError, match=f"calls functions of lib, and {name} here runs a module alone"
    ):
        get_runtime(name).check_libraries(user(TWICE, EXIT))


def test_functions_that_call_others_live_and_trap_as_one_guest():
    text = f"""(module {TWICE} (import "lib" "spin" (func $spin (result i32)))
      (memory (export "memory") 1)
      (func (export "four") (param i32) (result i32) (call $twice (call $twice (local.get 0))))
      (func (export "stuck") (result i32) (call $spin)))"""
    artifact = Artifact(wasm=assemble(text), label="user", libraries=(library(),))
    instance = get_runtime("wasmtime").instantiate(artifact, Capabilities(deadline_s=0.2))
    assert instance.function("four")(3) == 12
    with pytest.raises(DeadlineExceeded):
        instance.function("stuck")()
    assert instance.poisoned


def test_rust_functions_are_found_under_the_name_of_their_glue():
    text = '(module (memory (export "memory") 1) (func (export "wasm_lab_twice") (param i32) (result i32) (i32.const 9)))'
    rust = parse_cell("pub fn twice(n: i32) -> i32 { 2 * n }", name="lib")
    artifact = replace(
        user(TWICE, EXIT), libraries=(Artifact(wasm=assemble(text), label="lib", source=rust),)
    )
    assert run(artifact).exit_status == 9


def test_a_session_links_the_cells_that_a_module_imports_from():
    session = Session()
    session.define(library())
    plain = replace(user(TWICE, EXIT), libraries=())
    assert import_modules(plain.wasm) == ("lib", "wasi_snapshot_preview1")
    linked = session.linked(plain)
    assert [each.label for each in linked.libraries] == ["lib"]
    assert session.run(linked).exit_status == 42
    assert session.linked(Artifact(wasm=assemble("(component)"), label="c")).libraries == ()
