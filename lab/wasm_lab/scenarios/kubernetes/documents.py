"""Files and texts to documents: each object of Kubernetes with the line of every field."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import KubeManifestError
from wasm_lab.scenarios.kubernetes.json_text import compose_json, json_objects
from wasm_lab.scenarios.kubernetes.nodes import Node, YamlMistake
from wasm_lab.scenarios.kubernetes.places import Lines
from wasm_lab.scenarios.kubernetes.problems import Problem
from wasm_lab.scenarios.kubernetes.separators import split
from wasm_lab.scenarios.kubernetes.yaml_nodes import compose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: A file larger than this is no manifest.
BYTES_MAX = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Document:
    """One object of a file: what it says, and where it says it."""

    file: str
    node: Node

    @property
    def value(self) -> Any:
        """The object in Python; a dict where the document is an object of Kubernetes."""
        return self.node.value

    def as_version(self, api_version: str) -> Document:
        """The same object under another apiVersion, each field at its own place."""
        node = copy(self.node)
        node.value = {**self.node.value, "apiVersion": api_version}
        return replace(self, node=node)

    @property
    def line(self) -> int:
        """Where it begins, counted from 1."""
        return self.node.line

    @property
    def kind(self) -> str:
        return self.text("kind")

    @property
    def api_version(self) -> str:
        return self.text("apiVersion")

    @property
    def name(self) -> str:
        return self.text("metadata", "name")

    @property
    def namespace(self) -> str:
        """As it is written; empty where the cluster's default is meant."""
        return self.text("metadata", "namespace")

    def get(self, *path: str | int) -> Any:
        """The value at a path, None where there is none."""
        value = self.value
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def text(self, *path: str | int) -> str:
        """The text at a path, empty where there is none."""
        value = self.get(*path)
        return value if isinstance(value, str) else ""

    def place(self, path: Iterable[str | int] = (), *, key: bool = False) -> tuple[int, int]:
        """Line and column of the value at a path (or of its key), counted from 1.

        Where the path leads to nothing, the place of the innermost part that is there.
        """
        return self.node.place(path, key=key)


@dataclass(slots=True)
class Reading:
    """What a text holds, and what is wrong with it as YAML."""

    documents: list[Document] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def load_documents(source: str | Path, *, file: str = "") -> list[Document]:
    """The objects of a manifest; the items of a ``List`` each for itself.

    Args:
        source: the text, or the path of a file.
        file: the name for messages, where a text is given.

    Raises:
        KubeManifestError: it cannot be read; ``problems`` holds every mistake with its line.

    Example:
        >>> [document.kind for document in load_documents("kind: A\\n---\\nkind: B\\n")]
        ['A', 'B']
    """
    if isinstance(source, Path):
        file, source = str(source), read_text(source)
    reading = read_documents(source, file=file)
    errors = [problem for problem in reading.problems if problem.severity == "error"]
    if errors:
        listed = "\n".join(str(problem) for problem in errors)
        raise KubeManifestError(f"The manifest cannot be read.\n{listed}", problems=errors)
    return reading.documents


def read_text(path: Path) -> str:
    """The text of a file, in UTF-8 or with a byte order mark.

    Raises:
        KubeManifestError: missing, a folder, too large, or not UTF-8; ``problems`` says where.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(BYTES_MAX + 1)
    except OSError as error:
        raise _unreadable(str(path), f"cannot be read: {error.strerror or error}.") from error
    return decode(data, str(path))


def decode(data: bytes, file: str) -> str:
    """Bytes of a manifest to text.

    Raises:
        KubeManifestError: too large, or not UTF-8; ``problems`` says where.
    """
    if len(data) > BYTES_MAX:
        raise _unreadable(file, f"larger than {BYTES_MAX // 2**20} MiB: no manifest is.")
    for mark, encoding in ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")):
        if data.startswith(mark):
            raise _unreadable(
                file,
                f"is {encoding}, not UTF-8, in which manifests are written.",
                f"iconv -f {encoding} -t UTF-8 FILE > NEW",
                (1, 1),
            )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        raise _unreadable(
            file,
            f"the byte 0x{data[error.start]:02x} is no UTF-8.",
            "Save the file as UTF-8; if it is Latin-1: iconv -f LATIN1 -t UTF-8 FILE > NEW",
            (line, column),
        ) from error


def _unreadable(
    file: str, message: str, hint: str = "", place: tuple[int, int] = (0, 0)
) -> KubeManifestError:
    problem = Problem(file, *place, message, hint)
    return KubeManifestError(str(problem), problems=[problem])


def read_documents(text: str, *, file: str = "") -> Reading:
    """Every document of a text; one that is no YAML is a problem and does not stop the others."""
    text = text.removeprefix("\ufeff")
    reading = Reading()
    if objects := json_objects(text):
        lines = Lines(text)
        for start, end in objects:
            _read(reading, file, partial(compose_json, text, start, end, lines, file))
        return reading
    parts, reading.problems = split(text, file)
    for first_line, part in parts:
        _read(reading, file, partial(compose, part, file=file, first_line=first_line))
    return reading


def _read(reading: Reading, file: str, composing: Callable[[], tuple[list[Node], list[Problem]]]) -> None:
    try:
        roots, problems = composing()
    except YamlMistake as mistake:
        reading.problems.append(mistake.problem)
        return
    reading.problems += problems
    for node in roots[1:]:
        message = "kubectl reads only the first document of this file, and this is a further one."
        hint = "Put a line `---` before it; lines end in \\n or \\r\\n, not in \\r alone."
        reading.problems.append(Problem(file, node.line, node.column, message, hint, "warning"))
    for node in roots:
        if node.value is not None:
            reading.documents += [Document(file, each) for each in _items(node)]


def _items(node: Node) -> list[Node]:
    """A ``List`` is its items; so is a list of one kind, such as ``ServiceList``, whose items say their kind."""
    if node.kind != "map" or not str(node.value.get("kind", "")).endswith("List"):
        return [node]
    items = node.children.get("items")
    kind = str(node.value["kind"])
    if (
        items is None
        or items.kind != "list"
        or str(node.value.get("apiVersion")) not in ("v1", "apps/v1", "batch/v1")
    ):
        return [node]
    if kind == "List" or all(
        child.kind == "map" and f"{child.value.get('kind')}List" == kind for child in items.children
    ):
        return list(items.children)
    return [node]
