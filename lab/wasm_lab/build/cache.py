"""The build cache: one folder, shared by all processes, safe to delete at any moment.

An entry is a file ``KIND/KE/KEY`` with the data, then the data's SHA-256 and a mark of
eight bytes. It is written to a temporary file and renamed, so that a reader sees the whole
of it or nothing, and it is checked whenever it is read: a process that was killed, a disk
that filled up or a damaged sector costs a rebuild, never a wrong result. Nothing here
raises OSError: without a usable folder there is just nothing in the cache.

The time of last change of a file is the time of its last use. Pruning removes the entries
that were used least recently until the rest fits the bound.

Whole folders (built dependencies, a compiler's incremental state) are kept beside the
entries by `folder`, with a lock for each, and count towards the bound.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import EllipsisType

    from filelock import BaseFileLock

#: Layout of the folder. Another layout gets another folder, and the old one is pruned away by age.
LAYOUT = "v1"
MARK = b"wasmlab1"
TRAILER_BYTES = hashlib.sha256().digest_size + len(MARK)
#: As ccache's. A course of chapters and samples is more than 2 GiB; all that the tests build is more than 5.
DEFAULT_SIZE_BYTES = 5 * 1024**3
#: Seconds after which a temporary file belongs to no living write.
STALE_S = 3600.0
#: Seconds that a recorded time of use may lag behind, so that a hit seldom writes.
USE_LAG_S = 300.0
#: Seconds between automatic prunings of one cache, by whatever process.
PRUNE_INTERVAL_S = 600.0

_TEMPORARY = ".new-"
_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the cache, as `Cache.entries` lists it."""

    kind: str  #: such as ``wasm``, ``native`` or ``crates``
    key: str
    size_bytes: int
    used_at: float  #: seconds since 1970, exact to five minutes
    path: Path


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a pruning removed and what it left."""

    removed: int
    removed_bytes: int
    left_bytes: int


class Cache:
    """The cache in one folder; see the module's text.

    Args:
        root: the folder; by default ``$WASM_LAB_CACHE``, else the user's cache folder for ``wasm-lab``.
        max_bytes: the bound of automatic pruning; by default ``$WASM_LAB_CACHE_SIZE``
            (such as ``500MiB``, or ``none``), else 5 GiB. None means no bound.

    Example:
        >>> import tempfile
        >>> cache = Cache(Path(tempfile.mkdtemp()))
        >>> cache.put("wasm", "0" * 64, b"bytes")
        >>> cache.get("wasm", "0" * 64)
        b'bytes'
    """

    def __init__(self, root: Path | None = None, max_bytes: int | EllipsisType | None = ...) -> None:
        self.root = (root or default_root()).expanduser().absolute()
        self.max_bytes = default_size_bytes() if max_bytes is ... else max_bytes
        self._checked: dict[str, tuple[int, int, int]] = {}

    def __repr__(self) -> str:
        return f"Cache({str(self.root)!r})"

    @property
    def _home(self) -> Path:
        return self.root / LAYOUT

    def _file(self, kind: str, key: str) -> str:
        if not _NAME.fullmatch(kind) or not _NAME.fullmatch(key):
            raise ValueError(f"no name for a cache entry: {kind!r}, {key!r}")
        return f"{self.root}/{LAYOUT}/{kind}/{key[:2]}/{key}"

    def get(self, kind: str, key: str) -> bytes | None:
        """The data of an entry; None when it is absent or was damaged (and is now removed)."""
        file = self._file(kind, key)
        try:
            with open(file, "rb", buffering=0) as stream:  # noqa: PTH123 - a tenth of pathlib's cost
                content = stream.readall()
                changed = os.fstat(stream.fileno()).st_mtime
        except OSError:
            return None
        data = content[:-TRAILER_BYTES]
        if content[-len(MARK) :] != MARK or content[-TRAILER_BYTES : -len(MARK)] != _digest(data):
            _remove(file)
            return None
        _note_use(file, changed)
        return data

    def path(self, kind: str, key: str) -> Path | None:
        """The file of an entry, for mapping it into memory; None when it is absent or damaged.

        After the data come 40 bytes of this cache's own. The content is checked once in each
        process for as long as the file's size, time and inode stay the same.
        """
        file = self._file(kind, key)
        try:
            stat = os.stat(file)  # noqa: PTH116
        except OSError:
            self._checked.pop(file, None)
            return None
        seen = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
        if self._checked.get(file) != seen:
            if self.get(kind, key) is None:
                return None
            try:
                stat = os.stat(file)  # noqa: PTH116 - noting the use may have moved its time
            except OSError:
                return None
            self._checked[file] = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
        return Path(file)

    def put(self, kind: str, key: str, data: bytes) -> None:
        """Keep ``data``. Never raises on a full disk or a folder that cannot be written."""
        file = self._file(kind, key)
        folder = os.path.dirname(file)  # noqa: PTH120
        import tempfile  # a program that is cached already writes nothing

        try:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103
            handle, temporary = tempfile.mkstemp(dir=folder, prefix=_TEMPORARY)
        except OSError:
            return
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.write(_digest(data) + MARK)
            os.replace(temporary, file)  # noqa: PTH105
        except OSError:
            _remove(temporary)
            return
        except BaseException:
            _remove(temporary)
            raise
        self._prune_now_and_then()

    def drop(self, kind: str, key: str) -> None:
        """Remove one entry, if it is there."""
        _remove(self._file(kind, key))

    # Folders ------------------------------------------------------------------------------

    def folder(self, kind: str, key: str) -> Path:
        """A folder of the cache, made if it is not there; its time of use is noted.

        Whoever changes it holds `lock`, and whoever reads it must bear that it is gone.

        Raises:
            OSError: it cannot be made.
        """
        folder = Path(self._file(f"{kind}-folder", key))
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):
            os.utime(folder)
        return folder

    def lock(self, kind: str, key: str) -> BaseFileLock:
        """The lock of a folder among processes; not held yet. Pruning takes it too."""
        from filelock import FileLock

        file = Path(self._file(f"{kind}-folder", key) + ".lock")
        file.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(str(file))

    # Looking after it ---------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """Everything in the cache, the most recently used first."""
        found = list(self._walk())
        found.sort(key=lambda entry: entry.used_at, reverse=True)
        return found

    def size_bytes(self) -> int:
        """What all entries take up together."""
        return sum(entry.size_bytes for entry in self._walk())

    def prune(self, max_bytes: int) -> Pruned:
        """Remove the least recently used entries until the rest is at most ``max_bytes``.

        Left-over temporary files of killed processes go too.
        """
        self._remove_stale()
        entries = self.entries()
        left = sum(entry.size_bytes for entry in entries)
        removed = removed_bytes = 0
        for entry in reversed(entries):
            if left <= max_bytes:
                break
            if self._remove_entry(entry):
                removed += 1
                removed_bytes += entry.size_bytes
                left -= entry.size_bytes
        return Pruned(removed, removed_bytes, left)

    def clear(self) -> Pruned:
        """Remove every entry that no other process is working on."""
        return self.prune(-1)

    def _walk(self) -> Iterator[Entry]:
        for kind in _scan(self._home):
            is_folder = kind.name.endswith("-folder")
            for shelf in _scan(kind.path):
                for item in _scan(shelf.path):
                    if item.name.startswith(_TEMPORARY) or item.name.endswith(".lock"):
                        continue
                    try:
                        stat = item.stat(follow_symlinks=False)
                    except OSError:
                        continue
                    size = _size_of_folder(item.path) if is_folder else stat.st_size
                    yield Entry(
                        kind.name.removesuffix("-folder"), item.name, size, stat.st_mtime, Path(item.path)
                    )

    def _remove_entry(self, entry: Entry) -> bool:
        if not entry.path.is_dir():
            return _remove(str(entry.path))
        import shutil
        import tempfile

        from filelock import Timeout

        try:
            with self.lock(entry.kind, entry.key).acquire(timeout=0):
                # Renamed first, so that nobody finds half of it under its name.
                gone = Path(tempfile.mkdtemp(dir=entry.path.parent, prefix=_TEMPORARY)) / entry.key
                entry.path.rename(gone)
        except (Timeout, OSError):
            return False
        shutil.rmtree(gone.parent, ignore_errors=True)
        return True

    def _remove_stale(self) -> None:
        import shutil

        horizon = time.time() - STALE_S
        for kind in _scan(self._home):
            for shelf in _scan(kind.path):
                for item in _scan(shelf.path):
                    if not item.name.startswith(_TEMPORARY):
                        continue
                    with contextlib.suppress(OSError):
                        if item.stat(follow_symlinks=False).st_mtime < horizon:
                            if item.is_dir(follow_symlinks=False):
                                shutil.rmtree(item.path, ignore_errors=True)
                            else:
                                _remove(item.path)

    def _prune_now_and_then(self) -> None:
        if self.max_bytes is None:
            return
        stamp = self._home / "pruned"
        try:
            if time.time() - stamp.stat().st_mtime < PRUNE_INTERVAL_S:
                return
        except OSError:
            pass
        with contextlib.suppress(OSError):
            stamp.touch()
            self.prune(self.max_bytes)


def default_root() -> Path:
    """``$WASM_LAB_CACHE``, else the user's cache folder for ``wasm-lab``."""
    named = os.environ.get("WASM_LAB_CACHE")
    if named:
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_cache_dir("wasm-lab", appauthor=False))


