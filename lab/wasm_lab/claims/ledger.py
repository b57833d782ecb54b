"""The ledger's rows: what is claimed, how it is tested, what others published. Read from a data file."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from wasm_lab.claims.evaluations import WHERE
from wasm_lab.errors import UsageError

#: The articles.
_SOURCES = ("a", "b", "c", "d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The figures of a claim; a range, or a bound where only one end is given."""

    what: str
    unit: str
    better: str  #: ``high`` where more is better, ``low`` where less is
    low: float | None = None
    high: float | None = None
    assumed: str = ""  #: why the bound is ours, where the claim gives no figure
    name: str = ""  #: by which values say that they are of this figure, where a claim has several

    @property
    def bound(self) -> float:
        """What has to be reached: the lower end where more is better, else the upper end."""
        bound = self.low if self.better == "high" else self.high
        assert bound is not None, "checked on reading"
        return bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What somebody else measured, and where it stands."""

    what: str
    reference: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    text: str = ""  #: a result that is no figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One row of the ledger."""

    id: str
    source: str  #: the article, a to d
    text: str
    tested: str  #: how it is tested, in words
    evaluation: str = ""  #: the function of `wasm_lab.claims.evaluations` that measures it; else:
    why: str = ""  #: why it cannot be tested at all
    until: str = ""  #: the scenario that it waits for
    claimed: Claimed | None = None
    also: tuple[Claimed, ...] = ()  #: further figures, each with a name
    published: tuple[Published, ...] = ()


@functools.cache
def ledger() -> tuple[Claim, ...]:
    """Every claim, in the order of the articles.

    Example:
        >>> [claim.id for claim in ledger()][:3]
        ['a1', 'a2', 'a3']
    """
    text = resources.files("wasm_lab.claims").joinpath("ledger.toml").read_text(encoding="utf-8")
    claims = tuple(read_claim(row) for row in tomllib.loads(text)["claim"])
    ids = [claim.id for claim in claims]
    if twice := {each for each in ids if ids.count(each) > 1}:
        raise ValueError(f"ids that stand twice: {', '.join(sorted(twice))}")
    return claims


def read_claim(row: dict[str, Any]) -> Claim:
    """One row, checked.

    Raises:
        ValueError: the row contradicts itself; only whoever edits the data file sees this.
    """
    row = dict(row)
    claimed = Claimed(**row.pop("claimed")) if "claimed" in row else None
    also = tuple(Claimed(**each) for each in row.pop("also", ()))
    published = tuple(Published(**each) for each in row.pop("published", ()))
    claim = Claim(**row, claimed=claimed, also=also, published=published)
    if sum(map(bool, (claim.evaluation, claim.why, claim.until))) != 1:
        raise ValueError(f"{claim.id}: needs one of evaluation, why and until")
    if claim.source not in _SOURCES or not claim.id.startswith(claim.source):
        raise ValueError(f"{claim.id}: the article is {claim.source!r}")
    if claim.evaluation and claim.evaluation not in WHERE:
        raise ValueError(f"{claim.id}: there is no evaluation {claim.evaluation!r}")
    for figure in (*([claimed] if claimed else []), *also):
        _check_figure(claim.id, figure)
    if also and (claimed is None or len({"", *(each.name for each in also)}) <= len(also)):
        raise ValueError(f"{claim.id}: further figures need a first one, and a name each")
    for each in published:
        if not each.text and each.value is None and (each.low is None or each.high is None):
            raise ValueError(f"{claim.id}: {each.what} was published, but with what result?")
    return claim


def _check_figure(claim: str, figure: Claimed) -> None:
    if figure.better not in ("high", "low"):
        raise ValueError(f"{claim}: better is {figure.better!r}")
    if (figure.low if figure.better == "high" else figure.high) is None:
        raise ValueError(f"{claim}: the end that has to be reached is missing")
    if figure.low is not None and figure.high is not None and figure.low > figure.high:
        raise ValueError(f"{claim}: the range {figure.low} to {figure.high} is empty")


def chosen(ids: tuple[str, ...]) -> tuple[Claim, ...]:
    """The claims with these ids, in the ledger's order; without ids, all of them.

    Raises:
        UsageError: no claim has that id; the message lists those that there are.
    """
    known = {claim.id: claim for claim in ledger()}
    for each in ids:
        if each.lower() not in known:
            raise UsageError(f"No claim has the id {each!r}.", hint=f"Ids: {', '.join(known)}.")
    wanted = {each.lower() for each in ids}
    return tuple(claim for claim in known.values() if not wanted or claim.id in wanted)
