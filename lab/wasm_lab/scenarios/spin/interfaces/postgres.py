"""PostgreSQL: ``spin:postgres`` 4.0.0 and 3.0.0, ``fermyon:spin/postgres@2.0.0`` and the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.interfaces.idle import Idle
from wasm_lab.scenarios.spin.interfaces.limits import held, tell
from wasm_lab.scenarios.spin.interfaces.pg_address import AddressError, parse_address
from wasm_lab.scenarios.spin.interfaces.pg_types import COLUMN_CASES
from wasm_lab.scenarios.spin.interfaces.pg_wire import (
    ConnectError,
    ConversionError,
    ParameterError,
    StatementError,
    Wire,
)
from wasm_lab.scenarios.spin.interfaces.variants import case_of, variant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wasm_lab.scenarios.spin.context import ComponentContext
    from wasm_lab.scenarios.spin.interfaces.pg_wire import Rows

#: Connections that one guest may hold.
CONNECTIONS = 16

_ERRORS = "ConnectionFailed BadParameter QueryFailed ValueConversionFailed"
_BASIC = "Boolean Int8 Int16 Int32 Int64 Floating32 Floating64 Str Binary"
_TIMES = "Date Time Datetime Timestamp"
_RICH = "Uuid Jsonb Decimal RangeInt32 RangeInt64 RangeDecimal ArrayInt32 ArrayInt64 ArrayDecimal ArrayStr Interval"

Error = variant("Error", "", f"{_ERRORS} Other")
PgError = variant("PgError", "Success", f"{_ERRORS} OtherError")
QueryError = variant("QueryError", "", "Text DbError")
DataType = variant("DbDataType", f"{_BASIC} {_TIMES} {_RICH}", "Other")
Value = variant("DbValue", "DbNull", f"{_BASIC} {_TIMES} {_RICH} Unsupported")
OldValue = variant("DbValue", "DbNull Unsupported", f"{_BASIC} {_TIMES}")

#: What the server told that has no field of its own, by the names that Spin gives it.
EXTRAS = {
    "column": "column_name",
    "constraint": "constraint_name",
    "routine": "source_function",
    "hint": "message_hint",
    "table": "table_name",
    "datatype": "datatype_name",
    "schema": "schema_name",
    "file": "source_file",
    "line": "source_line",
    "where_": "context",
}


class Opener:
    """Opens connections for one component."""

    def __init__(self, context: ComponentContext) -> None:
        self._context = context
        self._idle: Idle = context.shared.get(
            "postgres connections", lambda: Idle(lambda connection: connection.close())
        )
        self._addresses: dict[str, Any] = {}

    def open(self, text: str) -> Wire:
        """Connect.

        Raises:
            ConnectError: it is no address, may not be reached, cannot be reached, or refuses.
        """
        address = self._addresses.get(text)
        if address is None:
            try:
                address = parse_address(text)
            except AddressError as error:
                raise ConnectError(str(error)) from None
            rules = self._context.outbound
            for host, port in address.hosts:
                place = f"postgres://[{host}]:{port}" if ":" in host else f"postgres://{host}:{port}"
                if not rules.allows(place, "postgres"):
                    why = rules.refusal(place, self._context.component.id, "postgres")
                    tell(why)
                    raise ConnectError(f"address {place} is not permitted. {why}")
            if len(self._addresses) < 64:
                self._addresses[text] = address
        mine = _held()
        if len(mine) >= CONNECTIONS:
            raise ConnectError("too many connections")
        wire = Wire(address, self._idle)
        mine.add(wire)
        return wire


def give_back(wire: Wire) -> None:
    """The guest needs it no more."""
    _held().discard(wire)
    wire.close()


def implement(context: ComponentContext) -> Mapping[str, object]:
    """The imports that a component's PostgreSQL interfaces need."""
    opener = Opener(context)
    return {
        "spin:postgres/postgres@4.0.0": _interface(opener, _query_failed_v4, _rows_v4),
        "spin:postgres/postgres@3.0.0": _interface(opener, _query_failed, _rows_v3),
        "fermyon:spin/postgres@2.0.0": _interface(opener, _query_failed, _rows_v2),
        "fermyon:spin/postgres": _V1(opener),
    }


def _held() -> set[Wire]:
    return held("postgres connections", lambda wire: wire.close())


