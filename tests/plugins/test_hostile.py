"""What becomes of each hostile plugin, and of the nine good ones beside it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from wasm_lab.capabilities import MIB, ClockMode, Directory, RandomMode
from wasm_lab.components import Err
from wasm_lab.errors import DeadlineExceeded, GuestExit, GuestTrap, OutputExceeded, PluginError
from wasm_lab.scenarios.plugins.cabinet import OPEN_DRAWERS
from wasm_lab.scenarios.plugins.host import PluginHost
from wasm_lab.scenarios.plugins.records import Call, Outcome, State
from wasm_lab.scenarios.plugins.samples import SNOOPER, hostile_names
from wasm_lab.scenarios.plugins.settings import PLUGIN_DEFAULTS, Settings

Put = Callable[..., Path]

#: Short, because some of them always use it up.
QUICK = Settings(defaults=replace(PLUGIN_DEFAULTS, deadline_s=0.3, memory_bytes=8 * MIB))

GOOD = [f"good-{number}" for number in range(1, 10)]

#: Refused when they are loaded, and a part of the reason.
REFUSED = {
    "slow_start": "deadline",
    "huge_memory": "memor",
    "bad_text": "utf-8",
    "next_version": "made for version 2.0.0",
    "wrong_types": "other types",
    "missing_function": "without apply",
    "wants_more": "this host has none",
}

#: Loaded, and how a call of them ends.
ENDS = {
    "endless_loop": (DeadlineExceeded, Outcome.DEADLINE),
    "memory_bomb": (GuestTrap, Outcome.TRAP),
    "stack_bomb": (GuestTrap, Outcome.TRAP),
    "trap_after_answer": (GuestTrap, Outcome.TRAP),
    "bad_pointers": (GuestTrap, Outcome.TRAP),
    "huge_answer": (GuestTrap, Outcome.TRAP),
    "random_hog": (GuestTrap, Outcome.TRAP),
    "log_flood": (OutputExceeded, Outcome.OUTPUT),
}

#: Have tests of their own below.
APART = {"late_trap", "hoarder", "impostor"}


@pytest.fixture
def nine(put_echo: Put) -> None:
    for name in GOOD:
        put_echo(name)


@pytest.fixture
def host(folder: Path, nine: None) -> Iterator[PluginHost]:
    with PluginHost(folder, settings=QUICK) as made:
        yield made


def assert_nine_are_well(host: PluginHost) -> None:
    for name in GOOD:
        assert host.apply(name, name.encode()) == name.encode()
        status = host.status(name)
        assert (status.state, status.failed) == (State.READY, 0)


def test_every_hostile_plugin_has_a_test() -> None:
    assert {*REFUSED, *ENDS, *APART} == set(hostile_names())


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_it_is_never_loaded_and_the_nine_go_on(host: PluginHost, put_sample: Put, name: str) -> None:
    put_sample(name)
    (change,) = host.refresh()
    assert change.name == name
    assert REFUSED[name] in change.reason.lower()
    assert host.status(name).state is State.REFUSED
    assert name not in host.names
    assert_nine_are_well(host)


@pytest.mark.parametrize("name", sorted(ENDS))
def test_its_call_ends_and_the_next_one_gets_a_fresh_instance(
    host: PluginHost, put_sample: Put, name: str
) -> None:
    error, outcome = ENDS[name]
    put_sample(name)
    host.refresh()
    assert name in host.names, host.status(name).reason
    for _ in range(2):
        with pytest.raises(error):
            host.apply(name, b"")
        assert host.calls[-1].outcome is outcome, host.calls[-1]
        assert host.calls[-1].why
        assert host.status(name).instances == 0
    assert host.calls[-1].instantiate_ns > 0
    assert host.status(name).failed == 2
    assert_nine_are_well(host)


def test_a_late_trap_costs_one_call_and_no_more(host: PluginHost, put_sample: Put) -> None:
    put_sample("late_trap")
    host.refresh()
    ends = []
    for _ in range(9):
        with contextlib.suppress(GuestTrap):
            host.apply("late_trap", b"")
        ends.append(host.calls[-1].outcome)
    assert ends == [Outcome.OK, Outcome.OK, Outcome.TRAP] * 3
    assert_nine_are_well(host)


def test_an_impostor_gains_nothing(host: PluginHost, put_sample: Put, put_echo: Put) -> None:
    put_echo("markdown")
    put_sample("impostor")
    host.refresh()
    description = host.status("impostor").description
    assert description is not None
    assert description["name"] == "markdown"
    assert host.apply("markdown", b"mine") == b"mine"
    assert host.apply("impostor", b"mine") == ""


def test_a_hoarder_gets_so_many_drawers_and_gives_them_back_with_its_instance(
    host: PluginHost, put_sample: Put
) -> None:
    put_sample("hoarder")
    host.refresh()
    for _ in range(3):
        assert host.apply("hoarder", b"") == ""
        (refused,) = host.calls[-1].refused
        assert f"{OPEN_DRAWERS} are open" in refused
        host.rest("hoarder")  # its instance is closed, and with it what it held
    assert_nine_are_well(host)


def test_the_nine_lose_nothing_while_one_loops(host: PluginHost, put_sample: Put) -> None:
    """An endless loop in one thread after the other; meanwhile every call of the nine is answered."""
    put_sample("endless_loop")
    host.refresh()
    done = threading.Event()
    loops: list[Call] = []

    def loop() -> None:
        while not done.is_set():
            try:
                host.apply("endless_loop", b"")
            except DeadlineExceeded as error:
                loops.append(error.call)  # type: ignore[attr-defined]

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        until = time.monotonic() + 60
        rounds = 0
        while len(loops) < 2 and time.monotonic() < until:
            assert_nine_are_well(host)
            rounds += 1
    finally:
        done.set()
        thread.join()
    assert rounds > 2
    assert len(loops) >= 2
    for name in GOOD:
        status = host.status(name)
        assert (status.calls, status.failed) == (rounds + 1, 0)  # one for its description
    assert all(call.outcome is Outcome.DEADLINE for call in loops)


def test_all_hostile_ones_at_once_beside_the_nine(host: PluginHost, put_sample: Put) -> None:
    for name in hostile_names():
        put_sample(name)
    host.refresh()
    wrong: list[object] = []

    def call(name: str) -> None:
        try:
            host.apply(name, b"")
        except (GuestTrap, PluginError, Err):
            pass
        except BaseException as error:
            wrong.append((name, error))

    threads = [threading.Thread(target=call, args=(name,)) for name in hostile_names()]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert_nine_are_well(host)
    for thread in threads:
        thread.join()
    assert not wrong
    assert_nine_are_well(host)


# The one in Rust --------------------------------------------------------------------------

SECRET = "a secret that no plugin may see"


@pytest.fixture
def snooping(
    folder: Path, nine: None, tmp_path: Path, put_sample: Put, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PluginHost]:
    """A host with the snooper, on a machine that has something to be found."""
    (tmp_path / "secret.txt").write_text(SECRET)
    monkeypatch.setenv("WASM_LAB_TEST_SECRET", SECRET)
    put_sample(SNOOPER)
    with PluginHost(folder, settings=QUICK) as made:
        yield made


def attempt(host: PluginHost, order: str) -> str:
    """What the snooper got, or why it got nothing."""
    try:
        return str(host.apply(SNOOPER, order))
    except Err as error:
        return f"no: {error.value.value}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "order", ["files {}/secret.txt", "files /etc/passwd", "write {}/secret.txt", "write x"]
)
def test_it_reaches_no_file(snooping: PluginHost, tmp_path: Path, order: str) -> None:
    found = attempt(snooping, order.format(tmp_path))
    assert found.startswith("no: ")
    assert (tmp_path / "secret.txt").read_text() == SECRET
    assert snooping.calls[-1].refused == ("files: no folder is open to it",)
    assert_nine_are_well(snooping)


@pytest.mark.slow
def test_it_reaches_the_folder_that_it_is_given_and_no_more(
    folder: Path, tmp_path: Path, put_sample: Put
) -> None:
    (tmp_path / "secret.txt").write_text(SECRET)
    given = tmp_path / "given"
    given.mkdir()
    (given / "note.txt").write_text("a note")
    put_sample(SNOOPER)
    granted = replace(
        PLUGIN_DEFAULTS, dirs=(Directory(given, "/given", writable=False),), env={"MODE": "test"}
    )
    with PluginHost(folder, settings=Settings({SNOOPER: granted})) as host:
        assert attempt(host, "files /given/note.txt") == "a note"
        assert attempt(host, "files /given/../secret.txt").startswith("no: ")
        assert attempt(host, "write /given/new.txt").startswith("no: ")
        assert attempt(host, "environment") == "MODE=test\n"
    assert [path.name for path in given.iterdir()] == ["note.txt"]


@pytest.mark.slow
def test_it_sees_no_environment_no_arguments_and_no_input(snooping: PluginHost) -> None:
    assert attempt(snooping, "environment") == ""
    assert attempt(snooping, "arguments") == ""
    assert attempt(snooping, "input") == ""


@pytest.mark.slow
def test_it_reaches_no_network(snooping: PluginHost) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert attempt(snooping, f"connect 127.0.0.1:{port}").startswith("no: ")
        assert snooping.calls[-1].refused == ("network: create-tcp-socket",)
        listener.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listener.accept()
    assert attempt(snooping, "resolve localhost:80").startswith("no: ")
    assert snooping.calls[-1].refused == ("network: resolve-addresses",)


@pytest.mark.slow
def test_its_clock_stands_still_and_its_randomness_repeats_itself(snooping: PluginHost) -> None:
    clocks, randoms = set(), set()
    for _ in range(3):
        clocks.add(attempt(snooping, "clock"))
        randoms.add(attempt(snooping, "random"))
        snooping.rest(SNOOPER)
    assert clocks == {"946684800000000000"}
    assert len(randoms) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("order", "outcome"),
    [
        ("panic", Outcome.TRAP),
        ("exit", Outcome.EXIT),
        ("recurse", Outcome.TRAP),
        ("print 100000000", Outcome.OUTPUT),
        ("sleep 3600", Outcome.DEADLINE),
        ("allocate 1000000000", Outcome.MEMORY),
    ],
)
def test_it_is_stopped(snooping: PluginHost, order: str, outcome: Outcome) -> None:
    with pytest.raises((GuestTrap, GuestExit)):
        attempt(snooping, order)
    assert snooping.calls[-1].outcome is outcome, snooping.calls[-1]
    assert attempt(snooping, "remember") == "1"  # a fresh instance
    assert_nine_are_well(snooping)


@pytest.mark.slow
def test_a_panic_is_told_in_its_own_words(snooping: PluginHost) -> None:
    with pytest.raises(GuestTrap, match="as it was told to"):
        attempt(snooping, "panic")


@pytest.mark.slow
@pytest.mark.parametrize("capability", ["clock", "random"])
def test_a_refused_clock_or_randomness_ends_the_call_that_asks(
    folder: Path, put_sample: Put, capability: str
) -> None:
    put_sample(SNOOPER)
    refused = replace(
        PLUGIN_DEFAULTS,
        clock=ClockMode.REFUSED if capability == "clock" else ClockMode.REAL,
        random=RandomMode.REFUSED if capability == "random" else RandomMode.REAL,
    )
    with PluginHost(folder, settings=Settings({SNOOPER: refused})) as host:
        with pytest.raises(GuestTrap, match="which it was not given"):
            attempt(host, capability)
        assert host.calls[-1].refused[0].startswith(capability)
        assert attempt(host, "arguments") == ""
        other = "random" if capability == "clock" else "clock"
        assert attempt(host, other)


@pytest.mark.slow
def test_a_real_clock_goes_on(folder: Path, put_sample: Put) -> None:
    put_sample(SNOOPER)
    real = replace(PLUGIN_DEFAULTS, clock=ClockMode.REAL)
    with PluginHost(folder, settings=Settings({SNOOPER: real})) as host:
        first, second = int(attempt(host, "clock")), int(attempt(host, "clock"))
    assert first <= second <= time.time_ns() < first + 60 * 10**9
