"""What a kernel is started with: all that it inherits, so that one that waits can be compared with a fresh one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Set by whoever starts a kernel, and different each time.
_OF_ONE_START = ("JPY_PARENT_PID", "JPY_SESSION_NAME")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """All that decides what a fresh kernel would find; kernels of equal starts are interchangeable.

    Attributes:
        interpreter: the interpreter and its options, before ``-m``.
        arguments: what follows the connection file.
        cwd: the working directory.
        env: the environment, sorted.
        inherited: limits, umask, processors, standard streams.
        preloaded: modules that the zygote imports for all its kernels, beside those of every kernel.
    """

    interpreter: tuple[str, ...]
    arguments: tuple[str, ...]
    cwd: str
    env: tuple[tuple[str, str], ...]
    inherited: tuple[Any, ...]
    preloaded: tuple[str, ...]

    @classmethod
    def now(
        cls,
        interpreter: Sequence[str],
        arguments: Sequence[str],
        cwd: str,
        env: Mapping[str, str],
        *,
        preloaded: Sequence[str] = (),
    ) -> Start:
        """A start from this process as it is now."""
        kept = {name: value for name, value in env.items() if name not in _OF_ONE_START}
        return cls(
            interpreter=tuple(interpreter),
            arguments=tuple(arguments),
            cwd=cwd,
            env=tuple(sorted(kept.items())),
            inherited=_inherited(),
            preloaded=tuple(preloaded),
        )

    @property
    def of_zygote(self) -> tuple[Any, ...]:
        """The part that is decided when the zygote starts."""
        return (self.interpreter, self.env, self.cwd_of_zygote, self.inherited[:-1], self.preloaded)

    @property
    def cwd_of_zygote(self) -> str:
        """Where the zygote starts: anywhere, unless the interpreter looks for modules from there."""
        path = dict(self.env).get("PYTHONPATH", "")
        relative = any(not Path(entry).is_absolute() for entry in path.split(os.pathsep)) if path else False
        return self.cwd if relative else "/"


def _inherited() -> tuple[Any, ...]:
    import resource

    limits = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]
    status = Path("/proc/self/status").read_text()
    umask = next((line for line in status.splitlines() if line.startswith("Umask")), "")
    return (
        tuple(resource.getrlimit(limit) for limit in sorted(set(limits))),
        umask,
        tuple(sorted(os.sched_getaffinity(0))),
        os.getpriority(os.PRIO_PROCESS, 0),
        tuple(_identity(number) for number in (1, 2)),
    )


def _identity(descriptor: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino
