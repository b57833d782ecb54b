"""All hostile submissions in one batch: what each class reached, and how long it held the grader."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.benchmarks.pairs import Pair
from tests.grading.hostile.batch import BEYOND_S, DEADLINE_S, HONEST, Batch, Graded, Verdict, attacks, some


def hostile_batch(folder: Path, divisor: int) -> Pair:
    """Each submission's time, against the deadline of a whole notebook and 2 s. Prints a line for each class."""
    batch = Batch(folder, some(every=divisor) if divisor > 1 else attacks())
    alone = batch.grade("alone", HONEST, hostile=False)
    among = batch.grade("among", HONEST, hostile=True)
    verdicts = batch.verdicts(among)
    changed = sum(among.of(student) != alone.of(student) for student in HONEST)
    Console(width=150).print(_table(verdicts, among, changed))
    for line in (*among.leaks, *among.touched):
        print(f"escaped: {line}")
    return Pair(
        f"{len(verdicts)} hostile submissions: time of each, against its deadline",
        [round(each.seconds * 1e9) for each in verdicts],
        [round((DEADLINE_S + BEYOND_S) * 1e9)] * len(verdicts),
        asked="≤ 1× at most",
    )


def _table(verdicts: list[Verdict], graded: Graded, changed: int) -> Table:
    escaped = len(graded.leaks) + len(graded.touched)
    table = Table(
        title=f"Hostile submissions; of {len(HONEST)} honest students {changed} have other marks, {escaped} escapes"
    )
    for column in (
        "class",
        "tried",
        "passed",
        "lost points",
        "hung",
        "crashed",
        "slowest",
        "beyond its deadline",
    ):
        table.add_column(column, justify="left" if column == "class" else "right")
    classes: dict[str, list[Verdict]] = {}
    for each in verdicts:
        classes.setdefault(each.attack.kind, []).append(each)
    for kind, several in {**classes, "all": verdicts}.items():
        table.add_row(
            kind,
            str(len(several)),
            str(sum(each.passed for each in several)),
            str(sum(each.points < each.attack.deserves for each in several)),
            str(sum(each.beyond_s > BEYOND_S for each in several)),
            str(sum("crashed" in each.statuses for each in several)),
            f"{max(each.seconds for each in several):.1f} s",
            f"{max(each.beyond_s for each in several):.1f} s",
            end_section=several is list(classes.values())[-1],
        )
    return table
