"""The ``wasm-lab`` command: each subcommand is a module of its own, imported when it is used."""

from __future__ import annotations

import gc
import importlib
import sys
from typing import NoReturn

import click

from wasm_lab._version import __version__
from wasm_lab.cli.show import show_error
from wasm_lab.errors import DeadlineExceeded, GuestTrap, UsageError, WasmLabError

#: Exit status after an interrupt: 128 plus the number of SIGINT, as shells have it.
INTERRUPTED = 130
FAILED = 1
USAGE = 2

COMMANDS = {
    "run": "run:run",
    "test": "test:test",
    "build": "build:build",
    "inspect": "inspect:inspect",
    "doctor": "doctor:doctor",
    "cache": "cache:cache",
    "quickstart": "quickstart:quickstart",
}


class LazyGroup(click.Group):
    """A group that imports a subcommand only to run it or to list it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(f"wasm_lab.cli.{module}"), attribute)
        return command


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog='Tab completion for bash: eval "$(_WASM_LAB_COMPLETE=bash_source wasm-lab)" (zsh, fish alike).',
)
@click.version_option(__version__, prog_name="wasm-lab")
def cli() -> None:
    """Test what is claimed of Rust and WebAssembly by running it."""


def main() -> NoReturn:
    """Run the command line; errors of the lab are shown without a traceback.

    Exit status: the guest's own where one ran, 134 for a trap, 124 for a deadline,
    1 for an error, 2 for wrong usage, 130 after an interrupt.
    """
    # Start-up makes many objects and no garbage; looking for some meanwhile takes a tenth of it.
    gc.set_threshold(100_000)
    try:
        status = cli.main(prog_name="wasm-lab", standalone_mode=False)
    except click.exceptions.Abort:
        status = INTERRUPTED
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        status = INTERRUPTED
    except WasmLabError as error:
        show_error(error)
        status = _status_of(error)
    sys.exit(status)


def _status_of(error: WasmLabError) -> int:
    """The status to exit with for an error: a guest's trap as ``wasm-lab run`` reports one."""
    if isinstance(error, GuestTrap):
        from wasm_lab.cli.run import TIMED_OUT, TRAPPED

        return TIMED_OUT if isinstance(error, DeadlineExceeded) else TRAPPED
    return USAGE if isinstance(error, UsageError) else FAILED
