"""The linker beside rustc: the same program, and rustc's own link wherever that is in doubt."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.build.test_lean import BROAD

from wasm_lab.build import build, compiling, link
from wasm_lab.build.unit import Unit
from wasm_lab.errors import CompileError
from wasm_lab.source import Kind, Profile, Source, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.artifact import Artifact
    from wasm_lab.build.cache import Cache

BESIDE = "rustc beside its linker, lean std"


@pytest.fixture(autouse=True)
def _forget_misses() -> None:
    compiling._needs_whole_library.clear()


def ways(artifact: Artifact) -> list[str]:
    return [step.name for step in artifact.steps if step.name.startswith("rustc")]


def unit_of(code: str, **changes: object) -> Unit:
    unit = Unit(
        name="cell",
        label="cell",
        root=code,
        crate_type="bin",
        edition="2024",
        profile=Profile.RELEASE,
        target=Target.WASIP1,
        folder=Path("/"),
    )
    return replace(unit, **changes)


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("profile", [Profile.DEV, Profile.RELEASE])
@pytest.mark.parametrize("kind", [Kind.PROGRAM, Kind.FUNCTIONS, Kind.TESTS])
def test_the_module_is_rustc_s_own_byte_for_byte(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, kind: Kind, profile: Profile, target: Target
) -> None:
    code = BROAD
    if kind is Kind.FUNCTIONS:
        if target is Target.WASIP2:
            return  # which is refused
        code = (
            BROAD.replace("fn main()", "pub fn run()") + 'pub fn a(x: &[f64]) -> String { format!("{x:?}") }'
        )
    source = Source(code=code, kind=kind, profile=profile, target=target)
    beside = build(source)
    assert ways(beside) == [BESIDE]
    monkeypatch.setattr(link, "is_ordinary", lambda _: False)
    cache.clear()
    own = build(source)
    assert ways(own) == ["rustc, lean std"]
    same = beside.wasm == own.wasm
    assert same


def test_components_are_linked_so_too(cache: Cache, program: Source) -> None:
    artifact = build(replace(program, target=Target.WASIP2))
    assert artifact.is_component
    assert ways(artifact) == [BESIDE]


def test_a_library_exports_its_functions(cache: Cache) -> None:
    import wasmtime

    code = 'pub fn twice(x: u32) -> u32 { x * 2 }\npub fn name() -> String { String::from("n") }'
    artifact = build(Source(code=code, kind=Kind.FUNCTIONS))
    assert ways(artifact) == [BESIDE]
    names = {export.name for export in wasmtime.Module(wasmtime.Engine(), artifact.wasm).exports}
    assert "_initialize" in names
    assert "memory" in names
    assert link.PROBE not in names
    from wasm_lab.build.crate import crate_for

    assert set(crate_for(artifact.source).exports) <= names


def test_tests_are_linked_so_too(cache: Cache, run: Callable) -> None:
    code = "#[test] fn adds() { assert_eq!(1 + 1, 2); }"
    artifact = build(Source(code=code, kind=Kind.TESTS))
    assert ways(artifact) == [BESIDE]
    assert "test adds ... ok" in run(artifact.wasm).stdout


UNUSUAL = {
    "export": '#[unsafe(no_mangle)] pub extern "C" fn extra() {}\nfn main() {}',
    "import": '#[link(wasm_import_module = "host")] unsafe extern "C" { safe fn tell(); }\nfn main() { tell(); }',
    "allocator": "use std::alloc::System; #[global_allocator] static A: System = System; fn main() {}",
    "crate": "extern crate alloc; fn main() {}",
    "module": "mod other; fn main() {}",
    "no_main": '#![no_main]\n#[unsafe(no_mangle)] pub extern "C" fn main() -> i32 { 0 }',
}


@pytest.mark.parametrize("what", UNUSUAL)
def test_an_unusual_crate_is_left_to_rustc(cache: Cache, tmp_path: Path, what: str) -> None:
    (tmp_path / "other.rs").write_text("")
    assert not link.is_ordinary(unit_of(UNUSUAL[what]))
    artifact = build(Source(code=UNUSUAL[what], kind=Kind.PROGRAM, folder=str(tmp_path)))
    assert BESIDE not in ways(artifact)


def test_an_allocator_of_its_own_works(cache: Cache, run: Callable) -> None:
    code = """
