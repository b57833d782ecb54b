"""Rust text to a tree-sitter tree, and small questions about its nodes."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node, Parser

#: A block around the code lets the grammar accept statements and a last expression beside items.
#: Items parse the same inside it.
_OPEN, _CLOSE = b"fn __wasm_lab_block() {\n", b"\n}"

COMMENTS = ("line_comment", "block_comment")

ITEMS = frozenset(
    {
        "function_item",
        "function_signature_item",
        "struct_item",
        "enum_item",
        "union_item",
        "trait_item",
        "impl_item",
        "mod_item",
        "use_declaration",
        "extern_crate_declaration",
        "const_item",
        "static_item",
        "type_item",
        "macro_definition",
        "foreign_mod_item",
        "attribute_item",
        "inner_attribute_item",
        "associated_type",
        *COMMENTS,
    }
)


@functools.cache
def _parser() -> Parser:
    import tree_sitter_rust
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_rust.language()))


def rust_tree(code: str) -> Node:
    """The root of the plain tree of a text, in which every node is at its own byte offset."""
    return _parser().parse(code.encode()).root_node


class Syntax:
    """A piece of Rust as a tree. Positions are byte offsets into the code's UTF-8 text.

    Example:
        >>> [node.type for node in Syntax("let x = 1; x").nodes]
        ['let_declaration', 'identifier']
    """

    def __init__(self, code: str) -> None:
        self.bytes = code.encode()
        tree = _parser().parse(_OPEN + self.bytes + _CLOSE)
        function = tree.root_node.named_children[0] if tree.root_node.named_children else tree.root_node
        body = function.child_by_field_name("body")
        self.broken = tree.root_node.has_error or body is None or len(tree.root_node.named_children) != 1
        if body is not None and not self.broken:
            self.nodes = list(body.named_children)
            self._shift = len(_OPEN)
        else:
            # A brace too many or too few: the plain tree still finds most items.
            plain = _parser().parse(self.bytes)
            self.nodes = list(plain.root_node.named_children)
            self._shift = 0
        self._tree = tree

    def start(self, node: Node) -> int:
        return node.start_byte - self._shift

    def end(self, node: Node) -> int:
        return node.end_byte - self._shift

    def line(self, node: Node) -> int:
        """The line of the code on which a node begins, from 1."""
        return self.bytes.count(b"\n", 0, self.start(node)) + 1


def text_of(node: Node | None) -> str:
    """The text of a node as it is written; empty for None."""
    return (node.text or b"").decode() if node else ""


def attributes_before(nodes: list[Node], index: int) -> Iterator[Node]:
    """The attributes and comments that stand directly before ``nodes[index]``, the nearest first."""
    for node in reversed(nodes[:index]):
        if node.type != "attribute_item" and node.type not in COMMENTS:
            return
        yield node


def attribute_name(node: Node) -> str:
    """The path of an ``attribute_item``, such as ``should_panic``."""
    attribute = next((child for child in node.named_children if child.type == "attribute"), None)
    return text_of(attribute.named_children[0]) if attribute and attribute.named_children else ""


def string_values(node: Node) -> list[str]:
    """The values of the string literals inside a node, in their order."""
    values = []
    stack = [node]
    while stack:
        current = stack.pop()
        if current.type in ("string_literal", "raw_string_literal"):
            values.append(_string_value(current))
        else:
            stack.extend(reversed(current.children))
    return values


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "\\": "\\", "'": "'", '"': '"'}


def _string_value(node: Node) -> str:
    parts = []
    for child in node.named_children:
        text = text_of(child)
        if child.type == "escape_sequence":
            body = text[1:]
            if body[0] == "x":
                parts.append(chr(int(body[1:], 16)))
            elif body[0] == "u":
                parts.append(chr(int(body[2:-1].replace("_", ""), 16)))
            elif body[0] != "\n":  # a backslash before a line end joins the lines
                parts.append(_ESCAPES.get(body[0], body))
        else:
            parts.append(text)
    return "".join(parts)
