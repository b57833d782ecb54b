"""Live instances: raw calls, state, memory, output and poison."""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path

import pytest

from wasm_lab.capabilities import MIB, Capabilities, ClockMode
from wasm_lab.errors import GuestExit, GuestTrap, LoadError, OutputExceeded, PoisonedError, UsageError
from wasm_lab.run import TrapKind

NUMBERS = """(module
    (func (export "i32") (param i32) (result i32) local.get 0)
    (func (export "i64") (param i64) (result i64) local.get 0)
    (func (export "f32") (param f32) (result f32) local.get 0)
    (func (export "f64") (param f64) (result f64) local.get 0)
    (func (export "mixed") (param i32 i64 f32 f64) (result f64)
        (f64.add (f64.add (f64.convert_i32_u (local.get 0)) (f64.convert_i64_s (local.get 1)))
                 (f64.add (f64.promote_f32 (local.get 2)) (local.get 3))))
    (func (export "nothing"))
    (func (export "two") (result i32 i64) i32.const -1 i64.const 5)
    (func (export "vector") (param v128))
    (func (export "reference") (result externref) ref.null extern)
    (memory (export "memory") 1)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "store") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
    (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0))))"""


@pytest.fixture
def numbers(runtime, wat):
    return runtime.instantiate(wat(NUMBERS), Capabilities())


@pytest.mark.parametrize(
    ("name", "given", "result"),
    [
        ("i32", 7, 7),
        ("i32", -1, -1),
        ("i32", 2**32 - 1, -1),
        ("i32", 2**31, -(2**31)),
        ("i64", 2**63 - 1, 2**63 - 1),
        ("i64", 2**64 - 1, -1),
        ("i64", -5, -5),
        ("f32", 0.5, 0.5),
        ("f64", 0.1, 0.1),
        ("f64", 3, 3.0),
        ("f64", float("inf"), float("inf")),
    ],
)
def test_numbers(numbers, name, given, result):
    assert numbers.function(name)(given) == result


def test_several_parameters_and_results(numbers):
    assert numbers.function("mixed")(1, -2, 0.5, 4.25) == 3.75
    assert numbers.function("nothing")() is None
    assert numbers.function("two")() == (-1, 5)


def test_wrong_arguments(numbers):
    with pytest.raises(TypeError, match="takes 1 arguments"):
        numbers.function("i32")()
    with pytest.raises(TypeError, match="takes 1 arguments"):
        numbers.function("i32")(1, 2)
    with pytest.raises(TypeError):
        numbers.function("i32")("1")
    assert numbers.function("i32")(3) == 3
    assert not numbers.poisoned


@pytest.mark.parametrize("name", ["vector", "reference"])
def test_values_that_python_calls_cannot_pass(numbers, name):
    with pytest.raises(LoadError, match=name):
        numbers.function(name)


@pytest.mark.parametrize("name", ["absent", "memory"])
def test_no_such_function(numbers, name):
    with pytest.raises(LoadError, match=name):
        numbers.function(name)


def test_memory_is_shared_not_copied(numbers):
    numbers.function("store")(10, 65)
    assert numbers.read(10, 1) == b"A"
    numbers.view(10, 4)[:] = b"BCDE"
    assert numbers.function("load")(12) == ord("D")
    assert numbers.view(0, 0).nbytes == 0
    assert numbers.linear_memory_bytes == 65536


def test_memory_after_growth(numbers):
    before = numbers.view(0, 65536)
    assert numbers.function("grow")(1) == 1
    assert numbers.linear_memory_bytes == 2 * 65536
    numbers.view(65536, 1)[0] = 7
    assert numbers.function("load")(65536) == 7
    assert len(before) == 65536


@pytest.mark.parametrize(("address", "size"), [(65536, 1), (65530, 7), (-1, 1), (0, -1), (2**40, 1)])
def test_memory_out_of_bounds(numbers, address, size):
    with pytest.raises(LoadError, match="outside"):
        numbers.read(address, size)
    with pytest.raises(LoadError, match="outside"):
        numbers.view(address, size)


def test_a_view_keeps_the_memory_alive(runtime, wat):
    instance = runtime.instantiate(wat(NUMBERS), Capabilities())
    instance.function("store")(0, 65)
    view = instance.view(0, 1)
    del instance
    gc.collect()
    for _ in range(20):
        runtime.instantiate(wat(NUMBERS), Capabilities()).function("store")(0, 66)
    assert bytes(view) == b"A"


