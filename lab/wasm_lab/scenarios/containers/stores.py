"""Reading images that others made: a tar file or a folder, in which nothing is believed.

No path is taken from what is read: names of blobs are digests, and a digest has one form. Links
are not followed. Nothing is unpacked.
"""

from __future__ import annotations

import io
import os
import re
import stat
import tarfile
from abc import ABC, abstractmethod
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from _typeshed import WriteableBuffer

#: The files that a layout has, as image-layout.md names them.
_KNOWN = re.compile(r"oci-layout|(?:index|manifest)\.json|blobs/[a-z0-9+._-]+/[A-Za-z0-9=_-]+")

#: More files than this no image has; each takes a little memory here.
_MOST_FILES = 100_000

#: Bytes that one read may ask for. Headers of a tar are read whole, and say themselves how long they are.
_LARGEST_READ = 1 << 20


class StoreError(Exception):
    """What is read is damaged; the message says how."""


class Store(ABC):
    """The files of a layout."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}  #: bytes of each ordinary file
        self.odd: dict[str, str] = {}  #: files of the layout that are none: what they are instead

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """One file; the caller closes it."""

    def small(self, name: str, limit: int) -> bytes:
        """A whole file.

        Raises:
            StoreError: it is missing, or larger than ``limit`` bytes.
        """
        if name not in self.sizes:
            raise StoreError(f"{name} is {self.odd.get(name, 'missing')}")
        if self.sizes[name] > limit:
            raise StoreError(f"{name} has {self.sizes[name]} bytes, and no tool reads more than {limit}")
        with self.open(name) as stream:
            return stream.read(limit + 1)

    def _note(self, name: str, size: int, what: str = "") -> None:
        if not _KNOWN.fullmatch(name):
            return
        if len(self.sizes) + len(self.odd) >= _MOST_FILES:
            raise UsageError(f"There are more than {_MOST_FILES} files, which no image has.")
        if name in self.sizes or name in self.odd:
            # Tools take the first or the last one: what was checked need not be what is run.
            self.sizes.pop(name, None)
            self.odd[name] = "there twice"
        elif what:
            self.odd[name] = what
        else:
            self.sizes[name] = size


@contextmanager
def open_store(path: Path) -> Iterator[Store]:
    """The files of an archive or folder.

    Raises:
        UsageError: there is nothing to read, or it is something else.
    """
    try:
        if path.is_dir():
            yield _Folder(path)
            return
        with path.open("rb") as stream:
            yield _Archive(stream, str(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error


class _Folder(Store):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        for name in ("oci-layout", "index.json"):
            self._look(folder / name, name)
        blobs = folder / "blobs"
        if blobs.is_symlink():
            self.odd["blobs"] = "a link"
            return
        for kind in _entries(blobs):
            for entry in _entries(Path(kind.path)) if kind.is_dir(follow_symlinks=False) else ():
                self._look(Path(entry.path), f"blobs/{kind.name}/{entry.name}")

    def _look(self, path: Path, name: str) -> None:
        try:
            status = path.lstat()
        except OSError:
            return
        what = {stat.S_IFREG: "", stat.S_IFLNK: "a link", stat.S_IFDIR: "a folder"}
        self._note(name, status.st_size, what.get(stat.S_IFMT(status.st_mode), "no ordinary file"))

    def open(self, name: str) -> BinaryIO:
        # It was no link a moment ago; O_NOFOLLOW says so of now.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        return os.fdopen(os.open(self._folder / name, flags), "rb")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as found:
        return sorted(found, key=lambda entry: entry.name)


class _Archive(Store):
    def __init__(self, stream: BinaryIO, label: str) -> None:
        super().__init__()
        self._stream = stream
        self._places: dict[str, int] = {}
        _check_kind(stream.read(512), label)
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        try:
            with tarfile.open(fileobj=CarefulReader(stream), mode="r:") as tar:
                for member in members(tar):
                    self._member(member, size)
        except (tarfile.TarError, StoreError, ValueError, OverflowError, RecursionError) as error:
            raise UsageError(f"{label} is a damaged tar file: {error}.", hint="Copy it again.") from None

    def _member(self, member: tarfile.TarInfo, size: int) -> None:
        name = member.name.removeprefix("./")
        if member.isdir():
            return
        plain = member.isreg() and not member.issparse()
        if plain and member.offset_data + member.size > size:
            raise StoreError(f"it ends within {name[:200]!r}")
        what = "" if plain else "a link" if member.islnk() or member.issym() else "no ordinary file"
        self._note(name, member.size, what)
        self._places[name] = member.offset_data

    def open(self, name: str) -> BinaryIO:
        return io.BufferedReader(_Part(self._stream, self._places[name], self.sizes[name]))


def members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """What is in a tar, of which tarfile would otherwise keep every header."""
    while (member := tar.next()) is not None:
        tar.members = []  # type: ignore[attr-defined]
        yield member


def _check_kind(start: bytes, label: str) -> None:
    """Refuse what is no tar, saying what it is instead."""
    kinds = {
        b"\x1f\x8b": ("gzip-compressed", "Uncompress it first: gunzip --keep --stdout FILE > image.tar"),
        b"\x28\xb5\x2f\xfd": ("zstd-compressed", "Uncompress it first: zstd --decompress FILE -o image.tar"),
        b"PK\x03\x04": ("a zip archive", ""),
        b"\0asm": (
            "WebAssembly itself, no image",
            "Make one: wasm-lab container build FILE -t NAME -o IMAGE.tar",
        ),
    }
    for magic, (what, hint) in kinds.items():
        if start.startswith(magic):
            raise UsageError(f"{label} is {what}.", hint=hint)
    if start[257:262] != b"ustar":
        raise UsageError(
            f"{label} is no tar file.", hint="An image is a tar file or a folder (an OCI layout)."
        )


class CarefulReader(io.RawIOBase):
    """A stream in which no header can make the reader take much memory."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LARGEST_READ:
            raise StoreError(f"a header says that it has {size} bytes")
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


class _Part(io.RawIOBase):
    """Some bytes of a file."""

    def __init__(self, stream: BinaryIO, start: int, size: int) -> None:
        self._stream, self._at, self._left = stream, start, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._stream.seek(self._at)
        data = self._stream.read(min(self._left, memoryview(buffer).nbytes))
        memoryview(buffer)[: len(data)] = data
        self._at += len(data)
        self._left -= len(data)
        return len(data)
