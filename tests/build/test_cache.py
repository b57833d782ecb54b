"""The cache's promise: atomic, checked, bounded, safe among processes, and only a cache."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import pytest

from wasm_lab.build import cache as cache_module
from wasm_lab.build.cache import Cache, default_cache, default_size_bytes
from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

KEY = "ab" * 32
DATA = b"\0asm" + bytes(range(256)) * 100


@pytest.fixture
def own(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "own", max_bytes=None)


def only_file(cache: Cache) -> Path:
    (entry,) = cache.entries()
    return entry.path


def run_python(code: str, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


def test_what_was_put_is_got_by_another_object(own: Cache) -> None:
    own.put("wasm", KEY, DATA)
    assert Cache(own.root).get("wasm", KEY) == DATA
    assert own.get("wasm", "cd" * 32) is None
    assert own.get("native", KEY) is None


def test_an_empty_entry_is_an_entry(own: Cache) -> None:
    own.put("wasm", KEY, b"")
    assert own.get("wasm", KEY) == b""


@pytest.mark.parametrize("size", [0, 1, 7, 39, 40, 41, len(DATA) // 2, len(DATA) + 39])
def test_a_truncated_entry_is_removed_and_not_given(own: Cache, size: int) -> None:
    own.put("wasm", KEY, DATA)
    file = only_file(own)
    file.write_bytes(file.read_bytes()[:size])
    assert own.get("wasm", KEY) is None
    assert not file.exists()
    own.put("wasm", KEY, DATA)
    assert own.get("wasm", KEY) == DATA


@pytest.mark.parametrize("place", [0, 5000, -1, -8, -9, -40, -41])
def test_one_changed_bit_is_noticed(own: Cache, place: int) -> None:
    own.put("wasm", KEY, DATA)
    file = only_file(own)
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    assert own.get("wasm", KEY) is None
    assert own.path("wasm", KEY) is None


def test_path_gives_the_file_and_notices_damage_that_comes_later(own: Cache) -> None:
    assert own.path("native", KEY) is None
    own.put("native", KEY, DATA)
    path = own.path("native", KEY)
    assert path
    assert path.read_bytes().startswith(DATA)
    assert own.path("native", KEY) == path
    path.write_bytes(path.read_bytes()[:-100])
    assert own.path("native", KEY) is None


def test_a_writer_that_is_killed_leaves_only_whole_entries(own: Cache) -> None:
    """Killed at a random moment, fifteen times, while it writes and overwrites four entries."""
    writer = """
        import sys
        from pathlib import Path
        from wasm_lab.build.cache import Cache
        cache = Cache(Path(sys.argv[1]), max_bytes=None)
        round = 0
        while True:
            round += 1
            for key in "abcd":
                cache.put("wasm", key * 64, bytes([round % 251]) * 3_000_000)
            print("ready", flush=True)
    """
    for attempt in range(15):
        with run_python(writer, own.root) as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(0.003 * attempt)
            process.send_signal(signal.SIGKILL)
        for key in "abcd":
            data = Cache(own.root).get("wasm", key * 64)
            assert data, "an entry that was whole once was lost or damaged"
            assert len(data) == 3_000_000
            assert len(set(data[::1000])) == 1
    left = list((own.root / "v1" / "wasm").rglob(".new-*"))
    assert left, "no write was interrupted in its middle: the test shows nothing"


def test_what_a_killed_writer_left_over_is_cleared_away(own: Cache) -> None:
    own.put("wasm", KEY, DATA)
    left = only_file(own).parent / ".new-abc123"
    left.write_bytes(DATA)
    own.prune(10**9)
    assert left.exists(), "it may belong to a write that goes on"
    long_ago = time.time() - cache_module.STALE_S - 1
    os.utime(left, (long_ago, long_ago))
    own.prune(10**9)
    assert not left.exists()
    assert own.get("wasm", KEY) == DATA


def test_a_full_disk_is_no_error(own: Cache) -> None:
    """RLIMIT_FSIZE makes a write fail in its middle as a full disk does."""
    code = """
        import resource, signal, sys
        from pathlib import Path
        from wasm_lab.build.cache import Cache
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        cache = Cache(Path(sys.argv[1]), max_bytes=None)
        cache.put("wasm", "a" * 64, b"x" * 50_000)
        cache.put("wasm", "b" * 64, b"x" * 500_000)
        print(cache.get("wasm", "a" * 64) == b"x" * 50_000, cache.get("wasm", "b" * 64))
    """
    with run_python(code, own.root) as process:
        assert process.communicate()[0].split() == ["True", "None"]
        assert process.returncode == 0
    assert [file.name for file in (own.root / "v1/wasm").rglob(".new-*")] == []


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "below")
    cache.put("wasm", KEY, DATA)
    assert cache.get("wasm", KEY) is None
    assert cache.path("wasm", KEY) is None
    assert cache.entries() == []
    assert cache.prune(0).removed == 0
    with pytest.raises(OSError, match="directory"):
        cache.folder("crates", KEY)


def test_processes_that_write_the_same_entry_do_not_disturb_each_other(own: Cache) -> None:
    code = """
        import sys
        from pathlib import Path
        from wasm_lab.build.cache import Cache
        cache = Cache(Path(sys.argv[1]), max_bytes=None)
        for _ in range(200):
            cache.put("wasm", "e" * 64, b"same" * 5000)
            assert cache.get("wasm", "e" * 64) == b"same" * 5000
        print("done")
    """
    processes = [run_python(code, own.root) for _ in range(3)]
    assert [process.communicate()[0] for process in processes] == ["done\n"] * 3
    assert len(own.entries()) == 1


def test_pruning_removes_what_was_used_least_recently(own: Cache) -> None:
    now = time.time()
    for age, key in enumerate("abcde"):
        own.put("wasm", key * 64, b"x" * 1000)
        own_file = own.root / "v1/wasm" / (key * 2) / (key * 64)
        os.utime(own_file, (now - 1000 * age, now - 1000 * age))
    assert own.get("wasm", "e" * 64), "this use makes the oldest the newest"
    assert [entry.key[0] for entry in own.entries()] == ["e", "a", "b", "c", "d"]
    size = own.entries()[0].size_bytes
    pruned = own.prune(3 * size)
    assert [entry.key[0] for entry in own.entries()] == ["e", "a", "b"]
    assert (pruned.removed, pruned.removed_bytes, pruned.left_bytes) == (2, 2 * size, 3 * size)
    assert own.size_bytes() == 3 * size


def test_a_folder_counts_and_is_removed_whole_unless_it_is_locked(own: Cache) -> None:
    folder = own.folder("crates", KEY)
    (folder / "below").mkdir()
    (folder / "below" / "file").write_bytes(b"x" * 5000)
    assert [(entry.kind, entry.key, entry.size_bytes) for entry in own.entries()] == [("crates", KEY, 5000)]
    with own.lock("crates", KEY):
        assert own.prune(0).removed == 0
        assert (folder / "below" / "file").exists()
    assert own.prune(0).removed == 1
    assert not folder.exists()
    assert own.entries() == []


def test_clear_removes_everything(own: Cache) -> None:
    own.put("wasm", KEY, b"")
    own.put("native", KEY, DATA)
    own.folder("crates", KEY)
    assert own.clear().removed == 3
    assert own.entries() == []


def test_the_bound_is_kept_without_being_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "PRUNE_INTERVAL_S", 0.0)
    cache = Cache(tmp_path, max_bytes=5000)
    for number in range(10):
        cache.put("wasm", f"{number:064}", b"x" * 1000)
        assert cache.size_bytes() <= 5000 + 1040
    assert cache.get("wasm", f"{9:064}")


def test_the_environment_names_folder_and_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WASM_LAB_CACHE", str(tmp_path))
    monkeypatch.setenv("WASM_LAB_CACHE_SIZE", "3MiB")
    assert default_cache().root == tmp_path
    assert default_cache().max_bytes == 3 * 1024**2
    monkeypatch.setenv("WASM_LAB_CACHE_SIZE", "none")
    assert default_size_bytes() is None
    monkeypatch.setenv("WASM_LAB_CACHE_SIZE", "much")
    with pytest.raises(UsageError, match="WASM_LAB_CACHE_SIZE"):
        default_size_bytes()


@pytest.mark.parametrize("key", ["", "../escape", "a/b", "a\0b"])
def test_a_key_cannot_leave_the_folder(own: Cache, key: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        own.put("wasm", key, DATA)
