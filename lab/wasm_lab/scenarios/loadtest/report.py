"""What a load test found: samples, and all that has to be known beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from wasm_lab.errors import MeasureError
from wasm_lab.measure.machine import Machine, machine
from wasm_lab.measure.statistics import Comparison, Summary, compare, summarise
from wasm_lab.scenarios.loadtest.stacks import STACKS, Stack

if TYPE_CHECKING:
    from wasm_lab.measure.store import Measurements
    from wasm_lab.scenarios.loadtest.plan import Plan

#: The workload of every sample.
WORKLOAD = "json api"

#: Of a core, from which the generator itself may have been what limited a load.
BUSY = 0.9


class Figure(StrEnum):
    """What is measured; a sample's phase."""

    THROUGHPUT = "throughput"
    P50 = "latency P50"
    P99 = "latency P99"
    COLD_START = "cold start"
    PSS = "PSS under load"
    RSS = "RSS under load"
    DEPLOYED = "deployed size"
    WITH_RUNTIME = "with its runtime"
    FAILED = "failed requests"
    GENERATOR = "generator busy"


#: Unit of each; more of the first is better, less of all others.
UNITS = {
    Figure.THROUGHPUT: "requests/s",
    Figure.P50: "ns",
    Figure.P99: "ns",
    Figure.COLD_START: "ns",
    Figure.PSS: "bytes",
    Figure.RSS: "bytes",
    Figure.DEPLOYED: "bytes",
    Figure.WITH_RUNTIME: "bytes",
    Figure.FAILED: "requests",
    Figure.GENERATOR: "share",
}


def load_name(connections: int) -> str:
    """As a sample's input names a load.

    Example:
        >>> load_name(1)
        '1 connection'
    """
    return f"{connections} connection{'s' * (connections != 1)}"


@dataclass(frozen=True, kw_only=True, repr=False)
class LoadReport:
    """The result of `wasm_lab.scenarios.loadtest.load_test`."""

    plan: Plan
    stacks: tuple[Stack, ...]  #: that were measured
    versions: dict[str, str]  #: of each stack's runtime, by its title
    missing: dict[str, str]  #: title of a stack that was not measured, or not to the end, and why
    measurements: Measurements
    sharing: str  #: how the cores were shared
    generator: str  #: what made the load, with its version
    cases: int  #: requests whose answers were compared before and after
    duration_s: float
    baseline: str  #: the title of the stack that ratios are taken against
    machine: Machine = field(default_factory=machine)

    def __repr__(self) -> str:
        return f"<LoadReport: {', '.join(stack.title for stack in self.stacks)}>"

    @property
    def interrupted(self) -> bool:
        return self.measurements.interrupted

    @property
    def loads(self) -> tuple[str, ...]:
        """The names of the loads that were measured, in their order."""
        known = set(self.measurements.values_of("input"))
        return tuple(name for name in map(load_name, self.plan.connections) if name in known)

    @property
    def memory(self) -> Figure:
        """The kind of memory that this system tells: PSS is what a process adds to a machine."""
        return Figure.PSS if self.measurements.where(phase=Figure.PSS.value).samples else Figure.RSS

    def summaries(self) -> tuple[Summary, ...]:
        """Median and 95 % interval of everything, over rounds."""
        return summarise(self.measurements)

    def summary(self, stack: Stack, figure: Figure, load: str = "") -> Summary | None:
        """Of one figure of one stack; None where it was not measured."""
        found = summarise(self.measurements.where(subject=stack.title, phase=figure.value, input=load))
        return found[0] if found else None

    def ratio(self, figure: Figure, load: str, *, of: str, to: str) -> Comparison | None:
        """How many times as much one stack has as another, paired by round; None where one is missing.

        Args:
            of, to: names of stacks, such as ``node``.
        """
        titles = {stack.name: stack.title for stack in STACKS}
        try:
            return compare(
                self.measurements.where(input=load),
                subject=titles[of],
                baseline=titles[to],
                phase=figure.value,
            )
        except MeasureError:
            return None

    def comparisons(self) -> tuple[Comparison, ...]:
        """Every figure of every stack that varies, as a multiple of the baseline's."""
        (base,) = (stack.name for stack in STACKS if stack.title == self.baseline)
        figures = (Figure.THROUGHPUT, Figure.P50, Figure.P99, self.memory)
        pairs = [(Figure.COLD_START, ""), *((figure, load) for load in self.loads for figure in figures)]
        found = (
            self.ratio(figure, load, of=stack.name, to=base)
            for figure, load in pairs
            for stack in self.stacks
            if stack.name != base
        )
        return tuple(each for each in found if each is not None)

    def notes(self) -> tuple[str, ...]:
        """What has to be known beside the figures, a sentence each."""
        found = [self.sharing]
        for stack in self.stacks:
            busy = max(
                (one.median for load in self.loads if (one := self.summary(stack, Figure.GENERATOR, load))),
                default=0.0,
            )
            if busy > BUSY:
                found.append(
                    f"The load generator was busy for {busy:.0%} of its time with {stack.title}, which may "
                    "have answered more."
                )
            failed = sum(
                one.value for one in self.measurements.where(subject=stack.title, phase=Figure.FAILED.value)
            )
            if failed:
                found.append(f"{stack.title}: {failed:.0f} requests were not answered well or not in time.")
        return (*found, *self.machine.noise)
