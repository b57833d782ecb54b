"""One connection to a Redis server that a guest opened, through redis-py."""

from __future__ import annotations

import select
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from wasm_lab.scenarios.spin.interfaces.limits import (
    CONNECT_S,
    RESULT_BYTES,
    about_to_wait,
    time_left,
    wait_readable,
)
from wasm_lab.scenarios.spin.outbound import destination

if TYPE_CHECKING:
    from wasm_lab.scenarios.spin.interfaces.idle import Idle

#: Commands after which a connection is as it was before, so that the next guest may have it.
STATELESS = frozenset(
    "APPEND BITCOUNT BITPOS COPY DBSIZE DECR DECRBY DEL ECHO EXISTS EXPIRE EXPIREAT EXPIRETIME GET GETBIT GETDEL "
    "GETEX GETRANGE GETSET HDEL HEXISTS HGET HGETALL HINCRBY HINCRBYFLOAT HKEYS HLEN HMGET HMSET HSCAN HSET HSETNX "
    "HSTRLEN HVALS INCR INCRBY INCRBYFLOAT KEYS LINDEX LINSERT LLEN LMOVE LPOP LPOS LPUSH LPUSHX LRANGE LREM LSET "
    "LTRIM MGET MSET MSETNX OBJECT PERSIST PEXPIRE PEXPIREAT PFADD PFCOUNT PFMERGE PING PSETEX PTTL PUBLISH "
    "RANDOMKEY RENAME RENAMENX RPOP RPOPLPUSH RPUSH RPUSHX SADD SCAN SCARD SDIFF SET SETBIT SETEX SETNX SETRANGE "
    "SINTER SISMEMBER SMEMBERS SMISMEMBER SMOVE SPOP SRANDMEMBER SREM SSCAN STRLEN SUNION TIME TOUCH TTL TYPE "
    "UNLINK XADD XDEL XLEN XRANGE XREVRANGE XTRIM ZADD ZCARD ZCOUNT ZINCRBY ZRANGE ZRANGEBYSCORE ZRANK ZREM "
    "ZREVRANGE ZREVRANK ZSCAN ZSCORE".split()
)

#: Commands that would turn the connection into a stream of messages.
STREAMS = frozenset(
    "SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR SYNC PSYNC".split()
)

#: Lists within lists that an answer may have.
DEPTH = 32


class WireError(Exception):
    """A command or the connection failed; the message is for the guest."""

    def __init__(self, message: str, *, wrong_type: bool = False) -> None:
        super().__init__(message)
        self.wrong_type = wrong_type


class AddressError(ValueError):
    """It is no address of a Redis server."""


