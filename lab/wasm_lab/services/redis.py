"""A Redis server of a scenario's own."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

from wasm_lab.services.server import LOOPBACK, Server
from wasm_lab.toolchains.servers import find_redis, redis_missing

if TYPE_CHECKING:
    from pathlib import Path

#: Data beyond this are refused, so that a guest cannot fill the machine.
MEMORY_BYTES = 256 << 20


class Redis(Server):
    """Redis (or Valkey), ready in about 20 ms. It writes every change to a file before `stop` ends.

    A crash loses up to the last second of changes (``appendfsync everysec``).

    Example:
        >>> with Redis() as redis:                                # doctest: +SKIP
        ...     redis.url
        'redis://:c1f0…@127.0.0.1:40123'
    """

    name = "Redis"

    @classmethod
    def missing(cls) -> str:
        """Why it cannot be started on this machine and how to get it; empty when it can."""
        return redis_missing()

    @property
    def url(self) -> str:
        """Its address with the password: ``redis://:PASSWORD@127.0.0.1:PORT``."""
        return f"redis://:{self.password}@{self.address}"

    @property
    def socket(self) -> Path:
        """Its Unix socket."""
        return self.folder / "redis.sock"

    def _prepare(self) -> None:
        # The password stands in a file that only the server reads: a command line is seen by everyone.
        settings = {
            "bind": LOOPBACK,
            "port": self.port,
            "unixsocket": self.socket,
            "unixsocketperm": 700,
            "requirepass": self.password,
            "dir": self.folder,
            "save": '""',
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory": MEMORY_BYTES,
            "maxmemory-policy": "noeviction",
            "tcp-keepalive": 60,
            "daemonize": "no",
        }
        path = self.folder / "redis.conf"
        path.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        path.chmod(0o600)

    def _command(self) -> list[str]:
        return [str(find_redis()), str(self.folder / "redis.conf")]

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self.port), 1) as talk:
            talk.settimeout(1)
            talk.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
            said = b""
            while said.count(b"\n") < 2:
                more = talk.recv(256)
                if not more:
                    return False
                said += more
            return said == b"+OK\r\n+PONG\r\n"
        return False
