"""The script that gets the tools for the slow tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wasm_lab.toolchains import control_plane
from wasm_lab.toolchains.servers import find_postgres

SCRIPT = Path(__file__).parents[2] / "scripts" / "test_tools.py"


def run(**changed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT)],
        env={**os.environ, **changed},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.slow
def test_with_everything_there_it_does_nothing():
    done = run(PATH=os.environ["PATH"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_where_it_can_do_nothing_it_says_what_is_missing_and_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("WASM_LAB_TOOLS", str(tmp_path))
    monkeypatch.setenv("WASM_LAB_CACHE", str(tmp_path))
    # Go is found without PATH, and would build Kubernetes for minutes.
    built = control_plane._target()
    built.parent.mkdir(parents=True)
    built.touch()
    done = run(PATH=str(tmp_path))
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[0] == (
        "test-tools: missing: hyperfine chromium. Run: sudo apt-get install hyperfine chromium"
    )
    servers = ["Redis"] if find_postgres() else ["Redis", "PostgreSQL"]  # which need not be on PATH
    unpacked = [line.split()[1] for line in lines if "so that it is on PATH" in line]
    assert unpacked == ["crun", "WasmEdge", "Node.js", "wrk", "skopeo", "containerd", *servers]
    assert list(tmp_path.glob("wasmedge*")) == []
