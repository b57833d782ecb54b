"""The imports that every plugin may have (``wasm-lab:plugins/host``), as Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.components import Err, current
from wasm_lab.scenarios.plugins.cabinet import OPEN_DRAWERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import Enum

    from wasm_lab.scenarios.plugins.cabinet import Desk

INTERFACE = "wasm-lab:plugins/host"


def _desk() -> Desk:
    desk: Desk = current.data
    return desk


class Drawer:
    """A plugin's hold on one of its drawers. Dropping it lets go of the hold, not of what is in it."""

    def __init__(self, desk: Desk, name: str) -> None:
        self._desk = desk
        self._name = name
        desk.open_drawers += 1

    @staticmethod
    def open(name: str) -> Drawer:
        desk = _desk()
        if desk.open_drawers >= OPEN_DRAWERS:
            desk.refuse(f"drawer.open({name!r}): {OPEN_DRAWERS} are open")
            raise Err("too-many-drawers")
        if not desk.cabinet.open(name):
            desk.refuse(f"drawer.open({name!r}): {desk.cabinet.kept_bytes} bytes are kept")
            raise Err("too-many-bytes")
        return Drawer(desk, name)

    def get(self, key: str) -> bytes | None:
        return self._desk.cabinet.get(self._name, key)

    def put(self, key: str, value: bytes) -> None:
        if not self._desk.cabinet.put(self._name, key, value):
            self._desk.refuse(f"drawer.put({key!r}): {self._desk.cabinet.kept_bytes} bytes are kept")
            raise Err("too-many-bytes")

    def close(self) -> None:
        """The guest dropped it, or its instance is gone."""
        self._desk.open_drawers -= 1


class Host:
    """The functions of the interface."""

    Drawer = Drawer

    @staticmethod
    def log(level: Enum, message: str) -> None:
        _desk().note(level.name.lower(), message)


def given_imports() -> Mapping[str, Any]:
    """What a plugin of this lab's own contract is linked with."""
    return {INTERFACE: Host}
