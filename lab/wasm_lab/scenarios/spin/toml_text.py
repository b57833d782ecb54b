"""TOML with places: the values by ``tomllib``, and where each of them stands by tree-sitter."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from wasm_lab.scenarios.spin.problems import Problem

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

#: Where a value is in the tree of values: names of keys, and numbers of elements from 0.
Path: TypeAlias = tuple[str | int, ...]
#: A line and a column, both counted from 1; columns count characters.
Place: TypeAlias = tuple[int, int]

TABLES = ("table", "table_array_element")
KEYS = ("bare_key", "quoted_key", "dotted_key")


class TomlSyntaxError(Exception):
    """The text is no TOML; ``problem`` says where and what to mend."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(slots=True)
class Toml:
    """A parsed text."""

    values: dict[str, Any]
    keys: dict[Path, Place] = field(default_factory=dict)  #: where each key, or table header, stands
    places: dict[Path, Place] = field(default_factory=dict)  #: where each value stands

    def key(self, path: Path) -> Place:
        """Where the key at ``path`` stands, or the nearest thing around it."""
        for end in range(len(path), 0, -1):
            if place := self.keys.get(path[:end]) or self.places.get(path[:end]):
                return place
        return (1, 1)

    def value(self, path: Path) -> Place:
        """Where the value at ``path`` stands, or its key, or the nearest thing around it."""
        return self.places.get(path) or self.key(path)


def parse_toml(text: str) -> Toml:
    """Read ``text``.

    Raises:
        TomlSyntaxError: it is no TOML.

    Example:
        >>> parse_toml("a = 1\\n[b]\\nc = 2").key(("b", "c"))
        (3, 1)
    """
    text = text.replace("\r\n", "\n")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TomlSyntaxError(_explain(text, str(error))) from None
    walk = _Walk(text)
    return Toml(values, walk.keys, walk.places)


@functools.cache
def _parser() -> Parser:
    import tree_sitter_toml
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_toml.language()))


class _Walk:
    """One walk over the syntax tree; also finds what is defined twice, which tomllib only names."""

    def __init__(self, text: str) -> None:
        self.keys: dict[Path, Place] = {}
        self.places: dict[Path, Place] = {}
        self.twice: list[tuple[Path, Place, Place]] = []  #: path, second place, first place
        self._arrays: dict[Path, int] = {}
        self._headers: dict[Path, Place] = {}
        self._lines = text.encode("utf-8").split(b"\n")
        for node in _parser().parse(text.encode("utf-8")).root_node.named_children:
            if node.type == "pair":
                self._pair(node, ())
            elif node.type in TABLES:
                self._table(node)

    def _place(self, node: Node) -> Place:
        row, column = node.start_point
        return row + 1, len(self._lines[row][:column].decode("utf-8", "replace")) + 1

    def _table(self, node: Node) -> None:
        header = next((child for child in node.named_children if child.type in KEYS), None)
        if header is None:
            return
        parts = _parts(header)
        path = self._down((), parts[:-1])
        last = (*path, _name(parts[-1]))
        place = self._place(parts[-1])
        if last in self.places or (node.type == "table" and last in self._arrays):
            self.twice.append((last, place, self.keys[last]))
        elif node.type == "table_array_element" and last in self._headers:
            self.twice.append((last, place, self._headers[last]))
        if node.type == "table_array_element":
            number = self._arrays[last] = self._arrays.get(last, 0) + 1
            self.keys.setdefault(last, place)
            last = (*last, number - 1)
            self.keys[last] = place
        elif last in self._headers:
            self.twice.append((last, place, self._headers[last]))
        else:
            self.keys.setdefault(last, place)
            self._headers[last] = place
        for child in node.named_children:
            if child.type == "pair":
                self._pair(child, last)

    def _down(self, path: Path, parts: list[Node]) -> Path:
        """Go down by ``parts``, into the newest element of each array of tables."""
        for part in parts:
            path = (*path, _name(part))
            self.keys.setdefault(path, self._place(part))
            if path in self._arrays:
                path = (*path, self._arrays[path] - 1)
        return path

    def _pair(self, node: Node, path: Path) -> None:
        key, *values = node.named_children
        parts = _parts(key)
        path = self._down(path, parts[:-1])
        path = (*path, _name(parts[-1]))
        place = self._place(parts[-1])
        if path in self.places:
            self.twice.append((path, place, self.keys[path]))
        self.keys[path] = place
        values = [value for value in values if value.type != "comment"]
        if values:
            self._value(values[0], path)

    def _value(self, node: Node, path: Path) -> None:
        self.places[path] = self._place(node)
        if node.type == "inline_table":
            for child in node.named_children:
                if child.type == "pair":
                    self._pair(child, path)
        elif node.type == "array":
            elements = [child for child in node.named_children if child.type != "comment"]
            for number, child in enumerate(elements):
                self._value(child, (*path, number))


def _parts(key: Node) -> list[Node]:
    """The parts of a key; the grammar nests dotted keys to the left."""
    if key.type != "dotted_key":
        return [key]
    return [part for child in key.named_children for part in _parts(child)]


