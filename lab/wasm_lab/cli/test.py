"""``wasm-lab test``: the ``#[test]`` functions of a Rust file, each in a fresh sandbox."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wasm_lab.capabilities import Capabilities
from wasm_lab.options import build_options, capabilities_from, capability_options, runtime_option

if TYPE_CHECKING:
    from wasm_lab.testing import TestResult

EXAMPLES = """\b
Examples:
  wasm-lab test exercise.rs
  wasm-lab test exercise.rs parses_ --include-ignored
  wasm-lab test --profile dev --json exercise.rs
"""

#: libtest's own exit status when a test failed.
TESTS_FAILED = 101


@click.command(epilog=EXAMPLES)
@build_options
@capability_options
@runtime_option("wasmtime")
@click.option("--include-ignored", is_flag=True, help="Run tests marked #[ignore] too.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("matching", default="", metavar="[FILTER]")
def test(
    file: Path, matching: str, runtime: str, include_ignored: bool, as_json: bool, **options: Any
) -> int:
    """Run the tests of FILE, or those whose path contains FILTER.

    Each test runs in an instance of its own, so one that panics, loops or fills memory
    takes no other down. Exit status 101 when any failed.
    """
    from wasm_lab.cli.show import show_warnings
    from wasm_lab.files import rust_source
    from wasm_lab.session import Session
    from wasm_lab.views.plain import plain
    from wasm_lab.views.progress import terminal_progress
    from wasm_lab.views.tables import print_table, test_line, test_summary

    capabilities = capabilities_from(options, (), Capabilities())
    session = Session(runtime)

    def show(result: TestResult) -> None:
        print_table(test_line(result), sys.stdout)

    source = rust_source(file, options, test=True)
    with terminal_progress() as progress:
        report = session.test(
            source,
            capabilities,
            matching=matching,
            include_ignored=include_ignored,
            on_result=None if as_json else show,
            progress=progress,
        )
    if session.last_artifact:
        show_warnings(session.last_artifact)
    if as_json:
        click.echo(json.dumps(plain(report) | {"ok": report.ok}, indent=2, ensure_ascii=False))
    else:
        print_table(test_summary(report), sys.stdout)
    return 0 if report.ok else TESTS_FAILED
