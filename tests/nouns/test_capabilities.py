"""Capabilities from flags, and flags from capabilities."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasm_lab import capabilities as caps
from wasm_lab.capabilities import Capabilities, ClockMode, RandomMode
from wasm_lab.errors import UsageError


def test_everything_outside_starts_closed() -> None:
    closed = Capabilities()
    assert (closed.env, closed.dirs, closed.hosts, closed.stdin) == ({}, (), (), b"")
    assert closed.flags() == []


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4096", 4096),
        ("64MiB", 64 << 20),
        ("1.5g", 3 << 29),
        ("10kb", 10_000),
        ("none", None),
        (" 2 KiB ", 2048),
    ],
)
def test_sizes(text: str, size: int | None) -> None:
    assert caps.parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "seconds"), [("2s", 2.0), ("500ms", 0.5), ("1.5", 1.5), ("1m", 60.0), ("none", None)]
)
def test_durations(text: str, seconds: float | None) -> None:
    assert caps.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1 parsec", "1e3", "0x10", "nan"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no size"):
        caps.parse_size(text)
    with pytest.raises(UsageError, match="is no duration"):
        caps.parse_duration(text)


@given(st.integers(min_value=0, max_value=1 << 50))
def test_a_size_survives_its_own_text(size_bytes: int) -> None:
    assert caps.parse_size(caps.format_size(size_bytes)) == size_bytes


def test_a_folder_is_parsed_as_wasmtime_has_it(tmp_path: Path) -> None:
    named = caps.parse_directory(f"{tmp_path}::/data", writable=False)
    assert (named.host, named.guest, named.writable) == (tmp_path, "/data", False)
    assert caps.parse_directory(str(tmp_path), writable=True).guest == str(tmp_path)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        caps.parse_directory(f"{tmp_path}/absent::/data", writable=True)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError, match="is not a folder"):
        caps.parse_directory(f"{file}::/data", writable=True)


def test_variables_come_from_the_flag_or_from_here() -> None:
    assert caps.parse_env("A=b=c", {}) == ("A", "b=c")
    assert caps.parse_env("A", {"A": "x"}) == ("A", "x")
    with pytest.raises(UsageError, match="A is not set here"):
        caps.parse_env("A", {})
    with pytest.raises(UsageError, match="names no variable"):
        caps.parse_env("=x", {})


def test_clock_and_randomness() -> None:
    assert caps.parse_clock("frozen=5") == (ClockMode.FROZEN, 5)
    assert caps.parse_clock("frozen") == (ClockMode.FROZEN, caps.DEFAULT_FROZEN_NS)
    assert caps.parse_random("seed=7") == (RandomMode.SEEDED, 7)
    for text in ("real=1", "frozen=x", "slow", ""):
        with pytest.raises(UsageError, match="is no clock"):
            caps.parse_clock(text)
    for text in ("seed", "seed=x", "refused=1"):
        with pytest.raises(UsageError, match="is no randomness"):
            caps.parse_random(text)


def test_flags_can_be_copied_back(tmp_path: Path) -> None:
    asked = Capabilities(
        env={"A": "b"},
        dirs=(caps.Directory(tmp_path, "/data", writable=False),),
        clock=ClockMode.FROZEN,
        frozen_ns=5,
        random=RandomMode.SEEDED,
        seed=3,
        memory_bytes=64 << 20,
        deadline_s=0.5,
        output_bytes=None,
        fuel=9,
    )
    assert asked.flags() == [
        *("--env", "A=b", "--dir-ro", f"{tmp_path}::/data", "--clock", "frozen=5", "--random", "seed=3"),
        *("--memory", "64MiB", "--fuel", "9", "--timeout", "0.5s", "--max-output", "none"),
    ]
