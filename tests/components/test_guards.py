"""Limits and hostile guests: what a component may not do to its host."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from tests.components.guests import MEMORY, component_of

from wasm_lab.capabilities import Capabilities
from wasm_lab.components import Component, ComponentInstance
from wasm_lab.errors import DeadlineExceeded, FuelExhausted, GuestTrap, PoisonedError, UsageError
from wasm_lab.run import TrapKind

if TYPE_CHECKING:
    from pathlib import Path

WIT = """package t:h;
world w {
  import sink: func(data: list<u8>);
  import wait: func();
  enum two { a, b }
  export loop-forever: func();
  export recurse: func();
  export grow: func(pages: u32) -> u32;
  export trap: func();
  export wait-then-loop: func();
  export flood: func(size: u32);
  export give-bytes: func(size: u32) -> list<u8>;
  export give-numbers: func(size: u32) -> list<u64>;
  export give-strings: func(size: u32) -> list<string>;
  export give-string: func(size: u32) -> string;
  export give-broken-string: func() -> string;
  export give-char: func(code: u32) -> char;
  export give-two: func(number: u32) -> two;
  export take: func(data: list<u8>) -> u32;
}
"""

WAT = f"""(module
  (import "$root" "sink" (func $sink (param i32 i32)))
  (import "$root" "wait" (func $wait))
  {MEMORY}
  (func $give (param i32) (result i32)
    (i32.store (i32.const 16) (i32.const 0)) (i32.store (i32.const 20) (local.get 0)) (i32.const 16))
  (func $deeper (param i32) (result i32) (i32.add (local.get 0) (call $deeper (i32.add (local.get 0) (i32.const 1)))))
  (func (export "loop-forever") (loop $l (br $l)))
  (func (export "recurse") (drop (call $deeper (i32.const 0))))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func $innermost unreachable)
  (func (export "trap") (call $innermost))
  (func (export "wait-then-loop") (call $wait) (loop $l (br $l)))
  (func (export "flood") (param i32) (drop (memory.grow (i32.const 4000))) (call $sink (i32.const 0) (local.get 0)))
  (func (export "give-bytes") (param i32) (result i32)
    (drop (memory.grow (i32.const 4000))) (call $give (local.get 0)))
  (func (export "give-numbers") (param i32) (result i32)
    (drop (memory.grow (i32.const 4000))) (call $give (local.get 0)))
  (func (export "give-strings") (param i32) (result i32)
    (drop (memory.grow (i32.const 4000))) (call $give (local.get 0)))
  (func (export "give-string") (param i32) (result i32)
    (drop (memory.grow (i32.const 4000))) (call $give (local.get 0)))
  (func (export "give-broken-string") (result i32)
    (i32.store8 (i32.const 0) (i32.const 255)) (call $give (i32.const 4)))
  (func (export "give-char") (param i32) (result i32) (local.get 0))
  (func (export "give-two") (param i32) (result i32) (local.get 0))
  (func (export "take") (param i32 i32) (result i32) (local.get 1)))
