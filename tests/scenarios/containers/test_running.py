"""Containers run and measured for real, and bare processes where they cannot be. Root alone can run containers."""

import subprocess
import time
from pathlib import Path

import pytest

from wasm_lab.build import build
from wasm_lab.errors import MeasureError, ServiceError, UsageError
from wasm_lab.scenarios.containers import fellows, running, starting
from wasm_lab.scenarios.containers.image import wasm_image
from wasm_lab.scenarios.containers.measuring import Plan, measure_containers
from wasm_lab.scenarios.containers.report import AGREEMENTS, Figure
from wasm_lab.scenarios.containers.running import quantity, run_container
from wasm_lab.services import Containerd
from wasm_lab.source import Kind, Profile, Source
from wasm_lab.toolchains.containerd import not_root

root = pytest.mark.skipif(bool(not_root()), reason=not_root())
slow = pytest.mark.slow

HOG = "fn main() { let mut held = Vec::new(); for _ in 0..256 { held.push(vec![1u8; 1 << 20]); } }"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("32Mi", 32 << 20),
        ("1Gi", 1 << 30),
        ("1.5G", 1_500_000_000),
        ("7k", 7000),
        ("4096", 4096),
        (" 1Ki ", 1024),
    ],
)
def test_quantities_of_kubernetes(text, size):
    assert quantity(text) == size


@pytest.mark.parametrize("text", ["", "32MB", "32 Mi", "-1Mi", "Mi", "32m", "1e3", "0x10", "32mi"])
def test_what_is_no_quantity(text):
    with pytest.raises(UsageError, match="is no size") as caught:
        quantity(text)
    assert "Mi" in caught.value.hint
    assert ("thousandth" in caught.value.hint) == (text == "32m")


@pytest.mark.parametrize("crowd", [(3, 1), (2, 2), (0, 1)])
def test_crowds_that_do_not_grow(crowd):
    with pytest.raises(UsageError):
        Plan(crowd=crowd)


def test_an_unknown_form():
    with pytest.raises(UsageError, match="perl") as caught:
        measure_containers(["perl"])
    assert "wasm-compiled" in caught.value.hint


def test_where_no_container_can_run(monkeypatch):
    monkeypatch.setattr(Containerd, "missing", classmethod(lambda _: "for this test"))

    assert isinstance(starting.ground(), starting.Processes)
    with pytest.raises(ServiceError) as caught:
        run_container(Path("none.tar"), handler="runc")
    assert caught.value.hint == "for this test"


def test_too_small_a_limit_is_refused_before_anything_is_started():
    with pytest.raises(UsageError, match="too few"):
        run_container(Path("none.tar"), handler="runc", memory_limit_bytes=1 << 20)


def test_what_fails_is_not_measured_and_the_others_are(monkeypatch):
    real = starting.Processes._command

    def command(self, name):
        return ["/bin/false"] if name == "node" else real(self, name)

    monkeypatch.setattr(starting.Processes, "_command", command)
    report = measure_containers(["python", "node"], Plan(rounds=2, crowd=()), processes=True)

    assert [one.fellow.name for one in report.subjects] == ["python"]
    assert list(report.missing) == ["Node (a process)"]
    assert report.kind == "processes"
    assert report.summary(report.subjects[0].title, Figure.START).median > 0


def test_nothing_that_can_be_started(monkeypatch):
    monkeypatch.setattr(starting.Processes, "_command", lambda *_: ["/bin/false"])

    with pytest.raises(MeasureError, match="Nothing could be measured") as caught:
        measure_containers(["python"], Plan(rounds=1, crowd=()), processes=True)
    assert "Python" in caught.value.hint


def test_a_bare_process_ends_with_its_round():
    place = starting.Processes()
    with place:
        (python,) = [one for one in place.subjects()[0] if one.fellow.name == "python"]
        place.ready(python)
        before = time.time_ns()
        started = place.start(python)
        assert before < started.asked_ns < started.words_ns <= started.logged_ns < time.time_ns()
        assert started.weigh()["container"] > 1 << 20
        started.stop()
        assert started.weigh()["container"] == 0


