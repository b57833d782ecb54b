"""A process group whose number stays taken, so that it can be joined by number and killed as a whole.

Whoever may not choose another group (`wasm_lab.confine.syscalls`) cannot leave this one, nor can what it starts,
and the kernel signals all of a group at once: a process that forks without end does not outrun it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Programs that do nothing; the first that is there is taken. The last takes longest, and is always there.
_IDLE = (["/bin/true"], ["/bin/sh", "-c", ":"], [sys.executable, "-I", "-S", "-c", ""])


@contextlib.contextmanager
def held_group() -> Iterator[int]:
    """The number of a process group of this session, which is nobody else's until the block is left.

    Its leader is a process that ends at once and is not waited for until then. Nothing of Python's runs between
    fork and exec, which other threads would make unsafe.

    Raises:
        OSError: no process can be started.
    """
    leader = _start_leader()
    try:
        yield leader
    finally:
        with contextlib.suppress(ChildProcessError):  # this process waits for none of its children
            os.waitpid(leader, 0)


def _start_leader() -> int:
    for command in _IDLE[:-1]:
        with contextlib.suppress(FileNotFoundError):
            return os.posix_spawn(command[0], command, {}, setpgroup=0)
    return os.posix_spawn(_IDLE[-1][0], _IDLE[-1], {}, setpgroup=0)
