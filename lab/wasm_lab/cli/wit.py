"""``wasm-lab wit``: contracts of components."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

EXAMPLES = """\b
Examples:
  wasm-lab wit check calc.wit
  wasm-lab wit check wit/            a package, with what it depends on in wit/deps
  wasm-lab wit check --json a.wit b.wit
  wasm-lab wit show plugin.wasm      the contract inside a component
"""


@click.group(epilog=EXAMPLES)
def wit() -> None:
    """Check WIT texts, and show the contract of a component."""


@wit.command(epilog=EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print one record for each path.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(paths: tuple[Path, ...], as_json: bool) -> int:
    """Check WIT files, or folders with one package each; exit status 1 when any is wrong."""
    from wasm_lab.components.text import check_path
    from wasm_lab.errors import WasmLabError

    records: list[dict[str, Any]] = []
    for path in paths:
        record: dict[str, Any] = {"path": str(path), "right": True}
        records.append(record)
        try:
            checked = check_path(path)
        except WasmLabError as error:
            record |= {"right": False, "message": str(error)}
            if not as_json:
                click.echo(str(error), err=True)
        else:
            record |= {"package": checked.id, "worlds": list(checked.worlds)}
            if not as_json:
                worlds = ", ".join(checked.worlds) or "none"
                click.echo(f"{path}: right (package {checked.id or 'without a name'}; worlds: {worlds})")
    if as_json:
        click.echo(json.dumps(records, indent=2))
    return 0 if all(record["right"] for record in records) else 1


@wit.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def show(file: Path) -> None:
    """Print the WIT of a component: what it imports and exports."""
    from wasm_lab.components import Component

    click.echo(str(Component.load(file).world).rstrip())
