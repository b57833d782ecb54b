"""Source to the text that rustc sees, with every line where the learner wrote it.

A library's glue stands in a file of its own, so the learner's text is left alone.
Statements are wrapped in a ``main`` as in a Rust documentation test. What that adds stands on
the free line before the code (a cell's first line is the magic), at a line's end or after
the last line, so rustc's line numbers are the cell's own.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING

from wasm_lab.cells.syntax import COMMENTS, ITEMS, Syntax, text_of
from wasm_lab.cells.unit_tests import TestCase, find_tests
from wasm_lab.source import Kind

if TYPE_CHECKING:
    from tree_sitter import Node

    from wasm_lab.cells.signatures import Signature
    from wasm_lab.source import Source

__all__ = ["Crate", "TestCase", "crate_for"]

GLUE_FILE = "__wasm_lab_glue.rs"
SHOW_FILE = "__wasm_lab_show.rs"

#: Before the last expression of a statements cell: shows its value.
SHOW_OPEN = "__wasm_lab_show!("

#: What a cell may end with and show no value.
_SILENT = ITEMS | {
    "let_declaration",
    "empty_statement",
    "return_expression",
    "assignment_expression",
    "compound_assignment_expr",
    "ERROR",
}


#: Expressions that are statements of their own and have the value of their last expression.
_BLOCKS = {"if_expression", "match_expression", "block", "unsafe_block", "const_block"}


@dataclass(frozen=True, kw_only=True)
class Crate:
    """What rustc is given for a Source, and what comes out of it."""

    root: str  #: the text of the crate's root file
    files: dict[str, str] = field(default_factory=dict)  #: further files beside it
    crate_type: str = "bin"  #: ``bin`` or ``cdylib``
    functions: tuple[Signature, ...] = ()  #: those that Python can call
    refused: tuple[tuple[str, str], ...] = ()  #: (function, why Python cannot call it)
    exports: tuple[str, ...] = ()  #: the names under which the glue exports functions
    tests: tuple[TestCase, ...] = ()
    line_offset: int = 0  #: the cell's line is rustc's plus this
    synthetic: tuple[str, ...] = ()  #: pieces of text in the root that the learner did not write


@functools.lru_cache(maxsize=256)
def _crate(code: str, kind: Kind, first_line: int, edition: str) -> Crate:
    syntax = Syntax(code)
    before = "\n" * (first_line - 1)
    match kind:
        case Kind.PROGRAM:
            return Crate(root=before + code)
        case Kind.TESTS:
            tests = find_tests(syntax)
            return Crate(root=before + _blanked(syntax, tests.should_panic_ranges), tests=tests.cases)
        case Kind.FUNCTIONS:
            return _library(syntax, code, before, first_line, edition)
        case Kind.STATEMENTS:
            return _statements(syntax, first_line)


def crate_for(source: Source) -> Crate:
    """The crate of a Source; of another language, the functions that it exports. Cheap the second time."""
    if source.language != "rust":
        return _exports(source)
    if source.bindings is not None:
        from wasm_lab.build.world_crate import world_crate

        return world_crate(source.code, source.first_line, source.bindings)
    return _crate(source.code, source.kind, source.first_line, source.edition)


def _exports(source: Source) -> Crate:
    from wasm_lab.cells.languages import exported_functions

    functions = exported_functions(source) if source.kind is Kind.FUNCTIONS else ()
    return Crate(
        root=source.code,
        functions=tuple(each for each in functions if not each.obstacle),
        refused=tuple((each.name, each.obstacle) for each in functions if each.obstacle),
    )


def _blanked(syntax: Syntax, ranges: tuple[tuple[int, int], ...]) -> str:
    """The code with some byte ranges replaced by blanks, each line and column where it was."""
    text = bytearray(syntax.bytes)
    for start, end in ranges:
        text[start:end] = b"".join(b"\n" if byte == 10 else b" " for byte in text[start:end])
    return text.decode()


def _library(syntax: Syntax, code: str, before: str, first_line: int, edition: str) -> Crate:
    from dataclasses import replace

    from wasm_lab import abi
    from wasm_lab.cells.functions import public_functions

    functions, refused = [], []
    for signature in public_functions(syntax):
        why = abi.obstacle(signature)
        if why:
            refused.append((signature.name, why))
        else:
            functions.append(replace(signature, line=signature.line + first_line - 1))
    root = before + allowing_glue(syntax, code)
    if not functions:
        return Crate(root=root, crate_type="cdylib", refused=tuple(refused))
    module = "\nmod __wasm_lab_glue;\n"  # no quote in it: one of the learner's may be unclosed
    return Crate(
        root=root + module,
        files={GLUE_FILE: abi.glue(functions, edition=edition)},
        crate_type="cdylib",
        functions=tuple(functions),
        refused=tuple(refused),
        exports=abi.exports(functions),
        synthetic=(module.strip(),),
    )


def allowing_glue(syntax: Syntax, code: str) -> str:
    """``forbid`` as ``deny``, which holds for the cell as well and lets the glue allow what it needs."""
    text = bytearray(syntax.bytes)
    for node in syntax.nodes:
        if node.type == "inner_attribute_item" and "forbid" in text_of(node):
            start, end = syntax.start(node), syntax.end(node)
            text[start:end] = text[start:end].replace(b"forbid", b"deny  ")
    return text.decode() if text != syntax.bytes else code


def _statements(syntax: Syntax, first_line: int) -> Crate:
    hoisted = [node for node in syntax.nodes if _is_hoisted(node)]
    ranges = [(syntax.start(node), syntax.end(node)) for node in hoisted]
    crate_level = " ".join(" ".join(text_of(node).split()) for node in hoisted)
    body = _blanked(syntax, tuple(ranges)).encode()
    tail = None if syntax.broken else _last_expression(syntax)
    returns, ending = _ending(syntax, tail)
    files, show, shown, close = {}, "", "", ""
    if tail is not None and not _is_result_of_main(tail):
        files = {SHOW_FILE: _show_module()}
        show = "#[macro_use] mod __wasm_lab_show; "
        shown, close = SHOW_OPEN, ");"
        at = _end_of_statement_before(syntax, tail)
        body = body[:at] + shown.encode() + body[at:]
    # The crate's own attributes come first; then all on one line, which no message shows.
    prelude = f"{crate_level} {show}fn main(){returns} {{ ".lstrip()
    last = f"\n{close}{ending}}}\n"
    before = "\n" * (first_line - 2) + prelude + "\n" if first_line > 1 else prelude
    return Crate(
        root=before + body.decode() + last,
        files=files,
        synthetic=tuple(piece for piece in (prelude, shown, last.strip()) if piece),
    )


def _is_hoisted(node: Node) -> bool:
    return node.type in ("inner_attribute_item", "extern_crate_declaration")


def _last_expression(syntax: Syntax) -> Node | None:
    """The expression whose value a cell shows: its last, when no semicolon ends it."""
    nodes = [node for node in syntax.nodes if node.type not in COMMENTS]
    if not nodes:
        return None
    last = nodes[-1]
    if last.type == "expression_statement":
        inner = last.named_children[0] if last.named_children else last
        shows = inner.type in _BLOCKS or (inner.type == "loop_expression" and _breaks_with_value(inner))
        return last if shows and not text_of(last).endswith(";") else None
    return None if last.type in _SILENT or _diverges(last) else last


def _breaks_with_value(loop: Node) -> bool:
    """Whether a ``loop`` ends by a ``break`` with a value, which is then its own."""
    label = next((text_of(child) for child in loop.named_children if child.type == "label"), "")
    stack = [(child, True) for child in loop.named_children]
    while stack:
        node, bare = stack.pop()
        if node.type in ("function_item", "closure_expression", "async_block", "impl_item", "mod_item"):
            continue
        if node.type == "break_expression":
            named = [text_of(child) for child in node.named_children if child.type == "label"]
            has_value = any(child.type not in ("label", *COMMENTS) for child in node.named_children)
            if has_value and (named == [label] if named else bare):
                return True
        bare = bare and node.type not in ("loop_expression", "while_expression", "for_expression")
        stack.extend((child, bare) for child in node.named_children)
    return False


def _diverges(node: Node) -> bool:
    """Whether an expression plainly has no value at all; its type could not be inferred when shown."""
    if node.type == "macro_invocation":
        return text_of(node.child_by_field_name("macro")) in ("panic", "todo", "unimplemented", "unreachable")
    called = text_of(node.child_by_field_name("function")) if node.type == "call_expression" else ""
    return called.endswith(("process::exit", "process::abort"))


def _end_of_statement_before(syntax: Syntax, tail: Node) -> int:
    """The byte at which the statement before the tail ends; 0 when there is none."""
    ends = [
        syntax.end(node)
        for node in syntax.nodes
        if syntax.end(node) <= syntax.start(tail) and node.type not in COMMENTS and not _is_hoisted(node)
    ]
    return ends[-1] if ends else 0


def _is_result_of_main(tail: Node) -> bool:
    """Whether the last expression is ``Ok(())`` or ``Ok::<(), E>(())``, as documentation tests end."""
    text = "".join(text_of(tail).split())
    return text.endswith("(())") and text.startswith(("Ok(", "Ok::<"))


def _ending(syntax: Syntax, tail: Node | None) -> tuple[str, str]:
    """The return type of ``main`` and the text before its closing brace."""
    if tail is not None and _is_result_of_main(tail):
        error = "impl ::core::fmt::Debug" if "::" in text_of(tail) else "Box<dyn ::std::error::Error>"
        if "::" in text_of(tail):
            # `main` itself may not return an opaque error.
            told = 'if let Err(error) = __wasm_lab_main() { eprintln!("Error: {error:?}"); ::std::process::exit(1) }'
            return f" {{ fn __wasm_lab_main() -> Result<(), {error}>", f"}} {told} "
        return f" -> Result<(), {error}>", ""
    if any(_asks(node) for node in syntax.nodes):
        return " -> Result<(), Box<dyn ::std::error::Error>>", " Ok(()) "
    return "", ""


def _asks(node: Node) -> bool:
    """Whether ``?`` is used outside functions and closures of the cell's own."""
    if node.type in ("function_item", "closure_expression", "async_block", "impl_item", "mod_item"):
        return False
    return node.type == "try_expression" or any(_asks(child) for child in node.named_children)


@functools.cache
def _show_module() -> str:
    return resources.files("wasm_lab.build").joinpath("show.rs").read_text(encoding="utf-8")