def _interface(
    opener: Opener, failed: Callable[[StatementError], Any], rows: Callable[[Wire, Rows], dict[str, Any]]
) -> object:
    """An interface with connections.

    Args:
        failed: the payload of ``query-failed``.
        rows: the ``row-set``, in the types of this version.
    """

    class interface:  # noqa: N801 - an interface, whose names are the WIT's
        class Connection:
            """The resource ``connection``."""

            def __init__(self, wire: Wire) -> None:
                self._wire = wire

            @staticmethod
            def open(address: str) -> Any:
                try:
                    return interface.Connection(opener.open(address))
                except ConnectError as error:
                    raise Err(Error.ConnectionFailed(str(error))) from None

            def query(self, statement: str, params: Sequence[Any]) -> dict[str, Any]:
                return rows(self._wire, self._run(statement, params))

            def execute(self, statement: str, params: Sequence[Any]) -> int:
                return self._run(statement, params).affected

            def close(self) -> None:
                give_back(self._wire)

            def _run(self, statement: str, params: Sequence[Any]) -> Rows:
                try:
                    return self._wire.run(statement, _parameters(params))
                except ParameterError as error:
                    raise Err(Error.BadParameter(str(error))) from None
                except ConversionError as error:
                    raise Err(Error.ValueConversionFailed(str(error))) from None
                except StatementError as error:
                    raise Err(Error.QueryFailed(failed(error))) from None

    return interface


class _V1:
    """``fermyon:spin/postgres``: every call connects."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def query(self, address: str, statement: str, params: Sequence[Any]) -> dict[str, Any]:
        rows: dict[str, Any] = self._with(
            address, lambda wire: _rows_v2(wire, wire.run(statement, _parameters(params)))
        )
        return rows

    def execute(self, address: str, statement: str, params: Sequence[Any]) -> int:
        return int(self._with(address, lambda wire: wire.run(statement, _parameters(params)).affected))

    def _with(self, address: str, call: Callable[[Wire], Any]) -> Any:
        try:
            wire = self._opener.open(address)
            try:
                return call(wire)
            finally:
                give_back(wire)
        except ConnectError as error:
            raise Err(PgError.ConnectionFailed(str(error))) from None
        except ParameterError as error:
            raise Err(PgError.BadParameter(str(error))) from None
        except ConversionError as error:
            raise Err(PgError.ValueConversionFailed(str(error))) from None
        except StatementError as error:
            raise Err(PgError.QueryFailed(str(error))) from None


def _parameters(params: Sequence[Any]) -> list[tuple[str, Any]]:
    return [(case_of(param), getattr(param, "value", None)) for param in params]


def _query_failed(error: StatementError) -> str:
    return str(error)


def _query_failed_v4(error: StatementError) -> Any:
    told = error.fields
    if told is None:
        return QueryError.Text(str(error))
    return QueryError.DbError(
        {
            "as_text": str(error),
            "severity": told.get("severity", ""),
            "code": told.get("sqlstate", ""),
            "message": told.get("message_primary", ""),
            "detail": told.get("message_detail"),
            "extras": [(name, told[tag]) for name, tag in EXTRAS.items() if tag in told],
        }
    )


def _rows_v4(wire: Wire, got: Rows) -> dict[str, Any]:
    null = Value.DbNull()
    classes = {name: getattr(Value, name) for name in (*_BASIC.split(), *_TIMES.split(), *_RICH.split())}
    classes["Unsupported"] = Value.Unsupported
    return {
        "columns": [{"name": name, "data_type": _type_v4(wire, oid)} for name, oid in got.columns],
        "rows": [
            [null if case == "DbNull" else classes[case](value) for case, value in row] for row in got.rows
        ],
    }


def _type_v4(wire: Wire, oid: int) -> Any:
    case = COLUMN_CASES.get(oid)
    return DataType.Other(wire.type_name(oid)) if case is None else getattr(DataType, case)()


def _rows_v3(_: Wire, got: Rows) -> dict[str, Any]:
    return _old_rows(got, frozenset(f"{_BASIC} {_TIMES}".split()))


def _rows_v2(_: Wire, got: Rows) -> dict[str, Any]:
    return _old_rows(got, frozenset(_BASIC.split()))


def _old_rows(got: Rows, known: frozenset[str]) -> dict[str, Any]:
    """Versions before 4 have fewer types, and say nothing of the value of another one."""
    null, unsupported = OldValue.DbNull(), OldValue.Unsupported()
    columns = []
    for name, oid in got.columns:
        case = COLUMN_CASES.get(oid)
        columns.append({"name": name, "data_type": case.lower() if case in known and case else "other"})
    rows = []
    for row in got.rows:
        cells = []
        for case, value in row:
            if case == "DbNull":
                cells.append(null)
            else:
                cells.append(getattr(OldValue, case)(value) if case in known else unsupported)
        rows.append(cells)
    return {"columns": columns, "rows": rows}
