"""The one interface of every runtime, and what a runtime says that it can enforce."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from wasm_lab.errors import DeadlineExceeded, FuelExhausted, GuestTrap, OutputExceeded, UnsupportedError
from wasm_lab.run import TrapKind

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.run import HostCall, Run

#: Receives output as it comes: ``"stdout"`` or ``"stderr"``, and the bytes.
OutputSink = Callable[[str, bytes], None]


#: The exception for each limit that a guest can run into; any other trap is a GuestTrap.
LIMIT_ERRORS: dict[TrapKind, type[GuestTrap]] = {
    TrapKind.DEADLINE: DeadlineExceeded,
    TrapKind.OUTPUT: OutputExceeded,
    TrapKind.FUEL: FuelExhausted,
}


class Enforcement(StrEnum):
    """How a runtime keeps a guest to a capability."""

    NATIVE = "natively"
    REWRITTEN = "by rewriting imports"
    WALL = "by a wall around its process"  #: the kernel refuses, whatever the engine lets through
    NO = "not at all"


@functools.cache
def _default(field: str) -> Any:
    from wasm_lab.capabilities import Capabilities

    return getattr(Capabilities(), field)


class RawFunction(Protocol):
    """An exported function, called with and returning plain Wasm numbers.

    i32 and i64 go in as signed or unsigned and come out signed. Raises GuestTrap
    (with its kind) when the guest traps and PoisonedError after that, and
    KeyboardInterrupt when the user interrupts.
    """

    def __call__(self, *args: int | float) -> int | float | None: ...


class Instance(ABC):
    """A live module with its state. A trap poisons it; whoever made it makes a new one."""

    @property
    @abstractmethod
    def poisoned(self) -> str:
        """Why no call is possible any more; empty while calls are possible."""

    @abstractmethod
    def function(self, name: str) -> RawFunction:
        """The exported function ``name``. Raises LoadError when there is none."""

    @abstractmethod
    def read(self, address: int, size_bytes: int) -> bytes:
        """A copy of linear memory. Raises LoadError when it is out of bounds."""

    @abstractmethod
    def view(self, address: int, size_bytes: int) -> memoryview:
        """Linear memory itself, writable (format ``B``), valid until the next call into the guest."""

    @property
    @abstractmethod
    def linear_memory_bytes(self) -> int: ...

    @abstractmethod
    def take_audit(self) -> tuple[HostCall, ...]:
        """The host calls since the last time, when the audit was asked for; else empty."""


class Runtime(ABC):
    """An engine that runs artifacts. Stateless from outside; safe to share."""

    name: str
    links_modules = False  #: whether a module may call functions of other modules here

    @property
    @abstractmethod
    def version(self) -> str: ...

    @abstractmethod
    def enforces(self) -> dict[str, Enforcement]:
        """Each field of Capabilities (and ``audit``) to how this runtime enforces it."""

    def missing(self) -> str:
        """Why this runtime cannot be used here, and how to get it; empty when it can.

        A sentence for the reason and one for the way to get it, such as
        ``"wasmer-sdk is not installed. Get it with pip install 'wasm-lab[wasmer]'."``
        """
        return ""

    def check(self, capabilities: Capabilities, *, audit: bool = False) -> None:
        """Refuse what this runtime cannot enforce, or all of it where the runtime itself is missing.

        Raises:
            UnsupportedError: the runtime is missing here, or, naming the first of them, a
                capability cannot be enforced.
        """
        if absent := self.missing():
            raise UnsupportedError(f"{self.name} cannot be used here.", hint=absent)
        for name, how in self.enforces().items():
            if how is Enforcement.NO:
                asked = audit if name == "audit" else getattr(capabilities, name) != _default(name)
                if asked:
                    raise UnsupportedError(
                        f"{self.name} cannot enforce {name}, so it does not run this.",
                        hint="Choose another runtime, or leave that option out.",
                    )

    def check_libraries(self, artifact: Artifact) -> None:
        """Refuse a module that calls others where that is not possible.

        Raises:
            UnsupportedError: naming the cells whose functions it imports.
        """
        if artifact.libraries and not self.links_modules:
            names = ", ".join(each.source.name for each in artifact.libraries if each.source)
            raise UnsupportedError(
                f"{artifact.label} calls functions of {names}, and {self.name} here runs a module alone.",
                hint="Run it in wasmtime, which links modules to each other.",
            )

    @abstractmethod
    def run(
        self,
        artifact: Artifact,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> Run:
        """Execute a command from a fresh instance and return what happened.

        A trap, a deadline or a non-zero exit is a Run, not an exception. ``output``
        receives stdout and stderr while the guest runs; the Run has them whole.

        Raises:
            LoadError: the artifact is no command that this runtime can load.
            UnsupportedError: a capability cannot be enforced.
            KeyboardInterrupt: the user interrupted; the guest has been stopped.
        """

    @abstractmethod
    def instantiate(
        self,
        artifact: Artifact,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> Instance:
        """A live instance of a library artifact (``_initialize`` already called).

        Raises:
            LoadError, UnsupportedError: as for `run`.
        """
