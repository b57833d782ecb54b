"""Where a guest wants to connect to PostgreSQL, and as whom: only what a guest may choose."""

from __future__ import annotations

import getpass
from dataclasses import dataclass, field

#: What a guest's address may set beside host, port, user, password and database. Others name files of
#: this machine, or another server than the one that the rules were asked about.
SETTINGS = ("sslmode", "application_name", "options", "target_session_attrs", "keepalives")

#: Hosts of one address: each of them may take as long as one that does not answer.
HOSTS = 3


class AddressError(ValueError):
    """It is no address of a PostgreSQL server."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a connection leads, and as whom. ``hosts`` are tried one after the other."""

    hosts: tuple[tuple[str, int], ...]
    user: str
    password: str = field(repr=False)
    dbname: str
    settings: tuple[tuple[str, str], ...] = ()


def parse_address(text: str) -> Address:
    """Read a URL (``postgres://user:password@host:port/db``) or ``host=… user=…``, as libpq reads it.

    Raises:
        AddressError: it is none, or asks for what a guest may not have; without the password.
    """
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        told = {name: str(value) for name, value in conninfo_to_dict(text).items() if value is not None}
    except psycopg.ProgrammingError:
        raise AddressError(
            "this is no PostgreSQL address: postgres://user:password@host:port/database"
        ) from None
    hosts = told.pop("host", "localhost").split(",")
    ports = told.pop("port", "").split(",")
    if len(hosts) > HOSTS:
        raise AddressError(f"the address has more than {HOSTS} hosts")
    if len(ports) not in (1, len(hosts)):
        raise AddressError("the address has another number of ports than of hosts")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    try:
        places = tuple(
            (host or "localhost", int(port or 5432)) for host, port in zip(hosts, ports, strict=True)
        )
    except ValueError:
        raise AddressError("a port is no number") from None
    if any(host.startswith(("/", "@")) or "\0" in host for host, _ in places):
        raise AddressError("Unix sockets are not for guests: name a host")
    user, password = told.pop("user", "") or getpass.getuser(), told.pop("password", "")
    dbname = told.pop("dbname", "") or user
    told.pop("connect_timeout", None)
    strange = sorted(set(told) - set(SETTINGS))
    if strange:
        raise AddressError(f"the address may not set {strange[0]}")
    return Address(places, user, password, dbname, tuple(sorted(told.items())))
