"""Calls into and out of a component, beside the same ones made with wasmtime-py by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import wasmtime
from tests.benchmarks.pairs import Pair, in_turn
from tests.components.guests import MEMORY, component_of
from wasmtime import component

from wasm_lab.components import Component

WIT = """package t:b;
world w {
  import ask: func(a: u32, b: u32) -> u32;
  export add: func(a: u32, b: u32) -> u32;
  export echo: func(text: string) -> string;
  export bytes: func(data: list<u8>) -> list<u8>;
  record point { x: u32, y: u32 }
  export turn: func(at: point) -> point;
  export ask-often: func(times: u32);
}
"""

_BACK = "(i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16)"
_FREE = "(global.set $next (i32.const 1024))"  # nothing is kept from one call to the next

WAT = f"""(module
  (import "$root" "ask" (func $ask (param i32 i32) (result i32)))
  {MEMORY}
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "echo") (param i32 i32) (result i32) {_FREE} {_BACK})
  (func (export "bytes") (param i32 i32) (result i32) {_FREE} {_BACK})
  (func (export "turn") (param i32 i32) (result i32) {_BACK})
  (func (export "ask-often") (param $times i32)
    (loop $again
      (drop (call $ask (i32.const 1) (i32.const 2)))
      (local.set $times (i32.sub (local.get $times) (i32.const 1)))
      (br_if $again (i32.gt_s (local.get $times) (i32.const 0))))))
"""

#: Host calls made by one call of the guest.
OFTEN = 100


def _both() -> tuple[Any, Any, Any]:
    """Our instance, and what calls the same component by hand."""
    wasm = component_of(WIT, WAT)
    ours = Component.load(wasm, label="benchmark").instantiate({"ask": lambda a, b: a})
    engine = wasmtime.Engine()
    store, linker, loaded = (
        wasmtime.Store(engine),
        component.Linker(engine),
        component.Component(engine, wasm),
    )
    with linker.root() as root:
        root.add_func("ask", lambda _store, a, b: a)
    instance = linker.instantiate(store, loaded)

    def by_hand(name: str, *values: Any) -> Any:
        return functions[name](store, *values)

    functions = {
        name: instance.get_func(store, name) for name in ("add", "echo", "bytes", "turn", "ask-often")
    }

    def fresh() -> None:
        with wasmtime.Store(engine) as other:
            linker.instantiate(other, loaded)

    return ours, by_hand, fresh


def call_numbers(folder: Path, thin: int) -> Pair:
    """``add: func(u32, u32) -> u32``."""
    ours, by_hand, _ = _both()
    assert ours.add(1, 2) == by_hand("add", 1, 2) == 3
    return in_turn(
        "component call of two numbers",
        lambda: ours.add(1, 2),
        lambda: by_hand("add", 1, 2),
        turns=300 // thin,
        batch=100,
        asked="≤ 1×",
    )


def call_text(folder: Path, thin: int) -> Pair:
    """A string of 1 KB there and back."""
    ours, by_hand, _ = _both()
    text = "x" * 1000
    assert ours.echo(text) == by_hand("echo", text) == text
    return in_turn(
        "component call with 1 KB of text",
        lambda: ours.echo(text),
        lambda: by_hand("echo", text),
        turns=300 // thin,
        batch=100,
        asked="≤ 1×",
    )


def call_bytes(folder: Path, thin: int) -> Pair:
    """``list<u8>`` of 10 KB there and back."""
    ours, by_hand, _ = _both()
    data = bytes(10_000)
    assert ours.bytes(data) == bytes(by_hand("bytes", data)) == data
    return in_turn(
        "component call with list<u8> of 10 KB",
        lambda: ours.bytes(data),
        lambda: by_hand("bytes", data),
        turns=30 // thin,
        asked="≤ 1×",
    )


def host_call(folder: Path, thin: int) -> Pair:
    """The guest calls a Python function with two numbers, a hundred times in one call."""
    ours, by_hand, _ = _both()
    return in_turn(
        f"component: {OFTEN} host calls",
        lambda: ours.ask_often(OFTEN),
        lambda: by_hand("ask-often", OFTEN),
        turns=300 // thin,
        asked="≤ 0.3 ms",
    )


def instantiate(folder: Path, thin: int) -> Pair:
    """A fresh instance with its guards and limits, closed again; by hand it has none."""
    ours, _, fresh = _both()
    prepared = ours._prepared
    return in_turn(
        "component: fresh instance",
        lambda: prepared.instantiate().close(),
        fresh,
        turns=300 // thin,
        batch=10,
        asked="≤ 2×",
    )
