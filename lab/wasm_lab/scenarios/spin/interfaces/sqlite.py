"""SQLite: ``spin:sqlite@3.0.0``, ``fermyon:spin/sqlite@2.0.0`` and the one before.

A database is one file. A guest cannot reach another (no ATTACH, no VACUUM INTO), load extensions,
or turn off what keeps the file whole; a statement ends with the guest's deadline, and the file and
each result have a size that they may not pass.
"""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Any

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.interfaces.key_value import handles
from wasm_lab.scenarios.spin.interfaces.limits import (
    FILE_BYTES,
    RESULT_BYTES,
    VALUE_BYTES,
    about_to_wait,
    held,
    tell,
    time_left,
    too_long,
)
from wasm_lab.scenarios.spin.interfaces.variants import case_of, variant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wasm_lab.scenarios.spin.context import ComponentContext

#: Spin's own name for the file of the database ``default``, in the application's state folder.
FILE = "sqlite_db.db"

#: Connections that one guest may hold: each is an open file.
CONNECTIONS = 32

#: Seconds that a statement waits for a lock of another connection.
BUSY_S = 5.0

#: Virtual machine steps between two looks at the clock: about 20 µs.
STEPS = 1000

#: Pragmas that a guest may use: those that read, and those of its own connection that harm nobody.
PRAGMAS = frozenset(
    "table_info table_xinfo table_list index_info index_list index_xinfo foreign_key_list foreign_key_check "
    "foreign_keys user_version application_id data_version page_count page_size freelist_count quick_check "
    "integrity_check collation_list compile_options function_list case_sensitive_like recursive_triggers "
    "defer_foreign_keys encoding optimize".split()
)

Error = variant("Error", "NoSuchDatabase AccessDenied InvalidConnection DatabaseFull", "Io")
Value = variant("Value", "Null", "Integer Real Text Blob")

NULL = Value.Null()
INTEGER, REAL, TEXT, BLOB = Value.Integer, Value.Real, Value.Text, Value.Blob


