"""Signatures from Rust text, and a guest made of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from wasm_lab import abi
from wasm_lab.abi.types import FRAME_EXPORT
from wasm_lab.cells.functions import public_functions
from wasm_lab.cells.syntax import Syntax
from wasm_lab.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Callable


class FakeGuest:
    """64 KB of memory and functions that return what the test says; ``entered`` counts calls."""

    def __init__(self, result: Any = 0, frame: Any = 4096) -> None:
        self.memory = bytearray(1 << 16)
        self.result = result
        self.frame = frame
        self.entered = 0

    def function(self, name: str) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            self.entered += 1
            return self.frame if name == FRAME_EXPORT else self.result

        return call

    def view(self, address: int, size_bytes: int) -> memoryview:
        if address < 0 or size_bytes < 0 or address + size_bytes > len(self.memory):
            raise LoadError(f"{size_bytes} bytes at {address} are outside the guest's memory.")
        return memoryview(self.memory)[address : address + size_bytes]


@pytest.fixture
def fake_guest() -> type[FakeGuest]:
    return FakeGuest


@pytest.fixture
def bound() -> Callable[[str, Any], Callable[..., Any]]:
    """``bound("fn f(x: u8) -> u8", guest)``: that function as Python calls it."""

    def bind(declaration: str, guest: Any) -> Callable[..., Any]:
        (signature,) = public_functions(Syntax(f"pub {declaration} {{ todo!() }}"))
        assert not abi.obstacle(signature)
        return abi.bind(signature, guest)

    return bind
