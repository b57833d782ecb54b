"""Starting and calling guests, beside wasmtime-py by hand."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import wasmtime
from tests.benchmarks.pairs import Pair, in_turn

from wasm_lab.cells import parse_cell
from wasm_lab.session import Session

HELLO = 'fn main() { println!("hello"); }'

FUNCTIONS = """\
pub fn increment(n: u32) -> u64 { n as u64 + 1 }
pub fn total(samples: &[f64]) -> f64 { samples.iter().sum() }
"""

MEGABYTE = 131_072  #: as 64-bit floats


def _guarded_engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    config.epoch_interruption = True
    return wasmtime.Engine(config)


def cold_start(folder: Path, thin: int) -> Pair:
    """A whole ``_start`` from cached machine code, against wasmtime-py with the same guards."""
    session = Session()
    artifact = session.compile(parse_cell(HELLO, first_line=2))
    session.run(artifact)
    engine = _guarded_engine()
    compiled = wasmtime.Module(engine, artifact.wasm)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    stdout = folder / "stdout"

    def reference() -> None:
        store = wasmtime.Store(engine)
        store.set_epoch_deadline(10**9)
        store.set_limits(memory_size=512 * 1024 * 1024)
        wasi = wasmtime.WasiConfig()
        wasi.argv = ["hello"]
        wasi.stdout_file = str(stdout)
        wasi.stderr_file = str(folder / "stderr")
        store.set_wasi(wasi)
        start = linker.instantiate(store, compiled).exports(store)["_start"]
        assert isinstance(start, wasmtime.Func)
        start(store)
        assert stdout.read_bytes() == b"hello\n"

    return in_turn(
        "cold start of hello",
        lambda: session.run(artifact),
        reference,
        turns=1000 // thin,
        asked="≤ 1.3×, < 150 µs",
    )


def _by_hand() -> tuple[wasmtime.Store, wasmtime.Instance]:
    """The same library by wasmtime-py alone, under the same guards."""
    engine = _guarded_engine()
    store = wasmtime.Store(engine)
    store.set_epoch_deadline(10**9)
    store.set_wasi(wasmtime.WasiConfig())
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    wat = """(module
      (memory (export "memory") 20)
      (func (export "increment") (param i32) (result i64)
        local.get 0 i64.extend_i32_u i64.const 1 i64.add)
      (func (export "total") (param $at i32) (param $left i32) (result f64) (local $sum f64)
        (loop $next
          local.get $sum local.get $at f64.load f64.add local.set $sum
          local.get $at i32.const 8 i32.add local.set $at
          local.get $left i32.const 1 i32.sub local.tee $left br_if $next)
        local.get $sum))"""
    return store, linker.instantiate(store, wasmtime.Module(engine, wasmtime.wat2wasm(wat)))


def call_u32(folder: Path, thin: int) -> Pair:
    """A bound ``fn(u32) -> u64``, against the raw wasmtime-py call."""
    increment = (
        Session().define(Session().compile(parse_cell(FUNCTIONS, first_line=2))).functions["increment"]
    )
    store, instance = _by_hand()
    raw = instance.exports(store)["increment"]
    assert isinstance(raw, wasmtime.Func)
    assert increment(41) == raw(store, 41) == 42
    return in_turn(
        "call of fn(u32) -> u64",
        lambda: increment(41),
        lambda: raw(store, 41),
        turns=300 // thin,
        batch=100,
        asked="≤ 1.5×",
    )


def call_megabyte(folder: Path, thin: int) -> Pair:
    """1 MB of floats in and one out, against a memcpy of 1 MB plus the raw call on it."""
    total = Session().define(Session().compile(parse_cell(FUNCTIONS, first_line=2))).functions["total"]
    samples = np.random.default_rng(0).random(MEGABYTE)
    store, instance = _by_hand()
    exports = instance.exports(store)
    raw, memory = exports["total"], exports["memory"]
    assert isinstance(raw, wasmtime.Func)
    assert isinstance(memory, wasmtime.Memory)
    base = ctypes.addressof(memory.data_ptr(store).contents)
    source = samples.ctypes.data

    def reference() -> float:
        ctypes.memmove(base, source, samples.nbytes)
        result: float = raw(store, 0, MEGABYTE)
        return result

    assert abs(total(samples) - reference()) < 1e-6 * MEGABYTE
    return in_turn(
        "1 MB of f64 in, f64 out",
        lambda: total(samples),
        reference,
        turns=300 // thin,
        batch=5,
        asked="≤ 1.7×",
    )
