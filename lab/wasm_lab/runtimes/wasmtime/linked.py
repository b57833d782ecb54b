"""Modules linked to each other in one store: a module that calls functions of others, by name and type.

Each has a memory of its own, so only numbers can cross. The libraries are instantiated first, in a fresh
state, and set up; then the module that uses them. All of it is one guest: one deadline, one limit of memory,
one audit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import wasmtime

from wasm_lab.abi.types import EXPORT_PREFIX
from wasm_lab.build.crate import crate_for
from wasm_lab.errors import LoadError
from wasm_lab.runtimes.wasmtime.host import define_calls
from wasm_lab.runtimes.wasmtime.sandbox import GuestStopped
from wasm_lab.wasi.missing import explain_missing
from wasm_lab.wasi.tables import MODULE, calls

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.runtimes.wasmtime.engine import GuestEngine, Loaded
    from wasm_lab.runtimes.wasmtime.sandbox import Sandbox

#: What a library may export to set itself up, the first that it has.
SETUPS = ("_initialize", "__wasm_call_ctors")

_HINT = "Each module has a memory of its own, so numbers cross, and addresses mean nothing on the other side."


@dataclass(frozen=True)
class _Part:
    """One module, and which export of which library each of its imports is."""

    artifact: Artifact
    loaded: Loaded
    taken: tuple[tuple[str, str, str], ...]  #: (library, name of the import, name of the export)


class Linked:
    """A module with its libraries, checked, ready to be instantiated.

    Raises:
        LoadError: an import has no counterpart, or one of another type.
    """

    def __init__(
        self, engine: GuestEngine, artifact: Artifact, loaded: Loaded, answered: frozenset[str]
    ) -> None:
        self.engine, self.answered = engine, answered
        self.parts: dict[str, _Part] = {}  #: by the library's name, those first that others use
        self._add_libraries(artifact)
        self.whole = self._part(artifact, loaded)

    @property
    def memories(self) -> int:
        """How many memories all of it has."""
        return self.whole.loaded.memories + sum(part.loaded.memories for part in self.parts.values())

    def _add_libraries(self, artifact: Artifact) -> None:
        for library in artifact.libraries:
            name = _name(library)
            if name not in self.parts:
                self._add_libraries(library)
                self.parts[name] = self._part(library, self.engine.load(library))

    def _part(self, artifact: Artifact, loaded: Loaded) -> _Part:
        taken, missing = [], []
        for item in loaded.module.imports:
            module, name = item.module, item.name or ""
            if module == MODULE and name in calls():
                continue
            library = self.parts.get(module)
            if library is None:
                missing.append((module, name))
                continue
            taken.append((module, name, _counterpart(artifact, library, name, item.type)))
        if missing:
            language = artifact.source.language if artifact.source else ""
            message, hint = explain_missing(artifact.label, missing, language=language)
            raise LoadError(message, hint=hint)
        return _Part(artifact, loaded, tuple(taken))

    def instantiate(self, sandbox: Sandbox) -> Any:
        """The instance of the whole in a store (a ``wasmtime_instance_t``), its libraries set up.

        Raises:
            GuestStopped: a start function or a library's set-up trapped.
        """
        store = sandbox.store
        instances: dict[str, wasmtime.Instance] = {}
        try:
            for name, part in self.parts.items():
                instances[name] = instance = self._instance(store, part, instances)
                exports = instance.exports(store)
                for setup in SETUPS:
                    if setup in part.loaded.exports:
                        function = exports[setup]
                        assert isinstance(function, wasmtime.Func)
                        function(store)
                        break
            return self._instance(store, self.whole, instances)._instance
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            raise GuestStopped(error) from None

    def _instance(
        self, store: wasmtime.Store, part: _Part, instances: dict[str, wasmtime.Instance]
    ) -> wasmtime.Instance:
        linker = wasmtime.Linker(self.engine.engine)
        linker.define_wasi()
        define_calls(linker, self.answered)
        for library, name, export in part.taken:
            linker.define(store, library, name, instances[library].exports(store)[export])
        return linker.instantiate(store, part.loaded.module)


def _name(library: Artifact) -> str:
    assert library.source is not None, "a library is a named cell"
    return library.source.name


def _counterpart(user: Artifact, library: _Part, name: str, wanted: Any) -> str:
    """The export that an import of that name stands for.

    Raises:
        LoadError: there is none, it is of another type, or it takes addresses.
    """
    label = _name(library.artifact)
    exports = {item.name: item.type for item in library.loaded.module.exports}
    found = next((each for each in (name, EXPORT_PREFIX + name) if each in exports), None)
    if found is None:
        assert library.artifact.source is not None
        known = (
            ", ".join(each.name for each in crate_for(library.artifact.source).functions) or "no functions"
        )
        raise LoadError(
            f"{user.label} imports {label}.{name}, and {label} exports no {name}.",
            hint=f"It exports {known}.",
        )
    given = exports[found]
    if not isinstance(wanted, wasmtime.FuncType) or not isinstance(given, wasmtime.FuncType):
        raise LoadError(f"{user.label} imports {label}.{name}, which is no function.", hint=_HINT)
    if _text(wanted) != _text(given):
        raise LoadError(
            f"{user.label} imports {label}.{name} as {_text(wanted)}, and {label} exports it as {_text(given)}.",
            hint=f"Declare it with the types that {label} has. {_HINT}",
        )
    address = _address(library.artifact, name, raw=found == name)
    if address:
        raise LoadError(
            f"{user.label} imports {label}.{name}, which takes {address}, an address.", hint=_HINT
        )
    return found


def _text(kind: wasmtime.FuncType) -> str:
    results = ", ".join(map(str, kind.results)) or "nothing"
    return f"({', '.join(map(str, kind.params))}) -> {results}"


def _address(library: Artifact, name: str, *, raw: bool) -> str:
    """The first parameter or result of a function that stands at an address; empty when all are numbers."""
    from wasm_lab.abi.types import direct

    assert library.source is not None
    signature = next((each for each in crate_for(library.source).functions if each.name == name), None)
    if signature is None or (raw and library.source.language == "rust"):
        return ""  # a function of the learner's own making, whose types are as they are
    for each in (*signature.parameters,):
        if direct(each.type) is None:
            return str(each.type)
    if signature.result.name != "unit" and direct(signature.result) is None:
        return f"{signature.result} as its result"
    return ""
