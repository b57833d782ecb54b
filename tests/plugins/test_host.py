"""The host's folder: found, loaded, reloaded, kept and let go of; calls and what is told of them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from wasm_lab.capabilities import Directory
from wasm_lab.components import Err
from wasm_lab.errors import GuestTrap, PluginError, UsageError
from wasm_lab.scenarios.plugins.host import Change, Event, PluginHost
from wasm_lab.scenarios.plugins.plugin import MOST_WAITING
from wasm_lab.scenarios.plugins.records import Call, Outcome, State
from wasm_lab.scenarios.plugins.settings import PLUGIN_DEFAULTS, Settings

from tests.plugins.conftest import echo  # isort: skip

Put = Callable[..., Path]


def said(host: PluginHost, name: str = "echo") -> str:
    """The version that a plugin says it has."""
    description = host.status(name).description
    assert description is not None
    return str(description["version"])


def touch(path: Path) -> None:
    """Make sure that the file's time is another one, however coarse the clock of the file system."""
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))


def test_a_folder_of_plugins_is_found_and_called(folder: Path, put_echo: Put) -> None:
    put_echo("one"), put_echo("two")
    (folder / "notes.txt").write_text("not a plugin")
    (folder / "deeper").mkdir()
    with PluginHost(folder) as host:
        assert host.names == ("one", "two")
        assert host.apply("one", b"a text") == b"a text"
        assert host.apply("two", b"") == b""
        assert [status.state for status in host.statuses] == [State.READY, State.READY]
        description = host.status("one").description
        assert description is not None
        assert description["name"] == "echo"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        PluginHost(tmp_path / "absent")


def test_a_plugin_that_is_not_there_is_told_with_those_that_are(folder: Path, put_echo: Put) -> None:
    put_echo()
    with PluginHost(folder) as host:
        with pytest.raises(PluginError, match="no plugin ehco") as caught:
            host.apply("ehco", b"")
        assert "echo" in caught.value.hint


def test_large_inputs_go_in_and_come_out_unchanged(folder: Path, put_echo: Put) -> None:
    put_echo()
    data, text = bytes(range(256)) * 1024, "Größe " * 100_000
    with PluginHost(folder) as host:
        assert host.apply("echo", data) == data
        assert host.apply("echo", text) == text


# Reloading -------------------------------------------------------------------------------


def test_what_is_new_is_loaded_and_what_is_gone_is_let_go_of(folder: Path, put_echo: Put) -> None:
    with PluginHost(folder) as host:
        assert host.names == ()
        path = put_echo()
        assert host.refresh() == (Change(name="echo", event=Event.LOADED),)
        assert host.refresh() == ()
        path.unlink()
        assert host.refresh() == (Change(name="echo", event=Event.REMOVED),)
        with pytest.raises(PluginError, match="no plugin echo"):
            host.apply("echo", b"")


def test_a_changed_file_is_loaded_again(folder: Path, put_echo: Put) -> None:
    put_echo(version="1.0.0")
    with PluginHost(folder) as host:
        host.apply("echo", b"")
        assert said(host) == "1.0.0"
        put_echo(version="1.0.1")
        assert host.refresh() == (Change(name="echo", event=Event.RELOADED),)
        assert said(host) == "1.0.1"
        assert host.status("echo").generation == 2
        host.apply("echo", b"")
        assert [call.generation for call in host.calls] == [1, 2]


def test_a_file_that_is_only_touched_is_not_loaded_again(folder: Path, put_echo: Put) -> None:
    path = put_echo()
    with PluginHost(folder) as host:
        touch(path)
        assert host.refresh() == ()
        assert host.status("echo").generation == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"\0asm", "truncated"),
        (echo("2.0.0")[:-40], "damaged"),
        (echo("2.0.0")[: len(echo("2.0.0")) // 2], "damaged"),
        (b"\0asm\x01\0\0\0", "core module"),
        (b"\0asm\x0d\0\x01\0", "does not export"),
        (b"<html>not found</html>", "HTML"),
    ],
)
def test_a_broken_new_file_keeps_the_old_plugin_and_says_so(
    folder: Path, put_echo: Put, content: bytes, why: str
) -> None:
    path = put_echo(version="1.0.0")
    with PluginHost(folder) as host:
        path.write_bytes(content)
        touch(path)
        (change,) = host.refresh()
        assert change.event is Event.KEPT
        assert why in change.reason
        assert host.status("echo").state is State.KEPT
        assert host.status("echo").reason == change.reason
        assert host.apply("echo", b"still here") == b"still here"
        assert host.refresh() == ()  # told once
        put_echo(version="1.0.1")
        assert [each.event for each in host.refresh()] == [Event.RELOADED]
        assert host.status("echo").state is State.READY
        assert host.status("echo").reason == ""


