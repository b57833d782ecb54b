"""Programs of this machine: the same code, the same flags, the same cache."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from wasm_lab.build import build_for_host
from wasm_lab.errors import CompileError, ToolchainError, UnsupportedError
from wasm_lab.source import Kind, Source
from wasm_lab.toolchains import host_linker


def ran(program, folder, *args):
    file = folder / "program"
    file.write_bytes(program.executable)
    file.chmod(0o700)
    return subprocess.run([file, *args], capture_output=True, text=True)


def test_a_program_runs_on_this_machine_and_comes_from_the_cache_the_second_time(cache, program, tmp_path):
    first = build_for_host(program)
    assert ran(first, tmp_path).stdout == "42\n"
    assert [step.name for step in first.steps] == ["rustc", "cache"]
    again = build_for_host(program)
    assert again.cached
    assert again.executable == first.executable
    assert not build_for_host(replace(program, code=program.code + "// edited")).cached


def test_earlier_cells_are_linked_in(cache, tmp_path):
    kernel = Source(code="pub fn six() -> u32 { 6 }", kind=Kind.FUNCTIONS, name="kernel")
    user = Source(code='fn main() { print!("{}", kernel::six() * 7); }', kind=Kind.PROGRAM, uses=(kernel,))
    assert ran(build_for_host(user), tmp_path).stdout == "42"


def test_a_panic_aborts_as_on_the_wasm_targets(cache, tmp_path):
    source = Source(
        code='fn main() { let _ = std::panic::catch_unwind(|| panic!("no")); println!("on"); }',
        kind=Kind.PROGRAM,
    )
    done = ran(build_for_host(source), tmp_path)
    assert (done.returncode, done.stdout) == (-6, "")


def test_errors_name_the_lines_of_the_cell(cache, program):
    with pytest.raises(CompileError) as caught:
        build_for_host(replace(program, code="\nfn main() { nothing(); }", label="cell typo"))
    assert [(span.label, span.line) for span in caught.value.diagnostics[0].spans] == [("cell typo", 2)]


@pytest.mark.parametrize("kind", [Kind.FUNCTIONS, Kind.TESTS])
def test_what_has_no_main_is_refused(cache, kind):
    with pytest.raises(UnsupportedError, match="no program"):
        build_for_host(Source(code="pub fn f() {}", kind=kind))


def test_without_a_linker_it_is_said_how_to_get_one(cache, program, monkeypatch):
    none = host_linker.HostLinker(works=False, path=None, why="no cc", hint="sudo apt install gcc")
    monkeypatch.setattr(host_linker, "find_host_linker", lambda toolchain: none)
    with pytest.raises(ToolchainError, match=r"no cc") as caught:
        build_for_host(program)
    assert "sudo apt install gcc" in caught.value.hint


@pytest.mark.slow
def test_crates_are_built_for_this_machine_too(cache, tmp_path):
    source = Source(
        code='fn main() { print!("{}", serde_json::json!({"a": 1})); }',
        kind=Kind.PROGRAM,
        dependencies={"serde_json": "1"},
    )
    assert ran(build_for_host(source), tmp_path).stdout == '{"a":1}'
