"""Guests' PostgreSQL connections on a real server."""

from __future__ import annotations

import logging
import time
from types import SimpleNamespace

import pytest

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.interfaces import pg_wire, postgres
from wasm_lab.scenarios.spin.interfaces.pg_address import AddressError, parse_address
from wasm_lab.scenarios.spin.interfaces.variants import variant
from wasm_lab.services import Postgres

pytestmark = pytest.mark.slow

V4, V3 = "spin:postgres/postgres@4.0.0", "spin:postgres/postgres@3.0.0"
V2, V1 = "fermyon:spin/postgres@2.0.0", "fermyon:spin/postgres"
P = variant(
    "ParameterValue",
    "DbNull",
    "Boolean Int8 Int16 Int32 Int64 Uint8 Floating32 Floating64 Str Binary Date Time Datetime Timestamp Uuid Jsonb "
    "Decimal RangeInt32 RangeInt64 RangeDecimal ArrayInt32 ArrayInt64 ArrayDecimal ArrayStr Interval",
)


def case(caught) -> str:
    return type(caught.value.value).__name__


def interfaces(make_context, server):
    return postgres.implement(make_context(allowed=(f"postgres://{server.address}",)))


def cells(rows):
    return [[(type(cell).__name__, getattr(cell, "value", None)) for cell in row] for row in rows["rows"]]


@pytest.fixture
def connection(make_context, postgres_server):
    opened = interfaces(make_context, postgres_server)[V4].Connection.open(postgres_server.url)
    opened.execute("CREATE TEMP TABLE people (id SERIAL PRIMARY KEY, name TEXT NOT NULL, born INT)", [])
    yield opened
    opened.close()


def test_typed_rows_and_parameters(connection):
    insert = "INSERT INTO people (name, born) VALUES ($1, $2)"
    assert connection.execute(insert, [P.Str("Ada"), P.Int32(1815)]) == 1
    assert connection.execute(insert, [P.Str("Zoë"), P.DbNull()]) == 1
    rows = connection.query("SELECT id, name, born FROM people ORDER BY id", [])
    assert [column["name"] for column in rows["columns"]] == ["id", "name", "born"]
    assert [type(column["data_type"]).__name__ for column in rows["columns"]] == ["Int32", "Str", "Int32"]
    assert cells(rows) == [
        [("Int32", 1), ("Str", "Ada"), ("Int32", 1815)],
        [("Int32", 2), ("Str", "Zoë"), ("DbNull", None)],
    ]
    assert connection.execute("UPDATE people SET born = 1 WHERE id > $1", [P.Int32(0)]) == 2
    assert connection.query("SELECT 1 WHERE false", []) == {"columns": [], "rows": []}


VALUES = [
    ("bool", P.Boolean(True)),
    ('"char"', P.Int8(65)),
    ("int2", P.Int16(-3)),
    ("int4", P.Int32(2**31 - 1)),
    ("int8", P.Int64(-(2**63))),
    ("float4", P.Floating32(0.5)),
    ("float8", P.Floating64(0.1)),
    ("text", P.Str("it's")),
    ("varchar", P.Str("ü")),
    ("bytea", P.Binary(b"\x00\xff")),
    ("date", P.Date((2024, 2, 29))),
    ("date", P.Date((-43, 3, 15))),
    ("time", P.Time((23, 59, 59, 999_999_000))),
    ("timestamp", P.Datetime((1999, 12, 31, 23, 59, 59, 1000))),
    ("uuid", P.Uuid("12345678-1234-5678-1234-567812345678")),
    ("numeric", P.Decimal("-12345678901234567890.0001230")),
    ("int4range", P.RangeInt32(((1, "inclusive"), (5, "exclusive")))),
    ("int8range", P.RangeInt64((None, (5, "exclusive")))),
    ("numrange", P.RangeDecimal((("0.5", "exclusive"), None))),
    ("int4[]", P.ArrayInt32([1, None])),
    ("int8[]", P.ArrayInt64([])),
    ("numeric[]", P.ArrayDecimal(["1.5", None])),
    ("text[]", P.ArrayStr(["a,b", None, '"'])),
    ("varchar[]", P.ArrayStr(["x"])),
]


@pytest.mark.parametrize(("kind", "parameter"), VALUES)
def test_every_type_goes_there_and_back(connection, kind, parameter):
    rows = connection.query(f"SELECT $1::{kind} AS v, pg_typeof($1::{kind})::text", [parameter])
    (value, name) = cells(rows)[0]
    if kind == '"char"':
        assert value == ("Unsupported", b"A")
        assert rows["columns"][0]["data_type"].value == "char"
    else:
        assert value == (type(parameter).__name__, parameter.value)
    assert name[0] == "Str"


