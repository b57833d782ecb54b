"""What is in a module, as tables and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from wasm_lab.views.plain import plain
from wasm_lab.views.tables import Stack, size

if TYPE_CHECKING:
    from wasm_lab.build.inspect import Inspection


def asked_capabilities(inspection: Inspection) -> dict[str, list[str]]:
    """Each capability that a module may ask for to the imports that tell of it.

    Only what its imports show: a program may import a call and never make it.
    """
    if inspection.is_component:
        from wasm_lab.components.contract import asked_of_host

        return asked_of_host(item.name for item in inspection.imports)
    from wasm_lab.wasi.tables import calls

    table = calls()
    asked: dict[str, list[str]] = {}
    for item in inspection.imports:
        call = table.get(item.name)
        if call and call.capability and item.module.startswith("wasi_"):
            asked.setdefault(call.capability, []).append(item.name)
    return asked


def contract(inspection: Inspection) -> str:
    """The WIT of a component, without that of WASI; empty for a module."""
    if not inspection.is_component:
        return ""
    from wasm_lab.components.contract import own_text
    from wasm_lab.components.wit import read_package

    return own_text(read_package(inspection.wasm, inspection.label, sha256=inspection.sha256).text)


def inspection_record(inspection: Inspection, *, with_base64: bool) -> dict[str, Any]:
    """An Inspection as plain data; the binary itself only when it is asked for."""
    record: dict[str, Any] = {
        "label": inspection.label,
        "size_bytes": inspection.size_bytes,
        "sha256": inspection.sha256,
        "component": inspection.is_component,
        "wit": contract(inspection) or None,
        "imports": plain(inspection.imports),
        "exports": plain(inspection.exports),
        "sections": plain(inspection.sections),
        "producers": plain(inspection.producers),
        "target_features": list(inspection.target_features),
        "asks_for": asked_capabilities(inspection),
    }
    if with_base64:
        record["base64"] = inspection.base64
    return record


def inspection_tables(inspection: Inspection) -> Stack:
    """A component's WIT, sections by size, imports, exports, producers and what it will ask for."""
    what = "component" if inspection.is_component else "module"
    head = Text(f"{inspection.label}: a {what} of {size(inspection.size_bytes)}\nSHA-256 {inspection.sha256}")
    producers = "; ".join(
        f"{role}: {', '.join(f'{name} {version}'.strip() for name, version in made.items())}"
        for role, made in inspection.producers.items()
    )
    asked = ", ".join(
        f"{capability} ({', '.join(names)})" for capability, names in asked_capabilities(inspection).items()
    )
    tail = Text(f"made by: {producers or 'not said'}\nmay ask for: {asked or 'nothing'}")
    wit = contract(inspection)
    parts = [Text(f"\n{wit}\n")] if wit else []
    tables = _sections(inspection), _items("imports", inspection), _items("exports", inspection)
    return Stack(head, *parts, *tables, tail)


def _sections(inspection: Inspection) -> Table:
    table = Table(title="sections", title_justify="left")
    table.add_column("name")
    table.add_column("size", justify="right")
    table.add_column("entries", justify="right")
    for section in inspection.sections:
        table.add_row("  " * section.depth + section.name, size(section.size_bytes), str(section.count))
    return table


def _items(which: str, inspection: Inspection) -> Table:
    items: Any = getattr(inspection, which)
    table = Table(title=f"{len(items)} {which}", title_justify="left")
    for column in ("name", "kind", "type"):
        table.add_column(column, overflow="fold")
    for item in items:
        module = getattr(item, "module", "")
        table.add_row(Text(f"{module} {item.name}".strip()), item.kind, Text(item.type))
    return table
