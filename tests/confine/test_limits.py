"""Limits of a process and closed calls of the kernel, tried from inside."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from wasm_lab.confine.limits import Limits
from wasm_lab.confine.process import Bounds, run_confined
from wasm_lab.confine.syscalls import syscalls_can_be_closed

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of others need Linux")

MIB = 1024 * 1024


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