def default_size_bytes() -> int | None:
    """``$WASM_LAB_CACHE_SIZE`` in bytes, else 5 GiB; None means no bound.

    Raises:
        UsageError: the variable holds no size.
    """
    text = os.environ.get("WASM_LAB_CACHE_SIZE")
    if not text:
        return DEFAULT_SIZE_BYTES
    from wasm_lab.capabilities import parse_size

    try:
        return parse_size(text)
    except UsageError as error:
        raise UsageError(f"WASM_LAB_CACHE_SIZE is {text!r}: {error.message}", hint=error.hint) from None


@functools.lru_cache(maxsize=8)
def _cache_at(root: str | None, size: str | None) -> Cache:
    return Cache()


def default_cache() -> Cache:
    """The cache that the environment names, one object for each process."""
    return _cache_at(os.environ.get("WASM_LAB_CACHE"), os.environ.get("WASM_LAB_CACHE_SIZE"))


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _note_use(file: str, changed: float) -> None:
    if time.time() - changed > USE_LAG_S:
        with contextlib.suppress(OSError):
            os.utime(file)


def _remove(file: str) -> bool:
    try:
        os.unlink(file)  # noqa: PTH108
    except OSError:
        return False
    return True


def _scan(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _size_of_folder(folder: str) -> int:
    total = 0
    for item in _scan(folder):
        with contextlib.suppress(OSError):
            if item.is_dir(follow_symlinks=False):
                total += _size_of_folder(item.path)
            else:
                total += item.stat(follow_symlinks=False).st_size
    return total
