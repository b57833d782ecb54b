"""Evaluating the ledger: each row measured and judged, one after another, none stopping the others."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wasm_lab.claims.evaluations import evaluation
from wasm_lab.claims.ledger import chosen
from wasm_lab.claims.verdict import Verdict, verdict_of
from wasm_lab.claims.workbench import Workbench
from wasm_lab.errors import WasmLabError
from wasm_lab.measure.machine import machine
from wasm_lab.measure.store import Measurements

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.claims.ledger import Claim
    from wasm_lab.claims.verdict import Measured
    from wasm_lab.measure.machine import Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A claim with what was found of it here."""

    claim: Claim
    verdict: Verdict
    reason: str
    measured: tuple[Measured, ...] = ()
    duration_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Evaluated:
    """The rows that were evaluated, and where and when."""

    rows: tuple[Row, ...]
    machine: Machine
    date: str  #: in ISO 8601, to the second, with the offset from UTC
    full: bool
    interrupted: bool = False
    duration_s: float = 0.0
    measurements: Measurements = field(
        default_factory=Measurements
    )  #: the samples that speeds, starts and weights rest on

    def __repr__(self) -> str:
        return f"<Evaluated: {', '.join(f'{row.claim.id} {row.verdict}' for row in self.rows)}>"


def evaluate(
    ids: tuple[str, ...] = (),
    *,
    full: bool = False,
    budget_s: float | None = None,
    seed: int = 0,
    on_row: Callable[[Row], None] | None = None,
    on_step: Callable[[str], None] | None = None,
) -> Evaluated:
    """Measure and judge claims; an interrupt keeps the rows that are done.

    Args:
        ids: of claims; all of the ledger by default. Some rest on the same measurement, which is
            then made once.
        full: more kernels, more processes, more time.
        budget_s: seconds after which no further row that measures is begun; what is measured then
            gets no more rounds. No budget by default.
        on_row: receives each row when it is done.
        on_step: receives what is measured now, in words.

    Raises:
        UsageError: an id is unknown.

    Example:
        >>> evaluate(("a5", "a7")).rows[1].verdict
        <Verdict.UNTESTABLE: 'not testable here'>
    """
    claims = chosen(ids)
    began = time.monotonic()
    until = math.inf if budget_s is None else began + budget_s
    bench = Workbench(full=full, on_step=on_step, seed=seed, until=until)
    rows: list[Row] = []
    interrupted = False
    try:
        for claim in claims:
            row = _row(claim, bench)
            rows.append(row)
            if on_row:
                on_row(row)
    except KeyboardInterrupt:
        interrupted = True
    return Evaluated(
        rows=tuple(rows),
        machine=machine(),
        date=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        full=full,
        interrupted=interrupted,
        duration_s=time.monotonic() - began,
        measurements=sum(bench.kept, Measurements()),
    )


def _row(claim: Claim, bench: Workbench) -> Row:
    if claim.until:
        return Row(claim=claim, verdict=Verdict.NOT_YET, reason=f"It waits for {claim.until}.")
    if claim.why:
        return Row(claim=claim, verdict=Verdict.UNTESTABLE, reason=claim.why)
    if bench.left_s <= 0:
        return Row(
            claim=claim, verdict=Verdict.UNTESTABLE, reason="The time budget was spent before its turn."
        )
    began = time.monotonic()
    try:
        measured = tuple(evaluation(claim.evaluation)(bench))
        verdict, reason = verdict_of(measured, claim.claimed, claim.also)
    except WasmLabError as error:
        measured, verdict = (), Verdict.UNTESTABLE
        reason = " ".join(str(error).split())
    except Exception as error:  # a mistake of ours in one row must not take the others with it
        measured, verdict = (), Verdict.UNTESTABLE
        said = " ".join(str(error).split())
        reason = f"Its evaluation failed, which is a bug of the lab: {type(error).__name__}: {said}"
    return Row(
        claim=claim,
        verdict=verdict,
        reason=reason,
        measured=measured,
        duration_s=time.monotonic() - began,
    )
