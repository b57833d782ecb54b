"""Arguments out of guest memory: those of honest guests, and whatever else comes."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasm_lab.capabilities import Directory
from wasm_lab.wasi import decode
from wasm_lab.wasi.descriptors import Descriptors
from wasm_lab.wasi.tables import calls

MEMORY = bytearray(4096)
MEMORY[100:105] = b"a.txt"
MEMORY[200:216] = struct.pack("<IIII", 0, 10, 50, 32)


def read(address, size):
    if address + size > len(MEMORY):
        raise IndexError
    return bytes(MEMORY[address : address + size])


@pytest.fixture
def descriptors():
    return Descriptors([Directory(Path("/host"), "/data")])


def shown(name, *raw, descriptors=None):
    return decode.arguments(calls()[name], raw, read, descriptors or Descriptors([]))


def test_path_open(descriptors):
    arguments = shown("path_open", 3, 1, 100, 5, 0b1001, 0b1000010, 0, 0b100, 0, descriptors=descriptors)
    assert arguments == {
        "dir": "/data",
        "lookup": "symlink_follow",
        "path": "a.txt",
        "oflags": "creat|trunc",
        "rights": "fd_read|fd_write",
        "flags": "nonblock",
    }


def test_buffers_and_numbers():
    assert shown("fd_write", 1, 200, 2, 0) == {"fd": "stdout", "buffers": "42 bytes"}
    assert shown("fd_seek", 9, 2**64 - 5, 2, 0) == {"fd": "fd 9", "offset": -5, "whence": "end"}
    assert shown("clock_time_get", 1, 1000, 0) == {"clock": "monotonic", "precision": 1000}
    assert shown("random_get", 0, 16) == {"bytes": "16 bytes"}
    assert shown("sched_yield") == {}


def test_arguments_are_taken_as_unsigned():
    assert shown("fd_close", -1) == {"fd": "fd 4294967295"}


def test_nonsense_is_shown_as_such():
    assert shown("path_unlink_file", 3, 5000, 5)["path"] == decode.OUTSIDE
    assert shown("path_unlink_file", 3, -1, 5)["path"] == decode.OUTSIDE
    assert shown("fd_read", 0, 4090, 9, 0)["buffers"] == decode.OUTSIDE
    assert shown("fd_seek", 0, 0, 77, 0)["whence"] == "whence 77"
    assert shown("fd_fdstat_set_flags", 0, 0x8001)["flags"] == "append|0x8000"
    MEMORY[300:303] = b"\xff\x00a"
    assert shown("path_unlink_file", 3, 300, 3)["path"] == "\\xff\0a"


def test_long_lists_are_cut_off():
    asked = []

    def huge(address, size):
        asked.append(size)
        return bytes(size)

    arguments = decode.arguments(calls()["fd_write"], (1, 0, 2**32 - 1, 0), huge, Descriptors([]))
    assert arguments["buffers"].startswith("at least")
    text = decode.arguments(calls()["path_unlink_file"], (3, 0, 2**32 - 1), huge, Descriptors([]))["path"]
    assert text.endswith("(4294967295 bytes)")
    assert max(asked) <= 8192


def test_results(descriptors):
    MEMORY[400:408] = struct.pack("<Q", 1_700_000_000_123_456_789)
    assert decode.result(calls()["clock_time_get"], (0, 0, 400), read) == "2023-11-14T22:13:20.123456789Z"
    MEMORY[400:408] = struct.pack("<Q", 1_500_000_000)
    assert decode.result(calls()["clock_time_get"], (1, 0, 400), read) == "1.500000000 s"
    MEMORY[400:404] = struct.pack("<I", 5)
    assert decode.result(calls()["fd_write"], (1, 0, 0, 400), read) == "5 bytes"
    assert decode.result(calls()["path_open"], (3, 0, 0, 0, 0, 0, 0, 0, 400), read) == "fd 5"
    assert decode.result(calls()["sched_yield"], (), read) == "success"
    assert decode.result(calls()["fd_write"], (1, 0, 0, 5000), read) == decode.OUTSIDE


@given(st.sampled_from(sorted(calls())), st.data())
def test_nothing_a_guest_passes_raises(name, data):
    call = calls()[name]
    kinds = {"i32": st.integers(-(2**31), 2**32 - 1), "i64": st.integers(-(2**63), 2**64 - 1)}
    raw = [data.draw(kinds[kind]) for kind in call.core_parameters]
    arguments = decode.arguments(call, raw, read, Descriptors([]))
    assert all(isinstance(value, str | int) for value in arguments.values())
    assert isinstance(decode.result(call, raw, read), str)


def test_names_of_descriptors(descriptors):
    assert [descriptors.name(number) for number in range(5)] == ["stdin", "stdout", "stderr", "/data", "fd 4"]
    descriptors.opened(4, 3, "sub/../a.txt")
    assert descriptors.name(4) == "/data/a.txt"
    descriptors.opened(5, 4, "b")
    assert descriptors.directory(5).guest == "/data"
    descriptors.renumbered(5, 1)
    assert (descriptors.name(1), descriptors.name(5)) == ("/data/a.txt/b", "fd 5")
    descriptors.closed(1)
    assert descriptors.name(1) == "fd 1"
    assert not descriptors.is_open(1)
    here = Descriptors([Directory(Path("/host"), ".")])
    here.opened(4, 3, "a.txt")
    assert here.name(4) == "a.txt"
