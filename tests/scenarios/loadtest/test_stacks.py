"""The real stacks: built, asked, loaded for a moment, and ended, through the command."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from wasm_lab.errors import BuildError, ToolchainError
from wasm_lab.measure.store import Measurements
from wasm_lab.scenarios.loadtest import STACKS, Figure, chosen, component
from wasm_lab.scenarios.loadtest.workshop import KIND, Workshop
from wasm_lab.toolchains import go, wasmtime_cli, wrk
from wasm_lab.twins.ready import samples_folder

LAB = [sys.executable, "-P", "-c", "from wasm_lab.cli import main; main()", "loadtest"]
LONGEST_S = 550

#: What scripts/test_tools.py gets, or the lab itself; Go is measured where it is.
SURE = {"node", "actix", "spin", "wasmtime", "wasmedge"}


def loadtest(*words: str) -> Any:
    done = subprocess.run([*LAB, *words], capture_output=True, text=True, timeout=LONGEST_S)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
@pytest.mark.parametrize("name", [stack.name for stack in STACKS])
def test_each_stack_answers_rightly_and_takes_a_load(name: str, tmp_path: Path) -> None:
    """One by one, since a first build takes minutes; that stacks take turns is tested without building."""
    samples, page = tmp_path / "load.csv", tmp_path / "load.html"
    words = ("--connections", "1,8", "--seconds", "1", "--rounds", "1", "--json")
    if name not in SURE and chosen((name,))[0].missing():
        done = subprocess.run([*LAB, name], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1
        assert "To get it" in done.stderr
        return
    report = json.loads(loadtest(*words, "--save", str(samples), "--html", str(page), name).stdout)
    (stack,) = report["stacks"]
    assert stack["name"] == name
    assert report["not_measured"] == {}
    assert report["answers_compared"] >= 10
    kept = Measurements.load(samples)
    assert kept.values_of("subject") == (stack["title"],)
    for load in ("1 connection", "8 connections"):
        (throughput,) = kept.where(phase=Figure.THROUGHPUT.value, input=load)
        (p50,) = kept.where(phase=Figure.P50.value, input=load)
        (p99,) = kept.where(phase=Figure.P99.value, input=load)
        (failed,) = kept.where(phase=Figure.FAILED.value, input=load)
        assert throughput.value > 10
        assert 0 < p50.value <= p99.value
        assert failed.value == 0
    assert kept.where(phase=Figure.COLD_START.value).samples
    (deployed,) = kept.where(phase=Figure.DEPLOYED.value)
    assert deployed.value > 10_000
    if sys.platform == "linux":
        assert kept.where(phase=Figure.PSS.value).samples
        (whole,) = kept.where(phase=Figure.WITH_RUNTIME.value)
        assert whole.value >= deployed.value
    assert page.read_text().startswith("<!doctype html>")


@pytest.mark.slow
def test_an_interrupt_keeps_what_was_measured_and_leaves_no_server() -> None:
    loadtest("--prepare", "node")
    words = ("--connections", "1", "--seconds", "1", "--rounds", "50", "--json", "node")
    process = subprocess.Popen([*LAB, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lab = psutil.Process(process.pid)
    until = time.monotonic() + LONGEST_S
    # A second load of wrk means that a first was measured.
    seen: set[int] = set()
    children: list[psutil.Process] = []
    while len(seen) < 4 and time.monotonic() < until:
        children = lab.children(recursive=True)
        for each in children:
            try:
                if Path(each.exe()).name.startswith(("wrk", "ld-linux")) and "mix.lua" in " ".join(
                    each.cmdline()
                ):
                    seen.add(each.pid)
            except psutil.Error:
                continue
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    report = json.loads(out)
    assert report["interrupted"]
    assert any(one["phase"] == "throughput" for one in report["summaries"])
    _, left = psutil.wait_procs(children, timeout=60)
    assert left == []


@pytest.mark.slow
def test_prepare_builds_once_and_says_what_is_ready() -> None:
    first = json.loads(loadtest("--prepare", "--json", "node", "wasmtime").stdout)
    assert [each["name"] for each in first["ready"]] == ["node", "wasmtime"]
    assert json.loads(loadtest("--prepare", "--json", "node", "wasmtime").stdout) == first


@pytest.mark.slow
def test_the_component_imports_only_what_a_plain_host_has() -> None:
    wasm = component.component(Workshop())
    from wasm_lab.build.wasm_tools import wasm_tools

    wit = wasm_tools(["component", "wit"], wasm).decode()
    assert "export wasi:http/incoming-handler@0.2" in wit
    assert "fermyon" not in wit


def test_each_stack_is_named_once_and_can_be_asked_what_it_lacks() -> None:
    assert len({stack.name for stack in STACKS}) == len(STACKS) == 6
    for stack in chosen():
        why = stack.missing()
        assert why == "" or "get it" in why or "has them" in why or "have it" in why


def test_a_lock_file_has_checksums_and_no_addresses() -> None:
    folder = samples_folder() / KIND / "node"
    lock = json.loads((folder / "package-lock.json").read_text())
    wanted = json.loads((folder / "package.json").read_text())["dependencies"]
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert packages["node_modules/express"]["version"] == wanted["express"]
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    assert "://" not in (folder / "package-lock.json").read_text()


def test_what_cannot_be_built_says_why_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WASM_LAB_CACHE", str(tmp_path))
    told: list[str] = []
    workshop = Workshop(lambda what, _done, _total: told.append(what))

    def make(folder: Path) -> None:
        assert (folder / "go" / "main.go").exists()
        words = [sys.executable, "-c", "import sys; sys.exit('no compiler today')"]
        workshop.run("the build", words, folder)

    for _ in range(2):
        with pytest.raises(BuildError, match=r"the build failed with status 1.*\nno compiler today"):
            workshop.made("It", ["go"], [], make)
    assert told == ["the build", "the build"]
    assert not list(tmp_path.rglob("main.go"))


def test_what_was_built_is_not_built_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WASM_LAB_CACHE", str(tmp_path))
    made: list[Path] = []
    for parts in (["1"], ["1"], ["2"]):
        Workshop().made("It", ["go"], parts, made.append)
    assert len(made) == len(set(made)) == 2


def test_finding_a_wasmtime_that_cannot_serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WASM_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WASM_LAB_TOOLCHAIN", str(tmp_path / "own"))
    old = tmp_path / "wasmtime"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo wasmtime 1.0.0 || exit 2\n')
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert wasmtime_cli.find_wasmtime_cli() is None
    assert "No wasmtime that can serve" in wasmtime_cli.wasmtime_cli_missing()
    old.write_text("#!/bin/sh\necho wasmtime-cli 49.0.1 \n")
    found = wasmtime_cli.find_wasmtime_cli()
    assert found is not None
    assert (found.program, found.version) == (old, "49.0.1")


def test_an_old_go_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WASM_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WASM_LAB_TOOLS", str(tmp_path / "tools"))
    monkeypatch.setattr(go, "USUAL", tmp_path / "nothing")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert go.find_go() is None
    assert "No go is on PATH" in go.go_missing()
    old = tmp_path / "go"
    old.write_text("#!/bin/sh\necho go version go1.19.8 linux/amd64\n")
    old.chmod(0o755)
    assert go.find_go() is None
    assert "is Go 1.19.8, and 1.22 or later is needed" in go.go_missing()


def test_without_wrk_nothing_is_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WASM_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WASM_LAB_TOOLS", str(tmp_path / "tools"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert wrk.find_wrk() is None
    from wasm_lab.scenarios.loadtest import load_test

    with pytest.raises(ToolchainError, match="generates load") as caught:
        load_test()
    assert "apt install wrk" in caught.value.hint
    assert not list(tmp_path.rglob("complete"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--connections", "one"], "is no list of numbers"),
        (["--connections", "0"], "at least one connection"),
        (["nginx"], "There is no stack 'nginx'"),
        (["--save", "load.txt"], "does not say how samples are written"),
        (["--seconds", "0"], "--seconds"),
    ],
)
def test_wrong_usage(words: list[str], told: str) -> None:
    done = subprocess.run([*LAB, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert told in done.stderr


def test_help_has_examples() -> None:
    done = subprocess.run([*LAB, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "wasm-lab loadtest --quick" in done.stdout
    assert all(stack.name in done.stdout for stack in STACKS)
