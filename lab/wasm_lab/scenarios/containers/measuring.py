"""Measuring containers: the same program in each form, started in turns, weighed alone and in crowds."""

from __future__ import annotations

import contextlib
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wasm_lab.errors import ContainerError, MeasureError, UsageError, WasmLabError
from wasm_lab.measure.machine import machine
from wasm_lab.measure.sample import Sample
from wasm_lab.measure.store import Measurements
from wasm_lab.scenarios.containers import fellows
from wasm_lab.scenarios.containers.fellows import FELLOWS
from wasm_lab.scenarios.containers.report import CROWD, CROWD_ALONE, WORKLOAD, ContainerReport, Figure
from wasm_lab.scenarios.containers.starting import Containers, Ground, Started, Subject, ground
from wasm_lab.services.cri.processes import shims

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Seconds until a container that was started is weighed: what it does at its start is then over.
SETTLE_S = 0.15


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How often each is started, and how many idle together.

    Raises:
        UsageError: no rounds, or crowds that do not grow.
    """

    rounds: int = 10
    crowd: tuple[int, ...] = (2, 6)  #: how many are weighed together; empty for none
    seed: int = 0

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise UsageError("Measuring takes at least one round.")
        if list(self.crowd) != sorted(set(self.crowd)) or any(count < 1 for count in self.crowd):
            raise UsageError("Crowds are counted upwards, such as 2,6.")

    def starts(self, subjects: int) -> int:
        """How many containers are started in all."""
        return subjects * self.rounds * max(self.crowd, default=1)


#: Few rounds and small crowds.
QUICK = Plan(rounds=5, crowd=(2, 3))

#: Where the weight of each part goes.
KINDS = {"container": Figure.CONTAINER, "shim": Figure.SHIM, "pause": Figure.PAUSE}


#: What is said where shims of others run beside ours.
_SHARED = (
    "Shims of other containers ran on this machine: shims share the pages of their program, so PSS of one is "
    "less than it would be alone."
)


def _silent(*_: object) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Watcher:
    """Who is told how far it is."""

    on_step: Callable[[str, int, int], None] = (
        _silent  #: what is done, how many starts are done, and of how many
    )


def measure_containers(
    names: Sequence[str] = (),
    plan: Plan | None = None,
    *,
    processes: bool = False,
    watcher: Watcher | None = None,
) -> ContainerReport:
    """Start the program in each form, in rounds of random order, and weigh one and more of it while idle.

    Args:
        names: of ``wasm``, ``wasm-compiled``, ``native``, ``python`` and ``node``; all by default.
        plan: how often.
        processes: start bare processes, even where containers can run.
        watcher: who is told how far it is.

    Every start is a new container in a new pod, its image being there and the machine's page cache warm.

    Raises:
        UsageError: an unknown name.
        MeasureError: nothing can be measured here; with each reason.

    Example:
        >>> measure_containers(["native", "python"], QUICK).kind       # doctest: +SKIP
        'containers'
    """
    known = [fellow.name for fellow in FELLOWS]
    for name in names:
        if name not in known:
            raise UsageError(
                f"There is no form {name!r} of the program.", hint=f"There are: {', '.join(known)}."
            )
    plan, watcher = plan or Plan(), watcher or Watcher()
    began = time.monotonic()
    watcher.on_step("looking what is here", 0, 0)
    with ground(processes=processes) as place:
        found, missing = place.subjects()
        wanted = set(names or known)
        run = _Run(place, plan, watcher, missing=missing)
        for subject in found:
            if subject.fellow.name in wanted:
                run.prepare(subject)
        if not run.subjects:
            raise MeasureError("Nothing can be measured here.", hint=_reasons(run.missing))
        interrupted = run.all()
        if not run.subjects:
            raise MeasureError("Nothing could be measured.", hint=_reasons(run.missing))
        runtime = place.version() if isinstance(place, Containers) else ""
    titles = [subject.title for subject in run.subjects]
    native = [one.title for one in run.subjects if one.fellow.name == "native"]
    return ContainerReport(
        kind=place.kind,
        why_no_containers=Containers.missing(),
        subjects=tuple(run.subjects),
        missing=_asked(run.missing, names),
        measurements=Measurements(tuple(run.samples), interrupted),
        baseline=(native or titles)[0],
        runtime=runtime,
        duration_s=time.monotonic() - began,
        notes=(_SHARED,) if run.strangers else (),
    )


def _asked(missing: dict[str, str], names: Sequence[str]) -> dict[str, str]:
    """Of what is missing, that which was asked for."""
    titles = tuple(f"{fellow.title} (" for fellow in FELLOWS if not names or fellow.name in names)
    return {title: why for title, why in missing.items() if title.startswith(titles)}


def _reasons(missing: dict[str, str]) -> str:
    return "\n".join(f"- {title}: {why}" for title, why in missing.items())


@dataclass
class _Run:
    place: Ground
    plan: Plan
    watcher: Watcher
    missing: dict[str, str]
    subjects: list[Subject] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    done: int = 0
    strangers: bool = False  #: whether shims of others ran when ours were weighed

    def prepare(self, subject: Subject) -> None:
        """Have it ready, or say why it is not."""
        self.watcher.on_step(f"making the image of {subject.title}", 0, 0)
        try:
            self.place.ready(subject)
            if self.place.kind == "containers":
                image = fellows.archive(subject.fellow)
                self._keep(subject, 0, Figure.COMPRESSED, image.compressed, "bytes")
                self._keep(subject, 0, Figure.UNCOMPRESSED, image.uncompressed, "bytes")
            self.subjects.append(subject)
        except WasmLabError as error:
            self.missing[subject.title] = str(error)

    def all(self) -> bool:
        """Every round; whether it was interrupted."""
        order = random.Random(self.plan.seed)
        try:
            for number in range(self.plan.rounds):
                turns = list(self.subjects)
                order.shuffle(turns)
                for subject in turns:
                    self._try(subject, number)
        except KeyboardInterrupt:
            if not self.samples:
                raise
            return True
        return False

    def _try(self, subject: Subject, number: int) -> None:
        """Measure one; what fails is measured no more, and the others go on without it."""
        try:
            self._round(subject, number)
        except WasmLabError as error:
            self.subjects.remove(subject)
            self.samples = [one for one in self.samples if one.subject != subject.title]
            self.missing[subject.title] = str(error)

    def _started(self, subject: Subject) -> Started:
        total = self.plan.starts(len(self.subjects))
        self.watcher.on_step(f"starting {subject.title}", self.done, total)
        self.done += 1
        return self.place.start(subject)

    def _round(self, subject: Subject, number: int) -> None:
        """Start one, weigh it, then start more of it and weigh all that run."""
        crowd = [self._started(subject)]
        try:
            self._keep_times(subject, number, crowd[0])
            time.sleep(SETTLE_S)
            weights = self._weighed(crowd)[0]
            for kind, value in weights.items():
                self._keep(subject, number, KINDS[kind], value, "bytes")
            for count in self.plan.crowd:
                while len(crowd) < count:
                    crowd.append(self._started(subject))
                time.sleep(SETTLE_S if count > 1 else 0)
                weighed = self._weighed(crowd)
                together = sum(sum(parts.values()) for parts in weighed)
                alone = sum(parts["container"] for parts in weighed)
                self._keep(subject, number, CROWD, together, "bytes", given=str(count))
                self._keep(subject, number, CROWD_ALONE, alone, "bytes", given=str(count))
        finally:
            for one in crowd:
                with contextlib.suppress(ContainerError):
                    one.stop()

    def _weighed(self, crowd: list[Started]) -> list[dict[str, int]]:
        if self.place.kind == "containers":
            self.strangers = self.strangers or shims() > len(crowd)
        return [one.weigh() for one in crowd]

    def _keep_times(self, subject: Subject, number: int, one: Started) -> None:
        times = {Figure.START: one.words_ns - one.asked_ns, Figure.WORDS: one.logged_ns - one.words_ns}
        if one.pod_ns:
            times |= {
                Figure.POD: one.words_ns - one.pod_ns,
                Figure.PROGRAM: one.words_ns - one.start_ns,
                Figure.CREATED: one.created_answer_ns - one.created_at_ns,
                Figure.STARTED: one.started_answer_ns - one.started_at_ns,
            }
        if one.made_ns:
            times[Figure.ENGINE] = one.words_ns - one.made_ns
        for figure, value in times.items():
            self._keep(subject, number, figure, value, "ns")

    def _keep(
        self, subject: Subject, number: int, phase: str, value: float, unit: str, *, given: str = ""
    ) -> None:
        self.samples.append(
            Sample(
                workload=WORKLOAD,
                input=given,
                subject=subject.title,
                language=subject.fellow.language,
                runtime=subject.runtime,
                runtime_version=subject.version,
                process=number,
                iteration=int(given or 0),
                phase=str(phase),
                value=float(value),
                unit=unit,
                machine=machine().name,
                taken_at=time.time(),
            )
        )
