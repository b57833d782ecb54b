"""C and C++: functions with a name of their own, and whether there is a ``main``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.cells.languages import CellCode
from wasm_lab.cells.languages.pairs import Written, joined
from wasm_lab.cells.languages.tree import comment_before, line_of, one_line, parse
from wasm_lab.cells.signatures import UNIT, RustType, Signature
from wasm_lab.cells.syntax import string_values, text_of
from wasm_lab.source import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

#: Sizes of C's own types on wasm32 (ILP32; ``char`` is signed): clang's WebAssembly target.
_SIZED = {
    "char": "i8",
    "signed char": "i8",
    "unsigned char": "u8",
    "short": "i16",
    "short int": "i16",
    "unsigned short": "u16",
    "unsigned short int": "u16",
    "int": "i32",
    "signed": "i32",
    "signed int": "i32",
    "unsigned": "u32",
    "unsigned int": "u32",
    "long": "i32",
    "long int": "i32",
    "unsigned long": "u32",
    "unsigned long int": "u32",
    "long long": "i64",
    "long long int": "i64",
    "signed long long": "i64",
    "unsigned long long": "u64",
    "unsigned long long int": "u64",
    "float": "f32",
    "double": "f64",
    "bool": "bool",
    "_Bool": "bool",
    "size_t": "usize",
    "ssize_t": "isize",
    "ptrdiff_t": "isize",
    "intptr_t": "isize",
    "uintptr_t": "usize",
    "byte": "u8",
} | {
    f"{sign}int{shape}{bits}_t": f"{'u' if sign else 'i'}{bits}"
    for sign in ("", "u")
    for bits in (8, 16, 32, 64)
    for shape in ("", "_least")
}

_WIDE = ("__int128", "long double", "_Decimal", "_Complex", "complex")

_PAIR = "const T *xs, size_t n for what is read, T *out, size_t n for what is written"

_QUALIFIERS = re.compile(r"\b(?:const|volatile|restrict|register|std::)\b|std::")

#: A macro without parameters, and what it stands for.
_DEFINED = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)(?:[ \t]+([^\n]*))?$", re.MULTILINE)
_ATTRIBUTE = re.compile(r"__attribute__\s*\(\(.*?\)\)(?!\))|\[\[[^\]]*\]\]|//.*|/\*.*?\*/")

#: Blocks whose contents stand at the top level all the same.
_TRANSPARENT = frozenset({"preproc_ifdef", "preproc_if", "preproc_else", "preproc_elif", "preproc_elifdef"})


def read(code: str, language: str) -> CellCode:
    """See `wasm_lab.cells.languages.read_code`."""
    root = parse(language, _without_marks(code)).root_node
    functions = [(node, linkage) for node, linkage in _functions(root, plain=language == "c")]
    aliases = _aliases(root)
    signatures, main = [], False
    for node, plain in functions:
        name = _name(node)
        if name == "main":
            main = True
        elif name and not _is_private(node):
            signatures.append(_signature(node, name, plain=plain, aliases=aliases))
    return CellCode(
        kind=Kind.PROGRAM if main else Kind.FUNCTIONS,
        functions=tuple(each for each in signatures if each is not None),
        has_main=main,
    )


def _without_marks(code: str) -> str:
    """The text without the macros that only mark functions, which the grammar takes for types; lines stay.

    Such as ``WASM_EXPORT int f(void)`` below ``#define WASM_EXPORT __attribute__((visibility("default")))``.
    """
    marks = {"EMSCRIPTEN_KEEPALIVE": ""}
    for name, value in _DEFINED.findall(code):
        rest = " ".join(_ATTRIBUTE.sub(" ", value).split())
        if rest in ("", "extern", 'extern "C"'):
            marks[name] = rest
    # Lines of the preprocessor come first, so that what they name stays.
    used = re.compile(rf"^[ \t]*#[^\n]*|\b(?:{'|'.join(map(re.escape, marks))})\b", re.MULTILINE)
    return used.sub(lambda found: marks.get(found[0], found[0]).ljust(len(found[0])), code)


@dataclass(frozen=True, slots=True)
class Main:
    """How a ``main`` is written; lines and columns count from 0."""

    line: int
    column: int
    returns: bool  #: whether it gives a status, and is not ``void``
    parameters: int


def find_main(code: str, language: str) -> Main | None:
    """The ``main`` that a text defines itself; None without one."""
    for node, _ in _functions(parse(language, code).root_node, plain=language == "c"):
        if _name(node) == "main":
            declarator = _declarator(node.child_by_field_name("declarator"))
            given = declarator.child_by_field_name("parameters") if declarator is not None else None
            several = [child for child in given.named_children if child.type != "comment"] if given else []
            return Main(
                *node.start_point,
                returns=text_of(node.child_by_field_name("type")) != "void",
                parameters=0 if [text_of(child) for child in several] == ["void"] else len(several),
            )
    return None


def _functions(node: Node, *, plain: bool) -> Iterator[tuple[Node, bool]]:
    """Every function that is defined outside of classes and templates; whether its name stays as it is."""
    for child in node.named_children:
        if child.type == "function_definition":
            yield child, plain
        elif child.type in _TRANSPARENT:
            yield from _functions(child, plain=plain)
        elif child.type == "linkage_specification":
            is_c = string_values(child)[:1] == ["C"] or text_of(child.child_by_field_name("value")) == '"C"'
            body = child.child_by_field_name("body")
            if body is not None and body.type == "declaration_list":
                yield from _functions(body, plain=is_c)
            elif body is not None and body.type == "function_definition":
                yield body, is_c
        elif child.type == "namespace_definition" and child.child_by_field_name("name"):
            body = child.child_by_field_name("body")
            if body is not None:
                yield from _functions(body, plain=False)


def _declarator(node: Node | None) -> Node | None:
    """The function's own declarator, below those of a pointer that it returns."""
    while node is not None and node.type in ("pointer_declarator", "reference_declarator"):
        node = node.child_by_field_name("declarator") or (
            node.named_children[-1] if node.named_children else None
        )
    return node if node is not None and node.type == "function_declarator" else None


