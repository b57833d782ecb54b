"""Machines made up for a test: an empty home, an empty PATH, and compilers that are scripts."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from wasm_lab.toolchains import rust

if TYPE_CHECKING:
    from pathlib import Path

VERSION = "rustc 1.90.0 (0123456789 2025-09-14)"

RUSTC = """#!/bin/sh
echo "$*" >> "{root}/calls"
echo "$RUSTUP_AUTO_INSTALL" > "{root}/auto-install"
case "$*" in
"--print sysroot") echo "{root}" ;;
"-vV") printf '{version}\\nbinary: rustc\\nhost: x86_64-unknown-linux-gnu\\n' ;;
"--print target-libdir --target "*) echo "{root}/lib/rustlib/$4/lib" ;;
*) {compile} ;;
esac
"""


@dataclass
class Compiler:
    """A script that answers as rustc does, with a sysroot of its own."""

    root: Path
    bin: Path = field(init=False)

    def __post_init__(self) -> None:
        self.bin = self.root / "bin"

    @property
    def rustc(self) -> Path:
        return self.bin / "rustc"

    @property
    def calls(self) -> list[str]:
        file = self.root / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def give_target(self, target: str) -> None:
        libdir = self.root / "lib" / "rustlib" / target / "lib"
        libdir.mkdir(parents=True)
        (libdir / "libstd-0123.rlib").touch()


@dataclass
class Machine:
    """What a test puts on an otherwise empty machine."""

    root: Path
    home: Path
    path: list[Path]
    monkeypatch: pytest.MonkeyPatch

    def compiler(
        self,
        name: str,
        *,
        targets: tuple[str, ...] = ("wasm32-wasip1", "wasm32-wasip2"),
        on_path: bool = True,
        version: str = VERSION,
        compile: str = "exit 0",
        root: Path | None = None,
    ) -> Compiler:
        compiler = Compiler(root or self.root / name)
        compiler.bin.mkdir(parents=True)
        script(compiler.rustc, RUSTC.format(root=compiler.root, version=version, compile=compile))
        (compiler.root / "lib" / "rustlib").mkdir(parents=True)
        for target in targets:
            compiler.give_target(target)
        if on_path:
            self.append_path(compiler.bin)
        return compiler

    def append_path(self, folder: Path) -> None:
        self.path.append(folder)
        self.monkeypatch.setenv("PATH", ":".join(map(str, self.path)))


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine without any compiler: nothing on PATH but the few tools that the scripts call."""
    for name in ("RUSTC", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "CARGO_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("WASM_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WASM_LAB_TOOLCHAIN", str(tmp_path / "own"))
    monkeypatch.setattr(rust, "USUAL_FOLDERS", ())
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "mkdir", "touch", "cp", "chmod", "sleep"):
        found = shutil.which(name)
        assert found, name
        (tools / name).symlink_to(found)
    machine = Machine(tmp_path, home, [], monkeypatch)
    machine.append_path(tools)
    return machine
