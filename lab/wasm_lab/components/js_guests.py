"""JavaScript that implements a world: a text to begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.components.names import pascal
from wasm_lab.components.scripted import short_of
from wasm_lab.components.wit import Function, Interface, ResultOf

if TYPE_CHECKING:
    from wasm_lab.components.scripted import Findings
    from wasm_lab.components.wit import World
    from wasm_lab.source import Source


def check(_source: Source, _world: World) -> Findings:
    """Nothing: JavaScript's own parser and engine look, when the component is built."""
    return [], []


def skeleton(world: World) -> str:
    """JavaScript that implements every export of a world, with an empty body for each.

    Example:
        >>> from wasm_lab.components.text import check_text
        >>> wit = "package a:b; interface i { f: func(n: u32); } world w { export i; export go-on: func(); }"
        >>> print(skeleton(check_text(wit, name="w").worlds["w"]))
        export function goOn() { }  // func()
        export const i = {
          f(n) { },  // func(n: u32)
        };
    """
    parts = [
        f"export function {_head(each)}" for each in world.exports.values() if isinstance(each, Function)
    ]
    for item in world.exports.values():
        if not isinstance(item, Interface):
            continue
        lines = [_head(each, ",") for each in item.functions.values() if each.resource is None]
        for resource in item.resources:
            methods = [_head(each) for each in item.functions.values() if each.resource is resource]
            parts.append(
                "\n".join([f"class {pascal(resource.name)} {{", *(f"  {one}" for one in methods), "}"])
            )
            lines.append(f"{pascal(resource.name)},")
        name = camel(short_of(item.name))
        parts.append("\n".join([f"export const {name} = {{", *(f"  {one}" for one in lines), "};"]))
    return "\n".join(parts)


def camel(name: str) -> str:
    """The name of a function, parameter or interface in JavaScript, as componentize-js has it.

    Example:
        >>> camel("go-on")
        'goOn'
    """
    first, *others = name.split("-")
    return first + "".join(word.capitalize() for word in others)


def _head(function: Function, end: str = "") -> str:
    given = function.params[1:] if function.kind == "method" else function.params
    name = "constructor" if function.kind == "constructor" else camel(function.name)
    static = "static " if function.kind == "static" else ""
    text = str(function)
    wit = text if function.kind == "constructor" else text.partition(": ")[2]
    note = "; throw for its bad case" if isinstance(function.result, ResultOf) else ""
    return f"{static}{name}({', '.join(camel(each) for each, _ in given)}) {{ }}{end}  // {wit}{note}"
