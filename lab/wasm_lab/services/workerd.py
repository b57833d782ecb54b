"""workerd, the engine of Cloudflare Workers, with a configuration of the lab's."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from typing import TYPE_CHECKING

from wasm_lab.errors import ServiceError
from wasm_lab.services.server import LOOPBACK, READY_S, Server, server_user
from wasm_lab.toolchains.workerd import find_workerd, workerd_missing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Self

#: The file among those it is given that is its configuration.
CONFIG = "config.capnp"

#: Names that the configuration may use: the sockets, and the folder of its disk.
HTTP_SOCKET, OWN_SOCKET, DISK = "http", "own", "disk"


class Workerd(Server):
    """workerd, listening in about 60 ms. It ends without delay, since all that it keeps is on disk.

    Args:
        files: by name, `CONFIG` among them. It has a socket named ``http``, for others, a socket named
            ``own``, where a GET of ``/`` is answered with 200 for the lab, and a disk named ``disk``.
        experimental: allow what workerd calls experimental, such as loading workers while it runs.

    Example:
        >>> with Workerd({"config.capnp": config}) as workerd:      # doctest: +SKIP
        ...     workerd.url
        'http://127.0.0.1:40123'
    """

    name = "workerd"
    stop_signal = signal.SIGKILL
    by_descriptor = True

    def __init__(self, files: Mapping[str, bytes], *, experimental: bool = False) -> None:
        super().__init__()
        self.files = dict(files)
        self.experimental = experimental
        self.last_words = ""  #: its log when it last failed to start

    @classmethod
    def missing(cls) -> str:
        """Why it cannot be started on this machine and how to get it; empty when it can."""
        return workerd_missing()

    @property
    def url(self) -> str:
        """Where the worker answers: ``http://127.0.0.1:PORT``, without a slash at the end."""
        return f"http://{self.address}"

    @property
    def own_socket(self) -> Path:
        """The Unix socket that only the lab reaches."""
        return self.folder / "own.sock"

    def start(self) -> Self:
        """Start it and wait until it answers; after `stop` or `crash` with the same port and data.

        Raises:
            ServiceError: its program is missing, or it did not start; with the end of its log.
        """
        with self._lock:
            if self._keeper is not None and not self.running:
                self.own_socket.unlink(missing_ok=True)  # a killed server leaves it behind
            return super().start()

    def replace(self, files: Mapping[str, bytes]) -> Self:
        """Start anew with other files, at the same port and with the same disk.

        Raises:
            ServiceError: it did not start; it is stopped then.
        """
        self.stop()
        self.files = dict(files)
        if self._keeper is not None:
            (self.folder / "log").write_bytes(b"")
            self._write()
        return self.start()

    def _failed(self, why: str) -> ServiceError:
        self.last_words = self.log  # the folder is removed after a first start that failed
        return super()._failed(why)

    def _prepare(self) -> None:
        (self.folder / "disk").mkdir()
        self._write()

    def _write(self) -> None:
        folder = self.folder / "files"
        folder.mkdir(exist_ok=True)
        user = server_user()
        for name, data in self.files.items():
            path = folder / name
            if path.parent != folder:
                raise ServiceError(f"{name!r} is no name of a file.")
            path.write_bytes(data)
            path.chmod(0o600)
            if user is not None:
                os.chown(path, *user)
        if user is not None:
            os.chown(folder, *user)

    def _command(self) -> list[str]:
        found = find_workerd()
        assert found is not None
        return [
            str(found.program),
            "serve",
            "--verbose",  # or an uncaught error is told without its lines
            *(["--experimental"] if self.experimental else []),
            str(self.folder / "files" / CONFIG),
            f"--socket-addr={HTTP_SOCKET}={LOOPBACK}:{self.port}",
            f"--socket-addr={OWN_SOCKET}=unix:{self.own_socket}",
            f"--directory-path={DISK}={self.folder / 'disk'}",
        ]

    def _answers(self) -> bool:
        # An open port is no sign: workerd opens its ports before it is sure that it can go on.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as own:
            own.settimeout(READY_S)
            own.connect(str(self.own_socket))
            own.sendall(b"GET / HTTP/1.1\r\nHost: own\r\nConnection: close\r\n\r\n")
            return own.recv(64).startswith(b"HTTP/1.1 200")
        return False
