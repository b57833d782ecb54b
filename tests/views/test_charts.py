"""Charts: what is drawn is what was measured, in a form that needs no browser and no network."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
from rich.table import Table

from wasm_lab.bench.ladder import Rung
from wasm_lab.claims.evaluate import Row
from wasm_lab.claims.ledger import ledger
from wasm_lab.claims.verdict import Measured, Verdict
from wasm_lab.errors import UnsupportedError
from wasm_lab.measure.sample import Sample
from wasm_lab.measure.statistics import Comparison
from wasm_lab.measure.store import Measurements
from wasm_lab.views import charts
from wasm_lab.views.colours import style
from wasm_lab.views.static import PLOTLY, bundle, write_png
from wasm_lab.views.svg import svg

SVG = "{http://www.w3.org/2000/svg}"
SUBJECTS = {"wasmtime": 1.0, "native": 0.5, "Python": 40.0}


def taken(phases: dict[str, float], *, unit: str = "ns", given: str = "25", rounds: int = 6) -> Measurements:
    """Samples around known middles, spread evenly by a few per cent."""
    return Measurements(
        tuple(
            Sample(
                workload="fib",
                input=given,
                subject=subject,
                language="rust",
                runtime=subject,
                runtime_version="1",
                process=process,
                iteration=turn,
                phase=phase,
                value=value * factor * (1 + 0.01 * (process + turn)),
                unit=unit,
            )
            for phase, value in phases.items()
            for subject, factor in SUBJECTS.items()
            for process in range(rounds)
            for turn in range(3)
        )
    )


def ratio(subject: str, middle: float, low: float, high: float) -> Comparison:
    return Comparison(
        workload="fib",
        input="25",
        phase="steady call",
        subject=subject,
        baseline="JavaScript (node)",
        ratio=middle,
        low=low,
        high=high,
        processes=9,
    )


def drawn(figure: Any) -> ET.Element:
    return ET.fromstring(svg(figure, description="what is shown"))


def words(root: ET.Element) -> list[str]:
    return ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]


def claim_rows() -> list[Row]:
    rows = []
    for claim in ledger():
        if claim.claimed and claim.claimed.unit == "×":
            value = claim.claimed.bound * 1.3
            measured = Measured(what="x", value=value, low=value * 0.9, high=value * 1.1, unit="×", n=5)
            rows.append(Row(claim=claim, verdict=next(iter(Verdict)), reason="", measured=(measured,)))
    return rows


def rungs() -> list[Rung]:
    sizes = {"release": 140_000, "stripped": 60_000, "wasm-opt -Oz": 48_000}
    return [
        Rung(name=name, flags=(), size_bytes=size, duration_ns=1, wasm=b"") for name, size in sizes.items()
    ]


def all_charts() -> dict[str, Any]:
    ratios = [ratio("native", 0.5, 0.4, 0.6), ratio("wasmtime", 1.01, 0.96, 1.05)]
    busy = Measurements((*taken({"throughput": 900}, given="1"), *taken({"throughput": 1500}, given="4")))
    return {
        "cold_start": charts.cold_start(taken({"compile": 8e6, "instantiate": 4e4, "first call": 3e5})),
        "memory": charts.memory(taken({"RSS at start": 3e7, "PSS at start": 2e7}, unit="bytes")),
        "times": charts.times(taken({"steady call": 2e5}), "steady call"),
        "latency": charts.latency(taken({"steady call": 2e5})),
        "speed_ratio": charts.speed_ratio(ratios),
        "guards_price": charts.guards_price([ratio("wasmtime + fuel", 1.6, 1.5, 1.7)]),
        "throughput": charts.throughput(busy),
        "size_ladder": charts.size_ladder(rungs(), label="hello"),
        "claims_chart": charts.claims_chart(claim_rows()),
    }


@pytest.mark.parametrize("name", list(all_charts()))
def test_each_chart_has_a_title_axes_with_units_and_all_its_points_inside(name: str) -> None:
    figure = all_charts()[name]
    root = drawn(figure)
    assert figure.layout.title.text
    assert figure.layout.xaxis.title.text
    assert root.find(f"{SVG}title") is not None
    assert root.findtext(f"{SVG}desc") == "what is shown"
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert width <= 900
    marks = [(float(each.attrib["cx"]), float(each.attrib["cy"])) for each in root.iter(f"{SVG}circle")]
    lines = [each.attrib["points"].split() for each in root.iter(f"{SVG}polyline")]
    marks += [tuple(map(float, point.split(","))) for line in lines for point in line]  # type: ignore[misc]
    assert marks
    left = 60  # no chart's labels take less
    assert all(left - 1 <= x <= width and 40 <= y <= height for x, y in marks)
    assert {type(trace).__name__ for trace in figure.data} == {"Scatter"}, "all that the renderer knows"


@pytest.mark.parametrize("name", list(all_charts()))
def test_nothing_stands_outside_the_picture(name: str) -> None:
    root = drawn(all_charts()[name])
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for each in root.iter(f"{SVG}text"):
        assert 0 <= float(each.attrib["x"]) <= width
        assert 0 < float(each.attrib["y"]) <= height


def test_every_sample_is_a_point_and_its_subject_keeps_its_colour() -> None:
    measurements = taken({"compile": 8e6, "instantiate": 4e4})
    figure = charts.cold_start(measurements)
    points = {trace.name: trace for trace in figure.data if trace.mode == "markers"}
    assert set(points) == set(SUBJECTS)
    for name, trace in points.items():
        assert trace.marker.color == style(name)[0]
        found = sorted(np.asarray(trace.x, dtype=float))
        factor = {"ms": 1e6, "µs": 1e3, "ns": 1.0}[figure.layout.xaxis.title.text.split("(")[1][:-1]]
        assert found == pytest.approx(
            sorted(one.value / factor for one in measurements.where(subject=name)), rel=1e-6
        )
    again = {trace.name: trace for trace in charts.times(taken({"run": 1e5}), "run").data if trace.name}
    assert again["native"].marker.color == points["native"].marker.color


def test_a_lane_belongs_to_the_row_of_its_phase() -> None:
    figure = charts.cold_start(taken({"compile": 8e6, "instantiate": 4e4}))
    names = dict(zip(figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext, strict=True))
    wasmtime = next(trace for trace in figure.data if trace.name == "wasmtime")
    rows = {
        names[round(float(y))] for x, y in zip(wasmtime.x, wasmtime.y, strict=True) if x == max(wasmtime.x)
    }
    assert rows == {"compile"}


def test_the_axis_is_logarithmic_only_where_decades_differ() -> None:
    assert charts.times(taken({"run": 1e5}), "run").layout.xaxis.type == "log"  # Python is 80 times native
    near = taken({"run": 1e5}).where(subject=("wasmtime", "native"))
    assert charts.times(near, "run").layout.xaxis.type != "log"


def test_an_interval_that_holds_1_is_named_so() -> None:
    figure = charts.speed_ratio([ratio("native", 0.5, 0.4, 0.6), ratio("wasmtime", 1.01, 0.96, 1.05)])
    said = words(drawn(figure))
    assert "1.01×, no difference shown" in said
    assert "0.5×" in said
    assert not any("0.5×, no" in each for each in said)


def test_an_interval_without_an_end_is_drawn_as_a_point() -> None:
    figure = charts.speed_ratio([ratio("native", 0.5, 0.0, float("inf"))])
    assert "nan" not in svg(figure)
    assert "inf" not in svg(figure).replace("info", "")
    assert "no difference shown" in svg(figure)


def test_nothing_measured_is_an_empty_chart_not_an_error() -> None:
    nothing = Measurements()
    for figure in (charts.latency(nothing), charts.times(nothing, "run"), charts.speed_ratio([])):
        assert drawn(figure) is not None


def test_narrow_logarithmic_axes_have_ticks() -> None:
    figure = charts.guards_price([ratio("wasmtime + fuel", 1.16, 1.12, 1.2)])
    ticks = [each for each in words(drawn(figure)) if each.replace(".", "").isdigit()]
    assert len(ticks) >= 3


def test_a_long_legend_takes_several_lines_inside_the_width() -> None:
    one = taken({"steady call": 2e5}).samples[0]
    names = [f"a runtime with a long name, number {number}" for number in range(9)]
    fields = {field: getattr(one, field) for field in one.__slots__}
    many = Measurements(tuple(Sample(**{**fields, "subject": name}) for name in names))
    root = drawn(charts.latency(many))
    ends = [
        float(each.attrib["x"]) + 7 * len(each.text or "")
        for each in root.iter(f"{SVG}text")
        if (each.text or "") in names
    ]
    assert len(ends) == len(names)
    assert max(ends) <= 880


def test_names_are_escaped() -> None:
    root = drawn(charts.speed_ratio([ratio("<script>alert(1)</script> & co", 2.0, 1.9, 2.1)]))
    assert not list(root.iter(f"{SVG}script"))
    assert "<script>alert(1)</script> & co" in words(root)


def test_a_bundle_holds_plotly_svg_html_and_text_and_no_library() -> None:
    table = Table(title="Ratios")
    table.add_column("what")
    table.add_row("native <b>")
    forms = bundle(charts.speed_ratio([ratio("native", 0.5, 0.4, 0.6)]), table)
    assert set(forms) == {PLOTLY, "image/svg+xml", "text/html", "text/plain"}
    json.dumps(forms[PLOTLY])
    assert forms["image/svg+xml"].startswith("<svg")
    assert "<details>" in forms["text/html"]
    assert "<table>" in forms["text/html"]
    assert "native &lt;b&gt;" in forms["text/html"]
    assert "native" in forms["text/plain"]
    assert len(json.dumps(forms)) < 60_000
    assert "<script" not in forms["text/html"]
    assert "http" not in forms["text/html"].replace("http://www.w3.org/2000/svg", "")


def test_png_without_kaleido_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "kaleido", None)
    with pytest.raises(UnsupportedError, match="kaleido") as caught:
        write_png(charts.speed_ratio([]), tmp_path / "x.png")
    assert "wasm-lab[png]" in str(caught.value.hint)


def test_thinning_keeps_both_ends_and_at_most_what_can_be_seen() -> None:
    values = [float(number) for number in range(10_000)]
    kept = charts.thinned(values)
    assert len(kept) == charts.MOST_POINTS
    assert (kept[0], kept[-1]) == (0.0, 9999.0)
    assert charts.thinned(values[:5]) == values[:5]
