"""The frame of a Wasm binary: its sections and where they lie. What is in them is for others to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterator

CUSTOM = 0
IMPORT = 2
PREAMBLE_BYTES = 8


@dataclass(frozen=True, slots=True)
class Section:
    """One section. Offsets are in bytes from the start of the binary."""

    number: int  #: the section's id; 0 for a custom section
    name: str  #: of a custom section; else empty
    start: int  #: of the id
    body: int  #: of the content, after the name of a custom section
    end: int


def leb128(data: bytes, offset: int) -> tuple[int, int]:
    """An unsigned LEB128 number and the offset after it (core specification 5.2.2).

    Raises:
        LoadError: the data ends within it.
    """
    number = shift = 0
    while True:
        if offset >= len(data):
            raise LoadError(f"It ends at byte {len(data)}, within a number.")
        byte = data[offset]
        offset += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, offset
        shift += 7
        if shift > 63:
            raise LoadError(f"The number at byte {offset} is too long.")


def encode_leb128(number: int) -> bytes:
    """The shortest unsigned LEB128 form of ``number``."""
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def sections(data: bytes) -> Iterator[Section]:
    """The sections of a core module, object file or component, in their order.

    Raises:
        LoadError: a section reaches past the end of the data.
    """
    offset = PREAMBLE_BYTES
    while offset < len(data):
        start = offset
        size, body = leb128(data, offset + 1)
        end = body + size
        if end > len(data):
            raise LoadError(
                f"It is truncated: the section at byte {start} needs {end - len(data)} more bytes."
            )
        name = ""
        if data[start] == CUSTOM:
            length, body = leb128(data, body)
            name = data[body : body + length].decode("utf-8", "replace")
            body += length
        yield Section(data[start], name, start, body, end)
        offset = end


def wants_component(data: bytes) -> bool:
    """Whether a core module was made to become a component: it carries the WIT that it was built for.

    wit-bindgen, and so spin-sdk, puts it into custom sections whose names begin with ``component-type``.

    Raises:
        LoadError: the bytes have no sections.
    """
    return any(one.number == CUSTOM and one.name.startswith("component-type") for one in sections(data))
