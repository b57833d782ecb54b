"""The run: rounds of fresh servers, each started, checked, loaded, weighed and ended."""

from __future__ import annotations

import contextlib
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wasm_lab.errors import AnswersDiffer, MeasureError, WasmLabError
from wasm_lab.measure.machine import machine
from wasm_lab.measure.sample import Sample
from wasm_lab.measure.store import Measurements
from wasm_lab.scenarios.loadtest.api import CASES, HELLO, SUM, check
from wasm_lab.scenarios.loadtest.cores import Cores, bound, share_cores
from wasm_lab.scenarios.loadtest.generator import Generator
from wasm_lab.scenarios.loadtest.plan import Plan
from wasm_lab.scenarios.loadtest.report import UNITS, WORKLOAD, Figure, LoadReport, load_name
from wasm_lab.scenarios.loadtest.server import Guard, Server, guarded
from wasm_lab.scenarios.loadtest.stacks import STACKS, chosen
from wasm_lab.scenarios.loadtest.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wasm_lab.build.progress import Progress
    from wasm_lab.scenarios.loadtest.stacks import Prepared, Stack

#: Connections of the load before the first that is measured.
WARM_UP_CONNECTIONS = 16


@dataclass(frozen=True, kw_only=True)
class Readied:
    """Stacks that are ready to be measured, and why others are not."""

    prepared: dict[Stack, Prepared]
    missing: dict[str, str]


def prepare(names: Sequence[str] = (), *, progress: Progress | None = None) -> Readied:
    """Build each stack, or take what was built before.

    Args:
        names: of stacks; all by default, where those that cannot be had here are left out.
        progress: told what is being done, and how far it is.

    Raises:
        UsageError: there is no such stack.
        MeasureError: one that was named cannot be had here, or none can.
    """
    workshop = Workshop(progress)
    prepared: dict[Stack, Prepared] = {}
    missing: dict[str, str] = {}
    for stack in chosen(tuple(names)):
        why = stack.missing()
        try:
            if not why:
                prepared[stack] = stack.prepare(workshop)
        except WasmLabError as error:
            why = str(error)
        if why and names:
            raise MeasureError(f"{stack.title} cannot be measured here. {why}")
        if why:
            missing[stack.title] = why
    if not prepared:
        reasons = "\n".join(f"- {title}: {why}" for title, why in missing.items())
        raise MeasureError(f"No stack can be measured here.\n{reasons}")
    return Readied(prepared=prepared, missing=missing)


@dataclass(frozen=True)
class Watcher:
    """Who wants to know how it goes.

    Args:
        on_progress: told what is built, and how far it is.
        on_total: told about how many seconds the measuring will take, when it begins.
        on_step: told what is measured now, and how many seconds of it have passed.
    """

    on_progress: Progress | None = None
    on_total: Callable[[float], None] = field(default=lambda _seconds: None)
    on_step: Callable[[str, float], None] = field(default=lambda _what, _seconds: None)


def load_test(
    names: Sequence[str] = (), plan: Plan | None = None, *, watcher: Watcher | None = None
) -> LoadReport:
    """Serve one API by several stacks, and load them in turns.

    Before anything is timed, every stack's answers are compared with what the API says. An interrupt
    while it measures keeps what was measured. No server outlives it.

    Args:
        names: of stacks; all that can be had here by default.
        plan: how long and how often; see `Plan`.
        watcher: told how it goes.

    Raises:
        UsageError: there is no such stack.
        ToolchainError: there is nothing that generates load.
        MeasureError: a stack that was named cannot be had here, or none can.
        AnswersDiffer: a stack answers something else; nothing was timed.

    Example:
        >>> load_test(["node", "go"], Plan(rounds=5, seconds=1))  # doctest: +SKIP
        <LoadReport: Node + Express, Go net/http>
    """
    plan, watcher = plan or Plan(), watcher or Watcher()
    cores = share_cores()
    with Generator(len(cores.others)) as generator:
        readied = prepare(names, progress=watcher.on_progress)
        began = time.monotonic()
        machine()  # looked at now: it would count only the cores that are left to us
        with guarded() as guard, bound(cores.others):
            run = _Run(
                plan=plan,
                prepared=dict(readied.prepared),
                missing=dict(readied.missing),
                named=bool(names),
                generator=generator,
                cores=cores,
                guard=guard,
                watcher=watcher,
            )
            interrupted = run.all()
        measured = tuple(stack for stack in readied.prepared if stack.title in run.measured)
        if not measured and not interrupted:
            reasons = "\n".join(f"- {title}: {why}" for title, why in run.missing.items())
            raise MeasureError(f"No stack could be measured.\n{reasons}")
        return LoadReport(
            plan=plan,
            stacks=measured,
            versions={stack.title: prepared.version for stack, prepared in readied.prepared.items()},
            missing=run.missing,
            measurements=Measurements(tuple(run.samples), interrupted),
            sharing=cores.sentence,
            generator=f"wrk {generator.wrk.version}",
            cases=len(CASES),
            duration_s=time.monotonic() - began,
            baseline=measured[0].title if measured else STACKS[0].title,
        )


