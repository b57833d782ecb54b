"""Containers: a start by the program's own clock, beside the container runtime's stamps."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.pairs import Pair

from wasm_lab.scenarios.containers.starting import Containers

TURNS = 24


def start(folder: Path, divisor: int) -> Pair:
    """From asking for a Wasm container to its first words: by its own clock, and to the stamp on its log."""
    return _starts("container: request to first words, against the log's stamp", divisor, words=True)


def running(folder: Path, divisor: int) -> Pair:
    """From asking for a Wasm container until it runs: the runtime's answer, and its ``started_at``."""
    return _starts("container: request to running, against started_at", divisor, words=False)


def _starts(name: str, divisor: int, *, words: bool) -> Pair:
    ours, theirs = [], []
    with Containers() as place:
        (wasm,) = [one for one in place.subjects()[0] if one.fellow.name == "wasm"]
        place.ready(wasm)
        for turn in range(max(3, TURNS // divisor) + 1):
            started = place.start(wasm)
            started.stop()
            if turn:
                seen = started.words_ns if words else started.started_answer_ns
                stamp = started.logged_ns if words else started.started_at_ns
                ours.append(seen - started.asked_ns)
                theirs.append(stamp - started.asked_ns)
    return Pair(name, ours, theirs, "within 5 ms", difference=True)
