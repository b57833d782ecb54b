"""``wasi:random``: from the system, the insecure kinds too."""

from __future__ import annotations

import os

#: Bytes that one call gives at most; more is a guest's mistake, or an attack on the host's memory.
MOST_BYTES = 16 * 1024 * 1024


def _bytes(length: int) -> bytes:
    if length > MOST_BYTES:
        raise ValueError(f"The guest asked for {length} random bytes in one call; {MOST_BYTES} are allowed.")
    return os.urandom(length)


def _u64() -> int:
    return int.from_bytes(os.urandom(8), "little")


class random:  # noqa: N801 - an interface, whose names are the WIT's
    """``wasi:random/random``."""

    get_random_bytes = staticmethod(_bytes)
    get_random_u64 = staticmethod(_u64)


class insecure:  # noqa: N801
    """``wasi:random/insecure``."""

    get_insecure_random_bytes = staticmethod(_bytes)
    get_insecure_random_u64 = staticmethod(_u64)


class insecure_seed:  # noqa: N801
    """``wasi:random/insecure-seed``."""

    @staticmethod
    def insecure_seed() -> tuple[int, int]:
        return _u64(), _u64()


#: What these interfaces are called in WIT.
INTERFACES: dict[str, object] = {
    "wasi:random/random": random,
    "wasi:random/insecure": insecure,
    "wasi:random/insecure-seed": insecure_seed,
}
