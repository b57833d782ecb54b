"""The Redis trigger's side of the network: messages of channels, for as long as the application runs.

Redis keeps no message for a subscriber that is not there: what is published while the connection is
lost is lost. One process of an application subscribes, for each subscriber gets every message.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError
from wasm_lab.scenarios.spin.interfaces.limits import CONNECT_S, VALUE_BYTES
from wasm_lab.scenarios.spin.interfaces.redis_wire import AddressError, parse_address

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

log = logging.getLogger("wasm_lab.spin")

#: Seconds between two tries to connect: the first, and the longest.
FIRST_S, LONGEST_S = 0.1, 5.0

#: Seconds that the thread waits for a message before it looks whether it should end.
LOOK_S = 0.5

#: Seconds of silence after which the server is asked whether it is still there.
HEALTH_S = 10


class Subscriber:
    """Listens to channels of one server, in a thread of its own, and connects again when it is lost.

    Args:
        address: ``redis://…``, its templates filled.
        channels: exact names.
        deliver: called with the channel and each message, in the subscriber's thread; what it raises
            is logged. It should pass the message on and return.

    Raises:
        UsageError: the address is none.

    Example:
        >>> news = Subscriber("redis://127.0.0.1", ["news"], print)   # doctest: +SKIP
        >>> news.close()                                              # doctest: +SKIP
    """

    def __init__(
        self, address: str, channels: Collection[str], deliver: Callable[[str, bytes], None]
    ) -> None:
        try:
            self._address = parse_address(address)
        except AddressError as error:
            raise UsageError(
                f"The address of the Redis trigger is none: {error}.",
                hint="Write redis://host:port under [application.trigger.redis], or in the trigger.",
            ) from None
        self._channels = sorted(set(channels))
        self._deliver = deliver
        self._ended = threading.Event()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wasm-lab redis trigger", daemon=True)
        self._thread.start()

    @property
    def place(self) -> str:
        """Host and port of the server."""
        return f"{self._address.host}:{self._address.port}"

    def wait(self, timeout_s: float) -> bool:
        """Wait until it listens; False when it does not in time."""
        return self._listening.wait(timeout_s)

    @property
    def listening(self) -> bool:
        """Whether it listens now."""
        return self._listening.is_set()

    def close(self) -> None:
        """Stop listening; a message that is being delivered is delivered."""
        self._ended.set()
        if self._thread is not threading.current_thread():
            self._thread.join(CONNECT_S + LOOK_S + 1)

    def _run(self) -> None:
        import redis

        wait, told = FIRST_S, ""
        while not self._ended.is_set():
            try:
                self._listen()
            except (redis.RedisError, OSError) as error:
                lost = self._listening.is_set()
                self._listening.clear()
                if lost:
                    wait, told = FIRST_S, ""
                    log.warning("The connection to Redis at %s is lost; trying again.", self.place)
                elif str(error) != told:
                    told = str(error)
                    log.warning("Redis at %s cannot be subscribed to: %s. Trying again.", self.place, error)
                self._ended.wait(wait)
                wait = min(wait * 2, LONGEST_S)
        self._listening.clear()

    def _listen(self) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        address = self._address
        client: Any = redis.Redis(
            host=address.host,
            port=address.port,
            db=address.db,
            username=address.username,
            password=address.password,
            ssl=address.tls,
            socket_connect_timeout=CONNECT_S,
            socket_timeout=CONNECT_S,
            health_check_interval=HEALTH_S,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        with client, client.pubsub() as listener:
            listener.subscribe(*self._channels)
            open_channels = set(self._channels)
            while not self._ended.is_set():
                message: Any = listener.get_message(timeout=LOOK_S)
                if message is None:
                    continue
                channel = message["channel"].decode("utf-8", "replace")
                if message["type"] == "subscribe":
                    open_channels.discard(channel)
                    if not open_channels and not self._listening.is_set():
                        log.info("Listening to %s on Redis at %s.", ", ".join(self._channels), self.place)
                        self._listening.set()
                elif message["type"] == "message":
                    self._pass_on(channel, message["data"])

    def _pass_on(self, channel: str, data: bytes) -> None:
        if len(data) > VALUE_BYTES:
            log.warning("A message of %d bytes on %s is too large and was dropped.", len(data), channel)
            return
        try:
            self._deliver(channel, data)
        except Exception:
            log.exception("A message on %s could not be delivered.", channel)
