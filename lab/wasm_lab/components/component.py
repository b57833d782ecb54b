"""Components: loaded once, linked once, instantiated often."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.artifact import Artifact
from wasm_lab.capabilities import Capabilities
from wasm_lab.components.wit import read_world
from wasm_lab.errors import LoadError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from wasm_lab.components.instance import ComponentInstance
    from wasm_lab.components.nouns import World
    from wasm_lab.components.pytypes import PythonTypes
    from wasm_lab.runtimes.base import OutputSink


class Component:
    """A component whose WIT is known. Nothing of it has run.

    Example:
        >>> component = Component.load("math.wasm")  # doctest: +SKIP
        >>> with component.instantiate() as instance:  # doctest: +SKIP
        ...     instance.add(1, 2)
        3
    """

    def __init__(self, artifact: Artifact, world: World) -> None:
        self.artifact = artifact
        self.world = world
        self._types: PythonTypes | None = None
        self._lock = threading.Lock()

    @classmethod
    def load(cls, source: str | os.PathLike[str] | bytes | Artifact, *, label: str = "") -> Component:
        """Read a component's WIT.

        Args:
            source: the path of the file, its bytes, or an artifact.
            label: what messages call it; by default the file's name.

        Raises:
            LoadError: there is no such file, or it is no component.
        """
        artifact = _artifact(source, label)
        if not artifact.is_component:
            kind = "a core module" if artifact.wasm[:4] == b"\0asm" else "no WebAssembly"
            raise LoadError(
                f"{artifact.label} is {kind}, and only a component has interfaces.",
                hint="Build it for wasm32-wasip2, or make it one with wasm-tools component new.",
            )
        sha256 = artifact.template.sha256 if artifact.template else artifact.sha256  # of the same interfaces
        return cls(artifact, read_world(artifact.wasm, artifact.label, sha256=sha256))

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.artifact.label

    @property
    def types(self) -> PythonTypes:
        """Its Python classes, the same for every link and instance."""
        with self._lock:
            if self._types is None:
                from wasm_lab.components.pytypes import PythonTypes

                self._types = PythonTypes()
            return self._types

    def link(
        self,
        imports: Mapping[str, Any] | None = None,
        *,
        capabilities: Capabilities | None = None,
        pooled: bool = False,
    ) -> Prepared:
        """Find everything that the component imports, once for many instances.

        Args:
            imports: interface (with or without ``@version``) to the object that implements it, or the
                name of a function of the world to the function. WASI 0.2 that is not here is native.
            capabilities: what an instance may touch and use.
            pooled: instances take memories over from one another, for a server that makes very many;
                only so many live at the same time (`wasm_lab.runtimes.wasmtime.pool`).

        Raises:
            InterfaceError: something is missing or does not fit; the message says which function.
            UnsupportedError: it needs WASI 0.3.
            LoadError: the engine refuses it.
        """
        from wasm_lab.components.linking import link

        return link(self, imports or {}, capabilities or Capabilities(), pooled=pooled)

    def instantiate(
        self,
        imports: Mapping[str, Any] | None = None,
        *,
        capabilities: Capabilities | None = None,
        data: Any = None,
        output: OutputSink | None = None,
    ) -> ComponentInstance:
        """`link`, and one instance of it; see `Prepared.instantiate`."""
        return self.link(imports, capabilities=capabilities).instantiate(data=data, output=output)

    def __repr__(self) -> str:
        imports, exports = ", ".join(self.world.imports), ", ".join(self.world.exports)
        return f"<component {self.label}: imports {imports or 'nothing'}; exports {exports or 'nothing'}>"


class Prepared:
    """A component whose imports are found. `instantiate` is safe in any thread."""

    def __init__(self, component: Component, capabilities: Capabilities, parts: Any) -> None:
        self.component = component
        self.capabilities = capabilities
        self._parts = parts
        self._surface = parts.surface
        self._component_at: int = parts.component_at

    def instantiate(self, *, data: Any = None, output: OutputSink | None = None) -> ComponentInstance:
        """A fresh instance, with memory of its own.

        Args:
            data: anything; host functions see it as ``current.data``.
            output: called with ``"stdout"`` or ``"stderr"`` and bytes, while the guest writes through
                native WASI.

        Raises:
            GuestTrap: it trapped while it was set up.
        """
        instance: ComponentInstance = self._parts.instantiate(self, data, output)
        return instance


def _artifact(source: str | os.PathLike[str] | bytes | Artifact, label: str) -> Artifact:
    if isinstance(source, Artifact):
        return source
    if isinstance(source, (bytes, bytearray)):
        return Artifact(wasm=bytes(source), label=label or "the component")
    path = Path(source)
    try:
        return Artifact(wasm=path.read_bytes(), label=label or path.name)
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror}.") from None
