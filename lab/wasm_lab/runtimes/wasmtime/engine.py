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
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import wasmtime
from wasmtime import _bindings as bindings

from wasm_lab.artifact import COMPONENT_PREAMBLE
from wasm_lab.build.cache import default_cache
from wasm_lab.build.sections import leb128, sections
from wasm_lab.errors import LoadError
from wasm_lab.run import Phase
from wasm_lab.runtimes.wasmtime.guard import WASM_STACK_BYTES, watch_engine
from wasm_lab.runtimes.wasmtime.host import define_calls
from wasm_lab.wasi.missing import explain_missing, explain_unloadable, missing_imports

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact, Template

#: Kind of the cache entries that hold machine code (see `wasm_lab.build.cache`).
CACHE_KIND = "machine-code"

#: Wasm bytes whose machine code is kept loaded; the least recently used go first.
LOADED_BYTES = 256 * 1024 * 1024

#: Section numbers: of a core module (specification 5.5.2), and of a component (``Binary.md``).
_MEMORY_SECTION, _CORE_MODULE_SECTION, _COMPONENT_SECTION = 5, 1, 4

_MAGIC = b"\0asm"

_DETAILS = "WASMTIME_BACKTRACE_DETAILS"

#: Address space, in bytes, below which memories are not reserved in advance: wasmtime
#: otherwise reserves 4 GiB and a guard for each (wasmtime `Config::memory_reservation`).
ROOMY_ADDRESS_SPACE_BYTES = 64 * 1024**3


class Loaded(NamedTuple):
    """A module or component in an engine, and what loading it took."""

    module: Any  #: a ``wasmtime.Module`` or ``wasmtime.component.Component``
    imports: tuple[tuple[str, str], ...]  #: module and name; a component's have only the first
    exports: tuple[str, ...]
    memories: int  #: how many it has of its own, all parts of a component counted
    phases_ns: dict[Phase, int]
    code_cached: bool = False


class GuestEngine:
    """One engine with one configuration, shared by every guest that needs that one.

    Args:
        guarded: compile in epoch checks, so that a running guest can be stopped.
        fuel: count instructions.
        pooled: keep memories for the next instances (see `pool`). For a server, whose instances live
            for a moment; where address space is small, it does without.
    """

    def __init__(self, *, guarded: bool, fuel: bool, pooled: bool = False) -> None:
        config = _config_with_details()
        config.epoch_interruption = guarded
        config.consume_fuel = fuel
        config.max_wasm_stack = WASM_STACK_BYTES
        _without_tasks(config)
        cramped = _address_space_is_small()
        if cramped:
            config.memory_reservation = 0
            config.memory_guard_size = 0
            config.memory_reservation_for_growth = 0
        elif pooled:
            from wasm_lab.runtimes.wasmtime.pool import use_pool

            use_pool(config)
        self.engine = wasmtime.Engine(config)
        self.key = f"guarded={guarded} fuel={fuel} stack={WASM_STACK_BYTES} cramped={cramped} details=True tasks=False"
        if pooled:
            self.key += " pooled"
        self._modules: OrderedDict[str, Loaded] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._linkers: dict[frozenset[str], wasmtime.Linker] = {}
        self._prepared: dict[tuple[str, frozenset[str]], wasmtime.InstancePre] = {}
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
        kept = fresh._replace(phases_ns={}, code_cached=True)
        with self._lock:
            self._modules[digest] = kept
            self._sizes[digest] = artifact.size_bytes
            while sum(self._sizes.values()) > LOADED_BYTES and len(self._modules) > 1:
                oldest, _ = self._modules.popitem(last=False)
                del self._sizes[oldest]
                for key in [key for key in self._prepared if key[0] == oldest]:
                    del self._prepared[key]
        return fresh

    def prepare(self, artifact: Artifact, loaded: Loaded, answered: frozenset[str]) -> wasmtime.InstancePre:
        """The module with its imports resolved.

        Args:
            answered: the WASI calls that are answered in Python (see `host.answered_here`).

        Raises:
            LoadError: it imports what nobody here provides.
        """
        prepared = self._prepared.get((artifact.sha256, answered))
        if prepared is None:
            missing = missing_imports(loaded.imports)
            if missing:
                language = artifact.source.language if artifact.source else ""
                message, hint = explain_missing(artifact.label, missing, language=language)
                raise LoadError(message, hint=hint)
            try:
                prepared = self._linker(answered).instantiate_pre(loaded.module)
            except wasmtime.WasmtimeError as error:
                said = " ".join(str(error).split())
                raise LoadError(f"{artifact.label} cannot be linked: {said}.") from None
            self._prepared[artifact.sha256, answered] = prepared
        return prepared

    def _linker(self, answered: frozenset[str]) -> wasmtime.Linker:
        linker = self._linkers.get(answered)
        if linker is None:
            linker = wasmtime.Linker(self.engine)
            linker.define_wasi()
            define_calls(linker, answered)
            self._linkers[answered] = linker
        return linker

    def _from_cache_or_compiled(self, artifact: Artifact) -> Loaded:
        started = time.perf_counter_ns()
        key = hashlib.sha256(f"{artifact.sha256} {_platform()} {self.key}".encode()).hexdigest()
        if artifact.wasm[: len(_MAGIC)] != _MAGIC:  # the engine would take text too, and then cache by it
            message, hint = explain_unloadable(artifact.label, artifact.wasm, "")
            raise LoadError(message, hint=hint)
        kind = _component_type() if artifact.is_component else wasmtime.Module
        if artifact.template is not None:
            return self._from_template(artifact, artifact.template, kind, started)
        module = self._from_cache(kind, key)
        if module is not None:
            return self._loaded(artifact, module, Phase.LOAD, started)
        try:
            module = kind(self.engine, artifact.wasm)
        except wasmtime.WasmtimeError as error:
            message, hint = explain_unloadable(artifact.label, artifact.wasm, str(error))
            raise LoadError(message, hint=hint) from None
        loaded = self._loaded(artifact, module, Phase.COMPILE, started)
        default_cache().put(CACHE_KIND, key, bytes(module.serialize()))
        return loaded

    def _from_template(self, artifact: Artifact, template: Template, kind: Any, started: int) -> Loaded:
        """Machine code of what the artifact was made from, with the same bytes written over the same block.

        It is what compiling the artifact gives: code does not depend on data. It is not kept, for the next
        edit makes another.
        """
        key = hashlib.sha256(f"{template.sha256} {_platform()} {self.key}".encode()).hexdigest()
        code, phase = default_cache().get(CACHE_KIND, key), Phase.LOAD
        if code is not None and template.blank in code:
            try:
                module = kind.deserialize(self.engine, code.replace(template.blank, template.filled))
                return self._loaded(artifact, module, phase, started)
            except wasmtime.WasmtimeError:
                pass  # of a foreign engine: compile it again
        original = artifact.wasm.replace(template.filled, template.blank)
        try:
            code = bytes(kind(self.engine, original).serialize())
            default_cache().put(CACHE_KIND, key, code)
            module = kind.deserialize(self.engine, code.replace(template.blank, template.filled))
        except wasmtime.WasmtimeError as error:
            message, hint = explain_unloadable(artifact.label, artifact.wasm, str(error))
            raise LoadError(message, hint=hint) from None
        return self._loaded(artifact, module, Phase.COMPILE, started)

    def _from_cache(self, kind: Any, key: str) -> Any:
        path = default_cache().path(CACHE_KIND, key)
        if path is None:
            return None
        try:
            return kind.deserialize_file(self.engine, os.fspath(path))
        except wasmtime.WasmtimeError:
            return None  # of a foreign engine, or gone since: compile it again

    def _loaded(self, artifact: Artifact, module: Any, phase: Phase, started: int) -> Loaded:
        if isinstance(module, wasmtime.Module):
            imports = tuple((item.module, item.name or "") for item in module.imports)
            exports = tuple(item.name for item in module.exports)
        else:
            imports = tuple((name, "") for name in module.type.imports(self.engine))
            exports = tuple(module.type.exports(self.engine))
        memories = _memories(artifact.wasm)
        elapsed = time.perf_counter_ns() - started
        return Loaded(module, imports, exports, memories, {phase: elapsed}, code_cached=phase is Phase.LOAD)


