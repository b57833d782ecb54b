"""``%%js_twin``: a JavaScript function that a Rust function of the same name is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.magics.empty import refuse_empty_twin
from wasm_lab.magics.line import session

if TYPE_CHECKING:
    import click


def js_twin_command() -> click.Command:
    """The options of ``%%js_twin``."""
    import click

    @click.command("%%js_twin")
    @click.argument("name")
    def js_twin() -> None:
        """Define the JavaScript twin of the Rust function NAME.

        The cell is a plain script that declares a function of that name: the same work by the
        same algorithm. %wasm_bench NAME compares its answers with Rust's and then its speed.
        Slices and vectors of numbers arrive as typed arrays. A Python function of the same name
        is the Python twin.
        """

    return js_twin


def define(options: dict[str, Any], text: str) -> None:
    """Keep the cell as a twin for this session, and say which of the functions to compare there are."""
    from wasm_lab.toolchains.node import node_missing
    from wasm_lab.twins.define import define_js_twin
    from wasm_lab.views.notebook import show_footer

    name = options["name"]
    refuse_empty_twin(text, name)
    here = session()
    # Line 1 of the cell is the magic.
    twin = define_js_twin(name, text, label=f"{name}.js (cell)", first_line=2)
    here.js_twins[name] = twin
    known = any(name in cell.functions for cell in here.cells.values())
    rust = f"%wasm_bench {name} compares the two" if known else f"no cell has a Rust function {name} yet"
    missing = node_missing()
    show_footer([f"{name}: JavaScript twin · {rust}", *([f"not checked: {missing}"] if missing else [])])
