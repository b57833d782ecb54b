"""Languages: which of those that the claim names build and run here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.capabilities import Capabilities
from wasm_lab.claims.verdict import Measured, check, open_check
from wasm_lab.runtimes import get_runtime

if TYPE_CHECKING:
    from wasm_lab.claims.workbench import Workbench

#: What the claim names beside Rust; the languages scenario will build them.
_OTHERS = ("Go", "C++", "Python", "C#")


def languages(bench: Workbench) -> list[Measured]:
    """Rust, built and run; the others are open."""
    artifact = bench.program("hello")
    run = get_runtime().run(artifact, Capabilities())
    size = artifact.size_bytes / 1e6
    found = [
        check("Rust builds and runs", run.ok),
        Measured(what="Rust: a hello", value=size, low=size, high=size, unit="MB", n=1, counts=False),
    ]
    return found + [open_check(f"{name} builds and runs (not tried yet)") for name in _OTHERS]
