"""Containers: what they take to start and to be idle, with Wasm in them and with anything else.

Where no container can run, the same programs are measured as bare processes. A value's name says which it was, no
verdict rests on it, and what a container would have shown stays open.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wasm_lab.build import build
from wasm_lab.claims.evaluations.density import density, each_idle
from wasm_lab.claims.evaluations.starts import cold_start
from wasm_lab.claims.verdict import Measured, check, open_check, ratio
from wasm_lab.scenarios.containers.report import Figure
from wasm_lab.source import Kind, Profile, Source

if TYPE_CHECKING:
    from wasm_lab.claims.workbench import Workbench
    from wasm_lab.scenarios.containers.image import Image
    from wasm_lab.scenarios.containers.report import ContainerReport
    from wasm_lab.scenarios.containers.running import ContainerRun
    from wasm_lab.scenarios.containers.starting import Subject

MIB = 1 << 20

#: The limit of claim b8, as a pod's manifest has it.
LIMIT = "32Mi"

#: Seconds that an idle one is left alone under it, and that one which takes more has to be killed.
IDLE_S = 0.5
HOG_S = 30.0

#: A program that takes memory until it is stopped.
HOG = """\
fn main() {
    let mut held = Vec::new();
    for number in 1..=256 {
        held.push(vec![1u8; 1 << 20]);
        println!("{number}");
    }
}
"""

#: What a container's start lacks beside what a cloud calls a cold start.
NOT_HERE = "pulling the image over a network and finding a machine for it, which a cloud's cold start has"

#: Forms that claims speak of as ordinary containers.
ORDINARY = ("native", "python", "node")


def cold_start_and_containers(bench: Workbench) -> list[Measured]:
    """As `cold_start`, and beside it containers that start; these in the full set, or when they were measured."""
    found = cold_start(bench)
    report = bench.containers_if_cheap()
    if report is None:
        left = open_check("a container's start, which is measured in the full set (--full)")
        return [*found, replace(left, counts=False)]
    precompiled = found[0]
    for subject in report.subjects:
        one = _figure(report, subject, Figure.START, "ms", counts=False)
        if one is None:
            continue
        found.append(one)
        if subject.fellow.name in ORDINARY:
            told = f"{one.what}: against a precompiled hello"
            real = report.kind == "containers"
            found.append(ratio(one, precompiled, what=told, counts=real, figure="against containers"))
    return [*found, *_open(report, "a container's start")]


def serverless_start(bench: Workbench) -> list[Measured]:
    """From the request for a pod to the program's first words, in seconds."""
    report = bench.containers()
    figure = Figure.POD if report.kind == "containers" else Figure.START
    ordinary = [one for one in report.subjects if one.fellow.name in ORDINARY]
    found = [_figure(report, one, figure, "s") for one in ordinary]
    return [*filter(None, found), *_open(report, "a pod's start"), open_check(NOT_HERE)]


def container_memory(bench: Workbench) -> list[Measured]:
    """PSS of a container that says hello and idles, in megabytes; the shim's as context."""
    report = bench.containers()
    ordinary = [one for one in report.subjects if one.fellow.name in ORDINARY]
    found = [_figure(report, one, Figure.CONTAINER, "MB") for one in ordinary]
    found += [_figure(report, one, Figure.SHIM, "MB", counts=False) for one in ordinary]
    return [*filter(None, found), *_open(report, "PSS of a container")]


def container_costs(bench: Workbench) -> list[Measured]:
    """Idle memory, start and image of Wasm, and what Node and Python take beside it."""
    report = bench.containers()
    found: list[Measured | None] = []
    for subject in report.subjects:
        wasm = subject.fellow.name.startswith("wasm")
        found.append(_figure(report, subject, Figure.CONTAINER, "MB", counts=wasm))
        found.append(_figure(report, subject, Figure.START, "ms", counts=wasm, name="start"))
        image = _figure(report, subject, Figure.COMPRESSED, "MB", counts=wasm, name="image")
        found.append(replace(image, low=image.value, high=image.value) if image else None)
        if subject.fellow.name in ("python", "node"):
            found.append(_times_the_memory(report, subject))
    rest = open_check("Java, of which the lab has no container")
    images = [] if report.kind == "containers" else [open_check("the size of the images")]
    return [*filter(None, found), rest, *images, *_open(report, "a container's memory and start")]


