"""Granted folders: copied in before a run and, where the guest may write, back after it.

wasmer-sdk opens no folder of the host. A guest has a file tree of its own in memory, of which only
``/workspace`` can be read afterwards. So:

- A folder that is only to be read may have any name in the guest. What the guest writes there is
  dropped when it ends, and never reaches the host; the guest is not told.
- A folder that the guest may write to must lie in ``/workspace`` in the guest. After the run, files that
  the guest made or changed are written to the host, those that it removed are removed there, and so
  are folders. What changed on the host meanwhile is overwritten only where the guest changed it too.
  A guest that is killed (deadline, output, interrupt, crash) has changed nothing on the host.
- Symbolic links are followed inside of the folder and left out where they lead out of it. Anything that is
  neither file nor folder is left out. Times and permissions are not carried over.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from wasm_lab.errors import UnsupportedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wasm_lab.capabilities import Directory

WORKSPACE = PurePosixPath("/workspace")

#: What all folders of a run hold together at most, in bytes and in files: every run copies it.
MOST_BYTES = 256 * 1024 * 1024
MOST_FILES = 20_000


@dataclass
class Tree:
    """Files and folders by their names below a root; a folder has no content."""

    files: dict[str, bytes] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)


@dataclass
class Given:
    """What a run is given: files of the package, and files and folders of the workspace."""

    package: dict[str, bytes] = field(default_factory=dict)
    workspace: dict[str, bytes] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    back: list[tuple[Directory, str, Tree]] = field(default_factory=list)  #: what to compare and write back


def check(directories: Sequence[Directory]) -> None:
    """Refuse folders that cannot be given to a guest here as they are asked for.

    Raises:
        UnsupportedError: saying which, and what can be done.
    """
    for each in directories:
        place = guest_path(each)
        if each.writable and not _inside(place):
            raise UnsupportedError(
                f"wasmer cannot give back what a guest writes to {each.guest}: "
                "its package keeps only the folder /workspace.",
                hint=(
                    f"Open it as {each.host}::/workspace/{each.host.name or 'data'}, or only to be read "
                    "(--dir-ro), or choose another runtime."
                ),
            )


def guest_path(directory: Directory) -> PurePosixPath:
    """Where in the guest's tree a folder stands: a guest starts in the root."""
    parts: list[str] = []
    for part in PurePosixPath(directory.guest).parts:
        if part == "..":
            del parts[-1:]
        elif part not in ("/", "."):
            parts.append(part)
    return PurePosixPath("/", *parts)


def _inside(place: PurePosixPath) -> bool:
    return place == WORKSPACE or WORKSPACE in place.parents


def give(directories: Sequence[Directory]) -> Given:
    """Read the folders.

    Raises:
        UsageError: they cannot be read, or hold too much to be copied for each run.
        UnsupportedError: one is empty and stands where only files can.
    """
    given = Given()
    budget = [MOST_BYTES, MOST_FILES]
    for each in directories:
        tree, place = _read(each.host, budget), guest_path(each)
        if _inside(place):
            base = place.relative_to(WORKSPACE)
            given.folders += [
                str(WORKSPACE / base / name)
                for name in sorted(("", *tree.folders))
                if str(base / name) != "."
            ]
            given.workspace |= {str(base / name): data for name, data in tree.files.items()}
            if each.writable:
                given.back.append((each, str(WORKSPACE / base), tree))
            continue
        for name in tree.folders | {""}:
            if not any(file.startswith(f"{name}/" if name else "") for file in tree.files):
                raise UnsupportedError(
                    f"wasmer cannot show the empty folder {each.host / name} to a guest at {place}: "
                    "its packages hold files alone.",
                    hint="Put a file into it, or open it below /workspace.",
                )
        given.package |= {str(place / name): data for name, data in tree.files.items()}
    return given


def _read(root: Path, budget: list[int]) -> Tree:
    tree = Tree()
    base = root.resolve()
    try:
        for path, name in _walk(base, base, ""):
            if path.is_dir():
                tree.folders.add(name)
                continue
            data = path.read_bytes()
            budget[0] -= len(data)
            budget[1] -= 1
            if min(budget) < 0:
                raise UsageError(
                    f"The folders for this guest hold more than {MOST_BYTES >> 20} MiB or {MOST_FILES} files, "
                    "and wasmer copies all of it for each run.",
                    hint="Open a smaller folder, or choose another runtime, such as wasmtime.",
                )
            tree.files[name] = data
    except OSError as error:
        raise UsageError(
            f"The folder {root} cannot be opened to the guest: {error.strerror} ({error.filename})."
        ) from None
    return tree


def _walk(base: Path, folder: Path, prefix: str, depth: int = 0) -> Iterator[tuple[Path, str]]:
    if depth > 64:  # a symbolic link that leads to a folder around it
        return
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        path, name = Path(entry.path), f"{prefix}{entry.name}"
        if entry.is_symlink():
            target = path.resolve()
            if base not in target.parents or target in (folder, *folder.parents):
                continue
        if path.is_dir():
            yield path, name
            yield from _walk(base, path, f"{name}/", depth + 1)
        elif path.is_file():
            yield path, name


def write_back(root: Path, before: Tree, after: Tree) -> None:
    """Make a host folder what the guest left, where the guest changed anything.

    Raises:
        UsageError: something cannot be written.
    """
    base = root.resolve()
    try:
        for name in sorted(before.files.keys() - after.files.keys()):
            if path := _safe(base, name):
                path.unlink(missing_ok=True)
        for name in sorted(before.folders - after.folders, reverse=True):
            path = _safe(base, name)
            if path and path.is_dir() and not path.is_symlink():
                with contextlib.suppress(OSError):  # not empty: others put something there meanwhile
                    path.rmdir()
        for name in sorted(after.folders - before.folders):
            if path := _safe(base, name):
                path.mkdir(exist_ok=True)
        for name in sorted(after.files):
            data = after.files[name]
            if before.files.get(name) != data and (path := _safe(base, name)):
                path.write_bytes(data)
    except OSError as error:
        raise UsageError(
            f"What the guest wrote could not be written to {root}: {error.strerror} ({error.filename})."
        ) from None


def _safe(base: Path, name: str) -> Path | None:
    """The host's path for a guest's name; None where a link would lead out of the folder."""
    path = base / name
    if ".." in PurePosixPath(name).parts:
        return None
    parent = path.parent.resolve()
    if parent != base and base not in parent.parents:
        return None
    if path.is_symlink():
        target = path.resolve()
        if base not in target.parents:
            return None
    return path