class Database:
    """One open connection to one database file."""

    def __init__(self, path: Path) -> None:
        self._until = 0.0
        self.last_insert_rowid = 0
        self.changes = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path,
                timeout=min(BUSY_S, time_left()),
                isolation_level=None,
                check_same_thread=False,
                cached_statements=32,
            )
        except (sqlite3.Error, OSError) as error:
            raise Err(Error.Io(str(error))) from None
        try:
            self._set_up()
        except sqlite3.Error as error:
            self._connection.close()
            raise Err(Error.Io(str(error))) from None

    def _set_up(self) -> None:
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA trusted_schema=OFF")
        (size,) = self._connection.execute("PRAGMA page_size").fetchone()
        self._connection.execute(f"PRAGMA max_page_count={FILE_BYTES // size}")
        self._connection.execute("PRAGMA busy_timeout=0")  # statements of guests wait in `execute`
        self._connection.text_factory = lambda data: data.decode("utf-8", "replace")
        for limit, value in (
            (sqlite3.SQLITE_LIMIT_LENGTH, VALUE_BYTES),
            (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 1 << 20),
            (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
            (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
            (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 200),
        ):
            self._connection.setlimit(limit, value)
        self._connection.set_authorizer(_authorized)
        self._connection.set_progress_handler(self._over, STEPS)

    def execute(self, statement: str, parameters: Sequence[Any]) -> dict[str, Any]:
        """Run one statement.

        Raises:
            Err: it failed.
        """
        why = too_long("the parameters", sum(_size(one) for one in parameters), VALUE_BYTES)
        if why:
            raise Err(Error.Io(why))
        values = [getattr(one, "value", None) for one in parameters]
        started = time.monotonic()
        self._until = started + time_left()
        while True:
            try:
                return self._run(statement, values)
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                # Waiting here rather than in SQLite, which knows of no deadline.
                if busy and not self._connection.in_transaction:
                    now = time.monotonic()
                    if now < min(started + BUSY_S, self._until - 0.01):
                        about_to_wait()
                        time.sleep(0.002)
                        continue
                raise Err(_error(error)) from None
            except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
                raise Err(_error(error)) from None

    def _run(self, statement: str, values: list[Any]) -> dict[str, Any]:
        cursor = self._started(statement, values)
        columns = [column[0] for column in cursor.description or ()]
        rows, size = [], 0
        for row in cursor:
            cells = []
            for cell in row:
                kind = type(cell)
                if kind is int:
                    cells.append(INTEGER(cell))
                    size += 24
                elif kind is str:
                    cells.append(TEXT(cell))
                    size += len(cell) + 24
                elif cell is None:
                    cells.append(NULL)
                    size += 24
                elif kind is float:
                    cells.append(REAL(cell))
                    size += 24
                else:
                    cells.append(BLOB(bytes(cell)))
                    size += len(cell) + 24
            if size > RESULT_BYTES:
                cursor.close()
                raise ValueError(f"query result exceeds limit of {RESULT_BYTES} bytes")
            rows.append({"values": cells})
        if cursor.rowcount >= 0:
            self.changes = cursor.rowcount
            self.last_insert_rowid = cursor.lastrowid or self.last_insert_rowid
        cursor.close()
        return {"columns": columns, "rows": rows}

    def _started(self, statement: str, values: list[Any]) -> sqlite3.Cursor:
        """Guests give values by place, whatever the statement calls its parameters (``?``, ``?2``, ``:name``)."""
        if values and any(sign in statement for sign in ":@$"):
            try:
                return self._connection.execute(statement, _InTurn(values))
            except sqlite3.ProgrammingError as error:
                if "has no name" not in str(error):
                    raise
        return self._connection.execute(statement, values)

    def _over(self) -> bool:
        return time.monotonic() > self._until

    def close(self) -> None:
        """Close it; a transaction that the guest left open is undone."""
        self._connection.set_progress_handler(None, 0)
        self._connection.close()


class _InTurn(dict[str, Any]):
    """Values by place for parameters with names: Python asks for each name once, in the order of places."""

    def __init__(self, values: list[Any]) -> None:
        super().__init__()
        self._rest = iter(values)

    def __getitem__(self, name: str) -> Any:
        try:
            return next(self._rest)
        except StopIteration:
            raise ValueError(f"there is no value for the parameter {name}") from None


class Opener:
    """Opens databases for one component."""

    def __init__(self, context: ComponentContext) -> None:
        self._context = context

    def open(self, name: str) -> Database:
        """Open a database that the manifest lists.

        Raises:
            Err: it is not listed, not defined, or cannot be opened.
        """
        component = self._context.component
        if name not in component.sqlite_databases:
            tell(
                f"Component `{component.id}` may not open the SQLite database {name[:80]!r}. Add it to "
                f"sqlite_databases under [component.{component.id}]."
            )
            raise Err(Error.AccessDenied())
        file = self._context.runtime.sqlite_databases.get(name)
        if file is None:
            tell(
                f"Nothing stands behind the SQLite database {name!r}. Add [sqlite_database.{name}] to a "
                "runtime configuration, and name the file with --runtime-config-file."
            )
            raise Err(Error.NoSuchDatabase())
        mine = _held()
        if len(mine) >= CONNECTIONS:
            raise Err(Error.Io("too many connections opened"))
        database = Database(file.path or self._context.state_dir / FILE)
        mine.add(database)
        return database


def give_back(database: Database) -> None:
    """The guest needs it no more."""
    _held().discard(database)
    database.close()


def implement(context: ComponentContext) -> Mapping[str, object]:
    """The imports that a component's SQLite interfaces need."""
    opener = Opener(context)
    with_connections = _interface(opener)
    return {
        "spin:sqlite/sqlite@3.0.0": with_connections,
        "fermyon:spin/sqlite@2.0.0": with_connections,
        "fermyon:spin/sqlite": _V1(opener),
    }


def _held() -> set[Database]:
    return held("sqlite databases", lambda database: database.close())


def _interface(opener: Opener) -> object:
    class interface:  # noqa: N801 - an interface, whose names are the WIT's
        class Connection:
            """The resource ``connection``."""

            def __init__(self, database: Database) -> None:
                self._database = database

            @staticmethod
            def open(database: str) -> Any:
                return interface.Connection(opener.open(database))

            def execute(self, statement: str, parameters: Sequence[Any]) -> dict[str, Any]:
                return self._database.execute(statement, parameters)

            def last_insert_rowid(self) -> int:
                return self._database.last_insert_rowid

            def changes(self) -> int:
                return self._database.changes

            def close(self) -> None:
                give_back(self._database)

    return interface


class _V1:
    """``fermyon:spin/sqlite``: handles are numbers, which belong to one guest."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def open(self, database: str) -> int:
        opened = self._opener.open(database)
        table = handles("sqlite v1")
        number = next(number for number in range(len(table) + 1) if number not in table)
        table[number] = opened
        return number

    def execute(self, conn: int, statement: str, parameters: Sequence[Any]) -> dict[str, Any]:
        database = handles("sqlite v1").get(conn)
        if database is None:
            raise Err(Error.InvalidConnection())
        result: dict[str, Any] = database.execute(statement, parameters)
        return result

    def close(self, conn: int) -> None:
        database = handles("sqlite v1").pop(conn, None)
        if database is not None:
            give_back(database)


def _authorized(action: int, first: str | None, second: str | None, _: str | None, __: str | None) -> int:
    if action in (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH):
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() not in PRAGMAS:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() == "load_extension":
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _size(parameter: Any) -> int:
    return len(parameter.value) if case_of(parameter) in ("Text", "Blob") else 8


def _error(error: Exception) -> Any:
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_FULL:
        return Error.DatabaseFull()
    if code == sqlite3.SQLITE_INTERRUPT:
        return Error.Io("the statement took longer than the request may take")
    if code == sqlite3.SQLITE_AUTH:
        return Error.Io(f"{error}: a guest may not use ATTACH, extensions, or this pragma")
    return Error.Io(str(error))
