"""The subcommands; each is a module of its own, imported when it is used."""

from __future__ import annotations

import importlib

import click

from wasm_lab._version import __version__
from wasm_lab.cli import INTERRUPTED

COMMANDS = {
    "run": "run:run",
    "test": "test:test",
    "build": "build:build",
    "inspect": "inspect:inspect",
    "bench": "bench:bench",
    "claims": "claims:claims",
    "loadtest": "loadtest:loadtest",
    "plugins": "plugins:plugins",
    "wit": "wit:wit",
    "spin": "spin:spin",
    "worker": "worker:worker",
    "kube": "kube:kube",
    "container": "container:container",
    "languages": "languages:languages",
    "exercises": "exercises:exercises",
    "grade": "grade:grade",
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


def run_commands() -> int:
    """Parse the command line and run what it names; gives the status to exit with."""
    try:
        status: int | None = cli.main(prog_name="wasm-lab", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return status or 0
