"""What every subject and every probe here has in common."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import ProbeError, UnsupportedError
from wasm_lab.measure.subject import Answer, Batch
from wasm_lab.subjects.channel import Channel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from wasm_lab.run import Phase

#: Seconds that one order to a probe may take, unless the subject says otherwise.
DEADLINE_S = 60.0

#: As a chart names each place.
NAMES = {"javascript": "JavaScript (node)", "python": "Python", "node": "node (Wasm)"}


class Files:
    """A folder for what the probes of one workload read; removed when nobody holds it any more."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="wasm-lab-subjects-")
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    def write(self, name: str, data: bytes) -> Path:
        """The path of a new file with ``data``; it is not written twice."""
        path = Path(self._folder, name)
        if not path.exists():
            path.write_bytes(data)
        return path

    def scratch(self) -> Path:
        """The path of a new empty folder."""
        return Path(tempfile.mkdtemp(dir=self._folder))

    def folder(self, name: str) -> Path:
        """The path of a folder of that name, made on first use."""
        path = Path(self._folder, name)
        path.mkdir(exist_ok=True)
        return path


@dataclass(frozen=True, kw_only=True)
class BaseSubject:
    """The fields of a `wasm_lab.measure.subject.Subject`."""

    place: str  #: the name by which it was asked for
    workload: str
    input: str
    language: str
    runtime: str
    version: str
    phases: frozenset[Phase]
    guards: str = "none"
    deadline_s: float = DEADLINE_S
    files: Files = field(default_factory=Files, repr=False, compare=False)

    @property
    def name(self) -> str:
        """As a chart names it."""
        name = NAMES.get(self.place, self.place)
        return name if self.guards == "none" else f"{name} + {self.guards}"

    @property
    def what(self) -> str:
        """What messages call a probe of it."""
        return f"{self.workload} in {self.name}"

    def answer(self) -> Answer:
        """The result for the input, from a fresh process.

        Raises:
            ProbeError: the process died, or did not answer within ``deadline_s``.
        """
        probe = self.start()
        try:
            return probe.answer()
        finally:
            probe.close()

    def start(self) -> BaseProbe:
        """A fresh process, ready.

        On Linux it ends with the thread that starts it, so start and use it in one thread.

        Raises:
            ProbeError: it could not be started, or the code could not be loaded in it.
        """
        raise NotImplementedError


class BaseProbe:
    """One process and its channel. Closing it kills the process."""

    def __init__(self, subject: BaseSubject, channel: Channel) -> None:
        self.subject = subject
        self.channel = channel
        self._step_ns: int | None = None
        self._further: list[BaseProbe] = []

    def __enter__(self) -> BaseProbe:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self.channel.pid

    @property
    def resolution_ns(self) -> int:
        """The step that the clock of this probe shows, its own cost included, in nanoseconds.

        A batch that lasts a thousand of them is read to 0.1 %.
        """
        if self._step_ns is None:
            self._step_ns = self._step()
        return self._step_ns

    def _step(self) -> int:
        return int(self.channel.ask("step")[1])

    def time(self, phase: Phase, count: int) -> Batch:
        """See `wasm_lab.measure.subject.Probe.time`.

        Raises:
            ProbeError: the process died or passed its deadline.
            UnsupportedError: the phase cannot be told apart here.
        """
        if phase not in self.subject.phases:
            raise UnsupportedError(
                f"{self.subject.name} cannot tell the phase {phase.value!r} apart.",
                hint=f"It can: {', '.join(sorted(each.value for each in self.subject.phases))}.",
            )
        return Batch(duration_ns=self._elapsed(phase, count), count=count)

    def _elapsed(self, phase: Phase, count: int) -> int:
        raise NotImplementedError

    def answer(self) -> Answer:
        """What `BaseSubject.answer` gives, asked of this process."""
        raise NotImplementedError

    def weigh(self) -> dict[str, int]:
        """Sizes in bytes by kind, as they are now.

        ``RSS`` and ``PSS`` (proportional set size, Linux alone) are of the process with its children,
        and of the further processes that `idle` keeps; ``linear memory at start`` and ``linear memory``
        of the instance that is called, whose end is its peak since linear memory never shrinks;
        ``module`` is the Wasm file, ``program`` a native one.
        """
        sizes = self._own_sizes()
        for each in (self, *self._further):
            for kind, size_bytes in process_sizes(each.pid).items():
                sizes[kind] = sizes.get(kind, 0) + size_bytes
        return sizes

    def _own_sizes(self) -> dict[str, int]:
        return {}

    def idle(self, count: int) -> None:
        """Keep ``count`` further instances alive, doing nothing, until the probe is closed.

        Where the engine holds many in one process (wasmtime, node), they are in this one: instantiated
        and nothing called in them, as a pool of ready instances holds them. Pages of linear memory
        that nobody has written to take no room in the host. Elsewhere each is a further process, as
        ready as this one.

        Raises:
            UnsupportedError: no process is kept here.
            ProbeError: there is no room for so many.
        """
        for _ in range(count):
            self._further.append(self.subject.start())

    def close(self) -> None:
        """Kill the process, and those that `idle` keeps."""
        while self._further:
            self._further.pop().close()
        self.channel.close()


def process_sizes(pid: int) -> dict[str, int]:
    """RSS, and PSS where the system tells it, of a process and its children, in bytes.

    Raises:
        ProbeError: there is no such process any more.
    """
    import psutil

    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        sizes = {"RSS": 0}
        for each in family:
            with contextlib.suppress(psutil.AccessDenied):
                full = each.memory_full_info()
                sizes["RSS"] += full.rss
                if hasattr(full, "pss"):
                    sizes["PSS"] = sizes.get("PSS", 0) + full.pss
    except psutil.NoSuchProcess:
        raise ProbeError(f"Process {pid} has ended and cannot be weighed.") from None
    return sizes


def python_worker(module: str) -> list[str]:
    """The command that runs a worker of this room, without the current folder on its path."""
    return [sys.executable, "-P", "-m", f"wasm_lab.subjects.{module}"]


def worker_channel(
    subject: BaseSubject, command: list[str], settings: Mapping[str, Any], payload: bytes = b""
) -> Channel:
    """A worker that has read its settings and is ready.

    Raises:
        ProbeError: it is not; with what it said.
    """
    channel = Channel(
        command, what=subject.what, deadline_s=subject.deadline_s, scratch=subject.files.scratch()
    )
    own = {"mark": channel.mark, "parent": os.getpid(), "scratch": str(channel.scratch)}
    line = json.dumps({**settings, **own})
    try:
        channel.ask(line, payload)
    except BaseException:
        channel.close()
        raise
    return channel
