"""``wasm-lab claims``: the ledger, evaluated on this machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

EXAMPLES = """\b
Examples:
  wasm-lab claims
  wasm-lab claims a1 b2 c3
  wasm-lab claims --list
  wasm-lab claims --full --html claims.html
  wasm-lab claims --json > claims.json
  wasm-lab claims --budget 30s --save samples.jsonl a1 a4
"""

#: As for any interrupted command; the rows that were done have been printed.
INTERRUPTED = 130

_FILE = click.Path(dir_okay=False, path_type=Path)


def _complete(_context: click.Context, _parameter: click.Parameter, start: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from wasm_lab.claims import ledger

    return [
        CompletionItem(claim.id, help=claim.text) for claim in ledger() if claim.id.startswith(start.lower())
    ]


@click.command(epilog=EXAMPLES)
@click.option("--full", is_flag=True, help="More kernels, more processes, a load test: twenty minutes or so.")
@click.option("--list", "listed", is_flag=True, help="Show the claims and how they are tested; run nothing.")
@click.option("--values", is_flag=True, help="Show every value behind each verdict.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as a JSON array.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the rows as Markdown.")
@click.option("--html", "html_file", type=_FILE, metavar="FILE", help="Write a page that needs nothing else.")
@click.option("--budget", metavar="TIME", help="Begin no further row after this time, such as 1m.")
@click.option("--save", type=_FILE, metavar="FILE", help="Write all samples as .jsonl or .csv.")
@click.argument("ids", nargs=-1, shell_complete=_complete)
def claims(
    ids: tuple[str, ...],
    full: bool,
    html_file: Path | None,
    budget: str | None,
    save: Path | None,
    **shown: bool,
) -> int:
    """Test what the articles claim, here and now; IDS such as a1 choose rows.

    Each row has what is claimed, what others published, what this machine measured and a
    verdict computed from that: holds, holds partly, does not hold here, not testable here, or
    not yet. The quick set takes about two minutes. Ctrl-C keeps the rows that are done. The
    exit status is 0 whatever the verdicts are, and 130 after an interrupt.
    """
    from wasm_lab.capabilities import parse_duration
    from wasm_lab.claims import evaluate
    from wasm_lab.claims.ledger import chosen
    from wasm_lab.measure.store import check_suffix
    from wasm_lab.views.claims import claims_stack, list_table, markdown, record, values_table, write_page
    from wasm_lab.views.progress import claims_progress
    from wasm_lab.views.tables import print_table

    wanted = chosen(ids)
    if shown["listed"]:
        print_table(list_table(wanted), sys.stdout)
        return 0
    budget_s = parse_duration(budget) if budget else None
    if save:
        check_suffix(save)
    with claims_progress(len(wanted)) as (on_row, on_step):
        evaluated = evaluate(ids, full=full, budget_s=budget_s, on_row=on_row, on_step=on_step)
    # Printed first, so that a file that cannot be written costs nothing that was measured.
    if shown["as_json"]:
        rows = [record(row, evaluated) for row in evaluated.rows]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif shown["as_markdown"]:
        click.echo(markdown(evaluated))
    else:
        print_table(claims_stack(evaluated), sys.stdout)
        for row in evaluated.rows if shown["values"] else ():
            if row.measured:
                print_table(values_table(row), sys.stdout)
    if save:
        evaluated.measurements.save(save)
    if html_file:
        write_page(evaluated, html_file)
    return INTERRUPTED if evaluated.interrupted else 0
