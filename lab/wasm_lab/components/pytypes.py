"""Python classes for WIT's named types, each made when it is first asked for.

Making an ordinary dataclass or enum takes a third of a millisecond, and `wasi:http` has
60 types with 200 cases; so cases of variants share one dataclass's methods by inheritance.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, make_dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from wasm_lab.components.names import constant, pascal, snake
from wasm_lab.components.nouns import EnumOf, FlagsOf, Record, Resource, Variant

if TYPE_CHECKING:
    from wasm_lab.components.nouns import Type


class _VariantClass(type):
    """The class of a variant: its cases are attributes, made when they are first named."""

    _cases: dict[str, tuple[str, bool]]

    def __getattr__(cls, name: str) -> Any:
        cases: dict[str, tuple[str, bool]] = type.__getattribute__(cls, "_cases")
        if name not in cases:
            raise AttributeError(f"{cls.__name__} has no case {name!r}; its cases are {', '.join(cases)}")
        wit_name, has_payload = cases[name]
        base = _Payload if has_payload else _Plain
        qualname = f"{cls.__qualname__}.{name}"
        body = {"__module__": cls.__module__, "__qualname__": qualname, "case": wit_name, "_cases": {}}
        made = _VariantClass(name, (base, cls), body)
        setattr(cls, name, made)
        return made

    def __dir__(cls) -> list[str]:
        return [*super().__dir__(), *cls._cases]


@dataclass(frozen=True)
class _Payload:
    """A case with a payload; every such case inherits these methods."""

    value: Any


@dataclass(frozen=True)
class _Plain:
    """A case without a payload."""

    value: ClassVar[None] = None


class VariantBase(metaclass=_VariantClass):
    """The base of every variant. ``case`` is the case's name in WIT, ``value`` its payload."""

    _cases: ClassVar[dict[str, tuple[str, bool]]] = {}
    case: ClassVar[str] = ""
    value: Any


class PythonTypes:
    """The classes of one component's types; the same WIT type has the same class wherever it is used."""

    def __init__(self) -> None:
        self._made: dict[Type, type] = {}

    def of(self, kind: Record | Variant | EnumOf | FlagsOf) -> Any:
        """The class of a named type."""
        made = self._made.get(kind)
        if made is None:
            # Two threads may both make it: `setdefault` decides for one of them.
            made = self._made.setdefault(kind, _make(kind))
        return made


#: The functional forms, whose names mypy wants to know beforehand.
_new_enum: Any = enum.Enum
_new_flag: Any = enum.Flag


def _make(kind: Record | Variant | EnumOf | FlagsOf) -> type:
    name, module = pascal(kind.name), kind.owner or "world"
    made: type
    match kind:
        case Record():
            fields = [snake(field) for field, _ in kind.fields]
            made = make_dataclass(name, fields, frozen=True, namespace={"__doc__": _record_doc(kind)})
        case Variant():
            cases = {pascal(case): (case, payload is not None) for case, payload in kind.cases}
            made = _VariantClass(name, (VariantBase,), {"_cases": cases, "__doc__": _variant_doc(kind)})
        case EnumOf():
            made = _new_enum(name, [(constant(case), case) for case in kind.cases])
        case FlagsOf():
            members = [(constant(flag), 1 << number) for number, flag in enumerate(kind.flags)]
            made = _new_flag(name, members)
    made.__module__ = module
    return made


def _record_doc(kind: Record) -> str:
    return f"record {kind.name} {{ {', '.join(f'{name}: {part}' for name, part in kind.fields)} }}"


def _variant_doc(kind: Variant) -> str:
    cases = (name if part is None else f"{name}({part})" for name, part in kind.cases)
    return f"variant {kind.name} {{ {', '.join(cases)} }}"


def is_named(kind: Type) -> bool:
    """Whether there is a class for it here; resources have theirs in `resources`."""
    return isinstance(kind, (Record, Variant, EnumOf, FlagsOf)) and not isinstance(kind, Resource)
