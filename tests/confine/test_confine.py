"""Walls and bounds, tried from inside by ordinary programs of the system."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from wasm_lab.confine.landlock import Openings, landlock_version
from wasm_lab.confine.process import REPORT, Bounds, Stop, run_confined

from .ends import gone

SYSTEM = tuple(map(Path, ("/usr", "/lib", "/lib64", "/bin", str(Path(sys.base_prefix).resolve()))))

walled = pytest.mark.skipif(not landlock_version(), reason="the kernel has no Landlock")


def run(command, tmp_path, *, openings=None, **options):
    bounds = {name: options.pop(name) for name in ("deadline_s", "output_bytes") if name in options}
    bounds = Bounds(openings=openings, **{"deadline_s": 20.0, **bounds})
    return run_confined(command, bounds=bounds, env={"PATH": "/usr/bin:/bin"}, cwd=tmp_path, **options)


def shell(text, tmp_path, **options):
    return run(["/bin/sh", "-c", text], tmp_path, **options)


def test_what_it_writes_and_how_it_ends(tmp_path):
    ended = shell("cat; echo wrong >&2; exit 3", tmp_path, stdin=b"given")
    assert (ended.status, ended.stop, ended.stdout, ended.stderr) == (3, None, b"given", b"wrong\n")
    assert 0 < ended.duration_ns < 20e9
    assert shell("kill -SEGV $$", tmp_path).status == -signal.SIGSEGV


def test_it_gets_the_environment_it_is_given_and_no_more(tmp_path):
    ended = run(["/usr/bin/env"], tmp_path)
    assert ended.stdout == b"PATH=/usr/bin:/bin\n"


def test_a_report_has_a_pipe_of_its_own(tmp_path):
    ended = shell(f"echo out; echo told >/proc/self/fd/{REPORT}", tmp_path)
    assert (ended.stdout, ended.report) == (b"out\n", b"told\n")


def test_the_deadline_ends_it_and_what_it_started(tmp_path):
    ended = shell("sleep 60 & echo $!; wait", tmp_path, deadline_s=0.3)
    assert (ended.status, ended.stop) == (-signal.SIGKILL, Stop.DEADLINE)
    assert gone(int(ended.stdout))


def test_a_child_left_behind_is_ended_and_not_waited_for(tmp_path):
    started = time.monotonic()
    ended = shell("sleep 60 & echo $!", tmp_path)
    assert (ended.status, ended.stop) == (0, None)
    assert time.monotonic() - started < 20
    assert gone(int(ended.stdout))


def test_too_much_output_ends_it_and_what_fits_is_kept(tmp_path):
    ended = shell("yes", tmp_path, output_bytes=1001)
    assert ended.stop is Stop.OUTPUT
    assert ended.stdout == b"y\n" * 500 + b"y"


def test_output_is_passed_on_as_it_comes(tmp_path):
    seen = []

    def sink(name, data):
        seen.append((name, data))
        (tmp_path / "go").touch()

    ended = shell("echo one; while [ ! -e go ]; do sleep 0.01; done; echo two", tmp_path, on_output=sink)
    assert seen == [("stdout", b"one\n"), ("stdout", b"two\n")]
    assert ended.stdout == b"one\ntwo\n"


def test_an_interrupt_ends_it(tmp_path):
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    told = []
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        shell("echo $$; sleep 60", tmp_path, on_output=lambda name, data: told.append(data))
    timer.join()
    assert gone(int(told[0]))


def test_a_program_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        run(["/nowhere/program"], tmp_path)


@walled
def test_behind_the_wall_only_openings_are_left(tmp_path):
    for name in ("read", "write", "closed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    openings = Openings(execute=SYSTEM, read=(tmp_path / "read",), write=(tmp_path / "write",))
    script = """
        cat read/file write/file; cat closed/file; echo new > read/new; echo new > write/new
        cat write/new; echo changed > read/file; mv write/new write/moved; rm write/moved; ls closed
        ln -s ../closed/file write/link; cat write/link; cat /etc/passwd; head -c1 /proc/self/environ
    """
    ended = shell(script, tmp_path, openings=openings)
    assert ended.stdout == b"readwritenew\n"
    assert ended.stderr.count(b"ermission denied") == 7, ended.stderr.decode()
    assert sorted(each.name for each in (tmp_path / "write").iterdir()) == ["file", "link"]
    assert (tmp_path / "read" / "file").read_text() == "read"


@walled
def test_the_wall_stands_around_the_child_alone(tmp_path):
    (tmp_path / "mine").write_text("still here")
    shell("true", tmp_path, openings=Openings(execute=SYSTEM))
    assert (tmp_path / "mine").read_text() == "still here"
    assert shell("cat mine", tmp_path).stdout == b"still here"


@walled
@pytest.mark.skipif(landlock_version() < 4, reason="Landlock closes TCP since version 4 of its interface")
def test_behind_the_wall_there_is_no_tcp(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port})); print('connected')"
        command = [sys.executable, "-I", "-c", code]
        read = (Path(sys.prefix).resolve(), Path("/etc/ld.so.cache"))
        openings = Openings(execute=(*SYSTEM, Path(sys.executable).parent), read=read)
        assert run(command, tmp_path).stdout == b"connected\n"
        assert b"PermissionError" in run(command, tmp_path, openings=openings).stderr
