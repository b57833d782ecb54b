"""What a piece of code is: statements, a program or a library of functions."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from wasm_lab.cells.syntax import COMMENTS, ITEMS, Syntax, text_of
from wasm_lab.source import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

#: Macros of the standard library that make statements; any other macro with braces makes items.
_STATEMENT_MACROS = frozenset(
    "assert assert_eq assert_ne compile_error dbg debug_assert debug_assert_eq debug_assert_ne eprint "
    "eprintln format matches panic print println todo unimplemented unreachable vec write writeln".split()
)

#: wit-bindgen's macro: it makes a library's items, with whatever brackets it and others are called.
_BINDINGS = "generate"

#: The words that items begin with.
_ITEM_WORDS = frozenset(
    "# async const enum extern fn impl macro_rules mod pub static struct trait type union unsafe use".split()
)


def kind_of(syntax: Syntax) -> Kind:
    """The kind of a cell that is no test cell.

    A ``fn main`` makes a program. Nothing but items makes a library. Anything else is
    statements. Code that does not parse is taken for the likeliest of these: rustc's
    message about it is better than one of ours would be.
    """
    if any(_is_main(node) for node in syntax.nodes):
        return Kind.PROGRAM
    if any(_macro(node) == _BINDINGS for node in syntax.nodes):
        return Kind.FUNCTIONS
    if syntax.broken:
        return _likeliest([text_of(leaf) for node in syntax.nodes for leaf in _leaves(node)])
    return Kind.FUNCTIONS if all(map(_is_item, syntax.nodes)) else Kind.STATEMENTS


def _likeliest(words: list[str]) -> Kind:
    """A guess from the words of code that does not parse."""
    if ("fn", "main") in itertools.pairwise(words):
        return Kind.PROGRAM
    return Kind.FUNCTIONS if words and words[0] in _ITEM_WORDS else Kind.STATEMENTS


def _leaves(node: Node) -> Iterator[Node]:
    stack = [node]
    while stack:
        current = stack.pop()
        if current.type in COMMENTS:
            continue
        if current.child_count:
            stack.extend(reversed(current.children))
        else:
            yield current


def _is_main(node: Node) -> bool:
    return node.type == "function_item" and text_of(node.child_by_field_name("name")) == "main"


def _is_item(node: Node) -> bool:
    if node.type in ITEMS or node.type == "empty_statement":
        return True
    name = _macro(node)
    if not name or name in _STATEMENT_MACROS:
        return False
    call = node.named_children[0] if node.type == "expression_statement" else node
    return text_of(call.named_children[-1]).startswith("{")


def _macro(node: Node) -> str:
    """The name of the macro that a node calls, without its path; empty when it calls none."""
    if node.type == "expression_statement" and node.named_children:
        node = node.named_children[0]
    if node.type != "macro_invocation":
        return ""
    return text_of(node.child_by_field_name("macro")).rpartition("::")[2]
