"""Deadlines and interrupts: busy guests, sleeping guests, guests that wait for input."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from wasm_lab.artifact import Artifact
from wasm_lab.capabilities import Capabilities
from wasm_lab.errors import DeadlineExceeded, PoisonedError, UsageError
from wasm_lab.run import TrapKind

#: How late a guest may be stopped on a machine that does other things too, in seconds.
SLACK_S = 15.0


@pytest.fixture(params=["probe", "probe2"], ids=["wasi-0.1", "wasi-0.2"])
def guest(request):
    return request.getfixturevalue(request.param)


BUSY = [("loop",), ("sleep", "60000")]


@contextmanager
def interrupted(after_s, number=signal.SIGINT):
    timer = threading.Timer(after_s, os.kill, (os.getpid(), number))
    timer.start()
    try:
        yield
    finally:
        timer.join()


@pytest.mark.parametrize("args", BUSY, ids=["busy", "asleep"])
def test_deadline(runtime, guest, args):
    started = time.monotonic()
    result = runtime.run(guest, Capabilities(args=args, deadline_s=0.3))
    assert 0.3 <= time.monotonic() - started < 0.3 + SLACK_S
    assert result.trap.kind is TrapKind.DEADLINE
    assert result.exit_status is None
    assert result.stdout in {b"looping\n", b"sleeping\n"}


def test_no_deadline(runtime, guest):
    assert runtime.run(guest, Capabilities(args=("sleep", "100"), deadline_s=None)).stdout.endswith(
        b"awake\n"
    )


def test_a_sleep_is_as_long_as_asked(runtime, guest):
    started = time.monotonic()
    runtime.run(guest, Capabilities(args=("sleep", "150")))
    assert 0.15 <= time.monotonic() - started < 0.15 + SLACK_S


@pytest.mark.parametrize("audit", [False, True])
@pytest.mark.parametrize("args", BUSY, ids=["busy", "asleep"])
def test_interrupt(runtime, probe, args, audit):
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), interrupted(0.2):
        runtime.run(probe, Capabilities(args=args, deadline_s=None), audit=audit)
    assert time.monotonic() - started < 0.2 + SLACK_S
    assert runtime.run(probe, Capabilities()).stdout == b"hello\n"


@pytest.mark.parametrize("args", BUSY, ids=["busy", "asleep"])
def test_interrupt_of_a_component(runtime, probe2, args):
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), interrupted(0.2):
        runtime.run(probe2, Capabilities(args=args, deadline_s=None))
    assert time.monotonic() - started < 0.2 + SLACK_S


def test_many_host_calls_do_not_swallow_an_interrupt(runtime, wat):
    # Nearly all the time is spent in Python functions that the guest calls, through ctypes,
    # where an exception of a signal handler would be lost.
    guest = wat("""(module
        (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") (loop $again (drop (call $yield)) (br $again))))""")
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt), interrupted(0.05):
            runtime.run(guest, Capabilities(deadline_s=None), audit=True)


def test_other_handlers_that_raise(runtime, probe):
    def too_long(number, frame):
        raise TimeoutError("by alarm")

    before = signal.signal(signal.SIGALRM, too_long)
    try:
        with pytest.raises(TimeoutError, match="by alarm"), interrupted(0.1, signal.SIGALRM):
            runtime.run(probe, Capabilities(args=("loop",), deadline_s=None))
    finally:
        signal.signal(signal.SIGALRM, before)


def test_handlers_that_do_not_raise_let_the_guest_go_on(runtime, probe):
    seen = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
    try:
        with interrupted(0.1, signal.SIGALRM):
            result = runtime.run(probe, Capabilities(args=("sleep", "300")))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert result.ok
    assert seen == [signal.SIGALRM]


def test_interrupt_between_guests_is_pythons_own(runtime, probe):
    runtime.run(probe, Capabilities())
    with pytest.raises(KeyboardInterrupt), interrupted(0.1):
        time.sleep(5)


