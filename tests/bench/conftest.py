"""Sources that are built once, and an effort that takes a second."""

from __future__ import annotations

import pytest

from wasm_lab.bench.comparing import Effort
from wasm_lab.cells import parse_cell
from wasm_lab.source import Source


@pytest.fixture(scope="session")
def double() -> Source:
    return parse_cell(
        "pub fn double(n: u32) -> u32 { 2 * n }\npub fn generic<T>(_: T) {}\n",
        name="double",
        label="double.rs",
    )


@pytest.fixture
def quick() -> Effort:
    """One round: what is looked at is not how long anything takes."""
    return Effort(budget_s=0.5, rounds=1)
