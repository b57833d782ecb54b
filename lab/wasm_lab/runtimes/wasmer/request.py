"""What is asked of the worker, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.run import TrapInfo
    from wasm_lab.runtimes.workers.modules import Sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Run a module."""

    module: Sent
    capabilities: Capabilities
    program: str  #: argument 0, of characters that wasmer takes
    cache: str  #: the folder for machine code
    announce: bool  #: say ``("starting",)`` when all is read and the guest's time begins


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it; most of the output went ahead."""

    exit_status: int | None
    trap: TrapInfo | None
    run_ns: int
    seen: bool  #: whether this process ran the same module before
    retire: bool  #: whether this process must not be asked again
    output: list[tuple[str, bytes]] = field(default_factory=list)  #: what was not told yet
