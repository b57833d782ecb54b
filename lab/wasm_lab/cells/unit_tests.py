"""The ``#[test]`` functions of a piece of code, found by tree-sitter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.cells.syntax import Syntax, attribute_name, attributes_before, string_values, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCase:
    """One test, by the path that libtest gives it."""

    __test__ = False

    name: str
    should_panic: bool = False
    expected: str = ""  #: text that the panic must contain
    ignored: bool = False
    reason: str = ""  #: what ``#[ignore = "…"]`` says


@dataclass(frozen=True, slots=True)
class FoundTests:
    """The tests of a piece of code, and the byte ranges of their ``should_panic`` attributes."""

    cases: tuple[TestCase, ...]
    should_panic_ranges: tuple[tuple[int, int], ...]


def find_tests(syntax: Syntax) -> FoundTests:
    """Every test, in modules too. Those that a macro makes are not seen."""
    found = list(_tests(syntax, syntax.nodes, ""))
    return FoundTests(tuple(case for case, _ in found), tuple(span for _, ranges in found for span in ranges))


def _tests(syntax: Syntax, nodes: list[Node], path: str) -> Iterator[tuple[TestCase, list[tuple[int, int]]]]:
    for index, node in enumerate(nodes):
        name = path + text_of(node.child_by_field_name("name")).removeprefix("r#")
        if node.type == "mod_item":
            body = node.child_by_field_name("body")
            if body:
                yield from _tests(syntax, list(body.named_children), f"{name}::")
        elif node.type == "function_item":
            attributes = {
                attribute_name(attribute): attribute
                for attribute in attributes_before(nodes, index)
                if attribute.type == "attribute_item"
            }
            if "test" in attributes:
                yield _case(syntax, name, attributes)


def _case(syntax: Syntax, name: str, attributes: dict[str, Node]) -> tuple[TestCase, list[tuple[int, int]]]:
    panic, ignore = attributes.get("should_panic"), attributes.get("ignore")
    case = TestCase(
        name=name,
        should_panic=panic is not None,
        expected=_first_string(panic),
        ignored=ignore is not None,
        reason=_first_string(ignore),
    )
    return case, [(syntax.start(panic), syntax.end(panic))] if panic else []


def _first_string(node: Node | None) -> str:
    return next(iter(string_values(node)), "") if node else ""
