"""One JSON API served by several stacks, under the same load.

from wasm_lab.scenarios.loadtest import Plan, load_test

report = load_test(["node", "go", "wasmtime"], Plan(seconds=2))
"""

from __future__ import annotations

from wasm_lab.scenarios.loadtest.plan import QUICK, Plan
from wasm_lab.scenarios.loadtest.report import Figure, LoadReport
from wasm_lab.scenarios.loadtest.running import Watcher, load_test, prepare
from wasm_lab.scenarios.loadtest.stacks import STACKS, Stack, chosen

__all__ = [
    "QUICK",
    "STACKS",
    "Figure",
    "LoadReport",
    "Plan",
    "Stack",
    "Watcher",
    "chosen",
    "load_test",
    "prepare",
]
