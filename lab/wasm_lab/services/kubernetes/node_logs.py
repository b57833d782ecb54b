"""The node's own server, of which the API server asks what pods wrote: what makes ``kubectl logs`` work."""

from __future__ import annotations

import ssl
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Seconds that a client has for its handshake and its request.
TALK_S = 10.0


class LogServer(ThreadingHTTPServer):
    """Answers ``/containerLogs/NAMESPACE/POD/CONTAINER`` to whoever shows the one certificate it knows."""

    daemon_threads = True

    def __init__(self, address: str, certificate: Path, key: Path, logs: Callable[..., str | None]) -> None:
        """Listen at a free port of an address.

        Args:
            address: of this machine.
            certificate: both what it shows and what a client must show.
            key: of the certificate.
            logs: gives the log of namespace, pod, container, and whether the run before the last is meant.
        """
        self.logs = logs
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate, key)
        self._tls.load_verify_locations(certificate)
        self._tls.verify_mode = ssl.CERT_REQUIRED
        super().__init__((address, 0), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.2,), name="node logs", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def get_request(self) -> tuple[Any, Any]:
        """A connection whose handshake is left to the thread that answers it."""
        connection, peer = super().get_request()
        connection.settimeout(TALK_S)
        wrapped = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return wrapped, peer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Strangers without a certificate are no news."""

    def close(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()
        self._thread.join(2)


class _Handler(BaseHTTPRequestHandler):
    server: LogServer

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        words = [unquote(word) for word in asked.path.strip("/").split("/")]
        wanted = {name: values[-1] for name, values in parse_qs(asked.query).items()}
        found = None
        if len(words) == 4 and words[0] == "containerLogs":
            found = self.server.logs(*words[1:], previous=wanted.get("previous") == "true")
        if found is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        lines = found.splitlines(keepends=True)
        if wanted.get("tailLines", "").isdecimal():
            lines = lines[max(0, len(lines) - int(wanted["tailLines"])) :]
        body = "".join(lines).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""
