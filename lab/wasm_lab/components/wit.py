"""What a component imports and exports, in the nouns of WIT.

wasm-tools does the parsing, of a component, a package or a text; its answer is kept in the
cache under the hash of what was parsed, so that nobody asks twice.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from wasm_lab.build.cache import default_cache
from wasm_lab.build.wasm_tools import ToolError, wasm_tools
from wasm_lab.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Kind of the cache entries (see `wasm_lab.build.cache`), and the form of what is in them.
CACHE_KIND = "wit"
_FORM = "1"

# Types. Each is one object for one type of the component, so that it can be a key. ---------


@dataclass(frozen=True, eq=False, slots=True)
class Primitive:
    """``bool``, ``s8`` to ``u64``, ``f32``, ``f64``, ``char`` or ``string``."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False, slots=True)
class ListOf:
    """``list<T>``."""

    item: Type

    def __str__(self) -> str:
        return f"list<{self.item}>"


@dataclass(frozen=True, eq=False, slots=True)
class TupleOf:
    """``tuple<T, U, ...>``."""

    items: tuple[Type, ...]

    def __str__(self) -> str:
        return f"tuple<{', '.join(map(str, self.items))}>"


@dataclass(frozen=True, eq=False, slots=True)
class OptionOf:
    """``option<T>``."""

    item: Type

    def __str__(self) -> str:
        return f"option<{self.item}>"


@dataclass(frozen=True, eq=False, slots=True)
class ResultOf:
    """``result<T, E>``; None stands for a missing payload."""

    ok: Type | None
    err: Type | None

    def __str__(self) -> str:
        if self.err is None:
            return "result" if self.ok is None else f"result<{self.ok}>"
        return f"result<{self.ok or '_'}, {self.err}>"


@dataclass(frozen=True, eq=False, slots=True)
class _Named:
    name: str
    owner: str  #: the interface that defines it; empty for the world

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False, slots=True)
class Record(_Named):
    """``record name { field: T, ... }``."""

    fields: tuple[tuple[str, Type], ...]

    __str__ = _Named.__str__


@dataclass(frozen=True, eq=False, slots=True)
class Variant(_Named):
    """``variant name { case(T), ... }``."""

    cases: tuple[tuple[str, Type | None], ...]

    __str__ = _Named.__str__


@dataclass(frozen=True, eq=False, slots=True)
class EnumOf(_Named):
    """``enum name { a, b }``."""

    cases: tuple[str, ...]

    __str__ = _Named.__str__


@dataclass(frozen=True, eq=False, slots=True)
class FlagsOf(_Named):
    """``flags name { a, b }``."""

    flags: tuple[str, ...]

    __str__ = _Named.__str__


@dataclass(frozen=True, eq=False, slots=True)
class Resource(_Named):
    """``resource name { ... }``; its functions are in the interface."""

    __str__ = _Named.__str__


@dataclass(frozen=True, eq=False, slots=True)
class Handle:
    """``own<R>`` (written as ``R``) or ``borrow<R>``."""

    resource: Resource
    owned: bool

    def __str__(self) -> str:
        return self.resource.name if self.owned else f"borrow<{self.resource.name}>"


@dataclass(frozen=True, eq=False, slots=True)
class Unsupported:
    """A type that cannot cross here: ``stream``, ``future``, ``error-context``, ``map`` and so on."""

    name: str

    def __str__(self) -> str:
        return self.name


Type: TypeAlias = (
    Primitive
    | ListOf
    | TupleOf
    | OptionOf
    | ResultOf
    | Record
    | Variant
    | EnumOf
    | FlagsOf
    | Resource
    | Handle
    | Unsupported
)


def parts_of(kind: Type) -> tuple[Type, ...]:
    """The types that a type is made of, one level down."""
    match kind:
        case ListOf() | OptionOf():
            return (kind.item,)
        case TupleOf():
            return kind.items
        case ResultOf():
            return tuple(part for part in (kind.ok, kind.err) if part is not None)
        case Record():
            return tuple(part for _, part in kind.fields)
        case Variant():
            return tuple(part for _, part in kind.cases if part is not None)
        case Handle():
            return (kind.resource,)
        case _:
            return ()


# Functions, interfaces, worlds -----------------------------------------------------------


@dataclass(frozen=True, eq=False, slots=True)
class Function:
    """One function of an interface or a world.

    ``name`` is as in WIT, without the resource; ``symbol`` is the component model's, such as
    ``[method]counter.inc``. A method's first parameter is ``self``.
    """

    name: str
    symbol: str
    kind: str  #: ``function``, ``method``, ``static`` or ``constructor``
    params: tuple[tuple[str, Type], ...]
    result: Type | None
    interface: str  #: full name with version; empty for a function of the world
    resource: Resource | None = None
    is_async: bool = False

    @property
    def label(self) -> str:
        """What messages call it, such as ``calc.add`` or ``counter.inc``."""
        owner = self.interface.partition("@")[0].rpartition("/")[2]
        if self.resource is not None:
            owner = self.resource.name
        own = "constructor" if self.kind == "constructor" else self.name
        return f"{owner}.{own}" if owner else own

    @property
    def types(self) -> Iterator[Type]:
        """The types of its parameters and of its result."""
        yield from (kind for _, kind in self.params)
        if self.result is not None:
            yield self.result

    def __str__(self) -> str:
        params = self.params[1:] if self.kind == "method" else self.params
        listed = ", ".join(f"{name}: {kind}" for name, kind in params)
        if self.kind == "constructor":
            return f"constructor({listed})"
        result = "" if self.result is None else f" -> {self.result}"
        how = ("static " if self.kind == "static" else "") + ("async " if self.is_async else "")
        return f"{self.name}: {how}func({listed}){result}"


@dataclass(frozen=True, eq=False, slots=True)
class Interface:
    """A named set of types and functions. ``name`` is such as ``wasi:io/poll@0.2.0``."""

    name: str
    types: dict[str, Type] = field(default_factory=dict)  #: the ones it only uses, too
    functions: dict[str, Function] = field(default_factory=dict)  #: by symbol

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The resources that it defines itself."""
        own = [kind for kind in self.types.values() if isinstance(kind, Resource) and kind.owner == self.name]
        return tuple(dict.fromkeys(own))  # an alias, such as `headers` for `fields`, is the same one again


@dataclass(frozen=True, eq=False, slots=True)
class World:
    """What a component imports and exports; prints as WIT."""

    name: str
    imports: dict[str, Interface | Function]
    exports: dict[str, Interface | Function]
    types: dict[str, Type]  #: of the world itself
    text: str = field(repr=False, default="")

    def __str__(self) -> str:
        return self.text

    @property
    def functions(self) -> Iterator[Function]:
        """Every function, imported and exported."""
        for item in (*self.imports.values(), *self.exports.values()):
            if isinstance(item, Function):
                yield item
            else:
                yield from item.functions.values()


@dataclass(frozen=True, eq=False, slots=True)
class Package:
    """All that a WIT text or a component says: its interfaces and worlds, by full name."""

    interfaces: dict[str, Interface]
    worlds: dict[str, World]
    text: str = field(repr=False, default="")


# Reading ---------------------------------------------------------------------------------


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
