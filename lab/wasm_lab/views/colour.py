"""Whether a stream gets colours: a terminal does, unless NO_COLOR says otherwise."""

from __future__ import annotations

import os
from typing import TextIO


def wants_colour(stream: TextIO) -> bool:
    """True for a terminal without NO_COLOR (https://no-color.org), or when FORCE_COLOR is set.

    An empty NO_COLOR counts as unset, as its convention has it.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")