use std::{alloc::{GlobalAlloc, Layout, System}, sync::atomic::{AtomicUsize, Ordering}};
static COUNT: AtomicUsize = AtomicUsize::new(0);
struct Counting;
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 { COUNT.fetch_add(1, Ordering::SeqCst); unsafe { System.alloc(layout) } }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) { unsafe { System.dealloc(at, layout) } }
}
#[global_allocator] static ALLOCATOR: Counting = Counting;
fn main() { let v = vec![1; std::env::args().count()]; println!("{}", COUNT.load(Ordering::SeqCst) > v.len() - 1); }
"""
    assert run(build(Source(code=code, kind=Kind.PROGRAM)).wasm).stdout == "true\n"


def test_errors_and_warnings_are_as_ever(cache: Cache, run: Callable) -> None:
    with pytest.raises(CompileError, match="1 error"):
        build(Source(code="fn main() { missing(); }", kind=Kind.PROGRAM))
    artifact = build(Source(code='fn main() { let unused = 1; println!("x"); }', kind=Kind.PROGRAM))
    assert ways(artifact) == [BESIDE]
    assert [each.code for each in artifact.warnings] == ["unused_variables"]
    assert run(artifact.wasm).stdout == "x\n"


def test_errors_found_late_are_reported(cache: Cache) -> None:
    """An error after type checking, when a generic function is instantiated."""
    code = "fn f<const N: usize>() { const { assert!(N > 1) } }\nfn main() { f::<1>(); }"
    with pytest.raises(CompileError) as caught:
        build(Source(code=code, kind=Kind.PROGRAM))
    assert caught.value.diagnostics[0].code == "E0080"


@pytest.mark.parametrize("fault", ["fails", "absent"])
def test_where_the_linker_fails_rustc_links(
    cache: Cache, program: Source, monkeypatch: pytest.MonkeyPatch, run: Callable, tmp_path: Path, fault: str
) -> None:
    build(program)
    line_for = link.line_for
    linker = tmp_path / "linker"
    if fault == "fails":
        linker.write_text("#!/bin/sh\nexit 1\n")
        linker.chmod(0o755)

    def broken(*args: object) -> link.Line | None:
        line = line_for(*args)  # type: ignore[arg-type]
        return replace(line, linker=str(linker)) if line else None

    monkeypatch.setattr(link, "line_for", broken)
    edited = build(replace(program, code=program.code + "\n"))
    assert ways(edited) == [BESIDE, "rustc, lean std"]
    assert run(edited.wasm).stdout == "42\n"
    monkeypatch.setattr(link, "line_for", line_for)
    later = build(replace(program, code=program.code + "\n\n"))
    assert ways(later) == ["rustc, lean std"], "it is not tried again"


def test_a_recording_that_fails_leaves_linking_to_rustc(
    cache: Cache, program: Source, monkeypatch: pytest.MonkeyPatch, run: Callable
) -> None:
    monkeypatch.setattr(link, "_links_the_same", lambda *_: False)
    for code in (program.code, program.code + "\n"):
        artifact = build(replace(program, code=code, profile=Profile.DEV))
        assert ways(artifact) == ["rustc, lean std"]
        assert run(artifact.wasm).stdout == "42\n"


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the linker in /proc")
def test_an_interrupt_stops_the_waiting_linker(cache: Cache, program: Source) -> None:
    from tests.build.test_build import running, until

    build(program)
    code = """
        from wasm_lab.build import build
        from wasm_lab.source import Kind, Source
        deep = "#![allow(long_running_const_eval)] fn main() { const N: u64 = "
        deep += "{ let mut i = 0u64; while i < 1_000_000_000_000 { i += 1 } i }; println!(\\"{N}\\"); }"
        try:
            build(Source(code=deep, kind=Kind.PROGRAM))
        except KeyboardInterrupt:
            print("interrupted")
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    sysroot = str(cache.root)
    assert until(lambda: running(f"{sysroot}") and any("-flavor" in line for line in running(sysroot)))
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0] == "interrupted\n"
    assert until(lambda: not running(sysroot), 3.0)
