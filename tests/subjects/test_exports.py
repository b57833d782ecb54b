"""Numeric exports of modules made elsewhere, called by a generated driver."""

from __future__ import annotations

import math

import pytest
import wasmtime

from wasm_lab.artifact import Artifact
from wasm_lab.errors import LoadError, ProbeError, UnsupportedError, UsageError
from wasm_lab.run import Phase
from wasm_lab.subjects import export_subjects, places
from wasm_lab.subjects.exports import driver

HERE = places()
BOTH = ["wasmtime", "node"]

MODULE = """(module
  (memory (export "memory") 1)
  (global $calls (mut i32) (i32.const 0))
  (func (export "mix") (param i32 i64 f32 f64) (result i32 i64 f32 f64)
    local.get 0 local.get 1 local.get 2 local.get 3)
  (func (export "count") (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1))) (global.get $calls))
  (func (export "grow") (result i32) (memory.grow (i32.const 1)))
  (func (export "nothing"))
  (func (export "trap") unreachable)
  (func (export "spin") (loop br 0))
  (func (export "vector") (param v128)))"""


def artifact(wat: str = MODULE) -> Artifact:
    return Artifact(wasm=bytes(wasmtime.wat2wasm(wat)), label="x.wasm")


def one(place: str, export: str, args: tuple = (), **more):
    if HERE[place]:
        pytest.skip(HERE[place])
    [subject] = export_subjects(artifact(), export, args, places=[place], **more)
    return subject


@pytest.mark.parametrize("place", BOTH)
def test_numbers_of_every_type_cross(place):
    args = (2**32 - 1, -(2**63), 0.1, math.inf)
    i32, i64, f32, f64 = one(place, "mix", args).answer().value
    assert (i32, i64, f64) == (-1, -(2**63), math.inf)
    assert math.isclose(f32, 0.1, rel_tol=1e-7)
    assert f32 != 0.1
    nan, *_ = reversed(one(place, "mix", (0, 0, -0.0, math.nan)).answer().value)
    assert math.isnan(nan)


@pytest.mark.parametrize("place", BOTH)
def test_every_phase_is_timed(place):
    probe = one(place, "nothing").start()
    try:
        for phase in probe.subject.phases:
            assert probe.time(phase, 2).duration_ns > 0
        assert probe.answer().value is None
        assert {"module", "linear memory", "RSS"} <= set(probe.weigh())
        probe.idle(3)
    finally:
        probe.close()


@pytest.mark.parametrize("place", BOTH)
def test_the_driver_calls_as_often_as_it_is_told(place):
    probe = one(place, "grow").start()
    try:
        before = probe.weigh()["linear memory at start"]
        probe.time(Phase.CALL, 7)  # after one call that is not timed
        assert probe.weigh()["linear memory"] == before + 8 * 65_536
        assert probe.answer().value == 1  # in an instance of its own
    finally:
        probe.close()


@pytest.mark.parametrize("place", BOTH)
def test_trouble_is_told(place):
    with pytest.raises(ProbeError, match="unreachable"):
        one(place, "trap").answer()
    probe = one(place, "trap").start()
    try:
        with pytest.raises(ProbeError, match="unreachable"):
            probe.time(Phase.CALL, 1)
    finally:
        probe.close()
    probe = one(place, "spin", deadline_s=1.0).start()
    try:
        with pytest.raises(ProbeError, match="in time"):
            probe.time(Phase.CALL, 1)
    finally:
        probe.close()


def test_wrong_requests_are_refused_with_reasons():
    cases = [
        ("vector", (1,), "vector or a reference"),
        ("nope", (), "exports no function 'nope'"),
        ("mix", (1,), "takes 4 numbers"),
        ("mix", (1.5, 1, 1, 1), "does not fit i32"),
        ("mix", (2**32, 1, 1, 1), "does not fit i32"),
        ("mix", (1, 1, 1, "x"), "a number for f64"),
    ]
    for export, args, said in cases:
        with pytest.raises(UsageError, match=said):
            export_subjects(artifact(), export, args, places=["wasmtime"])
    with pytest.raises(UnsupportedError, match="calls no exports"):
        export_subjects(artifact(), "nothing", (), places=["native"])
    broken = Artifact(wasm=b"\0asm\1\0\0\0\x63\x01\x00", label="broken")
    with pytest.raises(LoadError, match="cannot be loaded"):
        export_subjects(broken, "f", (), places=["wasmtime"])


@pytest.mark.parametrize("place", BOTH)
def test_a_reactor_is_set_up_before_it_is_called(place):
    if HERE[place]:
        pytest.skip(HERE[place])
    wat = """(module (memory (export "memory") 1) (global $ready (mut i32) (i32.const 0))
      (func (export "_initialize") (global.set $ready (i32.const 5)))
      (func (export "ready") (result i32) (global.get $ready)))"""
    [subject] = export_subjects(artifact(wat), "ready", (), places=[place])
    assert subject.answer().value == 5


def test_the_driver_is_a_valid_module_for_many_parameters():
    for params in ([], ["i64"] * 3, ["f32", "f64", "i32"] * 60):
        wasmtime.Module.validate(wasmtime.Engine(), driver(params, ["i32", "f64"]))
