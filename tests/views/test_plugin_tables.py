"""Tables of a plugin host, as text and as HTML."""

from __future__ import annotations

from pathlib import Path

from wasm_lab.scenarios.plugins.records import Call, Outcome, State, Status
from wasm_lab.views.plugins import calls_table, statuses_table


def shown(table: object) -> tuple[str, str]:
    bundle = table._repr_mimebundle_()  # type: ignore[attr-defined]
    return bundle["text/plain"], bundle["text/html"]


def test_how_plugins_stand_and_why_one_is_refused() -> None:
    said = {"name": "md", "version": "1.0.0", "summary": "Text.", "options": ["flavour"]}
    ready = Status(
        name="md",
        path=Path("md.wasm"),
        state=State.READY,
        size_bytes=2048,
        description=said,
        calls=7,
        failed=2,
    )
    refused = Status(name="odd", path=Path("odd.wasm"), state=State.REFUSED, reason="it has <b>no</b> apply")
    text, page = shown(statuses_table([ready, refused]))
    for part in (
        "2 plugins",
        "md 1.0.0: Text.",
        "flavour",
        "2048 B",
        "ready",
        "refused",
        "odd: it has <b>no</b> apply",
    ):
        assert part in text, part
    assert "<b>no</b>" not in page
    assert "\x1b" not in text


def test_calls_with_how_they_ended() -> None:
    fine = Call(
        plugin="md", generation=1, function="apply", outcome=Outcome.OK, started_s=0.0, duration_ns=1_500_000,
        instantiate_ns=300_000, given_bytes=10, got_bytes=20_480, log=(("info", "x"),),
    )  # fmt: skip
    late = Call(
        plugin="loop", generation=1, function="apply", outcome=Outcome.DEADLINE, why="deadline exceeded",
        started_s=0.0, duration_ns=10**9, refused=("files: no folder is open to it",),
    )  # fmt: skip
    text, page = shown(calls_table([fine, late]))
    for part in ("2 calls", "1.5 ms", "300 µs", "10 B", "20 KiB", "deadline"):
        assert part in text, part
    for part in ("deadline exceeded", "files: no folder is open to it"):  # the terminal folds these
        assert part in page, part
    assert "<table" in page
