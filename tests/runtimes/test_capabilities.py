"""Files, clocks and randomness: closed, opened, frozen, repeated and refused."""

from __future__ import annotations

import os
import time

import pytest

from wasm_lab.capabilities import DEFAULT_FROZEN_NS, Capabilities, ClockMode, Directory, RandomMode
from wasm_lab.run import TrapKind


@pytest.fixture(params=["probe", "probe2"], ids=["wasi-0.1", "wasi-0.2"])
def guest(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "a.txt").write_text("of a")
    (tmp_path / "secret.txt").write_text("secret")
    (inside / "link").symlink_to(tmp_path / "secret.txt")
    (inside / "up").symlink_to("..")
    return inside


def run(runtime, guest, *args, **capabilities):
    return runtime.run(guest, Capabilities(args=args, **capabilities))


def test_no_folder_is_open_at_first(runtime, guest, folder):
    for name in ("read", "list", "remove"):
        assert run(runtime, guest, name, str(folder / "a.txt")).stdout.startswith(b"error ")
    assert (folder / "a.txt").exists()


def test_an_open_folder(runtime, guest, folder):
    dirs = (Directory(folder, "/data"),)
    assert run(runtime, guest, "read", "/data/a.txt", dirs=dirs).stdout == b'"of a"\n'
    assert run(runtime, guest, "write", "/data/b.txt", "of b", dirs=dirs).stdout == b"()\n"
    assert (folder / "b.txt").read_text() == "of b"
    assert run(runtime, guest, "mkdir", "/data/c", dirs=dirs).stdout == b"()\n"
    assert (folder / "c").is_dir()
    assert run(runtime, guest, "remove", "/data/b.txt", dirs=dirs).stdout == b"()\n"
    assert not (folder / "b.txt").exists()


def test_a_folder_is_known_by_its_guest_name_only(runtime, guest, folder):
    dirs = (Directory(folder, "."),)
    assert run(runtime, guest, "read", "a.txt", dirs=dirs).stdout == b'"of a"\n'
    assert run(runtime, guest, "read", str(folder / "a.txt"), dirs=dirs).stdout.startswith(b"error ")


