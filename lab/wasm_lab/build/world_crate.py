"""The crate of a cell that implements a WIT world: the learner's text, bindings, and the export of both.

Everything that is added stands after the last line, so that the learner's lines and attributes
stay where they are. The bindings and what they need at run time are files of their own.
"""

from __future__ import annotations

import functools
import re
from importlib import resources
from typing import TYPE_CHECKING

from wasm_lab.build.crate import Crate, allowing_glue
from wasm_lab.cells.syntax import Syntax, text_of

if TYPE_CHECKING:
    from wasm_lab.source import Bindings

#: The module of the bindings, as messages may call it, and its file, of which messages show nothing.
BINDINGS = "bindings"
BINDINGS_FILE = "__wasm_lab_bindings.rs"
RUNTIME = "__wasm_lab_wit"

#: What the bindings call their runtime and the crate of bit flags.
RUNTIME_PATH = f"crate::{RUNTIME}"
FLAGS_CRATE = "bitflags"

#: The type that implements the world when the code names no other.
DEFAULT_TYPE = "Component"

#: Nothing of generated code is for the learner to read, and a lint that the cell denies is not about it.
_QUIET = "#[allow(warnings, unsafe_code, clippy::all)]"


@functools.lru_cache(maxsize=64)
def world_crate(code: str, first_line: int, bindings: Bindings) -> Crate:
    """What rustc sees of a cell that implements ``bindings.world``.

    The learner writes ``impl Guest for Component``. ``struct Component;`` is added unless it is there, and
    ``export!``; the learner's own, which knows nothing of where the types are, gives way to it.
    """
    syntax = Syntax(code)
    name, code = _without_export(syntax, code, guest_type(syntax))
    parts = [f"{_QUIET} mod {RUNTIME};", f'{_QUIET} #[path = "{BINDINGS_FILE}"] mod {BINDINGS};']
    paths = (BINDINGS, *(f"{BINDINGS}::{module}" for module in bindings.modules))
    parts += [f"#[allow(unused_imports)] use {path}::*;" for path in paths]
    if name == DEFAULT_TYPE and not _defines(syntax, name):
        parts.append(f"struct {name};")
    export = f"{BINDINGS}::export!({name} with_types_in {BINDINGS});"
    parts.append(f"{_QUIET} const _: () = {{ {export} }};")
    last = " ".join(parts)
    return Crate(
        root="\n" * (first_line - 1) + allowing_glue(Syntax(code), code) + f"\n{last}\n",
        files={BINDINGS_FILE: bindings.rust, f"{RUNTIME}.rs": _runtime()},
        crate_type="cdylib",
        synthetic=(last,),
    )


def guest_type(syntax: Syntax) -> str:
    """The type for which the code implements a trait called ``Guest``."""
    for node in syntax.nodes:
        if node.type == "impl_item":
            trait = text_of(node.child_by_field_name("trait")).rpartition("::")[2]
            if trait == "Guest":
                return text_of(node.child_by_field_name("type"))
    return DEFAULT_TYPE


def _defines(syntax: Syntax, name: str) -> bool:
    kinds = ("struct_item", "enum_item", "type_item", "union_item")
    return any(
        node.type in kinds and text_of(node.child_by_field_name("name")) == name for node in syntax.nodes
    )


def _without_export(syntax: Syntax, code: str, name: str) -> tuple[str, str]:
    """The type that the code exports (``name`` where it exports none), and the code without its ``export!``."""
    text = bytearray(syntax.bytes)
    for node in syntax.nodes:
        call = node.named_children[0] if node.type == "expression_statement" and node.named_children else node
        if call.type != "macro_invocation":
            continue
        if text_of(call.child_by_field_name("macro")).rpartition("::")[2] != "export":
            continue
        exported = re.match(r"[\s({\[]*([A-Za-z_]\w*)", text_of(call.named_children[-1]))
        name = exported[1] if exported else name
        start, end = syntax.start(call), syntax.end(call)
        semicolon = re.match(rb"\s*;", text[end:])
        end += semicolon.end() if semicolon else 0
        text[start:end] = b"".join(b"\n" if byte == 10 else b" " for byte in text[start:end])
    return name, text.decode() if text != syntax.bytes else code


@functools.cache
def _runtime() -> str:
    return resources.files("wasm_lab.build").joinpath("wit_runtime.rs").read_text(encoding="utf-8")
