"""Calling what a module exports under its own names, as C, C++, Zig and Go pass arguments on wasm32.

A number is a Wasm number. A sequence is an address and a count, a text of C an address alone, with a zero
byte at its end. The bytes are put into the frame of the instance (see `frame`), which the guest itself
allocates: by ``malloc``, or by the function that the lab adds to Zig and Go.

The convention is the C ABI of WebAssembly: numbers below 32 bits come as ``i32``, extended by whoever gives
them (tool-conventions, ``BasicCABI.md``). Go's wasmexport passes ``bool``, numbers, addresses and strings
in the same way (cmd/compile, "//go:wasmexport").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wasm_lab.abi import arguments
from wasm_lab.abi.binding import BindingText, compiled
from wasm_lab.abi.frame import frame_of, grower
from wasm_lab.abi.types import FRAME_EXPORT
from wasm_lab.cells.signatures import RustType
from wasm_lab.errors import LoadError
from wasm_lab.source import LANGUAGE_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.abi.frame import Frame, Guest
    from wasm_lab.cells.signatures import Signature

#: Bytes of a text of C that are looked at together while its end is sought.
_STRIDE = 256

#: Types that stand at an address.
_PLACED = frozenset({"slice", "slice mut", "str", "cstr"})


@dataclass(frozen=True, slots=True)
class Allocator:
    """How room is made in a guest's memory: its exported functions, and whether a text may be kept."""

    allocate: str
    release: str = ""
    keeps_texts: bool = False  #: a text lives as long as the guest refers to it, so none is overwritten


ALLOCATORS = {
    "c": Allocator("malloc", "free"),
    "cpp": Allocator("malloc", "free"),
    "zig": Allocator(FRAME_EXPORT),
    "go": Allocator(FRAME_EXPORT, keeps_texts=True),
}


def needs_room(signature: Signature) -> bool:
    """Whether calling the function takes room in the guest's memory."""
    return any(parameter.type.name in _PLACED for parameter in signature.parameters)


def bind_exported(signature: Signature, guest: Guest, language: str) -> Callable[..., Any]:
    """An exported function as a Python callable on one instance.

    Args:
        signature: one without an obstacle, as `wasm_lab.cells.languages` reads it.
        guest: an instance of the module.
        language: which the module was written in; says how its memory is allocated.

    The callable raises as those of `wasm_lab.abi.bind` do.
    """
    text = _Text(signature, guest)
    text.allocator = ALLOCATORS[language]
    shown = replace(
        signature,
        parameters=tuple(replace(each, type=_as_shown(each.type)) for each in signature.parameters),
        result=_as_shown(signature.result),
    )
    return compiled(text, shown, LANGUAGE_NAMES[language])


def _as_shown(kind: RustType) -> RustType:
    return RustType("str", (), kind.text) if kind.name == "cstr" else kind


class _Text(BindingText):
    allocator: Allocator

    def export(self) -> str:
        return self.signature.name

    def grow(self, frame: Frame, what: str) -> Callable[[int], None]:
        allocator = self.allocator
        allocate = self.guest.function(allocator.allocate)
        release = self.guest.function(allocator.release) if allocator.release else None
        return grower(self.guest, frame, what, allocate=allocate, release=release)

    def argument(self, index: int, name: str, kind: RustType, where: str) -> None:
        if kind.name != "cstr":
            super().argument(index, name, kind, where)
            return
        data, at = f"{self.mark}d{index}", f"{self.mark}a{index}"
        self.places.append((data, at))
        self.words.append(at)
        self.checks.append(f"{data} = {self.name(f'take{index}', _ended(where))}({name})")

    def placing(self) -> list[str]:
        lines = super().placing()
        if self.allocator.keeps_texts and any(p.type.name == "str" for p in self.signature.parameters):
            # The guest's collector frees the room when nothing refers to it any more.
            return [f"{self.name('frame', frame_of(self.guest))}.size = 0", *lines]
        return lines

    def result(self, call: str) -> list[str]:
        if self.signature.result.name != "cstr":
            return super().result(call)
        read = self.name("text", _text_at(self.guest, f"{self.signature.name}()"))
        value = f"{self.mark}value"
        return [f"{value} = {call}", *self.after, f"return {read}({value})"]


def _ended(where: str) -> Callable[[Any], bytes]:
    encode = arguments.text(where)

    def take(value: Any) -> bytes:
        data = encode(value)
        if b"\0" in data:
            raise ValueError(f"{where} must have no zero character in it, which would end it for C")
        return data + b"\0"

    return take


def _text_at(guest: Guest, what: str) -> Callable[[Any], str | None]:
    """What reads the text of C at an address; None for the address 0."""

    def read(address: Any) -> str | None:
        start = int(address) & 0xFFFFFFFF
        if not start:
            return None
        data, at = bytearray(), start
        while b"\0" not in data[-_STRIDE:]:
            data += _piece(guest, at, what)
            at = start + len(data)
        try:
            return bytes(data.partition(b"\0")[0]).decode()
        except UnicodeDecodeError as error:
            raise LoadError(f"{what}: the guest returned text that is no UTF-8 ({error.reason}).") from None

    return read


def _piece(guest: Guest, at: int, what: str) -> bytes:
    """The next bytes of memory, fewer at its end."""
    size = _STRIDE
    while size:
        try:
            return bytes(guest.view(at, size))
        except LoadError:
            size //= 2
    raise LoadError(f"{what}: the guest returned a text that has no end in its memory.")
