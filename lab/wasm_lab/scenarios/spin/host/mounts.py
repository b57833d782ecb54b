"""What a component's ``files`` show it: a read-only tree, some of it whole folders of the host."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.scenarios.spin.manifest import FileMount


class Node:
    """A file or folder that a guest sees.

    Args:
        path: the host's file or folder; None for a folder that only holds others.
        root: the host's folder that links must not lead out of.
        hidden: tells which of the host's paths are not shown.
    """

    def __init__(self, path: Path | None, root: Path | None, hidden: Hidden) -> None:
        self.path = path
        self._root = root
        self._hidden = hidden
        self._added: dict[str, Node] = {}

    @property
    def is_folder(self) -> bool:
        return self.path is None or self.path.is_dir()

    def child(self, name: str) -> Node | None:
        """What stands under this name; None when there is nothing, or it is not shown."""
        added = self._added.get(name)
        if added is not None or self.path is None or self._root is None:
            return added
        path = self.path / name
        if self._hidden(path):
            return None
        try:
            inside = path.resolve(strict=True).is_relative_to(self._root)
        except OSError:
            return None
        return Node(path, self._root, self._hidden) if inside else None

    def names(self) -> list[str]:
        """What stands in this folder, in alphabetical order."""
        names = set(self._added)
        if self.path is not None:
            names.update(path.name for path in self.path.iterdir() if self.child(path.name) is not None)
        return sorted(names)

    def add(self, parts: Sequence[str], node: Node) -> None:
        """Put a node at a path below this one."""
        *folders, name = parts
        here = self
        for folder in folders:
            here = here._added.setdefault(folder, Node(None, None, self._hidden))
        here._added[name] = node


class Hidden:
    """The ``exclude_files`` of a component."""

    def __init__(self, folder: Path, patterns: Sequence[str]) -> None:
        self._folder = folder
        self._patterns = [_matcher(pattern.removeprefix("./")) for pattern in patterns]

    def __call__(self, path: Path) -> bool:
        if not self._patterns:
            return False
        try:
            relative = path.relative_to(self._folder).as_posix()
        except ValueError:
            return False
        return any(pattern.fullmatch(relative) for pattern in self._patterns)


def tree_of(folder: Path, files: Sequence[FileMount], exclude: Sequence[str]) -> Node | None:
    """The tree that a component sees at ``/``; None when its manifest gives it no files.

    Args:
        folder: the manifest's, which paths and patterns start from.
        files: from the manifest.
        exclude: patterns of files that are not shown.

    Raises:
        UsageError: a folder does not exist, or a pattern leads out of the manifest's folder.
    """
    if not files:
        return None
    folder = folder.resolve()
    hidden = Hidden(folder, exclude)
    top = Node(None, None, hidden)
    for mount in files:
        if mount.destination is None:
            _add_matches(top, folder, mount.source.removeprefix("./"), hidden)
            continue
        source = (folder / mount.source).resolve()
        if not source.exists():
            raise UsageError(f"The files of {mount.source!r} are not there.", hint=f"Looked for: {source}")
        parts = [part for part in mount.destination.split("/") if part not in ("", ".")]
        if parts:
            top.add(parts, Node(source, source, hidden))
        else:
            top.path, top._root = source, source
    return top


def _add_matches(top: Node, folder: Path, pattern: str, hidden: Hidden) -> None:
    if pattern.startswith("/") or ".." in pattern.split("/"):
        raise UsageError(
            f"The pattern {pattern!r} leads out of the manifest's folder.",
            hint='Mount the folder instead: { source = "…", destination = "…" }',
        )
    plain = folder / pattern
    found = [plain] if plain.is_file() else _matches(folder, pattern)
    for path in found:
        if path.is_file() and not hidden(path) and path.resolve().is_relative_to(folder):
            top.add(path.relative_to(folder).parts, Node(path, folder, hidden))


def _matches(folder: Path, pattern: str) -> list[Path]:
    if (folder / pattern).is_dir():  # Spin takes a folder's name for everything below it
        pattern = pattern.rstrip("/") + "/**/*"
    matcher = _matcher(pattern)
    fixed = []
    for part in pattern.split("/")[:-1]:
        if re.search(r"[*?\[]", part):
            break
        fixed.append(part)
    found = []
    for here, _, names in os.walk(folder.joinpath(*fixed)):
        for name in names:
            path = Path(here, name)
            if matcher.fullmatch(path.relative_to(folder).as_posix()):
                found.append(path)
    return found


_PIECE = re.compile(r"\*+|\?|\[[!^]?\]?[^\]]*\]|[^*?\[]+|\[", re.DOTALL)


def _piece(found: re.Match[str]) -> str:
    piece = found[0]
    if piece.startswith("*"):
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if piece.startswith("[") and len(piece) > 1:
        inside = piece[1:-1]
        negated = inside[:1] in ("!", "^")
        inside = inside[1:] if negated else inside
        escaped = inside.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace("^", "\\^")
        return f"[{'^/' if negated else ''}{escaped}]"
    return re.escape(piece)


@cache
def _matcher(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression: ``*`` stays within a folder, ``**`` spans any number of them."""
    parts = []
    for part in pattern.split("/"):
        if part == "**":
            parts.append("(?:[^/]+/)*")
        else:
            parts.append(_PIECE.sub(_piece, part) + "/")
    text = "".join(parts)
    return re.compile(text[:-1] if text.endswith("/") else text + "[^/]+", re.DOTALL)