@dataclass(kw_only=True)
class _Run:
    plan: Plan
    prepared: dict[Stack, Prepared]
    missing: dict[str, str]
    named: bool  #: somebody asked for just these stacks
    generator: Generator
    cores: Cores
    guard: Guard
    watcher: Watcher
    samples: list[Sample] = field(default_factory=list)
    spent_s: float = 0.0  #: about, of what was announced

    @property
    def measured(self) -> set[str]:
        """Titles of the stacks that took a load."""
        return {one.subject for one in self.samples if one.phase == Figure.THROUGHPUT}

    def all(self) -> bool:
        """Answers first, then rounds; whether it was interrupted meanwhile."""
        order = random.Random(self.plan.seed)
        try:
            self._tell("comparing answers", 0)
            for stack in list(self.prepared):
                try:
                    self._compare(stack)
                except AnswersDiffer:
                    raise
                except MeasureError as error:
                    self._drop(stack, error)
            self.watcher.on_total(self.plan.expected_s(len(self.prepared)))
            for number in range(self.plan.rounds):
                stacks = list(self.prepared)
                order.shuffle(stacks)
                for stack in stacks:
                    self._try_round(stack, number)
        except KeyboardInterrupt:
            if not self.measured:
                raise
            return True
        return False

    def _try_round(self, stack: Stack, number: int) -> None:
        try:
            self._round(stack, number)
        except AnswersDiffer as error:
            # What it gave in this round was not the work of the others.
            self.samples = [
                one for one in self.samples if (one.subject, one.process) != (stack.title, number)
            ]
            self._drop(stack, error)
        except MeasureError as error:
            self._drop(stack, error)

    def _drop(self, stack: Stack, error: MeasureError) -> None:
        """A server that fails takes only its own stack out of the run, with what came before kept."""
        if self.named and stack.title not in self.measured:
            raise error
        self.missing[stack.title] = str(error)
        del self.prepared[stack]

    def _server(self, stack: Stack) -> Server:
        return Server(stack, self.prepared[stack], self.cores, self.guard)

    def _compare(self, stack: Stack) -> None:
        with self._server(stack) as server:
            check(stack.title, server.port)
            server.check_alive()
        prepared = self.prepared[stack]
        self._keep(stack, 0, "", {Figure.DEPLOYED: prepared.deployed_bytes})

    def _round(self, stack: Stack, number: int) -> None:
        with contextlib.ExitStack() as open_ones:
            for turn in range(self.plan.starts):
                self._tell(f"{stack.title}: cold start", 0.4)
                server = open_ones.enter_context(self._server(stack))
                self._keep(stack, number, "", {Figure.COLD_START: server.cold_start_ns}, iteration=turn)
                if turn < self.plan.starts - 1:
                    server.close()
            self._tell(f"{stack.title}: warming up", self.plan.warm_up_s)
            self.generator.run(server.port, WARM_UP_CONNECTIONS, self.plan.warm_up_s)
            if number == 0:
                self._weigh_files(stack, server)
            for connections in self.plan.connections:
                self._load(stack, server, number, connections)
            server.check_alive()
            check(stack.title, server.port, (HELLO, SUM))  # still right after all that

    def _load(self, stack: Stack, server: Server, number: int, connections: int) -> None:
        load = load_name(connections)
        self._tell(f"{stack.title}: {load}", self.plan.seconds)
        sizes: dict[str, int] = {}
        found = self.generator.run(
            server.port, connections, self.plan.seconds, during=lambda: sizes.update(server.sizes())
        )
        values: dict[Figure, float] = {
            Figure.THROUGHPUT: found.per_second,
            Figure.P50: found.p50_us * 1000,
            Figure.P99: found.p99_us * 1000,
            Figure.FAILED: found.failed,
            Figure.GENERATOR: found.generator_share,
            **{Figure(f"{kind} under load"): size for kind, size in sizes.items()},
        }
        self._keep(stack, number, load, values)

    def _weigh_files(self, stack: Stack, server: Server) -> None:
        """What is deployed, with what of the runtime's files is mapped while it runs."""
        prepared = self.prepared[stack]
        mapped = {path.resolve() for path in server.mapped_files()}
        deployed = [path.resolve() for path in prepared.deployed]
        runtime = [path for path in mapped if not any(path == one or one in path.parents for one in deployed)]
        if mapped:
            size = prepared.deployed_bytes + sum(path.stat().st_size for path in runtime)
            self._keep(stack, 0, "", {Figure.WITH_RUNTIME: size})

    def _keep(
        self, stack: Stack, number: int, load: str, values: dict[Figure, float], *, iteration: int = 0
    ) -> None:
        now = time.time()
        self.samples += [
            Sample(
                workload=WORKLOAD,
                input=load,
                subject=stack.title,
                language=stack.language,
                runtime=stack.runtime,
                runtime_version=self.prepared[stack].version,
                process=number,
                iteration=iteration,
                phase=figure.value,
                value=float(value),
                unit=UNITS[figure],
                machine=machine().name,
                taken_at=now,
            )
            for figure, value in values.items()
        ]

    def _tell(self, what: str, seconds: float) -> None:
        self.watcher.on_step(what, self.spent_s)
        self.spent_s += seconds
