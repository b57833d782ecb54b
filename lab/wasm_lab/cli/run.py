"""``wasm-lab run``: a program, from source, Wasm or WAT, in the sandbox."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from wasm_lab.cli.execute import DEFAULTS, execute
from wasm_lab.options import build_options, capabilities_from, capability_options, runtime_option

EXAMPLES = """\b
Examples:
  wasm-lab run hello.rs
  wasm-lab run --dir-ro ./data::/data count.rs /data/words.txt
  echo 'a line' | wasm-lab run words.go
  wasm-lab run --invoke gcd gcd.c 12 18
  wasm-lab run --timeout 2s --memory 64MiB --audit mine.wasm
  echo 'a line' | wasm-lab run --json upper.wat
"""


@click.command(context_settings={"allow_interspersed_args": False}, epilog=EXAMPLES)
@build_options
@capability_options
@runtime_option("wasmtime")
@click.option("--audit", is_flag=True, help="List every host call afterwards, on standard error.")
@click.option("--invoke", metavar="NAME", help="Call this function with ARGS instead of running main.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the whole run as JSON; output is captured in it."
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def run(file: Path, args: tuple[str, ...], runtime: str, audit: bool, **options: Any) -> int:
    """Run FILE (.rs, .c, .cpp, .zig, .go, .py, .js, .wasm or .wat) as a WASI command; ARGS are the program's own.

    Files, environment and network are closed until an option opens them. Standard
    input, output and error are passed through. The exit status is the guest's own,
    134 for a trap and 124 for a deadline.
    """
    as_json, invoke = options.pop("as_json"), options.pop("invoke")
    capabilities = capabilities_from(options, args, replace(DEFAULTS, inherit_output=not as_json))
    if invoke:
        from wasm_lab.cli.build import built
        from wasm_lab.cli.invoke import invoke_function
        from wasm_lab.session import Session

        session = Session(runtime)
        artifact = built(session, file, options)
        return invoke_function(session, artifact, invoke, args, capabilities, as_json=as_json)
    return execute(file, capabilities, runtime=runtime, audit=audit, as_json=as_json, build_options=options)
