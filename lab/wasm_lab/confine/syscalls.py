"""Calls of the kernel that a thread gives up, for itself and all that it starts (seccomp).

Landlock closes files and TCP; this closes what it leaves: sockets of every kind (UDP too), looking into other
processes, changing their limits and priorities, memory and messages that outlive a process, leaving the group that is
killed at the end, namespaces, and parts of the kernel that neither a compiler nor an engine needs and that had most of
its holes.
The filter is a program of the kernel's packet filter, as "Seccomp BPF" in the kernel's documentation has it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 22, 38
_MODE_FILTER = 2

#: Instructions: load a word of the call's description, jump where equal, greater or a bit is set, return.
_LOAD, _JUMP_EQUAL, _JUMP_NOT_LESS, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000

#: Where ``struct seccomp_data`` has the number of the call, the architecture and the first argument.
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _SECOND_ARGUMENT = 0, 4, 16, 24
_THIRD_ARGUMENT, _FOURTH_ARGUMENT = 32, 40

_CLONE_THREAD = 0x10000
#: Every ``CLONE_NEW…`` that ``clone`` knows (``linux/sched.h``); a namespace of users makes its own root.
_CLONE_NAMESPACES = 0x7E020000
#: Numbers from here on are of another interface (x32) of the same machine.
_X32 = 0x40000000

#: ``uname -m`` to the architecture in calls (``linux/audit.h``).
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

#: Calls that are given up, and their numbers on x86-64 and on 64-bit ARM (None: it has none).
_CLOSED: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198),
    "io_uring_setup": (425, 425),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "setsid": (112, 157),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_by_handle_at": (304, 265),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "fanotify_init": (300, 262),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "syslog": (103, 116),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "ioperm": (173, None),
    "iopl": (172, None),
    # Of other processes of the same user: their limits, where and when they run, what they hold.
    "setrlimit": (160, 164),
    "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "kcmp": (312, 272),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    # Memory and messages that other processes find, and that stay when all of them have ended.
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
}

#: Calls by which a process starts or ends others, besides ``clone``.
_OF_PROCESSES: dict[str, tuple[int | None, int | None]] = {
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "kill": (62, 129),
    "tkill": (200, 130),
    "pidfd_send_signal": (424, 424),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
}
#: On both architectures the flags of ``clone`` are its first argument; those of ``clone3`` lie in memory.
_CLONE, _CLONE3 = (56, 220), (435, 435)
#: Its second argument is the group to join: 0 for a new one.
_SETPGID = (109, 154)
#: No process and no group has this number, which is beyond all that there may be (``PID_MAX_LIMIT``).
_NO_GROUP = 0xFFFFFFFF
#: Asked with a third argument it sets the limits of a process; with none it only tells them, which threads need.
_PRLIMIT = (302, 261)
#: Sends a signal to a thread of the process that the first argument names: `abort` and `raise` are made of it.
_TGKILL = (234, 131)
#: No limit of a process counts memory that is shared (``RLIMIT_DATA`` does not).
_MMAP = (9, 222)
_MAP_SHARED, _MAP_ANONYMOUS = 0x01, 0x20


def syscalls_can_be_closed() -> bool:
    """Whether this kind of machine is known here. Whether its kernel can is seen when it is asked to."""
    return sys.platform.startswith("linux") and platform.machine() in _ARCHITECTURES and sys.maxsize > 2**32


def close_syscalls_in_this_thread(*, processes: bool = False, group: int | None = None) -> None:
    """Refuse sockets and the like to the calling thread and to what it starts, for good.

    Does nothing on machines that are not known here.

    Args:
        group: the one process group that may be joined; None for none.
        processes: refuse starting and ending other processes too, and memory that no limit counts. Threads
            stay possible.

    Raises:
        OSError: the kernel refuses.
    """
    if not syscalls_can_be_closed():
        return
    program = _program(processes=processes, group=group)
    data = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(data)))
    libc = ctypes.CDLL(None, use_errno=True)
    for words in ((_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (_PR_SET_SECCOMP, _MODE_FILTER, header, 0, 0)):
        if libc.prctl(*words) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"seccomp: {os.strerror(number)}")


def _program(*, processes: bool, group: int | None) -> bytes:
    column = list(_ARCHITECTURES).index(platform.machine())
    closed = {**_CLOSED, **(_OF_PROCESSES if processes else {})}
    refuse = _ERRNO | errno.EPERM
    lines = [
        _line(_LOAD, _ARCHITECTURE),
        _line(_JUMP_EQUAL, _ARCHITECTURES[platform.machine()], yes=1),
        _line(_RETURN, _KILL),
        _line(_LOAD, _NUMBER),
        *_where(_JUMP_NOT_LESS, _X32, refuse),
    ]
    for numbers in closed.values():
        number = numbers[column]
        if number is not None:
            lines += _where(_JUMP_EQUAL, number, refuse)
    lines += [
        _line(_JUMP_EQUAL, _PRLIMIT[column], no=6),  # past the six lines that follow
        _line(_LOAD, _THIRD_ARGUMENT),  # the halves of a pointer: of a null pointer both are zero
        *_where(_JUMP_NOT_LESS, 1, refuse),
        _line(_LOAD, _THIRD_ARGUMENT + 4),
        *_where(_JUMP_NOT_LESS, 1, refuse),
        _line(_LOAD, _NUMBER),
        _line(_JUMP_EQUAL, _SETPGID[column], no=4),  # past the four lines that follow
        _line(_LOAD, _SECOND_ARGUMENT),
        *_where(_JUMP_EQUAL, group or _NO_GROUP, _ALLOW),
        _line(_RETURN, refuse),
        # The C library asks for a thread by clone3, whose flags cannot be seen from here, and then by clone.
        *_where(_JUMP_EQUAL, _CLONE3[column], _ERRNO | errno.ENOSYS),
    ]
    if processes:
        lines += [
            _line(_JUMP_EQUAL, _TGKILL[column], no=4),  # past the four lines that follow
            _line(_LOAD, _FIRST_ARGUMENT),
            _line(_JUMP_EQUAL, os.getpid(), yes=1),
            _line(_RETURN, refuse),
            _line(_RETURN, _ALLOW),
            _line(_JUMP_EQUAL, _MMAP[column], no=5),  # past the five lines that follow
            _line(_LOAD, _FOURTH_ARGUMENT),
            _line(_JUMP_SET, _MAP_ANONYMOUS, no=2),
            *_where(_JUMP_SET, _MAP_SHARED, refuse),
            _line(_LOAD, _NUMBER),
        ]
    lines += [
        _line(_JUMP_EQUAL, _CLONE[column], yes=1),
        _line(_RETURN, _ALLOW),
        _line(_LOAD, _FIRST_ARGUMENT),
        *_where(_JUMP_SET, _CLONE_NAMESPACES, refuse),
        *_where(_JUMP_SET, _CLONE_THREAD, _ALLOW),
        _line(_RETURN, refuse if processes else _ALLOW),
    ]
    return b"".join(lines)


def _where(jump: int, value: int, answer: int) -> list[bytes]:
    """Return ``answer`` where the loaded word meets the condition."""
    return [_line(jump, value, no=1), _line(_RETURN, answer)]


def _line(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)