def _name(node: Node) -> str:
    """A function's name; empty for a method, an operator and the like."""
    declarator = _declarator(node.child_by_field_name("declarator"))
    name = declarator.child_by_field_name("declarator") if declarator is not None else None
    return text_of(name) if name is not None and name.type == "identifier" else ""


def _is_private(node: Node) -> bool:
    words = [text_of(child) for child in node.children if child.type == "storage_class_specifier"]
    words += [text_of(child) for child in node.children if child.type in ("inline", "type_qualifier")]
    return "static" in words or "inline" in words or "consteval" in words


def _export_name(node: Node) -> str:
    """What ``__attribute__((export_name("x")))`` says."""
    body = node.child_by_field_name("body")
    text = one_line(node, body)
    found = re.search(r'export_name\s*\(\s*"([^"]+)"\s*\)', text)
    return found[1] if found else ""


def _aliases(root: Node) -> dict[str, str]:
    """What ``typedef`` and ``enum`` make of names, as types of numbers."""
    found: dict[str, str] = {}
    for node in root.named_children:
        if node.type == "type_definition":
            name, kind = node.child_by_field_name("declarator"), node.child_by_field_name("type")
            if name is not None and name.type == "type_identifier" and kind is not None:
                plain = "i32" if kind.type == "enum_specifier" else _plain(text_of(kind), found)
                if plain:
                    found[text_of(name)] = plain
        elif node.type == "alias_declaration":  # using Number = double;
            plain = _plain(text_of(node.child_by_field_name("type")), found)
            if plain:
                found[text_of(node.child_by_field_name("name"))] = plain
    return found


def _plain(text: str, aliases: dict[str, str]) -> str:
    bare = " ".join(_QUALIFIERS.sub(" ", text).split())
    if bare.startswith("enum "):
        return "i32"
    return aliases.get(bare) or _SIZED.get(bare) or _SIZED.get(_reordered(bare), "")


def _reordered(text: str) -> str:
    """``long unsigned int`` in the usual order."""
    words = text.split()
    return " ".join(
        [
            *(w for w in words if w in ("signed", "unsigned")),
            *(w for w in words if w not in ("signed", "unsigned")),
        ]
    )


def _signature(node: Node, name: str, *, plain: bool, aliases: dict[str, str]) -> Signature | None:
    body = node.child_by_field_name("body")
    declarator = _declarator(node.child_by_field_name("declarator"))
    exported = _export_name(node)
    if declarator is None or body is None:
        return None
    text = one_line(node, body)
    text = re.sub(r"__attribute__\s*\(\(.*?\)\)\)?\s*|\bextern\s+(\"C\"\s*)?", "", text)
    parameters, why = joined(_parameters(declarator, aliases), pair=_PAIR)
    result, why_result = _result(node, aliases)
    if not plain and not exported:
        why = (
            f'its name is mangled, so nobody outside finds it; write extern "C" before it: extern "C" {text}'
        )
    return Signature(
        name=exported or name,
        parameters=parameters,
        result=result,
        doc=comment_before(node),
        text=text,
        line=line_of(declarator),
        obstacle=why or why_result,
    )