def test_interrupt_of_a_call(runtime, library):
    instance = runtime.instantiate(library, Capabilities(deadline_s=None))
    with pytest.raises(KeyboardInterrupt), interrupted(0.2):
        instance.function("spin")()
    assert "interrupted" in instance.poisoned
    with pytest.raises(PoisonedError, match="interrupted"):
        instance.function("count")()


def test_deadline_of_a_call_counts_from_its_start(runtime, library):
    instance = runtime.instantiate(library, Capabilities(deadline_s=0.3))
    time.sleep(0.4)
    assert instance.function("count")() == 1
    time.sleep(0.4)
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        instance.function("spin")()
    assert 0.3 <= time.monotonic() - started < 0.3 + SLACK_S


def test_deadline_of_a_start_function(runtime, wat):
    guest = wat('(module (func $f (loop $l (br $l))) (start $f) (func (export "_start")))')
    assert runtime.run(guest, Capabilities(deadline_s=0.1)).trap.kind is TrapKind.DEADLINE
    with pytest.raises(DeadlineExceeded):
        runtime.instantiate(guest, Capabilities(deadline_s=0.1))


def test_guests_in_two_threads_have_deadlines_of_their_own(runtime, probe):
    ends: dict[float, float] = {}
    started = time.monotonic()

    def execute(deadline_s):
        result = runtime.run(probe, Capabilities(args=("loop",), deadline_s=deadline_s))
        assert result.trap.kind is TrapKind.DEADLINE
        ends[deadline_s] = time.monotonic() - started

    threads = [threading.Thread(target=execute, args=(deadline_s,)) for deadline_s in (0.2, 0.6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.2 <= ends[0.2] < ends[0.6]
    assert 0.6 <= ends[0.6] < 0.6 + SLACK_S


def test_a_thread_with_a_small_stack_is_refused(runtime, probe):
    caught = []

    def execute():
        try:
            runtime.run(probe, Capabilities(args=("recurse",)))
        except Exception as error:
            caught.append(error)

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=execute)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    assert "stack" in str(caught[0])


def test_deep_recursion_in_a_thread(runtime, probe):
    results = []
    thread = threading.Thread(
        target=lambda: results.append(runtime.run(probe, Capabilities(args=("recurse",))))
    )
    thread.start()
    thread.join()
    assert results[0].trap.kind is TrapKind.STACK_OVERFLOW


WAITS_FOR_INPUT = """
import sys
from pathlib import Path
from wasm_lab.artifact import Artifact
from wasm_lab.capabilities import Capabilities
from wasm_lab.runtimes import get_runtime

guest = Artifact(wasm=Path(sys.argv[1]).read_bytes(), label="guest")
capabilities = Capabilities(args=("echo",), stdin=None, deadline_s=float(sys.argv[2]) or None)
try:
    run = get_runtime().run(guest, capabilities)
    print(run.exit_status, run.trap, run.stdout)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.fixture
def waiting(guest: Artifact, tmp_path):
    """Starts a process whose guest reads that process's own standard input."""
    (tmp_path / "guest.wasm").write_bytes(guest.wasm)

    def start(deadline_s):
        return subprocess.Popen(
            [sys.executable, "-c", WAITS_FOR_INPUT, str(tmp_path / "guest.wasm"), str(deadline_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    return start


def test_standard_input_passed_on(waiting):
    text = "some text\n" * 10_000
    out, _ = waiting(0).communicate(text, timeout=30)
    assert out == f"0 None {text.encode()!r}\n"


def test_deadline_while_waiting_for_input(waiting):
    with waiting(0.5) as process:
        assert "deadline exceeded" in process.stdout.readline()
        process.stdin.close()


def test_interrupt_while_waiting_for_input(waiting):
    with waiting(0) as process:
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        process.stdin.close()


def test_handlers_are_as_before_when_the_guest_has_been_left(runtime, probe, library):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]
    runtime.run(probe, Capabilities())
    runtime.instantiate(library, Capabilities()).function("count")()
    with pytest.raises(KeyboardInterrupt), interrupted(0.1):
        runtime.run(probe, Capabilities(args=("loop",), deadline_s=None))
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)] == before


def test_an_interrupt_stops_a_guest_within_a_guest(runtime, probe, library):
    instance = runtime.instantiate(library, Capabilities(deadline_s=None))

    def sink(name, data):
        with suppress(KeyboardInterrupt):
            instance.function("spin")()

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), interrupted(0.2):
        runtime.run(probe, Capabilities(args=("loop",), deadline_s=None), output=sink)
    assert time.monotonic() - started < 0.2 + SLACK_S
    assert instance.poisoned


