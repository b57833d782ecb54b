"""A thread of Linux gives up what the superuser may do, for itself and all that it starts (capabilities(7)).

Who grades as root, as in a container, does not hand root's rights on: setting the clock, rebooting, reading raw
devices, raising limits again. Files that root owns stay readable as far as other walls say.
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_NO_NEW_PRIVS = 38
#: ``_LINUX_CAPABILITY_VERSION_3`` (``linux/capability.h``): two words each of effective, permitted, inheritable.
_VERSION = 0x20080522


def drop_privileges_of_this_thread() -> None:
    """Give up all capabilities, for good: programs that are started later do not get them back either.

    Does nothing where there is no Linux.

    Raises:
        OSError: the kernel refuses.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION, 0)
    none = (ctypes.c_uint32 * 6)()
    # Without new privileges, a program that root starts has no more of them than its starter.
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or libc.capset(header, none) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"capabilities: {os.strerror(number)}")
