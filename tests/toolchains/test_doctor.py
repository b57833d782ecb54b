"""The doctor's rows: what is found, what is broken, and whether the main job can run."""

from __future__ import annotations

import importlib.metadata
import sys
import time

import pytest

from wasm_lab.toolchains import doctor
from wasm_lab.toolchains.doctor import PACKAGES, PROGRAMS, Package, Program, Report, Row, examine


def rows(report: Report) -> dict[str, Row]:
    return {row.name: row for row in report.rows}


def script(machine, name: str, text: str):
    path = machine.root / "tools" / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_here_the_main_job_can_run():
    report = examine()
    assert report.ok, report.missing
    found = rows(report)
    assert found["wasmtime"].version == importlib.metadata.version("wasmtime")
    for name in ("rustc for wasm32-wasip1", "rustc for wasm32-wasip2", "cargo"):
        assert found[name].ok, found[name]
        assert found[name].version.startswith("1.")


def test_every_row_says_what_it_is_for_and_how_to_get_it():
    names = [row.name for row in examine().rows]
    assert len(names) == len(set(names))
    assert set(names) >= {package.name for package in PACKAGES} | {program.name for program in PROGRAMS}
    for entry in (*PACKAGES, *PROGRAMS):
        assert entry.purpose
        assert entry.how


def test_without_a_compiler_the_main_job_cannot_run(machine):
    report = examine()
    found = rows(report)
    assert not report.ok
    assert [row.name for row in report.missing] == ["rustc for wasm32-wasip1"]
    assert "wasm-lab doctor --fix" in found["rustc for wasm32-wasip1"].how
    assert not found["cargo"].found
    assert not found["host linker"].ok


def test_a_missing_optional_tool_does_not_matter(machine):
    machine.compiler("good")
    report = examine()
    assert not rows(report)["wasmedge"].found
    assert report.ok


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("echo v20.20.2", "20.20.2"),
        ("echo 'wasm-opt version 108 (version_108)'", "108"),
        ("echo 'go version go1.26.8 linux/amd64'", "1.26.8"),
        ("echo 'Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc'", "7.0.15"),
        ("echo 'postgres (PostgreSQL) 15.18'", "15.18"),
        ("echo 'wasmedge version 0.14.1-rc.2' >&2", "0.14.1-rc.2"),
        ("echo no number", "unknown"),
    ],
)
def test_the_version_that_a_program_tells(machine, said, version):
    path = script(machine, "tool", said)
    row = doctor._program_row(Program("tool", "a test", "no way", ("other", "tool")))
    assert (row.found, row.ok, row.version, row.path) == (True, True, version, str(path))


def test_a_broken_program_is_found_and_not_ok(machine):
    script(machine, "tool", "echo 'tool: cannot open shared object file' >&2; exit 127")
    row = doctor._program_row(Program("tool", "a test", "no way", ("tool",)))
    assert row.found
    assert not row.ok
    assert "`: tool: cannot open shared object file" in row.note


def test_a_program_that_hangs_is_given_up(machine, monkeypatch):
    monkeypatch.setattr(doctor, "VERSION_TIMEOUT_S", 0.3)
    script(machine, "tool", "exec sleep 60")
    start = time.monotonic()
    row = doctor._program_row(Program("tool", "a test", "no way", ("tool",)))
    assert time.monotonic() - start < 30
    assert row.found
    assert not row.ok
    assert "did not answer within 0.3 s" in row.note


def test_a_package_that_cannot_be_imported_is_not_ok():
    name = "pytest"  # any that is installed; the module is what fails
    row = doctor._package_row(Package(name, "a test", "no way", required=True, module="no_such_module"))
    assert row.found
    assert not row.ok
    assert row.note == "ModuleNotFoundError: No module named 'no_such_module'"
    assert not Report((row,)).ok


def test_a_package_that_is_not_there():
    row = doctor._package_row(Package("no-such-distribution", "a test", "pip install it"))
    assert not row.found
    assert not row.ok
    assert row.how == "pip install it"


def test_it_runs_its_probes_side_by_side(machine, monkeypatch):
    slow = tuple(Program(f"slow{n}", "a test", "no way", (f"slow{n}",)) for n in range(8))
    for program in slow:
        script(machine, program.name, "sleep 2; echo 1.0")
    monkeypatch.setattr(doctor, "PROGRAMS", slow)
    monkeypatch.setattr(doctor, "PACKAGES", ())
    start = time.monotonic()
    report = examine()
    assert time.monotonic() - start < 8 * 2
    assert all(rows(report)[program.name].ok for program in slow)


def test_the_row_of_python_is_this_one():
    assert rows(examine())["python"].path == sys.executable


def test_every_compiler_of_cells_in_other_languages_has_a_row():
    assert {"zig", "go", "componentize-py", "componentize-js"} <= set(rows(examine()))
