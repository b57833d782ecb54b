"""``fermyon:spin/redis``: 2.0.0 with connections, and the one before with an address in each call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.interfaces.idle import Idle
from wasm_lab.scenarios.spin.interfaces.limits import VALUE_BYTES, held, tell, too_long
from wasm_lab.scenarios.spin.interfaces.redis_wire import AddressError, Status, Wire, WireError, parse_address
from wasm_lab.scenarios.spin.interfaces.variants import variant
from wasm_lab.scenarios.spin.outbound import destination

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wasm_lab.scenarios.spin.context import ComponentContext

#: Connections that one guest may hold.
CONNECTIONS = 32

Error = variant("Error", "InvalidAddress TooManyConnections TypeError", "Other")
Result = variant("RedisResult", "Nil", "Status Int64 Binary")

NIL = Result.Nil()


class Refused(Exception):
    """The address is none, or may not be reached."""


class TooMany(Exception):
    """The guest holds all connections that it may."""


class Opener:
    """Opens connections for one component."""

    def __init__(self, context: ComponentContext) -> None:
        self._context = context
        self._idle: Idle = context.shared.get(
            "redis connections", lambda: Idle(lambda connection: connection.disconnect())
        )
        self._addresses: dict[str, Any] = {}

    def open(self, url: str) -> Wire:
        """Connect.

        Raises:
            Refused: to no address, or one that the manifest does not allow.
            TooMany: the guest has all that it may have.
            WireError: the server cannot be reached or refuses.
        """
        address = self._addresses.get(url)
        if address is None:
            if destination(url, "redis") is None:
                raise Refused
            if not self._context.outbound.allows(url, "redis"):
                tell(self._context.outbound.refusal(url, self._context.component.id, "redis"))
                raise Refused
            try:
                address = parse_address(url)
            except AddressError:
                raise Refused from None
            if len(self._addresses) < 64:
                self._addresses[url] = address
        mine = _held()
        if len(mine) >= CONNECTIONS:
            raise TooMany
        wire = Wire(address, self._idle)
        mine.add(wire)
        return wire


def give_back(wire: Wire) -> None:
    """The guest needs it no more."""
    _held().discard(wire)
    wire.close()


def implement(context: ComponentContext) -> Mapping[str, object]:
    """The imports that a component's Redis interfaces need."""
    opener = Opener(context)
    return {"fermyon:spin/redis@2.0.0": _v2(opener), "fermyon:spin/redis": _V1(opener)}


def _held() -> set[Wire]:
    return held("redis connections", lambda wire: wire.close())


def _v2(opener: Opener) -> object:
    class interface:  # noqa: N801 - an interface, whose names are the WIT's
        """``fermyon:spin/redis@2.0.0``."""

        class Connection:
            """The resource ``connection``."""

            def __init__(self, wire: Wire) -> None:
                self._wire = wire

            @staticmethod
            def open(address: str) -> Any:
                try:
                    return interface.Connection(opener.open(address))
                except Refused:
                    raise Err(Error.InvalidAddress()) from None
                except TooMany:
                    raise Err(Error.TooManyConnections()) from None
                except WireError as error:
                    raise Err(Error.Other(str(error))) from None

            def publish(self, channel: str, payload: bytes) -> None:
                self._ask("PUBLISH", channel, payload)

            def get(self, key: str) -> bytes | None:
                value: bytes | None = self._ask("GET", key)
                return value

            def set(self, key: str, value: bytes) -> None:
                self._ask("SET", key, value)

            def incr(self, key: str) -> int:
                return int(self._ask("INCR", key))

            def del_(self, keys: Sequence[str]) -> int:
                return int(self._ask("DEL", *keys))

            def sadd(self, key: str, values: Sequence[str]) -> int:
                return int(self._ask("SADD", key, *values))

            def smembers(self, key: str) -> list[str]:
                try:
                    return [member.decode() for member in self._ask("SMEMBERS", key)]
                except UnicodeDecodeError:
                    raise Err(Error.TypeError()) from None

            def srem(self, key: str, values: Sequence[str]) -> int:
                return int(self._ask("SREM", key, *values))

            def execute(self, command: str, arguments: Sequence[Any]) -> list[Any]:
                results: list[Any] = []
                _flatten(self._ask(command, *(argument.value for argument in arguments)), results)
                return results

            def close(self) -> None:
                give_back(self._wire)

            def _ask(self, command: str, *arguments: Any) -> Any:
                try:
                    return _asked(self._wire, command, arguments)
                except WireError as error:
                    raise Err(Error.TypeError() if error.wrong_type else Error.Other(str(error))) from None

    return interface


class _V1:
    """``fermyon:spin/redis``: every call connects, and every failure is the same."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def publish(self, address: str, channel: str, payload: bytes) -> None:
        self._ask(address, "PUBLISH", channel, payload)

    def get(self, address: str, key: str) -> bytes:
        return bytes(self._ask(address, "GET", key) or b"")

    def set(self, address: str, key: str, value: bytes) -> None:
        self._ask(address, "SET", key, value)

    def incr(self, address: str, key: str) -> int:
        return int(self._ask(address, "INCR", key))

    def del_(self, address: str, keys: Sequence[str]) -> int:
        return int(self._ask(address, "DEL", *keys))

    def sadd(self, address: str, key: str, values: Sequence[str]) -> int:
        return int(self._ask(address, "SADD", key, *values))

    def smembers(self, address: str, key: str) -> list[str]:
        try:
            return [member.decode() for member in self._ask(address, "SMEMBERS", key)]
        except UnicodeDecodeError:
            raise Err("error") from None

    def srem(self, address: str, key: str, values: Sequence[str]) -> int:
        return int(self._ask(address, "SREM", key, *values))

    def execute(self, address: str, command: str, arguments: Sequence[Any]) -> list[Any]:
        results: list[Any] = []
        _flatten(self._ask(address, command, *(argument.value for argument in arguments)), results)
        return results

    def _ask(self, address: str, command: str, *arguments: Any) -> Any:
        try:
            wire = self._opener.open(address)
            try:
                return _asked(wire, command, arguments)
            finally:
                give_back(wire)
        except (Refused, TooMany, WireError):
            raise Err("error") from None


def _asked(wire: Wire, command: str, arguments: Sequence[Any]) -> Any:
    size = sum(len(argument) for argument in arguments if not isinstance(argument, int))
    why = too_long("the command", size, VALUE_BYTES)
    if why:
        raise WireError(why)
    return wire.ask(command, *arguments)


def _flatten(value: Any, results: list[Any]) -> None:
    """An answer as Spin gives it: lists within lists become one."""
    if value is None:
        results.append(NIL)
    elif isinstance(value, list):
        for one in value:
            _flatten(one, results)
    elif isinstance(value, int):
        results.append(Result.Int64(value))
    elif isinstance(value, Status):
        results.append(Result.Status(value.decode("utf-8", "replace")))
    elif isinstance(value, bytes):
        results.append(Result.Binary(value))
    else:  # an error within a list, such as of a transaction's part
        raise WireError(str(value))
