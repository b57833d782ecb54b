"""``%%worker``: a Cloudflare Worker in a cell, at work in workerd."""

from __future__ import annotations

import builtins
import functools
import keyword
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError
from wasm_lab.magics.empty import refuse_empty_worker
from wasm_lab.magics.line import session

if TYPE_CHECKING:
    import click
    from IPython.core.interactiveshell import InteractiveShell

    from wasm_lab.artifact import Artifact
    from wasm_lab.scenarios.edge import LiveWorkers


def worker_command() -> click.Command:
    """The options of ``%%worker``."""
    import click

    from wasm_lab.options import worker_options

    @click.command("%%worker")
    @click.option(
        "--wasm",
        multiple=True,
        metavar="CELL",
        help="A cell that belongs to it even if the text does not import it; may be repeated.",
    )
    @worker_options
    @click.option("--quiet", is_flag=True, help="Show nothing when it has started.")
    @click.argument("name")
    def worker() -> None:
        """Start the Cloudflare Worker of this cell in workerd, and bind it to NAME.

        The cell is an ES module: export default { async fetch(request, env, ctx) { … } }.
        import { f } from "CELL" gives the functions of a %%wasm_rust --name CELL cell,
        import module from "./CELL.wasm" its WebAssembly.Module; files beside the notebook are
        imported by their paths.

        NAME.get("/path") and NAME.request("POST", "/path", headers, body) ask it, NAME.log is what it
        told on the console, NAME.kv("KV") looks into a namespace, NAME.stop() stops it. Running the cell
        again stops the earlier one; KV keeps what it holds until the kernel ends.
        """

    return worker


@functools.cache
def _workers() -> LiveWorkers:
    from wasm_lab.scenarios.edge import LiveWorkers

    return LiveWorkers()


def workers_using(cell: str) -> list[str]:
    """The running workers that import an earlier form of a cell."""
    return _workers().using(cell) if _workers.cache_info().currsize else []


def start(shell: InteractiveShell, text: str, options: dict[str, Any]) -> None:
    """Start the worker of a cell and bind it in the notebook; show where it answers."""
    from IPython.display import display

    from wasm_lab.options import bindings_from, worker_settings
    from wasm_lab.scenarios.edge import Worker
    from wasm_lab.views.worker import worker_stack

    name = options["name"]
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(f"{name!r} is no Python name.", hint="Such as %%worker shop.")
    if hasattr(builtins, name):
        raise UsageError(f"{name} is Python's own, and would be hidden.", hint="Choose another name.")
    refuse_empty_worker(text, name)
    folder = Path.cwd()
    worker = Worker.of(
        name,
        text,
        folder=folder,
        artifacts=_artifacts(),
        wasm=options["wasm"],
        bindings=bindings_from(options, folder),
        label=f"{name}.js (cell)",
        first_line=2,  # line 1 of the cell is the magic
        **worker_settings(options),
    )
    live = _workers().start(worker)
    shell.user_ns[name] = live
    if not options["quiet"]:
        display(worker_stack(live, name))


def _artifacts() -> dict[str, Artifact]:
    """Everything of this notebook that a worker may import, by name."""
    here = session()
    return {**here.guests, **{name: cell.artifact for name, cell in here.cells.items()}}
