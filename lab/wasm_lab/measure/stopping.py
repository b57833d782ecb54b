"""Stopping: whether a further round would tell more than is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.measure.statistics import compare, relative_width

if TYPE_CHECKING:
    from wasm_lab.measure.store import Measurements


def enough(
    measurements: Measurements, baseline: str, phase: str, target_width: float, min_rounds: int
) -> bool:
    """Whether each subject's ratio to the baseline is known as narrowly as was asked.

    Args:
        measurements: of one workload and input, after a whole round.
        target_width: of the widest interval, as `relative_width` gives it; 0.06 is 6 %.
        min_rounds: rounds before which nothing is enough.
    """
    others = [name for name in measurements.where(phase=phase).values_of("subject") if name != baseline]
    comparisons = [compare(measurements, subject=name, baseline=baseline, phase=phase) for name in others]
    return bool(comparisons) and all(
        found.processes >= min_rounds and relative_width(found) <= target_width for found in comparisons
    )
