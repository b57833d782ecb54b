"""``wasi:filesystem``: the component's ``files``, read-only."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from wasm_lab.components import Err, current
from wasm_lab.scenarios.spin.host.clocks import datetime_of
from wasm_lab.scenarios.spin.host.io import READ_BYTES, InputStream, closed

if TYPE_CHECKING:
    from wasm_lab.scenarios.spin.host.io import Error
    from wasm_lab.scenarios.spin.host.mounts import Node

#: Bytes that one ``read`` of a descriptor gives at most.
MOST_BYTES = 1024 * 1024

#: Files that one guest may have open at the same time.
OPEN_FILES = 64

_READ_ONLY = "read-only"


def _type_of(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "regular-file"
    return "directory" if stat.S_ISDIR(mode) else "unknown"


class FileInput(InputStream):
    """A file from some position on."""

    def __init__(self, watch: Any, descriptor: Descriptor, offset: int) -> None:
        super().__init__(watch)
        self._descriptor = descriptor
        self._offset = offset

    def read(self, length: int) -> bytes:
        if not length:
            return b""
        data = self._descriptor.bytes_at(min(length, READ_BYTES), self._offset)
        if not data:
            raise closed()
        self._offset += len(data)
        return data


class Descriptor:
    """The resource ``descriptor``. Its file is opened at the first read."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._file: int | None = None

    def bytes_at(self, length: int, offset: int) -> bytes:
        if self._file is None:
            if self._node.is_folder or self._node.path is None:
                raise Err("is-directory")
            files = current.data.open_files
            if len(files) >= OPEN_FILES:
                raise Err("insufficient-memory")
            try:
                self._file = os.open(self._node.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            except OSError:
                raise Err("access") from None
            files.add(self)
        if offset > 2**63 - 1:
            raise Err("invalid")
        return os.pread(self._file, length, offset)

    def close_file(self) -> None:
        number, self._file = self._file, None
        if number is not None:
            os.close(number)

    def close(self) -> None:
        if self._file is not None:
            self.close_file()
            current.data.open_files.discard(self)

    # Reading.

    def read_via_stream(self, offset: int) -> FileInput:
        if self._node.is_folder:
            raise Err("is-directory")
        return FileInput(current.data, self, offset)

    def read(self, length: int, offset: int) -> tuple[bytes, bool]:
        data = self.bytes_at(min(length, MOST_BYTES), offset)
        return data, not data and length > 0

    def advise(self, offset: int, length: int, advice: Any) -> None:
        pass

    def sync_data(self) -> None:
        pass

    def sync(self) -> None:
        pass

    def get_flags(self) -> list[str]:
        return ["read"]

    def get_type(self) -> str:
        return "directory" if self._node.is_folder else "regular-file"

    def stat(self) -> dict[str, Any]:
        return _stat(self._node)

    def stat_at(self, path_flags: Any, path: str) -> dict[str, Any]:
        return _stat(self._find(path))

    def open_at(self, path_flags: Any, path: str, open_flags: Any, flags: Any) -> Descriptor:
        wanted, rights = _names(open_flags), _names(flags)
        try:
            node = self._find(path)
        except Err:
            if "create" in wanted:
                raise Err(_READ_ONLY) from None
            raise
        if wanted >= {"create", "exclusive"}:
            raise Err("exist")
        if "truncate" in wanted or "write" in rights or "mutate_directory" in rights:
            raise Err(_READ_ONLY)
        if "directory" in wanted and not node.is_folder:
            raise Err("not-directory")
        return Descriptor(node)

    def read_directory(self) -> DirectoryEntryStream:
        if not self._node.is_folder:
            raise Err("not-directory")
        return DirectoryEntryStream(self._node)

    def readlink_at(self, path: str) -> str:
        self._find(path)
        raise Err("invalid")  # links are followed; the guest sees none

    def is_same_object(self, other: Descriptor) -> bool:
        return _identity(self._node) == _identity(other._node)

    def metadata_hash(self) -> dict[str, int]:
        return _hash(self._node)

    def metadata_hash_at(self, path_flags: Any, path: str) -> dict[str, int]:
        return _hash(self._find(path))

    def _find(self, path: str) -> Node:
        if path.startswith("/"):
            raise Err("not-permitted")
        trail = [self._node]
        for part in path.split("/"):
            if part in ("", "."):
                continue
            if not trail[-1].is_folder:
                raise Err("not-directory")
            if part == "..":
                if len(trail) == 1:
                    raise Err("not-permitted")
                trail.pop()
                continue
            if "\0" in part:
                raise Err("invalid")
            child = trail[-1].child(part)
            if child is None:
                raise Err("no-entry")
            trail.append(child)
        return trail[-1]

    # Changing: refused, whatever it is.

    def write_via_stream(self, offset: int) -> Any:
        raise Err(_READ_ONLY)

    def append_via_stream(self) -> Any:
        raise Err(_READ_ONLY)

    def set_size(self, size: int) -> None:
        raise Err(_READ_ONLY)

    def set_times(self, data_access_timestamp: Any, data_modification_timestamp: Any) -> None:
        raise Err(_READ_ONLY)

    def write(self, buffer: bytes, offset: int) -> int:
        raise Err(_READ_ONLY)

    def create_directory_at(self, path: str) -> None:
        raise Err(_READ_ONLY)

    def set_times_at(self, path_flags: Any, path: str, accessed: Any, modified: Any) -> None:
        raise Err(_READ_ONLY)

    def link_at(self, old_path_flags: Any, old_path: str, new_descriptor: Descriptor, new_path: str) -> None:
        raise Err(_READ_ONLY)

    def remove_directory_at(self, path: str) -> None:
        raise Err(_READ_ONLY)

    def rename_at(self, old_path: str, new_descriptor: Descriptor, new_path: str) -> None:
        raise Err(_READ_ONLY)

    def symlink_at(self, old_path: str, new_path: str) -> None:
        raise Err(_READ_ONLY)

    def unlink_file_at(self, path: str) -> None:
        raise Err(_READ_ONLY)


class DirectoryEntryStream:
    """The resource ``directory-entry-stream``."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._names = iter(node.names())

    def read_directory_entry(self) -> dict[str, Any] | None:
        for name in self._names:
            child = self._node.child(name)
            if child is not None:
                return {"type": "directory" if child.is_folder else "regular-file", "name": name}
        return None


def _names(flags: Any) -> set[str]:
    """The names of the flags that are set, in snake_case."""
    return {str(flag.name).lower() for flag in flags}


def _identity(node: Node) -> tuple[int, int]:
    if node.path is None:
        return 0, id(node)
    status = node.path.stat()
    return status.st_dev, status.st_ino


def _hash(node: Node) -> dict[str, int]:
    upper, lower = _identity(node)
    return {"lower": lower & (2**64 - 1), "upper": upper & (2**64 - 1)}


def _stat(node: Node) -> dict[str, Any]:
    found = None if node.path is None else node.path.stat()
    if found is None:
        when, size, links, kind = None, 0, 1, "directory"
    else:
        when, size, links = datetime_of(found.st_mtime_ns), found.st_size, found.st_nlink
        kind = _type_of(found.st_mode)
    return {
        "type": kind,
        "link_count": links,
        "size": size,
        "data_access_timestamp": when,
        "data_modification_timestamp": when,
        "status_change_timestamp": when,
    }


def filesystem_error_code(err: Error) -> str | None:
    """``filesystem-error-code``: what a stream of a file failed of."""
    return err.code if isinstance(err.code, str) else None


class types:  # noqa: N801 - an interface, whose names are the WIT's
    """``wasi:filesystem/types``."""

    Descriptor = Descriptor
    DirectoryEntryStream = DirectoryEntryStream
    filesystem_error_code = staticmethod(filesystem_error_code)


class _Preopens:
    def __init__(self, tree: Node | None) -> None:
        self._tree = tree

    def get_directories(self) -> list[tuple[Descriptor, str]]:
        return [] if self._tree is None else [(Descriptor(self._tree), "/")]


def implement(tree: Node | None) -> dict[str, object]:
    """The interfaces of ``wasi:filesystem`` for one component; None: it has no files."""
    return {"wasi:filesystem/types": types, "wasi:filesystem/preopens": _Preopens(tree)}
