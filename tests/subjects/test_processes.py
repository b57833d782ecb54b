"""Children and their channel: marks, floods, and death with the parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from wasm_lab.errors import ProbeError
from wasm_lab.subjects import empty_call, places
from wasm_lab.subjects.channel import Channel
from wasm_lab.subjects.dying import dying_with_parent
from wasm_lab.subjects.serving import clock_step_ns

HERE = places()

#: A child that takes its mark and then does what the test says.
CHILD = "import os, sys\nmark = sys.stdin.buffer.readline().decode().strip()\ndef say(text):\n    sys.stdout.write(f'\\n{mark} {text}\\n'); sys.stdout.flush()\n"


def child(code: str, deadline_s: float = 5.0) -> Channel:
    return Channel([sys.executable, "-c", CHILD + code], what="a child", deadline_s=deadline_s)


def test_only_marked_lines_are_answers():
    channel = child("print('x' * 100_000); print(f'not {mark} yes'); say('yes 1'); sys.stdin.read()")
    try:
        assert channel.ask(channel.mark) == ["yes", "1"]
    finally:
        channel.close()


def test_a_payload_is_taken_whole_whatever_is_in_it():
    code = "data = bytes(range(256)) * 4000\nsay(f'bytes {len(data)}')\nsys.stdout.buffer.write(data); sys.stdout.flush(); sys.stdin.read()"
    channel = child(code)
    try:
        _, size = channel.ask(channel.mark)
        assert channel.payload(int(size)) == bytes(range(256)) * 4000
    finally:
        channel.close()


def test_a_large_order_is_written_while_the_child_prints():
    code = "print('y' * 1_000_000); sys.stderr.write('z' * 1_000_000); data = sys.stdin.buffer.read(3_000_000); say(f'got {len(data)}')"
    channel = child(code)
    try:
        assert channel.ask(channel.mark, b"w" * 3_000_000) == ["got", "3000000"]
    finally:
        channel.close()


def test_death_deadline_and_silence_are_told_with_what_was_said():
    for code, said in (
        ("sys.stderr.write('why it died'); sys.exit(4)", "exit status 4"),
        ("os.kill(os.getpid(), 9)", "SIGKILL"),
        ("import time; sys.stderr.write('why it died'); sys.stderr.flush(); time.sleep(60)", "in time"),
    ):
        channel = child(code, deadline_s=1.0)
        with pytest.raises(ProbeError, match=said) as caught:
            channel.ask(channel.mark)
        if "why" in code:
            assert "why it died" in str(caught.value)
        with pytest.raises(ProbeError, match="closed"):
            channel.ask("more")


def test_of_a_flood_of_errors_the_end_is_told():
    channel = child("sys.stderr.write('z' * 1_000_000 + 'the end'); sys.exit(1)")
    with pytest.raises(ProbeError, match="the end") as caught:
        channel.ask(channel.mark)
    assert len(str(caught.value)) < 5000


def test_a_program_that_is_not_there_is_told():
    with pytest.raises(ProbeError, match="could not be started"):
        Channel(["no-such-program-here"], what="a child", deadline_s=1.0)


def test_interrupting_closes_the_child():
    channel = child("import time; time.sleep(60)", deadline_s=30.0)
    timer = subprocess.Popen(
        [sys.executable, "-c", f"import os, time; time.sleep(0.7); os.kill({os.getpid()}, 2)"]
    )
    with pytest.raises(KeyboardInterrupt):
        channel.ask(channel.mark)
    timer.wait()
    assert not psutil.pid_exists(channel.pid)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PR_SET_PDEATHSIG is Linux's")
@pytest.mark.parametrize(
    "place", ["wasmtime", "wasmer", "wasmedge", "node", "native", "javascript", "python"]
)
def test_a_busy_probe_dies_with_a_parent_that_is_killed(place, tmp_path):
    if HERE[place]:
        pytest.skip(HERE[place])
    env = {**os.environ, "TMPDIR": str(tmp_path)}  # what is killed cannot tidy up
    parent = subprocess.Popen([sys.executable, "-c", BUSY, place], stdout=subprocess.PIPE, text=True, env=env)
    try:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        probe = psutil.Process(pid)
        until = time.monotonic() + 60
        while not sum(probe.cpu_times()[:2]) and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.3)  # it is in its loop now
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        parent.stdout.close()
    gone, alive = psutil.wait_procs([probe], timeout=60)
    for each in alive:
        each.kill()
    assert gone


BUSY = """
import sys, threading
from wasm_lab.run import Phase
from wasm_lab.source import Kind, Source
from wasm_lab.subjects import function_subjects
code = "pub fn spin(n: u32) -> u32 { let mut i = n; loop { i = std::hint::black_box(i.wrapping_add(1)); } }"
[subject] = function_subjects(
    Source(code=code, kind=Kind.FUNCTIONS), "spin", (1,), places=[sys.argv[1]],
    js_twin="function spin(n) { for (;;) n++; }", python_twin="def spin(n):\\n    while True: n += 1\\n",
)
probe = subject.start()
print(probe.pid, flush=True)
probe.time(Phase.CALL, 1)
"""


def test_a_launched_program_is_the_launchers_own_process():
    command = dying_with_parent([sys.executable, "-c", "import os; print(os.getppid())"])
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) == os.getpid()


def test_the_clock_shows_a_step():
    assert 0 < clock_step_ns() < 1_000_000


@pytest.mark.parametrize(
    "place", ["wasmtime", "wasmer", "wasmedge-aot", "node", "native", "javascript", "python"]
)
def test_measuring_adds_at_most_one_percent_to_a_call_of_ten_microseconds(place):
    """Generous: what is added is a few nanoseconds in all but Python, and there some tens."""
    if HERE[place]:
        pytest.skip(HERE[place])
    [overhead] = empty_call([place])
    assert 0 < overhead.call_ns < 100
    assert overhead.share(10_000, 500) < 0.01
    assert overhead.shortest_ns < 10_000
