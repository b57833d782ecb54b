"""Runtimes in worker processes: what hostile guests and the outside can do to them, and to us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from importlib import util
from pathlib import Path

import psutil
import pytest

from wasm_lab.artifact import Artifact
from wasm_lab.build import build
from wasm_lab.capabilities import MIB, Capabilities
from wasm_lab.cells import parse_cell
from wasm_lab.errors import GuestTrap, LoadError, PoisonedError, UnsupportedError, UsageError
from wasm_lab.run import Run, TrapKind
from wasm_lab.runtimes import NAMES, get_runtime, wasmer, wasmtime_worker
from wasm_lab.runtimes.workers import pool as pools
from wasm_lab.runtimes.workers.process import Worker, WorkerEnded

MISBEHAVING = Path(__file__).parents[2] / "wasm_samples" / "misbehaving"

#: How long anything here may take on a busy machine, in seconds.
LATE_S = 60.0

POOLS = {"wasmtime-worker": wasmtime_worker._pool, "wasmer": wasmer._pool}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="workers need sockets that pass on files")


@pytest.fixture(params=list(POOLS))
def name(request) -> str:
    """Each runtime that works in workers; its own pool of them is empty before and after."""
    if request.param == "wasmer" and util.find_spec("wasmer_sdk") is None:
        pytest.skip("wasmer-sdk has no wheel for this system")
    POOLS[request.param]().close()
    yield request.param
    POOLS[request.param]().close()
    assert POOLS[request.param]().pids == ()


@pytest.fixture
def engine(name):
    return get_runtime(name)


def sample(file: str) -> Artifact:
    return build(parse_cell((MISBEHAVING / file).read_text()))


def pids(name: str) -> tuple[int, ...]:
    return POOLS[name]().pids


def wait_until_gone(numbers: tuple[int, ...]) -> None:
    until = time.monotonic() + LATE_S
    while alive := [number for number in numbers if psutil.pid_exists(number) and not is_zombie(number)]:
        assert time.monotonic() < until, f"still there: {alive}"
        time.sleep(0.02)


def is_zombie(number: int) -> bool:
    try:
        return psutil.Process(number).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class TestGuests:
    @pytest.mark.parametrize(
        ("file", "args", "limits", "kind"),
        [
            ("endless_loop.rs", (), {"deadline_s": 0.5}, TrapKind.DEADLINE),
            ("sleeper.rs", (), {"deadline_s": 0.5}, TrapKind.DEADLINE),
            ("infinite_poll.rs", (), {"deadline_s": 0.5}, TrapKind.DEADLINE),
            ("memory_bomb.rs", (), {"memory_bytes": 64 * MIB}, TrapKind.ALLOCATION),
            ("huge_allocation.rs", (), {"memory_bytes": 64 * MIB}, TrapKind.ALLOCATION),
            ("output_flood.rs", (), {"output_bytes": 100_000}, TrapKind.OUTPUT),
            ("ignores_errors.rs", (), {"output_bytes": 100_000}, TrapKind.OUTPUT),
            ("stack_bomb.rs", (), {}, TrapKind.STACK_OVERFLOW),
            ("panic.rs", (), {}, TrapKind.PANIC),
            ("abort.rs", (), {}, TrapKind.UNREACHABLE),
            ("out_of_bounds.rs", (), {}, TrapKind.OUT_OF_BOUNDS),
        ],
    )
    def test_hostile_ones_are_stopped_and_the_next_run_is_well(self, engine, probe, file, args, limits, kind):
        run = engine.run(sample(file), Capabilities(args=args, **limits))
        assert run.exit_status is None
        assert run.trap
        assert run.trap.kind is kind
        assert run.runtime == engine.name
        assert engine.run(probe, Capabilities()).stdout == b"hello\n"

    def test_the_panics_message_and_place_are_told(self, engine, probe):
        run = engine.run(probe, Capabilities(args=("panic", "x")))
        assert run.trap
        assert run.trap.message == "first line\nsecond line of x"
        assert run.trap.frames[0].function == "probe::main"
        assert b"panicked at" in run.stderr
        in_process = get_runtime("wasmtime").run(probe, Capabilities(args=("panic", "x")))
        assert in_process.trap
        assert run.trap.frames[0].offset == in_process.trap.frames[0].offset

    @pytest.mark.parametrize("status", [0, 1, 42, 125])
    def test_exit_status(self, engine, probe, status):
        run = engine.run(probe, Capabilities(args=("exit", str(status))))
        assert (run.exit_status, run.trap) == (status, None)

    def test_what_was_written_before_the_end_is_there(self, engine, probe):
        run = engine.run(probe, Capabilities(args=("loop",), deadline_s=0.5))
        assert run.stdout == b"looping\n"

    def test_output_is_cut_at_its_limit(self, engine, probe):
        run = engine.run(probe, Capabilities(args=("flood",), output_bytes=5000))
        assert run.trap
        assert run.trap.kind is TrapKind.OUTPUT
        assert len(run.stdout + run.stderr) == 5000
        exact = engine.run(probe, Capabilities(args=("flood_once", "5000"), output_bytes=5000))
        assert exact.ok
        assert len(exact.stdout) == 5000

    def test_arguments_variables_and_input_arrive(self, engine, probe):
        given = Capabilities(args=("args", "a b", "", "ü"), program="name")
        assert engine.run(probe, given).stdout.decode() == '["name", "args", "a b", "", "ü"]\n'
        variables = engine.run(probe, Capabilities(args=("env",), env={"B": "2=3", "A": ""}))
        assert variables.stdout == b'[("A", ""), ("B", "2=3")]\n'
        data = bytes(range(256)) * 4000
        assert engine.run(probe, Capabilities(args=("echo",), stdin=data)).stdout == data

    def test_input_that_nobody_reads_does_no_harm(self, engine, probe):
        assert engine.run(probe, Capabilities(stdin=b"x" * 5_000_000)).stdout == b"hello\n"

    def test_output_reaches_a_sink_while_the_guest_runs(self, engine, probe):
        came: list[tuple[str, bytes, float]] = []
        engine.run(
            probe,
            Capabilities(args=("sleep", "700")),
            output=lambda stream, data: came.append((stream, data, time.monotonic())),
        )
        assert [(stream, data) for stream, data, _ in came] == [
            ("stdout", b"sleeping\n"),
            ("stdout", b"awake\n"),
        ]
        assert came[1][2] - came[0][2] > 0.3

    def test_what_a_sink_raises_comes_out_and_the_next_run_is_well(self, engine, probe):
        def fail(stream: str, data: bytes) -> None:
            raise KeyError("full")

        with pytest.raises(KeyError, match="full"):
            engine.run(probe, Capabilities(), output=fail)
        assert engine.run(probe, Capabilities()).ok

    def test_one_module_under_two_labels_keeps_each(self, engine, probe):
        for label in ("one.rs", "two.rs"):
            run = engine.run(replace(probe, label=label), Capabilities(args=("args",)))
            assert run.label == label
            assert run.stdout.decode() == f'["{label}", "args"]\n'

    def test_what_is_no_program_is_refused(self, engine, wat):
        with pytest.raises(LoadError):
            engine.run(wat("(module)"), Capabilities())
        with pytest.raises(LoadError, match=r"moon"):
            engine.run(
                wat(
                    '(module (import "moon" "phase" (func)) (memory (export "memory") 1) (func (export "_start")))'
                ),
                Capabilities(),
            )
        with pytest.raises(LoadError):
            engine.run(Artifact(wasm=b"no module at all", label="x"), Capabilities())

    def test_a_zero_character_is_refused(self, engine, probe):
        with pytest.raises(UsageError, match="zero character"):
            engine.run(probe, Capabilities(args=("a\0b",)))


class TestProcesses:
    def test_a_worker_stays_for_the_next_run(self, name, engine, probe):
        engine.run(probe, Capabilities())
        first = pids(name)
        engine.run(probe, Capabilities(args=("panic",)))
        assert len(first) == 1
        assert pids(name) == first

    def test_the_guest_is_not_in_this_process(self, name, engine, probe):
        before = threading.active_count()
        engine.run(probe, Capabilities())
        (number,) = pids(name)
        assert number != os.getpid()
        assert psutil.Process(number).ppid() == os.getpid()
        assert threading.active_count() == before

    @pytest.mark.parametrize("killer", [signal.SIGKILL, signal.SIGTERM])
    def test_one_that_is_killed_while_idle_is_replaced(self, name, engine, probe, killer):
        engine.run(probe, Capabilities())
        (first,) = pids(name)
        os.kill(first, killer)
        until = time.monotonic() + LATE_S
        while not is_zombie(first) and time.monotonic() < until:
            time.sleep(0.01)
        assert engine.run(probe, Capabilities()).ok
        assert pids(name) != (first,)

    def test_one_that_is_killed_at_work_ends_the_run_with_a_trap(self, name, engine, probe):
        def kill() -> None:
            os.kill(pids(name)[0], signal.SIGKILL)

        run = engine.run(
            probe,
            Capabilities(args=("loop",), deadline_s=LATE_S),
            output=lambda stream, data: kill(),
        )
        assert run.exit_status is None
        assert run.trap
        assert run.trap.kind is TrapKind.OTHER
        assert "SIGKILL" in run.trap.message
        assert run.stdout == b"looping\n"
        assert pids(name) == ()
        assert engine.run(probe, Capabilities()).ok

    def test_an_interrupt_stops_the_guest_at_once(self, name, engine, probe):
        engine.run(probe, Capabilities())
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            engine.run(
                probe,
                Capabilities(args=("loop",), deadline_s=LATE_S),
                output=lambda stream, data: os.kill(os.getpid(), signal.SIGINT),
            )
        assert time.monotonic() - started < LATE_S / 2
        assert pids(name) == ()
        assert engine.run(probe, Capabilities()).ok

    def test_they_are_recycled(self, name, engine, probe, monkeypatch):
        monkeypatch.setattr(pools, "MOST_REQUESTS", 5)
        seen = set()
        for _ in range(12):
            assert engine.run(probe, Capabilities()).ok
            seen.update(pids(name))
        assert len(seen) == 3 or len(seen) == 2  # the last of each is gone before it is looked at
        wait_until_gone(tuple(seen - set(pids(name))))

    def test_many_runs_leave_no_descriptors_behind(self, name, engine, probe):
        engine.run(probe, Capabilities())
        before = psutil.Process().num_fds()
        inside = psutil.Process(pids(name)[0]).num_fds()
        for _ in range(60):
            engine.run(probe, Capabilities())
        assert psutil.Process().num_fds() == before
        assert psutil.Process(pids(name)[0]).num_fds() < inside + 30

    def test_threads_have_a_worker_each(self, name, engine, probe):
        results: list[Run] = []

        def work(number: int) -> None:
            for i in range(5):
                results.append(engine.run(probe, Capabilities(args=("args", f"{number}.{i}"))))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        told = sorted(run.stdout.decode().split('"')[5] for run in results)
        assert told == sorted(f"{number}.{i}" for number in range(4) for i in range(5))
        # The threads that started them are gone, and Linux would have killed workers of theirs.
        time.sleep(0.2)
        assert 1 <= len(pids(name)) <= pools.MOST_IDLE
        assert all(psutil.pid_exists(number) and not is_zombie(number) for number in pids(name))

    def test_a_forked_child_leaves_its_parents_workers_alone(self, name, engine, probe):
        engine.run(probe, Capabilities())
        (first,) = pids(name)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if engine.run(probe, Capabilities()).ok and pids(name) != (first,) else 2
                POOLS[name]().close()
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert engine.run(probe, Capabilities()).ok
        assert pids(name) == (first,)

    def test_a_module_is_forgotten_and_sent_again(self, engine, wat):
        def program(number: int) -> Artifact:
            return wat(
                '(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'
                f'(memory (export "memory") 1) (func (export "_start") (call $exit (i32.const {number}))))'
            )

        artifacts = [program(number) for number in range(20)]
        for _ in range(2):
            assert [engine.run(each, Capabilities()).exit_status for each in artifacts] == list(range(20))


PARENT = """
import sys, time
from pathlib import Path
from wasm_lab.artifact import Artifact
from wasm_lab.capabilities import Capabilities
from wasm_lab.runtimes import get_runtime, wasmer, wasmtime_worker
name, file, args = sys.argv[1], sys.argv[2], sys.argv[3:]
pool = {"wasmtime-worker": wasmtime_worker._pool, "wasmer": wasmer._pool}[name]()
probe = Artifact(wasm=Path(file).read_bytes(), label="probe")
def tell(stream, data):
    print(*pool.pids, flush=True)