def _parameters(declarator: Node, aliases: dict[str, str]) -> list[Written]:
    listed = declarator.child_by_field_name("parameters")
    found: list[Written] = []
    for child in listed.children if listed is not None else ():
        if child.type == "parameter_declaration":
            if one_line(child) != "void":
                found.append(_written(child, f"arg{len(found)}", aliases))
        elif child.type in ("variadic_parameter", "..."):
            found.append(
                Written(text="...", why="a function with ... takes what only C knows; name each argument")
            )
        elif child.type == "optional_parameter_declaration":
            found.append(_written(child, f"arg{len(found)}", aliases))
    return found


def _written(node: Node, name: str, aliases: dict[str, str]) -> Written:
    kind, declarator = node.child_by_field_name("type"), node.child_by_field_name("declarator")
    text, stars, reference = one_line(node), 0, False
    while declarator is not None and declarator.type != "identifier":
        if "pointer" in declarator.type or "array" in declarator.type:
            stars += 1
        elif "reference" in declarator.type:
            reference = True
        elif "function" in declarator.type:
            why = "a function's address means nothing to Python; pass a number that says which to call"
            return Written(name=name, text=text, why=why)
        inner = declarator.child_by_field_name("declarator")
        if inner is None:
            inner = next((each for each in declarator.named_children if each.type != "type_qualifier"), None)
            if inner is not None and "declarator" not in inner.type and inner.type != "identifier":
                inner = None
        declarator = inner
    name = text_of(declarator) if declarator is not None else name
    constant = any(child.type == "type_qualifier" and text_of(child) == "const" for child in node.children)
    return _typed(name, text, text_of(kind), stars, constant=constant, reference=reference, aliases=aliases)


def _typed(
    name: str, text: str, kind: str, stars: int, *, constant: bool, reference: bool, aliases: dict[str, str]
) -> Written:
    bare = " ".join(_QUALIFIERS.sub(" ", kind).split())
    plain = _plain(kind, aliases)
    if reference:
        return Written(
            name=name, text=text, why="a reference is an address; take the value, or a pointer and a count"
        )
    if stars == 0:
        if plain:
            return Written(
                name=name, text=text, plain=plain, counts=bare in ("size_t", "ssize_t", "ptrdiff_t")
            )
        return Written(name=name, text=text, why=_no_form(bare))
    if stars > 1:
        return Written(name=name, text=text, why=f"an address of addresses has no Python form; write {_PAIR}")
    if bare in ("char", "char8_t"):
        return Written(name=name, text=text, pointee="u8", constant=constant, letters=True)
    if bare == "void" or plain:
        return Written(name=name, text=text, pointee=plain or "u8", constant=constant)
    why = f"the layout of {bare} is known only to C; pass its fields as arrays of numbers: {_PAIR}"
    return Written(name=name, text=text, why=why)


def _no_form(kind: str) -> str:
    if kind.startswith(_WIDE):
        return f"{kind} is wider than any number of Wasm; use long long or double"
    if kind.startswith(("std::", "string", "vector")) or "<" in kind:
        return f"{kind} lives in C++ alone; take const char *text, or const T *xs, size_t n"
    return f"{kind} is no number, and is passed in a way that only C knows; pass its fields one by one"


def _result(node: Node, aliases: dict[str, str]) -> tuple[RustType, str]:
    kind = text_of(node.child_by_field_name("type"))
    declarator = node.child_by_field_name("declarator")
    stars = 0
    while declarator is not None and declarator.type == "pointer_declarator":
        stars, declarator = stars + 1, declarator.child_by_field_name("declarator")
    bare = " ".join(_QUALIFIERS.sub(" ", kind).split())
    if stars == 0 and bare == "void":
        return UNIT, ""
    if stars == 0 and bare == "auto":
        return UNIT, "its result: auto tells nobody outside what it is; write the type"
    if stars == 1 and bare == "char":
        return RustType("cstr", (), f"{kind} *"), ""
    plain = _plain(kind, aliases)
    if stars == 0 and plain:
        return RustType(plain, (), kind), ""
    if stars:
        return UNIT, f"its result: {kind} * is an address alone; let the caller give the room: {_PAIR}"
    return UNIT, f"its result: {_no_form(bare)}"
