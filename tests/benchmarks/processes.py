"""Whole processes: loading the extension, running a cached program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.benchmarks.pairs import Pair, in_turn


def _run(*words: str | Path) -> None:
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def load_ext(folder: Path, thin: int) -> Pair:
    """``%load_ext wasm_lab`` over IPython's own start."""
    ipython = (sys.executable, "-m", "IPython", "--quick", "--no-banner", "-c")
    return in_turn(
        "%load_ext wasm_lab",
        lambda: _run(*ipython, "%load_ext wasm_lab"),
        lambda: _run(*ipython, "pass"),
        turns=24 // thin,
        asked="≤ 60 ms more",
        difference=True,
    )


def command(folder: Path, thin: int) -> Pair:
    """``wasm-lab run`` of a cached hello, against Python importing wasmtime."""
    source = folder / "hello.rs"
    source.write_text('fn main() { println!("hello"); }')
    wasm_lab = Path(sys.executable).with_name("wasm-lab")
    _run(wasm_lab, "build", source)
    module = folder / "hello.wasm"
    _run(wasm_lab, "run", module)
    return in_turn(
        "wasm-lab run, cached hello",
        lambda: _run(wasm_lab, "run", module),
        lambda: _run(sys.executable, "-c", "import wasmtime"),
        turns=60 // thin,
        asked="≤ 1.6×",
    )
