"""A YAML text as a tree that knows where each of its parts stands.

Built from the events of libyaml, without recursion and with bounds: manifests are read before anybody has
looked at them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

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
    """Events of one document to nodes. ``problems`` are duplicate keys and other doubtful things."""

    def __init__(self, file: str, first_line: int) -> None:
        self.file = file
        self.offset = first_line  #: the line before the text's first
        self.problems: list[Problem] = []
        self.root: Node | None = None
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._parts = 0

    def take(self, event: Any) -> None:
        """Go on by one event of libyaml.

        Raises:
            YamlMistake: an unknown alias, too deep, too large.
        """
        import yaml

        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._put(self._scalar(event), event.anchor)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            mark = event.start_mark
            node = Node(
                "map" if kind is yaml.MappingStartEvent else "list",
                self.offset + mark.line + 1,
                mark.column + 1,
            )
            node.value = {} if node.kind == "map" else []
            if len(self._open) >= DEPTH_MAX:
                self._fail(node, f"more than {DEPTH_MAX} levels deep; nothing of Kubernetes is.")
            self._open.append(_Open(node, event.anchor))
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            done = self._open.pop()
            for node in done.merged:
                self._merge(done.node, node)
            self._put(done.node, done.anchor)
        elif kind is yaml.AliasEvent:
            mark = event.start_mark
            line, column = self.offset + mark.line + 1, mark.column + 1
            node = self._anchors.get(event.anchor) or Node("scalar", line, column)
            if event.anchor not in self._anchors:
                self._fail(
                    Node("scalar", line, column),
                    f"`*{event.anchor}` refers to an anchor `&{event.anchor}` that does not stand before it.",
                    "An anchor stands before its uses, in the same document. Quote text that begins with *.",
                )
            self._put(node, None)

    def _scalar(self, event: Any) -> Node:
        mark = event.start_mark
        node = Node("scalar", self.offset + mark.line + 1, mark.column + 1)
        node.raw = event.value
        node.quoted = event.style is not None
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
        self._parts += node.size if node.kind == "scalar" or not self._open else 0
        if not self._open:
            self.root = node
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

    def _fail(self, node: Node, message: str, hint: str = "") -> None:
        raise YamlMistake(Problem(self.file, node.line, node.column, message, hint))


def compose(text: str, *, file: str = "", first_line: int = 0) -> tuple[Node | None, list[Problem]]:
    """One document as a tree; None for an empty one.

    Args:
        text: one YAML document, or JSON.
        file: for the messages.
        first_line: how many lines of the file stand before the text.

    Raises:
        YamlMistake: it is no YAML.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    given, changed = text, 0
    while True:
        composer = Composer(file, first_line)
        try:
            for event in yaml.parse(given, Loader=loader):
                composer.take(event)
        except yaml.YAMLError as error:
            plain = _quotes_as_go(given, error) if changed < QUOTED_MAX else None
            if plain is None:
                raise YamlMistake(explain(error, text, file, first_line)) from error
            given, changed = plain, changed + 1
        except RecursionError as error:
            raise YamlMistake(Problem(file, first_line + 1, 1, "too deeply nested to be read.")) from error
        else:
            return composer.root, composer.problems


#: Texts with ``\\'`` in one document; each costs another reading.
QUOTED_MAX = 50

_REST = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def _quotes_as_go(text: str, error: Any) -> str | None:
    """The text with ``'`` for every ``\\'`` of the scalar in which libyaml refuses one; None for other errors.

    kubectl's reader takes ``\\'`` in double quotes for a quote (``scannerc.go`` of go.yaml.in/yaml/v2), though
    YAML has no such escape.
    """
    mark = getattr(error, "problem_mark", None)
    if mark is None or getattr(error, "problem", "") != "found unknown escape character":
        return None
    at = mark.index
    rest = _REST.match(text, at)
    if rest is None or not text.startswith("\\'", at):
        return None
    plain = _ESCAPE.sub(lambda found: "'" if found[1] == "'" else found[0], rest[0])
    return text[:at] + plain + text[rest.end() :]


_TAB = re.compile(r"^ *\t")
_DASHES = re.compile(r"^\s*(-{2}|-{4,}|[—–]+)\s*$|^\s+---\s*$")
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")


def explain(error: Any, text: str, file: str, first_line: int) -> Problem:
    """libyaml's complaint at its line, in words that say what to do."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    lines = text.splitlines() or [""]
    line, column = (mark.line, mark.column) if mark is not None else _reader_place(error, text)
    line = min(line, len(lines) - 1)
    what = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)

    def problem(at: int, column: int, message: str, hint: str = "") -> Problem:
        return Problem(file, first_line + at + 1, column + 1, message, hint)

    for at in range(min(line + 2, len(lines))):
        if _TAB.match(lines[at]) and lines[at].strip():
            return problem(
                at,
                lines[at].index("\t"),
                "a tab in the indentation; YAML allows only spaces there.",
                "Write two spaces for each level, and set your editor to do so.",
            )
    for at in range(max(0, line - 1), min(line + 2, len(lines))):
        if _DASHES.match(lines[at]):
            return problem(
                at,
                len(lines[at]) - len(lines[at].lstrip()),
                f"`{lines[at].strip()}` does not separate documents.",
                "Documents are separated by a line of exactly three dashes, at its very beginning: ---",
            )
    template = next((at for at, each in enumerate(lines) if _TEMPLATE.search(each)), None)
    if template is not None:
        return problem(
            template,
            _column(lines[template]),
            "this is a template, not YAML: `{{ … }}` must be filled in before Kubernetes can read it.",
            "For a Helm chart: helm template . | wasm-lab kube validate -",
        )
    return problem(line, column, f"no YAML: {what}.", _mend(what, lines, line))


def _column(line: str) -> int:
    found = _TEMPLATE.search(line)
    return found.start() if found else 0


def _reader_place(error: Any, text: str) -> tuple[int, int]:
    position = getattr(error, "position", 0) or 0
    before = text[:position]
    return before.count("\n"), position - (before.rfind("\n") + 1)


def _mend(what: str, lines: list[str], line: int) -> str:
    if "mapping values are not allowed" in what:
        return "Text that holds `: ` must be quoted; else look at the indentation of this line and the one above."
    if "could not find expected ':'" in what:
        return "A key needs a colon and a space after it: `name: value`."
    if "did not find expected key" in what or "did not find expected '-'" in what:
        return "The indentation of this line fits none of the levels above; or a quote above is not closed."
    if "cannot start any token" in what:
        return "Quote text that begins with @, `, % or a tab."
    if "control characters" in what or "special characters" in what:
        return "Remove the character; it is invisible in most editors."
    if "unexpected end of stream" in what or "expected ',' or" in what:
        return "A quote or bracket is not closed."
    return ""
