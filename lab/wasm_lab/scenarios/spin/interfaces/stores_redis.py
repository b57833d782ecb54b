"""Key-value stores in a Redis server, with the keys as they are, as Spin keeps them.

How long a value is kept is the server's business (its ``appendfsync`` and ``save``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.spin.interfaces.limits import (
    ANSWER_S,
    CONNECT_S,
    KEY_BYTES,
    RESULT_BYTES,
    VALUE_BYTES,
    too_long,
)
from wasm_lab.scenarios.spin.interfaces.stores import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Connections of one process to one server; a guest waits for one up to `CONNECT_S`.
CONNECTIONS = 32

#: Seconds after which an idle connection is tried before it is used.
HEALTH_S = 15

#: Compare and set, in one step for everybody. ARGV: whether there was a value, the value, the new value.
SWAP = """
local now = redis.call('GET', KEYS[1])
if (ARGV[1] == '0' and now == false) or (ARGV[1] == '1' and now == ARGV[2]) then
  redis.call('SET', KEYS[1], ARGV[3])
  return 1
end
return 0
"""


class RedisPool:
    """The connections to one server."""

    def __init__(self, url: str) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self.errors = redis.RedisError
        # No command is sent twice: an increment whose answer was lost may have been made.
        self._pool = redis.BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=CONNECT_S,
            socket_timeout=ANSWER_S,
            socket_connect_timeout=CONNECT_S,
            health_check_interval=HEALTH_S,
            retry=Retry(NoBackoff(), 0),
        )
        self.client: Any = redis.Redis(connection_pool=self._pool)
        self.swap = self.client.register_script(SWAP)

    def close(self) -> None:
        """Close every connection."""
        self._pool.disconnect()


class RedisStore:
    """The keys and values of one Redis database."""

    def __init__(self, pool: RedisPool) -> None:
        self._pool = pool

    def get(self, key: str) -> bytes | None:
        value: bytes | None = self._do(lambda client: client.get(key))
        return value

    def set(self, key: str, value: bytes) -> None:
        _check(key, value)
        self._do(lambda client: client.set(key, value))

    def delete(self, key: str) -> None:
        self._do(lambda client: client.delete(key))

    def exists(self, key: str) -> bool:
        return bool(self._do(lambda client: client.exists(key)))

    def get_keys(self) -> list[str]:
        return list(self._do(_scan))

    def get_many(self, keys: Sequence[str]) -> list[tuple[str, bytes | None]]:
        return list(zip(keys, self._do(lambda client: client.mget(keys)), strict=True)) if keys else []

    def set_many(self, pairs: Sequence[tuple[str, bytes]]) -> None:
        for key, value in pairs:
            _check(key, value)
        if pairs:
            self._do(lambda client: client.mset(dict(pairs)))

    def delete_many(self, keys: Sequence[str]) -> None:
        if keys:
            self._do(lambda client: client.delete(*keys))

    def increment(self, key: str, delta: int) -> int:
        """Numbers are kept as digits, as Redis keeps them."""
        return int(self._do(lambda client: client.incrby(key, delta)))

    def swap(self, key: str, seen: bytes | None, value: bytes) -> bool:
        _check(key, value)
        arguments = ["0" if seen is None else "1", seen or b"", value]
        return bool(self._do(lambda _: self._pool.swap(keys=[key], args=arguments)))

    def _do(self, call: Callable[[Any], Any]) -> Any:
        try:
            return call(self._pool.client)
        except self._pool.errors as error:
            raise StoreError(f"Redis: {error}") from None


def _scan(client: Any) -> list[str]:
    keys: set[str] = set()  # a scan may show a key twice
    size = 0
    for key in client.scan_iter(count=1000):
        size += len(key) + 24
        if size > RESULT_BYTES:
            raise StoreError(f"the keys take more than {RESULT_BYTES} bytes")
        keys.add(key.decode("utf-8", "replace"))
    return list(keys)


def _check(key: str, value: bytes) -> None:
    why = too_long("the key", len(key), KEY_BYTES) or too_long("the value", len(value), VALUE_BYTES)
    if why:
        raise StoreError(why)
