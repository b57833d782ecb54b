"""Claims of containers: what their values are called, what stays open, and the one that a cgroup decides."""

from __future__ import annotations

import math

import pytest

from wasm_lab.claims import evaluate
from wasm_lab.claims.evaluations import containers
from wasm_lab.claims.ledger import ledger
from wasm_lab.claims.verdict import Verdict, verdict_of
from wasm_lab.claims.workbench import Workbench
from wasm_lab.measure.sample import Sample
from wasm_lab.measure.store import Measurements
from wasm_lab.scenarios.containers.fellows import FELLOWS
from wasm_lab.scenarios.containers.report import CROWD, ContainerReport, Figure
from wasm_lab.scenarios.containers.starting import Subject
from wasm_lab.toolchains.containerd import not_root

#: Start in ms, idle memory and image in MB.
FIGURES = {"wasm": (80, 15, 0.03), "native": (50, 2, 1.2), "python": (60, 9, 27), "node": (80, 39, 38)}


def report(kind: str) -> ContainerReport:
    """Five rounds with a little spread."""
    samples, subjects = [], []
    for fellow in FELLOWS:
        if fellow.name not in FIGURES:
            continue
        start, memory, image = FIGURES[fellow.name]
        subject = Subject(fellow, "", f"{fellow.title} (x)", "x", "1")
        subjects.append(subject)

        def keep(
            number: int, phase: str, value: float, unit: str, given: str = "", subject: Subject = subject
        ) -> None:
            common = {"workload": "w", "language": "", "runtime": "x", "runtime_version": "1", "iteration": 0}
            samples.append(
                Sample(
                    input=given,
                    subject=subject.title,
                    process=number,
                    phase=phase,
                    value=value,
                    unit=unit,
                    **common,
                )
            )

        for number in range(5):
            off = 1 + number / 1000
            keep(number, Figure.START, start * 1e6 * off, "ns")
            keep(number, Figure.CONTAINER, memory * 1e6 * off, "bytes")
            for count in (2, 3):
                keep(number, CROWD, memory * 1e6 * off * count, "bytes", str(count))
            if kind == "containers":
                keep(number, Figure.POD, 2 * start * 1e6 * off, "ns")
                keep(number, Figure.SHIM, 12e6, "bytes")
        if kind == "containers":
            keep(0, Figure.COMPRESSED, image * 1e6, "bytes")
    return ContainerReport(
        kind=kind,
        why_no_containers="" if kind == "containers" else "nobody is root",
        subjects=tuple(subjects),
        missing={},
        measurements=Measurements(tuple(samples)),
        baseline="native (x)",
        runtime="containerd 1",
        duration_s=1.0,
    )


@pytest.fixture
def bench(monkeypatch):
    """A workbench on which containers, or processes, were measured already."""

    def made(kind: str) -> Workbench:
        monkeypatch.setattr(Workbench, "containers", lambda _: report(kind))
        return Workbench(full=True)

    return made


def judged(name, measured):
    (claim,) = [one for one in ledger() if one.id == name]
    return verdict_of(measured, claim.claimed, claim.also)[0]


def test_containers_that_ran(bench):
    at = bench("containers")

    assert judged("c2", containers.container_memory(at)) is Verdict.FAILS
    assert judged("c1", containers.serverless_start(at)) is Verdict.FAILS
    costs = containers.container_costs(at)
    assert judged("b6", costs) is Verdict.PARTLY  # the image is small, and nothing else is
    values = {each.what: each for each in costs}
    assert values["Wasm (x): image, compressed"].value == pytest.approx(0.03)
    (times,) = [each for each in costs if each.figure == "others" and each.what.startswith("Node")]
    assert times.low < 39 / 15 < times.high
    assert not any("process" in each.what for each in costs)


def test_processes_in_their_place_are_called_so_and_decide_nothing_of_containers(bench):
    at = bench("processes")

    evaluations = {
        "c2": containers.container_memory,
        "c1": containers.serverless_start,
        "b6": containers.container_costs,
    }
    for name, evaluation in evaluations.items():
        measured = evaluation(at)
        assert judged(name, measured) is Verdict.UNTESTABLE
        quantities = [each for each in measured if each.unit != "check"]
        assert quantities
        assert all("as a process, not a container" in each.what for each in quantities)
        assert any(math.isnan(each.value) and "nobody is root" in each.what for each in measured)


def test_density_of_containers_is_against_wasm_in_one(bench, monkeypatch):
    monkeypatch.setattr(containers, "density", lambda _: [])
    measured = containers.density_and_containers(bench("containers"))

    ratios = {each.what: each.value for each in measured if each.unit == "×"}
    assert ratios["Wasm (x): idle ones in the memory of one container of Node (x)"] == pytest.approx(
        39 / 15, rel=0.01
    )
    assert judged("c5", measured) is Verdict.PARTLY


def test_the_quick_set_leaves_containers_of_other_rows_open(monkeypatch):
    monkeypatch.setattr(containers, "density", lambda _: [])
    (left,) = containers.density_and_containers(Workbench())

    assert "--full" in left.what
    assert not left.counts


@pytest.mark.slow
@pytest.mark.skipif(bool(not_root()), reason=not_root())
def test_a_pod_under_its_limit_and_one_beyond_it():
    (row,) = evaluate(("b8",)).rows

    assert row.verdict is Verdict.HOLDS, row.reason
    assert {each.unit for each in row.measured} == {"check", "MiB"}
    assert all("cgroup v" in each.what for each in row.measured if each.unit == "check")
