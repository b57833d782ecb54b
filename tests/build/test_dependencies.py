"""Crates by ordinary cargo: built once, shared, offline, interrupted, missing.

Those from the registry are slow; path dependencies show most of it without a network.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wasm_lab.build import build
from wasm_lab.build.cache import Cache, default_cache
from wasm_lab.errors import CompileError, DependencyError
from wasm_lab.source import Kind, Profile, Source
from wasm_lab.toolchains.rust import find_rust

if TYPE_CHECKING:
    from collections.abc import Callable

MACRO = """
use proc_macro::TokenStream;
#[proc_macro]
pub fn forty_two(_: TokenStream) -> TokenStream { "42u32".parse().unwrap() }
"""

BUILD_SCRIPT = """
use std::io::Write;
fn main() {
    let log = std::env::var("BUILD_LOG").unwrap();
    let mut log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
    writeln!(log, "{}", std::env::var("TARGET").unwrap()).unwrap();
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=FROM_SCRIPT=scripted");
    if let Ok(seconds) = std::env::var("BUILD_SLEEP") {
        std::thread::sleep(std::time::Duration::from_secs(seconds.parse().unwrap()));
    }
}
"""


def package(folder: Path, code: str, *, manifest: str = "", script: str = "") -> Path:
    (folder / "src").mkdir(parents=True)
    name = folder.name
    (folder / "Cargo.toml").write_text(
        f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n{manifest}\n[workspace]\n'
    )
    (folder / "src" / "lib.rs").write_text(code)
    if script:
        (folder / "build.rs").write_text(script)
    return folder


@pytest.fixture
def crates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
    """A procedural macro, a crate with a build script, and one that depends on both."""
    macro = package(tmp_path / "fortytwo", MACRO, manifest="[lib]\nproc-macro = true")
    scripted = package(
        tmp_path / "scripted", 'pub fn word() -> &\'static str { env!("FROM_SCRIPT") }', script=BUILD_SCRIPT
    )
    monkeypatch.setenv("BUILD_LOG", str(tmp_path / "log"))
    return {"fortytwo": {"path": str(macro)}, "scripted": {"path": str(scripted)}}


CODE = 'fn main() { println!("{} {}", fortytwo::forty_two!(), scripted::word()); }'


def test_crates_are_built_once_and_shared(
    cache: Cache, crates: dict[str, dict[str, str]], tmp_path: Path, run: Callable
) -> None:
    seen: list[tuple[str, int, int]] = []
    source = Source(code=CODE, kind=Kind.PROGRAM, dependencies=crates, name="first")
    artifact = build(source, progress=lambda *args: seen.append(args))
    assert run(artifact.wasm).stdout == "42 scripted\n"
    assert [(done, total) for what, done, total in seen if total] == [(1, 2), (2, 2)]
    assert {what for what, _, total in seen if total} == {"fortytwo 0.1.0", "scripted 0.1.0"}
    assert (tmp_path / "log").read_text().split() == ["wasm32-wasip1"]

    assert build(source).cached
    seen.clear()
    edited = build(
        replace(source, code=CODE.replace("{} {}", "{}/{}")), progress=lambda *args: seen.append(args)
    )
    assert run(edited.wasm).stdout == "42/scripted\n"
    other = build(replace(source, name="second"), progress=lambda *args: seen.append(args))
    assert run(other.wasm).stdout == "42 scripted\n"
    assert seen == []
    assert (tmp_path / "log").read_text().split() == ["wasm32-wasip1"]


@pytest.mark.parametrize("profile", [Profile.DEV, Profile.SIZE])
def test_other_profiles(
    cache: Cache, crates: dict[str, dict[str, str]], run: Callable, profile: Profile
) -> None:
    source = Source(code=CODE, kind=Kind.PROGRAM, dependencies=crates, profile=profile)
    assert run(build(source).wasm).stdout == "42 scripted\n"


def test_an_incremental_build_gives_what_a_fresh_one_gives(
    cache: Cache, crates: dict[str, dict[str, str]]
) -> None:
    first = Source(code=CODE + "\nfn f() -> u8 { 1 }", kind=Kind.PROGRAM, dependencies=crates)
    second = replace(first, code=CODE + "\nfn f() -> u8 { 2 } // edited")
    build(first)
    edited = build(second)
    for entry in cache.entries():
        if entry.kind == "wasm":
            cache.drop("wasm", entry.key)
        if entry.kind == "incremental":
            shutil.rmtree(entry.path)
    fresh = build(second)
    assert not fresh.cached
    assert fresh.wasm == edited.wasm


def test_a_build_to_be_measured_is_one_unit(
    cache: Cache, crates: dict[str, dict[str, str]], run: Callable
) -> None:
    source = Source(code=CODE, kind=Kind.PROGRAM, dependencies=crates)
    quick, whole = build(source), build(source, incremental=False)
    assert not whole.cached
    assert build(source).cached
    assert build(source, incremental=False).cached
    assert run(whole.wasm).stdout == run(quick.wasm).stdout == "42 scripted\n"
    assert [entry.kind for entry in cache.entries()].count("incremental") == 1


def test_a_changed_path_dependency_is_built_again(
    cache: Cache, crates: dict[str, dict[str, str]], run: Callable
) -> None:
    source = Source(code=CODE, kind=Kind.PROGRAM, dependencies=crates)
    build(source)
    library = Path(crates["fortytwo"]["path"], "src", "lib.rs")
    library.write_text(MACRO.replace("42u32", "43u32"))
    os.utime(library, (time.time() + 2, time.time() + 2))  # cargo compares whole seconds on some systems
    changed = build(source)
    assert not changed.cached
    assert run(changed.wasm).stdout == "43 scripted\n"


def test_a_relative_path_counts_from_the_current_folder(
    cache: Cache, crates: dict[str, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = "fn main() { fortytwo::forty_two!(); }"
    source = Source(code=code, kind=Kind.PROGRAM, dependencies={"fortytwo": {"path": "fortytwo"}})
    assert build(source).wasm
    monkeypatch.chdir("/")
    assert build(replace(source, folder=str(tmp_path), name="of_a_file")).wasm


def test_a_renamed_crate(
    cache: Cache, crates: dict[str, dict[str, str]], tmp_path: Path, run: Callable
) -> None:
    table = {"words": {"package": "scripted", "path": str(tmp_path / "scripted")}}
    source = Source(
        code='fn main() { println!("{}", words::word()); }', kind=Kind.PROGRAM, dependencies=table
    )
    assert run(build(source).wasm).stdout == "scripted\n"


def test_a_used_cell_brings_its_dependencies(
    cache: Cache, crates: dict[str, dict[str, str]], run: Callable
) -> None:
    used = Source(
        code="pub fn all() -> u32 { fortytwo::forty_two!() }",
        kind=Kind.FUNCTIONS,
        name="used",
        dependencies={"fortytwo": crates["fortytwo"]},
    )
    source = Source(code='fn main() { println!("{}", used::all()); }', kind=Kind.PROGRAM, uses=(used,))
    assert run(build(source).wasm).stdout == "42\n"


def test_an_error_in_the_cell_is_the_cell_s(cache: Cache, crates: dict[str, dict[str, str]]) -> None:
    source = Source(
        code='fn main() { let x: u8 = "a"; }', kind=Kind.PROGRAM, dependencies=crates, label="cell x"
    )
    with pytest.raises(CompileError, match="cell x did not compile: 1 error"):
        build(source)


def test_a_path_that_is_no_package(cache: Cache, tmp_path: Path) -> None:
    source = Source(
        code="fn main() {}", kind=Kind.PROGRAM, dependencies={"x": {"path": str(tmp_path / "none")}}
    )
    with pytest.raises(DependencyError, match=r"none has no Cargo\.toml") as caught:
        build(source)
    assert "counts from the folder" in caught.value.hint


def test_a_crate_that_does_not_compile(cache: Cache, tmp_path: Path) -> None:
    broken = package(tmp_path / "broken", "pub fn f() -> u8 { undefined }")
    source = Source(code="fn main() {}", kind=Kind.PROGRAM, dependencies={"broken": {"path": str(broken)}})
    with pytest.raises(DependencyError, match="crate broken could not be built: cannot find value") as caught:
        build(source)
    assert "src/lib.rs:1:20" in caught.value.log
    (broken / "src" / "lib.rs").write_text("pub fn f() -> u8 { 1 }")
    assert build(source).wasm


def test_a_missing_host_linker_is_explained(
    cache: Cache, crates: dict[str, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUSTC", str(find_rust().rustc))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("WASM_LAB_TOOLCHAIN", str(tmp_path / "none"))
    with pytest.raises(DependencyError, match="linker `cc` not found") as caught:
        build(Source(code=CODE, kind=Kind.PROGRAM, dependencies=crates))
    assert "build-essential" in caught.value.hint


IN_PROCESS = """
    import json, sys
    from wasm_lab.build import build
    from wasm_lab.source import Kind, Source
    source = Source(code=sys.argv[1], kind=Kind.PROGRAM, dependencies=json.loads(sys.argv[2]))
    print("ready", flush=True)
    try:
        print(build(source).sha256)
    except KeyboardInterrupt:
        print("interrupted")
