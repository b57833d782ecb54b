"""Was a call refused for lack of a capability, and which flag would allow it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wasm_lab.wasi.tables import ERRNO, Call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.capabilities import Capabilities
    from wasm_lab.wasi.descriptors import Descriptors

#: What hosts answer when a sandbox, not the file system, says no.
SAYS_NO = frozenset({ERRNO["perm"], ERRNO["notcapable"], ERRNO["rofs"]})

#: Calls that change a file or folder; a read-only folder refuses them.
_CHANGES = frozenset({
    "fd_allocate", "fd_filestat_set_size", "fd_filestat_set_times", "fd_pwrite", "fd_write",
    "path_create_directory", "path_filestat_set_times", "path_link", "path_remove_directory", "path_rename",
    "path_symlink", "path_unlink_file",
})  # fmt: skip

#: Calls that a host refuses on a descriptor of a folder or file that was opened to the guest.
_ON_FILES = frozenset(
    {"path_open", "path_filestat_get", "path_readlink", "fd_readdir", "fd_read", "fd_pread"}
)


#: Bits of ``$oflags`` and ``$rights``.
_CREAT_OR_TRUNC, _FD_WRITE = 0b1001, 1 << 6


class Verdict(NamedTuple):
    """Whether a call was allowed, by which capability, and the flag that would allow it."""

    allowed: bool
    capability: str = ""
    flag: str = ""


#: Flags that open what was closed, by the field of Capabilities.
FLAGS = {
    "clock": "--clock real",
    "random": "--random real",
    "dirs": "--dir HOST::GUEST",
    "hosts": "",  # no runtime grants these to WASI 0.1
}


def refused_by(capability: str) -> Verdict:
    """The verdict on a call that the lab itself refused."""
    return Verdict(False, capability, FLAGS[capability])


def judge(
    call: Call, errno: int, raw: Sequence[int], descriptors: Descriptors, capabilities: Capabilities
) -> Verdict:
    """The verdict on a call that the host answered with ``errno``.

    Hosts answer ``perm`` or ``notcapable`` when a path leads out of what was opened to
    the guest and when it may only read there; on a folder that was never opened they
    answer ``badf``.
    """
    if call.capability == "hosts":
        return refused_by("hosts") if errno else Verdict(True, "hosts")
    if call.name == "fd_prestat_get" and errno == ERRNO["badf"] and not capabilities.dirs:
        # How C libraries look for the folders that are open, before they ask for any path.
        return refused_by("dirs")
    if call.name not in _CHANGES and call.name not in _ON_FILES:
        return Verdict(True, call.capability)
    first = call.parameters[0]
    number = raw[0] if first.kind == "fd" else raw[2]  # path_symlink: its target comes first
    granted = descriptors.directory(number)
    if errno in SAYS_NO and capabilities.dirs:
        if granted and not granted.writable and _changes(call, raw):
            return Verdict(False, "dirs", f"--dir {granted.host}::{granted.guest}")
        return refused_by("dirs")
    if errno == ERRNO["badf"] and call.name.startswith("path_") and not capabilities.dirs:
        return refused_by("dirs")
    return Verdict(True, call.capability)


def _changes(call: Call, raw: Sequence[int]) -> bool:
    """Whether a call is to change something: an opening does when it creates, truncates or writes."""
    if call.name != "path_open":
        return call.name in _CHANGES
    _, _, _, _, oflags, rights, *_ = raw
    return bool(oflags & _CREAT_OR_TRUNC or rights & _FD_WRITE)
