"""Go: functions under ``//go:wasmexport``, and whether there is a ``main``."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from wasm_lab.cells.languages import CellCode
from wasm_lab.cells.languages.pairs import Written, joined
from wasm_lab.cells.languages.tree import comment_before, comments_before, line_of, one_line, parse
from wasm_lab.cells.signatures import UNIT, RustType, Signature
from wasm_lab.cells.syntax import text_of
from wasm_lab.source import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

#: What ``//go:wasmexport`` passes as numbers (cmd/compile, "Directives"), on wasm: 64-bit code, 32-bit addresses.
_PLAIN = {
    "bool": "bool",
    "int32": "i32",
    "uint32": "u32",
    "int64": "i64",
    "uint64": "u64",
    "float32": "f32",
    "float64": "f64",
    "uintptr": "usize",
}

#: Types of Go's arrays' elements.
_ELEMENTS = _PLAIN | {"byte": "u8", "uint8": "u8", "int8": "i8", "int16": "i16", "uint16": "u16"}

#: Numbers that wasmexport refuses, to what to write.
_INSTEAD = {
    "int": "int32 or int64",
    "uint": "uint32 or uint64",
    "int8": "int32",
    "int16": "int32",
    "uint8": "uint32",
    "byte": "uint32",
    "uint16": "uint32",
    "rune": "int32",
}

_PAIR = "xs *T, n uint32, and unsafe.Slice(xs, n) inside"

_EXPORT = re.compile(r"//go:wasmexport\s+(\S+)")
_OTHER_EXPORT = re.compile(r"//export\s+(\S+)")


def read(code: str, language: str) -> CellCode:
    """See `wasm_lab.cells.languages.read_code`."""
    root = parse(language, code).root_node
    signatures, has_main, empty = [], False, True
    for node in root.named_children:
        if node.type != "function_declaration":
            continue
        name, body = text_of(node.child_by_field_name("name")), node.child_by_field_name("body")
        if name == "main":
            has_main = True
            empty = body is not None and not [each for each in body.named_children if each.type != "comment"]
        for comment in comments_before(node):
            exported, other = _EXPORT.match(comment), _OTHER_EXPORT.match(comment)
            if exported:
                signatures.append(_signature(node, exported[1]))
            elif other:
                why = f"//export is TinyGo's; write //go:wasmexport {other[1]}"
                signatures.append(replace(_signature(node, other[1]), obstacle=why))
    library = bool(signatures) and empty
    return CellCode(
        kind=Kind.FUNCTIONS if library else Kind.PROGRAM,
        functions=tuple(signatures),
        has_main=has_main,
    )


def _signature(node: Node, exported: str) -> Signature:
    body, result_node = node.child_by_field_name("body"), node.child_by_field_name("result")
    listed = node.child_by_field_name("parameters")
    parameters, why = joined(list(_written(listed)) if listed is not None else [], pair=_PAIR)
    result, why_result = _result(one_line(result_node) if result_node is not None else "")
    return Signature(
        name=exported,
        parameters=parameters,
        result=result,
        doc=comment_before(node),
        text=one_line(node, body),
        line=line_of(node),
        obstacle=why or why_result,
    )


def _written(listed: Node) -> Iterator[Written]:
    number = 0
    for child in listed.named_children:
        if child.type == "variadic_parameter_declaration":
            yield Written(text=one_line(child), why="a wasmexport function takes no ...; name each argument")
        if child.type != "parameter_declaration":
            continue
        kind = one_line(child.child_by_field_name("type") or child)
        names = [text_of(each) for each in child.children_by_field_name("name")]
        for name in names or [f"arg{number}"]:
            number += 1
            yield _typed(name, kind)


def _typed(name: str, kind: str) -> Written:
    text = f"{name} {kind}"
    if kind in _PLAIN:
        return Written(name=name, text=text, plain=_PLAIN[kind])
    if kind == "string":
        return Written(name=name, text=text, pointee="u8", constant=True, letters=True, counted=True)
    if kind == "unsafe.Pointer":
        return Written(name=name, text=text, pointee="u8")
    if kind.startswith("*") and kind[1:] in _ELEMENTS:
        return Written(name=name, text=text, pointee=_ELEMENTS[kind[1:]])
    return Written(name=name, text=text, why=_no_form(kind))


def _no_form(kind: str) -> str:
    if kind in _INSTEAD:
        return f"wasmexport does not take {kind}; write {_INSTEAD[kind]}"
    if kind.startswith("[]"):
        return f"wasmexport does not take the slice {kind}; write {_PAIR.replace('*T', '*' + kind[2:])}"
    return f"wasmexport does not take {kind}; numbers cross, string, and {_PAIR}"


def _result(kind: str) -> tuple[RustType, str]:
    if not kind:
        return UNIT, ""
    if kind in _PLAIN:
        return RustType(_PLAIN[kind], (), kind), ""
    if kind == "string":
        return (
            UNIT,
            "its result: wasmexport returns no string; write into a buffer of the caller's, and return the length",
        )
    return UNIT, f"its result: {_no_form(kind)}"
