"""Key-value stores in a SQLite file: the same file and table that Spin itself makes.

When `set` returns, the value stands in SQLite's write-ahead log and survives the end of the process,
however it comes. Against a power cut the log is written to the disk within `FLUSH_S`, and always when
the store is closed: as Redis does it with ``appendfsync everysec``. Waiting for the disk at each value
would take as long as one fsync, on most disks more than all the rest of a request. What a power cut
takes is the latest values, never a part of one. Several processes may use the file at once.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections import deque
from typing import TYPE_CHECKING

from wasm_lab.scenarios.spin.interfaces.limits import (
    FILE_BYTES,
    KEY_BYTES,
    RESULT_BYTES,
    VALUE_BYTES,
    too_long,
)
from wasm_lab.scenarios.spin.interfaces.stores import StoreError, sum_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: Seconds after which what was written is on the disk.
FLUSH_S = 1.0

#: Seconds that a write waits for one of another process.
BUSY_S = 5.0

#: Rows of one statement with a list of keys.
PART = 500

TABLE = """
CREATE TABLE IF NOT EXISTS spin_key_value (
    store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key)
)"""
GET = "SELECT value FROM spin_key_value WHERE store=? AND key=?"
SET = (
    "INSERT INTO spin_key_value (store, key, value) VALUES (?, ?, ?) "
    "ON CONFLICT (store, key) DO UPDATE SET value=excluded.value"
)
DELETE = "DELETE FROM spin_key_value WHERE store=? AND key=?"
EXISTS = "SELECT 1 FROM spin_key_value WHERE store=? AND key=?"
KEYS = "SELECT key FROM spin_key_value WHERE store=?"


class StoreFile:
    """The file that several labels share, with a connection for each thread that is at it just now."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._free: deque[sqlite3.Connection] = deque()  # its ends are safe for many threads
        self._all: list[sqlite3.Connection] = []
        self._closed = False
        self.writing = threading.Lock()  # SQLite's own waiting sleeps; within a process a lock is faster
        self._written = threading.Event()
        self._ended = threading.Event()
        self._flusher: threading.Thread | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{path.parent}: {error.strerror}") from None
        self.give(self.take())

    def take(self) -> sqlite3.Connection:
        """A connection for this thread, until it is given back."""
        try:
            return self._free.pop()
        except IndexError:
            return self._connect()

    def give(self, connection: sqlite3.Connection) -> None:
        """It is free for the next."""
        self._free.append(connection)

    def _connect(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreError("the application is shutting down")
        try:
            made = sqlite3.connect(
                self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=32
            )
        except sqlite3.Error as error:
            raise StoreError(f"{self.path.name}: {error}") from None
        try:
            with self.writing:
                made.execute("PRAGMA journal_mode=WAL")
                made.execute("PRAGMA synchronous=NORMAL")  # the flusher does the rest
                made.execute(f"PRAGMA max_page_count={FILE_BYTES // 4096}")
                made.execute(TABLE)
                self._all.append(made)
        except sqlite3.Error as error:
            made.close()
            raise StoreError(f"{self.path.name}: {error}") from None
        return made

    def written(self) -> None:
        """Something was committed: have it on the disk soon."""
        if not self._written.is_set():
            self._written.set()
            if self._flusher is None:
                with self.writing:
                    if self._flusher is None and not self._closed:
                        self._flusher = threading.Thread(
                            target=self._flush, name="wasm-lab key-value", daemon=True
                        )
                        self._flusher.start()

    def _flush(self) -> None:
        log = self.path.with_name(f"{self.path.name}-wal")
        while not self._closed:
            self._written.wait()
            self._ended.wait(FLUSH_S)
            self._written.clear()  # before: what is committed from now on is flushed once more
            with contextlib.suppress(OSError):  # the last connection of all may have folded the log
                number = os.open(log, os.O_RDONLY)
                try:
                    os.fsync(number)
                finally:
                    os.close(number)

    def close(self) -> None:
        """Close every connection; the log is folded into the file, which is then on the disk."""
        with self.writing:
            self._closed = True
            connections, self._all = self._all, []
        self._ended.set()
        self._written.set()
        if self._flusher is not None:
            self._flusher.join(BUSY_S)
        for connection in connections:
            connection.close()


class SqliteStore:
    """The keys and values of one label in a `StoreFile`."""

    def __init__(self, file: StoreFile, name: str) -> None:
        self._file = file
        self._name = name

    def get(self, key: str) -> bytes | None:
        connection = self._file.take()
        try:
            row = connection.execute(GET, (self._name, key)).fetchone()
        except sqlite3.Error as error:
            raise _failed(error) from None
        finally:
            self._file.give(connection)
        return None if row is None else bytes(row[0])

    def set(self, key: str, value: bytes) -> None:
        _check(key, value)
        connection = self._file.take()
        try:
            with self._file.writing:
                connection.execute(SET, (self._name, key, value))
        except sqlite3.Error as error:
            raise _failed(error) from None
        finally:
            self._file.give(connection)
        self._file.written()

    def delete(self, key: str) -> None:
        connection = self._file.take()
        try:
            with self._file.writing:
                connection.execute(DELETE, (self._name, key))
        except sqlite3.Error as error:
            raise _failed(error) from None
        finally:
            self._file.give(connection)
        self._file.written()

    def exists(self, key: str) -> bool:
        connection = self._file.take()
        try:
            return connection.execute(EXISTS, (self._name, key)).fetchone() is not None
        except sqlite3.Error as error:
            raise _failed(error) from None
        finally:
            self._file.give(connection)

    def get_keys(self) -> list[str]:
        keys, size = [], 0
        connection = self._file.take()
        try:
            with contextlib.closing(connection.execute(KEYS, (self._name,))) as rows:
                for (key,) in rows:
                    size += len(key) + 24
                    if size > RESULT_BYTES:
                        raise StoreError(f"the keys take more than {RESULT_BYTES} bytes")
                    keys.append(key)
        except sqlite3.Error as error:
            raise _failed(error) from None
        finally:
            self._file.give(connection)
        return keys

    def get_many(self, keys: Sequence[str]) -> list[tuple[str, bytes | None]]:
        found: dict[str, bytes] = {}
        size = 0
        connection = self._file.take()
        try:
            for start in range(0, len(keys), PART):
                part = keys[start : start + PART]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, value FROM spin_key_value WHERE store=? AND key IN ({marks})"
                with contextlib.closing(connection.execute(query, (self._name, *part))) as rows:
                    for key, value in rows:
                        size += len(value)
                        if size > RESULT_BYTES:
                            raise StoreError(f"the values take more than {RESULT_BYTES} bytes")
                        found[key] = bytes(value)
        except sqlite3.Error as error:
            raise _failed(error) from None
        finally:
            self._file.give(connection)
        return [(key, found.get(key)) for key in keys]

    def set_many(self, pairs: Sequence[tuple[str, bytes]]) -> None:
        for key, value in pairs:
            _check(key, value)
        with self._transaction() as connection:
            connection.executemany(SET, [(self._name, key, value) for key, value in pairs])

    def delete_many(self, keys: Sequence[str]) -> None:
        with self._transaction() as connection:
            connection.executemany(DELETE, [(self._name, key) for key in keys])

    def increment(self, key: str, delta: int) -> int:
        """Numbers are kept as 8 bytes, the least first, as Spin keeps them."""
        _check(key, b"")
        with self._transaction() as connection:
            row = connection.execute(GET, (self._name, key)).fetchone()
            if row is not None and len(row[0]) != 8:
                raise StoreError(f"the value of this key has {len(row[0])} bytes: it is no number of 8")
            number = sum_of(int.from_bytes(row[0], "little", signed=True) if row else 0, delta)
            connection.execute(SET, (self._name, key, number.to_bytes(8, "little", signed=True)))
        return number

    def swap(self, key: str, seen: bytes | None, value: bytes) -> bool:
        _check(key, value)
        with self._transaction() as connection:
            row = connection.execute(GET, (self._name, key)).fetchone()
            same = (None if row is None else bytes(row[0])) == seen
            if same:
                connection.execute(SET, (self._name, key, value))
        return same

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._file.take()
        try:
            with self._file.writing:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise _failed(error) from None
        finally:
            self._file.give(connection)
        self._file.written()


def _check(key: str, value: bytes) -> None:
    why = too_long("the key", len(key), KEY_BYTES) or too_long("the value", len(value), VALUE_BYTES)
    if why:
        raise StoreError(why)


def _failed(error: sqlite3.Error) -> StoreError:
    if "full" in str(error):
        return StoreError(f"the store is full: it may have {FILE_BYTES} bytes")
    return StoreError(str(error))
