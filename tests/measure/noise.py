"""A machine of synthetic noise: what real ones do to a measurement, with the truth known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from wasm_lab.measure.sample import Sample
from wasm_lab.measure.store import Measurements

Random = np.random.Generator
Effects = Callable[[Random, tuple[int, ...]], NDArray[np.float64]]

#: What a process's layout, its core and its neighbours add to the logarithm of all its times.
PROCESS_EFFECTS: dict[str, Effects] = {
    "normal": lambda r, size: 0.015 * r.normal(size=size),
    "one-sided": lambda r, size: 0.005 * r.normal(size=size) + r.exponential(0.02, size),
    "heavy tail": lambda r, size: 0.005 * r.normal(size=size) + 0.01 * r.pareto(1.5, size),
    "two modes": lambda r, size: 0.006 * r.normal(size=size) + 0.04 * (r.random(size) < 0.3),
    "now and then": lambda r, size: (
        0.01 * r.normal(size=size) + (r.random(size) < 0.1) * r.exponential(0.4, size)
    ),
}


def logs_of_rounds(effects: str, random: Random, trials: int, rounds: int) -> NDArray[np.float64]:
    """Logarithms of ratios of two subjects that are the same: the truth is 0."""
    draw = PROCESS_EFFECTS[effects]
    return draw(random, (trials, rounds)) - draw(random, (trials, rounds))


def measured(
    ratio: float, random: Random, *, effects: str = "one-sided", rounds: int = 12, values: int = 10
) -> Measurements:
    """Samples of ``ours``, which takes ``ratio`` times as long as ``theirs``, in turn.

    Beside the process effects there is a drift that both share (20 % over the whole, and a slow
    wave), a one-sided tail on each value, and interruptions that make one value in fifty longer by
    up to its double.
    """
    turn = 0
    total = rounds * values * 2
    samples = []
    own = PROCESS_EFFECTS[effects](random, (rounds, 2))
    for number in range(rounds):
        for iteration in range(values):
            for which in random.permutation(2):
                drift = 0.2 * turn / total + 0.05 * np.sin(turn / 37)
                turn += 1
                value = 1e6 * (1.0, ratio)[which]
                value *= np.exp(drift + own[number, which] + random.exponential(0.01))
                value *= 1 + (random.random() < 0.02) * random.random()
                samples.append(row(("theirs", "ours")[which], number, iteration, float(value)))
    return Measurements(tuple(samples))


def row(subject: str, process: int, iteration: int, value: float, **fields: object) -> Sample:
    """A sample of which only these fields matter."""
    defaults: dict[str, object] = {
        "workload": "work", "input": "1", "language": "", "runtime": subject, "runtime_version": "1",
        "phase": "steady call", "unit": "ns",
    }  # fmt: skip
    return Sample(
        subject=subject, process=process, iteration=iteration, value=value, **{**defaults, **fields}
    )
