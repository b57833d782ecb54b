"""``%%spin_app``: a ``spin.toml`` in a cell, and the application at work."""

from __future__ import annotations

import builtins
import functools
import keyword
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import ManifestError, UsageError
from wasm_lab.magics.empty import refuse_empty_app
from wasm_lab.magics.line import session

if TYPE_CHECKING:
    import click
    from IPython.core.interactiveshell import InteractiveShell

    from wasm_lab.scenarios.spin.live import LiveApps


def spin_app_command() -> click.Command:
    """The options of ``%%spin_app``."""
    import click

    @click.command("%%spin_app")
    @click.option(
        "--variable",
        "variables",
        multiple=True,
        metavar="NAME=VALUE",
        help="The value of an application variable; may be repeated. {x} is a Python value.",
    )
    @click.option(
        "--serve",
        is_flag=True,
        help="Serve it at a port of this machine too, for a browser or another program.",
    )
    @click.option("--timeout", metavar="TIME", help="The longest that a request may take.  [default: 30s]")
    @click.option("--memory", metavar="SIZE", help="The most memory of an instance.  [default: 256MiB]")
    @click.option(
        "--runtime-config-file",
        "runtime_config",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Spin's runtime configuration: stores, databases, models.",
    )
    @click.option("--quiet", is_flag=True, help="Show neither the routes nor what components print.")
    @click.argument("name")
    def spin_app() -> None:
        """Start the Spin application of this spin.toml, and bind it to NAME.

        A component's source is a %%wasm_rust --name CELL cell, as source = "CELL.wasm", or a
        file; relative paths start from the notebook's folder. NAME.get("/path") sends a request,
        NAME.log is what the components printed, NAME.stop() stops it.
        Running the cell again stops the earlier one; stores keep what they hold until the kernel ends.

        It runs inside the kernel, and NAME.get reaches it without a socket; with --serve it also has
        a port, at NAME.url. For many requests at once use wasm-lab spin up, which has a process for each core.
        """

    return spin_app


@functools.cache
def _apps() -> LiveApps:
    from wasm_lab.scenarios.spin.live import LiveApps

    return LiveApps()


def apps_using(cell: str) -> list[str]:
    """The running applications that have an earlier form of a cell as a component."""
    return _apps().using(cell) if _apps.cache_info().currsize else []


def start(shell: InteractiveShell, text: str, options: dict[str, Any]) -> None:
    """Start the application of a cell and bind it in the notebook; show its routes."""
    from IPython.display import display

    from wasm_lab.scenarios.spin.variables import given_variables
    from wasm_lab.views.spin_app import app_stack, problems_text

    name = options["name"]
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(f"{name!r} is no Python name.", hint="Such as %%spin_app shop.")
    if hasattr(builtins, name):
        raise UsageError(f"{name} is Python's own, and would be hidden.", hint="Choose another name.")
    refuse_empty_app(text, name)
    folder = Path.cwd()
    try:
        app = _apps().start(
            name,
            f"\n{text}",  # line 1 of the cell is the magic
            folder=folder,
            guests=session().guests,
            serve=options["serve"],
            say=lambda text: print(text, file=sys.stderr),  # noqa: T201
            variables=given_variables(options["variables"], folder),
            **_settings(options),
        )
    except ManifestError as error:
        message = f"%%spin_app {name}: {problems_text(error.problems, text, label='cell', first_line=2)}"
        raise ManifestError(message, problems=error.problems, hint=error.hint) from None
    shell.user_ns[name] = app
    if not options["quiet"]:
        display(app_stack(app, name))


def _settings(options: dict[str, Any]) -> dict[str, Any]:
    from dataclasses import replace

    from wasm_lab import capabilities
    from wasm_lab.scenarios.spin.host.limits import Limits
    from wasm_lab.scenarios.spin.runtime_config import load_runtime_config

    limits = Limits()
    if options["timeout"] is not None:
        seconds = capabilities.parse_duration(options["timeout"])
        if seconds is None:
            raise UsageError("A request cannot take for ever.", hint="Such as --timeout 5m.")
        limits = replace(limits, deadline_s=seconds)
    if options["memory"] is not None:
        size = capabilities.parse_size(options["memory"])
        if size is None:
            raise UsageError("An instance cannot have all memory.", hint="Such as --memory 2GiB.")
        limits = replace(limits, memory_bytes=size)
    file = options["runtime_config"]
    return {
        "limits": limits,
        "runtime": None if file is None else load_runtime_config(file),
        "quiet": options["quiet"],
    }
