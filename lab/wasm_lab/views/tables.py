"""Tables of the lab's records, the same for a terminal and for a notebook (rich does both)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from wasm_lab.views.amounts import duration as duration  # noqa: PLC0414
from wasm_lab.views.amounts import size as size  # noqa: PLC0414
from wasm_lab.views.colour import wants_colour
from wasm_lab.views.narrow import fitting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from wasm_lab.run import HostCall
    from wasm_lab.testing import TestReport, TestResult
    from wasm_lab.wasi.audit import Group as AuditGroup

#: Wide enough for one row a line when output goes to a file, which has no width of its own.
FILE_COLUMNS = 160


class Stack(Group):
    """Renderables one below the other: as text in a terminal, as HTML tables in a notebook."""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from wasm_lab.views.html import plain_text, to_html

        return {"text/html": to_html(self.renderables), "text/plain": plain_text(self)}


def print_table(table: Any, stream: TextIO) -> None:
    """Print any rich renderable to a stream, obeying NO_COLOR and the terminal's width.

    A table that does not fit is printed as a list: no number is cut.
    """
    colour = wants_colour(stream)
    width = None if stream.isatty() or "COLUMNS" in os.environ else FILE_COLUMNS
    console = Console(file=stream, no_color=not colour, force_terminal=colour or None, width=width)
    console.print(fitting(table, console))


#: Longer audits are grouped: nobody reads more rows than these.
WHOLE_AUDIT_CALLS = 60


def audit_table(calls: Sequence[HostCall]) -> Stack:
    """Each host call: what, with which arguments, its result, whether it was allowed and why.

    A long audit has one row for calls that are alike, with their number.
    """
    refused = sum(not call.allowed for call in calls)
    table = Table(title=f"Audit: {len(calls)} host calls, {refused} refused", title_justify="left")
    table.add_column("call", no_wrap=True)
    table.add_column("arguments", overflow="fold")
    table.add_column("result", overflow="fold")
    table.add_column("allowed", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    if len(calls) <= WHOLE_AUDIT_CALLS:
        for call in calls:
            arguments = ", ".join(f"{name}={value}" for name, value in call.arguments.items())
            _audit_row(table, call.name, arguments, call)
    else:
        from wasm_lab.wasi.audit import grouped

        for group in grouped(calls):
            _audit_row(table, f"{group.name} ×{group.count}", group.subject, group)
    sentences = dict.fromkeys(call.explanation for call in calls if not call.allowed)
    return Stack(table, *map(Text, sentences))


def _audit_row(table: Table, name: str, arguments: str, call: HostCall | AuditGroup) -> None:
    by = f" by {call.capability}" if call.capability else ""
    verdict = Text("yes", style="green") if call.allowed else Text(f"refused{by}", style="bold red")
    table.add_row(Text(name), Text(arguments), Text(call.result), verdict, duration(call.duration_ns))


def test_line(result: TestResult) -> Text:
    """One line for a test, as libtest has it."""
    suffix = " - should panic" if result.should_panic else ""
    styles = {"ok": "green", "FAILED": "red", "ignored": "yellow"}
    reason = f", {result.message}" if result.outcome == "ignored" and result.message else ""
    return Text.assemble(f"test {result.name}{suffix} ... ", (result.outcome, styles[result.outcome]), reason)


def test_summary(report: TestReport) -> Text:
    """Failures with their messages, then libtest's own last line."""
    text = Text()
    failed = [result for result in report.results if result.outcome == "FAILED"]
    if failed:
        text.append("\nfailures:\n")
        for result in failed:
            text.append(f"\n---- {result.name} ----\n")
            if result.stdout:
                text.append(f"{result.stdout}\n")
            text.append(f"{result.message}\n")
        text.append("\nfailures:\n")
        text.append("".join(f"    {result.name}\n" for result in failed))
    verdict = ("FAILED", "red") if failed else ("ok", "green")
    text.append_text(
        Text.assemble(
            "\ntest result: ",
            verdict,
            f". {report.count('ok')} passed; {len(failed)} failed; {report.count('ignored')} ignored; "
            f"0 measured; {report.filtered_out} filtered out; finished in {report.duration_ns / 1e9:.2f}s",
        )
    )
    return text
