"""Tables on a narrow terminal."""

from __future__ import annotations

import io
import re

import pytest
from rich.table import Table
from rich.text import Text

from wasm_lab.measure.statistics import Comparison, Summary
from wasm_lab.views.bench import history_table, memory_table, ratio_table, time_table
from wasm_lab.views.tables import Stack, print_table


def printed(shown: object, columns: int, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = io.StringIO()
    print_table(shown, stream)
    return stream.getvalue()


COMPARISON = Comparison(
    workload="fib", input="32", phase="steady call", subject="JavaScript (node)", baseline="wasmtime",
    ratio=1.234, low=1.111, high=1.357, processes=17,
)  # fmt: skip


def everything() -> Stack:
    times = Summary(
        workload="fib", input="32", phase="steady call", subject="JavaScript (node)", unit="ns",
        median=12_345_678.0, low=12_111_111.0, high=12_999_999.0, n=4321, processes=17, outliers=98,
        warmup_discarded=76,
    )  # fmt: skip
    sizes = [
        Summary(
            workload="fib", input="32", phase=phase, subject="JavaScript (node)", unit="bytes",
            median=123_456_789.0, low=1.0, high=2.0, n=17, processes=17, outliers=0, warmup_discarded=0,
        )
        for phase in ("resident set", "unique set", "linear memory", "code")
    ]  # fmt: skip
    return Stack(
        ratio_table([COMPARISON], "wasmtime"),
        time_table([times]),
        memory_table(sizes),
        history_table([COMPARISON]),
    )


FIGURES = ("1.23", "1.11 to 1.36", "12.3 ms", "12.1 ms to 13 ms", "4321", "98", "76", "118 MiB")


@pytest.mark.parametrize("columns", [160, 80, 60, 40])
def test_no_number_is_cut(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(everything(), columns, monkeypatch)
    assert "…" not in text
    joined = re.sub(r"\s+", " ", re.sub(r"[│┃]", " ", text))
    for figure in FIGURES:
        assert figure in joined, figure
    assert max(map(len, text.splitlines())) <= columns


def test_a_table_that_fits_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(title="Two")
    table.add_column("what", no_wrap=True)
    table.add_column("why")
    table.add_row("a", "some words that may be wrapped")
    assert "┃ what" in printed(table, 20, monkeypatch)
    listed = printed(table, 12, monkeypatch)
    assert [line.rstrip() for line in listed.split("\n")[:3]] == ["Two", "what: a", "  why: some"]


def test_what_is_no_table_or_holds_no_text_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(Text("word " * 10), 20, monkeypatch).count("word") == 10
    outer, inner = Table("a" * 30), Table("b")
    outer.add_row(inner)
    assert printed(outer, 20, monkeypatch)
