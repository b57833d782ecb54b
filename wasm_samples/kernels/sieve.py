"""sieve.rs in Python."""

from __future__ import annotations

import math


def _sieve(limit: int) -> bytearray:
    prime = bytearray([1]) * limit
    prime[:2] = bytes(min(limit, 2))
    for number in range(2, math.isqrt(max(limit - 1, 0)) + 1):
        if prime[number]:
            prime[number * number :: number] = bytes(len(range(number * number, limit, number)))
    return prime


def count_primes(limit: int) -> int:
    """How many primes are below ``limit``."""
    return sum(_sieve(limit))


def primes(limit: int) -> list[int]:
    """The primes below ``limit``, in ascending order."""
    return [number for number, prime in enumerate(_sieve(limit)) if prime]