class Status(bytes):
    """A word of the server about a command, such as OK; not a value."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Address:
    """Where a connection leads, and as whom."""

    host: str
    port: int
    tls: bool
    username: str | None
    password: str | None = field(repr=False)
    db: int = 0


def parse_address(url: str) -> Address:
    """Read ``redis://[user][:password@]host[:port][/db]``.

    Only these parts: redis-py would take settings of its own from a query, such as another class to
    connect with or files to read, and a guest must not choose those.

    Raises:
        AddressError: it is no such URL.
    """
    to = destination(url, "redis")
    if to is None or to.scheme not in ("redis", "rediss"):
        raise AddressError("no redis:// address")
    parts = urlsplit(url if "://" in url else f"redis://{url}")
    path = parts.path.strip("/")
    if path and not (path.isascii() and path.isdigit() and len(path) < 6):
        raise AddressError("the database is no number")
    password = None if parts.password is None else unquote(parts.password)
    username = unquote(parts.username) if parts.username else None
    return Address(
        to.host.strip("[]"), to.port or 6379, to.scheme == "rediss", username, password, int(path or 0)
    )


class Wire:
    """A connection of one guest's; given back with `close`."""

    def __init__(self, address: Address, idle: Idle) -> None:
        self._address = address
        self._idle = idle
        self._clean = True  # whether the next guest may have it
        self._closed = False
        found = idle.take(address)
        if found is not None and not _alive(found):
            found.disconnect()
            found = None
        self._connection: Any = found or _connection(address)
        if found is None:
            about_to_wait()
            self._guarded(self._connection.connect)

    def ask(self, command: str, *arguments: Any) -> Any:
        """Send a command and wait for its answer; status words come as `Status`.

        Raises:
            WireError: the server refused it, does not answer in time, or is gone.
        """
        words = command.upper().split()
        name = words[0] if words else ""
        if not name or name in STREAMS:
            raise WireError(
                f"{name or 'An empty command'} cannot be used here: messages of a channel come through a "
                "trigger ([[trigger.redis]])"
            )
        if name not in STATELESS:
            self._clean = False
        return self._guarded(lambda: self._answer(command, arguments))

    def _answer(self, command: str, arguments: tuple[Any, ...]) -> Any:
        connection = self._connection
        if connection._sock is None:
            connection.connect()  # the server went and may be back
        left = time_left()
        connection._sock.settimeout(left)
        connection.send_command(*command.split(), *arguments, check_health=False)
        if not wait_readable(connection._sock, left):
            raise TimeoutError
        return connection.read_response(disable_decoding=True)

    def _guarded(self, call: Any) -> Any:
        import redis

        try:
            return call()
        except redis.ResponseError as error:
            text = str(error)
            kinds = ("WRONGTYPE", "value is not an integer", "hash value is not")
            raise WireError(text, wrong_type=any(kind in text for kind in kinds)) from None
        except (redis.TimeoutError, TimeoutError):
            self._broken()
            raise WireError(f"{self._address.host}:{self._address.port} does not answer in time") from None
        except (redis.RedisError, OSError, ValueError) as error:
            self._broken()
            raise WireError(str(error)) from None

    def _broken(self) -> None:
        self._connection.disconnect()

    def close(self) -> None:
        """Give the connection back; one that carries a guest's state is closed."""
        if self._closed:
            return
        self._closed = True
        if self._clean and self._connection._sock is not None:
            self._idle.give(self._address, self._connection)
        else:
            self._connection.disconnect()


def _connection(address: Address) -> Any:
    from redis.backoff import NoBackoff
    from redis.connection import Connection, SSLConnection
    from redis.retry import Retry

    settings: dict[str, Any] = {
        "host": address.host,
        "port": address.port,
        "db": address.db,
        "username": address.username,
        "password": address.password,
        "socket_timeout": time_left(),
        "socket_connect_timeout": time_left(CONNECT_S),
        "retry": Retry(NoBackoff(), 0),  # nothing is sent twice
        "parser_class": _parser(),
        "protocol": 2,
    }
    return (SSLConnection if address.tls else Connection)(**settings)


def _alive(connection: Any) -> bool:
    """Whether an idle connection is still one: a server says nothing to it but that it ends."""
    sock = connection._sock
    return sock is not None and not select.select([sock], [], [], 0)[0]


_made: list[type] = []


def _parser() -> type:
    """redis-py's reader of answers, which here tells status words from values, and has bounds."""
    if _made:
        return _made[0]
    import redis._parsers as parsers
    from redis.exceptions import ConnectionError as Lost
    from redis.exceptions import InvalidResponse

    base: Any = parsers._RESP2Parser  # its types differ between releases

    class Parser(base):  # type: ignore[misc]
        def _read_response(self, disable_decoding: bool = False, **_: Any) -> Any:
            return self._one([0], DEPTH)

        def _one(self, taken: list[int], depth: int) -> Any:
            raw = self._buffer.readline()
            if not raw:
                raise Lost("the server closed the connection")
            kind, rest = raw[:1], raw[1:]
            taken[0] += len(raw) + 16
            if kind == b"-":
                error = self.parse_error(rest.decode("utf-8", "replace"))
                if isinstance(error, Lost):
                    raise error
                return error
            if kind == b"+":
                return Status(rest)
            number = int(rest)
            if kind == b":":
                return number
            if number == -1:
                return None
            taken[0] += number * (1 if kind == b"$" else 16)
            if taken[0] > RESULT_BYTES or depth == 0 or number < 0:
                raise InvalidResponse(f"the answer has more than {RESULT_BYTES} bytes")
            if kind == b"$":
                return self._buffer.read(number)
            if kind == b"*":
                return [self._one(taken, depth - 1) for _ in range(number)]
            raise InvalidResponse("the server does not speak Redis's protocol")

    _made.append(Parser)
    return Parser
