"""Zig: the one on PATH where its version fits, the lab's own otherwise, and a plain word when there is none."""

from __future__ import annotations

import subprocess
import sys

import pytest

from wasm_lab.errors import ToolchainError
from wasm_lab.toolchains import doctor, pypi, zig
from wasm_lab.toolchains.commands import CommandError


def put(machine, version: str):
    path = machine.root / "tools" / "zig"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {version}\n")
    path.chmod(0o755)
    machine.monkeypatch.setenv("PATH", str(path.parent), prepend=":")
    return path


def test_one_on_path_is_taken_when_its_version_fits(machine):
    path = put(machine, f"{zig.wanted_version()}.3")
    found = zig.find_zig()
    assert found is not None
    assert (found.program, found.version) == (path, f"{zig.wanted_version()}.3")


def test_one_of_another_version_is_not(machine):
    put(machine, "0.9.1")
    assert zig.find_zig() is None
    [row] = doctor._zig_row()
    assert (row.found, row.ok) == (True, False)
    assert zig.wanted_version() in row.note
    assert "PyPI" in row.how


def test_the_labs_own_is_found_once_it_is_unpacked(machine):
    assert zig.find_zig() is None
    program = pypi._home("ziglang") / "ziglang" / "zig"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho {zig.wanted_version()}.0\n")
    program.chmod(0o755)
    pypi._mark("ziglang").touch()
    found = zig.find_zig()
    assert found is not None
    assert found.program == program


def test_it_is_got_when_it_is_needed_and_a_failure_is_explained(machine, monkeypatch):
    def fail(name, say):
        raise CommandError("no network")

    monkeypatch.setattr(pypi, "unpack", fail)
    said = []
    with pytest.raises(ToolchainError, match="could not be got: no network") as refused:
        zig.ensure_zig(said.append)
    assert "100 MB" in said[0]
    assert "on PATH" in refused.value.hint


def test_to_look_for_pip_takes_nothing_from_this_process(machine):
    """setuptools' hook hears of every search for pip, and then leaves its own distutils out."""
    script = """
from wasm_lab.toolchains import pypi

def follow(command, *rest, **more):
    pypi._home("ziglang").mkdir(parents=True)
    print(*command[1:3])

pypi.follow = follow
pypi.unpack("ziglang", lambda line: None)
import setuptools, distutils
print(distutils.__file__)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    asked, distutils = done.stdout.splitlines()
    assert asked == "-m pip"
    assert "_distutils" in distutils