def test_the_old_file_put_back_is_as_if_nothing_had_been(folder: Path, put_echo: Put) -> None:
    path = put_echo()
    good = path.read_bytes()
    with PluginHost(folder) as host:
        path.write_bytes(b"broken")
        host.refresh()
        path.write_bytes(good)
        touch(path)
        assert host.refresh() == ()
        assert host.status("echo").state is State.READY
        assert host.status("echo").generation == 1


def test_a_file_written_piece_by_piece_is_loaded_when_it_is_whole(folder: Path, put_echo: Put) -> None:
    path = put_echo(version="1.0.0")
    new = echo("1.0.1")
    with PluginHost(folder) as host, path.open("wb") as file:
        for start in range(0, len(new) - 100, 100):
            file.write(new[start : start + 100])
            file.flush()
            assert [change.event for change in host.refresh()] in ([Event.KEPT], [])
            assert said(host) == "1.0.0"
        file.write(new[start + 100 :])
        file.flush()
        assert [change.event for change in host.refresh()] == [Event.RELOADED]
        assert said(host) == "1.0.1"


def test_a_plugin_for_another_version_keeps_the_old_one(folder: Path, put_echo: Put, put_sample: Put) -> None:
    put_echo("next_version")
    with PluginHost(folder) as host:
        put_sample("next_version")
        (change,) = host.refresh()
        assert change.event is Event.KEPT
        assert "made for version 2.0.0" in change.reason
        assert host.apply("next_version", b"1") == b"1"


def test_a_plugin_that_was_never_usable_says_why_when_it_is_called(folder: Path, put_sample: Put) -> None:
    put_sample("wrong_types")
    with PluginHost(folder) as host:
        assert host.names == ()
        assert host.status("wrong_types").state is State.REFUSED
        with pytest.raises(PluginError, match="wrong_types was refused: .* has other types"):
            host.apply("wrong_types", b"")


def test_the_folder_is_watched(folder: Path, put_echo: Put) -> None:
    with PluginHost(folder) as host:
        host.watch(interval_s=0.02)
        put_echo()
        until = time.monotonic() + 60
        while not host.names and time.monotonic() < until:
            time.sleep(0.01)
        assert host.names == ("echo",)
    assert not [each for each in threading.enumerate() if str(folder) in each.name]


