"""Limits of a process and closed calls of the kernel, tried from inside."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wasm_lab.confine import syscalls
from wasm_lab.confine.group import held_group
from wasm_lab.confine.limits import Limits
from wasm_lab.confine.process import Bounds, run_confined
from wasm_lab.confine.syscalls import syscalls_can_be_closed

from .ends import gone

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of others need Linux")

MIB = 1024 * 1024

#: Of ``clone(2)``'s flags: mounts, cgroups, host names, messages, users, processes, network (``linux/sched.h``).
_NAMESPACE_BITS = (17, 25, 26, 27, 28, 29, 30)


def python(text, tmp_path, *, limits=None, closed=False):
    return run_confined(
        [sys.executable, "-I", "-S", "-c", text],
        bounds=Bounds(limits=limits, closed=closed, deadline_s=60.0),
        env={},
        cwd=tmp_path,
    )


def test_memory(tmp_path):
    text = "import sys\ntry: bytearray(300 << 20)\nexcept MemoryError: sys.exit(7)"
    assert python(text, tmp_path).status == 0
    assert python(text, tmp_path, limits=Limits(memory_bytes=200 * MIB)).status == 7
    assert python(text, tmp_path, limits=Limits(address_bytes=250 * MIB)).status == 7


@pytest.mark.slow  # it takes a second of processor time
def test_processor_time(tmp_path):
    ended = python("while True: pass", tmp_path, limits=Limits(cpu_s=1))
    assert ended.status in (-signal.SIGXCPU, -signal.SIGKILL)


def test_files(tmp_path):
    text = "import sys\ntry: open('large', 'wb').write(bytes(2 << 20))\nexcept OSError: sys.exit(7)"
    assert python(text, tmp_path, limits=Limits(file_bytes=MIB)).status == 7
    assert (tmp_path / "large").stat().st_size <= MIB
    text = "import sys\ntry: all = [open('/dev/null') for _ in range(100)]\nexcept OSError: sys.exit(7)"
    assert python(text, tmp_path, limits=Limits(files=50)).status == 7


def test_children_have_them_too_and_nobody_raises_them(tmp_path):
    text = (
        "import resource, subprocess, sys\n"
        "code = 'import resource; print(resource.getrlimit(resource.RLIMIT_DATA))'\n"
        "subprocess.run([sys.executable, '-I', '-S', '-c', code])\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    ended = python(text, tmp_path, limits=Limits(memory_bytes=500 * MIB))
    assert ended.stdout.split(b"\n")[:2] == [b"(524288000, 524288000)", b"(0, 0)"]


@pytest.mark.skipif(not syscalls_can_be_closed(), reason="not known on this machine")
def test_closed_calls(tmp_path):
    text = (
        "import os, socket, subprocess\n"
        "def tried(what):\n"
        "    try: what(); return 'done'\n"
        "    except OSError as error: return error.strerror\n"
        "print(tried(socket.socket), tried(lambda: socket.socket(type=socket.SOCK_DGRAM)))\n"
        "print(tried(lambda: socket.socket(socket.AF_UNIX)), tried(os.setsid))\n"
        "print(subprocess.run(['/bin/echo', 'children'], capture_output=True, text=True).stdout)"
    )
    lines = python(text, tmp_path, closed=True).stdout.decode().split("\n")
    refused = "Operation not permitted"
    assert lines[:3] == [f"{refused} {refused}", f"{refused} {refused}", "children"]
    assert python(text, tmp_path).stdout.startswith(b"done done")


@pytest.mark.skipif(not syscalls_can_be_closed(), reason="not known on this machine")
def test_no_namespace_and_no_mount_is_made(tmp_path):
    column = platform.machine() == "aarch64"
    clone, clone3 = syscalls._CLONE[column], syscalls._CLONE3[column]
    flags = tuple(1 << bit for bit in _NAMESPACE_BITS)
    mounts = [428, 429, 430, 431, 432, 433, 442]
    text = (
        "import ctypes, errno, os, signal, subprocess, sys, threading\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "def tried(*words):\n"
        "    done = libc.syscall(*words)\n"
        "    if done == 0 and words[0] == CLONE: os._exit(0)\n"
        "    return 'done' if done >= 0 else errno.errorcode[ctypes.get_errno()]\n"
        "for flags in (*FLAGS, FLAGS[-1] | FLAGS[0]):\n"
        "    print(tried(CLONE, flags | signal.SIGCHLD, None, None, None, None))\n"
        "print(tried(CLONE, FLAGS[-1] | 0x10900, None, None, None, None))\n"
        "for number in MOUNTS: print(tried(number, *[None] * 6))\n"
        "print(tried(CLONE3, None, 0))\n"
        "thread = threading.Thread(target=lambda: print('thread'))\n"
        "thread.start(); thread.join()\n"
        "print(subprocess.run([sys.executable, '-ISc', 'print(7)'], capture_output=True).stdout)\n"
    )
    for name, value in {"CLONE3": clone3, "CLONE": clone, "MOUNTS": mounts}.items():
        text = text.replace(name, str(value))
    text = text.replace("FLAGS", str(flags))
    lines = python(text, tmp_path, closed=True).stdout.decode().split()
    refused = len(flags) + 2 + len(mounts)
    assert lines == ["EPERM"] * refused + ["ENOSYS", "thread", r"b'7\n'"]


@pytest.mark.skipif(not syscalls_can_be_closed(), reason="not known on this machine")
def test_nobody_leaves_the_group_that_is_killed(tmp_path):
    """A child that wants to stay tries every other group that there is, and its own children do."""
    text = (
        "import os, time\n"
        "def tried(what):\n"
        "    try: what(); return 'done'\n"
        "    except OSError as error: return type(error).__name__\n"
        "def leave():\n"
        "    groups = (0, os.getpid(), os.getppid(), os.getpgid(OUTSIDE))\n"
        "    said = [tried(lambda: os.setpgid(0, group)) for group in groups]\n"
        "    return ' '.join([str(os.getpid()), *said, tried(os.setsid)])\n"
        "reading, writing = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    first = leave()\n"
        "    if os.fork() == 0:\n"
        "        os.write(writing, f'{first}\\n{leave()}\\n'.encode())\n"
        "        os.close(writing)\n"
        "    [os.close(number) for number in (0, 1, 2)]\n"
        "    time.sleep(60)\n"
        "    os._exit(0)\n"
        "os.close(writing)\n"
        "print(os.read(reading, 1000).decode())\n"
    ).replace("OUTSIDE", str(os.getpid()))
    ended = python(text, tmp_path, closed=True)
    assert ended.status == 0, ended.stderr.decode()
    lines = [line.split() for line in ended.stdout.decode().split("\n") if line]
    try:
        assert [line[1:] for line in lines] == [["PermissionError"] * 5] * 2
        assert all(gone(int(line[0])) for line in lines)
    finally:
        for line in lines:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(line[0]), signal.SIGKILL)


def test_the_number_of_a_held_group_is_nobody_elses(tmp_path):
    with held_group() as group:
        for _ in range(2):
            joined = subprocess.Popen(["/bin/sleep", "60"], process_group=group)
            assert os.getpgid(joined.pid) == group != os.getpgid(0)
            os.killpg(group, signal.SIGKILL)
            assert joined.wait(60) == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


@pytest.mark.skipif(not syscalls_can_be_closed(), reason="not known on this machine")
def test_other_processes_of_the_same_user_are_left_alone(tmp_path):
    """What needs no right but the same user: limits, priorities, memory that others find."""
    text = (
        "import ctypes, os, resource\n"
        "def tried(what):\n"
        "    try: what(); print('done')\n"
        "    except (OSError, ValueError) as error: print(type(error).__name__)\n"
        "def checked(result):\n"
        "    if result < 0: raise OSError(ctypes.get_errno())\n"
        "libc, judge = ctypes.CDLL(None, use_errno=True), os.getppid()\n"
        "tried(lambda: resource.prlimit(judge, resource.RLIMIT_NOFILE, (17, 17)))\n"
        "tried(lambda: os.sched_setaffinity(judge, {0}))\n"
        "tried(lambda: os.setpriority(os.PRIO_PROCESS, judge, 19))\n"
        "tried(lambda: checked(libc.shmget(0x7761, 4096, 0o1666)))\n"
        "tried(lambda: checked(libc.msgget(0x7761, 0o1666)))\n"
        "tried(lambda: resource.prlimit(0, resource.RLIMIT_DATA, (1 << 50, 1 << 50)))\n"
        "resource.prlimit(judge, resource.RLIMIT_NOFILE)\n"
        "print(sum(int(line.split()[1], 16) for line in open('/proc/self/status') if line.startswith(('CapEff', 'CapPrm'))))\n"
    )
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE), os.sched_getaffinity(0), os.getpriority(0, 0)
    lines = python(text, tmp_path, closed=True, limits=Limits(memory_bytes=300 * MIB)).stdout.decode().split()
    assert len(lines) == 7
    assert "done" not in lines
    assert lines[-1] == "0", "capabilities"
    assert before == (
        resource.getrlimit(resource.RLIMIT_NOFILE),
        os.sched_getaffinity(0),
        os.getpriority(0, 0),
    )


def test_this_process_keeps_its_own(tmp_path):
    import resource
    import socket

    before = resource.getrlimit(resource.RLIMIT_DATA)
    python("", tmp_path, limits=Limits(memory_bytes=300 * MIB), closed=True)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    socket.socket().close()
    assert Path("/etc").exists()
