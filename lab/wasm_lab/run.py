"""Run: one execution of a command, and the records that it is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame of a guest's backtrace; file and line where debug information allows."""

    function: str  #: demangled
    file: str = ""
    line: int = 0
    column: int = 0
    offset: int = 0  #: in the module's code, in bytes

    def __str__(self) -> str:
        # A crate's own path is enough of it: where cargo keeps the crate says nothing.
        file = self.file.rpartition("/registry/src/")[2].partition("/")[2] or self.file
        column = f":{self.column}" if self.column else ""  # Python's tracebacks tell none
        place = f" at {file}:{self.line}{column}" if file else ""
        return f"{self.function}{place}"


class TrapKind(StrEnum):
    """Why a guest was stopped, in the words of the WebAssembly specification where it has them."""

    PANIC = "panic"
    UNREACHABLE = "unreachable"
    OUT_OF_BOUNDS = "out of bounds memory access"
    STACK_OVERFLOW = "call stack exhausted"
    DIVIDE_BY_ZERO = "integer divide by zero"
    INTEGER_OVERFLOW = "integer overflow"
    BAD_CONVERSION = "invalid conversion to integer"
    INDIRECT_CALL = "bad indirect call"
    TABLE = "out of bounds table access"
    ALLOCATION = "memory limit reached"
    DEADLINE = "deadline exceeded"
    OUTPUT = "output limit exceeded"
    FUEL = "all fuel consumed"
    HOST = "host call failed"
    OTHER = "trap"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrapInfo:
    """What stopped a guest: the kind, what it said, and where it was."""

    kind: TrapKind
    message: str  #: the panic's own message, or the engine's
    frames: tuple[Frame, ...] = ()  #: innermost first, without the runtime's own frames

    def __str__(self) -> str:
        lead = "panicked" if self.kind is TrapKind.PANIC else "stopped"
        reason = self.message if self.message != self.kind.value else ""
        kind = "" if self.kind is TrapKind.PANIC else f": {self.kind.value}"
        first = f"The guest {lead}{kind}{': ' if reason else ''}{reason}"
        return "\n".join([first, *(f"  in {frame}" for frame in self.frames)])


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCall:
    """One call from the guest to its host, as the audit lists it."""

    name: str  #: such as ``path_open``
    arguments: dict[str, Any]  #: decoded: paths as text, flags as names
    result: str  #: the decoded result, or the name of the errno such as ``notcapable``
    allowed: bool  #: False when a capability refused it
    capability: str = ""  #: which capability decided, such as ``dirs``; empty when none is needed
    flag: str = ""  #: the flag that would allow a refused call
    started_ns: int = 0  #: since the start of the run
    duration_ns: int = 0

    @property
    def explanation(self) -> str:
        """One sentence on a refused call, with the flag that would allow it; else empty."""
        if self.allowed:
            return ""
        if self.name == "fd_prestat_get":
            return f"The program asked for a file, and no folder is open to it; open one with {self.flag}."
        subject = next((str(value) for key, value in self.arguments.items() if key == "path"), "")
        what = f"{self.name} of {subject!r}" if subject else self.name
        mend = f"; allow it with {self.flag}" if self.flag else ""
        return f"{what} was refused: the guest has no {self.capability} capability for it{mend}."


class Phase(StrEnum):
    """The parts of an execution, in their order."""

    COMPILE = "compile"  #: from Wasm to machine code
    LOAD = "load"  #: machine code from the cache
    INSTANTIATE = "instantiate"
    RUN = "run"  #: a command's ``_start``
    FIRST_CALL = "first call"  #: of a function, in a fresh instance
    CALL = "steady call"  #: of a function, once it is warm
    TEARDOWN = "teardown"
    PROCESS = "whole process"  #: from its start to its end


@dataclass(frozen=True, kw_only=True)
class Run:
    """One execution of a command.

    ``exit_status`` is None when the guest trapped; then ``trap`` says why.
    """

    label: str
    runtime: str
    runtime_version: str
    exit_status: int | None
    trap: TrapInfo | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    phases_ns: dict[Phase, int] = field(default_factory=dict)
    linear_memory_bytes: int = 0  #: at the end, which is the peak: Wasm memory never shrinks
    fuel_used: int | None = None  #: None unless fuel was asked for
    audit: tuple[HostCall, ...] | None = None  #: None unless the audit was asked for
    denied: tuple[HostCall, ...] = ()  #: refused calls that are known without an audit
    module_sha256: str = ""
    code_cached: bool = False  #: whether machine code came from the cache

    @property
    def ok(self) -> bool:
        return self.exit_status == 0

    @property
    def refused(self) -> tuple[HostCall, ...]:
        """The host calls that a capability refused, as far as they are known."""
        audited = tuple(call for call in self.audit or () if not call.allowed)
        known = {(call.name, call.arguments.get("path")) for call in audited}
        beyond = (call for call in self.denied if (call.name, call.arguments.get("path")) not in known)
        return (*audited, *beyond)
