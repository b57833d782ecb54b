"""What is particular to the wasmer runtime: copied folders, bounded memories, what it refuses."""

from __future__ import annotations

import json
from importlib import util
from pathlib import Path

import pytest
import wasmtime

from wasm_lab.artifact import CORE_PREAMBLE, Artifact
from wasm_lab.capabilities import MIB, Capabilities, ClockMode, Directory, RandomMode
from wasm_lab.errors import LoadError, UnsupportedError, UsageError
from wasm_lab.run import Phase, TrapKind
from wasm_lab.runtimes import get_runtime
from wasm_lab.runtimes.base import Enforcement
from wasm_lab.runtimes.wasmer import folders, memory
from wasm_lab.runtimes.wasmer.traps import trap_info

needs_wasmer = pytest.mark.skipif(
    util.find_spec("wasmer_sdk") is None, reason="wasmer-sdk has no wheel for this system"
)


@pytest.fixture
def wasmer():
    return get_runtime("wasmer")


@pytest.fixture
def run(wasmer, probe):
    """Run the probe with arguments and folders; gives what it printed."""

    def run(*args: str, **options) -> str:
        result = wasmer.run(probe, Capabilities(args=args, **options))
        assert result.ok, result
        return result.stdout.decode()

    return run


class TestWhatItRefuses:
    @pytest.mark.parametrize(
        ("name", "options"),
        [
            ("clock", {"clock": ClockMode.FROZEN}),
            ("clock", {"clock": ClockMode.REFUSED}),
            ("random", {"random": RandomMode.SEEDED}),
            ("random", {"random": RandomMode.REFUSED}),
            ("fuel", {"fuel": 10}),
            ("hosts", {"hosts": ("localhost:80",)}),
        ],
    )
    def test_what_it_cannot_enforce(self, wasmer, name, options):
        assert wasmer.enforces()[name] is Enforcement.NO
        with pytest.raises(UnsupportedError, match=f"wasmer cannot enforce {name}"):
            wasmer.run(Artifact(wasm=CORE_PREAMBLE, label="x"), Capabilities(**options))

    def test_an_audit(self, wasmer):
        with pytest.raises(UnsupportedError, match="audit"):
            wasmer.run(Artifact(wasm=CORE_PREAMBLE, label="x"), Capabilities(), audit=True)

    def test_every_capability_is_judged(self, wasmer):
        assert set(wasmer.enforces()) == {*Capabilities.__dataclass_fields__, "audit"}

    def test_instances(self, wasmer, library):
        with pytest.raises(UnsupportedError, match="function by function") as caught:
            wasmer.instantiate(library, Capabilities())
        assert "wasmtime" in caught.value.hint

    def test_components(self, wasmer, probe2):
        with pytest.raises(LoadError, match="component"):
            wasmer.run(probe2, Capabilities())

    @pytest.mark.parametrize("program", ["a b", "x/y", "..", "ü"])
    def test_names_that_the_package_does_not_take(self, wasmer, probe, program):
        with pytest.raises(UnsupportedError, match="cannot call a program"):
            wasmer.run(probe, Capabilities(program=program))

    def test_it_says_how_it_is_got_where_it_is_missing(self, wasmer, probe, monkeypatch):
        monkeypatch.setattr("wasm_lab.runtimes.wasmer._found", lambda: False)
        assert "pip install 'wasm-lab[wasmer]'" in wasmer.missing()
        with pytest.raises(UnsupportedError, match="wasmer cannot be used here") as caught:
            wasmer.run(probe, Capabilities())
        assert caught.value.hint == wasmer.missing()
        assert "macOS" in caught.value.hint


