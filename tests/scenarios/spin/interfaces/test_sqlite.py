"""Guests' SQLite databases: what they may, and what a hostile one may not."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time

import pytest

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.interfaces import sqlite
from wasm_lab.scenarios.spin.interfaces.variants import variant
from wasm_lab.scenarios.spin.runtime_config import RuntimeConfig, SqliteFile

V3, V2, V1 = "spin:sqlite/sqlite@3.0.0", "fermyon:spin/sqlite@2.0.0", "fermyon:spin/sqlite"
Value = variant("Value", "Null", "Integer Real Text Blob")


def case(caught) -> str:
    return type(caught.value.value).__name__


def cells(result):
    return [
        [(type(cell).__name__, getattr(cell, "value", None)) for cell in row["values"]]
        for row in result["rows"]
    ]


@pytest.fixture
def interfaces(make_context):
    return sqlite.implement(make_context(sqlite_databases=("default", "nowhere")))


@pytest.fixture
def connection(interfaces):
    opened = interfaces[V3].Connection.open("default")
    opened.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)", [])
    return opened


def test_typed_values_both_ways(connection):
    values = [
        Value.Integer(-(2**63)),
        Value.Real(0.5),
        Value.Text("ä"),
        Value.Blob(b"\x00\xff"),
        Value.Null(),
    ]
    result = connection.execute("SELECT ? AS a, ? AS b, ? AS c, ? AS d, ? AS e", values)
    assert result["columns"] == ["a", "b", "c", "d", "e"]
    assert cells(result) == [
        [("Integer", -(2**63)), ("Real", 0.5), ("Text", "ä"), ("Blob", b"\x00\xff"), ("Null", None)]
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT :first AS a, :second AS b, :first AS c",
        "SELECT @first AS a, $second AS b, @first AS c",
        "SELECT ?1 AS a, ?2 AS b, ?1 AS c",
        "SELECT ? AS a, ? AS b, substr('1:@$', 1, 1) AS c",
    ],
)
def test_values_go_to_parameters_by_place(connection, statement):
    result = connection.execute(statement, [Value.Text("1"), Value.Integer(2)])
    assert cells(result) == [[("Text", "1"), ("Integer", 2), ("Text", "1")]]


def test_a_value_that_is_missing(connection):
    for statement in ("SELECT :first, :second", "SELECT ?, ?"):
        with pytest.raises(Err) as caught:
            connection.execute(statement, [Value.Text("1")])
        assert case(caught) == "Io"


def test_changes_and_the_last_row(connection):
    assert connection.last_insert_rowid() == 0
    connection.execute("INSERT INTO notes (id, text) VALUES (7, 'a'), (9, 'b')", [])
    assert (connection.changes(), connection.last_insert_rowid()) == (2, 9)
    connection.execute("UPDATE notes SET text = 'c'", [])
    connection.execute("SELECT * FROM notes", [])
    assert (connection.changes(), connection.last_insert_rowid()) == (2, 9)


def test_the_database_must_be_listed_and_defined(interfaces, caplog):
    with caplog.at_level(logging.WARNING):
        with pytest.raises(Err) as caught:
            interfaces[V3].Connection.open("other")
        assert case(caught) == "AccessDenied"
        with pytest.raises(Err) as caught:
            interfaces[V2].Connection.open("nowhere")
        assert case(caught) == "NoSuchDatabase"
    assert "sqlite_databases under [component.guest]" in caplog.text
    assert "[sqlite_database.nowhere]" in caplog.text


def test_a_file_of_the_runtime_configurations(make_context, tmp_path):
    runtime = RuntimeConfig(sqlite_databases={"default": SqliteFile(tmp_path / "sub" / "my.db")})
    made = sqlite.implement(make_context(sqlite_databases=("default",), runtime=runtime))
    made[V3].Connection.open("default").execute("CREATE TABLE t (n)", [])
    with sqlite3.connect(tmp_path / "sub" / "my.db") as reader:
        assert reader.execute("SELECT name FROM sqlite_master").fetchall() == [("t",)]
    reader.close()


def test_a_file_that_is_no_database(make_context, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / sqlite.FILE).write_bytes(b"something else" * 100)
    interface = sqlite.implement(make_context(sqlite_databases=("default",)))[V3]
    with pytest.raises(Err) as caught:
        interface.Connection.open("default")
    assert case(caught) == "Io"
    assert "not a database" in caught.value.value.value


def test_version_1_has_numbers_for_handles(interfaces):
    interface = interfaces[V1]
    handle = interface.open("default")
    interface.execute(handle, "CREATE TABLE t (n)", [])
    assert interface.execute(handle, "SELECT 1", [])["columns"] == ["1"]
    interface.close(handle)
    interface.close(handle)
    for wrong in (handle, 12345):
        with pytest.raises(Err) as caught:
            interface.execute(wrong, "SELECT 1", [])
        assert case(caught) == "InvalidConnection"


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH '{path}/other.db' AS other",
        "ATTACH ':memory:' AS other",
        "VACUUM INTO '{path}/other.db'",
        "SELECT load_extension('{path}/evil.so')",
        "PRAGMA journal_mode = OFF",
        "PRAGMA synchronous = OFF",
        "PRAGMA writable_schema = ON",
        "PRAGMA max_page_count = 1000000000",
        "PRAGMA temp_store_directory = '{path}'",
        "PRAGMA mmap_size = 100000000",
        "SELECT writefile('{path}/x', 'y')",
        "SELECT readfile('/etc/passwd')",
        "SELEC 1",
        "SELECT 1; SELECT 2",
        "SELECT ?",
        "SELECT \0",
    ],
)
def test_statements_that_are_refused(connection, statement, tmp_path):
    with pytest.raises(Err) as caught:
        connection.execute(statement.format(path=tmp_path), [])
    assert case(caught) == "Io"
    assert not (tmp_path / "other.db").exists()
    assert cells(connection.execute("SELECT 1", [])) == [[("Integer", 1)]]


def test_pragmas_that_only_read(connection):
    assert [cell[1][1] for cell in cells(connection.execute("PRAGMA table_info(notes)", []))] == [
        "id",
        "text",
    ]
    connection.execute("PRAGMA foreign_keys = ON", [])


def test_an_endless_statement_ends_with_the_guests_deadline(connection, guest):
    guest.deadline_s = time.monotonic() + 0.2
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(Err) as caught:
        connection.execute(endless, [])
    assert "took longer" in caught.value.value.value
    guest.deadline_s = time.monotonic() + 60
    connection.execute("INSERT INTO notes (text) VALUES ('still works')", [])


def test_sizes_have_bounds(connection, monkeypatch, make_context):
    monkeypatch.setattr(sqlite, "RESULT_BYTES", 100_000)
    with pytest.raises(Err) as caught:
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT hex(zeroblob(500)) FROM n",
            [],
        )
    assert "exceeds limit" in caught.value.value.value
    with pytest.raises(Err) as caught:
        connection.execute("SELECT zeroblob(2000000000)", [])
    assert case(caught) == "Io"
    monkeypatch.setattr(sqlite, "VALUE_BYTES", 1000)
    with pytest.raises(Err):
        connection.execute("SELECT ?", [Value.Blob(bytes(1001))])


def test_a_full_database_says_so(make_context, monkeypatch):
    monkeypatch.setattr(sqlite, "FILE_BYTES", 1 << 16)
    connection = sqlite.implement(make_context(sqlite_databases=("default",)))[V3].Connection.open("default")
    connection.execute("CREATE TABLE t (b)", [])

    def fill() -> None:
        for _ in range(100):
            connection.execute("INSERT INTO t VALUES (zeroblob(4096))", [])

    with pytest.raises(Err) as caught:
        fill()
    assert case(caught) == "DatabaseFull"


def test_what_a_guest_left_open_is_undone(interfaces, guest, monkeypatch):
    connection = interfaces[V3].Connection.open("default")
    connection.execute("CREATE TABLE t (n)", [])
    connection.execute("BEGIN IMMEDIATE", [])
    connection.execute("INSERT INTO t VALUES (1)", [])
    guest.end()
    other = interfaces[V3].Connection.open("default")
    assert cells(other.execute("SELECT count(*) FROM t", [])) == [[("Integer", 0)]]
    other.execute("INSERT INTO t VALUES (2)", [])
    other.close()


def test_a_lock_is_waited_for(interfaces, connection):
    other = interfaces[V3].Connection.open("default")
    other.execute("BEGIN IMMEDIATE", [])
    done = threading.Event()

    def write() -> None:
        connection.execute("INSERT INTO notes (text) VALUES ('later')", [])
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert not done.wait(0.1)
    other.execute("COMMIT", [])
    assert done.wait(5)
    thread.join()


def test_connections_of_one_guest_are_counted(interfaces, guest):
    for _ in range(sqlite.CONNECTIONS):
        interfaces[V3].Connection.open("default")
    with pytest.raises(Err) as caught:
        interfaces[V3].Connection.open("default")
    assert "too many connections" in caught.value.value.value
