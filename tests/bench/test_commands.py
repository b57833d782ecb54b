"""Programs and exports compared in real engines."""

from __future__ import annotations

import pytest

from wasm_lab.artifact import Artifact
from wasm_lab.bench import bench_command, bench_export
from wasm_lab.build import build
from wasm_lab.build.wasm_tools import assemble
from wasm_lab.capabilities import Capabilities
from wasm_lab.cells import parse_cell
from wasm_lab.errors import MeasureError, UnsupportedError

EXPORTS = """(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))"""


def program(code: str):
    return build(parse_cell(code, label="program.rs"))


def test_a_program_is_run_in_fresh_instances_with_its_output_compared(quick):
    artifact = program('fn main() { println!("{}", std::env::args().nth(1).unwrap()); }')
    report = bench_command(
        artifact, Capabilities(args=("hello",)), where=["wasmtime", "node", "native"], effort=quick
    )
    assert report.phase == "run"
    assert report.baseline == "wasmtime"
    assert report.checked[0].answer.stdout == b"hello\n"
    assert len(report.checked[0].agreed) == 3
    assert "whole process" in report.sentence  # what native's run is


def test_output_that_changes_from_run_to_run_is_told_from_a_wrong_one(quick):
    clock = program(
        "use std::time::*; fn main() "
        '{ println!("{:?}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap()); }'
    )
    report = bench_command(clock, where=["wasmtime", "native"], effort=quick)
    assert report.checked[0].changing
    assert "output changes from run to run" in report.sentence


def test_a_program_that_traps_everywhere_is_an_error_with_its_message(quick):
    with pytest.raises(MeasureError, match="too bad"):
        bench_command(program('fn main() { panic!("too bad") }'), where=["wasmtime"], effort=quick)


def test_what_a_place_cannot_enforce_leaves_it_out_or_is_refused(quick):
    artifact = program("fn main() {}")
    frozen = Capabilities(memory_bytes=64 * 1024 * 1024)
    report = bench_command(artifact, frozen, effort=quick)
    assert "memory" in report.unavailable["node"]
    with pytest.raises(UnsupportedError, match="memory"):
        bench_command(artifact, frozen, where=["node"], effort=quick)


def test_an_export_of_numbers_is_called_in_wasmtime_and_node(quick):
    artifact = Artifact(wasm=assemble(EXPORTS), label="add.wat")
    report = bench_export(artifact, "add", (2, 3), effort=quick)
    assert report.checked[0].answer.value == 5
    assert set(report.checked[0].agreed) == {"wasmtime", "node (Wasm)"}
