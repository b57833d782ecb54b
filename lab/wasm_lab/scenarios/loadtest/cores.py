"""Cores: one for the server, the others for the generator of load and for the lab."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Cores:
    """Which cores of this machine do what; both empty where processes cannot be bound to cores."""

    server: frozenset[int] = frozenset()
    others: frozenset[int] = frozenset()

    @property
    def sentence(self) -> str:
        """How the cores are shared, for a report."""
        if not self.server:
            return "Server and load generator share all cores: this system cannot bind processes to cores."
        if self.server == self.others:
            return "Server and load generator share the one core that there is."
        (core,) = self.server
        rest = ", ".join(map(str, sorted(self.others)))
        return (
            f"Each server has core {core} alone and one worker; the load generator has "
            f"core{'s' * (len(self.others) > 1)} {rest}."
        )


def share_cores() -> Cores:
    """The last core for the server, the rest for the others."""
    if sys.platform != "linux":
        return Cores()
    usable = sorted(os.sched_getaffinity(0))
    server = frozenset(usable[-1:])
    return Cores(server, frozenset(usable[:-1]) or server)


@contextlib.contextmanager
def bound(cores: frozenset[int]) -> Iterator[None]:
    """This thread, and what it starts meanwhile, on these cores alone; without cores nothing is changed."""
    if sys.platform != "linux" or not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
