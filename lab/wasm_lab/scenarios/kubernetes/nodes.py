"""A document as a tree that knows where each of its parts stands.

Built without recursion and with bounds: manifests are read before anybody has looked at them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NoReturn

from wasm_lab.scenarios.kubernetes.problems import Problem
from wasm_lab.scenarios.kubernetes.scalars import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Parts of one document, aliases counted as often as they are used. etcd takes 1.5 MB for an object.
PARTS_MAX = 500_000
DEPTH_MAX = 200

_STR = "tag:yaml.org,2002:str"


class Node:
    """One part of a document: a mapping, a sequence or a scalar."""

    __slots__ = ("children", "column", "key_places", "kind", "line", "quoted", "raw", "size", "value")

    def __init__(self, kind: Literal["map", "list", "scalar"], line: int, column: int) -> None:
        self.kind = kind
        self.line = line  #: counted from 1
        self.column = column
        self.children: Any = {} if kind == "map" else []  #: by key, or in order
        self.key_places: dict[str, tuple[int, int]] = {}  #: where each key of a mapping stands
        self.value: Any = None  #: what it is in Python
        self.raw = ""  #: a scalar's own text
        self.quoted = False
        self.size = 1

    def at(self, path: Iterable[str | int]) -> Node:
        """The node at a path; the last one there is where the path goes on in nothing."""
        node = self
        for step in path:
            try:
                node = node.children[step]
            except (KeyError, IndexError, TypeError):
                return node
        return node

    def place(self, path: Iterable[str | int], *, key: bool = False) -> tuple[int, int]:
        """Line and column of the value at a path, or of its key."""
        steps = [*path]
        if not steps:
            return self.line, self.column
        *above, last = steps
        parent = self.at(above)
        if key and last in parent.key_places:
            return parent.key_places[str(last)]
        node = self.at([*above, last])
        return node.line, node.column


class YamlMistake(Exception):
    """A text is no YAML; ``problem`` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Open:
    """A mapping or sequence that is not closed yet."""

    __slots__ = ("anchor", "awaiting", "merged", "node")

    def __init__(self, node: Node, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.awaiting: tuple[str, int, int] | None = None  #: a key that waits for its value
        self.merged: list[Node] = []


class Composer:
    """Parts in the order of a text to nodes. ``problems`` are duplicate keys and other doubtful things."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.roots: list[Node] = []  #: what each document is; an empty one is none
        self._root: Node | None = None
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}

    def open(self, kind: Literal["map", "list"], place: tuple[int, int], anchor: str | None = None) -> None:
        """A mapping or sequence begins.

        Raises:
            YamlMistake: too deep.
        """
        node = Node(kind, *place)
        node.value = {} if kind == "map" else []
        if len(self._open) >= DEPTH_MAX:
            self._fail(node, f"more than {DEPTH_MAX} levels deep; nothing of Kubernetes is.")
        self._open.append(_Open(node, anchor))

    def close(self) -> None:
        """The innermost mapping or sequence ends.

        Raises:
            YamlMistake: too large.
        """
        done = self._open.pop()
        for node in done.merged:
            self._merge(done.node, node)
        self._put(done.node, done.anchor)

    def text(self, text: str, place: tuple[int, int]) -> None:
        """A text in quotes."""
        node = Node("scalar", *place)
        node.raw = node.value = text
        node.quoted = True
        self._put(node, None)

    def word(self, word: str, place: tuple[int, int]) -> None:
        """A word without quotes."""
        node = Node("scalar", *place)
        node.raw, node.value = word, resolve(word)
        self._put(node, None)

    def scalar(self, event: Any, place: tuple[int, int]) -> None:
        """A scalar of YAML, whatever its style and tag."""
        self._put(self._scalar(event, place), event.anchor)

    def alias(self, name: str, place: tuple[int, int]) -> None:
        """Another use of what has an anchor.

        Raises:
            YamlMistake: unknown.
        """
        node = self._anchors.get(name)
        if node is None:
            self._fail(
                Node("scalar", *place),
                f"`*{name}` refers to an anchor `&{name}` that does not stand before it.",
                "An anchor stands before its uses, in the same document. Quote text that begins with *.",
            )
        self._put(node, None)

    def end(self) -> None:
        """A document ends; its anchors are none of the next one."""
        if self._root is not None:
            self.roots.append(self._root)
        self._root = None
        self._anchors = {}

    def _scalar(self, event: Any, place: tuple[int, int]) -> Node:
        node = Node("scalar", *place)
        node.raw = event.value
        plain = event.style is None or event.style == ""
        node.quoted = not plain
        tag = event.tag
        if tag is None or tag == "!":
            node.value = resolve(event.value) if plain and tag is None else event.value
        elif tag == _STR or not tag.startswith("tag:yaml.org,2002:"):
            node.value = event.value
        elif tag == "tag:yaml.org,2002:float":
            found = resolve(event.value)
            node.value = float(found) if isinstance(found, int) else found
        else:
            node.value = resolve(event.value) if not tag.endswith(":binary") else event.value
        return node

    def _put(self, node: Node, anchor: str | None) -> None:
        """A complete node goes to where it belongs."""
        if anchor:
            self._anchors[anchor] = node
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if parent.node.kind == "list":
            parent.node.children.append(node)
            parent.node.value.append(node.value)
            self._grow(parent.node, node)
        elif parent.awaiting is None:
            parent.awaiting = (self._key(node), node.line, node.column)
        else:
            key, line, column = parent.awaiting
            parent.awaiting = None
            self._entry(parent, key, (line, column), node)

    def _entry(self, parent: _Open, key: str, place: tuple[int, int], node: Node) -> None:
        mapping = parent.node
        self._grow(mapping, node)
        if key == "<<" and node.kind != "scalar":
            parent.merged += node.children if node.kind == "list" else [node]
            return
        if key in mapping.children:
            self._duplicate(mapping, key, place)
        mapping.children[key] = node
        mapping.key_places[key] = place
        mapping.value[key] = node.value

    def _duplicate(self, mapping: Node, key: str, place: tuple[int, int]) -> None:
        first = mapping.key_places[key][0]
        hint = "Keep one of them."
        if len(self._open) == 1 and key in ("apiVersion", "kind", "metadata", "spec"):
            hint = "Keep one of them; or, if a second object begins here, put a line `---` before it."
        self.problems.append(
            Problem(
                self.file,
                *place,
                f"the key `{key}` is here a second time; the first is in line {first}. Some readers refuse this, "
                "others silently keep only the last.",
                hint,
                path=key,
            )
        )

    def _merge(self, into: Node, node: Node) -> None:
        """``<<``: the entries of another mapping, where this one has none of that name."""
        if node.kind != "map":
            self._fail(node, "`<<` merges mappings, and this is none.")
        for key, child in node.children.items():
            if key not in into.children:
                into.children[key] = child
                into.key_places[key] = node.key_places[key]
                into.value[key] = child.value

    def _key(self, node: Node) -> str:
        if node.kind != "scalar":
            braces = node.kind == "map"
            self._fail(
                node,
                "a mapping or list is no key."
                + (" `{{ … }}` looks like a template that was not filled in." if braces else ""),
                "Render a Helm chart first: helm template . | wasm-lab kube validate -" if braces else "",
            )
        value = node.value
        if isinstance(value, bool) and not node.quoted:
            if node.raw not in ("true", "false"):
                self.problems.append(
                    Problem(
                        self.file,
                        node.line,
                        node.column,
                        f"the key {node.raw} is read as `{str(value).lower()}`: YAML 1.1 has several words for it.",
                        f'Write "{node.raw}" in quotes.',
                        "warning",
                    )
                )
            return str(value).lower()
        if value is None:
            return node.raw if node.quoted else "null"
        return value if isinstance(value, str) else str(value)

    def _grow(self, parent: Node, node: Node) -> None:
        parent.size += node.size
        if parent.size > PARTS_MAX:
            self._fail(
                parent,
                f"more than {PARTS_MAX:,} parts, aliases counted at each use: too large for an object of Kubernetes.",
                "An API server refuses objects over 1.5 MB, and texts whose aliases multiply.",
            )

    def _fail(self, node: Node, message: str, hint: str = "") -> NoReturn:
        raise YamlMistake(Problem(self.file, node.line, node.column, message, hint))
