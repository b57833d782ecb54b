"""Key-value stores: SQLite and Redis through the guests' three interfaces."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.interfaces import key_value, limits, stores_sqlite
from wasm_lab.scenarios.spin.runtime_config import RedisServer, RuntimeConfig

V1, V2 = "fermyon:spin/key-value", "fermyon:spin/key-value@2.0.0"
WASI = "wasi:keyvalue/store@0.2.0-draft2"


def case(caught) -> str:
    return type(caught.value.value).__name__


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.slow)])
def imports(request, make_context):
    """The interfaces, over each kind of store."""
    runtime = RuntimeConfig()
    if request.param == "redis":
        server = request.getfixturevalue("redis_server")
        import redis

        with redis.Redis.from_url(server.url) as client:
            client.flushall()
        runtime = RuntimeConfig(key_value_stores={"default": RedisServer(server.url)})
    return key_value.implement(make_context(runtime=runtime, key_value_stores=("default", "nowhere")))


def test_spins_interface(imports):
    interface = imports[V2]
    store = interface.Store.open("default")
    assert store.get("a") is None
    assert not store.exists("a")
    store.set("a", b"\x00\xff")
    store.set("a", b"new")
    store.set("ä/ö", b"")
    assert store.get("a") == b"new"
    assert store.get("ä/ö") == b""
    assert store.exists("a")
    assert sorted(store.get_keys()) == ["a", "ä/ö"]
    store.delete("a")
    store.delete("a")
    assert store.get("a") is None


def test_the_store_must_be_listed_and_defined(imports, caplog):
    with caplog.at_level(logging.WARNING):
        with pytest.raises(Err) as caught:
            imports[V2].Store.open("other")
        assert case(caught) == "AccessDenied"
        assert "Add it to key_value_stores under [component.guest]" in caplog.text
        with pytest.raises(Err) as caught:
            imports[V2].Store.open("nowhere")
        assert case(caught) == "NoSuchStore"
        assert "[key_value_store.nowhere]" in caplog.text
    for label, says in (("other", "AccessDenied"), ("nowhere", "NoSuchStore")):
        with pytest.raises(Err) as caught:
            imports[V1].open(label)
        assert case(caught) == says
        with pytest.raises(Err) as caught:
            imports[WASI].open(label)
        assert case(caught) == says


def test_a_message_is_logged_once(imports, caplog):
    for _ in range(3):
        with pytest.raises(Err):
            imports[V2].Store.open("other")
    assert len(caplog.records) == 1


def test_wasi_keyvalue(imports):
    interface = imports[WASI]
    bucket = interface.open("default")
    interface.set_many(bucket, [("a", b"1"), ("b", b"2")])
    assert interface.get_many(bucket, ["b", "none", "a"]) == [("b", b"2"), ("none", None), ("a", b"1")]
    assert interface.get_many(bucket, []) == []
    assert sorted(bucket.list_keys(None)["keys"]) == ["a", "b"]
    with pytest.raises(Err):
        bucket.list_keys("x")
    interface.delete_many(bucket, ["a", "none"])
    assert not bucket.exists("a")
    assert interface.increment(bucket, "n", 5) == 5
    assert interface.increment(bucket, "n", -7) == -2
    interface.set_many(bucket, [])
    interface.delete_many(bucket, [])


def test_a_number_has_bounds_and_must_be_one(imports):
    interface = imports[WASI]
    bucket = interface.open("default")
    interface.increment(bucket, "n", 2**63 - 1)
    with pytest.raises(Err) as caught:
        interface.increment(bucket, "n", 1)
    assert case(caught) == "Other"
    bucket.set("text", b"text")
    with pytest.raises(Err):
        interface.increment(bucket, "text", 1)


def test_compare_and_swap(imports):
    interface = imports[WASI]
    bucket = interface.open("default")
    first, second = interface.Cas.new(bucket, "k"), interface.Cas.new(bucket, "k")
    assert first.current() is None
    interface.swap(first, b"one")
    with pytest.raises(Err) as caught:
        interface.swap(second, b"two")
    assert case(caught) == "CasFailed"
    again = caught.value.value.value
    assert again.current() == b"one"
    interface.swap(again, b"two")
    assert bucket.get("k") == b"two"


def test_version_1_has_numbers_for_handles(imports):
    interface = imports[V1]
    handle = interface.open("default")
    interface.set(handle, "a", b"1")
    assert interface.get(handle, "a") == b"1"
    assert interface.exists(handle, "a")
    assert interface.get_keys(handle) == ["a"]
    with pytest.raises(Err) as caught:
        interface.get(handle, "none")
    assert case(caught) == "NoSuchKey"
    for wrong in (handle + 1, 2**32 - 1):
        with pytest.raises(Err) as caught:
            interface.get(wrong, "a")
        assert case(caught) == "InvalidStore"
    interface.delete(handle, "a")
    interface.close(handle)
    interface.close(handle)
    with pytest.raises(Err) as caught:
        interface.exists(handle, "a")
    assert case(caught) == "InvalidStore"


def test_handles_belong_to_one_guest_and_are_counted(imports, monkeypatch):
    guests = [SimpleNamespace(), SimpleNamespace()]
    monkeypatch.setattr(key_value, "request", lambda: guests[0])
    handle = imports[V1].open("default")
    stores = [imports[V2].Store.open("default") for _ in range(limits.HANDLES)]
    with pytest.raises(Err) as caught:
        imports[V2].Store.open("default")
    assert case(caught) == "StoreTableFull"
    stores.pop().close()
    imports[V2].Store.open("default")
    monkeypatch.setattr(key_value, "request", lambda: guests[1])
    imports[V2].Store.open("default")
    with pytest.raises(Err) as caught:
        imports[V1].get(handle, "a")
    assert case(caught) == "InvalidStore"


def test_what_is_too_large_is_refused(imports, monkeypatch):
    store = imports[V2].Store.open("default")
    with pytest.raises(Err) as caught:
        store.set("k" * (limits.KEY_BYTES + 1), b"")
    assert "the key has" in caught.value.value.value
    with pytest.raises(Err) as caught:
        store.set("k", bytes(limits.VALUE_BYTES + 1))
    assert "the value has" in caught.value.value.value


def test_threads_lose_no_increment(imports):
    interface = imports[WASI]
    failures = []

    def work() -> None:
        try:
            bucket = interface.open("default")
            for _ in range(50):
                interface.increment(bucket, "n", 1)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert interface.increment(interface.open("default"), "n", 0) == 400


COUNT = """
import sys
from pathlib import Path
from wasm_lab.scenarios.spin.interfaces.stores_sqlite import SqliteStore, StoreFile
store = SqliteStore(StoreFile(Path(sys.argv[1])), "default")
for _ in range(100):
    store.increment("n", 1)
    store.set("last", sys.argv[2].encode())
