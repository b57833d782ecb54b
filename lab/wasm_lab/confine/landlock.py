"""Landlock: a thread of Linux gives up its rights to files, for itself and all that it starts.

The kernel keeps a process to the folders that were named before it began, whoever its user is.
There is no wrapper in the C library, so the three system calls are made by number (the same on
every architecture). Source: ``linux/landlock.h``, and "Landlock: unprivileged access control" in
the kernel's documentation.
"""

from __future__ import annotations

import ctypes
import functools
import os
import struct
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_CHAR, _MAKE_BLOCK = 1 << 6, 1 << 11
_TRUNCATE, _IOCTL_DEVICE = 1 << 14, 1 << 15
#: Rights that can be given on a file; the others are of folders.
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE

#: How many rights to files each version of the interface knows; more since its version 5.
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_NETWORK_SINCE, _SCOPES_SINCE = 4, 6
_BIND_AND_CONNECT_TCP = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11


@dataclass(frozen=True, slots=True, kw_only=True)
class Openings:
    """What stays open behind the wall; files and folders, with all below them. Absent ones are left out.

    Attributes:
        read: may be read and listed.
        write: may be read, listed and changed.
        execute: may be read, listed and run.
    """

    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    execute: tuple[Path, ...] = ()


@functools.cache
def landlock_version() -> int:
    """The version of Landlock's interface here; 0 where there is none.

    Since version 4 (Linux 6.7) TCP is closed too; UDP is not in any version.
    """
    if not sys.platform.startswith("linux"):
        return 0
    try:
        return max(0, int(_libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)))
    except (AttributeError, OSError):
        return 0


def wall_in_this_thread(openings: Openings) -> None:
    """Close everything but ``openings`` to the calling thread and to processes that it starts, for good.

    TCP is closed, and so are signals to processes outside, as far as the kernel can.

    Raises:
        OSError: the kernel refuses, or has no Landlock.
    """
    version = landlock_version()
    libc = _libc()
    handled = (1 << _RIGHTS.get(version, 16)) - 1
    network = _BIND_AND_CONNECT_TCP if version >= _NETWORK_SINCE else 0
    scopes = _ABSTRACT_SOCKETS_AND_SIGNALS if version >= _SCOPES_SINCE else 0
    attributes = struct.pack("=QQQ", handled, network, scopes)
    size = 24 if version >= _SCOPES_SINCE else 16 if version >= _NETWORK_SINCE else 8
    ruleset = _checked(libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0))
    try:
        change = handled & ~(_EXECUTE | _MAKE_CHAR | _MAKE_BLOCK)
        for paths, rights in (
            (openings.read, _READ_FILE | _READ_DIR),
            (openings.write, change),
            (openings.execute, _READ_FILE | _READ_DIR | _EXECUTE),
        ):
            for path in paths:
                _open_beneath(libc, ruleset, path, rights & handled)
        _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _checked(libc.syscall(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def _open_beneath(libc: Any, ruleset: int, path: Path, rights: int) -> None:
    try:
        number = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        rights = rights if path.is_dir() else rights & _OF_FILES
        rule = struct.pack("=Qi", rights, number)
        _checked(libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0))
    finally:
        os.close(number)


@functools.cache
def _libc() -> Any:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"Landlock: {os.strerror(number)}")
    return int(result)