def test_types_that_come_back_as_others(connection):
    assert cells(connection.query("SELECT $1::timestamptz", [P.Timestamp(86_400)])) == [
        [("Datetime", (1970, 1, 2, 0, 0, 0, 0))]
    ]
    json = rb'{"b": 1.50, "a" : [ "x: \" y" , true, {} ]}'
    assert cells(connection.query("SELECT $1::jsonb", [P.Jsonb(json)])) == [
        [("Jsonb", rb'{"a":["x: \" y",true,{}],"b":1.50}')]
    ]
    value = P.Interval(SimpleNamespace(micros=5, days=-2, months=13))
    assert cells(connection.query("SELECT $1::interval", [value])) == [
        [("Interval", {"micros": 5, "days": -2, "months": 13})]
    ]


def test_what_a_session_was_set_to_does_not_change_values(connection):
    connection.execute("SET datestyle = 'German'", [])
    connection.execute("SET bytea_output = 'escape'", [])
    rows = connection.query("SELECT date '2024-02-29', bytea '\\xff'", [])
    assert cells(rows) == [[("Date", (2024, 2, 29)), ("Binary", b"\xff")]]


def test_types_of_the_servers_own(connection):
    connection.execute("DROP TYPE IF EXISTS mood", [])
    connection.execute("CREATE TYPE mood AS ENUM ('sad', 'happy')", [])
    rows = connection.query("SELECT 'happy'::mood AS m, '127.0.0.1'::inet AS i", [])
    assert [column["data_type"].value for column in rows["columns"]] == ["mood", "inet"]
    assert cells(rows)[0][0] == ("Unsupported", b"happy")


def test_older_versions_know_fewer_types(make_context, postgres_server):
    made = interfaces(make_context, postgres_server)
    query = "SELECT 1::int4 AS a, date '2024-01-02' AS b, '{1}'::int4[] AS c, NULL::text AS d"
    third = made[V3].Connection.open(postgres_server.url).query(query, [])
    assert [column["data_type"] for column in third["columns"]] == ["int32", "date", "other", "str"]
    assert cells(third) == [[("Int32", 1), ("Date", (2024, 1, 2)), ("Unsupported", None), ("DbNull", None)]]
    second = made[V2].Connection.open(postgres_server.url).query(query, [])
    assert [column["data_type"] for column in second["columns"]] == ["int32", "other", "other", "str"]
    assert made[V1].query(postgres_server.url, query, [])["rows"] == second["rows"]
    assert made[V1].execute(postgres_server.url, "SELECT 1", []) == 1


def test_an_error_of_the_server_is_told_with_its_parts(connection, make_context, postgres_server):
    with pytest.raises(Err) as caught:
        connection.execute("INSERT INTO people (id, name) VALUES (1, 'a'), (1, 'b')", [])
    assert case(caught) == "QueryFailed"
    told = caught.value.value.value.value
    assert (told["severity"], told["code"]) == ("ERROR", "23505")
    assert "duplicate key" in told["message"]
    assert "already exists" in told["detail"]
    assert dict(told["extras"])["constraint"] == "people_pkey"
    third = interfaces(make_context, postgres_server)[V3].Connection.open(postgres_server.url)
    with pytest.raises(Err) as caught:
        third.query("SELEC 1", [])
    assert "syntax error" in caught.value.value.value


def test_parameters_that_do_not_fit(connection):
    with pytest.raises(Err) as caught:
        connection.execute("INSERT INTO people (name, born) VALUES ('a', $1)", [P.Int64(1)])
    text = caught.value.value.value.value
    assert "error serializing parameter 0" in text
    assert "$1::int8" in text
    with pytest.raises(Err) as caught:
        connection.query("SELECT $1::int4", [])
    assert "expected 1 parameters but got 0" in caught.value.value.value.value
    for parameter, kind in ((P.Uint8(1), "int4"), (P.Decimal("x"), "numeric"), (P.Date((1, 99, 1)), "date")):
        with pytest.raises(Err) as caught:
            connection.query(f"SELECT $1::{kind}", [parameter])
        assert case(caught) == "BadParameter"


def test_values_that_cannot_be_carried(connection):
    for text in ("'infinity'::date", "'NaN'::numeric", "'empty'::int4range", "'{{1}}'::int4[]"):
        with pytest.raises(Err) as caught:
            connection.query(f"SELECT {text} AS it FROM generate_series(1, 3)", [])
        assert case(caught) == "ValueConversionFailed"
    assert cells(connection.query("SELECT 1", [])) == [[("Int32", 1)]]


