"""The files of a batch of submissions, from folders and zip archives, without writing any of them anywhere.

An archive is read in memory, file by file, each with a limit: no name in it can lead anywhere, because
none is ever used as a path. What is strange about a name or a file is said all the same, and such a file
is not read.
"""

from __future__ import annotations

import io
import os
import re
import stat
import unicodedata
import zipfile
from dataclasses import dataclass, field
from functools import partial
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: A notebook larger than this is not read: a hundred times what an exercise with charts takes.
FILE_BYTES = 20 << 20
#: All archives that one student sent, packed, and how many files they may list.
STUDENT_ARCHIVE_BYTES = 64 << 20
STUDENT_ENTRIES = 2_000
#: All notebooks of one student, unpacked: some three hundred with charts. JSON made to be slow
#: takes 0.1 s for each MiB.
UNPACKED_BYTES = 64 << 20
#: An export of an LMS for a whole class.
CLASS_ENTRIES = 100_000
#: Text of notebooks packs to a tenth; runs of one byte to a thousandth. Below a megabyte no ratio matters.
RATIO = 200
RATIO_FROM_BYTES = 1 << 20
#: Folders within folders.
DEPTH = 16
#: A central directory has at least 46 bytes for each entry (PKWARE APPNOTE 4.3.12), and some for its name.
_DIRECTORY_BYTES_EACH = 400

#: Folders of a course of nbgrader's: what it collected, and all others.
SUBMITTED = "submitted"
_NBGRADERS = ("source", "release", "autograded", "feedback", "downloaded")

