"""What a component imports and exports: its WIT, read into the nouns of `nouns`.

wasm-tools does the parsing, of a component, a package or a text; its answer is kept in the
cache under the hash of what was parsed, so that nobody asks twice.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from wasm_lab.build.cache import default_cache
from wasm_lab.build.wasm_tools import ToolError, wasm_tools
from wasm_lab.components.nouns import (
    EnumOf,
    FlagsOf,
    Function,
    Handle,
    Interface,
    ListOf,
    OptionOf,
    Package,
    Primitive,
    Record,
    Resource,
    ResultOf,
    TupleOf,
    Type,
    Unsupported,
    Variant,
    World,
    parts_of,
)
from wasm_lab.errors import LoadError

__all__ = [
    "EnumOf",
    "FlagsOf",
    "Function",
    "Handle",
    "Interface",
    "ListOf",
    "OptionOf",
    "Package",
    "Primitive",
    "Record",
    "Resource",
    "ResultOf",
    "TupleOf",
    "Type",
    "Unsupported",
    "Variant",
    "World",
    "parts_of",
    "read_package",
    "read_world",
]

#: Kind of the cache entries (see `wasm_lab.build.cache`), and the form of what is in them.
CACHE_KIND = "wit"
_FORM = "1"


def read_package(data: bytes, label: str, *, sha256: str = "") -> Package:
    """The WIT in a component, in a binary package or in a text.

    Args:
        data: the bytes of the component or package, or the text in UTF-8.
        label: what messages call it.
        sha256: the hash of ``data`` in hexadecimal, where it is known.

    Raises:
        LoadError: wasm-tools refused it; the message is what it said.

    Example:
        >>> package = read_package(b"package a:b; interface c { f: func(x: u8) -> string; }", "text")
        >>> str(package.interfaces["a:b/c"].functions["f"])
        'f: func(x: u8) -> string'
    """
    digest = sha256 or hashlib.sha256(data).hexdigest()
    key = f"{digest}-{_FORM}"
    cache = default_cache()
    kept = cache.get(CACHE_KIND, key)
    if kept is None:
        try:
            graph = json.loads(wasm_tools(["component", "wit", "--json"], data))
            text = wasm_tools(["component", "wit"], data).decode("utf-8")
        except ToolError as error:
            raise LoadError(f"The WIT of {label} cannot be read: {error}.") from None
        graph["text"] = text
        _drop_docs(graph)
        kept = json.dumps(graph, separators=(",", ":")).encode()
        cache.put(CACHE_KIND, key, kept)
    return _Reader(json.loads(kept)).package()


def read_world(data: bytes, label: str, *, sha256: str = "") -> World:
    """The world of a component; see `read_package`.

    Raises:
        LoadError: it is no component, or has none.
    """
    package = read_package(data, label, sha256=sha256)
    if len(package.worlds) != 1:
        raise LoadError(
            f"{label} has {len(package.worlds)} worlds, and a component has one.",
            hint="Is this a component, or only its WIT?",
        )
    return next(iter(package.worlds.values()))


def _drop_docs(node: Any) -> None:
    if isinstance(node, dict):
        node.pop("docs", None)
        node.pop("stability", None)
        for child in node.values():
            _drop_docs(child)
    elif isinstance(node, list):
        for child in node:
            _drop_docs(child)


_PRIMITIVES = "bool s8 s16 s32 s64 u8 u16 u32 u64 f32 f64 char string".split()


class _Reader:
    """Turns the graph that wasm-tools writes, whose nodes refer to each other by number, into objects."""

    def __init__(self, graph: dict[str, Any]) -> None:
        self._graph = graph
        self._types: dict[int, Type] = {}
        self._primitives = {name: Primitive(name) for name in _PRIMITIVES}
        self._names = [self._interface_name(item) for item in graph["interfaces"]]
        self._interfaces: dict[int, Interface] = {}

    def package(self) -> Package:
        interfaces = {self._names[i]: self._interface(i) for i in range(len(self._names)) if self._names[i]}
        worlds = {}
        for item in self._graph["worlds"]:
            name = self._qualified(item["package"], item["name"])
            worlds[name] = self._world(name, item)
        return Package(interfaces, worlds, self._graph["text"])

    def _qualified(self, package: int | None, name: str) -> str:
        if package is None:
            return name
        base, at, version = self._graph["packages"][package]["name"].partition("@")
        return f"{base}/{name}{at}{version}"

    def _interface_name(self, item: dict[str, Any]) -> str:
        return self._qualified(item["package"], item["name"]) if item["name"] else ""

    def _world(self, name: str, item: dict[str, Any]) -> World:
        types: dict[str, Type] = {}
        sides: list[dict[str, Interface | Function]] = []
        for side in ("imports", "exports"):
            found: dict[str, Interface | Function] = {}
            for key, entry in item[side].items():
                if "interface" in entry:
                    number = entry["interface"]["id"]
                    known = self._interface(number, inline=key)
                    found[known.name] = known
                elif "function" in entry:
                    found[key] = self._function(entry["function"], "")
                else:
                    types[key] = self._type(entry["type"])
            sides.append(found)
        return World(name, sides[0], sides[1], types, self._graph["text"])

    def _interface(self, number: int, *, inline: str = "") -> Interface:
        known = self._interfaces.get(number)
        if known is None:
            item = self._graph["interfaces"][number]
            self._names[number] = name = self._names[number] or inline
            types = {key: self._type(kind) for key, kind in item["types"].items()}
            functions = {key: self._function(entry, name) for key, entry in item["functions"].items()}
            known = self._interfaces[number] = Interface(name, types, functions)
        return known

    def _function(self, entry: dict[str, Any], interface: str) -> Function:
        kind, resource = entry["kind"], None
        if isinstance(kind, dict):
            ((kind, number),) = kind.items()
            found = self._type(number)
            assert isinstance(found, Resource)
            resource = found
        is_async = kind.startswith("async-")
        kind = kind.removeprefix("async-").replace("freestanding", "function")
        symbol: str = entry["name"]
        name = symbol.rpartition("]")[2].rpartition(".")[2] if resource else symbol
        params = tuple((param["name"], self._type(param["type"])) for param in entry["params"])
        result = entry.get("result")
        return Function(
            name,
            symbol,
            kind,
            params,
            None if result is None else self._type(result),
            interface,
            resource,
            is_async,
        )

    def _type(self, reference: int | str) -> Type:
        if isinstance(reference, str):
            return self._primitives.get(reference) or Unsupported(reference)
        known = self._types.get(reference)
        if known is None:
            known = self._types[reference] = self._make(self._graph["types"][reference])
        return known

    def _optional(self, reference: int | str | None) -> Type | None:
        return None if reference is None else self._type(reference)

    def _make(self, item: dict[str, Any]) -> Type:
        kind, name, owner = item["kind"], item["name"] or "", self._owner(item["owner"])
        if kind == "resource":
            return Resource(name, owner)
        ((what, body),) = kind.items()
        match what:
            case "type":
                return self._type(body)
            case "list":
                return ListOf(self._type(body))
            case "tuple":
                return TupleOf(tuple(self._type(part) for part in body["types"]))
            case "option":
                return OptionOf(self._type(body))
            case "result":
                return ResultOf(self._optional(body["ok"]), self._optional(body["err"]))
            case "record":
                fields = tuple((part["name"], self._type(part["type"])) for part in body["fields"])
                return Record(name, owner, fields)
            case "variant":
                cases = tuple((part["name"], self._optional(part["type"])) for part in body["cases"])
                return Variant(name, owner, cases)
            case "enum":
                return EnumOf(name, owner, tuple(part["name"] for part in body["cases"]))
            case "flags":
                return FlagsOf(name, owner, tuple(part["name"] for part in body["flags"]))
            case "handle":
                ((how, number),) = body.items()
                resource = self._type(number)
                assert isinstance(resource, Resource)
                return Handle(resource, how == "own")
            case _:
                return Unsupported(what)

    def _owner(self, owner: dict[str, int] | None) -> str:
        return self._names[owner["interface"]] if owner and "interface" in owner else ""
