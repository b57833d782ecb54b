"""``wasi:clocks``."""

from __future__ import annotations

import time

from wasm_lab.components import current
from wasm_lab.scenarios.spin.host.io import Pollable, timer

_BILLION = 1_000_000_000


class monotonic_clock:  # noqa: N801 - an interface, whose names are the WIT's
    """``wasi:clocks/monotonic-clock``; all values in nanoseconds."""

    @staticmethod
    def now() -> int:
        return time.monotonic_ns()

    @staticmethod
    def resolution() -> int:
        return max(1, int(time.get_clock_info("monotonic").resolution * _BILLION))

    @staticmethod
    def subscribe_instant(when: int) -> Pollable:
        return timer(current.data, when / _BILLION)

    @staticmethod
    def subscribe_duration(when: int) -> Pollable:
        return timer(current.data, time.monotonic() + when / _BILLION)


class wall_clock:  # noqa: N801
    """``wasi:clocks/wall-clock``."""

    @staticmethod
    def now() -> dict[str, int]:
        return datetime_of(time.time_ns())

    @staticmethod
    def resolution() -> dict[str, int]:
        return datetime_of(max(1, int(time.get_clock_info("time").resolution * _BILLION)))


def datetime_of(nanoseconds: int) -> dict[str, int]:
    """The record ``datetime`` for nanoseconds since 1970."""
    return {"seconds": nanoseconds // _BILLION, "nanoseconds": nanoseconds % _BILLION}


#: What these interfaces are called in WIT.
INTERFACES: dict[str, object] = {
    "wasi:clocks/monotonic-clock": monotonic_clock,
    "wasi:clocks/wall-clock": wall_clock,
}
