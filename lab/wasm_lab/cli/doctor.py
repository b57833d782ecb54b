"""``wasm-lab doctor``: what this machine has and lacks for the lab."""

from __future__ import annotations

import json
import sys

import click

from wasm_lab.cli.show import show_error
from wasm_lab.errors import ToolchainError

EXAMPLES = """\b
Examples:
  wasm-lab doctor
  wasm-lab doctor --fix
  wasm-lab doctor --json
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "--fix",
    is_flag=True,
    help="Install a Rust compiler with the Wasm targets, and a linker, where there is none.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def doctor(fix: bool, as_json: bool) -> int:
    """List each compiler, runtime and tool: found or not, what it is for, how to get it.

    Exit status 1 when something that the main job needs is missing.
    """
    from wasm_lab.toolchains.doctor import examine
    from wasm_lab.views.doctor import doctor_table
    from wasm_lab.views.plain import plain
    from wasm_lab.views.tables import print_table

    if fix:
        from wasm_lab.toolchains.host_linker import ensure_host_linker
        from wasm_lab.toolchains.install import ensure_rust

        def say(line: str) -> None:
            click.echo(line, err=True)

        try:
            ensure_host_linker(ensure_rust(progress=say), progress=say)
        except ToolchainError as error:
            show_error(error)  # and the table below says what else there is
    report = examine()
    if as_json:
        click.echo(json.dumps({"ok": report.ok, "rows": plain(report.rows)}, indent=2, ensure_ascii=False))
    else:
        print_table(doctor_table(report), sys.stdout)
    return 0 if report.ok else 1
