"""`bench_command` and `bench_export`: whole programs, and functions of modules made elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.bench.comparing import GUARDS, Effort, Watcher, compare_subjects
from wasm_lab.build.languages.granting import granted_to
from wasm_lab.capabilities import Capabilities
from wasm_lab.errors import LoadError, UnsupportedError
from wasm_lab.run import Phase
from wasm_lab.subjects import command_subjects, export_subjects, places

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wasm_lab.artifact import Artifact
    from wasm_lab.bench.report import Report
    from wasm_lab.measure.subject import Subject

#: Where a program can run, and where an export can be called.
_COMMAND_PLACES = ("wasmtime", "wasmer", "wasmedge", "wasmedge-aot", "node", "native")
_EXPORT_PLACES = ("wasmtime", "node")


def bench_command(
    artifact: Artifact,
    capabilities: Capabilities | None = None,
    *,
    where: Sequence[str] | None = None,
    guards: bool = False,
    effort: Effort | None = None,
    watcher: Watcher | None = None,
) -> Report:
    """Time whole runs of a program, each in a fresh instance, after its output was compared.

    Args:
        where: names of places; every one that can run it by default.
        guards: measure wasmtime with epochs, with fuel and with the audit too.
        effort: what is timed; by default a run in an instance that is made anew. A native
            program's run is its whole process; to compare processes with processes, ask for
            `Phase.PROCESS`.

    Raises:
        LoadError: it is no program.
        UnsupportedError: a place that was named cannot run it or cannot enforce a capability.
        AnswersDiffer, MeasureError: as `bench_function`.
    """
    granted = granted_to(artifact, capabilities or Capabilities())
    _check_alone(artifact)
    if where is None and (artifact.source is None or artifact.source.language != "rust"):
        candidates = [place for place in _COMMAND_PLACES if place != "native"]
    else:
        candidates = list(_COMMAND_PLACES)

    def subjects_at(place: str) -> list[Subject]:
        kinds = ("none", *GUARDS) if guards and place == "wasmtime" else ("none",)
        return [
            subject
            for kind in kinds
            for subject in command_subjects(artifact, granted, places=[place], guards=kind)
        ]

    chosen = (effort or Effort()).given(Phase.RUN, baseline="wasmtime")
    return _bench(subjects_at, candidates, where, chosen, watcher or Watcher())


def bench_export(
    artifact: Artifact,
    export: str,
    args: tuple[int | float, ...] = (),
    *,
    where: Sequence[str] | None = None,
    effort: Effort | None = None,
    watcher: Watcher | None = None,
) -> Report:
    """Time an exported function of numbers, of a module made elsewhere.

    Raises:
        UsageError: there is no such export, or an argument does not fit.
        AnswersDiffer, MeasureError, UnsupportedError: as `bench_function`.
    """

    _check_alone(artifact)

    def subjects_at(place: str) -> list[Subject]:
        return export_subjects(artifact, export, args, places=[place])

    chosen = (effort or Effort()).given(Phase.CALL, baseline="wasmtime")
    return _bench(subjects_at, list(_EXPORT_PLACES), where, chosen, watcher or Watcher())


def _check_alone(artifact: Artifact) -> None:
    if artifact.libraries:
        raise UnsupportedError(
            f"{artifact.label} calls functions of other cells, and what is timed is one module alone.",
            hint="Put the functions into the cell itself to time it.",
        )


def _bench(
    subjects_at: Callable[[str], list[Subject]],
    candidates: list[str],
    where: Sequence[str] | None,
    effort: Effort,
    watcher: Watcher,
) -> Report:
    usable = places()
    subjects: list[Subject] = []
    unavailable: dict[str, str] = {}
    for place in where if where is not None else candidates:
        if where is None and usable[place]:
            unavailable[place] = usable[place]
            continue
        watcher.step(f"preparing {place}")
        try:
            subjects += subjects_at(place)
        except (UnsupportedError, LoadError) as error:
            if where is not None:
                raise
            unavailable[place] = str(error)
    if not subjects:
        why = next(iter(unavailable.values()), "no place was named")
        raise UnsupportedError(f"It can be measured nowhere here: {why}")
    for subject in list(subjects):
        if effort.phases[-1] not in subject.phases:
            unavailable[subject.name] = f"it cannot tell the phase {effort.phases[-1].value!r} apart."
            subjects.remove(subject)
    return compare_subjects(subjects, effort, watcher, unavailable)
