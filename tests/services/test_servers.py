"""Real servers: ready, stopped, crashed, gone with the process that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from wasm_lab.errors import ServiceError
from wasm_lab.services import Postgres, Redis
from wasm_lab.services import server as base
from wasm_lab.toolchains import servers

pytestmark = pytest.mark.slow

KINDS = [Redis, Postgres]


def ask(server) -> object:
    """One question through the driver that guests' calls take."""
    if isinstance(server, Redis):
        import redis

        with redis.Redis.from_url(server.url) as client:
            return client.incr("count")
    import psycopg

    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("create table if not exists count (n int)")
        connection.execute("insert into count values (1)")
        row = connection.execute("select count(*) from count").fetchone()
        assert row
        return row[0]


def processes_in(folder: Path) -> list[psutil.Process]:
    """What runs in the folder or below: a server's own process and its children."""
    found = []
    for process in psutil.process_iter(["cwd"]):
        cwd = process.info["cwd"] or ""
        if cwd == str(folder) or cwd.startswith(f"{folder}/"):
            found.append(process)
    return found


def gone(folder: Path, within_s: float = 60) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not processes_in(folder) and not folder.exists():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("kind", KINDS)
def test_it_answers_keeps_its_data_over_a_stop_and_leaves_nothing(kind):
    assert kind.missing() == ""
    with kind() as server:
        folder = server.folder
        assert folder.stat().st_mode & 0o077 == 0
        assert ask(server) == 1
        port = server.port
        server.stop()
        assert not server.running
        with pytest.raises(Exception):  # noqa: B017, PT011 - each driver has its own
            ask(server)
        server.start()
        assert server.port == port
        assert ask(server) == 2
    assert gone(folder)


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_crash_it_starts_again(kind):
    with kind() as server:
        ask(server)
        server.crash()
        assert not server.running
        server.start()
        assert ask(server) in (1, 2)  # Redis may have lost the last second


@pytest.mark.parametrize("kind", KINDS)
def test_it_runs_as_an_ordinary_user_and_tells_no_password_to_others(kind):
    with kind() as server:
        looked_at = 0
        for process in processes_in(server.folder):
            try:
                command, uids = process.cmdline(), process.uids()
            except psutil.NoSuchProcess:  # PostgreSQL's workers come and go
                continue
            assert server.password not in " ".join(command)
            assert uids.effective != 0
            looked_at += 1
        assert looked_at
        assert server.password not in repr(server)
        assert server.password not in server.log


@pytest.mark.parametrize("kind", KINDS)
def test_it_ends_with_a_process_that_is_killed(kind):
    script = (
        f"from wasm_lab.services import {kind.__name__} as Kind; import time\n"
        "server = Kind().start(); print(server.folder, flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    folder = Path(process.stdout.readline().strip())
    assert processes_in(folder)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert gone(folder)


def test_it_ends_when_its_keeper_is_killed():
    with Redis() as server:
        keeper = server._keeper
        assert keeper
        keeper.kill()
        keeper.wait()
        deadline = time.monotonic() + 60
        while server._answers() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not server._answers()
        with pytest.raises(ServiceError, match="is gone"):
            server.stop()
        folder = server.folder
    import shutil

    shutil.rmtree(folder)


def test_a_paused_server_is_ended_all_the_same():
    server = Redis().start()
    folder = server.folder
    server.pause()
    assert not server._answers()
    server.resume()
    assert server._answers()
    server.pause()
    server.close()
    server.close()
    assert gone(folder)


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(monkeypatch, tmp_path):
    """Its port is taken, each time anew."""
    import socket

    with socket.socket() as taken:
        taken.bind((base.LOOPBACK, 0))
        taken.listen()
        monkeypatch.setattr(base, "free_port", lambda: taken.getsockname()[1])
        server = Redis()
        with pytest.raises(ServiceError, match=r"Redis did not start: it ended with status 1") as caught:
            server.start()
        assert "in use" in caught.value.hint
        assert gone(server.folder)


def test_a_program_that_is_missing_is_said_to_be_with_the_way_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("WASM_LAB_TOOLS", str(tmp_path))
    monkeypatch.setattr(servers, "POSTGRES_FOLDERS", ())
    for kind, package in ((Redis, "redis-server"), (Postgres, "postgresql")):
        assert f"sudo apt install {package}" in kind.missing()
        with pytest.raises(ServiceError) as caught:
            kind().start()
        assert package in caught.value.hint


def test_two_of_a_kind_live_side_by_side():
    with Redis() as one, Redis() as two:
        assert one.port != two.port
        ask(one)
        assert ask(one) == 2
        assert ask(two) == 1


def test_as_an_ordinary_user_it_runs_as_that_user(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert base.server_user() is None
