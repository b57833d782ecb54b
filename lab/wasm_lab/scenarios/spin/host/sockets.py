"""``wasi:sockets``: TCP connections to allowed addresses (see `tcp`); the rest is refused.

Names are not looked up, as no entry for a name speaks for an address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.host import tcp

if TYPE_CHECKING:
    from wasm_lab.scenarios.spin.outbound import OutboundRules


def _refused(*_arguments: Any) -> Any:
    raise Err("access-denied")


def _resource(name: str, methods: str) -> type:
    """A resource that nobody gets: its class has the methods, so that a guest that imports them links."""
    return type(name, (), dict.fromkeys(methods.split(), _refused))


_SOCKET = "start_bind finish_bind local_address remote_address address_family subscribe "
_SIZES = "receive_buffer_size set_receive_buffer_size send_buffer_size set_send_buffer_size "

UdpSocket = _resource("UdpSocket", _SOCKET + _SIZES + "stream unicast_hop_limit set_unicast_hop_limit")
IncomingDatagramStream = _resource("IncomingDatagramStream", "receive subscribe")
OutgoingDatagramStream = _resource("OutgoingDatagramStream", "check_send send subscribe")
ResolveAddressStream = _resource("ResolveAddressStream", "resolve_next_address subscribe")


class _Sockets:
    """All of ``wasi:sockets``."""

    Network = tcp.Network
    TcpSocket = tcp.TcpSocket
    UdpSocket = UdpSocket
    IncomingDatagramStream = IncomingDatagramStream
    OutgoingDatagramStream = OutgoingDatagramStream
    ResolveAddressStream = ResolveAddressStream
    create_udp_socket = staticmethod(_refused)
    resolve_addresses = staticmethod(_refused)

    def __init__(self, rules: OutboundRules) -> None:
        self._rules = rules

    def create_tcp_socket(self, address_family: Any) -> tcp.TcpSocket:
        return tcp.TcpSocket(self._rules, address_family)

    @staticmethod
    def instance_network() -> tcp.Network:
        return tcp.Network()

    @staticmethod
    def network_error_code(err: Any) -> Any:
        return None


def implement(rules: OutboundRules) -> dict[str, object]:
    """The interfaces, by what they are called in WIT.

    Args:
        rules: where the component may connect to.
    """
    sockets = _Sockets(rules)
    names = "network instance-network ip-name-lookup tcp tcp-create-socket udp udp-create-socket"
    return {f"wasi:sockets/{name}": sockets for name in names.split()}
