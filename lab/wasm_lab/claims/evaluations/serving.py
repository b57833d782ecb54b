"""Serving: one JSON API on several stacks, under the same load; all rows from one run, in the full set."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wasm_lab.claims.verdict import Measured, open_check
from wasm_lab.scenarios.loadtest.report import Figure, load_name
from wasm_lab.scenarios.loadtest.stacks import STACKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.claims.workbench import Workbench
    from wasm_lab.scenarios.loadtest import LoadReport

#: The stacks that serve the component or module.
WASM = ("spin", "wasmtime", "wasmedge")

#: The load at which rows are judged that speak of one.
JUDGED = load_name(16)

_TITLES = {stack.name: stack.title for stack in STACKS}
_SCALES = {"ms": 1e6, "MB": 1e6, "1/s": 1.0}


def load_speed(bench: Workbench) -> list[Measured]:
    """d1: requests per second of each Wasm stack, as a multiple of Node's and of Go's, at every load."""
    report = bench.load_test()
    found = []
    for wasm in WASM:
        for other, figure in (("node", ""), ("go", "go")):
            for load in report.loads:
                found.append(_ratio(report, Figure.THROUGHPUT, load, of=wasm, to=other, claimed=figure))
    return [*found, *_absent(report)]


def load_costs(bench: Workbench) -> list[Measured]:
    """d2: cold start, memory and size of each stack; size with its runtime as context."""
    report = bench.load_test()
    found = []
    for name in ("node", "go", "actix", *WASM):
        of = "wasm" if name in WASM else name
        start = "" if of == "wasm" else f"start of {of}"
        found += [
            *_value(report, name, Figure.COLD_START, "", unit="ms", claimed=start),
            *_value(report, name, report.memory, JUDGED, unit="MB", claimed=f"memory of {of}"),
            *_value(report, name, Figure.DEPLOYED, "", unit="MB", claimed=f"size of {of}"),
            *_value(report, name, Figure.WITH_RUNTIME, "", unit="MB", counts=False),
        ]
    return [*found, *_absent(report)]


def load_table(bench: Workbench) -> list[Measured]:
    """d3: the two rows of Wasm, and their order among Go and native Rust; the other stacks as context."""
    report = bench.load_test()
    found = []
    for name in ("spin", "wasmedge"):
        rate = "" if name == "spin" else "rate of wasmedge"
        found += [
            *_value(report, name, Figure.THROUGHPUT, JUDGED, unit="1/s", claimed=rate),
            *_value(report, name, Figure.P50, JUDGED, unit="ms", claimed=f"P50 of {name}"),
            *_value(report, name, Figure.P99, JUDGED, unit="ms", claimed=f"P99 of {name}"),
            *_value(report, name, Figure.COLD_START, "", unit="ms", claimed=f"start of {name}"),
            *_value(report, name, report.memory, JUDGED, unit="MB", claimed=f"memory of {name}"),
            _ratio(report, Figure.THROUGHPUT, JUDGED, of=name, to="go", claimed="against go"),
            _ratio(report, Figure.THROUGHPUT, JUDGED, of=name, to="actix", claimed="against actix"),
        ]
    for name in ("node", "go", "actix", "wasmtime"):
        found += [
            *_value(report, name, Figure.THROUGHPUT, JUDGED, unit="1/s", counts=False),
            *_value(report, name, Figure.P50, JUDGED, unit="ms", counts=False),
            *_value(report, name, Figure.P99, JUDGED, unit="ms", counts=False),
        ]
    return [*found, *_absent(report)]


def load_ratios(bench: Workbench) -> list[Measured]:
    """d4: how many times as long, as much and as many."""
    report = bench.load_test()
    found = []
    for wasm in WASM:
        found += [
            _ratio(report, Figure.COLD_START, "", of="node", to=wasm, claimed=""),
            _ratio(report, Figure.COLD_START, "", of="go", to=wasm, claimed="start of go"),
            _ratio(report, report.memory, JUDGED, of="node", to=wasm, claimed="memory of node"),
            _ratio(report, Figure.THROUGHPUT, JUDGED, of=wasm, to="node", claimed="rate against node"),
            _ratio(report, Figure.THROUGHPUT, JUDGED, of=wasm, to="actix", claimed="rate against actix"),
        ]
    return [*found, *_absent(report)]


def load_memory(bench: Workbench) -> list[Measured]:
    """a2: what Rust saves of Go's memory, at every load; Java stays open."""
    report = bench.load_test()
    found = []
    for load in report.loads:
        ratio = report.ratio(report.memory, load, of="actix", to="go")
        what = f"{_TITLES['actix']} against {_TITLES['go']}: {report.memory}, {load}"
        if ratio is None:
            found.append(open_check(f"{what} (not measured)"))
            continue
        found.append(
            Measured(
                what=what,
                value=(1 - ratio.ratio) * 100,
                low=(1 - ratio.high) * 100,
                high=(1 - ratio.low) * 100,
                unit="%",
                n=ratio.processes,
            )
        )
    return [*found, open_check("against Java (no stack of it is here)")]


def _ratio(report: LoadReport, figure: Figure, load: str, *, of: str, to: str, claimed: str) -> Measured:
    what = f"{_TITLES[of]} against {_TITLES[to]}: {figure}{f', {load}' if load else ''}"
    ratio = report.ratio(figure, load, of=of, to=to)
    if ratio is None:
        return open_check(f"{what} (not measured)")
    return Measured(
        what=what,
        value=ratio.ratio,
        low=ratio.low,
        high=ratio.high,
        unit="×",
        n=ratio.processes,
        figure=claimed,
    )


def _value(
    report: LoadReport,
    name: str,
    figure: Figure,
    load: str,
    *,
    unit: str,
    claimed: str = "",
    counts: bool = True,
) -> Iterator[Measured]:
    """One median with its interval; a size, which is the same in every round, is its own interval."""
    stack = next(stack for stack in STACKS if stack.name == name)
    what = f"{stack.title}: {figure}{f', {load}' if load else ''}"
    one = report.summary(stack, figure, load)
    if one is None:
        if counts:
            yield open_check(f"{what} (not measured)")
        return
    exact = figure in (Figure.DEPLOYED, Figure.WITH_RUNTIME)
    low, high = (one.median, one.median) if exact else (one.low, one.high)
    scale = _SCALES[unit]
    yield Measured(
        what=what,
        value=one.median / scale,
        low=low / scale,
        high=high / scale,
        unit=unit,
        n=one.processes,
        counts=counts,
        figure=claimed,
    )


def _absent(report: LoadReport) -> list[Measured]:
    """Which stacks are not in the run, or not to its end, as context."""
    measured = {stack.title for stack in report.stacks}
    found = []
    for title, why in report.missing.items():
        lines = why.strip().splitlines()
        short = lines[0] if len(lines) == 1 else f"{lines[0]} … {lines[-1].strip()}"
        how_far = "was not measured to the end" if title in measured else "was not measured"
        found.append(replace(open_check(f"{title} {how_far}: {short}"), counts=False))
    return found
