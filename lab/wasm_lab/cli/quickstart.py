"""``wasm-lab quickstart``: the main job, from nothing to a page."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

EXAMPLES = """\b
Examples:
  wasm-lab quickstart
  wasm-lab quickstart --out /tmp/first-look
"""


@click.command(epilog=EXAMPLES)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out"),
    show_default=True,
    help="Where to write the notebook and the page.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def quickstart(out: Path, as_json: bool) -> int:
    """Run the quickstart notebook, print what it found and write it as a page."""
    from wasm_lab.chapters import chapter_path, execute_chapter
    from wasm_lab.toolchains.rust import find_rust
    from wasm_lab.views.plain import plain
    from wasm_lab.views.tables import duration

    rust = find_rust()  # says at once, in plain words, when there is no compiler
    notebook = chapter_path("00_quickstart")
    if not as_json:
        click.echo(f"Running {notebook.name} with {rust.version}.")
    run = execute_chapter(notebook, out)
    if as_json:
        click.echo(json.dumps(plain(run), indent=2, ensure_ascii=False))
        return 0
    click.echo(f"\nDone in {duration(run.duration_ns)}. What it found on this machine:\n")
    for finding in run.findings:
        click.echo("\n".join(f"  {line}" for line in finding.splitlines()))
    click.echo(f"\nThe notebook as a page: {run.page}")
    click.echo(f"To go on by hand: {Path(sys.executable).with_name('jupyter')} lab {notebook}")
    return 0
