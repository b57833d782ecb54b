"""Capabilities: what a guest may touch and use, parsed from flags and rendered back.

Files, environment and network start closed. Clock and randomness start real,
because Rust's own ``HashMap`` and ``Instant`` panic without them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MIB = 1024 * 1024


class ClockMode(StrEnum):
    REAL = "real"
    FROZEN = "frozen"  #: stands still; only a guest's own sleep moves it on
    REFUSED = "refused"


class RandomMode(StrEnum):
    REAL = "real"
    SEEDED = "seeded"  #: the same bytes in every run
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Directory:
    """A host folder opened to the guest under a name of its own."""

    host: Path
    guest: str
    writable: bool = True

    @property
    def flag(self) -> str:
        return f"{'--dir' if self.writable else '--dir-ro'} {self.host}::{self.guest}"


#: 2000-01-01T00:00:00Z in nanoseconds since 1970: where a frozen clock stands by default.
DEFAULT_FROZEN_NS = 946_684_800 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a guest may touch (closed at first) and how much it may use.

    A limit of None means that there is none. Sizes are in bytes, times in seconds
    unless the name says otherwise.

    Example:
        >>> Capabilities(env={"MODE": "test"}, deadline_s=2.0).flags()
        ['--env', 'MODE=test', '--timeout', '2s']
    """

    args: tuple[str, ...] = ()  #: after the program's own name
    program: str = ""  #: argument 0; empty means the artifact's label
    env: dict[str, str] = field(default_factory=dict)
    stdin: bytes | None = b""  #: None passes this process's own standard input on
    dirs: tuple[Directory, ...] = ()
    hosts: tuple[str, ...] = ()  #: outbound ``host:port``; no runtime grants these to WASI 0.1
    clock: ClockMode = ClockMode.REAL
    frozen_ns: int = DEFAULT_FROZEN_NS  #: where a frozen clock stands, since 1970
    random: RandomMode = RandomMode.REAL
    seed: int = 0
    memory_bytes: int | None = 512 * MIB
    fuel: int | None = None
    deadline_s: float | None = 10.0
    output_bytes: int | None = 4 * MIB
    inherit_output: bool = False  #: the guest writes to this process's own stdout and stderr

    def with_args(self, args: Sequence[str]) -> Capabilities:
        """The same with other arguments for the program."""
        return replace(self, args=tuple(args))

    def flags(self) -> list[str]:
        """The command-line flags that differ from the defaults, ready to copy."""
        default = Capabilities()
        words: list[str] = []
        for name, value in self.env.items():
            words += ["--env", f"{name}={value}"]
        for directory in self.dirs:
            words += directory.flag.split(" ", 1)
        for host in self.hosts:
            words += ["--allow-host", host]
        if self.clock is ClockMode.FROZEN and self.frozen_ns != DEFAULT_FROZEN_NS:
            words += ["--clock", f"frozen={self.frozen_ns}"]
        elif self.clock is not default.clock:
            words += ["--clock", self.clock.value]
        if self.random is RandomMode.SEEDED:
            words += ["--random", f"seed={self.seed}"]
        elif self.random is not default.random:
            words += ["--random", self.random.value]
        if self.memory_bytes != default.memory_bytes:
            words += ["--memory", format_size(self.memory_bytes)]
        if self.fuel is not None:
            words += ["--fuel", str(self.fuel)]
        if self.deadline_s != default.deadline_s:
            words += ["--timeout", format_duration(self.deadline_s)]
        if self.output_bytes != default.output_bytes:
            words += ["--max-output", format_size(self.output_bytes)]
        return words


_SIZE_UNITS = {"": 1, "b": 1, "k": 1024, "kb": 1000, "kib": 1024, "m": MIB, "mb": 10**6}
_SIZE_UNITS |= {"mib": MIB, "g": 1024 * MIB, "gb": 10**9, "gib": 1024 * MIB}
_TIME_UNITS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "m": 60.0, "h": 3600.0}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


