"""Sampling: a plan carried out in rounds of fresh processes, every batch in random turn.

A round has one fresh process of each subject. They take turns, batch by batch, in an order drawn
anew each time, so that a machine whose speed drifts favours nobody (Fleming and Wallace's pairing,
with the order randomised as Mytkowicz et al., "Producing wrong data without doing anything obviously
wrong", ASPLOS 2009, ask for). Between rounds it is asked whether the intervals are narrow enough.
"""

from __future__ import annotations

import math
import random
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from wasm_lab.errors import MeasureError, ProbeError, UnsupportedError
from wasm_lab.measure.machine import machine
from wasm_lab.measure.sample import Sample
from wasm_lab.measure.stopping import enough
from wasm_lab.measure.store import Measurements
from wasm_lab.measure.warmup import warm_from
from wasm_lab.run import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wasm_lab.measure.plan import Plan
    from wasm_lab.measure.subject import Probe, Subject

#: A subject among others: workload, input, name.
Key = tuple[str, str, str]

#: Values of each subject and phase in one round, at least and at most.
FEWEST_VALUES = 3
MOST_VALUES = 20

#: How many rounds a budget is meant to hold: enough for an interval, each long enough to warm up.
ROUNDS_IN_BUDGET = 20

#: A batch lasts so many steps of the probe's clock at least, so that it is read to 0.1 %.
CLOCK_STEPS = 1000

#: One batch has at most so many repetitions, which also bounds what one instant makes of instances.
MOST_REPETITIONS = 10_000_000
MOST_INSTANCES = 200

#: After the first batch of about the right size, so many more are taken to find its size.
AGAIN = 2

#: Subjects of which one needs at most so many times the repetitions of another get the same number.
ALIKE = 1.5

#: What a process does faster after some repetitions; the other phases are done anew each time.
_WARMS_UP = (Phase.CALL, Phase.RUN)
#: What each repetition makes an instance, a process or machine code for.
_MAKES_ANEW = (Phase.LOAD, Phase.INSTANTIATE, Phase.FIRST_CALL, Phase.TEARDOWN, Phase.COMPILE, Phase.PROCESS)


class Stopped(StrEnum):
    """Why no further round was begun."""

    NARROW = "every interval is narrow enough"
    BUDGET = "the time budget is spent"
    ROUNDS = "the plan's last round is done"
    INTERRUPTED = "interrupted"
    FAILED = "nothing is left to compare"


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """What carrying out a plan gave."""

    measurements: Measurements
    rounds: int  #: whole rounds
    duration_s: float
    stopped: Stopped
    failed: dict[str, str] = field(default_factory=dict)  #: subject to why it was given up


def sample(
    plan: Plan,
    *,
    on_samples: Callable[[Sequence[Sample]], None] | None = None,
    on_time: Callable[[float, float], None] | None = None,
) -> Sampling:
    """Measure until the deciding intervals are narrow enough or the budget is spent.

    An interrupt ends the sampling, and what was taken is returned. A subject whose process dies is
    given up, and the others go on.

    Args:
        on_samples: receives samples as they come; whether they are warm is known only at the
            end of their round, so here all are said to be.
        on_time: receives the seconds spent and the seconds that it may still take at most.

    Raises:
        MeasureError: no subject could be measured at all; the message has the first reason.

    Example:
        >>> from wasm_lab.measure.commands import CommandSubject
        >>> from wasm_lab.measure.plan import Plan
        >>> plan = Plan(subjects=(CommandSubject(name="true", command=("true",)),),
        ...             phases=(Phase.PROCESS,), min_rounds=1, max_rounds=1)
        >>> sample(plan).rounds
        1
    """
    return _Sampler(plan, on_samples, on_time).run()


