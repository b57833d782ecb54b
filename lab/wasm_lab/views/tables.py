"""Tables of the lab's records, the same for a terminal and for a notebook (rich does both)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wasm_lab.views.colour import wants_colour

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from wasm_lab.run import HostCall, TestReport, TestResult

#: Wide enough for one row a line when output goes to a file, which has no width of its own.
FILE_COLUMNS = 160


def print_table(table: Any, stream: TextIO) -> None:
    """Print any rich renderable to a stream, obeying NO_COLOR and the terminal's width."""
    colour = wants_colour(stream)
    width = None if stream.isatty() or "COLUMNS" in os.environ else FILE_COLUMNS
    console = Console(file=stream, no_color=not colour, force_terminal=colour or None, width=width)
    console.print(table)


def duration(nanoseconds: int) -> str:
    """Three digits and the unit that suits them.

    Example:
        >>> duration(1_234_567)
        '1.23 ms'
    """
    for unit, factor in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        if nanoseconds >= factor:
            return f"{nanoseconds / factor:.3g} {unit}"
    return f"{nanoseconds} ns"


def size(size_bytes: int) -> str:
    """Bytes below 10 000, else KiB or MiB with three digits."""
    if size_bytes < 10_000:
        return f"{size_bytes} B"
    if size_bytes < 1024 * 1024:
        return f"{size_bytes / 1024:.3g} KiB"
    return f"{size_bytes / 1024 / 1024:.3g} MiB"


def _arguments(call: HostCall) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())


def group_calls(calls: Sequence[HostCall]) -> list[tuple[HostCall, int, int]]:
    """Neighbouring calls that are alike but for their times, as (first call, count, total ns)."""
    groups: list[tuple[HostCall, int, int]] = []
    for call in calls:
        if groups:
            first, count, total = groups[-1]
            if (first.name, first.arguments, first.result, first.allowed) == (
                call.name,
                call.arguments,
                call.result,
                call.allowed,
            ):
                groups[-1] = (first, count + 1, total + call.duration_ns)
                continue
        groups.append((call, 1, call.duration_ns))
    return groups


def audit_table(calls: Sequence[HostCall]) -> Table:
    """Each host call: what, with which arguments, its result, whether it was allowed and why."""
    refused = sum(not call.allowed for call in calls)
    table = Table(title=f"Audit: {len(calls)} host calls, {refused} refused", title_justify="left")
    table.add_column("call", no_wrap=True)
    table.add_column("arguments", overflow="fold")
    table.add_column("result", overflow="fold")
    table.add_column("allowed", no_wrap=True)
    table.add_column("decided by")
    table.add_column("time", justify="right", no_wrap=True)
    for call, count, total_ns in group_calls(calls):
        verdict = Text("yes", style="green") if call.allowed else Text("refused", style="bold red")
        times = f" ×{count}" if count > 1 else ""
        decided = call.capability if call.allowed else f"{call.capability}: {call.flag}"
        table.add_row(
            Text(call.name + times), Text(_arguments(call)), Text(call.result), verdict, Text(decided), duration(total_ns)
        )
    for sentence in dict.fromkeys(call.explanation for call in calls if not call.allowed):
        table.caption = f"{table.caption}\n{sentence}" if table.caption else sentence
        table.caption_justify = "left"
    return table


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
