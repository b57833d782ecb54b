"""Which module implements which of Spin's host interfaces; each loads when a component imports it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from wasm_lab.scenarios.spin.context import ComponentContext

#: Beginnings of interface names, and the module of `wasm_lab.scenarios.spin.interfaces` for them.
MODULES = {
    "fermyon:spin/key-value": "key_value",
    "wasi:keyvalue/": "key_value",
    "fermyon:spin/redis": "redis",
    "fermyon:spin/postgres": "postgres",
    "spin:postgres/": "postgres",
    "fermyon:spin/sqlite": "sqlite",
    "spin:sqlite/": "sqlite",
    "fermyon:spin/variables": "variables",
    "fermyon:spin/config": "variables",
    "wasi:config/": "variables",
    "wasi:http/outgoing-handler": "outgoing_http",
    "fermyon:spin/http": "outgoing_http",
    "fermyon:spin/llm": "llm",
    "fermyon:spin/mysql": "mysql",
    "fermyon:spin/mqtt": "mqtt",
}


def interfaces_for(names: Collection[str], context: ComponentContext) -> dict[str, object]:
    """The host interfaces among these that are Spin's own.

    Args:
        names: of what a component imports, with versions.
        context: the component's.
    """
    wanted = []
    for name in names:
        for beginning, module in MODULES.items():
            if name.startswith(beginning) and module not in wanted:
                wanted.append(module)
    found: dict[str, object] = {}
    for module in wanted:
        imported = importlib.import_module(f"wasm_lab.scenarios.spin.interfaces.{module}")
        found.update(imported.implement(context))
    return found
