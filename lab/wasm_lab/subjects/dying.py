"""Children that die with their parent, even in the middle of an endless loop.

Linux sends a process a signal when the thread that started it ends (``PR_SET_PDEATHSIG``, prctl(2)).
The setting survives ``exec``, so a program that cannot ask for it is started through this file:
``python dying.py PARENT PROGRAM ARGUMENTS…``. It imports nothing of the lab, to start fast.
Elsewhere the program is started as it is.
"""

import os
import sys

_PR_SET_PDEATHSIG = 1
_SIGKILL = 9


def die_with(parent: int) -> None:
    """Have this process killed when ``parent``, which started it, ends. Linux only."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != parent:  # it ended before it could be asked for
        os._exit(1)


def dying_with_parent(command: list[str]) -> list[str]:
    """``command`` such that it is killed when this process ends."""
    if not sys.platform.startswith("linux"):
        return command
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


if __name__ == "__main__":
    die_with(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
