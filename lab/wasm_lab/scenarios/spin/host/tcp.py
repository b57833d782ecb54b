"""``wasi:sockets/tcp``: connections that a guest opens to addresses which the manifest allows.

As in Spin, an address is allowed by an entry of ``allowed_outbound_hosts`` with the scheme ``*``, such
as ``*://10.0.0.0/8:7000``, and a component never listens. Each connection has two threads that move
bytes, for a guest waits on streams, which are not file descriptors here.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Any

from wasm_lab.components import Err, current
from wasm_lab.scenarios.spin.host.bodies import BodyInput, BodyOutput, IncomingBytes, OutgoingBytes
from wasm_lab.scenarios.spin.host.codes import variant
from wasm_lab.scenarios.spin.host.io import READ_BYTES, Pollable, always
from wasm_lab.scenarios.spin.host.waiting import Signal
from wasm_lab.scenarios.spin.outbound import Destination

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.scenarios.spin.outbound import OutboundRules

#: Sockets that one guest may have at the same time.
SOCKETS = 16

#: How long a connection may take to come about, in seconds; the request's deadline may come first.
CONNECT_S = 10.0

#: How long a peer may refuse to take bytes before the connection is given up, in seconds.
SEND_S = 10

IpSocketAddress = variant("IpSocketAddress", "", "Ipv4 Ipv6")

_CODES = {
    errno.ECONNREFUSED: "connection-refused",
    errno.ECONNRESET: "connection-reset",
    errno.ECONNABORTED: "connection-aborted",
    errno.EHOSTUNREACH: "remote-unreachable",
    errno.ENETUNREACH: "remote-unreachable",
    errno.ETIMEDOUT: "timeout",
    errno.EACCES: "access-denied",
}


class Network:
    """The resource ``network``."""


def _code(error: OSError) -> str:
    return "timeout" if isinstance(error, TimeoutError) else _CODES.get(error.errno or 0, "unknown")


def _read(address: Any) -> tuple[str, int]:
    """The host and port of a WIT ``ip-socket-address``."""
    given = address.value
    if type(address).__name__ == "Ipv4":
        return str(ipaddress.IPv4Address(bytes(given.address))), given.port
    packed = b"".join(part.to_bytes(2, "big") for part in given.address)
    return str(ipaddress.IPv6Address(packed)), given.port


def _given(name: tuple[Any, ...]) -> Any:
    """The WIT ``ip-socket-address`` of what ``getsockname`` says."""
    address = ipaddress.ip_address(name[0])
    packed = address.packed
    if address.version == 4:
        return IpSocketAddress.Ipv4({"port": name[1], "address": tuple(packed)})
    parts = tuple(int.from_bytes(packed[at : at + 2], "big") for at in range(0, 16, 2))
    return IpSocketAddress.Ipv6({"port": name[1], "flow_info": 0, "address": parts, "scope_id": 0})


class TcpSocket:
    """The resource ``tcp-socket``, which can only connect.

    Args:
        rules: where it may connect to.
        family: ``ipv4`` or ``ipv6``.
    """

    def __init__(self, rules: OutboundRules, family: Any) -> None:
        self._rules = rules
        self._family = getattr(family, "value", family)
        self._watch = current.data
        self._signal = Signal()  # set when the attempt to connect is over
        self._connection: _Connection | None = None
        self._failure = ""
        self._started = False
        self._taken = False
        self._given_up = threading.Event()
        sockets = self._watch.sockets
        if len(sockets) >= SOCKETS:
            raise Err("new-socket-limit")
        sockets.add(self)

    def start_connect(self, network: Network, remote_address: Any) -> None:
        if self._started:
            raise Err("invalid-state")
        if type(remote_address).__name__.lower() != self._family:
            raise Err("invalid-argument")
        host, port = _read(remote_address)
        if not port:
            raise Err("invalid-argument")
        if not self._rules.reaches(Destination("tcp", f"[{host}]" if ":" in host else host, port)):
            raise Err("access-denied")
        self._started = True
        limit_s = max(0.01, min(CONNECT_S, self._watch.deadline_s - time.monotonic()))
        threading.Thread(target=self._connect, args=(host, port, limit_s), daemon=True).start()

    def _connect(self, host: str, port: int, limit_s: float) -> None:
        try:
            connected = socket.create_connection((host, port), timeout=limit_s)
        except OSError as error:
            self._failure = _code(error)
        else:
            connected.settimeout(None)
            self._connection = _Connection(connected)
            if self._given_up.is_set():  # the guest ended meanwhile
                self._connection.close()
        self._signal.set()

    def finish_connect(self) -> tuple[Any, Any]:
        if not self._started or self._taken:
            raise Err("not-in-progress")
        if not self._signal.is_set():
            raise Err("would-block")
        if self._connection is None:
            raise Err(self._failure)
        self._taken = True
        self._connection.start()
        return (
            BodyInput(self._watch, self._connection.incoming),
            BodyOutput(self._watch, self._connection.outgoing),
        )

    def subscribe(self) -> Pollable:
        ready: Callable[[], bool] = always
        if self._started and not self._taken:
            ready = self._signal.is_set
        return Pollable(self._watch, ready, self._signal)

    def shutdown(self, shutdown_type: Any) -> None:
        connection = self._connected()
        how = getattr(shutdown_type, "value", shutdown_type)
        if how in ("receive", "both"):
            connection.incoming.discard()
        if how in ("send", "both"):
            connection.outgoing.finish()  # what was written is still sent

    def _connected(self) -> _Connection:
        if self._connection is None or not self._taken:
            raise Err("invalid-state")
        return self._connection

    def local_address(self) -> Any:
        return _given(self._connected().socket.getsockname())

    def remote_address(self) -> Any:
        return _given(self._connected().socket.getpeername())

    def is_listening(self) -> bool:
        return False

    def address_family(self) -> Any:
        return self._family

    def _not_here(self, *_arguments: Any) -> Any:
        raise Err("not-supported")

    start_bind = finish_bind = start_listen = finish_listen = accept = _not_here
    set_listen_backlog_size = _not_here
    keep_alive_enabled = set_keep_alive_enabled = _not_here
    keep_alive_idle_time = set_keep_alive_idle_time = _not_here
    keep_alive_interval = set_keep_alive_interval = _not_here
    keep_alive_count = set_keep_alive_count = hop_limit = set_hop_limit = _not_here
    receive_buffer_size = set_receive_buffer_size = _not_here
    send_buffer_size = set_send_buffer_size = _not_here

    def close(self) -> None:
        """The guest dropped it, or ended."""
        self._watch.sockets.discard(self)
        self._given_up.set()
        if self._connection is not None:
            self._connection.close()


class _Connection:
    """A connected socket with a thread for each direction; the sending one closes it in the end."""

    def __init__(self, connected: socket.socket) -> None:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", SEND_S, 0))
        self.socket = connected
        self._room = threading.Event()
        self._over = threading.Event()
        self._started = False
        self.incoming = IncomingBytes(taken=self._room.set)
        self.outgoing = OutgoingBytes(None)

    def start(self) -> None:
        self._started = True
        for work in (self._receive, self._send):
            threading.Thread(target=work, daemon=True).start()

    def _receive(self) -> None:
        try:
            while data := self.socket.recv(READ_BYTES):
                self._room.clear()
                if not self.incoming.feed(data) and self.incoming.full:
                    self._room.wait()
            self.incoming.finish()
        except OSError as error:
            self.incoming.fail(str(error))

    def _send(self) -> None:
        with self.socket:
            try:
                for data in self.outgoing.chunks():
                    self.socket.sendall(data)
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                self.outgoing.finished = True  # the guest's next write is told that the stream is closed
                self.outgoing.refuse()
            self._over.wait()
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)  # wakes the receiving thread

    def close(self) -> None:
        """End it once what was written is sent."""
        self._over.set()
        self.incoming.discard()
        self._room.set()
        self.outgoing.finish()
        if not self._started:
            self.socket.close()