def test_two_folders(runtime, guest, folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.txt").write_text("other a")
    dirs = (Directory(folder, "/one"), Directory(other, "/two", writable=False))
    assert run(runtime, guest, "read", "/two/a.txt", dirs=dirs).stdout == b'"other a"\n'
    assert run(runtime, guest, "write", "/one/new", "x", dirs=dirs).stdout == b"()\n"
    assert run(runtime, guest, "write", "/two/new", "x", dirs=dirs).stdout.startswith(b"error ")


@pytest.mark.parametrize(
    "args",
    [
        ("write", "/data/a.txt", "x"),
        ("write", "/data/n", "x"),
        ("mkdir", "/data/d"),
        ("remove", "/data/a.txt"),
    ],
)
def test_a_read_only_folder(runtime, guest, folder, args):
    dirs = (Directory(folder, "/data", writable=False),)
    before = sorted(os.listdir(folder))
    assert run(runtime, guest, "read", "/data/a.txt", dirs=dirs).stdout == b'"of a"\n'
    assert run(runtime, guest, *args, dirs=dirs).stdout.startswith(b"error 63: Operation not permitted")
    assert sorted(os.listdir(folder)) == before
    assert (folder / "a.txt").read_text() == "of a"


@pytest.mark.parametrize(
    "path",
    ["/data/../secret.txt", "/data/link", "/data/up/secret.txt", "/data/x/../../secret.txt", "/secret.txt"],
)
def test_no_way_out_of_a_folder(runtime, guest, folder, path):
    dirs = (Directory(folder, "/data"),)
    for name in ("read", "write"):
        result = run(runtime, guest, name, path, "changed", dirs=dirs)
        assert result.stdout.startswith(b"error "), result.stdout
    assert (folder.parent / "secret.txt").read_text() == "secret"


@pytest.mark.parametrize("audit", [False, True])
def test_a_named_pipe_holds_nobody_up(runtime, probe, folder, audit):
    os.mkfifo(folder / "pipe")
    os.mkfifo(folder.parent / "pipe")
    (folder / "to-pipe").symlink_to("pipe")
    (folder / "out").symlink_to("../pipe")
    dirs = (Directory(folder, "/data"),)
    for name, errno in (("pipe", 60), ("to-pipe", 60), ("out", 63)):
        for what in ("read", "write"):
            result = runtime.run(probe, Capabilities(args=(what, f"/data/{name}"), dirs=dirs), audit=audit)
            assert result.stdout.startswith(b"error %d:" % errno), result


def test_real_clock(runtime, guest):
    before = time.time_ns()
    shown, slept = run(runtime, guest, "clock").stdout.decode().split()
    assert before <= int(shown) <= time.time_ns()
    assert slept.endswith("ms")


def test_frozen_clock_moves_only_by_sleeping(runtime, guest):
    capabilities = {"clock": ClockMode.FROZEN}
    assert run(runtime, guest, "clock", **capabilities).stdout == b"%d\n5ms\n" % DEFAULT_FROZEN_NS
    assert run(runtime, guest, "clock", **capabilities, frozen_ns=123).stdout == b"123\n5ms\n"
    started = time.monotonic()
    assert run(runtime, guest, "sleep", "3600000", **capabilities).stdout == b"sleeping\nawake\n"
    assert time.monotonic() - started < 60


def test_refused_clock(runtime, guest):
    result = run(runtime, guest, "clock", clock=ClockMode.REFUSED)
    assert result.exit_status is None
    assert not result.stdout
    assert [call.flag for call in result.refused] == ["--clock real"]
    assert "clock" in result.refused[0].explanation


def test_real_randomness_differs(runtime, guest):
    assert run(runtime, guest, "random").stdout != run(runtime, guest, "random").stdout


def test_seeded_randomness_repeats(runtime, guest):
    seeded = {"random": RandomMode.SEEDED}
    first = run(runtime, guest, "random", **seeded, seed=1).stdout
    assert run(runtime, guest, "random", **seeded, seed=1).stdout == first
    assert run(runtime, guest, "random", **seeded, seed=2).stdout != first


def test_refused_randomness(runtime, guest):
    result = run(runtime, guest, "random", random=RandomMode.REFUSED)
    assert result.exit_status is None
    assert [call.flag for call in result.refused] == ["--random real"]
    assert result.trap.kind in {TrapKind.PANIC, TrapKind.HOST}


def test_nothing_refused_when_all_is_well(runtime, guest, folder):
    assert run(runtime, guest, "clock").refused == ()
    assert run(runtime, guest, "read", "/data/a.txt", dirs=(Directory(folder, "/data"),)).refused == ()


def test_a_refused_path_is_explained_without_an_audit(runtime, probe, folder):
    result = run(
        runtime, probe, "write", "/data/new", "x", dirs=(Directory(folder, "/data", writable=False),)
    )
    assert result.audit is None
    (refused,) = result.refused
    assert refused.arguments["path"] == "new"
    assert refused.flag == f"--dir {folder}::/data"
    escape = run(runtime, probe, "read", "/data/link", dirs=(Directory(folder, "/data"),))
    assert "'link'" in escape.refused[0].explanation


def test_a_missing_folder_is_explained_without_an_audit(runtime, probe):
    (refused,) = run(runtime, probe, "read", "data.txt").refused
    assert refused.explanation == (
        "The program asked for a file, and no folder is open to it; open one with --dir HOST::GUEST."
    )


def test_frozen_listings_and_times_do_not_depend_on_the_host(runtime, probe, tmp_path):
    outputs = set()
    names = [f"{number:02}-name" for number in range(40)]
    for order in (names, names[::-1]):
        folder = tmp_path / order[0]
        folder.mkdir()
        for name in order:
            (folder / name).write_text(name)
        dirs = (Directory(folder, "/data"),)
        frozen = {"clock": ClockMode.FROZEN, "dirs": dirs}
        run(runtime, probe, "write", "/data/new", "x", **frozen)
        listing = run(runtime, probe, "list", "/data", **frozen).stdout
        assert listing == ("[" + ", ".join(f'"{name}"' for name in [*names, "new"]) + "]\n").encode()
        outputs.add(listing)
    assert len(outputs) == 1


def test_frozen_time_of_a_file_written_in_the_run(runtime, compile_rust, tmp_path):
    source = tmp_path / "touch.rs"
    source.write_text("""use std::{fs, time::UNIX_EPOCH};
    fn main() {
        for name in ["old", "new"] {
            if name == "new" { fs::write("/d/new", "x").unwrap(); }
            let time = fs::metadata(format!("/d/{name}")).unwrap().modified().unwrap();
            println!("{}", time.duration_since(UNIX_EPOCH).unwrap().as_nanos());
        }
    }""")
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "old").write_text("x")
    os.utime(folder / "old", ns=(5 * 10**9, 7 * 10**9))
    guest = compile_rust(source, tmp_path, "-Cstrip=debuginfo")
    shown = run(runtime, guest, dirs=(Directory(folder, "/d"),), clock=ClockMode.FROZEN, frozen_ns=99).stdout
    assert shown == b"%d\n99\n" % (7 * 10**9)


def test_two_runs_are_identical(runtime, guest):
    fixed = {"clock": ClockMode.FROZEN, "random": RandomMode.SEEDED, "seed": 7}
    for behaviour in ("clock", "random"):
        runs = [run(runtime, guest, behaviour, **fixed) for _ in range(2)]
        assert runs[0].stdout == runs[1].stdout
