"""What a host interface is told of the component it serves, and what all of them share.

An interface module (`wasm_lab.scenarios.spin.interfaces`) makes its functions once for each
component and process, from a `ComponentContext`. What belongs to one request is not here: the
running instance's own data is `wasm_lab.components.current`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping
    from pathlib import Path

    from wasm_lab.scenarios.spin.host.types import FutureIncomingResponse, OutgoingRequest
    from wasm_lab.scenarios.spin.manifest import ComponentManifest, Manifest
    from wasm_lab.scenarios.spin.outbound import OutboundRules
    from wasm_lab.scenarios.spin.runtime_config import RuntimeConfig

T = TypeVar("T")


class Shared:
    """Pools, stores and other things that live as long as the process, one for each key.

    Safe for many threads. Everything with a ``close`` method is closed by `close`, the newest first.

    Example:
        >>> shared = Shared()
        >>> shared.get(("numbers", 1), list) is shared.get(("numbers", 1), list)
        True
        >>> shared.close()
    """

    def __init__(self) -> None:
        self._things: dict[Hashable, Any] = {}
        self._lock = threading.RLock()
        self._closed = False

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What stands under this key; made on the first request, while other threads wait.

        Args:
            key: names the thing; begin it with the name of your interface.
            make: makes it. What it raises is passed on, and nothing is kept.

        Raises:
            RuntimeError: everything was closed already.
        """
        thing: T | None = self._things.get(key)
        if thing is not None:
            return thing
        with self._lock:
            if self._closed:
                raise RuntimeError("The application is shutting down.")
            if key not in self._things:
                self._things[key] = make()
            made: T = self._things[key]
            return made

    def close(self) -> None:
        """Close everything, the newest first; nothing can be made afterwards. Closing twice is nothing.

        Raises:
            Exception: the first that a ``close`` raised; the others were called all the same.
        """
        with self._lock:
            self._closed = True
            things, self._things = list(self._things.values()), {}
        failure: Exception | None = None
        for thing in reversed(things):
            close = getattr(thing, "close", None)
            if close is None:
                continue
            try:
                close()
            except Exception as error:  # the rest must be closed too
                failure = failure or error
        if failure is not None:
            raise failure


class Chain(Protocol):
    """Service chaining: ``http://NAME.spin.internal``, and ``http://self.alt`` or a URL without a host."""

    def __call__(self, request: OutgoingRequest, component: str | None) -> FutureIncomingResponse:
        """Send a request; called while a guest runs.

        Args:
            request: its path counts, its scheme and authority do not.
            component: the id of the one that answers; None: whichever the routes give it to.
        """


@dataclass(frozen=True)
class ComponentContext:
    """One component of an application, as its host interfaces see it."""

    app: Manifest
    component: ComponentManifest
    #: The component's own variables with their values, templates resolved, secrets included.
    variables: Mapping[str, str]
    #: Where the component may send requests and open connections.
    outbound: OutboundRules
    #: What stands behind the labels of stores and services.
    runtime: RuntimeConfig
    #: Sends a guest's request to a component of the same application, without any network.
    chain: Chain = field(repr=False)
    #: Pools and stores of this process.
    shared: Shared = field(repr=False)
    #: Where the application keeps what outlives it: key-value stores, SQLite databases.
    state_dir: Path
