"""Installing a compiler: which way is taken, what is left alone, and what is said when none works."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from wasm_lab.errors import ToolchainError
from wasm_lab.source import Target
from wasm_lab.toolchains import install, pypi
from wasm_lab.toolchains.install import PINNED_RUST, ensure_rust
from wasm_lab.toolchains.rust import find_rust

ROOT = Path(__file__).parents[2]

#: Does what rustup does with a toolchain that is a folder of scripts.
RUSTUP = """#!/bin/sh
echo "$* RUSTUP_HOME=$RUSTUP_HOME RUSTUP_TOOLCHAIN=$RUSTUP_TOOLCHAIN" >> "{log}"
case "$*" in
"--version") echo "rustup 1.29.0" ;;
"show active-toolchain") {active} ;;
"run stable rustc "*) shift; shift; shift; exec "{toolchain}/bin/rustc" "--print" "sysroot" ;;
"target add --toolchain stable "*) {add} ;;
"toolchain install "*) {install} ;;
*) echo "error: not expected: $*" >&2; exit 64 ;;
esac
"""


class Rustup:
    """A fake rustup, and the log of what it was asked."""

    def __init__(self, machine, *, active="echo 'stable (default)'", add=None, install="exit 70"):
        self.toolchain = machine.compiler("toolchain", targets=(), on_path=False)
        self.log = machine.root / "rustup.log"
        lib = self.toolchain.root / "lib" / "rustlib"
        given = " && ".join(
            f'mkdir -p "{lib}/{target}/lib" && touch "{lib}/{target}/lib/libstd-0.rlib"' for target in Target
        )
        self.path = machine.home / ".cargo" / "bin" / "rustup"
        self.path.parent.mkdir(parents=True)
        text = RUSTUP.format(
            log=self.log, toolchain=self.toolchain.root, active=active, add=add or given, install=install
        )
        self.path.write_text(text)
        self.path.chmod(0o755)
        proxy = self.path.with_name("rustc")
        proxy.write_text(f'#!/bin/sh\nexec "{self.toolchain.rustc}" "$@"\n')
        proxy.chmod(0o755)

    @property
    def asked(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


def own_toolchain(machine) -> str:
    """What a fake `rustup toolchain install` does: put a compiler into RUSTUP_HOME."""
    template = machine.compiler(
        "template", on_path=False, root=machine.root / "own" / "rustup" / "toolchains" / PINNED_RUST
    )
    # Its scripts name the folder in which they are to be; until then it lies aside.
    hidden = machine.root / "template"
    template.root.rename(hidden)
    return f'mkdir -p "$RUSTUP_HOME/toolchains" && cp -r "{hidden}" "$RUSTUP_HOME/toolchains/{PINNED_RUST}"'


def test_nothing_is_done_where_a_compiler_is(machine):
    compiler = machine.compiler("good")
    rustup = Rustup(machine)
    said = []
    assert ensure_rust(progress=said.append).rustc == compiler.rustc
    assert said == []
    assert rustup.asked == []


def test_looking_only(machine):
    rustup = Rustup(machine)
    with pytest.raises(ToolchainError, match="without the standard library"):
        ensure_rust(install=False)
    assert rustup.asked == []


def test_the_users_toolchain_is_given_the_targets(machine):
    rustup = Rustup(machine)
    said = []
    assert ensure_rust(progress=said.append).rustc == rustup.toolchain.rustc
    assert find_rust(Target.WASIP2).rustc == rustup.toolchain.rustc
    assert said == [
        "Adding wasm32-wasip1 and wasm32-wasip2 to the Rust toolchain stable (rustup target add)",
    ]
    assert not (machine.root / "own").exists()


def test_only_the_targets_asked_for(machine):
    rustup = Rustup(machine)
    ensure_rust([Target.WASIP2])
    added = [line for line in rustup.asked if line.startswith("target add")]
    assert [line.split(" RUSTUP_HOME")[0] for line in added] == [
        "target add --toolchain stable wasm32-wasip2"
    ]


def test_a_rustup_that_cannot_be_changed_is_left_for_a_toolchain_of_our_own(machine, monkeypatch):
    monkeypatch.setenv("RUSTUP_TOOLCHAIN", "stable")
    rustup = Rustup(
        machine,
        add="echo 'error: could not create folder: Read-only file system' >&2; exit 1",
        install=own_toolchain(machine),
    )
    said = []
    found = ensure_rust(progress=said.append)
    assert found.rustc.is_relative_to(machine.root / "own")
    (asked,) = [line for line in rustup.asked if line.startswith("toolchain install")]
    assert f"toolchain install {PINNED_RUST} --profile minimal" in asked
    assert "--target=wasm32-wasip1 --target=wasm32-wasip2 --no-self-update" in asked
    assert f"RUSTUP_HOME={machine.root / 'own' / 'rustup'}" in asked
    assert asked.endswith("RUSTUP_TOOLCHAIN=")  # the user's choice is for the user's toolchains
    assert any(str(machine.root / "own") in line for line in said)


def test_a_rustup_without_a_toolchain_is_used_for_one_of_our_own(machine):
    rustup = Rustup(
        machine,
        active="echo 'error: no active toolchain' >&2; exit 1",
        install=own_toolchain(machine),
    )
    ensure_rust()
    assert not any(line.startswith("target add") for line in rustup.asked)


def test_a_toolchain_too_old_is_not_given_targets(machine):
    rustup = Rustup(machine, install=own_toolchain(machine))
    rustup.toolchain.rustc.write_text("#!/bin/sh\necho 'error: edition 2024 is unstable' >&2; exit 1\n")
    ensure_rust()
    assert not any(line.startswith("target add") for line in rustup.asked)


def test_when_every_way_fails_each_is_told(machine):
    Rustup(
        machine,
        add="echo 'error: no network' >&2; exit 1",
        install="echo 'error: no disk left' >&2; exit 1",
    )
    with pytest.raises(ToolchainError) as caught:
        ensure_rust()
    assert "no network" in caught.value.message
    assert "no disk left" in caught.value.message
    assert "sudo apt install" in caught.value.hint


def test_a_folder_that_cannot_be_written_is_named(machine, monkeypatch):
    blocked = machine.root / "a-file"
    blocked.touch()
    monkeypatch.setenv("WASM_LAB_TOOLCHAIN", str(blocked / "rust"))
    with pytest.raises(ToolchainError, match="WASM_LAB_TOOLCHAIN") as caught:
        ensure_rust()
    assert str(blocked) in caught.value.message


def test_an_installer_that_hangs_is_ended(machine, monkeypatch):
    monkeypatch.setattr(install, "INSTALL_TIMEOUT_S", 0.3)
    Rustup(machine, add="exec sleep 60", install="exec sleep 60")
    with pytest.raises(ToolchainError, match="ended with status"):
        ensure_rust()


def test_the_pinned_rustup_is_named_alike_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["optional-dependencies"]["toolchain"] == [f"rustup=={pypi.version_of('rustup')}"]


@pytest.mark.parametrize("name", ["rustup", "ziglang"])
def test_what_comes_from_pypi_is_fixed_with_checksums_and_no_address(name):
    text = pypi.requirement_file(name).read_text()
    assert re.findall(r"^\w+==\S+", text, re.MULTILINE) == [f"{name}=={pypi.version_of(name)}"]
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", text)) > 5
    assert "://" not in text


@pytest.mark.slow
def test_from_nothing_by_the_pypi_package(machine, tmp_path):
    """The whole way, for real: 0.2 GB of download, 0.8 GB on the disk while it runs."""
    before = set(machine.home.iterdir())
    said: list[str] = []
    found = ensure_rust(progress=said.append)
    assert found.version.startswith(f"rustc {PINNED_RUST} ")
    assert found.rustc.is_relative_to(tmp_path / "own")
    assert pypi.unpacked("rustup")
    assert any("from PyPI" in line for line in said)
    assert found.cargo is not None
    source = tmp_path / "hello.rs"
    source.write_text('fn main() { println!("hello") }')
    wasm = tmp_path / "hello.wasm"
    command = [found.rustc, source, "--target", "wasm32-wasip1", "-o", wasm]
    subprocess.run(command, check=True, timeout=60, env=os.environ)
    assert wasm.read_bytes()[:4] == b"\0asm"
    assert set(machine.home.iterdir()) - before <= {machine.home / ".cache"}  # pip's own
    # The second time nothing is installed.
    said.clear()
    assert ensure_rust(progress=said.append) == found
    assert said == []
