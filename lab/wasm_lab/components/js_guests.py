"""JavaScript that implements a world: what a text lacks of it, what calls it, and a text to begin with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wasm_lab.build.languages.js import read
from wasm_lab.components.names import pascal
from wasm_lab.components.scripted import short_of
from wasm_lab.components.wit import Function, Interface, ResultOf

if TYPE_CHECKING:
    from wasm_lab.components.scripted import Findings
    from wasm_lab.components.wit import World
    from wasm_lab.source import Source


def check(source: Source, world: World) -> Findings:
    """What of a world's exports a text does not export, as far as that is plain to see.

    Raises:
        CompileError: the text is no JavaScript.
        ToolchainError: Node.js or componentize-js cannot be had.
    """
    text = read(source)
    missing: list[str] = []
    for item in world.exports.values():
        if isinstance(item, Function):
            if camel(item.name) not in text.exports:
                missing.append(f"{item} (export function {camel(item.name)})")
            continue
        name = next((each for each in (item.name, camel(short_of(item.name))) if each in text.exports), None)
        if name is None:
            missing.append(f"{item.name} (export const {camel(short_of(item.name))})")
            continue
        members = text.shapes.get(text.exports[name])
        for function in item.functions.values():
            owner = function.resource and pascal(function.resource.name)
            own = text.shapes.get(owner) if owner else members
            wanted = "constructor" if function.kind == "constructor" else camel(function.name)
            if own is None or wanted in own or (wanted == "constructor" and not function.params):
                continue
            missing.append(f"{function} ({wanted} in {owner or name})")
        for resource in item.resources:
            if members is not None and pascal(resource.name) not in members:
                missing.append(
                    f"the resource {resource.name} of {item.name} (class {pascal(resource.name)} in {name})"
                )
    return missing, []


def entry(world: World) -> str:
    """Exports of a module that call those of the text, whose names ``cell()`` gives."""
    parts = []
    for item in world.exports.values():
        if isinstance(item, Function):
            name = camel(item.name)
            parts.append(
                f"export function {name}(...given) {{ return told(() => cell().{name}(...given)); }}"
            )
            continue
        short = camel(short_of(item.name))
        of = f"(cell()[{json.dumps(item.name)}] ?? cell().{short})"
        members = []
        for function in item.functions.values():
            if function.resource is None:
                name = camel(function.name)
                members.append(f"{name}: (...given) => told(() => {of}.{name}(...given))")
        members += [_resource(resource.name, item, of) for resource in item.resources]
        parts.append(
            f"const $own_{short} = {{ {', '.join(members)} }};\nexport {{ $own_{short} as {short} }};"
        )
    return "\n".join(parts)


def _resource(resource: str, item: Interface, of: str) -> str:
    """A class whose instances are the text's own."""
    name = pascal(resource)
    real = f"{of}.{name}"
    lines = [f"static [Symbol.hasInstance](one) {{ return one instanceof {real}; }}"]
    for function in item.functions.values():
        if function.resource is None or function.resource.name != resource:
            continue
        called = camel(function.name)
        if function.kind == "constructor":
            lines.append(f"constructor(...given) {{ return told(() => new {real}(...given)); }}")
        elif function.kind == "static":
            lines.append(f"static {called}(...given) {{ return told(() => {real}.{called}(...given)); }}")
        else:
            lines.append(
                f"{called}(...given) {{ return told(() => {real}.prototype.{called}.apply(this, given)); }}"
            )
    return f"{name}: class {name} {{ {' '.join(lines)} }}"


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
