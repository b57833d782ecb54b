"""Guests for these tests: components that hand on every call to their host, made of WIT and text."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from wasm_lab.build.wasm_tools import wasm_tools
from wasm_lab.components import wit

#: Core types by which a value of each primitive type is passed (component-model ``CanonicalABI.md``).
_FLAT = {"s64": "i64", "u64": "i64", "f32": "f32", "f64": "f64"}

MEMORY = """
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32)
    (result i32) (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
                            (i32.sub (i32.const 0) (local.get $align))))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
      (then (if (i32.eq (memory.grow (i32.add (i32.div_u (local.get $size) (i32.const 65536)) (i32.const 1)))
                        (i32.const -1))
              (then unreachable))))
    (memory.copy (local.get $at) (local.get $old) (local.get $old_size))
    (local.get $at))
"""


def flat(kind: wit.Type) -> list[str]:
    """The core types of one value."""
    match kind:
        case wit.Primitive("string") | wit.ListOf():
            return ["i32", "i32"]
        case wit.Primitive():
            return [_FLAT.get(kind.name, "i32")]
        case wit.Record() | wit.TupleOf():
            return [one for part in wit.parts_of(kind) for one in flat(part)]
        case wit.OptionOf():
            return ["i32", *flat(kind.item)]
        case wit.ResultOf() | wit.Variant():
            joined: list[str] = []
            for part in wit.parts_of(kind):
                for number, one in enumerate(flat(part)):
                    if number == len(joined):
                        joined.append(one)
                    elif joined[number] != one:
                        joined[number] = "i32" if {joined[number], one} == {"i32", "f32"} else "i64"
            return ["i32", *joined]
        case wit.FlagsOf():
            assert len(kind.flags) <= 32
            return ["i32"]
        case _:
            return ["i32"]


def forwarder(function: wit.Function, source: str, target: str) -> tuple[str, str]:
    """An import of the host's function, and an exported function that hands on its call."""
    params = [one for _, kind in function.params for one in flat(kind)]
    results = [] if function.result is None else flat(function.result)
    if len(params) > 16:
        params = ["i32"]
    spilled = len(results) > 1
    imported = [*params, *(["i32"] if spilled else [])]
    result = "i32" if spilled else " ".join(results)
    signature = f"(param {' '.join(imported)}) " + ("" if spilled or not results else f"(result {result})")
    symbol = function.symbol
    outer = f"(param {' '.join(params)}) " + (f"(result {result})" if results else "")
    gets = " ".join(f"(local.get {number})" for number in range(len(params)))
    place = "(i32.const 16)" if spilled else ""
    name = f"${symbol.replace('[', '').replace(']', '.')}"
    return (
        f'(import "{source}" "{symbol}" (func {name} {signature}))',
        f'(func (export "{target}#{symbol}") {outer} (call {name} {gets} {place}) {place})',
    )


@functools.cache
def component_of(wit_text: str, wat: str, world: str = "w") -> bytes:
    """A component from WIT and a core module in text."""
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder, "world.wit")
        text.write_text(wit_text)
        module = wasm_tools(["parse"], wat.encode())
        embedded = wasm_tools(["component", "embed", "--world", world, str(text)], module)
        return wasm_tools(["component", "new"], embedded)


def passing_on(types: str, functions: str, package: str = "t:t") -> bytes:
    """A component that exports an interface ``guest`` and hands all of it on to the host's ``host``."""
    text = f"""
package {package};
interface types {{ {types} }}
"""
    names = [line.split()[1].split("{")[0].split("(")[0] for line in _declared(types)]
    use = f"use types.{{{', '.join(names)}}};" if names else ""
    text += f"""
interface host {{ {use} {functions} }}
interface guest {{ {use} {functions} }}
world w {{ import host; export guest; }}
"""
    known = wit.read_package(text.encode(), "the test's WIT")
    base, _, version = package.partition("@")
    at = f"@{version}" if version else ""
    pairs = [
        forwarder(one, f"{base}/host{at}", f"{base}/guest{at}")
        for one in known.interfaces[f"{base}/host{at}"].functions.values()
    ]
    imports = "\n".join(pair[0] for pair in pairs)
    exports = "\n".join(pair[1] for pair in pairs)
    return component_of(text, f"(module {imports} {MEMORY} {exports})")


def _declared(types: str) -> list[str]:
    words = ("record", "variant", "enum", "flags", "type", "resource")
    return [line.strip() for line in types.splitlines() if line.strip().startswith(words)]
