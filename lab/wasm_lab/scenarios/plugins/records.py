"""What the host tells of plugins: how each one stands, and every call as it went."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from wasm_lab.components.pytypes import VariantBase

if TYPE_CHECKING:
    from pathlib import Path


class State(StrEnum):
    READY = "ready"
    KEPT = "kept"  #: its file was replaced by one that cannot be used; the one before it goes on
    REFUSED = "refused"  #: nothing of its file was ever usable


class Outcome(StrEnum):
    """How a call ended."""

    OK = "ok"
    FAILURE = "failure"  #: the plugin said itself that it could not: the ``err`` of its result
    TRAP = "trap"
    DEADLINE = "deadline"
    OUTPUT = "output"
    MEMORY = "memory"  #: a trap of which the guest said that it got no more memory
    EXIT = "exit"  #: it ended itself, as programs do
    USAGE = "usage"  #: the arguments do not fit the function; the plugin was not entered


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a plugin, as the audit lists it."""

    plugin: str
    generation: int  #: of the file: 1 for the first that was loaded, one more at each reload
    function: str
    outcome: Outcome
    why: str = ""  #: what went wrong, in words; empty when nothing did
    started_s: float  #: when, in seconds since 1970
    duration_ns: int  #: of the whole call, as whoever called it felt it
    instantiate_ns: int = 0  #: of that, for a fresh instance; 0 when one was at hand
    given_bytes: int = 0  #: bytes and text among the arguments
    got_bytes: int = 0  #: the same of the result
    log: tuple[tuple[str, str], ...] = ()  #: what the plugin logged: level and text
    refused: tuple[str, ...] = ()  #: what it asked its host for and did not get

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How a plugin stands."""

    name: str  #: of its file, without the ending
    path: Path
    state: State
    reason: str = ""  #: why it is refused, or why its new file is
    generation: int = 0
    sha256: str = ""  #: of the file that is in use
    size_bytes: int = 0
    description: dict[str, Any] | None = None  #: what the plugin says of itself; nothing rests on it
    imports: tuple[str, ...] = ()  #: interfaces that it asks for
    calls: int = 0
    failed: int = 0  #: of them, those that cost an instance
    instances: int = 0  #: alive and waiting for work

    @property
    def usable(self) -> bool:
        return self.state is not State.REFUSED


@dataclass(frozen=True, slots=True)
class Text:
    """The case ``text`` of a ``content`` of this lab's own contract."""

    value: str


@dataclass(frozen=True, slots=True)
class Binary:
    """The case ``binary``."""

    value: bytes


def measured_bytes(value: object) -> int:
    """The bytes and text in a value, at any depth of lists, tuples and variants; all else counts nothing.

    Example:
        >>> measured_bytes((Binary(b"abc"), [("width", "10")]))
        10
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        return len(value)
    if isinstance(value, str):
        return len(value)
    if isinstance(value, (list, tuple)):
        return sum(measured_bytes(each) for each in value)
    if isinstance(value, (Text, Binary, VariantBase)):
        return measured_bytes(getattr(value, "value", None))
    return 0
