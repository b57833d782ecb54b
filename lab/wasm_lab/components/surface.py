"""What of a component is seen from Python: which attribute stands for which export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.components.exports import Plan, bind
from wasm_lab.components.names import pascal, snake, version_of
from wasm_lab.components.nouns import Function, Interface, Resource
from wasm_lab.components.pytypes import is_named
from wasm_lab.components.resources import GuestResource
from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.components.codecs import Codecs
    from wasm_lab.components.instance import ComponentInstance
    from wasm_lab.components.nouns import Type, World
    from wasm_lab.components.pytypes import PythonTypes


#: What a `ComponentInstance` has itself: exports of the world by these names get a ``_`` at their end.
TAKEN = frozenset({"close", "data", "interrupt", "poisoned"})


class Face:
    """The attributes of one interface or of the world."""

    def __init__(
        self,
        name: str,
        functions: dict[str, Function],
        types: dict[str, Type],
        surface: Surface,
    ) -> None:
        self.name = name
        taken = frozenset() if name else TAKEN
        self.functions = {
            _free(snake(one.name), taken): one for one in functions.values() if one.resource is None
        }
        self.types = {pascal(key): kind for key, kind in types.items()}
        self.interfaces: dict[str, str] = {}  #: attribute to full name; only of the world
        self._surface = surface

    @property
    def names(self) -> list[str]:
        """Every attribute."""
        return [*self.functions, *self.types, *self.interfaces]

    def get(self, instance: ComponentInstance, name: str) -> Any:
        """The attribute of one instance.

        Raises:
            AttributeError: there is none; the message lists those there are.
        """
        function = self.functions.get(name)
        if function is not None:
            return bind(self._surface.plan(function), instance)
        kind = self.types.get(name)
        if isinstance(kind, Resource):
            return instance._resource_class(kind)
        if kind is not None and is_named(kind):
            return self._surface.types.of(kind)  # type: ignore[arg-type]
        if name in self.interfaces:
            return instance[self.interfaces[name]]
        listed = ", ".join(self.names) or "nothing"
        raise AttributeError(f"{self.name or 'the component'} exports no {name!r}; it exports {listed}")


def _free(name: str, taken: frozenset[str]) -> str:
    return f"{name}_" if name in taken else name


class Surface:
    """All that a component exports, and how to reach it; shared by every instance of one link."""

    def __init__(self, world: World, types: PythonTypes, codecs: Codecs, component: Any) -> None:
        self._component = component
        self._codecs = codecs
        self._plans: dict[Function, Plan] = {}
        self._indexes: dict[str, Any] = {}
        self.types = types
        functions = {name: item for name, item in world.exports.items() if isinstance(item, Function)}
        self.world = Face("", functions, world.types, self)
        self._interfaces = {name: item for name, item in world.exports.items() if isinstance(item, Interface)}
        self._faces: dict[str, Face] = {}
        for name in self._interfaces:
            short = _free(snake(version_of(name)[0].rpartition("/")[2]), TAKEN)
            # Two interfaces of one name: neither gets the short one, so that none is taken for the other.
            self.world.interfaces[short] = "" if short in self.world.interfaces else name
        for short in [short for short, name in self.world.interfaces.items() if not name]:
            del self.world.interfaces[short]

    def interface(self, name: str) -> Face:
        """The face of an exported interface, by full name with or without version.

        Raises:
            UsageError: there is none of that name, or several versions.
        """
        face = self._faces.get(name)
        if face is None:
            found = [key for key in self._interfaces if name in (key, version_of(key)[0])]
            if len(found) != 1:
                listed = ", ".join(self._interfaces) or "none"
                many = "several versions of" if found else "no"
                raise UsageError(f"The component exports {many} {name}.", hint=f"Its interfaces: {listed}.")
            item = self._interfaces[found[0]]
            face = self._faces[name] = Face(item.name, item.functions, item.types, self)
        return face

    def plan(self, function: Function) -> Plan:
        """How to call an exported function."""
        plan = self._plans.get(function)
        if plan is None:
            index = self._index(function.symbol, function.interface)
            plan = self._plans[function] = Plan(function, index, self._codecs)
        return plan

    def _index(self, symbol: str, interface: str) -> Any:
        parent = None
        if interface:
            parent = self._indexes.get(interface)
            if parent is None:
                parent = self._indexes[interface] = self._component.get_export_index(interface)
        return self._component.get_export_index(symbol, parent)

    def resource_class(self, instance: ComponentInstance, resource: Resource) -> type[GuestResource]:
        """The class of a resource that the guest provides, for one instance."""
        owner = self._interfaces.get(resource.owner)
        functions = [one for one in owner.functions.values() if one.resource is resource] if owner else []
        body: dict[str, Any] = {"__slots__": (), "_wit": resource, "__module__": resource.owner}
        for function in functions:
            call = _bound_late(self, function, instance)
            if function.kind == "constructor":
                body["__init__"] = _constructor(call)
            else:
                body[snake(function.name)] = staticmethod(call) if function.kind == "static" else call
        if "__init__" not in body:
            body["__init__"] = _no_constructor(resource)
        return type(pascal(resource.name), (GuestResource,), body)


def _bound_late(surface: Surface, function: Function, instance: ComponentInstance) -> Callable[..., Any]:
    """A function of a resource, bound when it is first called: most are not."""
    bound: Callable[..., Any] | None = None

    def call(*values: Any, **named: Any) -> Any:
        nonlocal bound
        if bound is None:
            bound = bind(surface.plan(function), instance)
        return bound(*values, **named)

    call.__name__ = snake(function.name)
    call.__doc__ = str(function)
    return call


def _constructor(call: Callable[..., Any]) -> Callable[..., None]:
    def construct(self: GuestResource, *values: Any, **named: Any) -> None:
        made = call(*values, **named)
        self._state, self._box = made._state, made._box
        made._box = 0

    construct.__doc__ = call.__doc__
    return construct


def _no_constructor(resource: Resource) -> Callable[..., None]:
    def refuse(self: GuestResource, *_values: Any, **_named: Any) -> None:
        raise TypeError(f"{resource.name} has no constructor in its WIT; a function gives it")

    return refuse
