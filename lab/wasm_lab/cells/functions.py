"""Reading the signatures of a cell's public functions from its syntax tree."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

from wasm_lab.cells.signatures import UNIT, Parameter, RustType, Signature
from wasm_lab.cells.syntax import Syntax, attribute_name, attributes_before, string_values, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

#: How deep an alias may name another: more than anyone writes, and an end to circles.
_ALIAS_DEPTH = 8

#: Types that one signature may be made of, aliases expanded, and that may be looked at to find out. Aliases that
#: name others twice grow faster than anyone can wait for.
_MOST_TYPES, _MOST_LOOKS = 500, 5000

_TYPES = {"struct_item", "enum_item", "union_item"}


def public_functions(syntax: Syntax) -> tuple[Signature, ...]:
    """The signatures of every top-level ``pub fn``, in their order."""
    aliases = {
        text_of(node.child_by_field_name("name")): node for node in syntax.nodes if node.type == "type_item"
    }
    own = {text_of(node.child_by_field_name("name")) for node in syntax.nodes if node.type in _TYPES}
    reader = _Reader(syntax, aliases, own)
    return tuple(
        reader.signature(node, index)
        for index, node in enumerate(syntax.nodes)
        if node.type == "function_item" and _is_public(node) and not _only_in_tests(syntax.nodes, index)
    )


def has_private_functions(syntax: Syntax) -> bool:
    """Whether there is a top-level function that is not public."""
    return any(node.type == "function_item" and not _is_public(node) for node in syntax.nodes)


def _is_public(node: Node) -> bool:
    return any(child.type == "visibility_modifier" and text_of(child) == "pub" for child in node.children)


def _only_in_tests(nodes: list[Node], index: int) -> bool:
    texts = [text_of(node).replace(" ", "") for node in attributes_before(nodes, index)]
    return any(text.startswith(("#[test]", "#[cfg(test)]")) for text in texts)


class _Reader:
    def __init__(self, syntax: Syntax, aliases: dict[str, Node], own: set[str]) -> None:
        self.syntax = syntax
        self.aliases = aliases
        self.own = own  # types that the cell defines, which may be called as one of std's
        self._looks = 0

    def signature(self, node: Node, index: int) -> Signature:
        self._looks = _MOST_LOOKS
        name = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        result = node.child_by_field_name("return_type")
        text = self.syntax.bytes[self.syntax.start(node) : self.syntax.end(node)].decode()
        if body is not None:
            text = self.syntax.bytes[self.syntax.start(node) : self.syntax.start(body)].decode()
        return Signature(
            name=text_of(name).removeprefix("r#"),
            parameters=tuple(self._parameters(node)),
            result=self._bounded(result) if result else UNIT,
            doc=_doc(self.syntax.nodes, index),
            text=" ".join(text.split()).removeprefix("pub "),
            line=self.syntax.line(name or node),
            obstacle=_obstacle(node) or _condition(self.syntax.nodes, index),
        )

    def _parameters(self, node: Node) -> list[Parameter]:
        parameters: list[Parameter] = []
        listed = node.child_by_field_name("parameters")
        for child in listed.named_children if listed else ():
            if child.type != "parameter":
                continue
            pattern = child.child_by_field_name("pattern")
            name = text_of(pattern) if pattern and pattern.type == "identifier" else f"arg{len(parameters)}"
            type_node = child.child_by_field_name("type")
            parameters.append(Parameter(name, self._bounded(type_node) if type_node else RustType("other")))
        return parameters

    def _bounded(self, node: Node) -> RustType:
        """A type that is not too large to be looked through."""
        tree = self._type(node)
        count, stack = 0, [tree]
        while stack:
            count += 1
            if count > _MOST_TYPES:
                return RustType("other", text=tree.text)
            stack.extend(stack.pop().args)
        return tree

    def _type(self, node: Node, depth: int = 0) -> RustType:
        self._looks -= 1
        if self._looks < 0:
            return RustType("other", text=text_of(node))
        return replace(self._tree(node, depth), text=text_of(node))

    def _tree(self, node: Node, depth: int) -> RustType:
        parts = [
            child for child in node.named_children if child.type not in ("lifetime", "mutable_specifier")
        ]
        match node.type:
            case "primitive_type" | "type_identifier" | "scoped_type_identifier":
                path, _, name = text_of(node).rpartition("::")
                return RustType("other") if not path and name in self.own else self._named(name, depth)
            case "generic_type":
                path, _, name = text_of(node.child_by_field_name("type")).rpartition("::")
                if not path and name in self.own:
                    return RustType("other")
                listed = node.child_by_field_name("type_arguments")
                args = (
                    [child for child in listed.named_children if child.type != "lifetime"] if listed else []
                )
                return self._aliased(name, tuple(self._type(arg, depth) for arg in args), depth)
            case "tuple_type":
                return RustType("tuple", tuple(self._type(part, depth) for part in parts))
            case "unit_type":
                return UNIT
            case "array_type":
                name = "array" if node.child_by_field_name("length") else "slice"
                return RustType(name, (self._type(parts[0], depth),))
            case "reference_type":
                return self._reference(node, depth)
        return RustType("other")

    def _reference(self, node: Node, depth: int) -> RustType:
        mutable = " mut" if any(child.type == "mutable_specifier" for child in node.children) else ""
        target_node = node.child_by_field_name("type")
        if target_node is None:
            return RustType("other")
        target = self._type(target_node, depth)
        if target.name == "str" and not mutable:
            return RustType("str")
        if target.name == "slice":
            return RustType(f"slice{mutable}", target.args)
        return RustType(f"ref{mutable}", (target,))

    def _named(self, name: str, depth: int) -> RustType:
        return self._aliased(name, (), depth)

    def _aliased(self, name: str, args: tuple[RustType, ...], depth: int) -> RustType:
        alias = self.aliases.get(name)
        target = alias.child_by_field_name("type") if alias else None
        if alias is None or target is None or depth > _ALIAS_DEPTH:
            return RustType(name, args)
        listed = alias.child_by_field_name("type_parameters")
        names = [text_of(child) for child in listed.named_children] if listed else []
        return _substitute(self._type(target, depth + 1), dict(zip(names, args, strict=False)))


def _substitute(tree: RustType, values: dict[str, RustType]) -> RustType:
    if not tree.args and tree.name in values:
        return values[tree.name]
    return replace(tree, args=tuple(_substitute(arg, values) for arg in tree.args))


def _obstacle(node: Node) -> str:
    """Why a function of this form cannot cross, whatever its types; empty when it can."""
    listed = node.child_by_field_name("type_parameters")
    generic = [child for child in listed.named_children if "lifetime" not in child.type] if listed else []
    if generic:
        return (
            f"it is generic over {text_of(generic[0])}; write a function for the type that you want to call"
        )
    for child in node.children:
        if child.type == "function_modifiers":
            words = text_of(child).split()
            if "async" in words:
                return "it is async, and nothing here would drive it"
            if "unsafe" in words:
                return "it is unsafe; call it from a safe function that upholds what it asks for"
    return ""


def _condition(nodes: list[Node], index: int) -> str:
    for node in attributes_before(nodes, index):
        if node.type == "attribute_item" and attribute_name(node) == "cfg":
            return (
                f"whether it is there depends on {text_of(node)}; "
                "call it from a public function that is always there"
            )
    return ""


def _doc(nodes: list[Node], index: int) -> str:
    lines: list[str] = []
    for node in attributes_before(nodes, index):
        text = text_of(node)
        if text.startswith("///") and not text.startswith("////"):
            lines.insert(0, text[3:].rstrip("\n"))
        elif text.startswith("/**") and not text.startswith("/***"):
            body = text[3:-2].split("\n")
            lines[:0] = [line.lstrip().removeprefix("*") for line in body]
        elif node.type == "attribute_item" and attribute_name(node) == "doc":
            lines[:0] = "\n".join(string_values(node)).split("\n")
    return textwrap.dedent("\n".join(lines)).strip()