def _amount(text: str, units: Mapping[str, float], what: str) -> float | None:
    lowered = text.strip().lower()
    if lowered == "none":
        return None
    match = _AMOUNT.fullmatch(lowered)
    if not match or match[2] not in units:
        known = ", ".join(unit for unit in units if unit)
        raise UsageError(f"{text!r} is no {what}.", hint=f"Write a number with one of {known}, or none.")
    return float(match[1]) * units[match[2]]


def parse_size(text: str) -> int | None:
    """Bytes from ``64MiB``, ``1.5g``, ``4096`` or ``none``.

    Raises:
        UsageError: the text is no size.
    """
    amount = _amount(text, _SIZE_UNITS, "size")
    return None if amount is None else int(amount)


def parse_duration(text: str) -> float | None:
    """Seconds from ``2s``, ``500ms``, ``1.5`` or ``none``.

    Raises:
        UsageError: the text is no duration.
    """
    return _amount(text, _TIME_UNITS, "duration")


def format_size(size_bytes: int | None) -> str:
    """The shortest exact form that `parse_size` reads back."""
    if size_bytes is None:
        return "none"
    for unit, factor in (("GiB", 1024 * MIB), ("MiB", MIB), ("KiB", 1024)):
        if size_bytes and size_bytes % factor == 0:
            return f"{size_bytes // factor}{unit}"
    return str(size_bytes)


def format_duration(seconds: float | None) -> str:
    """The shortest form that `parse_duration` reads back."""
    return "none" if seconds is None else f"{seconds:g}s"


def parse_directory(text: str, *, writable: bool) -> Directory:
    """A Directory from ``HOST::GUEST``, or from ``HOST`` alone as the wasmtime CLI has it.

    Raises:
        UsageError: HOST is not a folder.
    """
    host, separator, guest = text.partition("::")
    path = Path(host).expanduser()
    if not path.is_dir():
        reason = "is not a folder" if path.exists() else "does not exist"
        raise UsageError(f"{host!r} cannot be opened to the guest: it {reason}.")
    return Directory(path, guest if separator else host, writable)


def parse_env(text: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """A pair from ``NAME=VALUE``, or from ``NAME`` alone, whose value ``environ`` has.

    Raises:
        UsageError: there is no name, or ``environ`` lacks it.
    """
    name, separator, value = text.partition("=")
    if not name:
        raise UsageError(f"{text!r} names no variable.", hint="Write --env NAME=VALUE.")
    if not separator:
        if name not in environ:
            raise UsageError(f"{name} is not set here.", hint=f"Write --env {name}=VALUE.")
        value = environ[name]
    return name, value


def parse_clock(text: str) -> tuple[ClockMode, int]:
    """Mode and frozen time (nanoseconds since 1970) from ``real``, ``frozen[=NS]``, ``refused``.

    Raises:
        UsageError: the text is none of these.
    """
    mode, separator, at = text.partition("=")
    if mode in set(ClockMode) and (not separator or (mode == ClockMode.FROZEN and at.isdecimal())):
        return ClockMode(mode), int(at) if separator else DEFAULT_FROZEN_NS
    raise UsageError(
        f"{text!r} is no clock.",
        hint="Write real, frozen, frozen=NANOSECONDS_SINCE_1970 or refused.",
    )


def parse_random(text: str) -> tuple[RandomMode, int]:
    """Mode and seed from ``real``, ``seed=N`` (or ``seeded``), ``refused``.

    Raises:
        UsageError: the text is none of these.
    """
    mode, separator, seed = text.partition("=")
    if mode == "seed" and seed.isdecimal():
        return RandomMode.SEEDED, int(seed)
    if mode in set(RandomMode) and not separator:
        return RandomMode(mode), 0
    raise UsageError(f"{text!r} is no randomness.", hint="Write real, seed=NUMBER or refused.")
