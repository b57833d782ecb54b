"""Charts where nobody draws them: what is kept in a file, and samples that are hard to draw."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from wasm_lab.bench.comparing import Watcher
from wasm_lab.errors import UnsupportedError
from wasm_lab.measure.sample import Sample
from wasm_lab.measure.store import Measurements
from wasm_lab.views import charts
from wasm_lab.views.benching import live_bench
from wasm_lab.views.progress import claims_progress
from wasm_lab.views.static import PLOTLY, Chart, bundle, table_of, write_png
from wasm_lab.views.svg import svg


def sample(value: float, subject: str = "wasmtime", **fields: Any) -> Sample:
    given = {"workload": "fib", "input": "25", "phase": "steady call", "unit": "ns", "process": 0}
    return Sample(
        **{**given, **fields},  # type: ignore[arg-type]
        subject=subject,
        language="rust",
        runtime=subject,
        runtime_version="1",
        iteration=0,
        value=value,
    )


def many(number: int) -> Measurements:
    drawn = np.random.default_rng(7).lognormal(12, 0.5, number)
    return Measurements(tuple(sample(float(v), f"place {n % 3}", process=n % 9) for n, v in enumerate(drawn)))


HARD = {
    "one": [5e4],
    "equal": [5e4] * 20,
    "zeros": [0.0, 0.0, 0.0],
    "zero among decades": [0.0, 1.0, 1e9],
    "eighteen decades": [1.0, 1e18],
    "below the clock": [1e-3, 2e-3],
}


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("draw", [lambda m: charts.times(m, "steady call"), charts.latency])
def test_hard_samples_are_drawn_without_a_number_that_is_none(name: str, draw: Any) -> None:
    figure = draw(Measurements(tuple(sample(value) for value in HARD[name])))
    drawn = svg(figure)
    ET.fromstring(drawn)
    for wrong in ("'nan'", "nan,", ",nan", "inf,", ",inf", "'inf'"):
        assert wrong not in drawn
    json.loads(json.dumps(figure.to_plotly_json(), default=list), parse_constant=pytest.fail)


def test_many_subjects_have_a_row_each() -> None:
    names = [f"place {number}" for number in range(25)]
    figure = charts.times(Measurements(tuple(sample(5e4, name) for name in names)), "steady call")
    texts = {
        "".join(each.itertext()) for each in ET.fromstring(svg(figure)).iter() if each.tag.endswith("text")
    }
    assert set(names) <= texts


def test_a_saved_chart_of_a_hundred_thousand_samples_stays_small() -> None:
    forms = bundle(charts.times(many(100_000), "steady call"), table_of(charts.times(many(9), "steady call")))
    assert len(json.dumps(forms[PLOTLY])) < 300_000
    assert len(json.dumps(forms)) < 600_000
    assert "<script" not in json.dumps(forms)


def test_the_table_of_a_figure_has_its_points_in_numbers() -> None:
    figure = charts.times(Measurements(tuple(sample(v * 1e3) for v in (3.0, 1.0, 2.0))), "steady call")
    table = table_of(figure)
    assert [list(column.cells) for column in table.columns] == [["wasmtime"], ["3"], ["1"], ["2"], ["3"]]


def test_a_chart_shows_itself() -> None:
    chart = Chart(charts.times(many(9), "steady call"))
    assert set(chart._repr_mimebundle_()) == {PLOTLY, "text/html", "image/svg+xml", "text/plain"}
    assert "steady call" in repr(chart)


def test_where_nobody_watches_there_is_no_widget() -> None:
    shell = InteractiveShell.instance()
    try:
        with capture_output() as captured:
            with live_bench("fib", "steady call", 1.0) as live:
                assert isinstance(live.watcher, Watcher)
                assert live.watcher.on_samples is None
                live.watcher.on_step("measuring")
            with claims_progress(3) as (_, on_step):
                on_step("a1")
        assert captured.outputs == []
        assert captured.stderr == ""
    finally:
        shell.clear_instance()


@pytest.mark.slow
def test_png_has_the_size_of_the_figure(tmp_path: Path) -> None:
    if not any(map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))):
        with pytest.raises(UnsupportedError):
            write_png(charts.times(many(90), "steady call"), tmp_path / "chart.png")
        return
    figure = charts.times(many(90), "steady call")
    write_png(figure, tmp_path / "chart.png")
    data = (tmp_path / "chart.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    size = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    assert size == (2 * charts.WIDTH, 2 * figure.layout.height)


def test_the_table_of_a_chart_has_what_is_on_the_value_axis() -> None:
    from wasm_lab.bench.ladder import Rung
    from wasm_lab.measure.sample import Sample
    from wasm_lab.measure.store import Measurements
    from wasm_lab.views.charts import size_ladder
    from wasm_lab.views.charts import throughput as throughput_chart
    from wasm_lab.views.html import plain_text
    from wasm_lab.views.static import table_of

    rungs = [
        Rung(name=name, flags=(), size_bytes=size, duration_ns=1, wasm=b"")
        for name, size in (("dev", 2_000_000), ("stripped", 50_000))
    ]
    ladder = plain_text(table_of(size_ladder(rungs, label="it")))
    assert ladder.index("dev") < ladder.index("stripped")
    assert "2000" in ladder
    assert "50" in ladder
    rates = Measurements(
        tuple(
            Sample(
                workload="w", input=count, subject="wasmtime", language="", runtime="", runtime_version="",
                process=0, iteration=0, phase="throughput", value=rate, unit="calls/s",
            )
            for count, rate in (("1", 1000.0), ("4", 3900.0))
        )
    )  # fmt: skip
    shown = plain_text(table_of(throughput_chart(rates)))
    assert "wasmtime at 4" in shown
    assert "3900" in shown
