"""Zig: ``export fn``, and whether there is a ``pub fn main``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wasm_lab.cells.languages import CellCode
from wasm_lab.cells.languages.pairs import Written, joined
from wasm_lab.cells.languages.tree import comment_before, line_of, one_line, parse
from wasm_lab.cells.signatures import UNIT, RustType, Signature
from wasm_lab.cells.syntax import text_of
from wasm_lab.source import Kind

if TYPE_CHECKING:
    from tree_sitter import Node

#: Zig's numbers that C's way of calling passes, and those of C itself (wasm32: ILP32).
_PLAIN = {f"{sign}{bits}": f"{sign}{bits}" for sign in "iu" for bits in (8, 16, 32, 64, "size")} | {
    "f32": "f32",
    "f64": "f64",
    "bool": "bool",
    "c_char": "i8",
    "c_short": "i16",
    "c_ushort": "u16",
    "c_int": "i32",
    "c_uint": "u32",
    "c_long": "i32",
    "c_ulong": "u32",
    "c_longlong": "i64",
    "c_ulonglong": "u64",
}

_PAIR = "xs: [*]const T, n: usize for what is read, out: [*]T, n: usize for what is written"

_POINTER = re.compile(
    r"(?P<optional>\??)(?P<shape>\*|\[\*(?::0)?(?:c)?\]|\[\*c\])\s*(?P<const>const\s+)?(?P<of>\w+)"
)
_SLICE = re.compile(r"\[(?::0)?\]\s*(?P<const>const\s+)?(?P<of>\w+)")


def read(code: str, language: str) -> CellCode:
    """See `wasm_lab.cells.languages.read_code`."""
    root = parse(language, code).root_node
    signatures, main = [], False
    for node in root.named_children:
        if node.type != "function_declaration":
            continue
        words = [text_of(child) for child in node.children if not child.is_named]
        name = text_of(node.child_by_field_name("name"))
        if name == "main" and "pub" in words:
            main = True
        elif "export" in words:
            signatures.append(_signature(node, name))
    return CellCode(
        kind=Kind.PROGRAM if main else Kind.FUNCTIONS,
        functions=tuple(signatures),
        has_main=main,
    )


def _signature(node: Node, name: str) -> Signature:
    body, kind = node.child_by_field_name("body"), node.child_by_field_name("type")
    listed = next((child for child in node.named_children if child.type == "parameters"), None)
    written = (
        [_written(child) for child in listed.named_children if child.type == "parameter"] if listed else []
    )
    parameters, why = joined(written, pair=_PAIR)
    result, why_result = _result(one_line(kind) if kind is not None else "void")
    return Signature(
        name=name,
        parameters=parameters,
        result=result,
        doc=comment_before(node),
        text=one_line(node, body).removeprefix("pub ").removeprefix("export "),
        line=line_of(node),
        obstacle=why or why_result,
    )


def _written(node: Node) -> Written:
    name, kind = text_of(node.child_by_field_name("name")), node.child_by_field_name("type")
    text, of = one_line(node), one_line(kind) if kind is not None else ""
    if of in _PLAIN:
        return Written(name=name, text=text, plain=_PLAIN[of], counts=of == "usize")
    pointer = _POINTER.fullmatch(of)
    if pointer and pointer["of"] in _PLAIN and not pointer["optional"]:
        terminated, element = ":0" in pointer["shape"], _PLAIN[pointer["of"]]
        if pointer["shape"] == "*":
            return Written(
                name=name, text=text, why=f"{of} is one value's address; return the value, or write {_PAIR}"
            )
        constant = bool(pointer["const"])
        return Written(
            name=name,
            text=text,
            pointee=element,
            constant=constant,
            letters=terminated and element == "u8",
            terminated=terminated,
        )
    slice_ = _SLICE.fullmatch(of)
    if slice_:
        given = f"{name}: [*]{slice_['const'] or ''}{slice_['of']}, {name}_len: usize"
        return Written(name=name, text=text, why=f"{of} cannot cross C's way of calling; write {given}")
    return Written(name=name, text=text, why=_no_form(of))


def _no_form(kind: str) -> str:
    if kind.startswith(("!", "anyerror")) or "!" in kind:
        return f"{kind} can fail in a way that only Zig knows; return a number that says so"
    if kind.startswith("?"):
        return f"{kind} may be null, which no number says; take the value and a flag"
    if re.fullmatch(r"[iu]\d+|f16|f80|f128", kind):
        return f"{kind} is none of Wasm's numbers; use i32, i64, u32, u64, f32 or f64"
    return f"{kind} has no Python form; numbers have, and {_PAIR}"


def _result(kind: str) -> tuple[RustType, str]:
    if kind in ("void", "noreturn"):
        return UNIT, ""
    if kind in _PLAIN:
        return RustType(_PLAIN[kind], (), kind), ""
    if re.fullmatch(r"\[\*:0\]\s*const\s+u8", kind):
        return RustType("cstr", (), kind), ""
    return UNIT, f"its result: {_no_form(kind)}"
