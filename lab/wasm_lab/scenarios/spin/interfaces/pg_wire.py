"""One connection to a PostgreSQL server that a guest opened, through psycopg.

Statements go through libpq's own calls rather than psycopg's cursors: a guest numbers its parameters
itself (``$1``), their types come from the server, rows come in binary form, and every wait ends with
the guest's deadline.
"""

from __future__ import annotations

import select
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.spin.interfaces.limits import (
    ANSWER_S,
    CONNECT_S,
    RESULT_BYTES,
    VALUE_BYTES,
    about_to_wait,
    time_left,
    too_long,
    wait_readable,
)
from wasm_lab.scenarios.spin.interfaces.pg_types import (
    COLUMN_CASES,
    ValueFailure,
    WrongType,
    decode,
    encode,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.scenarios.spin.interfaces.idle import Idle
    from wasm_lab.scenarios.spin.interfaces.pg_address import Address

#: Seconds that the server itself lets a statement take, and a transaction lie idle.
SERVER_LIMITS = f"-c statement_timeout={int(ANSWER_S * 1000)} -c idle_in_transaction_session_timeout=60000"

#: Bytes of a column's place in a row, in the bound on results.
CELL = 24


class ConnectError(Exception):
    """The server cannot be reached, or refuses; the message is for the guest."""


class StatementError(Exception):
    """A statement failed; ``fields`` is what the server told, where it told something."""

    def __init__(self, message: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = fields


class ParameterError(Exception):
    """A parameter cannot be passed."""


class ConversionError(Exception):
    """A value of a row cannot be given to the guest."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a statement gave: for each column its name and type, for each cell the case and the value."""

    columns: tuple[tuple[str, int], ...]
    rows: list[list[tuple[str, Any]]]
    affected: int


class Wire:
    """A connection of one guest's; given back with `close`."""

    def __init__(self, address: Address, idle: Idle) -> None:
        self._address = address
        self._idle = idle
        self._closed = False
        found = idle.take(address)
        if found is not None and not _alive(found):
            found.close()
            found = None
        self._connection = found or _connect(address)

    def run(self, statement: str, parameters: Sequence[tuple[str, Any]]) -> Rows:
        """Run one statement.

        Args:
            statement: with ``$1`` and so on.
            parameters: the case and the value of each; ``DbNull`` fits every type.

        Raises:
            ParameterError, StatementError, ConversionError
        """
        why = too_long("the statement", len(statement), VALUE_BYTES)
        if why or "\0" in statement:
            raise StatementError(why or "a statement may not hold a zero byte")
        if self._connection.closed:
            try:
                self._connection = _connect(self._address)  # the server went and may be back
            except ConnectError as error:
                raise StatementError(str(error)) from None
        talk = _Talk(self._connection)
        try:
            return talk.run(statement, parameters)
        except _Broken as error:
            self._connection.close()
            raise StatementError(str(error)) from None

    def type_name(self, oid: int) -> str:
        """The server's name for a type."""
        from psycopg.postgres import types

        known = types.get(oid)
        if known is not None:
            return str(known.name).strip('"')
        try:
            rows = self.run(f"SELECT typname::text FROM pg_type WHERE oid = {int(oid)}", ()).rows
        except StatementError:  # within a failed transaction, for one
            return f"oid {oid}"
        return str(rows[0][0][1]) if rows else f"oid {oid}"

    def close(self) -> None:
        """Give the connection back as a new one would be, or close it."""
        if self._closed:
            return
        self._closed = True
        connection = self._connection
        if connection.closed:
            return
        try:
            talk = _Talk(connection)
            if talk.in_transaction:
                talk.tell("ROLLBACK")
            talk.tell("DISCARD ALL")
        except (StatementError, _Broken):
            connection.close()
            return
        self._idle.give(self._address, connection)


class _Broken(Exception):
    """The connection cannot be used any more."""


class _Talk:
    """The conversation of one statement."""

    def __init__(self, connection: Any) -> None:
        from psycopg import pq

        self._pg = connection.pgconn
        self._pq = pq
        self._deadline = time.monotonic() + time_left()

    @property
    def in_transaction(self) -> bool:
        return bool(self._pg.transaction_status != self._pq.TransactionStatus.IDLE)

    def run(self, statement: str, parameters: Sequence[tuple[str, Any]]) -> Rows:
        import psycopg

        try:
            return self._run(statement, parameters)
        except psycopg.Error as error:  # libpq's own calls, on a connection that is gone
            raise _Broken(str(error).strip()) from None

    def tell(self, command: str) -> None:
        """Run a command of the host's own, in one way there and back."""
        import psycopg

        try:
            self._pg.send_query(command.encode())
            self._results()
        except psycopg.Error as error:
            raise _Broken(str(error).strip()) from None

    def _run(self, statement: str, parameters: Sequence[tuple[str, Any]]) -> Rows:
        pg, status = self._pg, self._pq.ExecStatus
        pg.send_prepare(b"", statement.encode())
        self._results()
        pg.send_describe_prepared(b"")
        (told,) = self._results() or (None,)
        wanted = [told.param_type(at) for at in range(told.nparams)] if told is not None else []
        if len(wanted) != len(parameters):
            raise StatementError(f"expected {len(wanted)} parameters but got {len(parameters)}")
        values = [_value(at, one, oid) for at, (one, oid) in enumerate(zip(parameters, wanted, strict=True))]
        why = too_long("the parameters", sum(len(value) for value in values if value), VALUE_BYTES)
        if why:
            raise ParameterError(why)
        pg.send_query_prepared(b"", values, param_formats=[1] * len(values), result_format=1)
        pg.set_single_row_mode()  # so that a large result is noticed before it is here as a whole
        columns: tuple[tuple[str, int], ...] = ()
        rows: list[list[tuple[str, Any]]] = []
        size, affected, failure = 0, 0, None
        while (result := self._next()) is not None:
            if result.status == status.SINGLE_TUPLE:
                if not columns:
                    columns = _columns(result)
                if failure is None:
                    try:
                        row, taken = _row(result, columns)
                    except ConversionError as error:
                        failure = error  # the rest must still be taken from the wire
                        continue
                    size += taken
                    if size > RESULT_BYTES:
                        raise _Broken(f"query result exceeds limit of {RESULT_BYTES} bytes")
                    rows.append(row)
            elif result.status in (status.COMMAND_OK, status.TUPLES_OK):
                affected = result.command_tuples or 0
            elif result.status in (status.COPY_IN, status.COPY_OUT, status.COPY_BOTH):
                raise _Broken("COPY cannot be used through this interface")
            elif result.status == status.EMPTY_QUERY:
                continue
            else:
                self._rest()
                raise _refused(result, self._pq)
        if failure is not None:
            raise failure
        return Rows(columns, rows, affected)

    def _results(self) -> list[Any]:
        """Every answer to what was sent.

        Raises:
            StatementError: one of them is an error.
        """
        status = self._pq.ExecStatus
        results = []
        while (result := self._next()) is not None:
            if result.status not in (status.COMMAND_OK, status.TUPLES_OK):
                self._rest()
                raise _refused(result, self._pq)
            results.append(result)
        return results

    def _rest(self) -> None:
        while self._next() is not None:
            pass

    def _next(self) -> Any:
        """The next answer; None after the last one."""
        pg = self._pg
        while True:
            unsent = pg.flush()
            if not unsent and not pg.is_busy():
                return pg.get_result()
            left = self._deadline - time.monotonic()
            if left <= 0:
                self._cancel()
                raise _Broken("the server does not answer in time; the statement was cancelled")
            if unsent:
                about_to_wait()
                readable = bool(select.select([pg.socket], [pg.socket], [], left)[0])
            else:
                readable = wait_readable(pg.socket, left)
            if readable:
                pg.consume_input()

    def _cancel(self) -> None:
        """Ask the server to stop, from a thread: a server that hangs would hold this one as well."""
        cancel = self._pg.get_cancel()

        def ask() -> None:
            try:
                cancel.cancel()
            except Exception:  # nothing depends on it: the server has a limit of its own
                return

        threading.Thread(target=ask, name="cancel", daemon=True).start()


def _value(at: int, parameter: tuple[str, Any], oid: int) -> bytes | None:
    case, value = parameter
    if case == "DbNull":
        return None
    if case.startswith("Uint"):
        raise ParameterError("Postgres does not support unsigned integers")
    try:
        return encode(case, value, oid)
    except WrongType:
        from psycopg.postgres import types

        known = types.get(oid)
        name = known.name if known is not None else f"oid {oid}"
        raise StatementError(
            f"error serializing parameter {at}: the guest passed {case}, and the statement wants {name} for "
            f"${at + 1}. Pass that type, or write a cast such as ${at + 1}::{_own_name(case)}."
        ) from None
    except ValueFailure as error:
        raise ParameterError(f"parameter {at}: {error}") from None


def _own_name(case: str) -> str:
    from psycopg.postgres import types

    from wasm_lab.scenarios.spin.interfaces.pg_types import PARAMETER_TYPES

    known = types.get(PARAMETER_TYPES[case][0])
    return str(known.name) if known is not None else "text"


def _columns(result: Any) -> tuple[tuple[str, int], ...]:
    return tuple(
        ((result.fname(at) or b"").decode("utf-8", "replace"), result.ftype(at))
        for at in range(result.nfields)
    )


def _row(result: Any, columns: tuple[tuple[str, int], ...]) -> tuple[list[tuple[str, Any]], int]:
    cells: list[tuple[str, Any]] = []
    size = 0
    for at, (name, oid) in enumerate(columns):
        data = result.get_value(0, at)
        size += CELL + len(data or b"")
        case = COLUMN_CASES.get(oid)
        if data is None:
            cells.append(("DbNull", None))
        elif case is None:
            cells.append(("Unsupported", bytes(data)))
        else:
            try:
                cells.append((case, decode(oid, data)))
            except (ValueError, ArithmeticError) as error:
                raise ConversionError(f"column {name}: {error}") from None
    return cells, size


def _refused(result: Any, pq: Any) -> Exception:
    if result.status != pq.ExecStatus.FATAL_ERROR:
        return _Broken("the server answered out of turn")
    fields = {}
    for tag in pq.DiagnosticField:
        value = result.error_field(tag)
        if value:
            fields[tag.name.lower()] = value.decode("utf-8", "replace")
    if not fields.get("sqlstate"):  # made by libpq itself: the connection is gone
        return _Broken((result.error_message or b"").decode("utf-8", "replace").strip())
    message = f"{fields.get('severity', 'ERROR')}: {fields.get('message_primary', '')} ({fields['sqlstate']})"
    for more in ("message_detail", "message_hint"):
        message += f"\n{fields[more]}" if more in fields else ""
    return StatementError(message, fields)


def _connect(address: Address) -> Any:
    import psycopg

    settings = dict(address.settings)
    about_to_wait()
    # Everything is named: libpq would fill what is not from this machine's environment and files.
    try:
        return psycopg.connect(
            host=",".join(host for host, _ in address.hosts),
            port=",".join(str(port) for _, port in address.hosts),
            user=address.user,
            password=address.password,
            dbname=address.dbname,
            passfile="/dev/null/none",  # a file that cannot be: of one that is no file libpq complains
            sslcert="",
            sslkey="",
            gssencmode="disable",
            client_encoding="UTF8",
            options=f"{SERVER_LIMITS} {settings.pop('options', '')}".strip(),
            connect_timeout=max(2, round(time_left(CONNECT_S))),
            autocommit=True,
            **settings,  # type: ignore[arg-type]
        )
    except psycopg.Error as error:
        raise ConnectError(str(error).replace(address.password or "\0", "…").strip()) from None


def _alive(connection: Any) -> bool:
    """Whether an idle connection is still one: a server says nothing to it but that it ends."""
    return not connection.closed and not select.select([connection.pgconn.socket], [], [], 0)[0]