@needs_wasmer
class TestRuns:
    def test_a_label_of_any_characters_becomes_a_file_name(self, wasmer, probe):
        labelled = Artifact(wasm=probe.wasm, label="cell 3: ä/b.rs")
        result = wasmer.run(labelled, Capabilities(args=("args",)))
        assert result.stdout.decode() == '["cell-3-b.rs", "args"]\n'
        assert result.label == "cell 3: ä/b.rs"

    def test_only_what_can_be_told_apart_is_timed(self, wasmer, probe):
        first, second = (wasmer.run(probe, Capabilities(env={"N": str(n)})) for n in range(2))
        assert set(first.phases_ns) == set(second.phases_ns) == {Phase.RUN}
        assert second.code_cached

    def test_no_file_of_the_host_is_open(self, run):
        assert run("read", "/etc/passwd").startswith("error")
        assert str(Path.home()) not in run("list", "/")

    def test_what_a_guest_writes_without_a_folder_is_gone(self, run, tmp_path):
        assert run("write", "/note", "x") == "()\n"
        assert run("read", "/note").startswith("error")

    def test_no_cache_is_left_in_the_working_folder(self, run, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        run("hello")
        assert list(tmp_path.iterdir()) == []


@needs_wasmer
class TestFolders:
    @pytest.fixture
    def host(self, tmp_path) -> Path:
        folder = tmp_path / "host"
        (folder / "sub").mkdir(parents=True)
        (folder / "a.txt").write_text("A")
        (folder / "sub" / "b.txt").write_text("B")
        return folder

    @pytest.mark.parametrize("guest", ["/data", "data", "/workspace/data", "./x/../data"])
    def test_one_that_is_read(self, run, host, guest):
        opened = {"dirs": (Directory(host, guest, writable=False),)}
        place = str(folders.guest_path(opened["dirs"][0]))
        assert run("read", f"{place}/a.txt", **opened) == '"A"\n'
        assert run("read", f"{place}/sub/b.txt", **opened) == '"B"\n'
        assert sorted(json.loads(run("list", place, **opened))) == ["a.txt", "sub"]

    def test_what_a_guest_writes_to_one_that_is_read_does_not_reach_it(self, run, host):
        for guest in ("/data", "/workspace/data"):
            run("write", f"{guest}/a.txt", "changed", dirs=(Directory(host, guest, writable=False),))
            run("write", f"{guest}/new.txt", "new", dirs=(Directory(host, guest, writable=False),))
        assert (host / "a.txt").read_text() == "A"
        assert sorted(path.name for path in host.iterdir()) == ["a.txt", "sub"]

    def test_changes_come_back_from_one_that_is_written(self, run, host):
        opened = {"dirs": (Directory(host, "/workspace/data"),)}
        assert run("write", "/workspace/data/a.txt", "changed", **opened) == "()\n"
        assert run("write", "/workspace/data/sub/new.txt", "new", **opened) == "()\n"
        assert run("mkdir", "/workspace/data/empty", **opened) == "()\n"
        assert run("remove", "/workspace/data/sub/b.txt", **opened) == "()\n"
        assert (host / "a.txt").read_text() == "changed"
        assert (host / "sub" / "new.txt").read_text() == "new"
        assert (host / "empty").is_dir()
        assert not (host / "sub" / "b.txt").exists()
        assert run("list", "/workspace/data/empty", **opened) == "[]\n"

    def test_what_others_did_meanwhile_stays(self, wasmer, probe, host):
        def meanwhile(stream: str, data: bytes) -> None:
            if data == b"sleeping\n":
                (host / "a.txt").write_text("by another")

        wasmer.run(
            probe,
            Capabilities(args=("sleep", "100"), dirs=(Directory(host, "/workspace/data"),)),
            output=meanwhile,
        )
        assert (host / "a.txt").read_text() == "by another"

    def test_a_guest_that_is_killed_has_changed_nothing(self, wasmer, probe, host):
        opened = Capabilities(args=("loop",), deadline_s=0.3, dirs=(Directory(host, "/workspace/data"),))
        result = wasmer.run(probe, opened)
        assert result.trap
        assert result.trap.kind is TrapKind.DEADLINE
        assert (host / "a.txt").read_text() == "A"

    def test_one_that_cannot_be_given_back_is_refused(self, wasmer, probe, host):
        with pytest.raises(UnsupportedError, match="cannot give back") as caught:
            wasmer.run(probe, Capabilities(dirs=(Directory(host, "/data"),)))
        assert f"{host}::/workspace/host" in caught.value.hint

    def test_an_empty_one_where_only_files_can_stand_is_refused(self, wasmer, probe, run, tmp_path):
        empty = tmp_path / "empty"
        empty.mkdir()
        with pytest.raises(UnsupportedError, match="empty folder"):
            wasmer.run(probe, Capabilities(dirs=(Directory(empty, "/data", writable=False),)))
        opened = (Directory(empty, "/workspace/e", writable=False),)
        assert run("list", "/workspace/e", dirs=opened) == "[]\n"

    def test_links_that_lead_out_are_left_out(self, run, host, tmp_path):
        (tmp_path / "secret").write_text("secret")
        (host / "out").symlink_to(tmp_path / "secret")
        (host / "up").symlink_to("..")
        (host / "round").symlink_to(".")
        (host / "in").symlink_to("a.txt")
        listed = run("list", "/data", dirs=(Directory(host, "/data", writable=False),))
        assert sorted(json.loads(listed)) == ["a.txt", "in", "sub"]

    def test_more_than_can_be_copied_is_refused(self, wasmer, probe, host, monkeypatch):
        monkeypatch.setattr(folders, "MOST_BYTES", 1)
        with pytest.raises(UsageError, match="copies all of it"):
            folders.give((Directory(host, "/data", writable=False),))


class TestWritingBack:
    @pytest.fixture
    def root(self, tmp_path) -> Path:
        root = tmp_path / "root"
        root.mkdir()
        (tmp_path / "outside").mkdir()
        return root

    def test_a_name_that_climbs_is_not_followed(self, root):
        after = folders.Tree(files={"../outside/x": b"x", "sub/../../outside/y": b"y"})
        folders.write_back(root, folders.Tree(), after)
        assert list((root.parent / "outside").iterdir()) == []

    def test_a_link_that_leads_out_is_not_followed(self, root):
        (root / "link").symlink_to(root.parent / "outside")
        (root / "file").symlink_to(root.parent / "outside" / "made")
        after = folders.Tree(files={"link/x": b"x", "file": b"y"})
        folders.write_back(root, folders.Tree(), after)
        assert list((root.parent / "outside").iterdir()) == []

    def test_a_folder_that_others_filled_stays(self, root):
        (root / "sub").mkdir()
        (root / "sub" / "theirs").write_text("x")
        folders.write_back(root, folders.Tree(folders={"sub"}), folders.Tree())
        assert (root / "sub" / "theirs").read_text() == "x"


class TestBoundedMemory:
    @pytest.mark.parametrize(
        ("declared", "expected"),
        [("1", "1 16"), ("1 4", "1 4"), ("1 900", "1 16"), ("16", "16 16")],
    )
    def test_a_memory_gets_a_maximum(self, declared, expected):
        wasm = bytes(wasmtime.wat2wasm(f'(module (memory (export "memory") {declared}) (data "x"))'))
        limited = memory.bounded(wasm, MIB)
        assert limited == bytes(
            wasmtime.wat2wasm(f'(module (memory (export "memory") {expected}) (data "x"))')
        )

    def test_several_share_the_limit(self):
        wasm = bytes(wasmtime.wat2wasm("(module (memory 1) (memory 2 9))"))
        assert memory.bounded(wasm, MIB) == bytes(wasmtime.wat2wasm("(module (memory 1 8) (memory 2 8))"))

    def test_what_begins_too_large_is_refused(self):
        with pytest.raises(memory.TooLarge):
            memory.bounded(bytes(wasmtime.wat2wasm("(module (memory 17))")), MIB)

    def test_no_limit_and_no_memory_change_nothing(self):
        wasm = bytes(wasmtime.wat2wasm('(module (func (export "f")))'))
        assert memory.bounded(wasm, None) is wasm
        assert memory.bounded(wasm, MIB) is wasm

    @needs_wasmer
    def test_the_limit_is_exact(self, wasmer, wat):
        grow = wat(
            '(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))'
            '(memory (export "memory") 1) (func (export "_start")'
            "(loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))"
            "(call $exit (memory.size))))"
        )
        for pages in (1, 7, 100):
            assert wasmer.run(grow, Capabilities(memory_bytes=pages * 65536)).exit_status == pages


class TestTraps:
    def test_a_message_of_another_kind_is_no_trap(self):
        assert trap_info("command execution failed: Missing export", "") is None

    def test_an_unknown_trap_keeps_its_words(self):
        info = trap_info(
            "command execution failed: RuntimeError: uncaught exception\n    at f (m[3]:0x10)", ""
        )
        assert info
        assert (info.kind, info.message) == (TrapKind.OTHER, "uncaught exception")
        assert (info.frames[0].function, info.frames[0].offset) == ("f", 16)

    @needs_wasmer
    def test_what_a_guest_prints_is_not_taken_for_a_trap(self, wasmer, probe):
        words = b"RuntimeError: unreachable\n    at abort (panic.wasm[145]:0x5708)\n"
        assert wasmer.run(probe, Capabilities(args=("echo",), stdin=words)).ok
