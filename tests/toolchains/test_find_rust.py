"""Finding a compiler: which candidates are refused, and when the answer is looked for again."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from wasm_lab.errors import ToolchainError
from wasm_lab.source import Target
from wasm_lab.toolchains import rust
from wasm_lab.toolchains.rust import find_rust

PROXY_WITHOUT_TOOLCHAIN = """#!/bin/sh
echo "error: rustup could not choose a version of rustc to run, because one wasn't specified" >&2
exit 1
"""


def put(path: Path, text: str, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("target", Target)
def test_the_real_compiler_builds_for_the_target(target, tmp_path):
    found = find_rust(target)
    assert found.rustc.is_absolute()
    assert found.verbose.splitlines()[0] == found.version
    assert f"host: {found.host}" in found.verbose.splitlines()
    sysroot = subprocess.check_output([found.rustc, "--print", "sysroot"], text=True).strip()
    assert Path(sysroot) == found.sysroot
    source = put(tmp_path / "hello.rs", 'fn main() { println!("hello") }', 0o644)
    wasm = tmp_path / "hello.wasm"
    subprocess.run([found.rustc, source, "--target", target, "-o", wasm], check=True, timeout=60)
    assert wasm.read_bytes()[:4] == b"\0asm"


def test_the_real_compiler_is_no_proxy():
    found = find_rust()
    # A proxy would obey this and fail.
    environment = {**os.environ, "RUSTUP_TOOLCHAIN": "no-such-toolchain", "RUSTUP_AUTO_INSTALL": "0"}
    said = subprocess.check_output([found.rustc, "-vV"], text=True, env=environment)
    assert said == found.verbose


def test_a_remembered_answer_takes_less_than_a_millisecond():
    find_rust()
    times = []
    for _ in range(20):
        start = time.perf_counter_ns()
        find_rust()
        times.append(time.perf_counter_ns() - start)
    assert min(times) < 1_000_000


def test_what_is_found(machine):
    compiler = machine.compiler("good")
    put(compiler.bin / "cargo", "#!/bin/sh\necho cargo 1.90.0\n")
    found = find_rust()
    assert found.rustc == compiler.rustc
    assert found.sysroot == compiler.root
    assert found.version == "rustc 1.90.0 (0123456789 2025-09-14)"
    assert found.host == "x86_64-unknown-linux-gnu"
    assert found.cargo == compiler.bin / "cargo"
    assert find_rust() == found


def test_a_cargo_that_does_not_run_is_not_offered(machine):
    compiler = machine.compiler("good")
    put(compiler.bin / "cargo", PROXY_WITHOUT_TOOLCHAIN)
    assert find_rust().cargo is None


def test_a_proxy_is_followed_to_the_compiler_behind_it(machine):
    real = machine.compiler("toolchain", on_path=False)
    proxy = put(machine.home / ".cargo" / "bin" / "rustc", f'#!/bin/sh\nexec "{real.rustc}" "$@"\n')
    machine.append_path(proxy.parent)
    assert find_rust().rustc == real.rustc


def test_a_proxy_is_not_allowed_to_install_anything(machine, monkeypatch):
    monkeypatch.setenv("RUSTUP_AUTO_INSTALL", "1")
    compiler = machine.compiler("good")
    find_rust()
    assert (compiler.root / "auto-install").read_text().strip() == "0"


FAILING = {
    "a proxy with no toolchain": (PROXY_WITHOUT_TOOLCHAIN, "could not choose a version of rustc"),
    "a program that is no rustc": ("#!/bin/sh\necho 7.1\n", "does not answer as rustc does"),
    "a file that is no program": ("\x7fELF nonsense", "does not start"),
    "a script without its interpreter": ("#!/no/such/interpreter\n", "does not start"),
    "a silent failure": ("#!/bin/sh\nexit 3\n", "ended with status 3"),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_failing_candidate_does_not_stop_the_search(machine, name):
    text, why = FAILING[name]
    bad = put(machine.root / "bad" / "rustc", text)
    machine.append_path(bad.parent)
    with pytest.raises(ToolchainError, match=why):
        find_rust()
    good = machine.compiler("good")
    assert find_rust().rustc == good.rustc


def test_a_folder_and_a_file_without_permission_do_not_stop_the_search(machine):
    (machine.root / "folder" / "rustc").mkdir(parents=True)
    machine.append_path(machine.root / "folder")
    plain = put(machine.root / "plain" / "rustc", "#!/bin/sh\n", 0o644)
    machine.append_path(plain.parent)
    good = machine.compiler("good")
    assert find_rust().rustc == good.rustc


def test_a_candidate_that_hangs_is_given_up(machine, monkeypatch):
    monkeypatch.setattr(rust, "PROBE_TIMEOUT_S", 0.3)
    put(machine.root / "hangs" / "rustc", "#!/bin/sh\nexec sleep 60\n")
    machine.append_path(machine.root / "hangs")
    with pytest.raises(ToolchainError, match=r"did not answer within 0\.3 s"):
        find_rust()


def test_one_without_the_target_is_refused_for_that_target_only(machine):
    lacking = machine.compiler("lacking", targets=("wasm32-wasip1",))
    assert find_rust(Target.WASIP1).rustc == lacking.rustc
    with pytest.raises(ToolchainError, match="without the standard library for wasm32-wasip2"):
        find_rust(Target.WASIP2)
    whole = machine.compiler("whole")
    assert find_rust(Target.WASIP2).rustc == whole.rustc


def test_one_too_old_for_the_default_edition_is_refused(machine):
    machine.compiler(
        "old",
        version="rustc 1.80.0 (0123456789 2024-07-21)",
        compile="echo 'error: edition 2024 is unstable' >&2; exit 1",
    )
    with pytest.raises(ToolchainError, match=r"rustc 1\.80\.0 .*cannot build .*edition 2024 is unstable"):
        find_rust()


NEEDS_LLD = (
    'case "$*" in *"-Clinker="*) ;; *) echo "error: linker \\`rust-lld\\` not found" >&2; exit 1;; esac; '
    'for last; do :; done; "${last#-Clinker=}"'
)


def test_a_distributions_compiler_is_given_the_distributions_linker(machine):
    compiler = machine.compiler("debian", compile=NEEDS_LLD)
    with pytest.raises(ToolchainError, match=r"`rust-lld` not found .*sudo apt install lld"):
        find_rust()
    put(compiler.bin / "wasm-ld-19", "#!/bin/sh\necho wrong LLVM >&2; exit 1\n")
    good = put(compiler.bin / "wasm-ld-18", "#!/bin/sh\n")
    assert find_rust().linker == good
    assert find_rust().linker == good  # as remembered
    calls = compiler.calls
    good.write_text("#!/bin/sh\n# another release\n")
    find_rust()
    assert len(compiler.calls) > len(calls)


def test_the_error_lists_every_refusal_and_a_way_for_every_system(machine):
    first = machine.compiler("first", targets=())
    second = put(machine.root / "second" / "rustc", PROXY_WITHOUT_TOOLCHAIN)
    machine.append_path(second.parent)
    with pytest.raises(ToolchainError) as caught:
        find_rust()
    assert str(first.rustc) in caught.value.message
    assert str(second) in caught.value.message
    for words in (
        "wasm-lab doctor --fix",
        "rustup target add wasm32-wasip1 wasm32-wasip2",
        "Debian, Ubuntu",
        "Fedora",
        "macOS",
        "Windows",
    ):
        assert words in caught.value.hint


def test_an_empty_machine_is_told_that_nothing_was_found(machine):
    with pytest.raises(ToolchainError, match="No Rust compiler was found"):
        find_rust()


def test_the_order_of_the_search(machine, monkeypatch):
    def found() -> Path:
        return find_rust().rustc

    stable = machine.compiler(
        "x", on_path=False, root=machine.home / ".rustup" / "toolchains" / "stable-x86_64-unknown-linux-gnu"
    )
    machine.compiler("x", on_path=False, root=machine.home / ".rustup" / "toolchains" / "nightly-x")
    assert found() == stable.rustc
    on_path = machine.compiler("on-path")
    assert found() == on_path.rustc
    own = machine.compiler(
        "x", on_path=False, root=machine.root / "own" / "rustup" / "toolchains" / "1.99.1-x"
    )
    assert found() == own.rustc
    named = machine.compiler("named", on_path=False)
    monkeypatch.setenv("RUSTC", str(named.rustc))
    assert found() == named.rustc
    monkeypatch.setenv("RUSTC", "/no/such/rustc")
    assert found() == own.rustc


class TestRemembering:
    def test_a_second_search_runs_nothing(self, machine):
        compiler = machine.compiler("good")
        find_rust()
        calls = compiler.calls
        assert calls
        find_rust()
        assert compiler.calls == calls

    def changed_compiler(self, machine, compiler):
        compiler.rustc.write_text(compiler.rustc.read_text() + "# updated\n")

    def changed_library(self, machine, compiler):
        (compiler.root / "lib" / "rustlib" / "wasm32-wasip1" / "lib" / "libstd-0123.rlib").unlink()
        (compiler.root / "lib" / "rustlib" / "wasm32-wasip1" / "lib" / "libstd-4567.rlib").touch()

    def changed_driver(self, machine, compiler):
        (compiler.root / "lib" / "librustc_driver-4567.so").touch()

    def earlier_candidate(self, machine, compiler):
        put(machine.path[0] / "rustc", PROXY_WITHOUT_TOOLCHAIN)

    def damaged_memory(self, machine, compiler):
        (file,) = (machine.root / "cache" / "toolchains").glob("*.json")
        file.write_bytes(file.read_bytes()[:-20])

    def foreign_memory(self, machine, compiler):
        (file,) = (machine.root / "cache" / "toolchains").glob("*.json")
        file.write_text("[1, 2]")

    def incomplete_memory(self, machine, compiler):
        (file,) = (machine.root / "cache" / "toolchains").glob("*.json")
        content = json.loads(file.read_text())
        del content["answer"]["sysroot"]
        file.write_text(json.dumps(content))

    def changed_environment(self, machine, compiler):
        machine.monkeypatch.setenv("RUSTUP_TOOLCHAIN", "nightly")

    @pytest.mark.parametrize(
        "change",
        [
            changed_compiler,
            changed_library,
            changed_driver,
            earlier_candidate,
            damaged_memory,
            foreign_memory,
            incomplete_memory,
            changed_environment,
        ],
    )
    def test_it_looks_again_after(self, machine, change):
        compiler = machine.compiler("good")
        assert find_rust().rustc == compiler.rustc
        calls = compiler.calls
        change(self, machine, compiler)
        assert find_rust().rustc == compiler.rustc
        assert len(compiler.calls) > len(calls)

    def test_another_default_toolchain_of_rustup(self, machine):
        first = machine.compiler("first", on_path=False)
        second = machine.compiler("second", on_path=False)
        proxy = machine.home / ".cargo" / "bin" / "rustc"
        settings = machine.home / ".rustup" / "settings.toml"
        put(settings, "default_toolchain = 'first'", 0o644)
        put(proxy, f'#!/bin/sh\nread -r line < "{machine.root}/default"\nexec "$line" "$@"\n')
        (machine.root / "default").write_text(f"{first.rustc}\n")
        assert find_rust().rustc == first.rustc
        (machine.root / "default").write_text(f"{second.rustc}\n")
        put(settings, "default_toolchain = 'second'", 0o644)
        assert find_rust().rustc == second.rustc

    def test_a_compiler_that_is_gone(self, machine):
        compiler = machine.compiler("good")
        find_rust()
        compiler.rustc.unlink()
        with pytest.raises(ToolchainError):
            find_rust()

    def test_a_failure_is_not_remembered(self, machine):
        compiler = machine.compiler("late", targets=())
        with pytest.raises(ToolchainError):
            find_rust()
        compiler.give_target("wasm32-wasip1")
        assert find_rust().rustc == compiler.rustc

    def test_a_cache_that_cannot_be_written_only_costs_time(self, machine, monkeypatch):
        blocked = put(machine.root / "a-file", "", 0o644)
        monkeypatch.setenv("WASM_LAB_CACHE", str(blocked / "cache"))
        compiler = machine.compiler("good")
        assert find_rust().rustc == compiler.rustc
        assert find_rust().rustc == compiler.rustc

    def test_old_answers_are_forgotten(self, machine, monkeypatch):
        monkeypatch.setattr("wasm_lab.toolchains.memory.KEEP", 3)
        machine.compiler("good")
        for number in range(6):
            monkeypatch.setenv("RUSTUP_TOOLCHAIN", str(number))
            find_rust()
        assert len(list((machine.root / "cache" / "toolchains").iterdir())) == 3
