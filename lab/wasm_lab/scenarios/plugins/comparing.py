"""One plugin in several ways, as subjects that the lab's own measuring takes.

- in the plugin host, with its limits, records and all;
- as a bare component of `wasm_lab.components`, under the same limits;
- as a component called through the package ``wasmtime`` by hand, without limits;
- as a program of this machine, asked by JSON lines over pipes.

Each probe is a fresh Python process that has the plugin ready; what is timed is what a Python program
feels that calls it. A *steady call* is of an instance or process that has been called; a *first call*
counts making a fresh instance, or starting a fresh process, with machine code at hand.
"""

from __future__ import annotations

import base64
import functools
import sys
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from wasm_lab.measure.subject import Answer
from wasm_lab.run import Phase
from wasm_lab.runtimes.wasmtime.engine import version
from wasm_lab.scenarios.plugins import samples
from wasm_lab.subjects.base import BaseProbe, BaseSubject, Files, worker_channel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasm_lab.build.progress import Progress

_PHASES = frozenset({Phase.CALL, Phase.FIRST_CALL})


class Way(StrEnum):
    HOST = "plugin host"
    COMPONENT = "bare component"
    BY_HAND = "wasmtime-py by hand"
    PROCESS = "subprocess"


@dataclass(frozen=True, kw_only=True)
class PluginSubject(BaseSubject):
    """One plugin, one input, one way."""

    way: Way
    file: str  #: the component, or the program
    data: str | bytes = field(repr=False)
    options: tuple[tuple[str, str], ...] = ()

    def start(self) -> PluginProbe:
        settings = {
            "way": self.way.value,
            "file": self.file,
            "options": [list(pair) for pair in self.options],
            "text": isinstance(self.data, str),
            "data": base64.b64encode(_bytes(self.data)).decode("ascii"),
        }
        command = [sys.executable, "-P", "-m", "wasm_lab.scenarios.plugins.worker"]
        return PluginProbe(self, worker_channel(self, command, settings))


class PluginProbe(BaseProbe):
    """A worker (`wasm_lab.scenarios.plugins.worker`) that has the plugin ready."""

    def _elapsed(self, phase: Phase, count: int) -> int:
        order = "time" if phase is Phase.CALL else "first"
        return int(self.channel.ask(f"{order} {count}")[1])

    def answer(self) -> Answer:
        size = int(self.channel.ask("answer")[1])
        return Answer(value=self.channel.payload(size))


def _bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


def subjects(
    name: str,
    data: str | bytes,
    options: Mapping[str, str] | None = None,
    *,
    ways: tuple[Way, ...] = tuple(Way),
    progress: Progress | None = None,
) -> tuple[PluginSubject, ...]:
    """One of the sample plugins in Rust in each way; the same Rust code behind all of them.

    Args:
        name: of `samples.GOOD`.
        data: its input; text crosses as a whole, bytes one by one.
        options: its options.

    Raises:
        UsageError: there is no such plugin in Rust.
        BuildError, ToolchainError: it could not be built.
    """
    files = Files()
    wasm = functools.partial(files.write, f"{name}.wasm")
    shared = samples.wasm_of(name, progress=progress)
    found = []
    for way in ways:
        native = way is Way.PROCESS
        file = samples.program(name, progress=progress) if native else wasm(shared)
        found.append(
            PluginSubject(
                place=way.value,
                workload=name,
                input=f"{len(_bytes(data)):,} bytes",
                language="Rust",
                runtime="native" if native else "wasmtime",
                version="" if native else version(),
                phases=_PHASES,
                files=files,
                way=way,
                file=str(file),
                data=data,
                options=tuple((options or {}).items()),
            )
        )
    return tuple(found)
