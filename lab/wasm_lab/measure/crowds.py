"""Crowds: what each further idle instance costs, and what many busy ones do together."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.errors import MeasureError
from wasm_lab.measure.machine import machine
from wasm_lab.measure.sample import Sample
from wasm_lab.measure.store import Measurements
from wasm_lab.run import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wasm_lab.measure.subject import Probe, Subject

#: Numbers of idle instances at which a process is weighed.
IDLE_COUNTS = (0, 10, 100, 500)

#: Seconds for which busy instances are let run together.
WINDOW_S = 0.5

#: The kinds of weight that grow with idle instances; PSS is what a process adds to a machine, but
#: only Linux tells it.
_WEIGHTS = ("PSS", "RSS")


@dataclass(frozen=True, kw_only=True)
class IdleCost:
    """What one further idle instance costs, as the slope of memory over their number."""

    subject: str
    kind: str  #: ``PSS`` or ``RSS``
    each_bytes: float
    low: float  #: the 95 % interval of the slope
    high: float
    base_bytes: float  #: a process with none
    processes: int

    def per_gigabyte(self) -> float:
        """How many fit into 10⁹ bytes beside one process that holds them."""
        return max(0.0, (1e9 - self.base_bytes) / self.each_bytes)


def idle(
    subject: Subject,
    *,
    counts: Sequence[int] = IDLE_COUNTS,
    rounds: int = 5,
    on_samples: Callable[[Sequence[Sample]], None] | None = None,
) -> Measurements:
    """Weigh fresh processes while they hold more and more idle instances.

    Args:
        counts: how many further instances each process holds when it is weighed, ascending.
        rounds: fresh processes.

    Raises:
        UnsupportedError: the subject keeps no idle instances.
        ProbeError: a process died.
    """
    kept: list[Sample] = []
    for number in range(rounds):
        probe = subject.start()
        try:
            held = 0
            for count in counts:
                if count > held:
                    probe.idle(count - held)
                    held = count
                for kind, size_bytes in probe.weigh().items():
                    if kind in _WEIGHTS:
                        one = _sample(
                            subject, number, count, phase=kind, value=float(size_bytes), unit="bytes"
                        )
                        kept.append(one)
                        if on_samples:
                            on_samples((one,))
        finally:
            probe.close()
    return Measurements(tuple(kept))


def idle_cost(measurements: Measurements, *, subject: str, kind: str = "PSS") -> IdleCost:
    """The cost of each further instance: the median of the slopes between all pairs of weights.

    Theil and Sen's estimator with its interval (Sen, "Estimates of the regression coefficient based
    on Kendall's tau", 1968), by SciPy: one process that the machine weighed while it was busy does
    not bend it.

    Raises:
        MeasureError: fewer than two numbers of instances were weighed.
    """
    from scipy.stats import theilslopes

    rows = measurements.where(subject=subject, phase=kind).samples
    counts = [int(row.input) for row in rows]
    if len(set(counts)) < 2:
        raise MeasureError(
            f"{subject} was not weighed with different numbers of instances, so there is no slope.",
            hint="Weigh it with `wasm_lab.measure.crowds.idle`.",
        )
    found = theilslopes([row.value for row in rows], counts)
    return IdleCost(
        subject=subject,
        kind=kind,
        each_bytes=float(found.slope),
        low=float(found.low_slope),
        high=float(found.high_slope),
        base_bytes=float(found.intercept),
        processes=len({row.process for row in rows}),
    )


def throughput(
    subject: Subject,
    *,
    counts: Sequence[int] = (1, 2, 4),
    rounds: int = 5,
    window_s: float = WINDOW_S,
    on_samples: Callable[[Sequence[Sample]], None] | None = None,
) -> Measurements:
    """Calls in a second of so many processes at once, each with one instance.

    Every process makes batches of calls until the window is over; what they did together is divided
    by the time from the first one's start to the last one's end.

    Raises:
        ProbeError: a process died.
    """
    kept: list[Sample] = []
    for number in range(rounds):
        for count in counts:
            one = _together(subject, number, count, window_s)
            kept.append(one)
            if on_samples:
                on_samples((one,))
    return Measurements(tuple(kept))


def _together(subject: Subject, number: int, count: int, window_s: float) -> Sample:
    with ThreadPoolExecutor(max_workers=count) as pool:
        starting = [pool.submit(subject.start) for _ in range(count)]
        probes = [each.result() for each in starting]
        try:
            sizes = list(pool.map(_batch_size, probes))
            start = time.perf_counter()
            until = start + window_s
            done = sum(pool.map(lambda probe, size: _busy(probe, size, until), probes, sizes))
            elapsed = time.perf_counter() - start
        finally:
            for probe in probes:
                probe.close()
    return _sample(subject, number, count, phase="throughput", value=done / elapsed, unit="calls/s")


def _batch_size(probe: Probe) -> int:
    """How many calls take about 10 ms."""
    count = 1
    while True:
        took = probe.time(Phase.CALL, count).duration_ns
        if took > 2_000_000:
            return max(1, round(count * 10_000_000 / took))
        count *= 10


def _busy(probe: Probe, size: int, until: float) -> int:
    done = 0
    while time.perf_counter() < until:
        done += probe.time(Phase.CALL, size).count
    return done


def _sample(subject: Subject, number: int, count: int, *, phase: str, value: float, unit: str) -> Sample:
    return Sample(
        workload=subject.workload,
        input=str(count),
        subject=subject.name,
        language=subject.language,
        runtime=subject.runtime,
        runtime_version=subject.version,
        process=number,
        iteration=count,
        phase=phase,
        value=value,
        unit=unit,
        guards=subject.guards,
        machine=machine().name,
        taken_at=time.time(),
    )