class _Sampler:
    def __init__(
        self,
        plan: Plan,
        on_samples: Callable[[Sequence[Sample]], None] | None,
        on_time: Callable[[float, float], None] | None,
    ) -> None:
        self.plan = plan
        self.random = random.Random(plan.seed)
        self.on_samples = on_samples
        self.on_time = on_time
        self.kept: list[Sample] = []
        self.failed: dict[Key, str] = {}
        self.counts: dict[tuple[Key, Phase], int] = {}
        self.values = FEWEST_VALUES
        self.began = time.monotonic()
        self.machine = machine().name
        # Two at a time, and never ended before the last process: on Linux a process that is to end
        # with its parent ends with the thread that started it.
        self.starters = ThreadPoolExecutor(max_workers=2)

    @property
    def subjects(self) -> list[Subject]:
        """Those that have not been given up."""
        return [subject for subject in self.plan.subjects if _key(subject) not in self.failed]

    @property
    def spent_s(self) -> float:
        return time.monotonic() - self.began

    def run(self) -> Sampling:
        rounds, stopped = 0, Stopped.ROUNDS
        try:
            self._pilot()
            while rounds < self.plan.max_rounds:
                started = self.spent_s
                self._round(rounds)
                rounds += 1
                stopped_now = self._stop(rounds, self.spent_s - started)
                if stopped_now:
                    stopped = stopped_now
                    break
        except KeyboardInterrupt:
            stopped = Stopped.INTERRUPTED
        finally:
            self.starters.shutdown(cancel_futures=True)
        if not self.kept and self.failed and stopped is not Stopped.INTERRUPTED:
            name, why = next(iter(self.failed.items()))
            raise MeasureError(f"Nothing could be measured. {name[2]}: {why}")
        return Sampling(
            measurements=Measurements(tuple(self.kept), interrupted=stopped is Stopped.INTERRUPTED),
            rounds=rounds,
            duration_s=self.spent_s,
            stopped=stopped,
            failed={key[2]: why for key, why in self.failed.items()},
        )

    def _pilot(self) -> None:
        """Find how many repetitions make a batch, and how many batches a round has time for.

        Its values are not kept: it looks for the size of a batch, so they are of any size.
        """
        started = time.monotonic()
        with _Round(self, self.subjects) as processes:
            starting_s = time.monotonic() - started
            one_of_each_s = 0.0
            for subject in self.subjects:
                for phase in self._phases(subject):
                    probe = processes.get(_key(subject))
                    if probe is not None:
                        one_of_each_s += self._calibrate(subject, probe, phase)
        self._even_out()
        share = self.plan.budget_s / max(ROUNDS_IN_BUDGET, self.plan.min_rounds) - starting_s
        fitting = int(share / one_of_each_s) if one_of_each_s > 0 else MOST_VALUES
        self.values = max(FEWEST_VALUES, min(MOST_VALUES, fitting))

    def _calibrate(self, subject: Subject, probe: Probe, phase: Phase) -> float:
        """Set the repetitions of a batch; gives the seconds that one batch then takes."""
        most = MOST_INSTANCES if phase in _MAKES_ANEW else MOST_REPETITIONS
        count, took, aim = 1, 0, self.plan.batch_ns
        per_call, again = math.inf, AGAIN
        while True:
            try:
                aim = max(self.plan.batch_ns, CLOCK_STEPS * probe.resolution_ns)
                took = probe.time(phase, count).duration_ns
            except (ProbeError, UnsupportedError) as error:
                self.give_up(subject, error)
                return 0.0
            per_call = min(per_call, max(took / count, 0.01))
            if took >= aim / 2 or count >= most:
                # The least of several: a first batch is cold, and one that was interrupted is long.
                again -= 1
                if again < 0 or took > 2 * aim:
                    break
            # Towards the aim, but never by more than a hundredfold on a figure this uncertain.
            count = max(1, min(most, round(aim / per_call), 100 * count))
        self.counts[_key(subject), phase] = count
        return max(took, aim if count > 1 else took) / 1e9

    def _even_out(self) -> None:
        """Give one count to subjects that take about as long.

        A longer batch is interrupted more often, so of two that are the same the one with more
        repetitions would seem slower. One round of the same program against itself, 9 repetitions
        against 5 on a busy machine, was 1 % off.
        """
        for phase in self.plan.phases:
            counted = sorted((count, key) for (key, of), count in self.counts.items() if of is phase)
            group: list[tuple[int, Key]] = []
            for count, key in [*counted, (sys.maxsize, ("", "", ""))]:
                if group and count > ALIKE * group[0][0]:
                    middle = group[len(group) // 2][0]
                    self.counts.update({(of_group, phase): middle for _, of_group in group})
                    group = []
                group.append((count, key))

    def _round(self, number: int) -> None:
        """One fresh process of each subject, and the values of all its phases."""
        taken: dict[tuple[Key, str], list[Sample]] = defaultdict(list)
        subjects = self.subjects
        try:
            with _Round(self, subjects) as processes:
                self._weigh(processes, number, "at start", taken)
                for phase in self.plan.phases:
                    self._phase(processes, number, phase, taken)
                self._weigh(processes, number, "after", taken)
        finally:
            # Also after an interrupt: a part of a round is worth keeping.
            for samples in taken.values():
                self.kept.extend(_with_warmth(samples))

    def _phase(
        self,
        processes: dict[Key, Probe],
        number: int,
        phase: Phase,
        taken: dict[tuple[Key, str], list[Sample]],
    ) -> None:
        for turn in range(self.values):
            able = [s for s in self.subjects if _key(s) in processes and phase in self._phases(s)]
            for subject in self.random.sample(able, len(able)):
                probe = processes[_key(subject)]
                try:
                    batch = probe.time(phase, self.counts[_key(subject), phase])
                except (ProbeError, UnsupportedError) as error:
                    self.give_up(subject, error)
                    continue
                one = self._sample(
                    subject,
                    number,
                    turn,
                    phase=phase.value,
                    value=batch.duration_ns / batch.count,
                    unit="ns",
                    count=batch.count,
                )
                self._take(one, taken)
            if turn + 1 >= FEWEST_VALUES and self.spent_s > self.plan.budget_s:
                break  # the round is finished with fewer values rather than left unpaired

    def _weigh(
        self,
        processes: dict[Key, Probe],
        number: int,
        when: str,
        taken: dict[tuple[Key, str], list[Sample]],
    ) -> None:
        if not self.plan.weigh:
            return
        for subject in self.subjects:
            probe = processes.get(_key(subject))
            if probe is None:
                continue
            try:
                sizes = probe.weigh()
            except (ProbeError, UnsupportedError) as error:
                self.give_up(subject, error)
                continue
            for kind, size_bytes in sizes.items():
                what = _WEIGHED[when].get(kind)
                if what:
                    one = self._sample(subject, number, 0, phase=what, value=float(size_bytes), unit="bytes")
                    self._take(one, taken)

    def _take(self, one: Sample, taken: dict[tuple[Key, str], list[Sample]]) -> None:
        taken[(one.workload, one.input, one.subject), one.phase].append(one)
        if self.on_samples:
            self.on_samples((one,))
        if self.on_time:
            spent = self.spent_s
            self.on_time(spent, max(0.0, self.plan.budget_s - spent))

    def _sample(
        self, subject: Subject, number: int, turn: int, *, phase: str, value: float, unit: str, count: int = 1
    ) -> Sample:
        return Sample(
            workload=subject.workload,
            input=subject.input,
            subject=subject.name,
            language=subject.language,
            runtime=subject.runtime,
            runtime_version=subject.version,
            process=number,
            iteration=turn,
            phase=phase,
            value=value,
            unit=unit,
            count=count,
            cache=_CACHE.get(phase, ""),
            guards=subject.guards,
            machine=self.machine,
            taken_at=time.time(),
        )

    def _phases(self, subject: Subject) -> list[Phase]:
        return [phase for phase in self.plan.phases if phase in subject.phases]

    def give_up(self, subject: Subject, error: Exception) -> None:
        """Measure that subject no more, for this reason."""
        self.failed.setdefault(_key(subject), str(error))

    def _stop(self, rounds: int, last_s: float) -> Stopped | None:
        """Why to stop after so many rounds, of which the last took ``last_s`` seconds."""
        if not self.subjects:
            return Stopped.FAILED
        # A single subject has no ratio, so only time and rounds decide.
        if rounds >= self.plan.min_rounds and len(self.plan.names) > 1 and self._narrow():
            return Stopped.NARROW
        if self.spent_s + last_s > self.plan.budget_s:
            return Stopped.BUDGET
        return None

    def _narrow(self) -> bool:
        so_far = Measurements(tuple(self.kept))
        groups = {(subject.workload, subject.input) for subject in self.subjects}
        return all(
            enough(
                so_far.where(workload=workload, input=given),
                self.plan.compared_with,
                self.plan.decided_by.value,
                self.plan.target_width,
                self.plan.min_rounds,
            )
            for workload, given in groups
        )


#: What a weight is called in a sample, before the first phase and after the last.
_WEIGHED = {
    "at start": {
        "module": "module",
        "linear memory at start": "linear memory at start",
        "RSS": "RSS at start",
        "PSS": "PSS at start",
    },
    # Linear memory never shrinks, so its end is its peak.
    "after": {"linear memory": "linear memory at peak", "RSS": "RSS after", "PSS": "PSS after"},
}

#: What a phase finds of machine code made before.
_CACHE = {Phase.COMPILE.value: "cold", Phase.LOAD.value: "warm"}


class _Round:
    """One fresh process of each subject, all ended together."""

    def __init__(self, sampler: _Sampler, subjects: Sequence[Subject]) -> None:
        self._sampler = sampler
        self._subjects = subjects
        self._processes: dict[Key, Probe] = {}

    def __enter__(self) -> dict[Key, Probe]:
        order = self._sampler.random.sample(self._subjects, len(self._subjects))
        starting = [(subject, self._sampler.starters.submit(subject.start)) for subject in order]
        interrupted: BaseException | None = None
        for subject, future in starting:
            try:
                self._processes[_key(subject)] = future.result()
            except (ProbeError, UnsupportedError) as error:
                self._sampler.give_up(subject, error)
            except BaseException as error:  # every process that did start has to be ended
                interrupted = error
        if interrupted is not None:
            self.__exit__()
            raise interrupted
        return self._processes

    def __exit__(self, *_: object) -> None:
        for probe in self._processes.values():
            probe.close()


def _with_warmth(samples: list[Sample]) -> list[Sample]:
    """The samples of one process and phase, those before warm-up marked so."""
    if not samples or samples[0].phase not in [phase.value for phase in _WARMS_UP]:
        return samples
    first = warm_from([one.value for one in samples])
    return [replace(one, warm=index >= first) for index, one in enumerate(samples)]


def _key(subject: Subject) -> Key:
    return subject.workload, subject.input, subject.name
