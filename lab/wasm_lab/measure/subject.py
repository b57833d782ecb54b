"""What can be timed: a subject, and a probe of it in a fresh process.

Everything that is measured stands behind these two, so that sampling and statistics know no
runtime. Rooms above implement them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from wasm_lab.run import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How long ``count`` repetitions took together, by the probe's own clock, in nanoseconds."""

    duration_ns: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a subject gives for the workload's input: compared before anything is timed.

    ``value`` is a function's result as a Python value; a command has ``stdout`` and ``exit_status``.
    """

    value: Any = None
    stdout: bytes = b""
    exit_status: int = 0


class Probe(Protocol):
    """One fresh process in which one subject is timed. Closing it kills the process.

    Any call raises ProbeError when the process died or passed its deadline; what it said is in it.
    """

    @property
    def pid(self) -> int: ...

    @property
    def resolution_ns(self) -> int:
        """The step that the probe's clock shows, the clock's own cost included, in nanoseconds.

        A batch that lasts a thousand of them is read to 0.1 %.
        """
        ...

    def time(self, phase: Phase, count: int) -> Batch:
        """Do ``phase`` ``count`` times over and say how long that took.

        One-off phases (compile, first call) are done anew each time: COMPILE with nothing cached,
        LOAD from machine code already made, INSTANTIATE a further instance, FIRST_CALL of a fresh
        instance, CALL in an instance that has been called, TEARDOWN of an instance.
        """
        ...

    def weigh(self) -> dict[str, int]:
        """Sizes in bytes by kind, as they are now: ``linear memory``, ``RSS``, ``PSS`` …"""
        ...

    def idle(self, count: int) -> None:
        """Keep ``count`` further instances alive, doing nothing, until it is closed; `weigh` counts them in.

        Raises UnsupportedError if it cannot.
        """
        ...

    def close(self) -> None: ...


class Subject(Protocol):
    """One way to do a workload: an engine, a language, and the code prepared for it."""

    @property
    def name(self) -> str:
        """As a chart names it; unique in a plan."""
        ...

    @property
    def workload(self) -> str: ...
    @property
    def input(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def runtime(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def guards(self) -> str: ...
    @property
    def phases(self) -> frozenset[Phase]:
        """The phases that can be told apart here."""
        ...

    def answer(self) -> Answer:
        """The result for the input, for comparison with the other subjects'."""
        ...

    def start(self) -> Probe:
        """A fresh process, ready: code loaded, nothing called yet."""
        ...
