"""What a key-value store does, whatever keeps it: SQLite (`stores_sqlite`) or Redis (`stores_redis`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

INT64 = range(-(1 << 63), 1 << 63)


class StoreError(Exception):
    """A store could not do what was asked; the message is what the guest gets."""


class Store(Protocol):
    """One label's keys and values. Safe for many threads and processes.

    Everything raises `StoreError` when the store cannot do it.
    """

    def get(self, key: str) -> bytes | None:
        """The value of a key; None when there is none."""

    def set(self, key: str, value: bytes) -> None:
        """Keep a value; when this returns, it survives the end of this process."""

    def delete(self, key: str) -> None:
        """Forget a key; one that is not there is no error."""

    def exists(self, key: str) -> bool:
        """Whether there is such a key."""

    def get_keys(self) -> list[str]:
        """Every key, in no order."""

    def get_many(self, keys: Sequence[str]) -> list[tuple[str, bytes | None]]:
        """Keys and values, in the order that was asked for."""

    def set_many(self, pairs: Sequence[tuple[str, bytes]]) -> None:
        """Keep several values, all or none."""

    def delete_many(self, keys: Sequence[str]) -> None:
        """Forget several keys, all or none."""

    def increment(self, key: str, delta: int) -> int:
        """Add to a number, at once for everybody; what it is now. A key that is not there counts as 0."""

    def swap(self, key: str, seen: bytes | None, value: bytes) -> bool:
        """Keep ``value`` if the key still has the value that was seen; whether it was kept."""


def sum_of(number: int, delta: int) -> int:
    """A sum of 64-bit numbers.

    Raises:
        StoreError: it has no room in 64 bits.
    """
    if number + delta not in INT64:
        raise StoreError(f"{number} + {delta} has no room in 64 bits")
    return number + delta
