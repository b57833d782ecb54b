"""Components and WIT: typed callables in Python for what a component exports and imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wasm_lab.components.component import Component, Prepared
    from wasm_lab.components.instance import ComponentInstance
    from wasm_lab.components.resources import GuestResource
    from wasm_lab.components.state import current
    from wasm_lab.components.values import Err, Ok, Some

__all__ = ["Component", "ComponentInstance", "Err", "GuestResource", "Ok", "Prepared", "Some", "current"]

#: Where each name is; imported when it is first used, because the engine takes 30 ms.
_HOMES = {
    "Component": "component",
    "ComponentInstance": "instance",
    "Err": "values",
    "GuestResource": "resources",
    "Ok": "values",
    "Prepared": "component",
    "Some": "values",
    "current": "state",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'wasm_lab.components' has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f"wasm_lab.components.{home}"), name)
    globals()[name] = found
    return found