def test_a_transaction(connection, make_context, postgres_server):
    connection.execute("BEGIN", [])
    connection.execute("INSERT INTO people (name) VALUES ('a')", [])
    with pytest.raises(Err):
        connection.execute("INSERT INTO nowhere VALUES (1)", [])
    with pytest.raises(Err) as caught:
        connection.query("SELECT 1", [])
    assert caught.value.value.value.value["code"] == "25P02"
    connection.execute("ROLLBACK", [])
    assert cells(connection.query("SELECT count(*) FROM people", [])) == [[("Int64", 0)]]


def test_what_a_guest_left_open_is_undone_and_reaches_no_other(make_context, postgres_server):
    interface = interfaces(make_context, postgres_server)[V4]
    first = interface.Connection.open(postgres_server.url)
    first.execute("CREATE TABLE IF NOT EXISTS left_open (n int)", [])
    first.execute("SET statement_timeout = 0", [])
    first.execute("CREATE TEMP TABLE mine (n int)", [])
    first.execute("BEGIN", [])
    first.execute("INSERT INTO left_open VALUES (1)", [])
    driver = first._wire._connection
    first.close()
    second = interface.Connection.open(postgres_server.url)
    assert second._wire._connection is driver  # the same connection, as new
    assert cells(second.query("SELECT count(*) FROM left_open", [])) == [[("Int64", 0)]]
    assert cells(second.query("SELECT current_setting('statement_timeout')", [])) == [[("Str", "20s")]]
    with pytest.raises(Err):
        second.query("SELECT * FROM mine", [])
    second.close()


def test_the_rules_decide_for_every_host(make_context, postgres_server, caplog):
    interface = interfaces(make_context, postgres_server)[V4]
    port, password = postgres_server.port, postgres_server.password
    for address in (
        "postgres://elsewhere/db",
        f"postgres://lab:{password}@127.0.0.1:{port},elsewhere:5432/postgres",
        f"host=elsewhere port={port} user=lab password={password}",
        f"postgres://lab:{password}@127.0.0.1:{port + 1}/postgres",
        f"postgres://lab:{password}@localhost:{port}/postgres",
    ):
        with caplog.at_level(logging.WARNING), pytest.raises(Err) as caught:
            interface.Connection.open(address)
        assert case(caught) == "ConnectionFailed"
        assert "allowed_outbound_hosts" in caught.value.value.value
        assert password not in caught.value.value.value + caplog.text
    allowed = f"host=127.0.0.1 port={port} user=lab password={password} dbname=postgres"
    assert cells(interface.Connection.open(allowed).query("SELECT 1", [])) == [[("Int32", 1)]]


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("postgres://allowed/db?hostaddr=10.0.0.1", "hostaddr"),
        ("postgres://allowed/db?service=x", "service"),
        ("postgres://allowed/db?sslkey=/etc/shadow", "sslkey"),
        ("postgres://allowed/db?passfile=/etc/passwd", "passfile"),
        ("postgres:///db?host=/run/postgresql", "Unix sockets"),
        ("host=/run/postgresql", "Unix sockets"),
        ("host=@abstract", "Unix sockets"),
        ("host=a,b,c,d", "more than 3 hosts"),
        ("host=a,b port=1,2,3", "number of ports"),
        ("postgres://a:x/db", "no number"),
        ("mysql://a/b", "no PostgreSQL address"),
        ("", ""),
    ],
)
def test_addresses_that_ask_for_more_than_a_server(address, says):
    if not says:
        assert parse_address(address).hosts == (("localhost", 5432),)
        return
    with pytest.raises(AddressError, match=says):
        parse_address(address)


def test_nothing_of_the_hosts_own_goes_out(make_context, postgres_server, monkeypatch, tmp_path):
    """libpq would take a password from the environment or a file, and a guest could be lucky with it."""
    monkeypatch.setenv("PGPASSWORD", postgres_server.password)
    home = tmp_path / "pgpass"
    home.write_text(f"*:*:*:*:{postgres_server.password}\n")
    home.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(home))
    interface = interfaces(make_context, postgres_server)[V4]
    with pytest.raises(Err) as caught:
        interface.Connection.open(f"postgres://lab@{postgres_server.address}/postgres")
    assert "password" in caught.value.value.value
    with pytest.raises(Err) as caught:
        interface.Connection.open(f"postgres://lab:geheim@{postgres_server.address}/postgres")
    assert "authentication failed" in caught.value.value.value
    assert "geheim" not in caught.value.value.value


