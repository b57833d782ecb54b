"""The nouns of WIT: types, functions, interfaces, worlds, packages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

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
