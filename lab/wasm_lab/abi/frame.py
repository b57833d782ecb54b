"""The guest's argument frame as Python keeps it: where it is, how large, shared by an instance's functions."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Protocol

from wasm_lab.abi.types import FRAME_ALIGNMENT, FRAME_EXPORT
from wasm_lab.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Callable

#: The smallest frame, in bytes: one page of the host, so that small calls never grow it again.
_SMALLEST = 4096


class Guest(Protocol):
    """What a binding needs of an instance: raw calls and linear memory."""

    def function(self, name: str) -> Callable[..., Any]:
        """The exported function ``name``, on plain numbers; i32 and i64 come out signed."""

    def view(self, address: int, size_bytes: int) -> memoryview:
        """Linear memory itself, writable, valid until the next call; LoadError out of bounds."""


class Frame:
    """``size`` bytes at ``address``; nothing at first."""

    __slots__ = ("__weakref__", "address", "size")

    def __init__(self) -> None:
        self.address = FRAME_ALIGNMENT  # aligned and not null, as an empty slice must be
        self.size = 0


_frames: weakref.WeakKeyDictionary[Any, Frame] = weakref.WeakKeyDictionary()


def frame_of(guest: Guest) -> Frame:
    """The frame of an instance: the same for every function bound to it."""
    frame = _frames.get(guest)
    if frame is None:
        frame = _frames[guest] = Frame()
    return frame


def grower(
    guest: Guest,
    frame: Frame,
    what: str,
    *,
    allocate: Callable[..., Any] | None = None,
    release: Callable[..., Any] | None = None,
) -> Callable[[int], None]:
    """What makes the frame hold a number of bytes; its old content is lost.

    Args:
        allocate: the guest's own way to a number of bytes; by default that of the lab's glue for Rust.
        release: gives an earlier place back, where the guest does not do so itself.

    Raises MemoryError when the guest has no more memory.
    """
    allocate = allocate or guest.function(FRAME_EXPORT)

    def grow(size: int) -> None:
        room = max(_SMALLEST, 1 << (size - 1).bit_length()) if size < 1 << 24 else size + 0xFFFF & -0x10000
        if room >= 1 << 31:
            raise MemoryError(f"{what}: {size} bytes of arguments are more than the guest can hold.")
        if release is not None and frame.size:
            release(frame.address)
        frame.size = 0
        address = allocate(room)
        if not isinstance(address, int):
            raise LoadError(f"{what}: the guest returned no address for its arguments.")
        address &= 0xFFFFFFFF
        if not address:
            raise MemoryError(f"{what}: the guest has no {room} bytes left for its arguments.")
        if address % FRAME_ALIGNMENT:
            raise LoadError(
                f"{what}: the guest returned {address:#x} for its arguments, which is not aligned."
            )
        try:
            guest.view(address, room)
        except LoadError as error:
            raise LoadError(f"{what}: the guest returned a wrong place for its arguments. {error}") from None
        frame.address, frame.size = address, room

    return grow
