"""What plugins may keep and log."""

from __future__ import annotations

import threading

import pytest

from wasm_lab.errors import OutputExceeded
from wasm_lab.scenarios.plugins.cabinet import ENTRY_BYTES, Cabinet, Desk


def test_a_value_stays_until_another_takes_its_place() -> None:
    cabinet = Cabinet()
    assert cabinet.get("a", "key") is None
    assert cabinet.put("a", "key", b"one")
    assert cabinet.put("a", "key", b"three")
    assert cabinet.get("a", "key") == b"three"
    assert cabinet.get("b", "key") is None
    assert cabinet.used_bytes == 2 * ENTRY_BYTES + len("a") + len("key") + len("three")


def test_no_more_is_kept_than_there_is_room_for_and_what_is_there_stays() -> None:
    cabinet = Cabinet(kept_bytes=1000)
    assert cabinet.put("a", "key", b"x" * 800)
    assert not cabinet.put("a", "more", b"x" * 800)
    assert not cabinet.put("a", "key", b"x" * 1000)
    assert cabinet.get("a", "key") == b"x" * 800
    assert cabinet.put("a", "key", b"")
    assert cabinet.put("a", "more", b"x" * 600)


def test_drawers_and_keys_without_values_count_too() -> None:
    cabinet = Cabinet(kept_bytes=10_000)
    opened = sum(cabinet.open(f"drawer {number}") for number in range(1000))
    assert 0 < opened <= 10_000 // ENTRY_BYTES


def test_many_threads_never_keep_more_than_there_is_room_for() -> None:
    cabinet = Cabinet(kept_bytes=20_000)

    def fill(number: int) -> None:
        for turn in range(200):
            cabinet.put("shared", f"{number} {turn}", b"x" * 50)

    threads = [threading.Thread(target=fill, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 15_000 < cabinet.used_bytes <= 20_000


def log_lines(desk: Desk, line: str) -> None:
    for _ in range(1000):
        desk.note("info", line)


def test_a_log_has_its_limit_for_each_call() -> None:
    desk = Desk(Cabinet(), output_bytes=1000)
    for _ in range(2):
        desk.begin()
        for _ in range(5):
            desk.note("info", "a line of the log")
        assert len(desk.log) == 5
    with pytest.raises(OutputExceeded, match="more than 1000 bytes"):
        log_lines(desk, "a line of the log")


def test_empty_lines_count_too() -> None:
    desk = Desk(Cabinet(), output_bytes=1000)
    with pytest.raises(OutputExceeded):
        log_lines(desk, "")