def test_memory_limit(runtime, wat):
    instance = runtime.instantiate(wat(NUMBERS), Capabilities(memory_bytes=MIB))
    assert instance.function("grow")(15) == 1
    assert instance.function("grow")(1) == -1


def test_state_is_the_instances_own(runtime, library):
    one, two = (runtime.instantiate(library, Capabilities()) for _ in range(2))
    assert [one.function("count")() for _ in range(3)] == [1, 2, 3]
    assert two.function("count")() == 1


def test_output_comes_with_each_call(runtime, library):
    seen = []
    instance = runtime.instantiate(library, Capabilities(), output=lambda *piece: seen.append(piece))
    instance.function("count")()
    assert seen == []
    instance.function("greet")(2)
    assert b"".join(data for _, data in seen) == b"hello 0\nhello 1\n"
    seen.clear()
    instance.function("greet")(1)
    assert seen == [("stdout", b"hello 0\n")]


def test_output_limit_is_for_each_call(runtime, library):
    instance = runtime.instantiate(library, Capabilities(output_bytes=1000))
    for _ in range(20):
        instance.function("greet")(50)
    with pytest.raises(OutputExceeded):
        instance.function("greet")(1000)
    assert "output" in instance.poisoned


def test_a_panic_poisons(runtime, library):
    instance = runtime.instantiate(library, Capabilities())
    instance.function("greet")(1)
    with pytest.raises(GuestTrap) as caught:
        instance.function("fail")(7)
    assert caught.value.trap.kind is TrapKind.PANIC
    assert caught.value.trap.message == "failed with 7"
    assert "fail" in caught.value.trap.frames[0].function
    assert "panic" in instance.poisoned
    with pytest.raises(PoisonedError, match="count cannot be called"):
        instance.function("count")()


def test_the_message_is_that_of_the_last_panic(runtime, library):
    # A fresh instance for each: the stderr of one must not tell about the other.
    for code in (1, 2):
        instance = runtime.instantiate(library, Capabilities())
        with pytest.raises(GuestTrap, match=f"failed with {code}"):
            instance.function("fail")(code)


def test_leaving_poisons(runtime, library):
    instance = runtime.instantiate(library, Capabilities())
    with pytest.raises(GuestExit) as caught:
        instance.function("leave")(9)
    assert caught.value.status == 9
    with pytest.raises(PoisonedError, match="exit status 9"):
        instance.function("count")()


def test_capabilities_hold_for_instances(runtime, library):
    instance = runtime.instantiate(library, Capabilities(clock=ClockMode.FROZEN, frozen_ns=77))
    assert instance.function("now")() == 77


def test_initialize_is_called(runtime, wat):
    guest = wat("""(module (global $ready (mut i32) (i32.const 0))
        (func (export "_initialize") (global.set $ready (i32.const 1)))
        (func (export "ready") (result i32) (global.get $ready)))""")
    assert runtime.instantiate(guest, Capabilities()).function("ready")() == 1


def test_a_trap_while_instantiating(runtime, wat):
    guest = wat('(module (func $f unreachable) (start $f) (func (export "f")))')
    with pytest.raises(GuestTrap, match="unreachable"):
        runtime.instantiate(guest, Capabilities())


def test_entering_an_instance_from_its_own_output(runtime, library):
    errors = []

    def sink(name, data):
        try:
            instance.function("count")()
        except UsageError as error:
            errors.append(error)

    instance = runtime.instantiate(library, Capabilities(), output=sink)
    instance.function("greet")(1)
    assert "already running" in str(errors[0])
    assert instance.function("count")() == 1


def test_one_guest_inside_the_output_of_another(runtime, library):
    other = runtime.instantiate(library, Capabilities())
    counts = []
    instance = runtime.instantiate(
        library, Capabilities(), output=lambda name, data: counts.append(other.function("count")())
    )
    instance.function("greet")(1)
    assert counts == [1]


def test_calls_from_many_threads_take_turns(runtime, library):
    instance = runtime.instantiate(library, Capabilities())
    count = instance.function("count")
    seen: list[int] = []

    def work():
        seen.extend(count() for _ in range(500))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, 2001))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files by /proc")
def test_no_files_are_left_open(runtime, library, probe):
    def cycle():
        runtime.run(probe, Capabilities())
        runtime.instantiate(library, Capabilities()).function("greet")(1)
        gc.collect()

    cycle()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        cycle()
    assert len(os.listdir("/proc/self/fd")) <= before + 2
