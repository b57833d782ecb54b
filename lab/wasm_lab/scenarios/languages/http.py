"""How each runtime speaks HTTP, seen by asking a server that runs in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.artifact import Artifact
from wasm_lab.errors import WasmLabError
from wasm_lab.scenarios.loadtest.api import check
from wasm_lab.scenarios.loadtest.cores import share_cores
from wasm_lab.scenarios.loadtest.server import Server, guarded
from wasm_lab.scenarios.loadtest.stacks import chosen
from wasm_lab.scenarios.loadtest.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Stacks of the load test whose guest is Wasm.
WASM_STACKS = ("wasmtime", "spin", "wasmedge")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSeen:
    """What one runtime showed."""

    name: str
    title: str
    answers: bool | None  #: whether every request got its right answer; None when it could not be tried
    #: What of the outside world the guest asks for to be reached: an interface of HTTP, or calls of sockets,
    #: with which it brings an HTTP server of its own.
    imports: tuple[str, ...] = ()
    why: str = ""  #: why it could not be tried

    @property
    def host_speaks_http(self) -> bool:
        """Whether the runtime hands requests to the guest, rather than bytes of a socket."""
        return any("http" in each for each in self.imports)


def http_seen(
    names: tuple[str, ...] = WASM_STACKS, *, say: Callable[[str], None] | None = None
) -> list[HttpSeen]:
    """Start a server in each runtime and compare its answers with those of the load test.

    Args:
        names: of stacks of the load test. They are built on first use, which takes minutes.
        say: told what is done now.
    """
    seen = []
    cores = share_cores()
    with guarded() as guard:
        for stack in chosen(names):
            why = stack.missing()
            if why:
                seen.append(HttpSeen(name=stack.name, title=stack.title, answers=None, why=why))
                continue
            if say:
                say(f"HTTP in {stack.title}")
            try:
                prepared = stack.prepare(Workshop())
                imports = _imports(prepared.deployed[0])
                with Server(stack, prepared, cores, guard) as server:
                    check(stack.title, server.port)
            except WasmLabError as error:
                seen.append(HttpSeen(name=stack.name, title=stack.title, answers=False, why=str(error)))
            else:
                seen.append(HttpSeen(name=stack.name, title=stack.title, answers=True, imports=imports))
    return seen


def _imports(path: Path) -> tuple[str, ...]:
    """What of HTTP or sockets a module or component imports or gives."""
    if path.suffix != ".wasm":
        return ()
    artifact = Artifact(wasm=path.read_bytes(), label=path.name)
    if not artifact.is_component:
        import wasmtime

        module = wasmtime.Module(wasmtime.Engine(), artifact.wasm)
        return tuple(
            f"{one.module} {one.name}" for one in module.imports if (one.name or "").startswith("sock_")
        )
    from wasm_lab.components.wit import read_world

    world = read_world(artifact.wasm, artifact.label)
    return tuple(name for name in (*world.imports, *world.exports) if "http" in name or "sockets" in name)
