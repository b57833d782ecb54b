"""What several claims rest on, measured once: kernels beside their twins, a cold start."""

from __future__ import annotations

import functools
import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from wasm_lab.bench import bench_command, bench_function
from wasm_lab.bench.comparing import Effort, Watcher
from wasm_lab.build import build
from wasm_lab.cells import parse_cell
from wasm_lab.errors import MeasureError
from wasm_lab.run import Phase
from wasm_lab.scenarios.loadtest.plan import Plan as LoadPlan
from wasm_lab.subjects import places
from wasm_lab.twins import samples_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.artifact import Artifact
    from wasm_lab.bench import Report
    from wasm_lab.measure.store import Measurements
    from wasm_lab.scenarios.containers.report import ContainerReport
    from wasm_lab.scenarios.loadtest import LoadReport
    from wasm_lab.source import Source

#: Fresh processes behind each timing of the quick set, and of the full one.
QUICK_ROUNDS = 5
FULL_ROUNDS = 15

#: Seconds for one comparison at most.
QUICK_BUDGET_S = 30.0
FULL_BUDGET_S = 60.0

#: Kernels with an input for which Python takes some 10 ms: file, function, arguments.
QUICK_KERNELS = (
    ("fib", "fib", (22,)),
    ("sieve", "count_primes", (100_000,)),
    ("n_body", "energy_after", (400,)),
    ("matrix", "trace_of_product", (40,)),
)
FULL_KERNELS = (
    *QUICK_KERNELS,
    ("fib", "fib", (27,)),
    ("sieve", "count_primes", (1_000_000,)),
    ("matrix", "trace_of_product", (120,)),
    ("sha256", "sha256_of_letters", (20_000,)),
)

#: The load test behind several rows: in each of six rounds fresh processes of every stack.
LOAD = LoadPlan(connections=(1, 16, 64), seconds=2, rounds=6, starts=2)

_SPEED_PLACES = ("wasmtime", "node", "native", "javascript", "python")


@dataclass(frozen=True)
class Workbench:
    """Shared measurements; each is made when the first claim asks for it."""

    full: bool = False
    on_step: Callable[[str], None] | None = None
    seed: int = 0
    until: float = math.inf  #: on the monotonic clock: when the time budget is spent
    kept: list[Measurements] = field(default_factory=list)  #: every sample that was taken so far
    weighed: list[str] = field(default_factory=list)  #: says that containers were measured

    def __hash__(self) -> int:
        return id(self)

    @property
    def left_s(self) -> float:
        """What is left of the time budget; infinite without one."""
        return self.until - time.monotonic()

    def keep(self, measurements: Measurements) -> Measurements:
        """The measurements, which are now among those that are handed out at the end."""
        self.kept.append(measurements)
        return measurements

    def effort(self, *phases: Phase) -> Effort:
        """How much one comparison measures: exactly so many processes, whatever they show."""
        rounds = FULL_ROUNDS if self.full else QUICK_ROUNDS
        budget_s = min(FULL_BUDGET_S if self.full else QUICK_BUDGET_S, max(1.0, self.left_s))
        return Effort(phases=phases, budget_s=budget_s, rounds=rounds, target_width=math.inf, seed=self.seed)

    def watcher(self, what: str) -> Watcher:
        if self.on_step is None:
            return Watcher()
        tell = self.on_step
        return Watcher(on_step=lambda step: tell(f"{what}: {step}"))

    @functools.cache  # noqa: B019 - one workbench lives as long as one evaluation
    def speeds(self) -> tuple[Report, ...]:
        """Every kernel in wasmtime, in V8 as Wasm, natively, and its twins in JavaScript and Python."""
        usable = places()
        where = [place for place in _SPEED_PLACES if not usable[place]]
        reports = []
        for file, function, args in FULL_KERNELS if self.full else QUICK_KERNELS:
            report = bench_function(
                self.kernel(file),
                function,
                [args],
                where=where,
                effort=self.effort(Phase.CALL),
                watcher=self.watcher(function),
            )
            reports.append(self._whole(report))
        return tuple(reports)

    @functools.cache  # noqa: B019
    def cold_start(self) -> Report:
        """A hello in wasmtime, each phase of its start."""
        phases = (Phase.COMPILE, Phase.LOAD, Phase.INSTANTIATE, Phase.RUN)
        report = bench_command(
            self.program("hello"),
            where=["wasmtime"],
            effort=self.effort(*phases),
            watcher=self.watcher("hello"),
        )
        return self._whole(report)

    @functools.cache  # noqa: B019
    def load_test(self) -> LoadReport:
        """One API on every stack that can be had here, under three loads; in the full set alone.

        Raises:
            MeasureError: this is the quick set, or too little time is left, or no stack can be had.
        """
        from wasm_lab.scenarios.loadtest import STACKS, load_test
        from wasm_lab.scenarios.loadtest import Watcher as LoadWatcher

        if not self.full:
            raise MeasureError(
                "It takes a load test of about five minutes, and the first time some more to build the stacks.",
                hint="Run wasm-lab claims --full d1 d2 d3 d4, or wasm-lab loadtest --quick for figures alone.",
            )
        if LOAD.expected_s(len(STACKS)) > self.left_s:
            raise MeasureError("Too little of the time budget was left for a load test.")
        told = self.watcher("load test")
        watcher = LoadWatcher(
            on_progress=lambda what, _done, _total: told.step(f"building {what}"),
            on_step=lambda what, _seconds: told.step(what),
        )
        report = load_test(plan=replace(LOAD, seed=self.seed), watcher=watcher)
        self.keep(report.measurements)
        if report.interrupted:
            raise KeyboardInterrupt
        return report

    @functools.cache  # noqa: B019
    def containers(self) -> ContainerReport:
        """One program as containers of several kinds; as bare processes where no container can run.

        Raises:
            MeasureError: nothing can be measured here.
        """
        from wasm_lab.scenarios.containers.measuring import QUICK, measure_containers
        from wasm_lab.scenarios.containers.measuring import Watcher as ContainerWatcher

        told = self.watcher("containers")
        watcher = ContainerWatcher(on_step=lambda what, _done, _total: told.step(what))
        plan = replace(QUICK, rounds=FULL_ROUNDS, seed=self.seed)
        if not self.full:  # crowds take three times as many starts, and only c5 speaks of them
            plan = replace(plan, rounds=QUICK_ROUNDS, crowd=())
        report = measure_containers((), plan, watcher=watcher)
        self.keep(report.measurements)
        if report.interrupted:
            raise KeyboardInterrupt
        self.weighed.append("containers")
        return report

    def containers_if_cheap(self) -> ContainerReport | None:
        """As `containers`; None in the quick set, unless another claim has had them measured."""
        return self.containers() if self.full or self.weighed else None

    def kernel(self, name: str) -> Source:
        """The Source of one of the sample kernels."""
        return self._source("kernels", name)

    def program(self, name: str) -> Artifact:
        """One of the sample programs, built."""
        return build(self._source("programs", name))

    def _whole(self, report: Report) -> Report:
        """The report; an interrupt, which left it in part, goes on to whoever evaluates the ledger."""
        self.keep(report.measurements)
        if report.interrupted:
            raise KeyboardInterrupt
        return report

    @staticmethod
    def _source(folder: str, name: str) -> Source:
        path = samples_folder() / folder / f"{name}.rs"
        return parse_cell(path.read_text(encoding="utf-8"), name=name, label=f"{name}.rs")
