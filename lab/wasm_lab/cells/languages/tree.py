"""What every grammar of tree-sitter is asked for here."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING

from wasm_lab.cells.syntax import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node, Parser, Tree

#: Languages to the packages of their grammars.
GRAMMARS = {"c": "tree_sitter_c", "cpp": "tree_sitter_cpp", "zig": "tree_sitter_zig", "go": "tree_sitter_go"}


@functools.cache
def parser(language: str) -> Parser:
    from tree_sitter import Language, Parser

    return Parser(Language(importlib.import_module(GRAMMARS[language]).language()))


def parse(language: str, code: str) -> Tree:
    return parser(language).parse(code.encode())


def line_of(node: Node) -> int:
    """The line on which a node begins, from 1."""
    return int(node.start_point[0]) + 1


def one_line(node: Node, end: Node | None = None) -> str:
    """A node's text on one line; up to ``end``, if that is given."""
    text = node.text or b""
    if end is not None:
        text = text[: end.start_byte - node.start_byte]
    return " ".join(text.decode().split())


def comments_before(node: Node) -> list[str]:
    """The comments that stand directly above a node, in their order."""
    texts: list[str] = []
    below = node
    while (above := below.prev_named_sibling) is not None:
        if above.type != "comment" or above.end_point[0] < below.start_point[0] - 1:
            break
        texts.insert(0, text_of(above))
        below = above
    return texts


def comment_before(node: Node) -> str:
    """What the comment directly above a node says, without its marks."""
    lines = [line for text in comments_before(node) for line in text.split("\n")]
    return "\n".join(_bare(line) for line in lines if not _is_directive(line)).strip()


def _is_directive(line: str) -> bool:
    return line.startswith("//go:")


def _bare(line: str) -> str:
    line = line.strip().removesuffix("*/").strip()
    for mark in ("///", "//!", "//", "/**", "/*", "*"):
        if line.startswith(mark):
            return line.removeprefix(mark).strip()
    return line


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it, in their order."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(current.children))
