"""Servers: started on their core, timed to the first answer, and gone afterwards, whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from wasm_lab.errors import ProbeError
from wasm_lab.scenarios.loadtest.api import check
from wasm_lab.scenarios.loadtest.cores import Cores, bound, share_cores
from wasm_lab.scenarios.loadtest.server import Server, guarded
from wasm_lab.scenarios.loadtest.workshop import Workshop

LONGEST_S = 20.0

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are bound to cores on Linux alone")


def gone(pid: int) -> bool:
    """Whether a process ends within a while."""
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


def family(server: Server) -> list[int]:
    process = psutil.Process(server._process.pid)
    return [process.pid, *(child.pid for child in process.children(recursive=True))]


def test_a_server_answers_is_weighed_and_is_gone(python_stack: Any) -> None:
    stack = python_stack("it")
    prepared = stack.prepare(Workshop())
    with guarded() as guard:
        with Server(stack, prepared, Cores(), guard) as server:
            check(stack.title, server.port)
            assert server.cold_start_ns > 1_000_000  # Python takes longer to start
            assert server.sizes()["RSS"] > 1_000_000
            pids = family(server)
        server.close()  # a second time is nothing
        assert all(gone(pid) for pid in pids)


@linux
def test_what_is_mapped_includes_the_program(python_stack: Any) -> None:
    stack = python_stack("it")
    with guarded() as guard, Server(stack, stack.prepare(Workshop()), Cores(), guard) as server:
        program = Path(sys.executable).resolve()
        assert program in {path.resolve() for path in server.mapped_files()}


def test_a_child_that_left_the_group_is_ended_too(python_stack: Any) -> None:
    stack = python_stack("it", mood="child")
    with guarded() as guard:
        with Server(stack, stack.prepare(Workshop()), Cores(), guard) as server:
            pids = family(server)
            assert len(pids) > 1
        assert all(gone(pid) for pid in pids)


def test_a_server_that_ends_says_why(python_stack: Any) -> None:
    stack = python_stack("it", mood="ends")
    with guarded() as guard, pytest.raises(ProbeError, match=r"It ended with status 1.*\n.*no port for me"):
        Server(stack, stack.prepare(Workshop()), Cores(), guard)


@linux
def test_server_and_generator_have_cores_of_their_own(python_stack: Any) -> None:
    before = os.sched_getaffinity(0)
    cores = share_cores()
    assert len(cores.server) == 1
    assert cores.server | cores.others == before
    assert len(before) == 1 or not cores.server & cores.others
    stack = python_stack("it")
    with guarded() as guard, bound(cores.others):
        assert os.sched_getaffinity(0) == cores.others
        with Server(stack, stack.prepare(Workshop()), cores, guard) as server:
            assert os.sched_getaffinity(server._process.pid) == cores.server
            assert os.sched_getaffinity(0) == cores.others
    assert os.sched_getaffinity(0) == before


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from conftest import PythonStack
from wasm_lab.scenarios.loadtest.cores import Cores
from wasm_lab.scenarios.loadtest.server import Server, guarded
from wasm_lab.scenarios.loadtest.workshop import Workshop
stack = PythonStack(name="it", title="It", folder=Path({tmp!r}))
with guarded() as guard:
    server = Server(stack, stack.prepare(Workshop()), Cores(), guard)
    print(server._process.pid, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_server_outlives_a_lab_that_is_killed(number: int, tmp_path: Path) -> None:
    code = KILLED.format(folder=str(Path(__file__).parent), tmp=str(tmp_path))
    lab = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with lab:
        assert lab.stdout
        pid = int(lab.stdout.readline())
        assert psutil.pid_exists(pid)
        lab.send_signal(number)
        assert gone(pid)
