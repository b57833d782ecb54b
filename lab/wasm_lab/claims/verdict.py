"""Verdicts: computed from what was measured by rules that stand here, and from nothing else.

A measured value supports a claim when its whole interval reaches the claimed bound, and speaks
against it when its whole interval misses it; an interval with the bound inside says neither, and
neither does an interval from fewer than five processes, which a time budget can leave behind. The
bound is the modest end of a claimed range: of "10 to 20 times as fast", 10. A check that is no
quantity (a file was refused, two outputs were equal) supports or does not.

    all that was measured supports it                        holds
    some supports it, some does not                          holds partly
    nothing supports it, and something speaks against it     does not hold here
    no value says either, or nothing could be measured       not testable here
    a scenario that is not built yet                         not yet
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.claims.ledger import Claimed


#: An interval from fewer processes than these decides nothing.
FEWEST_PROCESSES = 5


class Verdict(StrEnum):
    HOLDS = "holds"
    PARTLY = "holds partly"
    FAILS = "does not hold here"
    UNTESTABLE = "not testable here"
    NOT_YET = "not yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One value that a run gave, with its 95 % interval; a check has the unit ``check`` and is 1 or 0."""

    what: str
    value: float
    low: float
    high: float
    unit: str
    n: int  #: processes for a timing, else how many times it was looked at
    counts: bool = True  #: whether the verdict rests on it; context does not
    figure: str = ""  #: the name of the claimed figure that it is of; empty for the claim's first


def check(what: str, passed: bool, *, n: int = 1, counts: bool = True) -> Measured:
    """A check that is no quantity."""
    value = 1.0 if passed else 0.0
    return Measured(what=what, value=value, low=value, high=value, unit="check", n=n, counts=counts)


def open_check(what: str) -> Measured:
    """A check that has not been made: neither for nor against."""
    return Measured(what=what, value=math.nan, low=math.nan, high=math.nan, unit="check", n=0)


def ratio(
    over: Measured, under: Measured, *, what: str = "", counts: bool = True, figure: str = ""
) -> Measured:
    """One measured value over another; its interval has the far ends of both, as they are not paired.

    Args:
        what: what it is called; by default the first, against the second.

    Example:
        >>> node = Measured(what="node", value=30, low=28, high=32, unit="ms", n=9)
        >>> wasm = Measured(what="wasm", value=3, low=2, high=4, unit="ms", n=7)
        >>> found = ratio(node, wasm)
        >>> found.what, found.value, found.low, found.high, found.n
        ('node: against wasm', 10.0, 7.0, 16.0, 7)
    """
    return Measured(
        what=what or f"{over.what}: against {under.what}",
        value=over.value / under.value,
        low=over.low / under.high,
        high=over.high / under.low,
        unit="×",
        n=min(over.n, under.n),
        counts=counts,
        figure=figure,
    )


def supports(measured: Measured, claimed: Claimed | None) -> bool | None:
    """Whether a value supports the claim; None when it does not say.

    Example:
        >>> from wasm_lab.claims.ledger import Claimed
        >>> small = Claimed(what="size", unit="MB", better="low", high=1.0)
        >>> supports(Measured(what="hello", value=0.1, low=0.1, high=0.1, unit="MB", n=1), small)
        True
    """
    if measured.unit == "check":
        return None if math.isnan(measured.value) else measured.value == 1.0
    if claimed is None or (measured.low < measured.high and measured.n < FEWEST_PROCESSES):
        return None
    if claimed.better == "high":
        reached, missed = measured.low >= claimed.bound, measured.high < claimed.bound
    else:
        reached, missed = measured.high <= claimed.bound, measured.low > claimed.bound
    return True if reached else False if missed else None


def verdict_of(
    measured: Sequence[Measured], claimed: Claimed | None, also: Sequence[Claimed] = ()
) -> tuple[Verdict, str]:
    """The verdict and the reason for it, from the values that count.

    Args:
        claimed: the first figure of the claim.
        also: its further ones; a value says by name of which it is.
    """
    figures = {"": claimed, **{each.name: each for each in also}}
    found = [(each, supports(each, figures[each.figure])) for each in measured if each.counts]
    used = {each.figure for each, _ in found}
    one = figures[used.pop()] if len(used) == 1 else None  # several figures have no bound in common
    for_it = [each for each, supported in found if supported]
    against = [each for each, supported in found if supported is False]
    open_ones = [each for each, supported in found if supported is None]
    if not for_it and not against:
        if open_ones and _all_checks(found):
            return Verdict.UNTESTABLE, f"not checked here: {'; '.join(each.what for each in open_ones[:3])}."
        why = (
            "no interval of enough processes is on one side of the claimed figure"
            if open_ones
            else "nothing could be measured"
        )
        return Verdict.UNTESTABLE, f"{why}; more time may tell (--full)."
    of = "speak for it" if _all_checks(found) else _bound(one)
    if not against and not open_ones:
        if len(found) == 1:
            only = "check speaks" if _all_checks(found) else "value speaks"
            return Verdict.HOLDS, f"the only {only} for it: {for_it[0].what}."
        return Verdict.HOLDS, f"all {len(for_it)} of {len(found)} {_kind(found)} {of}."
    told = f"{len(for_it)} of {len(found)} {_kind(found)} {of}"
    unclear = f"; {len(open_ones)} cannot be told" if open_ones else ""
    if not for_it:
        worst = _worst(against, one)
        return Verdict.FAILS, f"none of {len(found)} {_kind(found)} {of}{unclear}{worst}."
    return (
        Verdict.PARTLY,
        f"{told}{unclear}; not: {'; '.join(each.what for each in against[:3])}."
        if against
        else (f"{told}{unclear}."),
    )


def _all_checks(found: list[tuple[Measured, bool | None]]) -> bool:
    return all(each.unit == "check" for each, _ in found)


def _kind(found: list[tuple[Measured, bool | None]]) -> str:
    return "checks" if _all_checks(found) else "values"


def _bound(claimed: Claimed | None) -> str:
    if claimed is None:
        return "speak for it"
    side = "reach" if claimed.better == "high" else "stay within"
    return f"{side} {claimed.bound:g} {claimed.unit}"


def _worst(against: list[Measured], claimed: Claimed | None) -> str:
    quantities = [each for each in against if each.unit != "check"]
    if not quantities or claimed is None:
        return f": {'; '.join(each.what for each in against[:3])}"
    pick = max if claimed.better == "high" else min
    best = pick(quantities, key=lambda each: each.value)
    return f"; nearest is {best.what} with {best.value:.3g} {best.unit}"