"""


def in_process(crates: dict[str, dict[str, str]], code: str = CODE) -> subprocess.Popen[str]:
    import json

    command = [sys.executable, "-c", textwrap.dedent(IN_PROCESS), code, json.dumps(crates)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_processes_do_not_build_the_same_crates_twice(
    cache: Cache, crates: dict[str, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUILD_SLEEP", "1")
    outputs = [process.communicate(timeout=120)[0] for process in [in_process(crates), in_process(crates)]]
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) == 65
    assert (tmp_path / "log").read_text().split() == ["wasm32-wasip1"]


def script_is_running(folder: Path) -> bool:
    for process in os.listdir("/proc"):
        try:
            if str(folder) in os.readlink(f"/proc/{process}/exe"):  # noqa: PTH115
                return True
        except OSError:
            continue
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the build script in /proc")
def test_an_interrupt_stops_cargo_and_its_children(
    cache: Cache,
    crates: dict[str, dict[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: Callable,
) -> None:
    monkeypatch.setenv("BUILD_SLEEP", "600")
    process = in_process(crates)
    deadline = time.monotonic() + 60
    while not (tmp_path / "log").exists():
        assert time.monotonic() < deadline, "the build script never ran"
        time.sleep(0.02)
    assert script_is_running(cache.root)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0] == "interrupted\n"
    deadline = time.monotonic() + 60
    while script_is_running(cache.root):
        assert time.monotonic() < deadline, "the build script outlived the interrupt"
        time.sleep(0.02)
    monkeypatch.delenv("BUILD_SLEEP")
    source = Source(code=CODE, kind=Kind.PROGRAM, dependencies=crates)
    assert run(build(source).wasm).stdout == "42 scripted\n"


def test_a_pruned_set_comes_back(cache: Cache, crates: dict[str, dict[str, str]], run: Callable) -> None:
    source = Source(code=CODE, kind=Kind.PROGRAM, dependencies=crates)
    build(source)
    for entry in cache.entries():
        if entry.kind == "crates":
            assert entry.size_bytes > 100_000
            shutil.rmtree(entry.path)
    assert build(source).cached, "a module needs no crates any more"
    edited = replace(source, code=CODE.replace("{} {}", "{}-{}"))
    assert run(build(edited).wasm).stdout == "42-scripted\n"


# From the registry ------------------------------------------------------------------------

SERDE = {"serde": {"version": "1", "features": ["derive"]}, "serde_json": "1"}
SERDE_CODE = """
use serde::{Deserialize, Serialize};
#[derive(Serialize, Deserialize)]
struct Reading { sensor: String, value: f64 }
fn main() {
    let mut reading: Reading = serde_json::from_str(r#"{"sensor": "a", "value": 1.5}"#).unwrap();
    reading.value += 1.0;
    println!("{}", serde_json::to_string(&reading).unwrap());
}
"""

#: An address at which nothing listens, as the proxy for everything: a machine without a network.
NO_NETWORK = {"CARGO_HTTP_PROXY": "http://127.0.0.1:9", "CARGO_NET_RETRY": "0"}


@pytest.mark.slow
def test_serde_online_and_then_offline(cache: Cache, run: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(code=SERDE_CODE, kind=Kind.PROGRAM, dependencies=SERDE)
    assert run(build(source).wasm).stdout == '{"sensor":"a","value":2.5}\n'

    for name, value in NO_NETWORK.items():
        monkeypatch.setenv(name, value)
    edited = replace(source, code=SERDE_CODE.replace("1.0", "2.0"))
    assert run(build(edited).wasm).stdout == '{"sensor":"a","value":3.5}\n'
    lock = [entry for entry in default_cache().entries() if entry.kind == "lock"]
    assert len(lock) == 1
    for entry in default_cache().entries():
        if entry.kind == "crates":
            shutil.rmtree(entry.path)
    again = replace(source, code=SERDE_CODE.replace("1.0", "3.0"))
    assert run(build(again).wasm).stdout == '{"sensor":"a","value":4.5}\n', (
        "built again from what was fetched"
    )
    cache.drop("lock", lock[0].key)
    last = replace(source, code=SERDE_CODE.replace("1.0", "4.0"))
    assert run(build(last).wasm).stdout == '{"sensor":"a","value":5.5}\n', "versions from what was fetched"

    with pytest.raises(DependencyError, match=r"registry cannot be reached|no crate named"):
        build(replace(source, dependencies={"wasm-lab-has-no-such-crate": "1"}))


@pytest.mark.slow
def test_mistakes_in_the_table(cache: Cache) -> None:
    def attempt(**dependencies: object) -> DependencyError:
        with pytest.raises(DependencyError) as caught:
            build(Source(code="fn main() {}", kind=Kind.PROGRAM, dependencies=dependencies))
        return caught.value

    assert "no crate named wasm_lab_has_no_such_crate" in attempt(wasm_lab_has_no_such_crate="1").message
    version = attempt(serde="99")
    assert 'fits serde = "^99"' in version.message
    assert "1.0" in version.hint
    assert "serde has no feature zzz" in attempt(serde={"version": "1", "features": ["zzz"]}).message
