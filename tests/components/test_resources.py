"""Resources of the host in the guest's hands, and of the guest in Python's."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.components.guests import MEMORY, component_of

from wasm_lab.components import Component, ComponentInstance, Err, GuestResource
from wasm_lab.errors import GuestTrap, InterfaceError, PoisonedError

if TYPE_CHECKING:
    from collections.abc import Iterator

WIT = """package t:r@1.0.0;
interface counters {
  resource counter {
    constructor(start: u32);
    increase: func(by: u32) -> u32;
    zero: static func() -> counter;
  }
  value: func(c: borrow<counter>) -> u32;
  take: func(c: counter);
  open: func(good: bool) -> result<counter, string>;
}
interface sums {
  resource sum {
    constructor(start: u32);
    plus: func(more: u32) -> u32;
    merge: static func(a: sum, b: borrow<sum>) -> sum;
  }
  dropped: func() -> u32;
}
world w {
  use counters.{counter};
  import counters;
  export sums;
  export count: func(times: u32) -> u32;
  export drop-twice: func(c: counter);
  export drop-unknown: func(handle: u32);
  export keep: func(c: counter);
  export forward: func(c: counter);
  export add-to: func(c: borrow<counter>, by: u32) -> u32;
  export leave-borrowed: func(c: borrow<counter>);
  export try-open: func(good: bool) -> u32;
}
"""

_C, _S = "t:r/counters@1.0.0", "t:r/sums@1.0.0"

WAT = f"""(module
  (import "{_C}" "[constructor]counter" (func $new (param i32) (result i32)))
  (import "{_C}" "[method]counter.increase" (func $increase (param i32 i32) (result i32)))
  (import "{_C}" "[static]counter.zero" (func $zero (result i32)))
  (import "{_C}" "[resource-drop]counter" (func $drop (param i32)))
  (import "{_C}" "value" (func $value (param i32) (result i32)))
  (import "{_C}" "take" (func $take (param i32)))
  (import "{_C}" "open" (func $open (param i32 i32)))
  (import "[export]{_S}" "[resource-new]sum" (func $sum_new (param i32) (result i32)))
  (import "[export]{_S}" "[resource-rep]sum" (func $sum_rep (param i32) (result i32)))
  (import "[export]{_S}" "[resource-drop]sum" (func $sum_drop (param i32)))
  (global $dropped (mut i32) (i32.const 0))
  {MEMORY}
  (func (export "count") (param $times i32) (result i32) (local $c i32) (local $value i32)
    (local.set $c (call $new (i32.const 0)))
    (loop $again
      (local.set $value (call $increase (local.get $c) (i32.const 1)))
      (local.set $times (i32.sub (local.get $times) (i32.const 1)))
      (br_if $again (i32.gt_s (local.get $times) (i32.const 0))))
    (call $drop (local.get $c))
    (local.get $value))
  (func (export "drop-twice") (param i32) (call $drop (local.get 0)) (call $drop (local.get 0)))
  (func (export "drop-unknown") (param i32) (call $drop (local.get 0)))
  (func (export "keep") (param i32))
  (func (export "forward") (param i32) (call $take (local.get 0)))
  (func (export "add-to") (param i32 i32) (result i32)
    (drop (call $increase (local.get 0) (local.get 1)))
    (call $value (local.get 0))
    (call $drop (local.get 0)))
  (func (export "leave-borrowed") (param i32))
  (func (export "try-open") (param i32) (result i32)
    (call $open (local.get 0) (i32.const 16))
    (if (result i32) (i32.load8_u (i32.const 16))
      (then (i32.load (i32.const 24)))  ;; how long the error is
      (else (call $value (i32.load (i32.const 20))))))
  (func (export "{_S}#[constructor]sum") (param i32) (result i32) (call $sum_new (local.get 0)))
  (func (export "{_S}#[method]sum.plus") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))
  (func (export "{_S}#[static]sum.merge") (param $a i32) (param $b i32) (result i32) (local $rep i32)
    (local.set $rep (call $sum_rep (local.get $a)))
    (call $sum_drop (local.get $a))
    (call $sum_new (i32.add (local.get $rep) (local.get $b))))
  (func (export "{_S}#[dtor]sum") (param i32)
    (global.set $dropped (i32.add (global.get $dropped) (local.get 0))))
  (func (export "{_S}#dropped") (result i32) (global.get $dropped)))
