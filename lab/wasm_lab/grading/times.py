"""When a submission came in: what ``timestamp.txt`` says, as nbgrader writes it, and times as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from wasm_lab.grading.entries import Unreadable
from wasm_lab.grading.report.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

#: The file of nbgrader's, beside the notebooks of an assignment.
STAMP = "timestamp.txt"


def parse_time(text: str, *, zone_of: tzinfo | None = None) -> datetime:
    """A time as nbgrader and people write it: ``2026-11-20 23:59``, with ``UTC``, ``+01:00`` or nothing after it.

    Args:
        zone_of: for a text without a time zone; None is this machine's.

    Raises:
        ValueError: the text is no such time, or one that no calendar of UTC has.

    Example:
        >>> parse_time("2015-02-02 15:58:23.948203 UTC").isoformat()
        '2015-02-02T15:58:23.948203+00:00'
    """
    words = text.split()
    if words and words[-1] in ("UTC", "GMT", "Z"):
        text = " ".join(words[:-1]) + "+00:00"
    elif len(words) == 3:  # nbgrader's own parser takes "+0100" as a third word
        text = " ".join(words[:2]) + words[2]
    time = datetime.fromisoformat(text)
    try:
        if time.tzinfo is None:
            time = time.replace(tzinfo=zone_of) if zone_of else time.astimezone()
        return time.astimezone(UTC)
    except OverflowError as error:  # the first and the last day that there are, in another zone
        raise ValueError(str(error)) from None


def parse_due(text: str) -> datetime:
    """A deadline, as `parse_time` takes it; a day without a time ends when the day does, as in every LMS.

    Raises:
        ValueError: the text is no such time.

    Example:
        >>> parse_due("2026-11-20 UTC").isoformat()
        '2026-11-20T23:59:59.999999+00:00'
    """
    day, *zone = text.split() or [""]
    if len(zone) > 1 or any(not one.startswith(("UTC", "GMT", "Z", "+", "-")) for one in zone):
        return parse_time(text)
    try:
        date.fromisoformat(day)
    except ValueError:
        return parse_time(text)
    return parse_time(" ".join((day, "23:59:59.999999", *zone)))


def time_of(data: bytes) -> datetime:
    """The time that a ``timestamp.txt`` holds.

    Raises:
        Unreadable: it holds none.
    """
    text = data.decode("utf-8-sig", "replace").strip()
    try:
        return parse_time(text, zone_of=UTC)
    except ValueError:
        raise Unreadable(f"It holds no time: {shown(text, 60, lines=False)!r}.") from None


def stamp_of(rest: tuple[str, ...], stamps: Mapping[tuple[str, ...], datetime]) -> datetime | None:
    """The time that holds for a file, by the folders of stamps; None where nothing says.

    nbgrader writes one at the top of what it collected. Of several the uppermost counts, because one below it was
    handed in.

    Example:
        >>> early, late = datetime(2026, 1, 1), datetime(2026, 2, 2)
        >>> stamp_of(("ps1", "old", "add.ipynb"), {("ps1",): late, ("ps1", "old"): early}) == late
        True
    """
    folders = (rest[:length] for length in range(len(rest)))
    return next((stamps[folder] for folder in folders if folder in stamps), None)


def span(seconds: float) -> str:
    """About how long that is, in words.

    Example:
        >>> span(59), span(3600), span(200_000)
        ('less than a minute', '1 hour', '2 days')
    """
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' * (count > 1)}"
    return "less than a minute"
