"""What a failed compile of a world's implementation means in the words of its WIT."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wasm_lab.components.names import snake
from wasm_lab.components.skeletons import rust_function
from wasm_lab.components.wit import Function, Interface

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.components.wit import World
    from wasm_lab.errors import CompileError

#: rustc's codes: an item of the trait is missing; is not one of it; its type differs; number of
#: parameters; the trait is not implemented (Rust error codes index).
_MISSING, _FOREIGN, _DIFFERS, _COUNT, _UNIMPLEMENTED = "E0046", "E0407", "E0053", "E0050", "E0277"


def wit_advice(error: CompileError, world: World) -> str:
    """What is missing or different, function by function, as WIT and as the Rust to write.

    Args:
        error: what the compile failed with.
        world: the world that the code implements.

    Returns:
        Lines to add to the error's hint; empty when the errors are not about the world.
    """
    functions = {snake(one.name).rstrip("_"): one for one in _exported(world)}
    told: dict[str, None] = {}
    for diagnostic in error.diagnostics:
        if not diagnostic.level.startswith("error"):
            continue
        names = re.findall(r"`(\w+)`", diagnostic.message)
        if diagnostic.code == _MISSING:
            listed = diagnostic.message.partition("missing:")[2]
            for name in re.findall(r"`(?:fn )?(\w+)`", listed):
                told |= dict.fromkeys(_asked(name, functions, "nothing implements it"))
        elif diagnostic.code in (_DIFFERS, _COUNT):
            for name in names:
                told |= dict.fromkeys(_asked(name, functions, "the Rust function differs"))
        elif diagnostic.code == _FOREIGN and names:
            listed = ", ".join(one.name for one in functions.values())
            told[f"The world exports no {names[0].replace('_', '-')}; it exports {listed or 'nothing'}."] = (
                None
            )
        elif diagnostic.code == _UNIMPLEMENTED and "Guest" in diagnostic.message:
            for one in functions:
                told |= dict.fromkeys(_asked(one, functions, "nothing implements it"))
    if not told:
        return ""
    return "\n".join((f"The world {world.name}:", *told))


def _exported(world: World) -> Iterator[Function]:
    for item in world.exports.values():
        if isinstance(item, Interface):
            yield from item.functions.values()
        else:
            yield item


def _asked(name: str, functions: dict[str, Function], why: str) -> list[str]:
    function = functions.get("constructor" if name == "new" else name.rstrip("_"))
    if function is None:
        return []
    owner = f"{function.interface}: " if function.interface else ""
    lines = [f"  {owner}{function} — {why}"]
    lines.append(f"    in Rust: {rust_function(function)}")
    return lines
