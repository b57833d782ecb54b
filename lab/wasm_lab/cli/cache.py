"""``wasm-lab cache``: what the build cache holds, and making it smaller."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

import click

from wasm_lab.capabilities import parse_size
from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from wasm_lab.build.cache import Entry

EXAMPLES = """\b
Examples:
  wasm-lab cache
  wasm-lab cache --prune 500MiB
  wasm-lab cache --clear
"""


@click.command(epilog=EXAMPLES)
@click.option("--prune", metavar="SIZE", help="Remove the least recently used entries until SIZE is left.")
@click.option("--clear", is_flag=True, help="Remove everything.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def cache(prune: str | None, clear: bool, as_json: bool) -> int:
    """Show what the build cache holds. It is only a cache: safe to remove at any moment."""
    from wasm_lab.build.cache import default_cache
    from wasm_lab.views.tables import print_table, size

    store = default_cache()
    removed = None
    if clear:
        removed = store.clear()
    elif prune is not None:
        limit = parse_size(prune)
        if limit is None:
            raise UsageError(
                "--prune takes a size, not none.", hint="Such as --prune 500MiB; --clear removes all."
            )
        removed = store.prune(limit)
    kinds = _by_kind(store.entries())
    if as_json:
        record = {
            "folder": str(store.root),
            "bound_bytes": store.max_bytes,
            "kinds": {
                kind: {"entries": count, "size_bytes": total} for kind, (count, total) in kinds.items()
            },
            "removed_entries": removed.removed if removed else 0,
            "removed_bytes": removed.removed_bytes if removed else 0,
        }
        click.echo(json.dumps(record, indent=2))
        return 0
    if removed:
        click.echo(f"Removed {removed.removed} entries, {size(removed.removed_bytes)}.")
    from rich.table import Table

    table = Table(title=str(store.root), title_justify="left")
    table.add_column("what")
    table.add_column("entries", justify="right")
    table.add_column("size", justify="right")
    for kind, (count, total) in kinds.items():
        table.add_row(kind, str(count), size(total))
    bound = "no bound" if store.max_bytes is None else f"bound {size(store.max_bytes)}"
    table.add_row("together", str(sum(n for n, _ in kinds.values())), size(sum(b for _, b in kinds.values())))
    table.caption = f"{bound}; WASM_LAB_CACHE_SIZE sets it, WASM_LAB_CACHE moves the folder"
    print_table(table, sys.stdout)
    return 0


def _by_kind(entries: list[Entry]) -> dict[str, tuple[int, int]]:
    """Each kind of entry to how many there are and their bytes together."""
    kinds: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for entry in entries:
        count, total = kinds[entry.kind]
        kinds[entry.kind] = (count + 1, total + entry.size_bytes)
    return dict(sorted(kinds.items()))
