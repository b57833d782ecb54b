"""``%wasm_claims``: rows of the ledger, evaluated here, in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click

    from wasm_lab.claims import Evaluated


def claims_line() -> click.Command:
    """The options of ``%wasm_claims``."""
    import click

    @click.command("%wasm_claims")
    @click.option("--full", is_flag=True, help="More kernels, more processes, more time.")
    @click.option("--values", is_flag=True, help="Show every value behind each verdict.")
    @click.argument("ids", nargs=-1)
    def wasm_claims() -> None:
        """Test what the articles claim, here and now; IDS such as a1 choose rows.

        \b
        Examples:
          %wasm_claims a1 b1 c4
          %wasm_claims b7 --values
        """

    return wasm_claims


def claims(options: dict[str, Any]) -> Evaluated:
    """Evaluate and display; gives the rows."""
    from IPython.display import display

    from wasm_lab.claims import evaluate
    from wasm_lab.claims.ledger import chosen
    from wasm_lab.views.claims import claims_figures, claims_stack, values_summary, values_table
    from wasm_lab.views.progress import claims_progress
    from wasm_lab.views.static import Chart
    from wasm_lab.views.tables import Stack

    ids = tuple(options["ids"])
    with claims_progress(len(chosen(ids))) as (on_row, on_step):
        evaluated = evaluate(ids, full=options["full"], on_row=on_row, on_step=on_step)
    display(claims_stack(evaluated))
    for figure in claims_figures(evaluated):
        display(Chart(figure, values_summary(evaluated)))
    if options["values"]:
        display(Stack(*(values_table(row) for row in evaluated.rows if row.measured)))
    return evaluated
