"""``wasm-lab wit``: contracts of components."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from wasm_lab.errors import WasmLabError

EXAMPLES = """\b
Examples:
  wasm-lab wit check calc.wit
  wasm-lab wit check wit/            a package, with what it depends on in wit/deps
  wasm-lab wit check --json a.wit b.wit
  wasm-lab wit show plugin.wasm      the contract inside a component
  wasm-lab wit show wit/             a package with all that it uses, as one text
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
            record |= {"right": False, "message": str(error), "hint": error.hint} | _place(error)
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


def _place(error: WasmLabError) -> dict[str, Any]:
    """The file, line and column of a mistake, counted from 1; null where it has none, as a missing file."""
    span = next((span for each in getattr(error, "diagnostics", ()) for span in each.spans), None)
    if span is None:
        return {"file": None, "line": None, "column": None}
    return {"file": span.label, "line": span.line, "column": span.column}


@wit.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
def show(file: Path) -> None:
    """Print the WIT of a component, or of a WIT text with all that it uses."""
    if file.is_dir() or file.suffix == ".wit":
        from wasm_lab.components.text import check_path

        click.echo(check_path(file).package.text.rstrip())
        return
    from wasm_lab.components import Component

    click.echo(str(Component.load(file).world).rstrip())
