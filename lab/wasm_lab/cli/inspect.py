"""``wasm-lab inspect``: what is in a module or component."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from wasm_lab.options import build_options

EXAMPLES = """\b
Examples:
  wasm-lab inspect mine.wasm
  wasm-lab inspect --json mine.wasm
  wasm-lab inspect --base64 mine.wasm > mine.b64
"""


@click.command(epilog=EXAMPLES)
@build_options
@click.option("--base64", "only_base64", is_flag=True, help="Print only the binary, in Base64, as one line.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print everything as JSON, the binary in Base64 included."
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def inspect(file: Path, only_base64: bool, as_json: bool, **options: Any) -> int:
    """Show imports, exports, sections, sizes, SHA-256, producers and what FILE will ask for.

    FILE is .wasm or .wat; a source file (.rs, .c, .cpp, .zig, .go) is built first.
    """
    from wasm_lab.build.inspect import inspect as look_into
    from wasm_lab.cli.build import built
    from wasm_lab.session import Session
    from wasm_lab.views.inspection import inspection_record, inspection_tables
    from wasm_lab.views.tables import print_table

    inspection = look_into(built(Session(), file, options))
    if only_base64:
        click.echo(inspection.base64)
    elif as_json:
        click.echo(json.dumps(inspection_record(inspection, with_base64=True), indent=2, ensure_ascii=False))
    else:
        print_table(inspection_tables(inspection), sys.stdout)
    return 0
