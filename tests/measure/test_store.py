from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.measure.noise import row

from wasm_lab.errors import UsageError
from wasm_lab.measure.sample import Sample
from wasm_lab.measure.store import Measurements

_KINDS = {
    "str": st.text(max_size=12),
    "int": st.integers(-(2**70), 2**70),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
}
_SAMPLES = st.builds(Sample, **{field.name: _KINDS[str(field.type)] for field in dataclasses.fields(Sample)})


@given(samples=st.lists(_SAMPLES, max_size=5), suffix=st.sampled_from([".jsonl", ".csv"]))
def test_what_is_saved_is_loaded(tmp_path_factory, samples, suffix):
    path = tmp_path_factory.mktemp("saved") / f"samples{suffix}"
    Measurements(tuple(samples)).save(path)
    assert Measurements.load(path).samples == tuple(samples)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
@pytest.mark.parametrize("text", ['a,"b"', "two\nlines", "a\rreturn", "\u2028", "\udcff", "", " x ", "\x00"])
def test_any_text_survives(tmp_path, suffix, text):
    samples = Measurements((row("a", 0, 0, 1.0, input=text),))
    samples.save(tmp_path / f"x{suffix}")
    assert Measurements.load(tmp_path / f"x{suffix}").samples == samples.samples


def test_rows_are_flat_and_read_by_pandas(tmp_path):
    import pandas

    samples = Measurements((row("a", 0, 0, 1.5), row("b", 0, 0, 3.0, warm=False)))
    samples.save(tmp_path / "x.csv")
    samples.save(tmp_path / "x.jsonl")
    for table in (
        pandas.read_csv(tmp_path / "x.csv"),
        pandas.read_json(tmp_path / "x.jsonl", lines=True),
        samples.frame(),
    ):
        assert list(table["subject"]) == ["a", "b"]
        assert list(table["value"]) == [1.5, 3.0]
        assert list(table["warm"]) == [True, False]
        assert list(table.columns) == [field.name for field in dataclasses.fields(Sample)]


def test_a_table_of_nothing_has_its_columns():
    assert "value" in Measurements().frame().columns


def _lines(*rows: object) -> str:
    return "".join(f"{json.dumps(one)}\n" for one in rows)


_GOOD = dataclasses.asdict(row("a", 0, 0, 1.0))


@pytest.mark.parametrize(
    ("name", "text", "line", "why"),
    [
        ("x.jsonl", _lines(_GOOD) + '{"workload": "fi', 2, "it is not JSON"),
        ("x.jsonl", _lines(_GOOD, [1]), 2, "it is not an object"),
        ("x.jsonl", _lines(_GOOD) + "\n" + _lines({"value": 1}), 3, "it has no workload"),
        ("x.jsonl", _lines(_GOOD | {"value": "1"}), 1, "value is '1', which is not of type float"),
        ("x.jsonl", _lines(_GOOD | {"process": True}), 1, "process is True"),
        ("x.jsonl", _lines(_GOOD | {"value": float("nan")}), 1, "no quantity"),
        ("x.jsonl", _lines(_GOOD | {"value": 10**400}), 1, "no quantity"),
        ("x.jsonl", _lines(_GOOD | {"colour": "red"}), 1, "'colour' is no field"),
        ("x.jsonl", "[" * 100_000, 1, "it is not JSON"),
        ("x.csv", "workload,input\nfib,3,4\n", 2, "it has 3 cells and not 2"),
        ("x.csv", "workload\nfib\n", 2, "it has no input"),
        ("x.csv", ",".join(_GOOD) + "\n" + ",".join(["x"] * len(_GOOD)) + "\n", 2, "process is 'x'"),
    ],
)
def test_a_damaged_line_is_named(tmp_path, name, text, line, why):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        Measurements.load(path)
    assert f"Line {line} of {path}" in caught.value.message
    assert why in caught.value.message
    assert caught.value.hint


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="UTF-8"):
        Measurements.load(tmp_path / "x.csv")


def test_only_known_suffixes_are_written_and_read(tmp_path):
    for action in (Measurements().save, Measurements.load):
        with pytest.raises(UsageError, match="jsonl"):
            action(tmp_path / "x.xlsx")


def test_files_that_are_not_there_or_cannot_be_written(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        Measurements.load(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="cannot be written"):
        Measurements().save(tmp_path / "none" / "x.csv")


def test_saving_anew_replaces_the_file(tmp_path):
    path = tmp_path / "x.jsonl"
    Measurements((row("a", 0, 0, 1.0), row("a", 0, 1, 1.0))).save(path)
    Measurements((row("b", 0, 0, 2.0),)).save(path)
    assert [sample.subject for sample in Measurements.load(path)] == ["b"]
    assert [found.name for found in tmp_path.iterdir()] == ["x.jsonl"]


def test_choosing_and_joining():
    one = Measurements((row("a", 0, 0, 1.0), row("b", 1, 0, 2.0)))
    both = one + Measurements((row("c", 2, 0, 3.0),), interrupted=True)
    assert both.interrupted
    assert both.where(subject="b").samples == (one[1],)
    assert len(both.where(subject=("a", "c"))) == 2
    assert both.where(subject=("a", "c"), process=2).interrupted
    assert both.values_of("subject") == ("a", "b", "c")
    assert both[:2] == one.samples
    with pytest.raises(UsageError, match="no field 'subjet'"):
        one.where(subjet="a")
