"""What is timed: the task as a program, in one language, in wasmtime."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wasm_lab.measure.subject import Answer
from wasm_lab.run import Phase
from wasm_lab.subjects.base import BaseProbe, BaseSubject, Files, worker_channel

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact

_ORDERS = {
    Phase.COMPILE: "compile",
    Phase.LOAD: "load",
    Phase.INSTANTIATE: "instantiate",
    Phase.RUN: "run",
}

#: What every program reads.
TEXT = b"Shall I compare thee to a summer's day?\n"


@dataclass(frozen=True, kw_only=True)
class LanguageSubject(BaseSubject):
    """The program of one language."""

    artifact: Artifact
    args: tuple[str, ...]
    phases: frozenset[Phase] = field(default_factory=lambda: frozenset(_ORDERS))

    def start(self) -> LanguageProbe:
        import sys

        settings = {
            "wasm": str(self.files.write("program.wasm", self.artifact.wasm)),
            "code": str(self.files.folder("code") / "program.cwasm"),
            "stdin": str(self.files.write("text", TEXT)),
            "component": self.artifact.is_component,
            "args": list(self.args),
        }
        command = [sys.executable, "-P", "-m", "wasm_lab.scenarios.languages.worker"]
        return LanguageProbe(self, worker_channel(self, command, settings))


class LanguageProbe(BaseProbe):
    """A worker with the program loaded."""

    def _elapsed(self, phase: Phase, count: int) -> int:
        return int(self.channel.ask(f"{_ORDERS[phase]} {count}")[1])

    def answer(self) -> Answer:
        size = int(self.channel.ask("answer")[1])
        return Answer(stdout=self.channel.payload(size))


def language_subject(name: str, artifact: Artifact, n: int) -> LanguageSubject:
    """The program of a language, with the number that it counts up to."""
    from importlib.metadata import version

    return LanguageSubject(
        place=name,
        workload="count the primes",
        input=f"{n:_}",
        language=name,
        runtime="wasmtime",
        version=version("wasmtime"),
        deadline_s=180,
        files=Files(),
        artifact=artifact,
        args=(str(n),),
    )
