"""What the command line writes to standard error: errors and warnings."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from wasm_lab.errors import CompileError
from wasm_lab.views.colour import wants_colour

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.errors import WasmLabError


def show_error(error: WasmLabError) -> None:
    """What happened and what to do next, on standard error, in colour where that is wanted."""
    colour = wants_colour(sys.stderr)
    if isinstance(error, CompileError) and error.rendered:
        click.echo(error.rendered.rstrip(), err=True, color=colour)
    lead = click.style("error", fg="red", bold=True)
    click.echo(f"{lead}: {error.message}", err=True, color=colour)
    if error.hint:
        click.echo(error.hint, err=True)


def show_warnings(artifact: Artifact) -> None:
    """The compiler's warnings, in its own layout."""
    for warning in artifact.warnings:
        click.echo(f"{warning.rendered.rstrip()}\n", err=True, color=wants_colour(sys.stderr))