#: Names that Windows gives to devices, whatever ending follows (Win32 "Naming Files").
_DEVICES = {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"}


class Unreadable(Exception):
    """A file of a submission that is not read; the text says why."""


@dataclass(slots=True)
class Budget:
    """What is still looked at of one student: many small archives are no way around the limits of one."""

    entries: int = field(default_factory=lambda: STUDENT_ENTRIES)
    packed_bytes: int = field(default_factory=lambda: STUDENT_ARCHIVE_BYTES)
    unpacked_bytes: int = field(default_factory=lambda: UNPACKED_BYTES)

    def archive(self, entry: Entry) -> Archive:
        """An archive that the student sent.

        Raises:
            Unreadable: it cannot be read, or is more than is left.
        """
        if entry.size_bytes > self.packed_bytes:
            raise Unreadable(f"This student's archives are larger than {STUDENT_ARCHIVE_BYTES >> 20} MiB.")
        data = entry.read(self.packed_bytes)
        self.packed_bytes -= len(data)
        archive = Archive(data, entry.parts, entries=self.entries, of=STUDENT_ENTRIES)
        self.entries -= archive.count
        return archive

    def notebook(self, entry: Entry) -> bytes:
        """The bytes of a notebook, in an archive or not.

        Raises:
            Unreadable: it cannot be read, or is more than is left.
        """
        # Before it is read: what turns out to be damaged has taken the time all the same.
        size = min(entry.size_bytes, FILE_BYTES)
        if size > self.unpacked_bytes:
            raise Unreadable(
                f"What this student handed in unpacks to more than {UNPACKED_BYTES >> 20} MiB; this is left out."
            )
        self.unpacked_bytes -= size
        return entry.read()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of a batch."""

    parts: tuple[str, ...]  #: its path below the batch; the name of an archive is a part like any other
    problem: str = ""  #: why it is not read; empty when it may be
    export: bool = (
        False  #: it lies in an archive that was taken for a class's, beside other files of the batch
    )
    size_bytes: int = 0  #: unpacked, as its folder or archive says; of an archive's file no more is ever read
    _reader: Callable[[int], bytes] | None = None

    @property
    def name(self) -> str:
        return self.parts[-1]

    @property
    def path(self) -> str:
        return "/".join(self.parts)

    def read(self, limit: int = FILE_BYTES) -> bytes:
        """All of its bytes.

        Raises:
            Unreadable: it is larger than ``limit`` bytes, damaged, encrypted, or must not be read.
        """
        if self.problem or self._reader is None:
            raise Unreadable(self.problem or "This is no file.")
        data = self._reader(limit)
        if len(data) > limit:
            raise Unreadable(f"It is larger than {limit >> 20} MiB.")
        return data


def what_is_wrong_with(name: str) -> str:
    """Why a path in an archive is refused; empty when nothing is wrong with it.

    Example:
        >>> what_is_wrong_with("../../etc/passwd")
        'Its path leads out of the archive.'
        >>> what_is_wrong_with("01_rust_cells/add.ipynb")
        ''
    """
    if not name or "\0" in name:
        return "Its name is empty or holds a NUL."
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in name):
        return "Its name holds characters that are not seen, or that turn the direction of others."
    if "\\" in name:
        return "Its name holds a backslash."
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "Its path is absolute."
    parts = name.rstrip("/").split("/")
    if ".." in parts or "." in parts or "" in parts:
        return "Its path leads out of the archive."
    if len(parts) > DEPTH or len(name.encode("utf-8", "replace")) > 1000:
        return "Its path is too long."
    for part in parts:
        if part.partition(".")[0].strip().casefold() in _DEVICES:
            return "It has the name of a device."
        if part.endswith((".", " ")):
            return "A part of its path ends with a dot or a blank."
    return ""


def root_of(folder: Path) -> Path:
    """Where the students' folders lie: nbgrader's ``submitted`` in a course directory, else the folder itself.

    A student may be called ``submitted`` too. So it is nbgrader's only beside its ``source`` or ``release``, or where
    nothing lies beside it that could be a student's.
    """
    submitted = folder / SUBMITTED
    if not submitted.is_dir():
        return folder
    course = any((folder / name).is_dir() for name in ("source", "release"))
    return submitted if course or not beside_submitted(folder) else folder


def beside_submitted(folder: Path) -> list[str]:
    """What could be students' beside ``submitted``, by name: folders that are not nbgrader's, and archives."""
    try:
        found = sorted(folder.iterdir())
    except OSError:  # which whoever reads the folder is told
        return []
    return [
        each.name
        for each in found
        if each.name not in (SUBMITTED, *_NBGRADERS)
        and not each.name.startswith((".", "__"))
        and (each.is_dir() or each.name.lower().endswith((".zip", ".ipynb")))
    ]


def files_of(root: Path) -> Iterator[Entry]:
    """The files below a folder, in the order of their names. Links are named and not followed."""
    yield from _walk(os.fsencode(root), ())


def _walk(folder: bytes, parts: tuple[str, ...]) -> Iterator[Entry]:
    try:
        found = sorted(os.scandir(folder), key=lambda each: each.name)
    except OSError as error:
        yield Entry(parts=parts, problem=f"The folder cannot be read: {error.strerror}.")
        return
    for each in found:
        # A name that is no UTF-8 is kept visible, and is text from here on.
        own = (*parts, each.name.decode("utf-8", "backslashreplace"))
        if each.is_symlink():
            yield Entry(parts=own, problem="It is a link, and links are not followed.")
        elif each.is_dir(follow_symlinks=False):
            if len(own) > DEPTH:
                yield Entry(parts=own, problem="It lies in too many folders.")
            else:
                yield from _walk(each.path, own)
        elif each.is_file(follow_symlinks=False):
            yield Entry(parts=own, size_bytes=_size(each), _reader=partial(_read_file, each.path))
        else:
            yield Entry(parts=own, problem="It is no ordinary file.")


def _size(each: os.DirEntry[bytes]) -> int:
    try:
        return each.stat(follow_symlinks=False).st_size
    except OSError:  # it is gone, which whoever reads it is told
        return 0


def _read_file(path: bytes, limit: int) -> bytes:
    # Opened without following a link and without waiting, in case it was exchanged since it was seen.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        number = os.open(path, flags)
        with os.fdopen(number, "rb") as stream:
            found = os.fstat(number)
            if not stat.S_ISREG(found.st_mode):
                raise Unreadable("It is no ordinary file.")
            # Reading up to the limit would take a buffer of that size at once.
            return stream.read(min(limit, found.st_size) + 1)
    except OSError as error:
        raise Unreadable(f"It cannot be read: {error.strerror}.") from None


class Archive:
    """A zip archive, read in memory.

    Args:
        file: a path, or the bytes of an archive that lies in another file.
        parts: where it lies in the batch.
        entries: how many it may have.
        of: of how many these are what is left; for the message.

    Raises:
        Unreadable: it is no zip archive, is damaged, or has too many entries.
    """

    def __init__(
        self, file: Path | bytes, parts: tuple[str, ...], *, entries: int, of: int | None = None
    ) -> None:
        stream: IO[bytes] = io.BytesIO(file) if isinstance(file, bytes) else _opened(file)
        self._stream = stream
        self._parts = parts
        others = of is not None and entries < of
        many = f"It{' and what was looked at before' * others} lists more than {of if others else entries} files."
        try:
            # zipfile makes an object for each entry as it opens the archive, so their size is asked before.
            end: Any = zipfile._EndRecData(stream)  # type: ignore[attr-defined]
            if end is None:
                raise Unreadable("It is no zip archive, or its end is missing.")
            if end[5] > entries * _DIRECTORY_BYTES_EACH:
                raise Unreadable(many)
            self._zip = zipfile.ZipFile(stream)
            if len(self._zip.infolist()) > entries:
                raise Unreadable(many)
        except Unreadable:
            stream.close()
            raise
        except Exception as error:  # whatever an archive made on purpose leads zipfile to
            stream.close()
            raise Unreadable(f"It is a damaged zip archive: {error}.") from None

    @property
    def count(self) -> int:
        """How many entries it has, folders included."""
        return len(self._zip.infolist())

    def close(self) -> None:
        self._zip.close()
        self._stream.close()

    def files(self) -> Iterator[Entry]:
        """Its files in the order of their names; of equal names, in the order in which they lie there."""
        infos = self._zip.infolist()
        # Compress-Archive of Windows PowerShell 5.1 writes paths with backslashes only. They are read as slashes
        # before anything of a name is checked; beside a slash, a backslash is part of a name, and refused.
        backslashes = not any("/" in info.orig_filename for info in infos)
        for info in sorted(infos, key=lambda each: each.filename):
            # zipfile cuts a name at a NUL; what was written there is what counts.
            name = info.orig_filename.replace("\\", "/") if backslashes else info.orig_filename
            wrong = what_is_wrong_with(name)
            # Not is_dir(), which raises for a name with nothing before a NUL (Python 3.11).
            if name.endswith("/") and not wrong:
                continue
            shown = tuple(part for part in name.partition("\0")[0].split("/") if part) or ("(no name)",)
            yield Entry(
                parts=(*self._parts, *shown),
                problem=wrong or _what_is_wrong_with(info),
                size_bytes=info.file_size,
                _reader=partial(self._read, info),
            )

    def _read(self, info: zipfile.ZipInfo, limit: int) -> bytes:
        # zipfile gives no more than the directory says, and would unpack as much as is asked for.
        bound = min(limit, info.file_size)
        try:
            with self._zip.open(info) as stream:
                data = stream.read(bound + 1)
                if len(data) <= bound and stream.read(1):  # also has the checksum compared
                    raise Unreadable("It is longer than the archive says.")
        except Unreadable:
            raise
        except (RuntimeError, NotImplementedError) as error:  # encrypted, or packed in an unknown way
            raise Unreadable(f"It cannot be unpacked: {error}.") from None
        except Exception as error:  # whatever damage, or an archive made on purpose, leads zipfile to
            raise Unreadable(f"It is damaged in its archive: {error}.") from None
        return data


def _opened(file: Path) -> IO[bytes]:
    try:
        return file.open("rb")
    except OSError as error:
        raise Unreadable(f"It cannot be read: {error.strerror}.") from None


def _what_is_wrong_with(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.create_system == 3 and kind not in (0, stat.S_IFREG, stat.S_IFDIR):  # made on Unix
        return (
            "It is a link, and links are not followed." if kind == stat.S_IFLNK else "It is no ordinary file."
        )
    if kind == stat.S_IFLNK:
        return "It is a link, and links are not followed."
    if info.flag_bits & 0x1:
        return "It is encrypted."
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # The other ways can unpack a few bytes to gigabytes in one step.
        return "It is packed in another way than store or deflate."
    if info.file_size > max(RATIO_FROM_BYTES, info.compress_size * RATIO):
        return f"It unpacks to more than {RATIO} times its size."
    return ""
