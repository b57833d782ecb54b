"""How a process ends with the one that it works for, however that one ends."""

from __future__ import annotations

import os
import select
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)


def die_with(parent: int) -> None:
    """Have Linux kill this process when the thread that started it ends."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before this process could ask for that
        os._exit(1)


def end_when_closed(number: int) -> None:
    """End this process at once when the other end of the socket is closed, whatever it is doing."""
    poll = select.poll()
    poll.register(number, 0)  # being closed is told even so
    while not poll.poll():
        pass
    os._exit(1)
