"""How much a request and its guest may use."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one application; sizes in bytes, times in seconds."""

    deadline_s: float = 30.0  #: that a guest may take for one request, waiting included
    memory_bytes: int = 256 * MIB  #: that a guest's memories may take together
    request_bytes: int = 1024 * MIB  #: of a request's body; it streams, so this costs no memory
    idle_s: float = 30.0  #: that a client may be silent in the middle of its request's body
    guests: int = 256  #: at work at the same time in one process
    queued: int = 1024  #: requests that wait for one of them before more are refused
    drain_s: float = 10.0  #: that guests may still take when the server ends