TORTURE = """
# Signals as fast as they can be handled, so that some come at the worst moment: while an
# instance is being entered, left or freed, in the guest, and in what looks after it.
import faulthandler, signal, sys
from pathlib import Path
from wasm_lab.artifact import Artifact
from wasm_lab.capabilities import Capabilities
from wasm_lab.errors import PoisonedError
from wasm_lab.runtimes import get_runtime

faulthandler.enable()
sys.unraisablehook = lambda unraisable: None  # in destructors Python itself can only drop what a handler raises
library = Artifact(wasm=Path(sys.argv[1]).read_bytes(), label="library")
armed, seen, poisoned = False, 0, 0

def interrupt(number, frame):
    if armed:
        raise TimeoutError

def call_until_interrupted(new_each_time):
    global armed
    try:
        armed = True
        count = get_runtime().instantiate(library, Capabilities()).function("count")
        while True:
            count()
            if new_each_time:
                count = get_runtime().instantiate(library, Capabilities()).function("count")
    finally:
        armed = False

get_runtime().instantiate(library, Capabilities()).function("count")()  # imports cannot bear interrupts
signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.000_3)
while seen < 2000:
    try:
        call_until_interrupted(seen % 2)
    except TimeoutError:
        seen += 1
    except PoisonedError:
        poisoned += 1
signal.setitimer(signal.ITIMER_REAL, 0)
assert get_runtime().instantiate(library, Capabilities()).function("count")() == 1
print("in order")
"""


def test_interrupts_at_any_moment_leave_all_in_order(library, tmp_path):
    (tmp_path / "library.wasm").write_bytes(library.wasm)
    command = [sys.executable, "-c", TORTURE, str(tmp_path / "library.wasm")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "in order\n"), done.stderr


EARLY = """
# An interrupt while the guest is only being set up must stop it too: not be dropped in a destructor.
import random, signal, sys
from pathlib import Path
from wasm_lab.artifact import Artifact
from wasm_lab.capabilities import Capabilities
from wasm_lab.errors import DeadlineExceeded
from wasm_lab.runtimes import get_runtime

runtime, kept, lost = get_runtime(), [], 0
library = Artifact(wasm=Path(sys.argv[1]).read_bytes(), label="library")
runtime.instantiate(library, Capabilities()).function("count")()
signal.signal(signal.SIGALRM, signal.default_int_handler)
for number in range(400):
    try:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.000_02, 0.001))
        kept.append(runtime.instantiate(library, Capabilities(deadline_s=2)))
        kept[-1].function("spin")()
    except KeyboardInterrupt:
        pass
    except DeadlineExceeded:
        lost += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
print(lost)
"""


def test_interrupts_while_a_guest_is_being_set_up(library, tmp_path):
    (tmp_path / "library.wasm").write_bytes(library.wasm)
    command = [sys.executable, "-c", EARLY, str(tmp_path / "library.wasm")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    # Of 400. Python itself may drop one, the more the busier the machine: see interrupts.py.
    assert int(done.stdout) <= 10


def test_each_thread_is_asked_for_its_stack(runtime, probe):
    # Threads after one another have the same number, and not the same stack.
    outcomes = []

    def execute():
        try:
            outcomes.append(runtime.run(probe, Capabilities()).ok)
        except UsageError:
            outcomes.append("refused")

    for size in (0, 256 * 1024, 0):
        before = threading.stack_size(size)
        thread = threading.Thread(target=execute)
        thread.start()
        threading.stack_size(before)
        thread.join()
    assert outcomes == [True, "refused", True]
