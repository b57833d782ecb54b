"""A PostgreSQL server of a scenario's own."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from wasm_lab.services.server import LOOPBACK, Server
from wasm_lab.toolchains.servers import find_postgres, postgres_missing

if TYPE_CHECKING:
    from pathlib import Path

USER = "lab"
DATABASE = "postgres"


class Postgres(Server):
    """PostgreSQL with an empty database, ready in about a second.

    Its files are temporary, so it does not wait for the disk (``fsync=off``): its times are those of
    a server whose disk costs nothing. A crash of the server loses nothing, one of the machine may.

    Example:
        >>> with Postgres() as postgres:                          # doctest: +SKIP
        ...     postgres.url
        'postgres://lab:c1f0…@127.0.0.1:40123/postgres'
    """

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast": sessions are ended, data written
    crash_signal = signal.SIGQUIT  # "immediate": as a crash, and the next start recovers from the log

    @classmethod
    def missing(cls) -> str:
        """Why it cannot be started on this machine and how to get it; empty when it can."""
        return postgres_missing()

    @property
    def url(self) -> str:
        """Its address with user, password and database."""
        return f"postgres://{USER}:{self.password}@{self.address}/{DATABASE}"

    def _prepare(self) -> list[str]:
        password = self.folder / "password"
        password.touch(mode=0o600)
        password.write_text(self.password)
        initdb = [str(self._bin / "initdb"), "-D", str(self.folder / "data"), "-U", USER]
        return [
            *initdb,
            f"--pwfile={password}",
            "--auth-host=scram-sha-256",
            "--auth-local=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ]

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            "unix_socket_directories": self.folder,
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": 60,
            "shared_buffers": "32MB",
            "log_min_error_statement": "panic",  # a failing statement may hold a secret
            "log_parameter_max_length_on_error": 0,
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        command = [str(self._bin / "postgres"), "-D", str(self.folder / "data")]
        return [*command, *(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))]

    def _answers(self) -> bool:
        import psycopg

        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    @property
    def _bin(self) -> Path:
        found = find_postgres()
        assert found is not None, "missing() was asked first"
        return found
