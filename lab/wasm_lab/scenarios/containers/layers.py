"""Layers of an image: the same bytes from the same files, on whatever day they are made.

Entries of the tar are sorted; their owner, mode and time are fixed; the header of gzip holds no
time. Two machines whose zlib differ may compress differently; the ``diff_id``, which is of the tar
itself, is the same on both.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"

#: A header of gzip without name, time and operating system (RFC 1952, 2.3).
_GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"

#: What registries hold: zlib's own default, and that of Go's compress/gzip.
_LEVEL = 6

#: The last second that a field of a tar header holds: eleven octal digits.
_LAST_SECOND = 8**11 - 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a layer. Its folders come by themselves."""

    path: str  #: absolute, in the image
    content: bytes | Path  #: the bytes, or the file that holds them
    mode: int = 0o644


@dataclass(frozen=True, kw_only=True)
class Blob:
    """Bytes that are named by their digest.

    Example:
        >>> Blob(media_type="text/plain", data=b"").digest[:14]
        'sha256:e3b0c44'
    """

    media_type: str
    data: bytes = field(repr=False)

    @cached_property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"

    @property
    def size_bytes(self) -> int:
        return len(self.data)


@dataclass(frozen=True, kw_only=True)
class Layer(Blob):
    """A blob that holds files, or a module."""

    title: str  #: what is in it, for people
    diff_id: str  #: the digest of what is in it before compression
    uncompressed_bytes: int


def moment() -> int:
    """The time that an image is given, in seconds since 1970: ``SOURCE_DATE_EPOCH``, else 0.

    The variable is that of reproducible-builds.org.

    Raises:
        UsageError: the variable holds no such number.
    """
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return 0
    if not re.fullmatch(r"[0-9]{1,11}", text) or int(text) > _LAST_SECOND:
        raise UsageError(
            f"SOURCE_DATE_EPOCH is {text!r}, which is no number of seconds since 1970.",
            hint="Such as the output of: git log -1 --format=%ct",
        )
    return int(text)


def timestamp(seconds: int) -> str:
    """A time as images write it (RFC 3339).

    Example:
        >>> timestamp(0)
        '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def tar_layer(entries: Iterable[Entry], *, title: str, seconds: int) -> Layer:
    """A gzip-compressed layer with these files.

    Args:
        entries: the files; a path must come once.
        title: what is in it, for people.
        seconds: the time of every entry, since 1970.

    Raises:
        UsageError: a path is not absolute, leaves the image, or comes twice; a file cannot be read.
    """
    sink = _Sink()
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for path, entry in sorted(_with_folders(entries).items()):
            _add(tar, path, entry, seconds)
    data = sink.finish()
    return Layer(
        media_type=LAYER_GZIP,
        data=data,
        title=title,
        diff_id=f"sha256:{sink.plain.hexdigest()}",
        uncompressed_bytes=sink.plain_bytes,
    )


def header(path: str, size: int, *, mode: int, seconds: int) -> tarfile.TarInfo:
    """A header that says nothing of who made the file, where and when."""
    info = tarfile.TarInfo(path)
    info.size, info.mode, info.mtime = size, mode, seconds
    if path.endswith("/"):
        info.name, info.type = path.rstrip("/"), tarfile.DIRTYPE
    return info


def _with_folders(entries: Iterable[Entry]) -> dict[str, Entry | None]:
    """Every path of the tar, without its first slash: files with their entry, folders with a slash at the end."""
    found: dict[str, Entry | None] = {}
    for entry in entries:
        path = PurePosixPath(entry.path)
        if not path.is_absolute() or ".." in path.parts or path == PurePosixPath("/"):
            raise UsageError(f"{entry.path!r} is no absolute path of a file in an image.")
        name = str(path)[1:]
        if name in found or f"{name}/" in found:
            raise UsageError(f"{entry.path} comes twice.")
        found[name] = entry
        for folder in list(path.parents)[:-1]:
            if str(folder)[1:] in found:
                raise UsageError(f"{folder} is a file and a folder.")
            found[f"{str(folder)[1:]}/"] = None
    return found


def _add(tar: tarfile.TarFile, path: str, entry: Entry | None, seconds: int) -> None:
    if entry is None:
        tar.addfile(header(path, 0, mode=0o755, seconds=seconds))
    elif isinstance(entry.content, bytes):
        info = header(path, len(entry.content), mode=entry.mode, seconds=seconds)
        tar.addfile(info, io.BytesIO(entry.content))
    else:
        try:
            with entry.content.open("rb") as stream:
                size = os.fstat(stream.fileno()).st_size
                tar.addfile(header(path, size, mode=entry.mode, seconds=seconds), stream)
        except OSError as error:
            raise UsageError(f"{entry.content} cannot be read: {error.strerror or error}.") from error


class _Sink(io.RawIOBase):
    """Takes a tar as it is written: hashes it, compresses it, and keeps only what is compressed."""

    def __init__(self) -> None:
        self.plain = hashlib.sha256()
        self.plain_bytes = 0
        self._checksum = 0
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._parts = [_GZIP_HEADER]

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.plain.update(data)
        self.plain_bytes += len(data)
        self._checksum = zlib.crc32(data, self._checksum)
        self._parts.append(self._deflate.compress(data))
        return len(data)

    def finish(self) -> bytes:
        """The whole gzip member; its trailer is the checksum and the size, modulo 2 to the 32nd."""
        trailer = self._checksum.to_bytes(4, "little") + (self.plain_bytes % 2**32).to_bytes(4, "little")
        return b"".join([*self._parts, self._deflate.flush(), trailer])