"""


def load() -> Component:
    return Component.load(component_of(WIT, WAT), label="hostile.wasm")


def start(wait: Any = lambda: None, data: Any = None, **limits: Any) -> ComponentInstance:
    imports = {"sink": lambda data: None, "wait": wait}
    return load().instantiate(imports, capabilities=Capabilities(**limits), data=data)


def test_a_loop_ends_at_its_deadline() -> None:
    with start(deadline_s=0.2) as instance:
        with pytest.raises(DeadlineExceeded) as caught:
            instance.loop_forever()
        assert caught.value.trap.kind is TrapKind.DEADLINE
        with pytest.raises(PoisonedError, match=r"take cannot be called: .*deadline") as refused:
            instance.take(b"")
        assert "in a notebook, run the cell that made it again" in refused.value.hint


def test_the_deadline_begins_anew_with_each_call() -> None:
    with start(wait=lambda: time.sleep(0.2), deadline_s=0.4) as instance:
        for _ in range(3):
            assert instance.take(b"abc") == 3
            time.sleep(0.2)


def test_fuel() -> None:
    with start(fuel=100_000, deadline_s=None) as instance, pytest.raises(FuelExhausted):
        instance.loop_forever()


def test_memory_is_bounded() -> None:
    with start(memory_bytes=1 << 20) as instance:
        assert instance.grow(8) == 1
        assert instance.grow(16) == 2**32 - 1


def test_a_stack_that_overflows() -> None:
    with start() as instance:
        with pytest.raises(GuestTrap) as caught:
            instance.recurse()
        assert caught.value.trap.kind is TrapKind.STACK_OVERFLOW


def test_a_trap_has_the_guests_frames() -> None:
    with start() as instance:
        with pytest.raises(GuestTrap) as caught:
            instance.trap()
        assert caught.value.trap.kind is TrapKind.UNREACHABLE
        assert next(frame.function for frame in caught.value.trap.frames) == "innermost"


@pytest.mark.parametrize(
    ("function", "size"),
    [
        ("give_bytes", 3_500_000),
        ("give_bytes", 200 << 20),
        ("give_bytes", 2**32 - 1),
        ("give_numbers", 30 << 20),
        ("give_strings", 20 << 20),
        ("give_string", 200 << 20),
        ("give_string", 2**31 - 1),
        ("flood", 200 << 20),
    ],
)
def test_too_much_at_once_is_refused_before_it_is_copied(function: str, size: int) -> None:
    with start() as instance, pytest.raises(GuestTrap, match="too much data|out of bounds"):
        getattr(instance, function)(size)


def test_what_is_too_much_is_explained() -> None:
    with start() as instance, pytest.raises(GuestTrap) as caught:
        instance.give_string(200 << 20)
    assert "128 MiB" in caught.value.hint


@pytest.mark.parametrize("function", ["give_bytes", "flood"])
def test_a_million_bytes_pass(function: str) -> None:
    with start() as instance:
        got = getattr(instance, function)(1_000_000)
        assert got is None or len(got) == 1_000_000


def test_values_that_are_none() -> None:
    for name, value in (
        ("give_broken_string", ()),
        ("give_char", (0xD800,)),
        ("give_char", (0x110000,)),
        ("give_two", (2,)),
        ("give_two", (2**32 - 1,)),
    ):
        with start() as instance, pytest.raises(GuestTrap):
            getattr(instance, name)(*value)


def test_an_endless_guest_holds_nobody_up() -> None:
    """Nine instances work on beside one that loops."""
    loops = start(deadline_s=1.0)
    stopped: list[BaseException] = []

    def loop() -> None:
        try:
            loops.loop_forever()
        except DeadlineExceeded as error:
            stopped.append(error)

    thread = threading.Thread(target=loop)
    thread.start()
    others = [start() for _ in range(9)]
    while thread.is_alive():
        for number, instance in enumerate(others):
            assert instance.take(bytes(number)) == number
    thread.join()
    assert stopped
    for instance in (loops, *others):
        instance.close()


def test_the_tenth_thousand_instance_is_like_the_first() -> None:
    """What an instance holds goes with it."""
    from wasm_lab.components.state import states

    before = len(states)
    prepared = load().link({"sink": lambda data: None, "wait": lambda: None})
    for _ in range(2000):
        with prepared.instantiate() as instance:
            instance.take(b"abc")
    assert len(states) == before


_INTERRUPTED = """
import os, signal, sys, threading, time
from wasm_lab.components import Component
component = Component.load(sys.argv[1])
def wait():
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
instance = component.instantiate({"sink": lambda data: None, "wait": wait})
try:
    instance.wait_then_loop()
except KeyboardInterrupt:
    print("interrupted", instance.poisoned)
fresh = component.instantiate({"sink": lambda data: None, "wait": wait})
print(fresh.take(b"abc"))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_stops_a_guest(tmp_path: Path) -> None:
    file = tmp_path / "hostile.wasm"
    file.write_bytes(component_of(WIT, WAT))
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED, str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert done.stdout == "interrupted an earlier call was interrupted\n3\n", done.stderr


def test_an_instance_in_a_thread_of_a_small_stack() -> None:
    # The C library gives a new thread the larger stack that an earlier one left, while there are such.
    threads = 32
    failures: list[BaseException] = []
    all_there = threading.Barrier(threads)

    def work() -> None:
        all_there.wait(60)
        try:
            start()
        except BaseException as error:
            failures.append(error)

    before = threading.stack_size(512 * 1024)
    try:
        started = [threading.Thread(target=work) for _ in range(threads)]
        for thread in started:
            thread.start()
    finally:
        threading.stack_size(before)
    for thread in started:
        thread.join()
    assert failures
    for failure in failures:
        assert isinstance(failure, UsageError)
        assert "stack" in str(failure)


def test_an_instance_that_nobody_closes_is_freed_all_the_same() -> None:
    from wasm_lab.components.state import states

    gc.collect()
    before = len(states)
    instance = start()
    take = instance.take
    del instance
    gc.collect()
    assert len(states) == before + 1, "its function keeps it"
    assert take(b"abc") == 3
    del take
    gc.collect()
    assert len(states) == before


def test_a_closed_instance_is_freed_at_once() -> None:
    """Without Python's collector: a server makes thousands each second."""
    instance = start()
    instance.take(b"abc")
    seen = weakref.ref(instance)
    gc.disable()
    try:
        instance.close()
        del instance
        assert seen() is None
    finally:
        gc.enable()