@slow
@root
def test_a_module_under_a_limit_and_one_beyond_it():
    hog = build(Source(code=HOG, kind=Kind.PROGRAM, name="hog", profile=Profile.SIZE)).wasm
    limit = quantity("32Mi")
    lines = []
    with Containerd() as containerd:
        idle = wasm_image(fellows.module(), "localhost/test/idle:1")
        within = run_container(
            idle, timeout_s=0.5, memory_limit_bytes=limit, containerd=containerd, on_line=lines.append
        )
        beyond = run_container(
            wasm_image(hog, "localhost/test/hog:1"), memory_limit_bytes=limit, containerd=containerd
        )
        ended = run_container(idle, args=["exit"], containerd=containerd)
        foreign = run_container(idle, handler="runc", containerd=containerd)

    assert within.timed_out
    assert not within.killed_for_memory
    assert 1 << 20 < within.most_pss_bytes < limit
    assert [line.text for line in lines] == [line.text for line in within.output]
    assert beyond.killed_for_memory
    assert beyond.status.exit_code == 137
    assert beyond.memory_wall.startswith("cgroup v")
    assert (ended.status.exit_code, ended.timed_out) == (0, False)
    assert "exec format error" in foreign.text


@slow
@root
def test_who_floods_its_log_is_ended(monkeypatch):
    monkeypatch.setattr(running, "OUTPUT_BYTES", 1 << 20)
    text = 'fn main() { loop { println!("{}", "x".repeat(1000)); } }'
    flood = build(Source(code=text, kind=Kind.PROGRAM, name="flood", profile=Profile.SIZE)).wasm

    run = run_container(wasm_image(flood, "localhost/test/flood:1"), timeout_s=60)

    assert run.output_exceeded
    assert not run.timed_out
    assert run.status.exit_code == 137
    assert set(run.text) == {"x", "\n"}


@slow
@root
def test_containers_are_measured_beside_each_other(tmp_path):
    report = measure_containers(["wasm", "native"], Plan(rounds=3, crowd=(1, 2)))

    assert report.kind == "containers"
    assert report.missing == {}
    titles = [one.title for one in report.subjects]
    assert titles == ["Wasm (crun, WasmEdge)", "native (crun)", "native (runc)"]
    assert report.baseline == "native (crun)"
    for title in titles:
        start, pod = (report.summary(title, figure) for figure in (Figure.START, Figure.POD))
        assert 0 < start.median < pod.median
        assert start.processes == 3
        assert report.summary(title, Figure.CONTAINER).median > 1e5
        assert report.summary(title, Figure.SHIM).median > 1e6
        cost = report.cost(title, shims=False)
        assert 0 < cost.each_bytes < 100e6
        assert report.summary(title, Figure.COMPRESSED).median > 1e3
    assert {one.figure for one in report.agreements()} == set(AGREEMENTS)
    for one in report.agreements():
        assert one.n == 9
        # The runtime stamps before it answers, and reads a line after it was written.
        assert one.median_ns > 0
    report.measurements.save(tmp_path / "samples.jsonl")
    assert (tmp_path / "samples.jsonl").read_text().count("\n") == len(report.measurements)


@slow
@root
@pytest.mark.parametrize("name", ["python", "node", "wasm-compiled"])
def test_every_form_runs_in_a_container(name):
    (fellow,) = [one for one in fellows.FELLOWS if one.name == name]
    assert not fellow.missing(), "scripts/test_tools.py gets what it takes"
    handler = "crun-wasm" if fellow.annotations else "runc"

    run = run_container(fellows.archive(fellow).path, handler=handler, args=[fellows.EXIT], timeout_s=30)

    assert (run.status.exit_code, run.timed_out) == (0, False), run.text
    assert abs(int(run.text) - run.output[0].time_ns) < 10e9


def test_libraries_of_a_program_are_found_where_it_looks_for_them():
    program = subprocess.run(["sh", "-c", "command -v sh"], capture_output=True, text=True).stdout.strip()
    entries = {one.path: one.content for one in fellows.libraries_of([program])}

    assert any("/ld-" in path for path in entries)
    assert any(path.startswith("/lib/libc.") or "/ld-musl" in path for path in entries)
    assert all(Path(content).is_file() for content in entries.values())
