"""What is in one layer: read once, in order, without keeping or unpacking it."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import io
import tarfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wasm_lab.scenarios.containers.stores import CarefulReader, StoreError, members

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import BinaryIO

#: Bytes of a layer beyond which its files are not looked at: 2 GiB. A few kilobytes of deflate can claim more.
MOST_BYTES = 2 << 30

#: Files of a layer beyond which no more are looked at.
MOST_FILES = 500_000

_CHUNK = 1 << 16


class TooLarge(Exception):
    """A layer is larger than what is looked at."""


@dataclass
class Contents:
    """What is in a layer, as far as it could be read."""

    diff_id: str = ""  #: the digest of the uncompressed layer; empty where it was not read to its end
    uncompressed_bytes: int = 0
    files: int = 0
    starts: dict[str, bytes] = field(default_factory=dict)  #: the first bytes of each file that was asked for
    wrong: list[str] = field(default_factory=list)  #: what a runtime would refuse, or should
    unread: str = ""  #: why it was not read to its end, where nothing is wrong with it


def look_into(stream: BinaryIO, media_type: str, wanted: Collection[str] = ()) -> Contents:
    """Read a layer.

    Args:
        stream: its blob.
        media_type: what says how it is compressed.
        wanted: paths without their first slash, whose first bytes are kept.
    """
    found = Contents()
    opened = _uncompressed(stream, media_type)
    if isinstance(opened, str):
        found.unread = opened
        return found
    plain = _Forward(opened)
    try:
        _read(plain, found, wanted)
        plain.rest()
        found.diff_id = f"sha256:{plain.hash.hexdigest()}"
    except TooLarge as error:
        found.unread = str(error)
    except (tarfile.TarError, StoreError, ValueError, OverflowError, RecursionError) as error:
        found.wrong.append(f"it is no whole tar: {error}")
    except (OSError, EOFError, zlib.error) as error:
        found.wrong.append(f"it cannot be uncompressed: {error}")
    found.uncompressed_bytes = plain.tell()
    return found


def _read(plain: _Forward, found: Contents, wanted: Collection[str]) -> None:
    complete = 0
    try:
        with tarfile.open(fileobj=plain, mode="r:") as tar:
            for member in members(tar):
                complete = member.offset_data + (member.size if member.isreg() else 0)
                _member(tar, member, found, wanted)
    except tarfile.ReadError:
        # Some programs, umoci among them, end a tar with its last file, without what fills the block up.
        if not complete or plain.tell() != complete:
            raise


def _uncompressed(stream: BinaryIO, media_type: str) -> BinaryIO | str:
    """The tar inside; or why it is not looked at."""
    if media_type.endswith(("+gzip", ".gzip")):
        return gzip.GzipFile(fileobj=stream)  # type: ignore[return-value]
    if media_type.endswith("+zstd"):
        try:
            zstd = importlib.import_module("compression.zstd")
        except ImportError:
            return "it is compressed with zstd, which Python reads since 3.14"
        return zstd.ZstdFile(stream)  # type: ignore[no-any-return]
    return stream


def _member(tar: tarfile.TarFile, member: tarfile.TarInfo, found: Contents, wanted: Collection[str]) -> None:
    found.files += not member.isdir()
    if found.files > MOST_FILES:
        raise TooLarge(f"it has more than {MOST_FILES} files")
    name = member.name.removeprefix("./")
    shown = ascii(name[:200])
    if name.startswith("/") or ".." in name.split("/"):
        found.wrong.append(f"its file {shown} would lie outside of the image")
    elif member.islnk() and (member.linkname.startswith("/") or ".." in member.linkname.split("/")):
        found.wrong.append(f"its link {shown} leads out of the image")
    if name not in wanted:
        return
    if member.isreg():
        file = tar.extractfile(member)
        found.starts[name] = file.read(8) if file else b""
    else:
        found.starts[name] = b"(link)" if member.issym() or member.islnk() else b"(special)"


class _Forward(CarefulReader):
    """A stream that is hashed as it is read, and in which seeking forward is reading."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)
        self.hash = hashlib.sha256()
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        data = super().read(size)
        self.hash.update(data)
        self._at += len(data)
        if self._at > MOST_BYTES:
            raise TooLarge(f"it is larger than {MOST_BYTES >> 30} GiB uncompressed")
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET or offset < self._at:
            raise StoreError("its entries are out of order")
        while self._at < offset and self.read(min(_CHUNK, offset - self._at)):
            pass
        return self._at

    def tell(self) -> int:
        return self._at

    def rest(self) -> None:
        """Read what is left."""
        while self.read(_CHUNK):
            pass
