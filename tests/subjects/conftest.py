"""What these tests need: engines that are here, and processes that must be gone afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psutil
import pytest

from wasm_lab.subjects import places

_HERE = places()


def need(place: str) -> None:
    """Skip, saying why, where an engine is missing."""
    if _HERE[place]:
        pytest.skip(_HERE[place])


@pytest.fixture(autouse=True)
def no_process_left() -> Iterator[None]:
    """Every probe of a test must have been closed, and closing must have ended it."""
    before = set(_children())
    yield
    left = [each for each in _children() if each not in before]
    _, alive = psutil.wait_procs(left, timeout=3)
    for each in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    assert not alive, f"processes were left behind: {alive}"


def _children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)
