"""The table of languages, for a terminal and a notebook, and as a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from wasm_lab.run import Phase
from wasm_lab.views.plain import plain
from wasm_lab.views.tables import Stack, duration, size

if TYPE_CHECKING:
    from wasm_lab.scenarios.languages.comparing import LanguageRow, LanguageTable

_COLD = (Phase.LOAD, Phase.INSTANTIATE)


def language_tables(found: LanguageTable) -> Stack:
    """The languages side by side, those that are missing, and what the figures are."""
    answer = ", ".join(found.answer.split("\n")).strip(", ")
    head = (
        f"{len(found.built)} languages print the same ({answer}). Primes up to {found.n:_} in wasmtime, without "
        "guards; medians of fresh processes in turns, ratios with their 95 % interval."
    )
    table = Table(title_justify="left")
    table.add_column("language", no_wrap=True)
    for heading in ("size", "edit → module", "compile", "load", "instantiate", "run", "times Rust"):
        table.add_column(heading, justify="right")
    for row in found.rows.values():
        table.add_row(*_cells(row))
    parts: list[Any] = [Text(head), table]
    gone = {row.name: row.why for row in found.rows.values() if row.why} | found.others
    if gone:
        missing = Table(title="Not in the table", title_justify="left")
        missing.add_column("language", no_wrap=True)
        missing.add_column("why, and how to get it")
        for name, why in gone.items():
            missing.add_row(name, why)
        parts.append(missing)
    notes = (
        "Sizes without names and debug information. Compile: once, to machine code; load: machine code made "
        "before. Python and JavaScript bring their interpreter in the component; an edit writes the text into it, "
        "and only the first build of a world runs the tool."
    )
    parts.append(Text(f"Measured on {found.machine}. {notes}", style="dim"))
    return Stack(*parts)


def language_record(found: LanguageTable) -> dict[str, Any]:
    """The table as plain data."""
    return {
        "n": found.n,
        "answer": found.answer,
        "languages": {name: plain(_record(row)) for name, row in found.rows.items()},
        "others": found.others,
        "machine": plain(found.machine),
        "interrupted": found.interrupted,
    }


def _record(row: LanguageRow) -> dict[str, Any]:
    if row.why:
        return {"missing": row.why}
    record: dict[str, Any] = {
        "form": row.form,
        "compiler": row.compiler,
        "size_bytes": row.size_bytes,
        "first_build_ns": row.build_ns or None,
        "edit_ns": row.edit_ns,
        "compile_ns": row.compile_ns,
        "phases_ns": {
            phase: {"median": one.median, "low": one.low, "high": one.high, "processes": one.processes}
            for phase, one in row.phases.items()
        },
    }
    if row.speed:
        record["times_rust"] = {"ratio": row.speed.ratio, "low": row.speed.low, "high": row.speed.high}
    return record


def _cells(row: LanguageRow) -> list[str]:
    if row.why:
        return [row.name, "not available here", *[""] * 6]
    cold = [duration(row.phases[phase.value].median) if phase.value in row.phases else "" for phase in _COLD]
    run = row.phases.get(Phase.RUN.value)
    speed = "1"
    if row.speed:
        speed = f"{row.speed.ratio:.3g} ({row.speed.low:.3g} to {row.speed.high:.3g})"
    return [
        row.name,
        size(row.size_bytes),
        duration(row.edit_ns),
        duration(row.compile_ns),
        *cold,
        duration(run.median) if run else "",
        speed,
    ]
