"""Texts to begin with: a world's exports in Rust, its imports in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.components.names import pascal, snake
from wasm_lab.components.wit import (
    Function,
    Handle,
    Interface,
    ListOf,
    OptionOf,
    Primitive,
    ResultOf,
    TupleOf,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wasm_lab.components.wit import Resource, Type, World

_PYTHON = {"bool": "bool", "char": "str", "string": "str", "f32": "float", "f64": "float"}
_RUST = {"s8": "i8", "s16": "i16", "s32": "i32", "s64": "i64", "string": "String"}


def rust_skeleton(world: World) -> str:
    """Rust that implements every export of a world, with ``todo!()`` for each body.

    Example:
        >>> from wasm_lab.components.text import check_text
        >>> text = check_text("package a:b; world w { export add: func(a: s32) -> string; }", name="w")
        >>> print(rust_skeleton(text.worlds["w"]))
        struct Component;
        impl Guest for Component {
            fn add(a: i32) -> String { todo!() }
        }
    """
    parts = ["struct Component;"]
    own = [item for item in world.exports.values() if isinstance(item, Function)]
    if own:
        parts.append(_impl("Guest", "Component", [rust_function(each) for each in own]))
    for item in world.exports.values():
        if isinstance(item, Interface):
            parts += _rust_interface(item)
    return "\n".join(parts)


def _rust_interface(item: Interface) -> list[str]:
    short = snake(_short(item.name))
    types = [f"type {pascal(each.name)} = My{pascal(each.name)};" for each in item.resources]
    plain = [rust_function(each) for each in item.functions.values() if each.resource is None]
    parts = [_impl(f"{short}::Guest", "Component", [*types, *plain])]
    for resource in item.resources:
        methods = [rust_function(each) for each in item.functions.values() if each.resource is resource]
        name = pascal(resource.name)
        parts += [f"struct My{name};", _impl(f"{short}::Guest{name}", f"My{name}", methods)]
    return parts


def _impl(trait: str, of: str, lines: Iterable[str]) -> str:
    body = "".join(f"\n    {line}" for line in lines)
    return f"impl {trait} for {of} {{{body}\n}}"


def rust_function(function: Function) -> str:
    """One function as the trait wants it, with ``todo!()`` for its body."""
    params = [f"{snake(name)}: {_rust(kind)}" for name, kind in function.params]
    if function.kind == "method":
        params[0] = "&self"
    result = "" if function.result is None else f" -> {_rust(function.result)}"
    if function.kind == "constructor":
        return f"fn new({', '.join(params)}) -> Self {{ todo!() }}"
    return f"fn {snake(function.name)}({', '.join(params)}){result} {{ todo!() }}"


def _rust(kind: Type | None) -> str:
    match kind:
        case None:
            return "()"
        case Primitive():
            return _RUST.get(kind.name, kind.name)
        case ListOf():
            return f"Vec<{_rust(kind.item)}>"
        case OptionOf():
            return f"Option<{_rust(kind.item)}>"
        case ResultOf():
            return f"Result<{_rust(kind.ok)}, {_rust(kind.err)}>"
        case TupleOf():
            inner = ", ".join(map(_rust, kind.items))
            return f"({inner},)" if len(kind.items) == 1 else f"({inner})"
        case Handle():
            name = _qualified(kind.resource)
            return name if kind.owned else f"{name}Borrow<'_>"
        case _:
            return _qualified(kind)


def _qualified(kind: Resource | Type) -> str:
    owner, name = getattr(kind, "owner", ""), pascal(getattr(kind, "name", str(kind)))
    return f"{snake(_short(owner))}::{name}" if owner else name


def _short(interface: str) -> str:
    return interface.partition("@")[0].rpartition("/")[2]


def python_skeleton(world: World, name: str) -> str:
    """Python that provides every import of a world but WASI's, as a dictionary called ``name``.

    Example:
        >>> from wasm_lab.components.text import check_text
        >>> wit = "package a:b; interface log { write: func(line: string); } world w { import log; }"
        >>> print(python_skeleton(check_text(wit, name="w").worlds["w"], "host"))
        class Log:
            @staticmethod
            def write(line: str) -> None: ...  # func(line: string)
        <BLANKLINE>
        host = {"a:b/log": Log}
    """
    classes, entries = [], []
    for full, item in world.imports.items():
        if full.startswith("wasi:"):
            continue
        if isinstance(item, Function):
            classes.append(_python_function(item, indent="", static=False))
            entries.append(f'"{full}": {snake(item.name)}')
            continue
        if not item.functions:
            continue
        lines = [f"class {pascal(_short(item.name))}:"]
        for resource in item.resources:
            lines.append(f"    class {pascal(resource.name)}:")
            methods = [each for each in item.functions.values() if each.resource is resource]
            lines += [
                _python_function(each, indent=" " * 8, static=each.kind == "static") for each in methods
            ]
            if not methods:
                lines.append("        pass")
        plain = [each for each in item.functions.values() if each.resource is None]
        lines += [_python_function(each, indent=" " * 4, static=True) for each in plain]
        classes.append("\n".join(lines))
        entries.append(f'"{full.partition("@")[0]}": {pascal(_short(item.name))}')
    return "\n\n".join([*classes, f"{name} = {{{', '.join(entries)}}}"])


def _python_function(function: Function, *, indent: str, static: bool) -> str:
    given = function.params[1:] if function.kind == "method" else function.params
    params = [f"{snake(name)}: {python_type(kind)}" for name, kind in given]
    name = snake(function.name)
    if function.kind in ("method", "constructor"):
        params.insert(0, "self")
    if function.kind == "constructor":
        name = "__init__"
    wit = str(function).partition(": ")[2] or str(function)
    decorator = f"{indent}@staticmethod\n" if static else ""
    result = "None" if function.kind == "constructor" else python_type(_returned(function.result))
    return f"{decorator}{indent}def {name}({', '.join(params)}) -> {result}: ...  # {wit}"


def _returned(kind: Type | None) -> Type | None:
    """What a function returns: of a result the good case, for the bad one is raised as ``Err``."""
    return kind.ok if isinstance(kind, ResultOf) else kind


def python_type(kind: Type | None) -> str:
    """The annotation for values of a WIT type; a type that WIT defines stands in quotation marks.

    Example:
        >>> python_type(OptionOf(ListOf(Primitive("u8"))))
        'bytes | None'
    """
    match kind:
        case None:
            return "None"
        case Primitive():
            return _PYTHON.get(kind.name, "int")
        case ListOf(item=Primitive(name="u8")):
            return "bytes"
        case ListOf():
            return f"list[{python_type(kind.item)}]"
        case TupleOf():
            return f"tuple[{', '.join(map(python_type, kind.items))}]"
        case OptionOf():
            inner = python_type(kind.item)
            return f'"{inner.strip(chr(34))} | None"' if inner.startswith('"') else f"{inner} | None"
        case ResultOf():
            return '"Ok | Err"'
        case Handle():
            return f'"{pascal(kind.resource.name)}"'
        case _:
            return f'"{pascal(getattr(kind, "name", "object"))}"'