"""


class Counter:
    def __init__(self, start: int) -> None:
        self.value = start
        self.closed = 0

    def increase(self, by: int) -> int:
        self.value += by
        return self.value

    @staticmethod
    def zero() -> Counter:
        return Counter(0)

    def close(self) -> None:
        self.closed += 1


class Host:
    Counter = Counter

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.opened: list[Counter] = []

    def value(self, counter: Counter) -> int:
        return counter.value

    def take(self, counter: Counter) -> None:
        self.taken.append(counter)

    def open(self, good: bool) -> Counter:
        if not good:
            raise Err("no such thing")
        self.opened.append(Counter(41))
        return self.opened[-1]


@pytest.fixture(scope="module")
def component() -> Component:
    return Component.load(component_of(WIT, WAT))


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def instance(component: Component, host: Host) -> Iterator[ComponentInstance]:
    with component.instantiate({"t:r/counters": host}) as made:
        yield made


# The host's ------------------------------------------------------------------------------


def test_constructor_methods_and_drop(instance: ComponentInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Counter] = []
    real = Counter.__init__

    def remember(self: Counter, start: int) -> None:
        real(self, start)
        made.append(self)

    monkeypatch.setattr(Counter, "__init__", remember)
    assert instance.count(5) == 5
    assert [(one.value, one.closed) for one in made] == [(5, 1)]


def test_an_object_is_lent_for_one_call(instance: ComponentInstance) -> None:
    mine = Counter(7)
    assert instance.add_to(mine, 5) == 12
    assert (mine.value, mine.closed) == (12, 0)


def test_an_object_that_is_given_away_is_the_guests(component: Component, host: Host) -> None:
    mine = Counter(1)
    instance = component.instantiate({"t:r/counters": host})
    instance.keep(mine)
    assert mine.closed == 0
    instance.close()
    assert mine.closed == 1, "closed with the instance that held it"
    instance.close()
    assert mine.closed == 1


def test_what_the_guest_hands_back_is_the_hosts_again(instance: ComponentInstance, host: Host) -> None:
    mine = Counter(1)
    instance.forward(mine)
    assert host.taken == [mine]
    assert host.taken[0] is mine
    instance.close()
    assert mine.closed == 0


def test_an_object_in_a_result(instance: ComponentInstance, host: Host) -> None:
    assert instance.try_open(True) == 41
    assert instance.try_open(False) == len("no such thing")
    instance.close()
    assert host.opened[0].closed == 1


def test_any_object_will_do(component: Component, host: Host) -> None:
    class Other:
        value = 99

    host.open = lambda good: Other()  # type: ignore[assignment, method-assign, return-value]
    with component.instantiate({"t:r/counters": host}) as instance:
        assert instance.try_open(True) == 99


def test_an_exception_of_close_comes_out_of_the_call(instance: ComponentInstance) -> None:
    class Stuck(Counter):
        def close(self) -> None:
            raise OSError("stuck")

    with pytest.raises(OSError, match="stuck"):
        instance.drop_twice(Stuck(1))


def test_dropping_twice_traps(instance: ComponentInstance) -> None:
    mine = Counter(1)
    with pytest.raises(GuestTrap, match="unknown handle index"):
        instance.drop_twice(mine)
    assert mine.closed == 1
    with pytest.raises(PoisonedError, match="count cannot be called: an earlier call was stopped"):
        instance.count(1)


@pytest.mark.parametrize("handle", [0, 1, 77, 2**32 - 1])
def test_a_handle_from_nowhere_traps(instance: ComponentInstance, handle: int) -> None:
    with pytest.raises(GuestTrap):
        instance.drop_unknown(handle)


def test_a_borrow_that_is_kept_traps(instance: ComponentInstance) -> None:
    with pytest.raises(GuestTrap, match="borrow handles still remain"):
        instance.leave_borrowed(Counter(1))


def test_nothing_is_no_resource(component: Component, host: Host) -> None:
    host.open = lambda good: None  # type: ignore[assignment, method-assign, return-value]
    instance = component.instantiate({"t:r/counters": host})
    with pytest.raises(TypeError, match="keep, parameter c: expected a Counter, found None"):
        instance.keep(None)
    with pytest.raises(
        TypeError, match="counters.open of the host, the result.ok: expected a Counter, found None"
    ):
        instance.try_open(True)


def test_a_class_is_needed_for_a_resource(component: Component) -> None:
    with pytest.raises(
        InterfaceError, match="expected a class Counter for the resource counter, found nothing"
    ):
        component.link({"t:r/counters": {"value": len, "take": len, "open": len}})


# The guest's -----------------------------------------------------------------------------


def test_a_guest_resource_is_an_object(instance: ComponentInstance) -> None:
    sums = instance.sums
    with sums.Sum(3) as three:
        assert isinstance(three, sums.Sum)
        assert isinstance(three, GuestResource)
        assert three.plus(more=4) == 7
        assert sums.dropped() == 0
    assert sums.dropped() == 3
    three.close()
    assert sums.dropped() == 3
    with pytest.raises(ValueError, match="sum.plus, parameter self: expected a Sum that is still open"):
        three.plus(1)


def test_ownership_moves_into_the_guest(instance: ComponentInstance) -> None:
    sums = instance.sums
    one, two = sums.Sum(1), sums.Sum(2)
    both = sums.Sum.merge(one, two)
    assert both.plus(0) == 3
    assert sums.dropped() == 1
    with pytest.raises(ValueError, match="still open"):
        one.plus(1)
    assert two.plus(1) == 3


def test_a_call_that_was_not_made_moves_nothing(instance: ComponentInstance) -> None:
    sums = instance.sums
    one = sums.Sum(1)
    with pytest.raises(TypeError, match="sum.merge, parameter b: expected borrow<sum>, found 5"):
        sums.Sum.merge(one, 5)
    assert one.plus(1) == 2
    with pytest.raises(TypeError, match="takes 2 arguments, and 1 were given"):
        sums.Sum.merge(one)


def test_what_is_lost_is_dropped_at_the_next_call(instance: ComponentInstance) -> None:
    sums = instance.sums
    lost = sums.Sum(5)
    del lost
    gc.collect()
    assert sums.dropped() == 5


def test_a_resource_of_another_instance(component: Component, host: Host) -> None:
    prepared = component.link({"t:r/counters": host})
    with prepared.instantiate() as one, prepared.instantiate() as two:
        foreign = one.sums.Sum(1)
        with pytest.raises(TypeError, match="it belongs to another instance"):
            two.sums.Sum.merge(two.sums.Sum(2), foreign)


def test_after_the_instance(component: Component, host: Host) -> None:
    instance = component.instantiate({"t:r/counters": host})
    held = instance.sums.Sum(1)
    plus, instance_count = held.plus, instance.count
    instance.close()
    for call in (lambda: plus(1), lambda: instance_count(1), lambda: instance.sums.dropped()):  # noqa: PLW0108
        with pytest.raises(PoisonedError, match="it is closed"):
            call()
    held.close()


def test_resources_among_threads(component: Component, host: Host) -> None:
    """Calls of one instance take turns; every object is closed once."""
    with component.instantiate({"t:r/counters": host}) as instance:
        failures: list[BaseException] = []

        def work() -> None:
            try:
                for _ in range(50):
                    assert instance.count(3) == 3
                    with instance.sums.Sum(1) as one:
                        assert one.plus(1) == 2
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        assert instance.sums.dropped() == 200


def test_a_resource_of_the_world_itself() -> None:
    text = """package t:b;
    world w {
      resource thing { constructor(a: u32); get: func() -> u32; common: static func() -> u32; }
      import peek: func(t: borrow<thing>) -> u32;
      export run: func() -> u32;
    }"""
    wat = f"""(module
      (import "$root" "[constructor]thing" (func $new (param i32) (result i32)))
      (import "$root" "[method]thing.get" (func $get (param i32) (result i32)))
      (import "$root" "[static]thing.common" (func $common (result i32)))
      (import "$root" "[resource-drop]thing" (func $drop (param i32)))
      (import "$root" "peek" (func $peek (param i32) (result i32)))
      {MEMORY}
      (func (export "run") (result i32) (local $t i32)
        (local.set $t (call $new (i32.const 7)))
        (i32.add (i32.add (call $get (local.get $t)) (call $peek (local.get $t))) (call $common))
        (call $drop (local.get $t))))"""

    class Thing:
        def __init__(self, a: int) -> None:
            self.a = a

        def get(self) -> int:
            return self.a

        @staticmethod
        def common() -> int:
            return 100

    component = Component.load(component_of(text, wat))
    with component.instantiate({"thing": Thing, "peek": lambda thing: thing.a}) as instance:
        assert instance.run() == 114
    with pytest.raises(InterfaceError, match="the world: expected a class Thing for the resource thing"):
        component.link({"peek": lambda thing: thing.a})
