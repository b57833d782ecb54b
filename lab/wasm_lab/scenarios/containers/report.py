"""What starting and weighing containers found: samples, and all that has to be known beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from wasm_lab.errors import MeasureError
from wasm_lab.measure.crowds import IdleCost, idle_cost
from wasm_lab.measure.machine import Machine, machine
from wasm_lab.measure.statistics import Comparison, Summary, compare, summarise

if TYPE_CHECKING:
    from wasm_lab.measure.store import Measurements
    from wasm_lab.scenarios.containers.starting import Subject

#: The workload of every sample.
WORKLOAD = "tell the time, then idle"

#: Our clock and the runtime's must agree within this, in nanoseconds.
AGREEMENT_NS = 5_000_000


class Figure(StrEnum):
    """What is measured; a sample's phase."""

    START = "request to first words"  #: the container asked for, its image and pod being there
    POD = "pod request to first words"  #: the pod asked for, its image being there
    PROGRAM = "start request to first words"  #: the container made, and now to start
    ENGINE = "made (crun's or runc's state) to first words"
    CREATED = "created, answer after stamp"
    STARTED = "started, answer after stamp"
    WORDS = "first words, runtime's stamp after program's"
    CONTAINER = "PSS of the container"
    SHIM = "PSS of the shim"
    PAUSE = "PSS of the pause process"
    COMPRESSED = "image, compressed"
    UNCOMPRESSED = "image, unpacked"


#: The phases of samples of idle crowds; their input is how many there were.
CROWD = "PSS"  #: of all processes of all pods, shims and pause processes too
CROWD_ALONE = "PSS without shims"

STARTS = (Figure.START, Figure.POD, Figure.PROGRAM, Figure.ENGINE)
WEIGHTS = (Figure.CONTAINER, Figure.SHIM, Figure.PAUSE)

#: Where the runtime says a time of its own: ours minus its, or its minus the program's.
AGREEMENTS = {
    Figure.CREATED: "CreateContainer answered, against the container's created_at",
    Figure.STARTED: "StartContainer answered, against the container's started_at",
    Figure.WORDS: "the runtime's stamp on the first line of the log, against the program's own clock",
}


@dataclass(frozen=True)
class Agreement:
    """How two clocks, or two observers of one moment, agree."""

    figure: Figure
    what: str
    median_ns: float
    largest_ns: float
    within: int  #: how many of them within `AGREEMENT_NS`
    n: int


@dataclass(frozen=True, kw_only=True, repr=False)
class ContainerReport:
    """The result of `wasm_lab.scenarios.containers.measuring.measure_containers`."""

    kind: str  #: ``containers``, or ``processes`` where no container can run
    why_no_containers: str
    subjects: tuple[Subject, ...]
    missing: dict[str, str]  #: titles of what was not measured, and why
    measurements: Measurements
    baseline: str
    runtime: str  #: name and version of the container runtime
    duration_s: float
    notes: tuple[str, ...] = ()  #: what has to be known beside the figures
    machine: Machine = field(default_factory=machine)

    def __repr__(self) -> str:
        return f"<ContainerReport: {', '.join(subject.title for subject in self.subjects)}, as {self.kind}>"

    @property
    def interrupted(self) -> bool:
        return self.measurements.interrupted

    def summaries(self) -> tuple[Summary, ...]:
        """Median and 95 % interval of everything, over rounds."""
        return summarise(self.measurements)

    def summary(self, title: str, figure: Figure) -> Summary | None:
        """Of one figure of one subject; None where it was not measured."""
        found = summarise(self.measurements.where(subject=title, phase=figure.value))
        return found[0] if found else None

    def named(self, fellow: str, handler: str = "") -> Subject | None:
        """A subject by its program's name, such as ``wasm``, and its handler if that matters."""
        found = (one for one in self.subjects if one.fellow.name == fellow and handler in ("", one.handler))
        return next(found, None)

    def ratio(self, figure: Figure, title: str) -> Comparison | None:
        """How many times as much as the baseline, paired by round; None where one is missing."""
        try:
            return compare(self.measurements, subject=title, baseline=self.baseline, phase=figure.value)
        except MeasureError:
            return None

    def cost(self, title: str, *, shims: bool = True) -> IdleCost | None:
        """What one further idle container costs; None where crowds were not weighed.

        Takes whether its shim and the process that holds its pod open count too.
        """
        kind = CROWD if shims else CROWD_ALONE
        try:
            return idle_cost(self.measurements, subject=title, kind=kind)
        except MeasureError:
            return None

    def agreements(self) -> tuple[Agreement, ...]:
        """Our times against the runtime's own, over all starts."""
        found = []
        for figure, what in AGREEMENTS.items():
            values = sorted(one.value for one in self.measurements.where(phase=figure.value))
            if values:
                sizes = sorted(map(abs, values))
                found.append(
                    Agreement(
                        figure=figure,
                        what=what,
                        median_ns=values[len(values) // 2],
                        largest_ns=sizes[-1],
                        within=sum(size <= AGREEMENT_NS for size in sizes),
                        n=len(sizes),
                    )
                )
        return tuple(found)
