"""Ends servers when the lab is gone, however it went. A program of its own, with the standard library alone.

It reads lines from its standard input: ``+ GROUP`` for a process group that was started, ``- GROUP`` for
one that has ended. At the end of input, which comes when the lab ends, it kills those that are left.
"""

import contextlib
import os
import signal
import sys


def main() -> None:
    groups: set[int] = set()
    for line in sys.stdin:
        sign, _, number = line.partition(" ")
        (groups.add if sign == "+" else groups.discard)(int(number))
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
