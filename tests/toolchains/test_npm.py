"""Packages from npm: pinned, whole or not there, one installation at a time, failures in plain words."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import pytest

from wasm_lab.toolchains import npm
from wasm_lab.toolchains.commands import CommandError

from .conftest import script

TOOLCHAINS = Path(npm.__file__).parent

#: Does what `npm ci` does, as far as the lab sees it.
NPM = """#!/bin/sh
echo "$*" >> "{log}"
for word in "$@"; do case "$word" in --prefix=*) folder=${{word#--prefix=}} ;; esac; done
{does}
"""
WORKS = 'mkdir -p "$folder/node_modules/tool"; touch "$folder/node_modules/tool/tool"; echo "added 1 package"'


@pytest.fixture
def registry(machine, monkeypatch, tmp_path):
    """A machine with a Node.js and an npm; gives what sets how that npm behaves."""
    lock = {
        "name": "wasm-lab-tool",
        "version": "0.0.0",
        "lockfileVersion": 3,
        "packages": {
            "": {
                "name": "wasm-lab-tool",
                "version": "0.0.0",
                "optionalDependencies": {"tool": "1.2.3", "other": "1.2.3"},
            },
            "node_modules/tool": {
                "version": "1.2.3",
                "integrity": "sha512-x",
                "optional": True,
                "os": [sys.platform],
            },
            "node_modules/other": {
                "version": "1.2.3",
                "integrity": "sha512-y",
                "optional": True,
                "os": ["plan9"],
            },
        },
    }
    file = tmp_path / "tool.npm.json"
    file.write_text(json.dumps(lock))
    monkeypatch.setattr(npm, "lock_file", lambda name: file)
    bin = tmp_path / "bin"
    script(bin / "node", "#!/bin/sh\necho v20.1.0\n")
    machine.append_path(bin)
    monkeypatch.setenv("WASM_LAB_TOOLS", str(tmp_path / "no-tools"))
    log = tmp_path / "npm.log"

    def behave(does: str) -> Path:
        script(bin / "npm", NPM.format(log=log, does=does))
        return log

    return behave


def test_installed_once_and_found_again(registry):
    log = registry(WORKS)
    said: list[str] = []
    assert npm.installed("tool") is None
    package = npm.install("tool", said.append)
    assert package.path("tool/tool").exists()
    assert npm.install("tool", said.append) == package == npm.installed("tool")
    assert len(log.read_text().splitlines()) == 1
    assert "Installing tool 1.2.3 from npm" in said[0]
    assert "--ignore-scripts" in log.read_text()


def test_only_this_machines_program_and_no_longer_optional(registry):
    registry(WORKS)
    package = npm.install("tool", print)
    locked = json.loads((package.folder / "package-lock.json").read_text())["packages"]
    assert set(locked) == {"", "node_modules/tool"}
    assert "optional" not in locked["node_modules/tool"]
    assert json.loads((package.folder / "package.json").read_text())["dependencies"] == {"tool": "1.2.3"}


def test_a_failure_leaves_nothing(registry):
    registry('mkdir -p "$folder/node_modules"; echo "npm error code ENOTFOUND" >&2; exit 1')
    with pytest.raises(CommandError, match="cannot reach its registry"):
        npm.install("tool", print)
    assert npm.installed("tool") is None
    registry(WORKS)
    assert npm.install("tool", print).path("tool/tool").exists()
    home = npm.install("tool", print).folder
    assert [each.name for each in home.parent.iterdir()] == [home.name]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("npm error code EINTEGRITY", "checksum differs"),
        ("npm error code ETARGET", "does not have tool 1.2.3"),
        ("npm error code ENOSPC", "disk is full"),
        ("npm error Something else", "Something else"),
    ],
)
def test_why_it_failed(registry, said, told):
    registry(f'echo "{said}" >&2; exit 1')
    with pytest.raises(CommandError, match=told):
        npm.install("tool", print)


def test_two_at_once_install_once(registry):
    log = registry(f"sleep 0.3; {WORKS}")
    threads = [threading.Thread(target=npm.install, args=("tool", lambda line: None)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert npm.installed("tool")
    assert len(log.read_text().splitlines()) == 1


def test_without_npm_and_without_node(registry, machine, tmp_path):
    with pytest.raises(CommandError, match="no npm is on PATH"):
        npm.install("tool", print)
    (tmp_path / "bin" / "node").unlink()
    assert "No node is on PATH" in npm.npm_missing()


def test_a_machine_for_which_there_is_none(registry, monkeypatch):
    registry(WORKS)
    monkeypatch.setattr(npm, "_system", lambda: "haiku")
    with pytest.raises(CommandError, match="no tool for haiku"):
        npm.install("tool", print)


@pytest.mark.parametrize("lock", sorted(TOOLCHAINS.glob("*.npm.json")), ids=lambda path: path.name)
def test_the_lab_s_own_locks_pin_everything_and_name_no_registry(lock):
    packages = json.loads(lock.read_text())["packages"]
    for name, package in packages.items():
        if name:
            assert package["integrity"].startswith("sha512-"), name
            assert "resolved" not in package, name
    for kind in ("dependencies", "optionalDependencies"):
        for version in packages[""].get(kind, {}).values():
            assert version[0].isdigit(), "an exact version"
    assert "https://registry" not in lock.read_text()
