"""This process's standard streams, on their way to a worker whose guest is to use them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wasm_lab.capabilities import Capabilities


def inherited(capabilities: Capabilities) -> tuple[int, ...]:
    """The standard streams that a guest with these capabilities is given, and that are open here."""
    numbers = (
        *((0,) if capabilities.stdin is None else ()),
        *((1, 2) if capabilities.inherit_output else ()),
    )
    for stream in (sys.stdout, sys.stderr):
        if numbers and stream is not None:
            stream.flush()  # what was printed before comes before
    return tuple(number for number in numbers if _is_open(number))


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