"""


def test_processes_lose_no_increment(tmp_path):
    path = tmp_path / "state" / "store.db"
    processes = [subprocess.Popen([sys.executable, "-c", COUNT, str(path), str(at)]) for at in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    file = stores_sqlite.StoreFile(path)
    store = stores_sqlite.SqliteStore(file, "default")
    assert store.increment("n", 0) == 400
    file.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from wasm_lab.scenarios.spin.interfaces.stores_sqlite import SqliteStore, StoreFile
store = SqliteStore(StoreFile(Path(sys.argv[1])), "default")
for number in range(10_000):
    store.set(f"k{number}", b"x" * 100)
    print(number, flush=True)
"""


def test_what_was_set_is_there_after_the_process_was_killed(tmp_path):
    path = tmp_path / "store.db"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    last = -1
    for line in process.stdout:
        last = int(line)
        if last >= 50:
            process.kill()
            break
    process.wait()
    process.stdout.close()
    file = stores_sqlite.StoreFile(path)
    store = stores_sqlite.SqliteStore(file, "default")
    assert all(store.get(f"k{number}") == b"x" * 100 for number in range(last + 1))
    file.close()


def test_what_was_written_is_on_the_disk_soon(tmp_path, monkeypatch):
    """A machine that loses power cannot be tried here: so the calls are watched that keep it."""
    synced = []
    monkeypatch.setattr(stores_sqlite, "FLUSH_S", 0.05)
    monkeypatch.setattr(
        stores_sqlite.os,
        "fsync",
        lambda number: synced.append(str(Path(f"/proc/self/fd/{number}").readlink())),
    )
    file = stores_sqlite.StoreFile(tmp_path / "store.db")
    assert file.take().execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store = stores_sqlite.SqliteStore(file, "default")
    for value in (b"1", b"2"):
        before = len(synced)
        store.set("a", value)
        deadline = time.monotonic() + 60
        while len(synced) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert synced[before] == str(tmp_path / "store.db-wal")
    file.close()
    assert not file._flusher.is_alive()
    assert not (tmp_path / "store.db-wal").exists()  # folded into the file


def test_threads_that_come_and_go_leave_no_connections(tmp_path):
    file = stores_sqlite.StoreFile(tmp_path / "store.db")
    store = stores_sqlite.SqliteStore(file, "default")
    for number in range(50):
        thread = threading.Thread(target=store.set, args=(str(number), b""))
        thread.start()
        thread.join()
    assert len(store.get_keys()) == 50
    assert len(file._all) == 1
    file.close()


def test_a_full_store_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(stores_sqlite, "FILE_BYTES", 1 << 16)
    file = stores_sqlite.StoreFile(tmp_path / "store.db")
    store = stores_sqlite.SqliteStore(file, "default")

    def fill() -> None:
        for number in range(100):
            store.set(str(number), bytes(4096))

    with pytest.raises(stores_sqlite.StoreError, match="the store is full"):
        fill()
    assert store.get("0") == bytes(4096)
    file.close()


def test_a_folder_that_cannot_be_written_is_an_error_of_the_guests(make_context, tmp_path):
    (tmp_path / "state").write_text("a file, no folder")
    interface = key_value.implement(make_context(key_value_stores=("default",)))[V2]
    with pytest.raises(Err) as caught:
        interface.Store.open("default")
    assert case(caught) == "Other"


@pytest.mark.slow
def test_redis_lost_and_back(make_context):
    from wasm_lab.services import Redis

    with Redis() as server:
        runtime = RuntimeConfig(key_value_stores={"default": RedisServer(server.url)})
        store = key_value.implement(make_context(runtime=runtime, key_value_stores=("default",)))[
            V2
        ].Store.open("default")
        store.set("a", b"1")
        server.stop()
        with pytest.raises(Err) as caught:
            store.get("a")
        assert case(caught) == "Other"
        assert server.password not in caught.value.value.value
        server.start()
        assert store.get("a") == b"1"
