"""A place in a component for the learner's text, filled without building the component again.

A tool that makes a component of Python or JavaScript runs its interpreter and keeps its memory as the
component's data. So a component that was made once with a block of known bytes in its memory becomes one for
a text by writing the text over that block: a change in a data segment, of the same length, which no machine
code depends on. The engine's machine code holds the data segments as they are, so the same replacement makes
machine code for the new component out of that of the old one.
"""

from __future__ import annotations

import functools
import struct

from wasm_lab.errors import BuildError

#: Bytes of the block; a longer text gets a block four times as long, and so on.
SIZE = 1 << 16

#: What a filled block begins with; a blank one never does.
FILLED = b"LabSlot1"

_HEADER = struct.Struct("<8sI")


def size_for(text: bytes) -> int:
    """The size of the block that a text needs.

    Example:
        >>> size_for(b"") == SIZE, size_for(b" " * SIZE) == 4 * SIZE
        (True, True)
    """
    size = SIZE
    while len(text) + _HEADER.size > size:
        size *= 4
    return size


@functools.lru_cache(maxsize=4)
def blank(size: int) -> bytes:
    """The bytes of a blank block, which stand nowhere else, and of which none is zero.

    A component's data leaves out runs of zeros. The guest makes the same bytes (``python_common.txt``,
    ``js_entry.txt``): the upper eight bits of a linear congruential generator with the constants of Numerical
    Recipes (Press et al., 3rd edition, 7.1).
    """
    made, state = bytearray(), 1
    for _ in range(size):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        made.append((state >> 24) | 1)
    return bytes(made)


def filled(text: bytes, size: int) -> bytes:
    """The bytes of a block with a text; as many as of the blank one."""
    head = _HEADER.pack(FILLED, len(text)) + text
    return head + blank(size)[len(head) :]


def fill(component: bytes, text: bytes, label: str) -> bytes:
    """A component with a text in its block.

    Raises:
        BuildError: there is no block in it.
    """
    size = size_for(text)
    if blank(size) not in component:
        raise BuildError(
            f"The component made for {label} has no place for its text. This is a bug of the lab."
        )
    return component.replace(blank(size), filled(text, size))
