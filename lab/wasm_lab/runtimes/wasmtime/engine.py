"""Engines, the modules loaded into them, and the cache of machine code."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import sys
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING, Any

import wasmtime

from wasm_lab.errors import LoadError
from wasm_lab.run import Phase
from wasm_lab.runtimes.wasmtime.guard import WASM_STACK_BYTES, watch_engine

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact

#: Kind of the cache entries that hold machine code (see `wasm_lab.build.cache`).
CACHE_KIND = "machine-code"

#: Wasm bytes whose machine code is kept loaded; the least recently used go first.
LOADED_BYTES = 256 * 1024 * 1024

#: Address space, in bytes, below which memories are not reserved in advance: wasmtime
#: otherwise reserves 4 GiB and a guard for each (wasmtime `Config::memory_reservation`).
ROOMY_ADDRESS_SPACE_BYTES = 64 * 1024**3


@dataclass(frozen=True)
class Loaded:
    """A module in an engine, and what loading it took."""

    module: wasmtime.Module
    imports: tuple[tuple[str, str], ...]
    exports: tuple[str, ...]
    phases_ns: dict[Phase, int] = field(default_factory=dict)
    code_cached: bool = False


class GuestEngine:
    """One engine with one configuration, shared by every guest that needs that one.

    Args:
        guarded: compile in epoch checks, so that a running guest can be stopped.
        fuel: count instructions.
    """

    def __init__(self, *, guarded: bool, fuel: bool) -> None:
        config = wasmtime.Config()
        config.epoch_interruption = guarded
        config.consume_fuel = fuel
        config.max_wasm_stack = WASM_STACK_BYTES
        cramped = _address_space_is_small()
        if cramped:
            config.memory_reservation = 0
            config.memory_guard_size = 0
            config.memory_reservation_for_growth = 0
        self.engine = wasmtime.Engine(config)
        self.key = f"guarded={guarded} fuel={fuel} stack={WASM_STACK_BYTES} cramped={cramped}"
        self._modules: OrderedDict[str, Loaded] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._prepared: dict[str, wasmtime.InstancePre] = {}
        self._lock = threading.Lock()
        if guarded:
            watch_engine(self.engine.increment_epoch)

    def load(self, artifact: Artifact) -> Loaded:
        """The artifact as a module of this engine: from memory, from the cache, or compiled now.

        Raises:
            LoadError: the bytes are no module, or the engine refuses them.
        """
        digest = artifact.sha256
        loaded = self._modules.get(digest)
        if loaded is not None:
            with suppress(KeyError):
                self._modules.move_to_end(digest)
            return loaded
        fresh = self._from_cache_or_compiled(artifact)
        # Whoever asks for it again finds it in memory: nothing is loaded, so no phase is told.
        kept = Loaded(fresh.module, fresh.imports, fresh.exports, {}, code_cached=True)
        with self._lock:
            self._modules[digest] = kept
            self._sizes[digest] = artifact.size_bytes
            while sum(self._sizes.values()) > LOADED_BYTES and len(self._modules) > 1:
                oldest, _ = self._modules.popitem(last=False)
                del self._sizes[oldest]
        return fresh

    def prepare(self, artifact: Artifact, loaded: Loaded) -> wasmtime.InstancePre:
        """The module with its imports resolved.

        Raises:
            LoadError: it imports what nobody here provides.
        """
        prepared = self._prepared.get(artifact.sha256)
        if prepared is None:
            linker = wasmtime.Linker(self.engine)
            linker.define_wasi()
            try:
                prepared = linker.instantiate_pre(loaded.module)
            except wasmtime.WasmtimeError as error:
                raise LoadError(f"{artifact.label} cannot be linked: {error}") from None
            self._prepared[artifact.sha256] = prepared
        return prepared

    def _from_cache_or_compiled(self, artifact: Artifact) -> Loaded:
        started = time.perf_counter_ns()
        key = hashlib.sha256(f"{artifact.sha256} {_platform()} {self.key}".encode()).hexdigest()
        module = self._from_cache(key)
        if module is not None:
            return self._loaded(module, Phase.LOAD, started)
        try:
            module = wasmtime.Module(self.engine, artifact.wasm)
        except wasmtime.WasmtimeError as error:
            raise LoadError(f"{artifact.label} cannot be loaded: {error}") from None
        loaded = self._loaded(module, Phase.COMPILE, started)
        cache = _cache()
        if cache is not None:
            cache.put(CACHE_KIND, key, bytes(module.serialize()))
        return loaded

    def _from_cache(self, key: str) -> wasmtime.Module | None:
        cache = _cache()
        path = cache.path(CACHE_KIND, key) if cache is not None else None
        if path is None:
            return None
        try:
            return wasmtime.Module.deserialize_file(self.engine, os.fspath(path))
        except wasmtime.WasmtimeError:
            return None  # of a foreign engine, or gone since: compile it again

    @staticmethod
    def _loaded(module: wasmtime.Module, phase: Phase, started: int) -> Loaded:
        imports = tuple((item.module, item.name or "") for item in module.imports)
        exports = tuple(item.name for item in module.exports)
        elapsed = time.perf_counter_ns() - started
        return Loaded(module, imports, exports, {phase: elapsed}, code_cached=phase is Phase.LOAD)


@functools.cache
def guest_engine(*, guarded: bool = True, fuel: bool = False) -> GuestEngine:
    """The engine with that configuration, made on its first use."""
    return GuestEngine(guarded=guarded, fuel=fuel)


@functools.cache
def version() -> str:
    """The version of the ``wasmtime`` package, which is its engine's major version too."""
    return metadata.version("wasmtime")


@functools.cache
def _platform() -> str:
    """All that machine code depends on beside the module and the engine's configuration."""
    return f"wasmtime {version()} {sys.platform} {platform.machine()}"


@functools.cache
def _cache() -> Any:
    try:
        from wasm_lab.build.cache import Cache
    except ImportError:
        return None
    return Cache()


def _address_space_is_small() -> bool:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return False
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return soft != resource.RLIM_INFINITY and soft < ROOMY_ADDRESS_SPACE_BYTES
