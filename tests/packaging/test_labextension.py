"""The JupyterLab extension: where Jupyter looks for it, and whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import plotly

from wasm_lab import __version__

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "lab" / "labextension"
PLACE = Path(sys.prefix) / "share" / "jupyter" / "labextensions" / "wasm-lab"


def test_it_has_the_version_of_the_package():
    assert json.loads((SOURCE / "package.json").read_text())["version"] == __version__


def test_what_it_loads_is_there():
    build = json.loads((SOURCE / "package.json").read_text())["jupyterlab"]["_build"]
    assert (SOURCE / build["load"]).is_file()


def test_what_is_installed_is_what_is_here():
    for path in ("package.json", "static/remoteEntry.js"):
        assert (PLACE / path).read_bytes() == (SOURCE / path).read_bytes(), "run: make setup"


def test_plotly_js_beside_it_is_that_of_the_installed_plotly():
    found = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    assert (PLACE / "static" / "plotly.min.js").read_bytes() == found.read_bytes(), "run: make setup"


def test_jupyter_lists_it_as_enabled(tmp_path):
    # The settings of whoever runs the tests may have turned it off.
    env = os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTER_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "jupyter", "labextension", "list"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "wasm-lab" in line]
    assert len(lines) == 1
    for word in (f"v{__version__}", "enabled", "OK"):
        assert word in lines[0]
