"""The JavaScript through which a worker calls the functions of a Rust cell.

A module of a few lines for the cell, beside two that are the same for every cell (``glue.js``,
``wasi.js``). Types are told to ``glue.js`` as JSON:

============================  ==========================================
``"u32"`` …, ``"bool"``        a plain value
``"text"``                    ``&str``, ``String``
``["run", "u8", n | null]``   a sequence of plain values; n for ``[T; N]``
``["run mut", "u8"]``         ``&mut [T]``, copied back
``["list", T, n | null]``     a sequence of other values
``["option", T]``             null for ``None``
``["tuple", T, U]``           an array
``["map", K, V]``, ``["set", K]``  ``Map``, ``Set``
``["result", T]``             T, or a thrown Error
``"unit"``                    undefined
============================  ==========================================
"""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from wasm_lab.abi.types import MAPS, PLAIN, SEQUENCES, SETS, TEXTS, array_length, element, owned, rust_name
from wasm_lab.build.crate import crate_for
from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.cells.signatures import RustType, Signature

GLUE = "wasm-lab-glue.js"
WASI = "wasm-lab-wasi.js"

#: Names that no ``export const`` may have (ECMAScript 2026, 12.7.2), and that Rust allows in a function.
RESERVED = frozenset(
    "arguments await case catch class debugger default delete do eval export extends finally function "
    "implements import instanceof interface new null package private protected public switch this throw "
    "throws try typeof undefined var void with yield".split()
)


def runtime_modules() -> dict[str, str]:
    """The two modules that every cell's module uses, by name."""
    here = resources.files("wasm_lab.scenarios.edge")
    names = {GLUE: "glue.js", WASI: "wasi.js"}
    return {name: here.joinpath(file).read_text(encoding="utf-8") for name, file in names.items()}


def cell_module(name: str, artifact: Artifact) -> str:
    """The text of the module that exports the functions of a cell.

    Args:
        name: of the cell: its Wasm module stands beside this one as ``NAME.wasm``.
        artifact: a library built from a Source of functions.

    Raises:
        UsageError: the artifact has no function that can be called.
    """
    source = artifact.source
    if source is not None and source.language != "rust":
        raise UsageError(
            f"{name} is a cell in {source.language}, and the lab writes glue for Rust.",
            hint=f'Its exports can be called as they are: import module from "./{name}.wasm"; '
            "new WebAssembly.Instance(module, {}).exports",
        )
    functions = crate_for(source).functions if source else ()
    if not functions:
        raise UsageError(
            f"{name} has no function that a worker could call.",
            hint=f'Its module itself comes with: import module from "./{name}.wasm"',
        )
    lines = [
        f"// The functions of the Rust cell {name}, for JavaScript. Written by wasm-lab; {GLUE} does the work.",
        f'import module from "./{name}.wasm";',
        f'import {{ Cell }} from "./{GLUE}";',
        "",
        f"const cell = new Cell(module, {json.dumps(name)});",
    ]
    for index, function in enumerate(functions):
        lines += ["", *_export(index, function)]
    return "\n".join([*lines, ""])


def _export(index: int, function: Signature) -> list[str]:
    own = rust_name(function.name)
    parameters = [
        [parameter.name, _type(parameter.type, parameter=True)] for parameter in function.parameters
    ]
    text = " ".join(f"{function.text}".split())
    call = f"cell.define({json.dumps(own)}, {json.dumps(parameters)}, {json.dumps(_type(function.result))})"
    if own in RESERVED or not own.isascii():
        return [f"// {text}", f"const f{index} = {call};", f"export {{ f{index} as {json.dumps(own)} }};"]
    return [f"// {text}", f"export const {own} = {call};"]


def _type(kind: RustType, *, parameter: bool = False) -> Any:
    if kind.name in ("ref", "Cow"):
        return _type(owned(kind) if kind.name == "ref" else kind.args[-1])
    name, args = kind.name, kind.args
    if name == "unit" or name in PLAIN:
        return name
    if name in TEXTS:
        return "text"
    if name in SEQUENCES:
        plain = element(kind)
        if plain is None:
            return ["list", _type(args[0]), array_length(kind) if name == "array" else None]
        if name == "slice mut" and parameter:
            return ["run mut", plain.name]
        return ["run", plain.name, array_length(kind) if name == "array" else None]
    if name == "Option":
        return ["option", _type(args[0])]
    if name == "tuple":
        return ["tuple", *map(_type, args)]
    if name in MAPS:
        return ["map", *map(_type, args[:2])]
    if name in SETS:
        return ["set", _type(args[0])]
    if name == "Result":
        return ["result", _type(args[0])]
    raise AssertionError(kind)
