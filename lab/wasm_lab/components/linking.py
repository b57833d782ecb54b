"""Linking: every import of a component gets its implementation, or a message says why not."""

from __future__ import annotations

import ctypes
from ctypes import addressof, c_size_t
from typing import TYPE_CHECKING, Any

from wasmtime import component as engine_component

from wasm_lab.capabilities import ClockMode
from wasm_lab.components import native
from wasm_lab.components.clocks import INTERFACE, BoundedClock
from wasm_lab.components.codecs import Codecs
from wasm_lab.components.component import Prepared
from wasm_lab.components.imports import host_callback
from wasm_lab.components.instance import ComponentInstance
from wasm_lab.components.matching import Match, match_imports
from wasm_lab.components.names import version_of
from wasm_lab.components.resources import HandleCodecs, drop
from wasm_lab.components.stores import new_store
from wasm_lab.components.surface import Surface
from wasm_lab.components.wit import Function, Interface, Resource
from wasm_lab.errors import InterfaceError
from wasm_lab.runtimes.wasmtime.engine import guest_engine
from wasm_lab.runtimes.wasmtime.interrupts import held
from wasm_lab.runtimes.wasmtime.native import failure
from wasm_lab.runtimes.wasmtime.sandbox import Sandbox
from wasm_lab.runtimes.wasmtime.virtual import Virtual

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasm_lab.capabilities import Capabilities
    from wasm_lab.components.component import Component
    from wasm_lab.runtimes.base import OutputSink


def link(
    component: Component, imports: Mapping[str, Any], capabilities: Capabilities, *, pooled: bool = False
) -> Prepared:
    """See `Component.link`."""
    matches = match_imports(component, imports)
    with held:
        return Prepared(component, capabilities, _Parts(component, matches, capabilities, pooled=pooled))


class _Parts:
    """The engine's side of a link, kept alive as long as somebody may instantiate it."""

    def __init__(
        self, component: Component, matches: list[Match], capabilities: Capabilities, *, pooled: bool
    ) -> None:
        self.engine = guest_engine(fuel=capabilities.fuel is not None, pooled=pooled)
        self.loaded = self.engine.load(component.artifact)
        self.native_wasi = any(match.native for match in matches)
        self._virtual_imports: tuple[str, ...] = ()
        if self.native_wasi:
            matches = self._bound_waits(component, matches, capabilities)
        self._matches = matches
        imported = [
            kind
            for item in component.world.imports.values()
            if isinstance(item, Interface)
            for kind in item.types.values()
            if isinstance(kind, Resource)
        ]
        provided = [kind for match in matches if not match.native for kind in match.resources]
        self._handles = HandleCodecs(provided, imported)
        self._codecs = Codecs(component.types, self._handles)
        self._callbacks: list[Any] = []  # linkers call them for as long as they live
        self._linker = self._new_linker(None)
        self._linker_at = _address(self._linker.ptr())
        self.component_at = _address(self.loaded.module.ptr())
        self.surface = Surface(component.world, component.types, self._codecs, self.loaded.module)

    def instantiate(self, prepared: Prepared, data: Any, output: OutputSink | None) -> ComponentInstance:
        with held:
            store = new_store(
                self.engine,
                prepared.component.artifact,
                self.loaded,
                prepared.capabilities,
                native_wasi=self.native_wasi,
                output=output,
            )
            if not self._virtual_imports:
                return ComponentInstance(prepared, store, data, self._linker_at)
            # A frozen clock or seeded randomness begins anew in each instance, in a linker of its own.
            virtual = Virtual(prepared.capabilities, self._virtual_imports)
            assert isinstance(store, Sandbox)
            virtual.connect(self.engine.engine, store.store)
            linker = self._new_linker(virtual)
            return ComponentInstance(prepared, store, data, _address(linker.ptr()), keep=(linker, virtual))

    def _bound_waits(
        self, component: Component, matches: list[Match], capabilities: Capabilities
    ) -> list[Match]:
        """The same, with what waits or repeats itself in place of the native clocks and randomness."""
        natives = tuple(match.item.name for match in matches if match.native)
        if Virtual(capabilities, natives).needed:
            self._virtual_imports = natives
        if capabilities.clock is not ClockMode.REAL:
            return matches
        clock = BoundedClock(self.engine, dict(version_of(name) for name in component.world.imports))
        return [
            Match(match.item, clock, native=False)
            if match.native and version_of(match.item.name)[0] == INTERFACE and _waits(match.item)
            else match
            for match in matches
        ]

    def _new_linker(self, virtual: Virtual | None) -> engine_component.Linker:
        linker = engine_component.Linker(self.engine.engine)
        if self.native_wasi:
            linker.allow_shadowing = True
            linker.add_wasip2()
        if virtual is not None:
            virtual.define(linker)
        for match in self._matches:
            if not match.native:
                self._define(_address(linker.ptr()), match)
        return linker

    def _define(self, linker_at: int, match: Match) -> None:
        root = native.linker_root(linker_at)
        try:
            if isinstance(match.item, Function):
                self._define_function(root, match.item, match.provider)
                return
            if not match.item.name:
                self._define_all(root, match)
                return
            place = c_size_t()
            name = match.item.name.encode()
            _check(native.linker_instance_add_instance(root, name, len(name), addressof(place)))
            try:
                self._define_all(place.value, match)
            finally:
                native.linker_instance_delete(place.value)
        finally:
            native.linker_instance_delete(root)

    def _define_all(self, where: int, match: Match) -> None:
        assert isinstance(match.item, Interface)
        for resource in match.resources:
            self._define_resource(where, resource.name, self._handles.numbers[resource])
        for function in match.item.functions.values():
            self._define_function(where, function, match.provider)

    def _define_function(self, where: int, function: Function, provider: Any) -> None:
        callback = host_callback(function, provider, self._codecs)
        self._callbacks.append(callback)
        name = function.symbol.encode()
        _check(native.linker_instance_add_func(where, name, len(name), callback, 0, 0))

    @staticmethod
    def _define_resource(where: int, name: str, number: int) -> None:
        kind = native.resource_type_new_host(number)
        encoded = name.encode()
        try:
            _check(native.linker_instance_add_resource(where, encoded, len(encoded), kind, drop, 0, 0))
        finally:
            native.resource_type_delete(kind)


def _waits(item: Interface | Function) -> bool:
    return isinstance(item, Interface) and any("subscribe" in symbol for symbol in item.functions)


def _address(pointer: Any) -> int:
    address = ctypes.cast(pointer, ctypes.c_void_p).value
    assert address is not None
    return address


def _check(error: int) -> None:
    if error:
        said = " ".join(str(failure(error, ctypes.c_void_p())).split())
        raise InterfaceError(f"The engine refused a definition: {said}.")
