"""The ledger to look at: a table for a terminal or a notebook, a page, Markdown, plain records."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from wasm_lab.errors import UsageError
from wasm_lab.views.html import to_html
from wasm_lab.views.tables import Stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import plotly.graph_objects as go

    from wasm_lab.claims import Claim, Evaluated, Measured, Row
    from wasm_lab.claims.ledger import Published

#: Colour repeats what the word says, and is never alone.
_STYLES = {"holds": "green", "does not hold here": "red", "holds partly": "yellow"}


def claims_stack(evaluated: Evaluated) -> Stack:
    """A table with a row for each claim, one of the values behind it, and what it was measured on."""
    table = Table(title="Claims", title_justify="left", show_lines=True)
    table.add_column("id", no_wrap=True)
    for heading in ("claim", "published", "measured here", "verdict"):
        table.add_column(heading, overflow="fold")
    for row in evaluated.rows:
        verdict = Text(f"{row.verdict}: {row.reason}", style=_STYLES.get(row.verdict, ""))
        table.add_row(
            row.claim.id,
            Text(claim_text(row.claim)),
            Text("\n".join(map(published_text, row.claim.published))),
            Text("\n".join(map(measured_text, _most_telling(row.measured)))),
            verdict,
        )
    return Stack(table, Text(_footer(evaluated), style="dim"))


def values_table(row: Row) -> Table:
    """Every value behind one row."""
    table = Table(title=f"{row.claim.id}: {row.claim.tested}", title_justify="left")
    table.add_column("what", overflow="fold")
    for heading in ("value", "95 % interval", "n"):
        table.add_column(heading, justify="right", no_wrap=True)
    bounds = _bounds(row.claim) if row.claim.also else {}
    if bounds:
        table.add_column("claimed", justify="right", no_wrap=True)
    table.add_column("the verdict rests on it", no_wrap=True)
    for each in row.measured:
        counts = "yes" if each.counts else "no, context"
        claimed = [bounds[each.figure] if each.counts and each.unit != "check" else ""] if bounds else []
        table.add_row(each.what, _value(each), _interval(each), str(each.n), *claimed, counts)
    return table


def _bounds(claim: Claim) -> dict[str, str]:
    """What has to be reached, by the name of the figure."""
    figures = (*([claim.claimed] if claim.claimed else []), *claim.also)
    return {
        each.name: f"{'at least' if each.better == 'high' else 'at most'} {each.bound:g} {each.unit}"
        for each in figures
    }


def values_summary(evaluated: Evaluated) -> Table:
    """The values that verdicts rest on, of all rows in one table."""
    table = Table(title="Values behind the verdicts", title_justify="left")
    table.add_column("id", no_wrap=True)
    table.add_column("what", overflow="fold")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    for row in evaluated.rows:
        for each in row.measured:
            if each.counts and each.unit != "check":
                table.add_row(row.claim.id, each.what, _value(each), _interval(each))
    return table


def list_table(claims: Iterable[Claim]) -> Table:
    """The ledger without an evaluation: what is claimed and how it is tested."""
    table = Table(title="The ledger", title_justify="left", show_lines=True)
    table.add_column("id", no_wrap=True)
    for heading in ("claim", "how it is tested", "here"):
        table.add_column(heading, overflow="fold")
    for claim in claims:
        here = f"not yet: {claim.until}" if claim.until else "cannot be tested" if claim.why else "yes"
        table.add_row(claim.id, claim_text(claim), claim.tested, here)
    return table


def record(row: Row, evaluated: Evaluated) -> dict[str, Any]:
    """One row as plain data, ready for JSON: a value that is not known is null."""
    claim = row.claim
    return {
        "id": claim.id,
        "claim": claim.text,
        "source": claim.source,
        "tested": claim.tested,
        "claimed": _claimed_record(claim),
        "also": [
            {key: value for key, value in _fields(each).items() if value not in (None, "")}
            for each in claim.also
        ],
        "published": [
            {key: value for key, value in _fields(each).items() if value not in (None, "")}
            for each in claim.published
        ],
        "verdict": str(row.verdict),
        "reason": row.reason,
        "measured": [
            {
                "what": each.what,
                "value": _known(each.value),
                "low": _known(each.low),
                "high": _known(each.high),
                "unit": each.unit,
                "n": each.n,
                "counts": each.counts,
                "figure": each.figure,
            }
            for each in row.measured
        ],
        "duration_s": round(row.duration_s, 3),
        "machine": evaluated.machine.name,
        "date": evaluated.date,
        "full": evaluated.full,
    }


def markdown(evaluated: Evaluated) -> str:
    """The ledger as Markdown: one table, and the values behind each row."""
    lines = ["# Claims", "", "| id | claim | published | verdict |", "|---|---|---|---|"]
    for row in evaluated.rows:
        published = "<br>".join(_cell(published_text(each)) for each in row.claim.published)
        verdict = f"**{row.verdict}**: {_cell(row.reason)}"
        lines.append(f"| {row.claim.id} | {_cell(claim_text(row.claim))} | {published} | {verdict} |")
    for row in evaluated.rows:
        if row.measured:
            lines += ["", f"## {row.claim.id}: {row.claim.tested}", ""]
            lines += ["| what | value | 95 % interval | n | counts |", "|---|---:|---:|---:|---|"]
            for each in row.measured:
                counts = "yes" if each.counts else "context"
                lines.append(
                    f"| {_cell(each.what)} | {_value(each)} | {_interval(each)} | {each.n} | {counts} |"
                )
    return "\n".join([*lines, "", _footer(evaluated), ""])


def page(evaluated: Evaluated) -> str:
    """The ledger as one HTML page that needs nothing else."""
    from wasm_lab.views.report_page import page_of

    values = [values_table(row) for row in evaluated.rows if row.measured]
    tables = to_html(claims_stack(evaluated).renderables[:1])
    details = "".join(
        f"<details><summary>{html.escape(str(table.title))}</summary>{to_html([table])}</details>"
        for table in values
    )
    body = f"{tables}{claims_figure(evaluated)}<h2>What the verdicts rest on</h2>{details}"
    return page_of("Claims, tested by running", f"{body}<p>{html.escape(_footer(evaluated))}</p>")


def write_page(evaluated: Evaluated, path: Path) -> None:
    """Write the page; the file is replaced in one step or left as it was.

    Raises:
        UsageError: the file cannot be written.
    """
    from boltons.fileutils import atomic_save

    try:
        with atomic_save(str(path), overwrite=True) as file:
            file.write(page(evaluated).encode())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror or error}.", hint="Name another file."
        ) from error


def claims_figure(evaluated: Evaluated) -> str:
    """Claimed against published against measured, a picture for each unit; empty without figures."""
    from wasm_lab.views.svg import svg

    return "".join(f"<figure>{svg(figure)}</figure>" for figure in claims_figures(evaluated))


def claims_figures(evaluated: Evaluated) -> list[go.Figure]:
    """One chart for each unit in which something was both claimed and measured."""
    from wasm_lab.views.charts import claims_chart

    measured = [row for row in evaluated.rows if row.claim.claimed and row.measured]
    units = dict.fromkeys(row.claim.claimed.unit for row in measured if row.claim.claimed)
    figures = []
    for unit in units:
        rows = [row for row in measured if row.claim.claimed and row.claim.claimed.unit == unit]
        figure = claims_chart(rows)
        if figure.data:
            figures.append(figure)
    return figures


def claim_text(claim: Claim) -> str:
    """The claim, and where its bound is ours, that and why."""
    assumed = claim.claimed.assumed if claim.claimed else ""
    return f"{claim.text}\n{assumed}" if assumed else claim.text


def published_text(published: Published) -> str:
    """What somebody else found, in one line."""
    if published.text:
        found = published.text
    elif published.value is not None:
        found = f"{published.value:g} {published.unit}"
    else:
        found = f"{published.low:g} to {published.high:g} {published.unit}"
    return f"{published.what}: {found} ({published.reference})"


def measured_text(measured: Measured) -> str:
    """One value in one line, with its interval."""
    if measured.unit == "check":
        return f"{measured.what}: {_value(measured)}"
    interval = f" ({_interval(measured)})" if measured.low != measured.high else ""
    return f"{measured.what}: {_value(measured)}{interval}"


#: Values of a row that the table shows; the rest stands behind it.
_SHOWN = 4


def _most_telling(measured: Sequence[Measured]) -> list[Measured]:
    """Checks that failed, else the values that count, from the least to the greatest."""
    counting = [each for each in measured if each.counts]
    failed = [each for each in counting if each.unit == "check" and each.value == 0]
    if failed:
        return failed[:_SHOWN]
    quantities = sorted((each for each in counting if each.unit != "check"), key=lambda each: each.value)
    if len(quantities) <= _SHOWN:
        return quantities or counting[:_SHOWN]
    step = (len(quantities) - 1) / (_SHOWN - 1)
    return [quantities[round(number * step)] for number in range(_SHOWN)]


def _value(measured: Measured) -> str:
    if math.isnan(measured.value):
        return "not known"
    if measured.unit == "check":
        return "yes" if measured.value else "no"
    return f"{measured.value:.3g} {measured.unit}"


def _interval(measured: Measured) -> str:
    if measured.unit == "check" or math.isnan(measured.low) or measured.low == measured.high:
        return ""
    return f"{measured.low:.3g} to {measured.high:.3g}"


def _claimed_record(claim: Claim) -> dict[str, Any] | None:
    if claim.claimed is None:
        return None
    return {key: value for key, value in _fields(claim.claimed).items() if value not in (None, "")}


def _fields(one: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(one)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _footer(evaluated: Evaluated) -> str:
    kind = "full" if evaluated.full else "quick"
    part = ", interrupted" if evaluated.interrupted else ""
    return (
        f"{len(evaluated.rows)} claims, {kind} set{part}, {evaluated.duration_s:.0f} s on {evaluated.date}. "
        f"{evaluated.machine}. {' '.join(evaluated.machine.noise)}"
    )
