"""The doctor's report as one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from wasm_lab.views.tables import Stack

if TYPE_CHECKING:
    from wasm_lab.toolchains.doctor import Report, Row


def doctor_table(report: Report) -> Stack:
    """Each compiler, runtime and tool: found or not, version, what it is for, how to get it."""
    table = Table(title="What this machine has for the lab", title_justify="left")
    table.add_column("what", no_wrap=True)
    table.add_column("found", no_wrap=True)
    table.add_column("version", overflow="fold", max_width=14)
    table.add_column("what it is for", overflow="fold")
    table.add_column("where it is, or how to get it", overflow="fold")
    for row in report.rows:
        table.add_row(row.name, _state(row), row.version, row.purpose, _place(row))
    return Stack(table, _verdict(report))


def _state(row: Row) -> Text:
    if row.ok:
        return Text("yes", style="green")
    state = "broken" if row.found else "no"
    return Text(f"{state}, needed" if row.required else state, style="bold red" if row.required else "yellow")


def _place(row: Row) -> str:
    if row.ok:
        return row.path
    return "\n".join(part for part in (row.note, row.how) if part)


def _verdict(report: Report) -> Text:
    if report.ok:
        return Text("The main job can run: wasm-lab quickstart", style="green")
    lines = [f"The main job cannot run. {row.name} is missing or broken: {row.how}" for row in report.missing]
    lines.append("wasm-lab doctor --fix installs a Rust compiler; Python packages are installed by pip.")
    return Text("\n".join(lines), style="bold red")
