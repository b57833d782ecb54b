"""History: measurements beside earlier ones of the same work."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError
from wasm_lab.measure.intervals import Interval, interval_of_difference
from wasm_lab.measure.statistics import Comparison, log_of, median, ratio_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wasm_lab.measure.sample import Sample
    from wasm_lab.measure.store import Measurements

NOT_INTERLEAVED = (
    "The two were measured at different times, not in turn: whatever else changed between them "
    "is in the ratio and not in its interval."
)


def compare_runs(now: Measurements, earlier: Measurements) -> tuple[Comparison, ...]:
    """What takes longer now than it took earlier: one comparison for each subject and phase in both.

    Processes are not paired, for they never ran side by side; the interval is that of
    `wasm_lab.measure.intervals.interval_of_difference` and holds the spread among processes alone.
    Each comparison's note says so, and names another machine, another version of the runtime,
    another state of the cache or other guards, if any: then these are compared too.

    Args:
        now: the baseline of each ratio is ``earlier``, so above 1 is slower now.
        earlier: as `Measurements.load` gives it.

    Raises:
        UsageError: the two have no workload, input, subject and phase in common.
    """
    before, after = _groups(earlier), _groups(now)
    shared = [key for key in after if key in before]
    if not shared:
        raise UsageError(
            "The earlier measurements have nothing in common with these.",
            hint=f"Earlier: {_listed(before)}. Now: {_listed(after)}.",
        )
    return tuple(_comparison(key, after[key], before[key]) for key in shared)


_Key = tuple[str, str, str, str, str]


def _groups(measurements: Measurements) -> dict[_Key, list[Sample]]:
    groups: dict[_Key, list[Sample]] = defaultdict(list)
    for sample in measurements.samples:
        if sample.warm:
            key = (sample.workload, sample.input, str(sample.phase), sample.subject, sample.unit)
            groups[key].append(sample)
    return groups


def _listed(groups: dict[_Key, list[Sample]]) -> str:
    names = list(dict.fromkeys(f"{work}({given}) in {subject}" for work, given, _, subject, _ in groups))
    return ", ".join(names[:4]) + (" …" if len(names) > 4 else "") or "nothing"


def _comparison(key: _Key, now: list[Sample], earlier: list[Sample]) -> Comparison:
    workload, given, phase, subject, unit = key
    new, old = _medians(now), _medians(earlier)
    found = _interval(new, old)
    return Comparison(
        workload=workload,
        input=given,
        phase=phase,
        subject=f"{subject} now",
        baseline=f"{subject} {_when(earlier)}",
        ratio=ratio_of(found.centre),
        low=ratio_of(found.low),
        high=ratio_of(found.high),
        processes=min(len(new), len(old)),
        unit=unit,
        note=" ".join((NOT_INTERLEAVED, *_changes(now, earlier))),
    )


def _interval(new: list[float], old: list[float]) -> Interval:
    # Nothing can be nothing: a module without linear memory. It has no logarithm, but is as before.
    if not any(new) and not any(old):
        new, old = [1.0] * len(new), [1.0] * len(old)
    return interval_of_difference(tuple(map(log_of, new)), tuple(map(log_of, old)))


def _medians(samples: Iterable[Sample]) -> list[float]:
    processes: dict[int, list[float]] = defaultdict(list)
    for sample in samples:
        processes[sample.process].append(sample.value)
    return [median(values) for values in processes.values()]


def _when(samples: list[Sample]) -> str:
    taken = min(sample.taken_at for sample in samples)
    return time.strftime("of %Y-%m-%d %H:%M UTC", time.gmtime(taken)) if taken > 0 else "earlier"


def _changes(now: list[Sample], earlier: list[Sample]) -> list[str]:
    """Sentences on all but the code that differs between the two."""
    fields = {
        "machine": "The machine is another one",
        "runtime_version": "The runtime's version differs",
        "cache": "The cache was in another state",
        "guards": "The guards differ",
    }
    sentences = []
    for field, sentence in fields.items():
        new, old = (sorted({getattr(s, field) for s in samples}) for samples in (now, earlier))
        if new != old:
            sentences.append(f"{sentence}: {_joined(new)} now, {_joined(old)} earlier.")
    return sentences


def _joined(names: list[str]) -> str:
    return " and ".join(name or "not recorded" for name in names)
