"""The stacks: which there are, what each needs, and how each is made ready."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from wasm_lab.scenarios.loadtest.workshop import Workshop


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A stack that is ready to be started."""

    command: tuple[str, ...]  #: where a word has ``{port}``, the port is put
    version: str  #: of the runtime, or of the language where there is none
    deployed: tuple[Path, ...]  #: the files and folders that are brought to a server
    folder: Path  #: the working folder of its process
    environment: Mapping[str, str] = field(default_factory=dict)  #: on top of a plain one

    @property
    def deployed_bytes(self) -> int:
        """Sizes of all files that are deployed, together."""
        files = [file for path in self.deployed for file in (path.rglob("*") if path.is_dir() else [path])]
        return sum(file.stat().st_size for file in files if file.is_file() and not file.is_symlink())


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One way to serve the API."""

    name: str  #: by which it is asked for
    title: str  #: as tables and charts name it
    language: str
    runtime: str
    handled: str  #: in what each request is handled, which decides what a fault or a leak can reach
    where: str  #: the module of this room that has its ``missing`` and ``prepare``

    def missing(self) -> str:
        """Why it cannot be measured here and how to get what it needs; empty when it can."""
        why: Callable[[str], str] = getattr(import_module(self.where), "missing")  # noqa: B009
        return why(self.name)

    def prepare(self, workshop: Workshop) -> Prepared:
        """Build it, or take what was built before.

        Raises:
            WasmLabError: it could not be built; says why.
        """
        make: Callable[[str, Workshop], Prepared] = getattr(import_module(self.where), "prepare")  # noqa: B009
        return make(self.name, workshop)


_ONE_PROCESS = "one process for all requests"
_HERE = __name__.rpartition(".")[0]

STACKS = (
    Stack(
        name="node",
        title="Node + Express",
        language="javascript",
        runtime="node",
        handled=_ONE_PROCESS,
        where=f"{_HERE}.node",
    ),
    Stack(
        name="go",
        title="Go net/http",
        language="go",
        runtime="native",
        handled=_ONE_PROCESS,
        where=f"{_HERE}.go",
    ),
    Stack(
        name="actix",
        title="Rust Actix",
        language="rust",
        runtime="native",
        handled=_ONE_PROCESS,
        where=f"{_HERE}.cargo",
    ),
    Stack(
        name="spin",
        title="Wasm, embedded Spin host",
        language="rust",
        runtime="wasm-lab spin",
        handled="a fresh instance for each request",
        where=f"{_HERE}.component",
    ),
    Stack(
        name="wasmtime",
        title="Wasm, wasmtime serve",
        language="rust",
        runtime="wasmtime",
        handled="a fresh instance for each request",
        where=f"{_HERE}.component",
    ),
    Stack(
        name="wasmedge",
        title="Wasm, WasmEdge",
        language="rust",
        runtime="wasmedge",
        handled="one instance for all requests",
        where=f"{_HERE}.cargo",
    ),
)


def chosen(names: tuple[str, ...] = ()) -> tuple[Stack, ...]:
    """The stacks of these names, in the order of the table; without names, all of them.

    Raises:
        UsageError: there is no such stack.

    Example:
        >>> [stack.name for stack in chosen(("go", "node"))]
        ['node', 'go']
    """
    known = [stack.name for stack in STACKS]
    for name in names:
        if name not in known:
            raise UsageError(f"There is no stack {name!r}.", hint=f"There are {', '.join(known)}.")
    return tuple(stack for stack in STACKS if not names or stack.name in names)