def _component_type() -> Any:
    from wasmtime import component  # a third of the package's import time, and seldom needed

    return component.Component


@functools.cache
def guest_engine(*, guarded: bool = True, fuel: bool = False, pooled: bool = False) -> GuestEngine:
    """The engine with that configuration, made on its first use."""
    return GuestEngine(guarded=guarded, fuel=fuel, pooled=pooled)


@functools.cache
def version() -> str:
    """The version of the ``wasmtime`` package, which is its engine's major version too."""
    packages = Path(wasmtime.__file__).parent.parent
    for record in packages.glob("wasmtime-*.dist-info"):
        return record.stem.removeprefix("wasmtime-")
    from importlib import metadata  # takes as long to import as the engine itself

    return metadata.version("wasmtime")


@functools.cache
def _platform() -> str:
    """All that machine code depends on beside the module and the engine's configuration."""
    return f"wasmtime {version()} {sys.platform} {platform.machine()}"


def _memories(wasm: bytes) -> int:
    """How many memories a module has of its own; in a component, all its modules together."""
    if wasm[:8] == COMPONENT_PREAMBLE:
        inner = (_CORE_MODULE_SECTION, _COMPONENT_SECTION)
        return sum(_memories(wasm[part.body : part.end]) for part in sections(wasm) if part.number in inner)
    return sum(leb128(wasm, part.body)[0] for part in sections(wasm) if part.number == _MEMORY_SECTION)


def _without_tasks(config: wasmtime.Config) -> None:
    """Leave out the tasks of asynchronous components (WASI 0.3), which nothing here can host anyway.

    With them, release 50 refuses every call of a host function that borrows two resources, such as
    ``splice`` or ``poll`` with two pollables ("deferred host scope has no call context").
    """
    bindings.wasmtime_config_concurrency_support_set(config.ptr(), False)


def _config_with_details() -> wasmtime.Config:
    """A configuration whose traps tell source lines, where a module has debug information.

    The C API has no setting for it; the environment is read when a Config is made. It costs
    nothing to load a module: the lines are looked up only when a guest traps.
    """
    before = os.environ.get(_DETAILS)
    os.environ[_DETAILS] = "1"
    try:
        return wasmtime.Config()
    finally:
        if before is None:
            del os.environ[_DETAILS]
        else:
            os.environ[_DETAILS] = before


def _address_space_is_small() -> bool:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return False
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return soft != resource.RLIM_INFINITY and soft < ROOMY_ADDRESS_SPACE_BYTES
