"""What a long build tells whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable

#: Called as a build goes on: what is being done (a crate's name and version, or a sentence),
#: how many parts are done, and how many there are (0 while that is not known).
Progress = Callable[[str, int, int], None]
