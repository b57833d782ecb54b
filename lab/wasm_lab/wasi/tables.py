"""Every call of WASI 0.1, as data: parameters, results, and the capability it needs.

Written from the interface's own definition, ``wasi_snapshot_preview1.witx`` in the WASI
repository (phases/snapshot). Each parameter has a kind, which says how it is passed in
core Wasm and how it is shown; the kinds are below.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

#: The module that WASI 0.1 calls are imported from.
MODULE = "wasi_snapshot_preview1"

#: Error numbers in their order (witx: ``$errno``).
ERRNOS = (
    "success 2big acces addrinuse addrnotavail afnosupport again already badf badmsg busy canceled child "
    "connaborted connrefused connreset deadlk destaddrreq dom dquot exist fault fbig hostunreach idrm ilseq "
    "inprogress intr inval io isconn isdir loop mfile mlink msgsize multihop nametoolong netdown netreset "
    "netunreach nfile nobufs nodev noent noexec nolck nolink nomem nomsg noprotoopt nospc nosys notconn "
    "notdir notempty notrecoverable notsock notsup notty nxio overflow ownerdead perm pipe proto "
    "protonosupport prototype range rofs spipe srch stale timedout txtbsy xdev notcapable"
).split()

ERRNO = {name: number for number, name in enumerate(ERRNOS)}

_FLAGS = {
    "oflags": "creat directory excl trunc",
    "fdflags": "append dsync nonblock rsync sync",
    "fstflags": "atim atim_now mtim mtim_now",
    "lookupflags": "symlink_follow",
    "riflags": "recv_peek recv_waitall",
    "siflags": "",
    "sdflags": "rd wr",
    "rights": (
        "fd_datasync fd_read fd_seek fd_fdstat_set_flags fd_sync fd_tell fd_write fd_advise fd_allocate "
        "path_create_directory path_create_file path_link_source path_link_target path_open fd_readdir "
        "path_readlink path_rename_source path_rename_target path_filestat_get path_filestat_set_size "
        "path_filestat_set_times fd_filestat_get fd_filestat_set_size fd_filestat_set_times path_symlink "
        "path_remove_directory path_unlink_file poll_fd_readwrite sock_shutdown sock_accept"
    ),
}

#: Names of the bits of each kind of flags, the lowest bit first.
FLAGS = {kind: tuple(names.split()) for kind, names in _FLAGS.items()}

_ENUMS = {
    "clockid": "realtime monotonic process_cputime_id thread_cputime_id",
    "whence": "set cur end",
    "advice": "normal sequential random willneed dontneed noreuse",
    "filetype": (
        "unknown block_device character_device directory regular_file socket_dgram socket_stream symbolic_link"
    ),
}

#: Names of the values of each enumeration, from 0.
ENUMS = {kind: tuple(names.split()) for kind, names in _ENUMS.items()}

#: Kinds that core Wasm passes as one i64.
_LONG = frozenset({"u64", "s64", "size64", "timestamp", "cookie", "rights"})

#: Kinds that core Wasm passes as an address and a length.
_RANGES = frozenset({"path", "iovs", "buffer"})

#: What an address in the parameters points to, which is shown only after the call.
POINTER = "pointer"


class Value(NamedTuple):
    """One parameter or result: its kind and the name it is shown under."""

    kind: str
    name: str

    @property
    def core_types(self) -> tuple[str, ...]:
        """How core Wasm passes it as a parameter."""
        if self.kind in _RANGES:
            return ("i32", "i32")
        return ("i64",) if self.kind in _LONG else ("i32",)


class Call(NamedTuple):
    """One function of WASI 0.1.

    Results are written to memory at addresses that come as the last parameters.
    """

    name: str
    parameters: tuple[Value, ...]
    results: tuple[Value, ...]
    capability: str  #: the field of Capabilities that decides on it; empty when none does
    returns_errno: bool = True

    @property
    def core_parameters(self) -> tuple[str, ...]:
        """The parameter types of the core Wasm function."""
        own = (kind for value in self.parameters for kind in value.core_types)
        return (*own, *("i32" for _ in self.results))


# One line each: capability, parameters, and results after "->".
_CALLS = """
args_get                args    pointer argv, pointer argv_buf
args_sizes_get          args    -> u32 count, size bytes
environ_get             env     pointer environ, pointer environ_buf
environ_sizes_get       env     -> u32 count, size bytes
clock_res_get           clock   clockid clock -> u64 nanoseconds
clock_time_get          clock   clockid clock, u64 precision -> timestamp time
fd_advise               -       fd fd, size64 offset, size64 len, advice advice
fd_allocate             -       fd fd, size64 offset, size64 len
fd_close                -       fd fd
fd_datasync             -       fd fd
fd_fdstat_get           -       fd fd -> fdstat stat
fd_fdstat_set_flags     -       fd fd, fdflags flags
fd_fdstat_set_rights    -       fd fd, rights rights, rights inheriting
fd_filestat_get         -       fd fd -> filestat stat
fd_filestat_set_size    -       fd fd, size64 size
fd_filestat_set_times   -       fd fd, timestamp atim, timestamp mtim, fstflags flags
fd_pread                -       fd fd, iovs buffers, size64 offset -> size read
fd_prestat_get          dirs    fd fd -> prestat directory
fd_prestat_dir_name     dirs    fd fd, buffer name
fd_pwrite               -       fd fd, iovs buffers, size64 offset -> size written
fd_read                 -       fd fd, iovs buffers -> size read
fd_readdir              -       fd fd, buffer entries, cookie cookie -> size used
fd_renumber             -       fd fd, fd to
fd_seek                 -       fd fd, s64 offset, whence whence -> size64 position
fd_sync                 -       fd fd
fd_tell                 -       fd fd -> size64 position
fd_write                -       fd fd, iovs buffers -> size written
path_create_directory   dirs    fd dir, path path
path_filestat_get       dirs    fd dir, lookupflags lookup, path path -> filestat stat
path_filestat_set_times dirs    fd dir, lookupflags lookup, path path, timestamp atim, timestamp mtim, fstflags flags
path_link               dirs    fd dir, lookupflags lookup, path path, fd new_dir, path new_path
path_open               dirs    fd dir, lookupflags lookup, path path, oflags oflags, rights rights, rights inheriting, fdflags flags -> fd fd
path_readlink           dirs    fd dir, path path, buffer target -> size used
path_remove_directory   dirs    fd dir, path path
path_rename             dirs    fd dir, path path, fd new_dir, path new_path
path_symlink            dirs    path target, fd dir, path path
path_unlink_file        dirs    fd dir, path path
poll_oneoff             clock   pointer subscriptions, pointer events, u32 count -> u32 ready
proc_exit               -       u32 status
proc_raise              -       u32 signal
sched_yield             -
random_get              random  buffer bytes
sock_accept             hosts   fd fd, fdflags flags -> fd fd
sock_recv               hosts   fd fd, iovs buffers, riflags flags -> size read, u32 roflags
sock_send               hosts   fd fd, iovs buffers, siflags flags -> size written
sock_shutdown           hosts   fd fd, sdflags how
"""  # noqa: E501 - one call a line


def _values(text: str) -> tuple[Value, ...]:
    pairs = (item.split() for item in text.split(",") if item.strip())
    return tuple(Value(kind, name) for kind, name in pairs)


@functools.cache
def calls() -> dict[str, Call]:
    """Every call by name."""
    table = {}
    for line in _CALLS.strip().splitlines():
        name, capability, *rest = line.split(None, 2)
        parameters, _, results = (rest[0] if rest else "").partition("->")
        table[name] = Call(
            name,
            _values(parameters),
            _values(results),
            "" if capability == "-" else capability,
            returns_errno=name != "proc_exit",
        )
    return table


def errno_name(number: int) -> str:
    """The name of an error number; ``errno N`` for one that WASI does not define."""
    return ERRNOS[number] if 0 <= number < len(ERRNOS) else f"errno {number}"
