"""Components that use the engine's own WASI 0.2: real Rust programs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

import wasm_lab
from wasm_lab.capabilities import Capabilities, ClockMode, Directory, RandomMode
from wasm_lab.components import Component
from wasm_lab.errors import DeadlineExceeded, GuestExit, GuestTrap, OutputExceeded
from wasm_lab.run import TrapKind

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

CODE = r"""
use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("sleep") => std::thread::sleep(Duration::from_millis(arguments[1].parse().unwrap())),
        Some("exit") => std::process::exit(3),
        Some("panic") => panic!("oh no"),
        Some("flood") => loop { println!("{}", "x".repeat(1000)) },
        Some("read") => println!("{:?}", std::fs::read_to_string(&arguments[1])),
        Some("env") => println!("{:?}", std::env::vars().collect::<Vec<_>>()),
        Some("dial") => println!("{}", std::net::TcpStream::connect("127.0.0.1:9").is_ok()),
        Some("time") => {
            let began = Instant::now();
            std::thread::sleep(Duration::from_secs(5));
            let map: HashMap<i32, i32> = (0..9).map(|k| (k, k)).collect();
            println!("{:?} {:?} {:?}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap(),
                began.elapsed(), map.keys().collect::<Vec<_>>())
        }
        _ => println!("hello"),
    }
}
"""


@pytest.fixture(scope="module")
def component() -> Component:
    return Component.load(wasm_lab.compile(CODE, target="wasm32-wasip2"))


def run(component: Component, *arguments: str, **given: object) -> str:
    said: list[bytes] = []
    capabilities = Capabilities(args=arguments, **given)  # type: ignore[arg-type]
    with component.instantiate(
        capabilities=capabilities, output=lambda stream, data: said.append(data)
    ) as instance:
        instance["wasi:cli/run"].run()
    return b"".join(said).decode()


def test_output_reaches_the_sink(component: Component) -> None:
    assert run(component) == "hello\n"


def test_files_environment_and_network_are_closed_at_first(component: Component, tmp_path: Path) -> None:
    (tmp_path / "note").write_text("here")
    assert "Err" in run(component, "read", "/data/note")
    folder = Directory(tmp_path, "/data", writable=False)
    assert run(component, "read", "/data/note", dirs=(folder,)) == 'Ok("here")\n'
    assert run(component, "env") == "[]\n"
    assert run(component, "env", env={"A": "b"}) == '[("A", "b")]\n'
    assert run(component, "dial") == "false\n"


def test_a_panic_tells_what_it_said_and_where(component: Component) -> None:
    with pytest.raises(GuestTrap) as caught:
        run(component, "panic")
    assert caught.value.trap.kind is TrapKind.PANIC
    assert caught.value.trap.message == "oh no"
    assert any("main" in frame.function for frame in caught.value.trap.frames)


def test_exit_and_flood(component: Component) -> None:
    with pytest.raises(GuestExit):
        run(component, "exit")
    with pytest.raises(OutputExceeded):
        run(component, "flood", output_bytes=100_000)


def test_a_sleep_ends_at_the_deadline(component: Component) -> None:
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        run(component, "sleep", "20000", deadline_s=0.3)
    assert time.monotonic() - began < 10, "it did not sleep on"
    began = time.monotonic()
    run(component, "sleep", "100", deadline_s=5.0)
    assert time.monotonic() - began >= 0.1, "a short sleep is a whole one"


def test_a_frozen_clock_and_seeded_randomness_repeat(component: Component) -> None:
    given = {"clock": ClockMode.FROZEN, "random": RandomMode.SEEDED, "seed": 3}
    first = run(component, "time", **given)
    assert first.startswith("946684805s 5s [")
    assert run(component, "time", **given) == first
    prepared = component.link(capabilities=Capabilities(args=("time",), **given))  # type: ignore[arg-type]
    said: list[bytes] = []
    for _ in range(2):  # each instance begins anew
        with prepared.instantiate(output=lambda _stream, data: said.append(data)) as instance:
            instance["wasi:cli/run"].run()
    assert b"".join(said).decode() == first * 2


def test_a_refused_clock_traps(component: Component) -> None:
    with pytest.raises(GuestTrap, match=r"wasi:clocks/.*is refused"):
        run(component, "time", clock=ClockMode.REFUSED)


def test_the_hosts_clock_wins(component: Component) -> None:
    """An interface that is given is the host's, beside the engine's own."""

    class Wall:
        @staticmethod
        def now() -> dict[str, int]:
            return {"seconds": 77, "nanoseconds": 0}

        @staticmethod
        def resolution() -> dict[str, int]:
            return {"seconds": 0, "nanoseconds": 1}

    said: list[bytes] = []
    with component.instantiate(
        {"wasi:clocks/wall-clock": Wall},
        capabilities=Capabilities(args=("time",)),
        output=lambda _stream, data: said.append(data),
    ) as instance:
        instance["wasi:cli/run"].run()
    assert b"".join(said).startswith(b"77s ")


def test_what_a_sink_raises_comes_out(component: Component) -> None:
    def full(_stream: str, _data: bytes) -> None:
        raise OSError("the disk is full")

    for arguments in ((), ("flood",)):
        with (
            component.instantiate(capabilities=Capabilities(args=arguments), output=full) as instance,
            pytest.raises(OSError, match="the disk is full"),
        ):
            instance["wasi:cli/run"].run()