def test_a_call_under_way_ends_with_the_plugin_that_it_began_with(folder: Path, put_echo: Put) -> None:
    """Reloads and calls from many threads: every answer is right, none is lost."""
    put_echo(version="1.0.0")
    wrong: list[object] = []
    done = threading.Event()

    def keep_calling(number: int) -> None:
        turn = 0
        while not done.is_set():
            data = b"%d %d" % (number, turn)
            try:
                if host.apply("echo", data) != data:
                    wrong.append(data)
            except BaseException as error:
                wrong.append(error)
            turn += 1

    with PluginHost(folder) as host:
        threads = [threading.Thread(target=keep_calling, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for turn in range(1, 9):
            put_echo(version=f"1.0.{turn}")
            host.refresh()
        done.set()
        for thread in threads:
            thread.join()
        assert not wrong
        assert said(host) == "1.0.8"
        assert host.status("echo").calls > 8


# Calls and their records -----------------------------------------------------------------


def test_each_call_leaves_a_record(folder: Path, put_echo: Put) -> None:
    put_echo()
    seen: list[Call] = []
    with PluginHost(folder, on_call=seen.append) as host:
        before = time.time()
        host.apply("echo", b"12345", width=10)
        (call,) = host.calls
        assert seen == [call]
        assert (call.plugin, call.function, call.generation) == ("echo", "apply", 1)
        assert call.outcome is Outcome.OK
        assert call.ok
        assert before <= call.started_s <= time.time()
        assert 0 < call.duration_ns < 10**10
        assert (call.given_bytes, call.got_bytes) == (5 + len("width10"), 5)


def test_a_waiting_instance_is_used_again_and_a_fresh_one_is_told(folder: Path, put_echo: Put) -> None:
    put_echo()
    with PluginHost(folder) as host:
        host.apply("echo", b"")
        assert host.calls[-1].instantiate_ns == 0  # the one that described itself
        assert host.status("echo").instances == 1
        host.rest("echo")
        assert host.status("echo").instances == 0
        host.apply("echo", b"")
        assert host.calls[-1].instantiate_ns > 0
        assert host.status("echo").instances == 1


def test_no_more_instances_wait_than_a_few(folder: Path, put_echo: Put) -> None:
    put_echo()
    with PluginHost(folder) as host:
        gate = threading.Barrier(12)

        def call() -> None:
            gate.wait()
            for _ in range(20):
                host.apply("echo", b"x" * 100_000)

        threads = [threading.Thread(target=call) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 1 <= host.status("echo").instances <= MOST_WAITING
        assert host.status("echo").calls == 12 * 20 + 1
        assert all(call.ok for call in host.calls)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (("text", ""),),
        (("text", b""), []),
        (("binary", ""), []),
        (("picture", b""), []),
        (("text", ""), 3),
        (("text", ""), [("a",)]),
        (("text", ""), [], 1),
    ],
)
def test_wrong_arguments_are_refused_and_recorded_and_cost_nothing(
    folder: Path, put_echo: Put, arguments: tuple[object, ...]
) -> None:
    put_echo()
    with PluginHost(folder) as host:
        with pytest.raises((TypeError, ValueError)):
            host.call("echo", "apply", *arguments)
        assert host.calls[-1].outcome is Outcome.USAGE
        assert host.apply("echo", b"fine") == b"fine"


def test_a_function_that_is_not_there_is_told(folder: Path, put_echo: Put) -> None:
    put_echo()
    with PluginHost(folder) as host, pytest.raises((AttributeError, PluginError), match="aply"):
        host.call("echo", "aply", ("text", ""), [])


def test_after_closing_nothing_can_be_called(folder: Path, put_echo: Put) -> None:
    put_echo()
    host = PluginHost(folder)
    host.close()
    host.close()
    with pytest.raises(PluginError):
        host.apply("echo", b"")
    assert host.refresh() == ()


def test_an_interface_of_ones_own(tmp_path: Path, folder: Path) -> None:
    """Another contract: the host knows nothing of this lab's own."""
    from wasm_lab.scenarios.plugins.contract import Contract
    from wasm_lab.scenarios.plugins.samples import componentize, put

    wit = tmp_path / "dice.wit"
    wit.write_text(
        "package games:dice@0.3.0; interface die { sides: func() -> u32; roll: func(seed: u32) -> "
        "result<u32, string>; } world plugin { import random; export die; } "
        "interface random { next: func() -> u32; }"
    )
    core = b"""(module
      (import "games:dice/random@0.3.0" "next" (func $next (result i32)))
      (memory (export "memory") 1)
      (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
      (data (i32.const 32) "no seed")
      (func (export "games:dice/die@0.3.0#sides") (result i32) (i32.const 6))
      (func (export "games:dice/die@0.3.0#roll") (param i32) (result i32)
        (i32.store (i32.const 16) (i32.eqz (local.get 0)))
        (if (local.get 0)
          (then (i32.store (i32.const 20) (i32.add (i32.rem_u (call $next) (i32.const 6)) (i32.const 1))))
          (else (i32.store (i32.const 20) (i32.const 32)) (i32.store (i32.const 24) (i32.const 7))))
        (i32.const 16)))"""

    class Random:
        @staticmethod
        def next() -> int:
            return 9

    put(folder / "die.wasm", componentize(core, wit))
    contract = Contract(wit, describe="sides")
    with PluginHost(folder, contract=contract, imports={"games:dice/random": Random}) as host:
        assert [str(each) for each in host.refresh()] == []
        assert host.names == ("die",), host.statuses
        assert host.call("die", "roll", 5) == 4
        with pytest.raises(Err) as caught:
            host.call("die", "roll", 0)
        assert caught.value.value == "no seed"
        assert host.calls[-1].outcome is Outcome.FAILURE
        assert host.status("die").failed == 0


@pytest.mark.parametrize(
    ("granted", "why"),
    [
        ({"hosts": ("example.com:443",)}, "outgoing connections"),
        ({"stdin": b"typed"}, "standard input"),
        ({"stdin": None}, "standard input"),
        ({"inherit_output": True}, "this process's own standard output"),
    ],
)
def test_what_cannot_be_granted_is_refused_and_not_ignored(
    folder: Path, put_echo: Put, granted: dict[str, object], why: str
) -> None:
    put_echo()
    settings = Settings({"echo": replace(PLUGIN_DEFAULTS, **granted)})  # type: ignore[arg-type]
    with PluginHost(folder, settings=settings) as host:
        assert host.status("echo").state is State.REFUSED
        assert f"cannot be given {why}" in host.status("echo").reason


def test_a_folder_to_write_to_is_refused(folder: Path, put_echo: Put, tmp_path: Path) -> None:
    put_echo()
    settings = Settings({"echo": replace(PLUGIN_DEFAULTS, dirs=(Directory(tmp_path, "/here"),))})
    with PluginHost(folder, settings=settings) as host:
        assert "a folder to write to" in host.status("echo").reason


def test_drawers_outlive_instances_and_reloads(folder: Path) -> None:
    """A plugin that counts its calls in a drawer: the count goes on when its instance is gone."""
    from wasm_lab.scenarios.plugins.samples import componentize, plugins_folder, put, wit_folder

    core = (plugins_folder() / "wat" / "echo.wat").read_text()
    imports = """(module
      (import "wasm-lab:plugins/host@1.0.0" "[static]drawer.open" (func $open (param i32 i32 i32)))
      (import "wasm-lab:plugins/host@1.0.0" "[method]drawer.get" (func $get (param i32 i32 i32 i32)))
      (import "wasm-lab:plugins/host@1.0.0" "[method]drawer.put" (func $put (param i32 i32 i32 i32 i32 i32)))
      (import "wasm-lab:plugins/host@1.0.0" "[resource-drop]drawer" (func $drop (param i32)))"""
    body = """
    (call $open (i32.const 64) (i32.const 4) (i32.const 2048))
    (i32.store8 (i32.const 2200) (i32.const 0))
    (call $get (i32.load (i32.const 2052)) (i32.const 64) (i32.const 1) (i32.const 2100))
    (if (i32.load8_u (i32.const 2100))
      (then (i32.store8 (i32.const 2200) (i32.load8_u (i32.load (i32.const 2104))))))
    (i32.store8 (i32.const 2200) (i32.add (i32.load8_u (i32.const 2200)) (i32.const 1)))
    (call $put (i32.load (i32.const 2052)) (i32.const 64) (i32.const 1) (i32.const 2200) (i32.const 1) (i32.const 2300))
    (call $drop (i32.load (i32.const 2052)))
    (local.set $input (i32.const 2200)) (local.set $size (i32.const 1)) (local.set $case (i32.const 1))
    (i32.store8 (i32.const 1024) (i32.const 0))"""
    counting = core.replace("(module", imports, 1).replace(
        "\n    (i32.store8 (i32.const 1024) (i32.const 0))", body, 1
    )
    put(folder / "count.wasm", componentize(counting.encode(), wit_folder()))
    with PluginHost(folder) as host:
        assert [host.apply("count", "") for _ in range(2)] == [b"\1", b"\2"]
        host.rest("count")
        assert host.apply("count", "") == b"\3"
        put(
            folder / "count.wasm",
            componentize(counting.replace('1.0.0")\n', '1.0.9")\n', 1).encode(), wit_folder()),
        )
        assert [change.event for change in host.refresh()] == [Event.RELOADED]
        assert host.apply("count", "") == b"\4"
        assert not host.calls[-1].refused


def test_a_file_that_surprises_the_host_is_refused_and_the_others_are_loaded(
    folder: Path, put_echo: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wasm_lab.scenarios.plugins.contract import Contract

    check = Contract.check

    def surprised(self: Contract, world: object, name: str) -> str:
        if name == "odd":
            raise RecursionError("too deep")
        return check(self, world, name)  # type: ignore[arg-type]

    monkeypatch.setattr(Contract, "check", surprised)
    put_echo("even"), put_echo("odd"), put_echo("other")
    with PluginHost(folder) as host:
        assert host.names == ("even", "other")
        assert host.status("odd").reason == "RecursionError: too deep"


def test_an_exception_of_a_host_function_ends_the_call_and_no_more(folder: Path) -> None:
    from wasm_lab.scenarios.plugins.samples import hostile, put

    class Broken:
        @staticmethod
        def log(level: object, message: str) -> None:
            raise ValueError("a mistake of the host")

        class Drawer:
            @staticmethod
            def open(name: str) -> None: ...
            def get(self, key: str) -> None: ...
            def put(self, key: str, value: bytes) -> None: ...

    put(folder / "log_flood.wasm", hostile("log_flood"))
    with PluginHost(folder, imports={"wasm-lab:plugins/host": Broken}) as host:
        with pytest.raises(GuestTrap, match="ValueError: a mistake of the host") as caught:
            host.apply("log_flood", "")
        assert isinstance(caught.value.__cause__, ValueError)
        assert host.calls[-1].outcome is Outcome.TRAP
        assert host.status("log_flood").instances == 0
