"""fib.rs in Python."""

from __future__ import annotations


def fib(n: int) -> int:
    """The n-th Fibonacci number by the slow definition."""
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def fib_iterative(n: int) -> int:
    """The n-th Fibonacci number modulo 2**64, in n additions."""
    current, following = 0, 1
    for _ in range(n):
        current, following = following, (current + following) % 2**64
    return current
