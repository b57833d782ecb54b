"""Which processes of this machine a container runtime means by its numbers, and how much memory they take.

A private containerd counts processes in a PID namespace of its own. The kernel tells each process's number
in every namespace that it is in (``NSpid`` in proc_pid_status(5)), and who listens on a socket (``SO_PEERCRED``
in unix(7)) by the number that the asker knows.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections import defaultdict
from pathlib import Path

PROC = Path("/proc")


def listener(address: str) -> int:
    """The process that listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as talk:
        talk.connect(address)
        told = talk.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", told)[0])


class Processes:
    """The processes around a container runtime, as they were when this was made."""

    def __init__(self, runtime: int) -> None:
        """Takes the number of the runtime's own process."""
        self._numbers: dict[int, list[int]] = {}
        self._children: dict[int, list[int]] = defaultdict(list)
        for number in (int(path.name) for path in PROC.iterdir() if path.name.isdecimal()):
            told = _status(number)
            if told is not None:
                self._numbers[number], parent = told
                self._children[parent].append(number)
        self._level = len(self._numbers.get(runtime, [runtime])) - 1
        self._room = {number for number in self._numbers if self._level == 0}
        if self._level:
            namespace = _namespace(runtime)
            first = [
                number
                for number, numbers in self._numbers.items()
                if len(numbers) > self._level
                and numbers[self._level] == 1
                and _namespace(number) == namespace
            ]
            self._room = {each for number in first for each in self.family(number)}

    def family(self, number: int) -> list[int]:
        """A process and all that descend from it."""
        found = [number]
        for each in found:
            found.extend(self._children.get(each, ()))
        return found

    def meant(self, number: int) -> int | None:
        """The process that the runtime calls by a number; None when it is gone."""
        for each in self._room:
            numbers = self._numbers[each]
            if len(numbers) > self._level and numbers[self._level] == number:
                return each
        return None

    def shim_of(self, sandbox: str) -> int | None:
        """The shim that a pod runs under."""
        wanted = f"\0-id\0{sandbox}\0"
        return next((each for each in self._room if wanted in _words(each)), None)


def shims() -> int:
    """How many shims of containerd run on this machine, whosesoever."""
    numbers = [path.name for path in PROC.iterdir() if path.name.isdecimal()]
    return sum("/containerd-shim" in _words(int(number)).partition("\0")[0] for number in numbers)


def pss_bytes(number: int) -> int:
    """The proportional set size of a process: its own pages, and its share of shared ones. 0 when it is gone."""
    with contextlib.suppress(OSError):
        for line in (PROC / str(number) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _status(number: int) -> tuple[list[int], int] | None:
    try:
        text = (PROC / str(number) / "status").read_text()
    except OSError:
        return None
    fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    return [int(word) for word in fields.get("NSpid", str(number)).split()], int(fields["PPid"])


def _namespace(number: int) -> str:
    try:
        return str((PROC / str(number) / "ns" / "pid").readlink())
    except OSError:
        return ""


def _words(number: int) -> str:
    try:
        return (PROC / str(number) / "cmdline").read_text()
    except OSError:
        return ""