def test_a_slow_statement_ends_with_the_guests_deadline(make_context, postgres_server, guest):
    held = interfaces(make_context, postgres_server)[V4].Connection.open(postgres_server.url)
    guest.deadline_s = time.monotonic() + 0.3
    started = time.monotonic()
    with pytest.raises(Err) as caught:
        held.query("SELECT pg_sleep(30)::text", [])
    assert "does not answer in time" in caught.value.value.value.value
    assert time.monotonic() - started < 10
    guest.deadline_s = time.monotonic() + 60
    assert cells(held.query("SELECT 1", [])) == [[("Int32", 1)]]
    for _ in range(100):  # the server was asked to cancel it
        busy = held.query(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND state='active' AND pid<>pg_backend_pid()",
            [],
        )
        if cells(busy) == [[("Int64", 0)]]:
            break
        time.sleep(0.05)
    else:
        pytest.fail("the statement still runs")


def test_a_server_that_hangs_ends_with_the_guests_deadline(make_context, guest):
    with Postgres() as server:
        held = interfaces(make_context, server)[V4].Connection.open(server.url)
        import psutil

        (backend,) = [
            child
            for child in psutil.Process(_pid(server)).children()
            if "postgres lab" in " ".join(child.cmdline()).replace("postgres: lab", "postgres lab")
        ]
        backend.suspend()
        guest.deadline_s = time.monotonic() + 0.3
        with pytest.raises(Err) as caught:
            held.query("SELECT 1", [])
        assert "does not answer in time" in caught.value.value.value.value
        backend.resume()


def _pid(server) -> int:
    return int((server.folder / "data" / "postmaster.pid").read_text().split()[0])


def test_the_server_goes_and_comes_back(make_context):
    with Postgres() as server:
        interface = interfaces(make_context, server)[V4]
        held = interface.Connection.open(server.url)
        interface.Connection.open(server.url).close()
        server.stop()
        with pytest.raises(Err) as caught:
            held.query("SELECT 1", [])
        assert case(caught) == "QueryFailed"
        with pytest.raises(Err) as caught:
            interface.Connection.open(server.url)
        assert case(caught) == "ConnectionFailed"
        assert "refused" in caught.value.value.value
        server.start()
        assert cells(held.query("SELECT 1", [])) == [[("Int32", 1)]]
        assert cells(interface.Connection.open(server.url).query("SELECT 2", [])) == [[("Int32", 2)]]


def test_a_connection_that_the_server_ended_is_found_out(make_context, postgres_server):
    interface = interfaces(make_context, postgres_server)[V4]
    held, other = (interface.Connection.open(postgres_server.url) for _ in range(2))
    (((_, pid),),) = cells(held.query("SELECT pg_backend_pid()", []))
    other.query("SELECT pg_terminate_backend($1)", [P.Int32(pid)])
    with pytest.raises(Err) as caught:
        held.query("SELECT 1", [])
    assert case(caught) == "QueryFailed"
    assert cells(held.query("SELECT 2", [])) == [[("Int32", 2)]]


def test_results_and_statements_have_bounds(connection, monkeypatch):
    monkeypatch.setattr(pg_wire, "RESULT_BYTES", 100_000)
    with pytest.raises(Err) as caught:
        connection.query("SELECT repeat('x', 1000) FROM generate_series(1, 1000000)", [])
    assert "exceeds limit" in caught.value.value.value.value
    assert cells(connection.query("SELECT 1", [])) == [[("Int32", 1)]]
    monkeypatch.setattr(pg_wire, "VALUE_BYTES", 1000)
    with pytest.raises(Err):
        connection.query("SELECT 1 --" + "x" * 1000, [])
    with pytest.raises(Err) as caught:
        connection.query("SELECT $1::text", [P.Str("x" * 1001)])
    assert case(caught) == "BadParameter"


@pytest.mark.parametrize(
    "statement", ["COPY people TO STDOUT", "COPY people FROM STDIN", "", ";", "SELECT 1; SELECT 2", "a\0b"]
)
def test_statements_that_are_none(connection, statement):
    if statement.strip("; "):
        with pytest.raises(Err) as caught:
            connection.query(statement, [])
        assert case(caught) == "QueryFailed"
    else:
        assert connection.query(statement, []) == {"columns": [], "rows": []}
    assert cells(connection.query("SELECT 1", [])) == [[("Int32", 1)]]


def test_connections_of_one_guest_are_counted(make_context, postgres_server, guest):
    interface = interfaces(make_context, postgres_server)[V4]
    for _ in range(postgres.CONNECTIONS):
        interface.Connection.open(postgres_server.url)
    with pytest.raises(Err) as caught:
        interface.Connection.open(postgres_server.url)
    assert "too many connections" in caught.value.value.value