def pod_within_limit(bench: Workbench) -> list[Measured]:
    """A Wasm container under a memory limit of 32 Mi, kept by a cgroup; and one that takes more, to see it killed."""
    from wasm_lab.scenarios.containers.fellows import module
    from wasm_lab.scenarios.containers.image import wasm_image
    from wasm_lab.scenarios.containers.running import quantity, run_container
    from wasm_lab.scenarios.containers.starting import Containers
    from wasm_lab.services import Containerd

    why = Containers.missing() or Containerd.missing_handler("crun-wasm")
    if why:
        return _weighed_without_limit(bench.containers(), why)
    bench.watcher("containers").step(f"under {LIMIT}")
    limit = quantity(LIMIT)
    hog = build(Source(code=HOG, kind=Kind.PROGRAM, name="hog", profile=Profile.SIZE)).wasm
    with Containerd() as containerd:
        if not containerd.memory_wall:
            return _weighed_without_limit(bench.containers(), containerd.why_no_memory_wall)

        def limited(image: Image, timeout_s: float) -> ContainerRun:
            return run_container(image, timeout_s=timeout_s, memory_limit_bytes=limit, containerd=containerd)

        idle = wasm_image(module(), "localhost/wasm-lab/idle-wasm:1")
        runs = [limited(idle, IDLE_S) for _ in range(5 if bench.full else 3)]
        killed = limited(wasm_image(hog, "localhost/wasm-lab/hog:1"), HOG_S)
        wall = containerd.memory_wall
    fitted = all(run.timed_out and run.output and not run.killed_for_memory for run in runs)
    most = [run.most_pss_bytes / MIB for run in runs]
    return [
        check(f"an idle Wasm pod lives under {LIMIT}, kept by {wall}", fitted, n=len(runs)),
        check(f"a Wasm pod that takes more than {LIMIT} is killed by {wall}", killed.killed_for_memory),
        Measured(
            what="the idle Wasm container, PSS at most (the shim lies outside of the limit)",
            value=max(most),
            low=min(most),
            high=max(most),
            unit="MiB",
            n=len(most),
            counts=False,
        ),
    ]


def density_and_containers(bench: Workbench) -> list[Measured]:
    """As `density`, and in the full set beside it idle containers with their shims."""
    found = density(bench)
    report = bench.containers() if bench.full else None
    if report is None:
        left = open_check("idle containers, which are measured in the full set (--full)")
        return [*found, replace(left, counts=False)]
    as_what = _as_what(report)
    costs = {one.title: report.cost(one.title) for one in report.subjects}
    for title, cost in costs.items():
        if cost is not None and cost.low > 0:
            found.append(each_idle(cost, f"{title}: each further idle {as_what}, all processes"))
    subject = report.named("wasm")
    wasm = costs.get(subject.title) if subject else None
    for name in ORDINARY:
        other = report.named(name)
        cost = costs.get(other.title) if other else None
        if other and cost and wasm and wasm.low > 0 and cost.low > 0:
            told = f"{wasm.subject}: idle ones in the memory of one {as_what} of {other.title}"
            one, many = each_idle(cost, other.title), each_idle(wasm, wasm.subject)
            found.append(ratio(one, many, what=told, counts=report.kind == "containers"))
    return [*found, *_open(report, "idle containers")]


def _as_what(report: ContainerReport) -> str:
    return "container" if report.kind == "containers" else "process, not a container"


def _open(report: ContainerReport, what: str) -> list[Measured]:
    """What stays open where no container can run here."""
    if report.kind == "containers":
        return []
    return [open_check(f"{what}, as no container can run here: {report.why_no_containers}")]


def _figure(
    report: ContainerReport,
    subject: Subject,
    figure: Figure,
    unit: str,
    *,
    counts: bool = True,
    name: str = "",
) -> Measured | None:
    """One figure of one form as a value; None where it was not measured."""
    one = report.summary(subject.title, figure)
    if one is None:
        return None
    factor = {"ms": 1e6, "s": 1e9, "MB": 1e6}[unit]
    what = figure.value
    if report.kind != "containers":
        what = {Figure.CONTAINER: "PSS"}.get(figure, what) + ", as a process, not a container"
        counts = False
    return Measured(
        what=f"{subject.title}: {what}",
        value=one.median / factor,
        low=one.low / factor,
        high=one.high / factor,
        unit=unit,
        n=one.processes,
        counts=counts,
        figure=name if counts else "",
    )


def _times_the_memory(report: ContainerReport, subject: Subject) -> Measured | None:
    wasm = report.named("wasm")
    one = _figure(report, subject, Figure.CONTAINER, "MB")
    other = _figure(report, wasm, Figure.CONTAINER, "MB") if wasm else None
    if one is None or other is None:
        return None
    return ratio(one, other, counts=report.kind == "containers", figure="others")


def _weighed_without_limit(report: ContainerReport, why: str) -> list[Measured]:
    """What a Wasm process takes, where no limit can be set around a pod."""
    wasm = report.named("wasm")
    one = _figure(report, wasm, Figure.CONTAINER, "MB") if wasm else None
    weighed = []
    if one is not None:
        low, value, high = (each * 1e6 / MIB for each in (one.low, one.value, one.high))
        weighed = [replace(one, value=value, low=low, high=high, unit="MiB", counts=False)]
    return [*weighed, open_check(f"a Wasm pod under {LIMIT}: {why}")]
