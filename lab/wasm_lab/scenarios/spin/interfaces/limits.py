"""What a guest may take of the host through an interface, whatever it asks for."""

from __future__ import annotations

import logging
import select
import time
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

#: Bytes of one key or label.
KEY_BYTES = 64 * 1024

#: Bytes of one value that is kept, sent or taken.
VALUE_BYTES = 32 << 20

#: Bytes of one answer to a guest, all rows together. Spin has 128 MiB.
RESULT_BYTES = 64 << 20

#: Bytes of one file: a key-value store or a SQLite database.
FILE_BYTES = 1 << 30

#: Handles of one kind that one guest may hold. Spin's own number.
HANDLES = 256

#: Seconds that a server has to answer, where the request's own deadline is not sooner.
ANSWER_S = 20.0

#: Seconds to connect.
CONNECT_S = 5.0

#: Seconds within which a server nearby answers.
QUICK_S = 0.001

#: Different messages that are logged, each once: a guest could otherwise fill the disk with them.
MESSAGES = 200

log = logging.getLogger("wasm_lab.spin")
_told: set[str] = set()


def tell(message: str) -> None:
    """Log a warning for who runs the application; the same one only once."""
    if message not in _told and len(_told) < MESSAGES:
        _told.add(message)
        log.warning("%s", message)


def no_service(what: str, component: str) -> str:
    """Say that this host does not have a service that Spin has; logged too."""
    message = (
        f"The embedded host has no {what}, which component `{component}` asks for. Run the application with "
        "Spin itself: wasm-lab spin up --engine spin."
    )
    tell(message)
    return message


def request() -> Any:
    """What bounds the running guest (``host.guest.Guest``); None outside of one."""
    from wasm_lab.components import current

    try:
        return current.data
    except UsageError:
        return None


def about_to_wait() -> None:
    """What follows may take long: let other guests run meanwhile."""
    lend = getattr(request(), "about_to_wait", None)
    if lend is not None:
        lend()


def wait_readable(sock: Any, left_s: float) -> bool:
    """Wait until a socket has something to say; False when it has not in time.

    A quick answer costs one system call; only a slow one makes room for other guests.
    """
    if select.select([sock], [], [], min(QUICK_S, left_s))[0]:
        return True
    about_to_wait()
    return bool(select.select([sock], [], [], max(0.0, left_s - QUICK_S))[0])


def time_left(most_s: float = ANSWER_S) -> float:
    """Seconds that a host function may wait now: up to ``most_s``, and not past the guest's deadline.

    Never 0, so that what waits gives its own error: the deadline itself ends the guest.
    """
    deadline: float | None = getattr(request(), "deadline_s", None)
    return most_s if deadline is None else max(0.001, min(most_s, deadline - time.monotonic()))


def held(kind: str, end: Callable[[Any], None]) -> set[Any]:
    """What the running guest holds of one kind; what it leaves open is ended with it.

    Args:
        kind: a name.
        end: closes one; called in the guest's thread.
    """
    guest = request()
    if guest is None:
        return _nobody.setdefault(kind, set())
    found: set[Any] | None = guest.__dict__.get(kind)
    if found is None:
        found = guest.__dict__[kind] = set()
        mine: set[Any] = found

        def end_all() -> None:
            for one in tuple(mine):
                end(one)
            mine.clear()

        guest.at_end(end_all)
    return found


#: What is held outside of a guest: by tests that call the functions directly.
_nobody: dict[str, set[Any]] = {}


def too_long(what: str, size: int, most: int) -> str:
    """Say that something is longer than it may be; empty when it is not."""
    return f"{what} has {size} bytes, and may have {most}" if size > most else ""
