"""One Python object in the place of everything that a world imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.components.matching import NATIVE
from wasm_lab.components.names import snake, version_of
from wasm_lab.components.wit import Function

if TYPE_CHECKING:
    from wasm_lab.components.wit import World


def provided_by(world: World, provider: Any) -> dict[str, Any]:
    """The imports of a world, each with what of ``provider`` stands for it.

    An attribute with the interface's short name stands for the interface; without one the object
    itself does. Functions of the world are the object's own attributes.

    Example:
        >>> from types import SimpleNamespace
        >>> from wasm_lab.components.text import check_text
        >>> text = check_text("package a:b; world w { import get: func() -> u32; }", name="w")
        >>> provided_by(text.worlds["w"], SimpleNamespace(get=len))
        {'get': <built-in function len>}
    """
    found: dict[str, Any] = {}
    for name, item in world.imports.items():
        if name.startswith(NATIVE):
            continue
        if isinstance(item, Function):
            if hasattr(provider, snake(name)):
                found[name] = getattr(provider, snake(name))
        else:
            short = snake(version_of(name)[0].rpartition("/")[2])
            found[name] = getattr(provider, short, provider)
    return found
