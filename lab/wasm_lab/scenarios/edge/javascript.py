"""What a JavaScript text imports and exports, by its tree: no word in a comment, string or pattern counts.

workerd reads the text in full and says what is wrong with it. This comes before that: it only has to see
which files a worker is made of, and whether it is a module.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node, Parser, Query

#: What is looked for in a tree.
_QUERY = """
(import_statement source: (string) @import)
(export_statement source: (string) @import)
(call_expression function: (import) arguments: (arguments . (string) @import))
(export_statement) @export
(call_expression function: [
  (identifier) @called
  (member_expression property: (property_identifier) @called)
])
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says of itself."""

    imports: tuple[tuple[str, int], ...]  #: what it imports, and on which line, from 1
    exports: bool  #: whether it exports anything, and so is a module
    default: bool  #: whether it has a default export
    listens: bool  #: whether it calls ``addEventListener``


def read(code: str) -> Said:
    """What a text imports and exports; of one that is broken, what can be seen.

    Example:
        >>> read('import { a } from "./a.js"; export default { "fetch": a };')
        Said(imports=(('./a.js', 1),), exports=True, default=True, listens=False)
    """
    from tree_sitter import QueryCursor

    parser, query = _grammar()
    root = parser.parse(code.encode()).root_node
    found = QueryCursor(query).captures(root)
    imports = sorted(found.get("import", ()), key=lambda node: node.start_byte)
    exports = found.get("export", ())
    # In a text that is broken, the words alone: workerd shall say what is wrong, and not we that there is no export.
    words = [*_words(root)] if root.has_error else []
    return Said(
        imports=tuple((_text(node)[1:-1], node.start_point.row + 1) for node in imports),
        exports=bool(exports) or "export" in words,
        default=any("default" in _exported(node) for node in exports)
        or ("export", "default") in pairwise(words),
        listens=any(_text(node) == "addEventListener" for node in found.get("called", ()))
        or "addEventListener" in words,
    )


@functools.cache
def _grammar() -> tuple[Parser, Query]:
    import tree_sitter_javascript
    from tree_sitter import Language, Parser, Query

    language = Language(tree_sitter_javascript.language())
    return Parser(language), Query(language, _QUERY)


def _exported(statement: Node) -> Iterator[str]:
    """The names that are not those of a declaration."""
    for child in statement.children:
        if child.type == "default":
            yield "default"
        elif child.type == "namespace_export":  # * as NAME
            yield _text(child.children[-1]).strip("'\"")
        elif child.type == "export_clause":
            for each in child.named_children:
                name = each.child_by_field_name("alias") or each.child_by_field_name("name")
                if name is not None:
                    yield _text(name).strip("'\"")


def _words(node: Node) -> Iterator[str]:
    """The leaves of a tree that are no properties, and no part of a comment, string or pattern."""
    unread = [node]
    while unread:
        node = unread.pop()
        if node.children:
            unread.extend(reversed(node.children))
        elif node.type not in ("comment", "string_fragment", "regex_pattern", "property_identifier"):
            # After a type's <, all that follows is taken for the text of an element.
            yield from _text(node).replace(";", " ").split()


def _text(node: Node) -> str:
    return (node.text or b"").decode()