def _name(key: Node) -> str:
    text = (key.text or b"").decode("utf-8", "replace")
    if key.type == "bare_key":
        return text
    try:
        return next(iter(tomllib.loads(f"{text} = 0")))
    except (tomllib.TOMLDecodeError, StopIteration):
        return text


def spell(path: Path) -> str:
    """Write a path as it is written in TOML, without the numbers of elements."""
    return ".".join(
        part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"'
        for part in path
        if isinstance(part, str)
    )


#: What tomllib says, and what a reader can do about it.
HINTS = (
    (r"Expected '=' after a key", "Write `key = value`; a colon or nothing between them is not TOML."),
    (r"Invalid initial character for a key part", "A key is letters, digits, - and _; others in quotes."),
    (r"Unclosed array", "The list lacks its closing ]."),
    (r"Unclosed inline table", "The table lacks its closing }. It must stand on one line."),
    (r"Unterminated string|Expected '\"\"\"'|Expected \"'''\"", "The text lacks its closing quote."),
    (r"Expected '\]+'", "A table's header is [name], and one of many is [[name]]."),
    (
        r"Unescaped '\\\\' in a string|Invalid hex value",
        "Write \\\\ for a backslash, or use 'single quotes'.",
    ),
    (r"Expected newline or end of document", "One line holds one `key = value`."),
)


def _explain(text: str, said: str) -> Problem:
    """Say what tomllib said, with the place and the mend."""
    found = re.search(r"^(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)$", said, re.DOTALL)
    message, line, column = (found[1], found[2], found[3]) if found else (said, None, None)
    lines = text.split("\n")
    row = int(line) if line else max(1, len(text.rstrip().split("\n")))
    place = (row, int(column) if column else len(lines[row - 1]) + 1)
    if twice := _Walk(text).twice:
        path, place, first = twice[0]
        name = spell(path)
        if "overwrite" in message or "twice" in message or "mutate" in message or "Duplicate" in message:
            return Problem(
                *place,
                f"`{name}` stands here for the second time; the first is in line {first[0]}",
                "TOML allows each key and each [table] once: keep one of the two.",
            )
        place = (row, int(column) if column else len(lines[row - 1]) + 1)
    return Problem(
        *place, f"this is no TOML: {message[:1].lower()}{message[1:]}", _mend(message, lines, place)
    )


#: What a list's brackets are told from: text in quotes of each kind, comments.
_TOKENS = re.compile(
    r'"""(?:\\.|[^\\])*?"""|' + r"'''.*?'''" + r'|"(?:\\.|[^"\\\n])*"|' + r"'[^'\n]*'" + r"|#[^\n]*|\[|\]",
    re.DOTALL,
)


def _mend_list(lines: list[str], place: Place) -> str:
    """What to do about a list that is open where the parser stopped; empty when none is."""
    row, column = place
    text = "\n".join([*lines[: row - 1], lines[row - 1][: column - 1]])
    opened: list[int] = []
    for found in _TOKENS.finditer(text):
        if found[0] == "[":
            opened.append(text.count("\n", 0, found.start()) + 1)
        elif found[0] == "]" and opened:
            opened.pop()
    if not opened or re.match(r"\s*\[", lines[opened[0] - 1]):  # the second is a header, no list
        return ""
    rest = lines[row - 1][column - 1 :].strip()
    if row > opened[0] and re.match(r"\s*(\[|[\w.\"'-]+\s*=)", lines[row - 1]):
        return f"The list that begins in line {opened[0]} lacks its closing ]."
    if not rest or "]" not in rest:
        return "The list lacks its closing ]."
    if re.match(r"[\"'\[{\d]", rest):
        return "Between two values of a list stands a comma."
    return "Each text in a list stands in quotes, and a comma between two of them."


def _mend(message: str, lines: list[str], place: Place) -> str:
    """Guess from the lines what the writer meant."""
    line = lines[place[0] - 1]
    value = line.partition("=")[2].strip()
    if re.search("[“”„‘’]", line):
        return 'These are typographic quotes; TOML wants straight ones: "…".'
    if re.match(r"\s*[<=>]{7}", line):
        return "This is a mark that git left where two versions did not fit together: keep one of them."
    if in_a_list := _mend_list(lines, place):
        return in_a_list
    if re.fullmatch(r"(True|TRUE|False|FALSE|yes|no|on|off)\b.*", value):
        return "Write true or false, in lower case."
    if message.startswith("Invalid value"):
        if "{" in line and "}" not in line:
            return "A table in braces must stand on one line; or give it a header of its own: [name]."
        if value:
            return f'Text stands in quotes: {line.partition("=")[0].strip()} = "{value}"'
        return "The value is missing behind the =."
    if "Illegal character" in message and "\\n" in message:
        return "The text lacks its closing quote on this line."
    if re.search(r",\s*}", line):
        return "A table in braces has no comma behind its last entry."
    if "{" in line and "}" not in line:
        return "A table in braces must stand on one line; or give it a header of its own: [name]."
    return next((hint for pattern, hint in HINTS if re.search(pattern, message)), "")
