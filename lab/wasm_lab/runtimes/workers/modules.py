"""Modules that a worker keeps, so that each crosses to it once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.artifact import Artifact

if TYPE_CHECKING:
    from wasm_lab.runtimes.workers.process import Worker

#: Modules that one worker keeps; beyond them, the least recently used is forgotten.
MOST_KEPT = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An artifact on its way to a worker: with its bytes only if the worker lacks them."""

    sha256: str
    label: str
    wasm: bytes | None
    forget: tuple[str, ...] = ()  #: what the worker may let go of


def sent(worker: Worker, artifact: Artifact) -> Sent:
    """What to send to that worker, which knows the artifact from then on."""
    key, known = artifact.sha256, worker.known
    wasm = None if key in known else artifact.wasm
    known.pop(key, None)
    known[key] = None
    forget = tuple(known)[:-MOST_KEPT]
    for each in forget:
        del known[each]
    return Sent(sha256=key, label=artifact.label, wasm=wasm, forget=forget)


class Kept:
    """The worker's side: the artifacts that came, by their checksums."""

    def __init__(self) -> None:
        self._modules: dict[str, Artifact] = {}

    def take(self, came: Sent) -> Artifact:
        """The artifact that was sent; the bytes of what is to be forgotten are let go of."""
        for each in came.forget:
            self._modules.pop(each, None)
        wasm = came.wasm
        if wasm is None:
            known = self._modules[came.sha256]
            if known.label == came.label:
                return known
            wasm = known.wasm
        artifact = Artifact(wasm=wasm, label=came.label)
        artifact.__dict__["sha256"] = came.sha256  # or it would be computed again: 2 ms for each MB
        self._modules[came.sha256] = artifact
        return artifact
