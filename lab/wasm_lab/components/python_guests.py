"""Python that implements a world: what a text lacks of it, and a text to begin with."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from wasm_lab.build.languages.python import check_syntax
from wasm_lab.build.languages.scripting import diagnostic
from wasm_lab.components.names import pascal, snake
from wasm_lab.components.scripted import short_of
from wasm_lab.components.skeletons import python_type
from wasm_lab.components.wit import Function, Interface, ResultOf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wasm_lab.components.scripted import Findings
    from wasm_lab.components.wit import World
    from wasm_lab.diagnostic import Diagnostic
    from wasm_lab.source import Source

    #: What a body binds, with the definition where it is one.
    Names = dict[str, ast.stmt | None]

#: The class of the functions of the world itself, as componentize-py calls it.
WORLD_CLASS = "WitWorld"


def check(source: Source, world: World) -> Findings:
    """What of a world's exports a text does not implement, and what it implements with other parameters.

    Names that the text binds in other ways than by ``class`` and ``def`` are taken on trust.

    Raises:
        CompileError: the text is no Python.
    """
    found = _Check(source, dict(_bound(check_syntax(source).body)))
    found.world(world)
    return found.missing, found.mistakes


def skeleton(world: World) -> str:
    """Python that implements every export of a world, with ``...`` for each body.

    Example:
        >>> from wasm_lab.components.text import check_text
        >>> wit = "package a:b; interface i { f: func(n: u32); } world w { export i; export g: func() -> string; }"
        >>> print(skeleton(check_text(wit, name="w").worlds["w"]))
        def g() -> str: ...  # func() -> string
        <BLANKLINE>
        class I:
            def f(self, n: int) -> None: ...  # func(n: u32)
    """
    parts = [
        "\n".join(_definition(each, "") for each in world.exports.values() if isinstance(each, Function))
    ]
    for item in world.exports.values():
        if not isinstance(item, Interface):
            continue
        plain = [each for each in item.functions.values() if each.resource is None]
        if plain:
            lines = [f"class {pascal(short_of(item.name))}:", *(_definition(each, "    ") for each in plain)]
            parts.append("\n".join(lines))
        for resource in item.resources:
            methods = [each for each in item.functions.values() if each.resource is resource]
            lines = [f"class {pascal(resource.name)}:", *(_definition(each, "    ") for each in methods)]
            parts.append("\n".join(lines if methods else [*lines, "    pass"]))
    return "\n\n".join(part for part in parts if part)


class _Check:
    """One text held against one world."""

    def __init__(self, source: Source, names: Names) -> None:
        self.source = source
        self.names = names
        self.missing: list[str] = []
        self.mistakes: list[Diagnostic] = []

    def world(self, world: World) -> None:
        own = [item for item in world.exports.values() if isinstance(item, Function)]
        if WORLD_CLASS in self.names:
            self.methods(WORLD_CLASS, self.names[WORLD_CLASS], own)
        else:
            for function in own:
                self.function(function)
        for item in world.exports.values():
            if isinstance(item, Interface):
                self.interface(item)

    def function(self, function: Function) -> None:
        node = self.names.get(snake(function.name), ...)
        if node is ...:
            self.missing.append(f"{function} (def {snake(function.name)})")
        elif isinstance(node, ast.FunctionDef):
            self.mistakes += _misfit(self.source, node, function, bound=False)

    def interface(self, item: Interface) -> None:
        name = pascal(short_of(item.name))
        plain = [each for each in item.functions.values() if each.resource is None]
        holder = self.names.get(name)
        if plain and name not in self.names:
            self.missing.append(f"{item.name} (class {name})")
        elif plain:
            self.methods(name, holder, plain)
        inner = dict(_bound(holder.body)) if isinstance(holder, ast.ClassDef) else {}
        for resource in item.resources:
            kind = pascal(resource.name)
            if kind in inner or kind in self.names:
                methods = [each for each in item.functions.values() if each.resource is resource]
                self.methods(kind, inner.get(kind, self.names.get(kind)), methods)
            else:
                self.missing.append(f"the resource {resource.name} of {item.name} (class {kind})")

    def methods(self, owner: str, node: ast.stmt | None, functions: Iterable[Function]) -> None:
        if not isinstance(node, ast.ClassDef):
            return
        own = dict(_bound(node.body))
        inherits = any(not _is_contract(base) for base in node.bases)
        for function in functions:
            name = "__init__" if function.kind == "constructor" else snake(function.name)
            found = own.get(name, ...)
            if isinstance(found, ast.FunctionDef):
                static = any(
                    isinstance(each, ast.Name) and each.id == "staticmethod" for each in found.decorator_list
                )
                self.mistakes += _misfit(self.source, found, function, bound=not static)
            elif found is ... and not inherits and not (name == "__init__" and not function.params):
                self.missing.append(f"{function} (def {name} in class {owner})")


def _is_contract(base: ast.expr) -> bool:
    """Whether a base class is one of the bindings', which implement nothing."""
    text = ast.unparse(base)
    return text.startswith(("exports.", "wit_world.")) or text in ("Protocol", "object", WORLD_CLASS)


def _misfit(
    source: Source, node: ast.FunctionDef, function: Function, *, bound: bool
) -> Iterator[Diagnostic]:
    wanted = len(function.params) - (function.kind == "method")
    spec = node.args
    places = len(spec.posonlyargs) + len(spec.args) - bound
    needed = places - len(spec.defaults)
    if wanted < needed or (wanted > places and spec.vararg is None):
        words = f"{node.name} takes {places} parameter{'s' * (places != 1)}, and the world gives {wanted}: {function}"
        yield diagnostic(source, words, node.lineno, node.col_offset + 1, len(f"def {node.name}"))


def _bound(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.stmt | None]]:
    """The names that statements bind, with the definition where it is one."""
    for node in body:
        match node:
            case ast.ClassDef() | ast.FunctionDef():
                yield node.name, node
            case ast.AsyncFunctionDef():
                yield node.name, None
            case ast.Import() | ast.ImportFrom():
                for alias in node.names:
                    yield (alias.asname or alias.name).partition(".")[0], None
            case ast.Assign() | ast.AnnAssign():
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    for part in ast.walk(target):
                        if isinstance(part, ast.Name):
                            yield part.id, None
            case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
                for part in ast.walk(node):
                    if isinstance(part, (ast.ClassDef, ast.FunctionDef)):
                        yield part.name, None
                    elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                        yield part.id, None


def _definition(function: Function, indent: str) -> str:
    given = function.params[1:] if function.kind == "method" else function.params
    params = [f"{snake(name)}: {python_type(kind)}" for name, kind in given]
    if function.kind == "static":
        params.insert(0, "cls")
    elif indent:
        params.insert(0, "self")
    name = "__init__" if function.kind == "constructor" else snake(function.name)
    result = function.result
    kind = result.ok if isinstance(result, ResultOf) else result
    returned = "None" if function.kind == "constructor" else python_type(kind)
    decorator = f"{indent}@classmethod\n" if function.kind == "static" else ""
    text = str(function)
    wit = text if function.kind == "constructor" else text.partition(": ")[2]
    note = "; raise Err(...) for its bad case" if isinstance(result, ResultOf) else ""
    return f"{decorator}{indent}def {name}({', '.join(params)}) -> {returned}: ...  # {wit}{note}"
