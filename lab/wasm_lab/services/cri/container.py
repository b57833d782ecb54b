"""One container that was started by the CRI."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from wasm_lab.errors import ContainerError

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.services.cri.api import Api

STATES = {0: "created", 1: "running", 2: "exited", 3: "unknown"}

#: Seconds between two looks at a container that is waited for: at first, and at most.
LOOK_S = (0.002, 0.05)

#: Seconds that a container has to end by itself when it is stopped.
STOP_S = 2


@dataclass(frozen=True, slots=True)
class ContainerStatus:
    """What the runtime says of a container. Times are nanoseconds since 1970, 0 for what was not yet."""

    state: str  #: ``created``, ``running``, ``exited`` or ``unknown``
    created_at_ns: int
    started_at_ns: int
    finished_at_ns: int
    exit_code: int
    reason: str  #: such as ``Completed``, ``Error`` or ``OOMKilled``
    message: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a container wrote, with the time at which the runtime read it."""

    time_ns: int
    stream: str  #: ``stdout`` or ``stderr``
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """When the runtime was asked and when it had answered, by the clock of this machine in ns since 1970."""

    create_ns: int
    created_ns: int
    start_ns: int = 0
    started_ns: int = 0


@dataclass
class Container:
    """A container in a pod; it is stopped and removed with the pod."""

    api: Api = field(repr=False)
    id: str
    name: str
    image: str
    log_file: Path
    asked: Asked

    def status(self) -> ContainerStatus:
        """What the runtime says of it now.

        Raises:
            ContainerError: it was removed, or the runtime is gone.
        """
        told = self.api.call("ContainerStatus", container_id=self.id).status
        return ContainerStatus(
            state=STATES.get(told.state, "unknown"),
            created_at_ns=told.created_at,
            started_at_ns=told.started_at,
            finished_at_ns=told.finished_at,
            exit_code=told.exit_code,
            reason=told.reason,
            message=told.message,
        )

    def logs(self) -> str:
        """What it wrote so far, both streams in the order in which the runtime read them."""
        return "".join(line.text for line in self.log_lines())

    def log_lines(self) -> list[LogLine]:
        """What it wrote so far, line by line, each with its line end if it had one."""
        return self.log_since(0)[0]

    def log_since(self, offset: int) -> tuple[list[LogLine], int]:
        """What it wrote after an offset in its log, in bytes, and the offset from which to go on.

        The form is that of the kubelet's log files: time, stream, ``F`` (or ``P`` for a part of a line), text.
        """
        try:
            with self.log_file.open("rb") as file:
                file.seek(offset)
                data = file.read()
        except FileNotFoundError:
            return [], offset
        whole = data[: data.rfind(b"\n") + 1]
        found = []
        for line in whole.split(b"\n")[:-1]:
            parts = line.decode(errors="replace").split(" ", 3)
            if len(parts) == 4:
                end = "\n" if parts[2] == "F" else ""
                found.append(LogLine(nanoseconds(parts[0]), parts[1], parts[3] + end))
        return found, offset + len(whole)

    def wait(self, timeout_s: float) -> ContainerStatus:
        """Wait for its end; its status then.

        Raises:
            ContainerError: it was still running after ``timeout_s`` seconds.
        """
        deadline = time.monotonic() + timeout_s
        pause = LOOK_S[0]
        while True:
            status = self.status()
            if status.state == "exited":
                return status
            if time.monotonic() > deadline:
                raise ContainerError(
                    f"The container {self.name} was still {status.state} after {timeout_s:g} s.",
                    hint="Stop it, or wait longer.",
                )
            time.sleep(pause)
            pause = min(pause * 1.5, LOOK_S[1])

    def stop(self, timeout_s: int = STOP_S) -> ContainerStatus:
        """Ask it to end (SIGTERM), end it by force after ``timeout_s`` seconds; its status then."""
        self.api.call("StopContainer", container_id=self.id, timeout=timeout_s)
        return self.status()

    def remove(self) -> None:
        """End it and let the runtime forget it."""
        self.api.call("RemoveContainer", container_id=self.id)

    @property
    def number(self) -> int:
        """The number of its first process in the runtime's own PID namespace; 0 when it does not run."""
        told = self.api.call("ContainerStatus", container_id=self.id, verbose=True)
        return int(json.loads(told.info["info"]).get("pid", 0)) if "info" in told.info else 0


def nanoseconds(text: str) -> int:
    """A time of RFC 3339 with up to nine digits, as log files have it, in nanoseconds since 1970.

    >>> nanoseconds("1970-01-01T00:00:01.000000002Z")
    1000000002
    """
    whole, _, rest = text.partition(".")
    digits = rest[: next((i for i, letter in enumerate(rest) if not letter.isdecimal()), len(rest))]
    zone = rest[len(digits) :] if rest else ""
    if not rest:
        return int(datetime.fromisoformat(whole).timestamp()) * 1_000_000_000
    seconds = int(datetime.fromisoformat(whole + zone).timestamp())
    return seconds * 1_000_000_000 + int(digits.ljust(9, "0")[:9])
