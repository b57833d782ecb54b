"""Durations and sizes as people read them. Apart from tables, which need rich: that takes a while to load."""

from __future__ import annotations


def duration(nanoseconds: float) -> str:
    """Three digits and the unit that suits them.

    Example:
        >>> duration(1_234_567)
        '1.23 ms'
    """
    for unit, factor in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        if nanoseconds >= factor:
            return f"{nanoseconds / factor:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def size(size_bytes: int) -> str:
    """Bytes below 10 000, else KiB or MiB with three digits."""
    if size_bytes < 10_000:
        return f"{size_bytes} B"
    if size_bytes < 999.5 * 1024:  # more would be four digits
        return f"{size_bytes / 1024:.3g} KiB"
    return f"{size_bytes / 1024 / 1024:.3g} MiB"
