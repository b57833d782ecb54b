"""Which engines there are: a name for each, and a reason with a way out where one is missing."""

from __future__ import annotations

import pytest

from wasm_lab.errors import UnsupportedError, UsageError
from wasm_lab.source import Kind, Source
from wasm_lab.subjects import available, function_subjects, places

SOURCE = Source(code="pub fn f(n: u32) -> u32 { n }", kind=Kind.FUNCTIONS)


def test_every_place_is_listed_and_the_ones_without_needs_are_here():
    found = places()
    assert set(found) == {
        "wasmtime", "wasmer", "wasmedge", "wasmedge-aot", "node", "native", "javascript", "python",
    }  # fmt: skip
    assert found["python"] == found["wasmtime"] == ""
    assert all(available.version(place) for place, why in found.items() if not why)


def test_a_missing_engine_is_told_with_a_way_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("WASM_LAB_TOOLS", str(tmp_path))
    monkeypatch.setattr(available.util, "find_spec", lambda name: None)
    found = places()
    assert "apt install nodejs" in found["node"]
    assert found["javascript"] == found["node"]
    assert "wasmedge" in found["wasmedge"]
    assert "pip install" in found["wasmer"]
    with pytest.raises(UnsupportedError, match="No node is on PATH"):
        function_subjects(SOURCE, "f", (1,), places=["node"])


def test_an_unknown_place_is_refused():
    with pytest.raises(UsageError, match=r"No place is named 'mars'.*\n.*wasmtime, wasmer"):
        available.missing("mars")
