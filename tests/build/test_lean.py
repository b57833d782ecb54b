"""The lean standard library links to the same code, and gives way where it cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from wasm_lab.build import archives, build, compiling, lean, link
from wasm_lab.build.sections import sections
from wasm_lab.errors import CompileError
from wasm_lab.source import Kind, Source, Target
from wasm_lab.toolchains.rust import find_rust

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wasm_lab.artifact import Artifact
    from wasm_lab.build.cache import Cache

#: Reaches much of the standard library: formatting, collections, threads, files, time, maths, 128 bits.
BROAD = """
use std::{collections::{BTreeMap, HashMap}, fs, io::Read, sync::Mutex, time::Instant};
fn main() {
    let started = Instant::now();
    let mut counts: HashMap<String, u128> = HashMap::new();
    for word in std::env::args() { *counts.entry(word).or_default() *= 12345678901234567890123; }
    let sorted: BTreeMap<_, _> = counts.iter().collect();
    let x = std::env::args().count() as f64;
    println!("{sorted:?} {} {} {}", x.sin(), x.powf(1.5) % 0.7, (x as i128 / 3) as f32);
    let mut text = String::new();
    if let Ok(mut file) = fs::File::open("a") { file.read_to_string(&mut text).unwrap(); }
    static SHARED: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    SHARED.lock().unwrap().extend(text.bytes());
    eprintln!("{:?} {:?}", started.elapsed().as_secs(), SHARED.lock().unwrap().len());
}
"""

#: Calls a function of libc that Rust's own library never calls.
C_CALL = """
unsafe extern "C" { fn difftime(end: i64, start: i64) -> f64; }
fn main() { println!("{}", unsafe { difftime(50, 8) }); }
"""


@pytest.fixture(autouse=True)
def _forget_misses() -> None:
    compiling._needs_whole_library.clear()


def steps(artifact: Artifact) -> list[str]:
    return [step.name for step in artifact.steps]


def code_of(wasm: bytes) -> dict[int, bytes]:
    """All sections but the custom ones."""
    return {each.number: wasm[each.body : each.end] for each in sections(wasm) if each.number}


def test_the_code_is_the_same_as_with_the_whole_library(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "is_ordinary", lambda _: False)  # which would put functions in another order
    source = Source(code=BROAD, kind=Kind.PROGRAM)
    light = build(source)
    assert any("lean" in step for step in steps(light))
    cache.clear()
    monkeypatch.setattr(lean, "lean_sysroot", lambda *_: None)
    whole = build(source)
    assert not whole.cached
    assert not any("lean" in step for step in steps(whole))
    same = code_of(light.wasm) == code_of(whole.wasm)
    assert same
    assert light.size_bytes < whole.size_bytes / 5


def test_common_functions_need_no_second_compile(cache: Cache, run: Callable) -> None:
    calls = "sin cos tan asin acos atan sinh cosh tanh exp exp2 exp_m1 ln log2 log10 ln_1p cbrt".split()
    code = "fn main() { let x = std::env::args().count() as f64 / 3.0;\n"
    code += "".join(f'println!("{{}} {{}}", x.{call}(), (x as f32).{call}());\n' for call in calls)
    code += 'println!("{} {} {}", x.powf(x), x.hypot(x), x.atan2(x)); println!("{}", x.mul_add(x, x) % x);\n'
    code += "let n = std::env::args().count() as i128; let m = n as u128;\n"
    code += 'println!("{} {} {} {} {}", n * n * 3, n / 3, n % 3, n << 3 >> 2, m.pow(3) / 7 % 5);\n'
    code += 'println!("{} {} {:?}", n as f64, 1e30 * x as f64, n.checked_mul(n)); println!("{}", (x * 1e20) as i128); }'
    artifact = build(Source(code=code, kind=Kind.PROGRAM))
    (way,) = (step for step in steps(artifact) if step.startswith("rustc"))
    assert "lean" in way
    assert "0.3271946967961522" in run(artifact.wasm).stdout  # sin(1/3)


def test_what_the_lean_library_lacks_comes_from_the_whole_one(cache: Cache, run: Callable) -> None:
    source = Source(code=C_CALL, kind=Kind.PROGRAM, name="caller")
    artifact = build(source)
    assert run(artifact.wasm).stdout == "42\n"
    assert "rustc" in steps(artifact)
    edited = build(replace(source, code=C_CALL.replace("50", "51")))
    assert run(edited.wasm).stdout == "43\n"
    assert [step for step in steps(edited) if step.startswith("rustc")] == ["rustc"], (
        "learnt from the first time"
    )
    sysroot = lean.lean_sysroot(find_rust(), Target.WASIP1, cache)
    assert sysroot, "it is not to blame and stays in use"


def test_an_undefined_function_is_what_it_is_with_rustc_alone(cache: Cache, tmp_path: Path) -> None:
    """An import from ``env`` up to rustc 1.95, an error of the linker since."""
    code = 'unsafe extern "C" { fn of_the_host(x: u32) -> u32; }\n'
    code += 'fn main() { println!("{}", unsafe { of_the_host(1) }); }'
    (tmp_path / "a.rs").write_text(code)
    command = [find_rust().rustc, "a.rs", "-O", "--edition=2024", f"--target={Target.WASIP1}"]
    alone = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    if alone.returncode:
        with pytest.raises(CompileError, match="undefined symbol: of_the_host"):
            build(Source(code=code, kind=Kind.PROGRAM))
    else:
        artifact = build(Source(code=code, kind=Kind.PROGRAM))
        assert b"\x03env\x0bof_the_host" in artifact.wasm


@pytest.mark.parametrize("damage", ["garbled", "gone"])
def test_a_damaged_lean_library_is_not_used_again(
    cache: Cache, program: Source, run: Callable, damage: str
) -> None:
    sysroot = lean.lean_sysroot(find_rust(), Target.WASIP1, cache)
    assert sysroot
    library = sysroot / "lib" / "rustlib" / Target.WASIP1 / "lib"
    if damage == "gone":
        shutil.rmtree(library)
    else:
        for file in library.glob("libstd-*.rlib"):
            file.write_bytes(file.read_bytes()[:1000])
    artifact = build(program)
    assert run(artifact.wasm).stdout == "42\n"
    assert "rustc" in steps(artifact)
    assert lean.lean_sysroot(find_rust(), Target.WASIP1, cache) is None


def test_a_lean_library_that_was_given_up_is_tried_again_after_an_hour(cache: Cache) -> None:
    sysroot = lean.lean_sysroot(find_rust(), Target.WASIP1, cache)
    assert sysroot
    lean.give_up(sysroot)
    assert lean.lean_sysroot(find_rust(), Target.WASIP1, cache) is None
    earlier = time.time() - lean.GIVEN_UP_S - 1
    os.utime(sysroot / lean.USELESS, (earlier, earlier))
    assert lean.lean_sysroot(find_rust(), Target.WASIP1, cache) == sysroot


def test_where_no_links_can_be_made_the_whole_library_is_used(
    cache: Cache, program: Source, monkeypatch: pytest.MonkeyPatch, run: Callable
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no rights to make links")

    cache.clear()
    monkeypatch.setattr("pathlib.Path.symlink_to", refuse)
    artifact = build(program)
    assert run(artifact.wasm).stdout == "42\n"
    assert not any("lean" in step for step in steps(artifact))


def test_a_linker_error_of_the_code_is_reported(cache: Cache) -> None:
    code = '#[unsafe(no_mangle)] pub extern "C" fn _start() {}\nfn main() {}'
    with pytest.raises(CompileError, match="duplicate symbol"):
        build(Source(code=code, kind=Kind.PROGRAM))


def test_archives_come_through_unchanged_when_nothing_is_changed() -> None:
    library = find_rust().sysroot / "lib" / "rustlib" / Target.WASIP1 / "lib"
    for file in (*library.glob("libcompiler_builtins-*.rlib"), library / "self-contained" / "libc.a"):
        content = file.read_bytes()
        same = archives.rewrite(content, bytes) == content
        assert same, file.name  # pytest would take minutes to show how megabytes differ


def test_an_archive_of_chosen_members_has_their_symbols_and_no_others() -> None:
    file = find_rust().sysroot / "lib" / "rustlib" / Target.WASIP1 / "lib" / "self-contained" / "libc.a"
    content = file.read_bytes()
    symbols = archives.definitions(content)
    chosen = {symbols[b"strtoul"], symbols[b"malloc"]}
    smaller = archives.only(content, chosen)
    kept = archives.definitions(smaller)
    assert set(kept) == {symbol for symbol, offset in symbols.items() if offset in chosen}
    data = {member.offset: member.data for member in archives.members(content)}
    for member in archives.members(smaller):
        if member.offset == kept[b"strtoul"]:
            assert member.data == data[symbols[b"strtoul"]]


def test_references_of_an_object(tmp_path: Path) -> None:
    code = 'unsafe extern "C" { fn there(); static DATA: u8; }\n'
    code += "#[unsafe(no_mangle)] pub fn here() -> u8 { unsafe { there(); DATA } }"
    (tmp_path / "a.rs").write_text(code)
    command = [
        find_rust().rustc,
        "a.rs",
        "--crate-type=lib",
        "--emit=obj",
        f"--target={Target.WASIP1}",
        "-Cpanic=abort",
    ]
    subprocess.run(command, cwd=tmp_path, check=True)
    found = archives.references((tmp_path / "a.o").read_bytes())
    assert {b"there", b"DATA"} <= found
    assert b"here" not in found


def test_what_is_no_archive_or_object_is_left_alone() -> None:
    assert archives.without_dead_weight(b"BC\xc0\xde bitcode") == b"BC\xc0\xde bitcode"
    assert archives.references(b"") == set()
    with pytest.raises(ValueError, match="no archive"):
        list(archives.members(b"nothing"))
