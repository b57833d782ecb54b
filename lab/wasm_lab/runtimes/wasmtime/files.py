"""What a guest under a frozen clock sees of files: nothing that differs from run to run.

Times of files that changed during the run would give the real time away, and inode
numbers, device numbers and the order of folder listings are the host's. So times later
than the start of the run stand still too, numbers count from 1 in the order in which the
guest meets them, and listings are sorted by name.
"""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING

from wasm_lab.wasi.tables import ERRNO

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.runtimes.wasmtime.host import Host

_OK = ERRNO["success"]

#: ``$filestat``: dev, ino, filetype, nlink, size, atim, mtim, ctim.
_FILESTAT = struct.Struct("<QQB7xQQQQQ")

#: ``$dirent``: d_next, d_ino, d_namlen, d_type; the name follows.
_DIRENT = struct.Struct("<QQIB3x")

#: Calls of the native implementation that one listing may take.
_MOST_ROUNDS = 100_000


class FrozenFiles:
    """Handlers for the calls through which a guest sees times, numbers and listings.

    Args:
        now_ns: what the frozen clock shows.
    """

    def __init__(self, host: Host, now_ns: Callable[[], int]) -> None:
        self._host = host
        self._now_ns = now_ns
        self._started_ns = time.time_ns()
        self._numbers: dict[int, int] = {}
        self._listings: dict[int, list[tuple[bytes, int, int]]] = {}
        host.handlers["fd_filestat_get"] = self._fd_filestat_get
        host.handlers["path_filestat_get"] = self._path_filestat_get
        host.handlers["fd_readdir"] = self._fd_readdir

    def forget(self, descriptor: int) -> None:
        """A descriptor was closed: its listing is no more."""
        self._listings.pop(descriptor, None)

    def _fd_filestat_get(self, raw: tuple[int, ...]) -> int:
        return self._filestat("fd_filestat_get", raw)

    def _path_filestat_get(self, raw: tuple[int, ...]) -> int:
        return self._filestat("path_filestat_get", raw)

    def _filestat(self, name: str, raw: tuple[int, ...]) -> int:
        errno = self._host.forward(name, raw)
        if errno != _OK:
            return errno
        _, inode, kind, links, size, _, modified, _ = _FILESTAT.unpack(
            self._host.read(raw[-1], _FILESTAT.size)
        )
        shown = modified if modified < self._started_ns else self._now_ns()
        # Reading a file moves its access time, and renaming it its change time: show neither.
        stat = _FILESTAT.pack(1, self._number(inode), kind, links, size, shown, shown, shown)
        self._host.write(raw[-1], stat)
        return _OK

    def _number(self, inode: int) -> int:
        return self._numbers.setdefault(inode, len(self._numbers) + 1)

    def _fd_readdir(self, raw: tuple[int, ...]) -> int:
        descriptor, start, size, cookie, used = raw
        if cookie == 0 or descriptor not in self._listings:
            errno, entries = self._read_all(raw)
            if errno != _OK:
                return errno
            self._listings[descriptor] = sorted(entries)
        listing = self._listings[descriptor]
        out = bytearray()
        for position in range(min(cookie, len(listing)), len(listing)):
            name, inode, kind = listing[position]
            out += _DIRENT.pack(position + 1, self._number(inode), len(name), kind) + name
            if len(out) >= size:
                break
        self._host.write(start, bytes(out[:size]))
        self._host.write(used, struct.pack("<I", min(len(out), size)))
        return _OK

    def _read_all(self, raw: tuple[int, ...]) -> tuple[int, list[tuple[bytes, int, int]]]:
        """Every entry of a folder, read through the guest's own buffer."""
        descriptor, start, size, _, used = raw
        entries: list[tuple[bytes, int, int]] = []
        cookie = 0
        for _ in range(_MOST_ROUNDS):
            errno = self._host.forward("fd_readdir", (descriptor, start, size, cookie, used))
            if errno != _OK:
                return errno, []
            filled = struct.unpack("<I", self._host.read(used, 4))[0]
            data = self._host.read(start, filled)
            position, before = 0, len(entries)
            while position + _DIRENT.size <= filled:
                following, inode, length, kind = _DIRENT.unpack_from(data, position)
                name = data[position + _DIRENT.size : position + _DIRENT.size + length]
                if len(name) < length:
                    break
                entries.append((name, inode, kind))
                cookie = following
                position += _DIRENT.size + length
            if filled < size:
                return _OK, entries
            if len(entries) == before:
                return ERRNO["inval"], []  # no entry fits the guest's buffer
        return ERRNO["overflow"], []
