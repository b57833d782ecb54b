from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from wasm_lab.errors import ProbeError, UnsupportedError, UsageError
from wasm_lab.measure.commands import CommandSubject
from wasm_lab.run import Phase


def _python(code: str, **more: object) -> CommandSubject:
    return CommandSubject(name="python", command=(sys.executable, "-c", code), **more)


def _time(subject: CommandSubject, count: int = 1) -> int:
    probe = subject.start()
    try:
        return probe.time(Phase.PROCESS, count).duration_ns
    finally:
        probe.close()


def test_every_repetition_is_a_whole_process(tmp_path):
    code = f"import os; open({str(tmp_path / 'pids')!r}, 'a').write(f'{{os.getpid()}}\\n')"
    assert _time(_python(code), 3) > 0
    pids = (tmp_path / "pids").read_text().split()
    # One more than was asked for: a short command is run once uncounted, so that caches hold it.
    assert len(set(pids)) == len(pids) == 4
    assert str(os.getpid()) not in pids


def test_the_time_is_at_least_that_of_the_work():
    assert _time(_python("import time; time.sleep(0.2)")) >= 200_000_000


def test_the_answer_is_what_it_writes():
    answer = _python("print('hello'); raise SystemExit(3)").answer()
    assert (answer.stdout, answer.exit_status) == (b"hello\n", 3)


def test_a_failing_command_is_no_measurement():
    with pytest.raises(ProbeError, match=r"status 3(?s:.*)no such luck"):
        _time(_python("import sys; sys.exit(print('no such luck', file=sys.stderr) or 3)"))
    with pytest.raises(ProbeError, match="status -9"):
        _time(_python("import os; os.kill(os.getpid(), 9)"))


def test_at_its_deadline_it_is_killed_with_all_that_it_started(tmp_path):
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    with pytest.raises(ProbeError, match="was not done after 1.5 s"):
        _time(_python(code, deadline_s=1.5))
    child = int((tmp_path / "pid").read_text())
    for _ in range(100):
        if not _alive(child):
            break
        time.sleep(0.05)
    assert not _alive(child)
    with pytest.raises(ProbeError, match="was not done"):
        _python("import time; time.sleep(60)", deadline_s=0.2).answer()


def _alive(pid: int) -> bool:
    """Whether it runs; one that has ended and was not collected yet by its new parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_has_no_input_and_the_environment_it_is_given(tmp_path):
    code = f"import os, sys; open({str(tmp_path / 'x')!r}, 'w').write(os.environ['WHO'] + sys.stdin.read())"
    _time(_python(code, env={"WHO": "me"}))
    assert (tmp_path / "x").read_text() == "me"


def test_what_cannot_be_done_is_refused():
    with pytest.raises(UsageError, match="no program 'no-such-program'"):
        CommandSubject(name="x", command=("no-such-program",))
    with pytest.raises(UsageError, match="no command"):
        CommandSubject(name="x", command=())
    probe = _python("").start()
    with pytest.raises(UnsupportedError, match="steady call"):
        probe.time(Phase.CALL, 1)
    with pytest.raises(UnsupportedError):
        probe.idle(1)
    assert probe.weigh() == {}
    assert 1 <= probe.resolution_ns < 1_000_000
    probe.close()


def test_a_long_command_is_not_run_more_often_than_it_is_timed(tmp_path):
    code = f"import time; time.sleep(0.15); open({str(tmp_path / 'runs')!r}, 'a').write('x')"
    probe = _python(code).start()
    probe.time(Phase.PROCESS, 1)
    probe.time(Phase.PROCESS, 1)
    probe.close()
    assert (tmp_path / "runs").read_text() == "xxx"
