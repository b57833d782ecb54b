"""From an edited cell to its output, beside the bare compiler and beside cargo."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import wasmtime
from tests.benchmarks.pairs import Pair, in_turn

from wasm_lab.cells import parse_cell
from wasm_lab.session import Session, raise_for_failure
from wasm_lab.toolchains.rust import find_rust

#: A cell as a learner has it: some iterators, formatting, a number that each edit changes.
CELL = """\
fn main() {{
    let squares: Vec<u64> = (1..=100u64).map(|n| n * n + {edit}).collect();
    println!("{{}} squares, sum {{}}", squares.len(), squares.iter().sum::<u64>());
}}
"""

SERDE = """\
use serde::{{Deserialize, Serialize}};

#[derive(Serialize, Deserialize)]
struct Reading {{ sensor: String, value: f64 }}

fn main() {{
    let text = r#"[{{"sensor": "a", "value": 1.5}}, {{"sensor": "b", "value": 2.5}}]"#;
    let readings: Vec<Reading> = serde_json::from_str(text).unwrap();
    let total: f64 = readings.iter().map(|reading| reading.value).sum::<f64>() + {edit}.0;
    println!("{{}} {{}}", total, serde_json::to_string(&readings).unwrap());
}}
"""

SERDE_HEADER = """\
---
[dependencies]
serde = { version = "1", features = ["derive"] }
serde_json = "1"
---
"""

#: Each call compiles code that no cache has seen, in this process or an earlier one.
_edits = itertools.count(int.from_bytes(os.urandom(3), "big") + 1000)


def edited_cell(folder: Path, thin: int) -> Pair:
    """A changed cell to its output: ours against ``rustc -O``, wasmtime-py's compile and ``_start``."""
    session = Session()
    rustc = find_rust().rustc

    def ours() -> None:
        run = session.run(session.compile(parse_cell(CELL.format(edit=next(_edits)), first_line=2)))
        raise_for_failure(run)
        assert b"squares" in run.stdout

    def reference() -> None:
        source, module = folder / "cell.rs", folder / "cell.wasm"
        source.write_text(CELL.format(edit=next(_edits)))
        subprocess.run(
            [rustc, "--target", "wasm32-wasip1", "-O", "--edition", "2024", source, "-o", module], check=True
        )
        assert b"squares" in start_by_hand(wasmtime.Engine(), module.read_bytes(), folder / "stdout")

    return in_turn("edited cell to output", ours, reference, turns=24 // thin, asked="≤ 1.05×, aim 0.7×")


def start_by_hand(engine: wasmtime.Engine, wasm: bytes, stdout: Path) -> bytes:
    """Compile and run a command with wasmtime-py as its manual does; gives standard output."""
    store = wasmtime.Store(engine)
    wasi = wasmtime.WasiConfig()
    wasi.stdout_file = str(stdout)
    store.set_wasi(wasi)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    instance = linker.instantiate(store, wasmtime.Module(engine, wasm))
    start = instance.exports(store)["_start"]
    assert isinstance(start, wasmtime.Func)
    start(store)
    return stdout.read_bytes()


KERNEL = """\
fn sieve(limit: usize) -> usize {
    let mut composite = vec![false; limit + 1];
    let mut count = 0;
    for n in 2..=limit {
        if !composite[n] {
            count += 1;
            let mut multiple = n * n;
            while multiple <= limit { composite[multiple] = true; multiple += n; }
        }
    }
    count
}

fn main() {
    let limit = std::env::args().count() * 3_000_000;
    println!("{}", sieve(limit));
}
"""


def kernel_speed(folder: Path, thin: int) -> Pair:
    """The same kernel compiled by a cell and by ``rustc -O``, both run on the same plain engine."""
    engine = wasmtime.Engine()
    source, module = folder / "kernel.rs", folder / "kernel.wasm"
    source.write_text(KERNEL)
    # A crate's name is in the hash of its symbols, that decides the order of functions, and their
    # place in the machine code alone makes a loop up to a tenth faster or slower.
    words = "--target wasm32-wasip1 -O --edition 2024 --crate-name cell".split()
    subprocess.run([find_rust().rustc, *words, source, "-o", module], check=True)
    modules = [Session().compile(parse_cell(KERNEL, first_line=2)).wasm, module.read_bytes()]
    compiled = [wasmtime.Module(engine, wasm) for wasm in modules]

    def start(which: int) -> None:
        store = wasmtime.Store(engine)
        wasi = wasmtime.WasiConfig()
        wasi.argv = ["kernel"]
        store.set_wasi(wasi)
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        function = linker.instantiate(store, compiled[which]).exports(store)["_start"]
        assert isinstance(function, wasmtime.Func)
        function(store)

    return in_turn(
        "kernel speed, cell's module",
        lambda: start(0),
        lambda: start(1),
        turns=40 // thin,
        asked="within 5 %",
    )


def unchanged_cell(folder: Path, thin: int) -> Pair:
    """An unchanged cell again, against its run alone."""
    session = Session()
    text = CELL.format(edit=next(_edits))
    artifact = session.compile(parse_cell(text, first_line=2))
    session.run(artifact)
    return in_turn(
        "unchanged cell again",
        lambda: session.run(session.compile(parse_cell(text, first_line=2))),
        lambda: session.run(artifact),
        turns=200 // thin,
        asked="≤ 5 ms more",
        difference=True,
    )


def edited_serde_cell(folder: Path, thin: int) -> Pair:
    """A changed function body in a cell with serde_json, against cargo in a warm target folder."""
    session = Session()
    cargo = find_rust().cargo
    assert cargo, "this benchmark compares with cargo, which is not here"
    (folder / "src").mkdir()
    (folder / "Cargo.toml").write_text(
        '[package]\nname = "edited"\nversion = "0.1.0"\nedition = "2024"\n[dependencies]\n'
        'serde = { version = "1", features = ["derive"] }\nserde_json = "1"\n'
    )

    def ours() -> None:
        session.compile(
            parse_cell(SERDE_HEADER + SERDE.format(edit=next(_edits)), name="serde_cell", first_line=2)
        )

    def reference() -> None:
        (folder / "src" / "main.rs").write_text(SERDE.format(edit=next(_edits)))
        subprocess.run(
            [cargo, "build", "--release", "--quiet", "--target", "wasm32-wasip1"],
            cwd=folder,
            check=True,
            env={**os.environ, "RUSTC": str(find_rust().rustc)},
            stdout=sys.stderr,
        )

    return in_turn("edited serde_json cell", ours, reference, turns=max(4, 12 // thin), asked="≤ 0.35×")