get_runtime(name).run(probe, Capabilities(args=tuple(args), deadline_s=None), output=tell)
"""


class TestTheirParent:
    @pytest.fixture
    def start(self, name, probe, tmp_path):
        """Start a process that runs the probe; gives it, and the worker's number."""
        file = tmp_path / "probe.wasm"
        file.write_bytes(probe.wasm)
        started = []

        def start(*args: str) -> tuple[subprocess.Popen[str], int]:
            process = subprocess.Popen(
                [sys.executable, "-c", PARENT, name, str(file), *args],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            started.append(process)
            assert process.stdout
            return process, int(process.stdout.readline())

        yield start
        for process in started:
            process.kill()
            process.communicate()

    def test_killed_in_an_endless_loop_it_takes_the_worker_along(self, start):
        parent, worker = start("loop")
        assert psutil.pid_exists(worker)
        parent.kill()
        parent.wait()
        wait_until_gone((worker,))

    def test_ended_it_leaves_none_behind(self, start):
        parent, worker = start("hello")
        _, error = parent.communicate(timeout=LATE_S)
        assert (parent.returncode, error) == (0, "")
        wait_until_gone((worker,))

    def test_ctrl_c_in_a_terminal_ends_both(self, start):
        parent, worker = start("loop")
        os.killpg(parent.pid, signal.SIGINT)  # as a terminal does: to the whole group
        _, error = parent.communicate(timeout=LATE_S)
        assert error.strip().endswith("KeyboardInterrupt")
        wait_until_gone((worker,))


def ask(worker: Worker, request: str) -> tuple[object, ...]:
    worker.ask(request)
    return worker.next()


class TestWorker:
    def test_a_module_that_cannot_be_imported_is_told(self):
        with pytest.raises(UnsupportedError) as caught:
            Worker("wasm_lab.no_such_module", "nothing")
        assert "no_such_module" in caught.value.hint

    def test_the_end_of_a_worker_is_told_with_what_it_said(self, name):
        module = wasmer.GUEST if name == "wasmer" else wasmtime_worker.GUEST
        worker = Worker(module, name)
        os.kill(worker.pid, signal.SIGKILL)
        wait_until_gone((worker.pid,))
        with pytest.raises(WorkerEnded) as caught:
            ask(worker, "anything")
        assert caught.value.how == "was ended by SIGKILL"
        assert not worker.alive

    def test_a_request_that_fails_leaves_the_worker_usable(self, name):
        module = wasmer.GUEST if name == "wasmer" else wasmtime_worker.GUEST
        worker = Worker(module, name)
        try:
            worker.ask("no request")
            with pytest.raises(RuntimeError):
                worker.next()
            assert worker.alive
        finally:
            worker.kill()


class TestInstancesInWorkers:
    @pytest.fixture
    def live(self):
        return get_runtime("wasmtime-worker")

    def test_calls_keep_state_and_memory_crosses(self, live, library):
        reference = get_runtime("wasmtime").instantiate(library, Capabilities())
        instance = live.instantiate(library, Capabilities())
        count = instance.function("count")
        assert [count(), count()] == [1, 2]
        assert instance.linear_memory_bytes == reference.linear_memory_bytes
        assert instance.read(1024, 64) == reference.read(1024, 64)
        instance.view(8, 4)[:] = b"abcd"
        assert instance.read(8, 4) == b"abcd"
        count()
        assert instance.read(8, 4) == b"abcd"
        with pytest.raises(LoadError, match="outside the guest's memory"):
            instance.read(1 << 31, 10)
        with pytest.raises(LoadError):
            instance.function("no_such_function")
        with pytest.raises(TypeError, match="takes 0 arguments"):
            count(1)
        assert count() == 4

    def test_a_trap_poisons_it(self, live, wat):
        instance = live.instantiate(
            wat('(module (func (export "f") unreachable) (func (export "g")))'), Capabilities()
        )
        with pytest.raises(GuestTrap) as caught:
            instance.function("f")()
        assert caught.value.trap.kind is TrapKind.UNREACHABLE
        with pytest.raises(PoisonedError):
            instance.function("g")()
        assert "stopped" in instance.poisoned

    def test_a_start_function_that_traps_is_a_trap(self, live, wat):
        with pytest.raises(GuestTrap):
            live.instantiate(wat("(module (func $f unreachable) (start $f))"), Capabilities())

    def test_an_interrupted_call_poisons_it(self, live, wat):
        instance = live.instantiate(
            wat('(module (func (export "f") (loop (br 0))) (func (export "g")))'),
            Capabilities(deadline_s=LATE_S),
        )
        timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            instance.function("f")()
        timer.join()
        assert instance.poisoned == "an earlier call was interrupted"
        with pytest.raises(PoisonedError, match="interrupted"):
            instance.function("g")

    def test_its_process_ends_with_it(self, live, library):
        instance = live.instantiate(library, Capabilities())
        number = instance._worker.pid
        del instance
        wait_until_gone((number,))


def test_an_unknown_runtime_is_refused_with_what_there_is_and_what_is_missing(monkeypatch):
    monkeypatch.setattr(wasmer.WasmerRuntime, "missing", lambda self: "Not here. Get it elsewhere.")
    with pytest.raises(UsageError) as caught:
        get_runtime("abacus")
    assert "wasmer: Not here. Get it elsewhere." in caught.value.hint
    here, *_ = caught.value.hint.splitlines()
    assert "wasmtime-worker" in here
    assert "wasmer" not in here
    assert set(NAMES) >= {"wasmtime", "wasmtime-worker", "wasmer"}
