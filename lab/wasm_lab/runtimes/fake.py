"""A runtime that runs nothing: what it is told to answer, at once, for tests of what stands above."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from wasm_lab.capabilities import Capabilities
from wasm_lab.errors import LoadError
from wasm_lab.run import Phase, Run
from wasm_lab.runtimes.base import Enforcement, Instance, Runtime

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.run import HostCall
    from wasm_lab.runtimes.base import OutputSink, RawFunction

#: Answers a command: takes the artifact and its capabilities, gives what came of it.
Program = Callable[["Artifact", Capabilities], Run]


def finished(**fields: Any) -> Run:
    """A Run that ended well, but for the fields given.

    Example:
        >>> finished(stdout=b"hi\\n", exit_status=3).ok
        False
    """
    ended = Run(
        label="fake", runtime="fake", runtime_version="1.0", exit_status=0, phases_ns={Phase.RUN: 1000}
    )
    return replace(ended, **fields)


@dataclass
class FakeRuntime(Runtime):
    """Answers each run by a Python function, and instantiates Python functions.

    Example:
        >>> from wasm_lab.artifact import Artifact
        >>> runtime = FakeRuntime(program=lambda artifact, capabilities: finished(stdout=b"hi"))
        >>> runtime.run(Artifact(wasm=b"", label="x"), Capabilities()).stdout
        b'hi'
        >>> [capabilities.args for _, capabilities in runtime.runs]
        [()]
    """

    program: Program = field(default=lambda artifact, capabilities: finished(label=artifact.label))
    functions: dict[str, RawFunction] = field(default_factory=dict)
    cannot: tuple[str, ...] = ("hosts",)  #: what it says it cannot enforce
    runs: list[tuple[Artifact, Capabilities]] = field(default_factory=list)  #: what it was asked to run
    name: str = "fake"

    @property
    def version(self) -> str:
        return "1.0"

    def enforces(self) -> dict[str, Enforcement]:
        names = (*Capabilities.__dataclass_fields__, "audit")
        return {name: Enforcement.NO if name in self.cannot else Enforcement.NATIVE for name in names}

    def run(
        self,
        artifact: Artifact,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> Run:
        self.check(capabilities, audit=audit)
        self.runs.append((artifact, capabilities))
        result = self.program(artifact, capabilities)
        for name, data in (("stdout", result.stdout), ("stderr", result.stderr)):
            if output is not None and data:
                output(name, data)
        return result if audit else replace(result, audit=None)

    def instantiate(
        self,
        artifact: Artifact,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> FakeInstance:
        del artifact, output
        self.check(capabilities, audit=audit)
        return FakeInstance(self.functions)


@dataclass
class FakeInstance(Instance):
    """Python functions and a page of memory. Set ``poisoned`` to have it refuse calls."""

    functions: dict[str, RawFunction]
    memory: bytearray = field(default_factory=lambda: bytearray(65536))
    poisoned: str = ""
    audit: tuple[HostCall, ...] = ()

    def function(self, name: str) -> RawFunction:
        try:
            return self.functions[name]
        except KeyError:
            raise LoadError(f"The module exports no function {name!r}.") from None

    def read(self, address: int, size_bytes: int) -> bytes:
        return self.view(address, size_bytes).tobytes()

    def view(self, address: int, size_bytes: int) -> memoryview:
        if address < 0 or size_bytes < 0 or address + size_bytes > len(self.memory):
            raise LoadError(f"{size_bytes} bytes at {address} are outside the guest's memory.")
        return memoryview(self.memory)[address : address + size_bytes]

    @property
    def linear_memory_bytes(self) -> int:
        return len(self.memory)

    def take_audit(self) -> tuple[HostCall, ...]:
        taken, self.audit = self.audit, ()
        return taken
