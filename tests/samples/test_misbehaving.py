"""Each misbehaving guest ends as its comment says, in seconds, and the host goes on."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from wasm_lab.artifact import Artifact
from wasm_lab.capabilities import MIB, Capabilities, Directory
from wasm_lab.errors import GuestTrap, LoadError, PoisonedError
from wasm_lab.run import TrapKind
from wasm_lab.runtimes import get_runtime
from wasm_lab.source import Profile, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.run import Run

SHORT_S = 0.3
#: How late a guest may end on a busy machine.
LATE_S = 30.0


@pytest.mark.parametrize(
    "name",
    ["endless_loop.rs", "slow_start.wat", "sleeper.rs", "infinite_poll.rs", "random_hog.rs"],
)
@pytest.mark.parametrize("audit", [False, True], ids=["plain", "audit"])
def test_the_deadline_ends(
    run: Callable[..., Run], artifact: Callable[..., Artifact], name: str, audit: bool
) -> None:
    path = f"misbehaving/{name}"
    artifact(path)  # compiled before the clock starts
    started = time.monotonic()
    result = run(path, deadline_s=SHORT_S, audit=audit)
    took = time.monotonic() - started
    assert result.exit_status is None
    assert result.trap
    assert result.trap.kind is TrapKind.DEADLINE
    assert SHORT_S * 0.9 < took < SHORT_S + LATE_S


def test_waiting_for_input_ends_at_the_end_of_input(run: Callable[..., Run]) -> None:
    assert run("misbehaving/waits_for_input.rs").stdout == b"0 bytes\n"
    assert run("misbehaving/waits_for_input.rs", stdin="ä\n".encode()).stdout == b"3 bytes\n"


@pytest.mark.parametrize("name", ["memory_bomb.rs", "huge_allocation.rs"])
def test_the_memory_limit_ends(run: Callable[..., Run], name: str) -> None:
    result = run(f"misbehaving/{name}", memory_bytes=64 * MIB)
    assert result.trap
    assert result.trap.kind is TrapKind.ALLOCATION
    assert result.linear_memory_bytes <= 64 * MIB


def test_a_polite_allocation_gets_an_error(run: Callable[..., Run]) -> None:
    assert run("misbehaving/huge_allocation.rs").stdout.startswith(b"politely: memory allocation failed")


def test_memory_is_counted_up_to_the_limit(run: Callable[..., Run]) -> None:
    small, large = (run("misbehaving/memory_bomb.rs", memory_bytes=size * MIB) for size in (32, 96))
    assert small.stderr.count(b"MiB\n") < large.stderr.count(b"MiB\n")


@pytest.mark.parametrize("name", ["huge_memory.wat", "many_memories.wat"])
def test_memory_that_is_declared_counts_too(run: Callable[..., Run], name: str) -> None:
    result = run(f"misbehaving/{name}", memory_bytes=64 * MIB)
    assert result.trap, f"{name} ran"
    assert result.trap.kind is TrapKind.ALLOCATION


def test_tables_do_not_grow_without_end(run: Callable[..., Run]) -> None:
    result = run("misbehaving/table_bomb.wat")
    assert result.exit_status is not None
    assert result.exit_status < 16, f"{result.exit_status} million table elements"


def _open_descriptors() -> set[str]:
    """The descriptors that this process has open; none where the system does not list them."""
    listed = Path("/dev/fd")
    return {path.name for path in listed.iterdir()} if listed.is_dir() else set()


def test_open_files_are_limited_and_freed(run: Callable[..., Run], tmp_path: Path) -> None:
    folder = Directory(tmp_path, "/sandbox", writable=False)
    before = _open_descriptors()
    result = run("misbehaving/descriptor_hog.rs", dirs=(folder,), deadline_s=20.0)
    assert result.trap or b"opened, then: " in result.stdout
    assert Path(os.devnull).read_bytes() == b"", "the host has descriptors left"
    assert len(_open_descriptors() - before) < 10


@pytest.mark.parametrize("arguments", [[], ["stderr"]], ids=["stdout", "stderr"])
@pytest.mark.parametrize("audit", [False, True], ids=["plain", "audit"])
def test_the_output_limit_ends_a_flood(run: Callable[..., Run], arguments: list[str], audit: bool) -> None:
    result = run("misbehaving/output_flood.rs", *arguments, output_bytes=MIB, audit=audit)
    assert result.trap
    assert result.trap.kind is TrapKind.OUTPUT
    kept = result.stderr if arguments else result.stdout
    assert kept.startswith(b"All work and no play")
    assert MIB // 2 <= len(kept) <= MIB


def test_ignoring_errors_helps_no_guest(run: Callable[..., Run]) -> None:
    result = run("misbehaving/ignores_errors.rs", output_bytes=64 * 1024, deadline_s=5.0)
    assert result.trap
    assert result.trap.kind is TrapKind.OUTPUT
    assert len(result.stdout) <= 64 * 1024


@pytest.mark.parametrize(
    ("arguments", "kind"), [([], TrapKind.STACK_OVERFLOW), (["large"], TrapKind.OUT_OF_BOUNDS)]
)
def test_recursion_ends(run: Callable[..., Run], arguments: list[str], kind: TrapKind) -> None:
    result = run("misbehaving/stack_bomb.rs", *arguments)
    assert result.trap
    assert result.trap.kind is kind
    assert len(str(result.trap)) < 20_000, "thousands of equal frames are no help"


@pytest.mark.parametrize(
    ("arguments", "message", "function"),
    [
        ([], "the larder holds 3 eggs, 12 are needed", "bake"),
        (
            ["x"],
            "called `Result::unwrap()` on an `Err` value: ParseIntError { kind: InvalidDigit }",
            "read_number",
        ),
    ],
)
def test_a_panic_says_what_and_where(
    run: Callable[..., Run], samples: Path, arguments: list[str], message: str, function: str
) -> None:
    result = run("misbehaving/panic.rs", *arguments)
    assert result.trap
    assert result.trap.kind is TrapKind.PANIC
    assert message in result.trap.message
    frames = [frame.function for frame in result.trap.frames]
    assert any(function in frame for frame in frames), frames
    lines = (samples / "misbehaving/panic.rs").read_text().splitlines()
    place = next(line for line in result.stderr.decode().splitlines() if "panicked at" in line)
    number = int(place.rstrip(":").split(":")[-2])
    assert ("panic!" in lines[number - 1]) or ("unwrap" in lines[number - 1])


def test_overflow_panics_in_dev_and_wraps_otherwise(run: Callable[..., Run]) -> None:
    path = "misbehaving/integer_overflow.rs"
    assert run(path).stdout == b"2147483647 + 1 = -2147483648\n"
    dev = run(path, profile=Profile.DEV)
    assert dev.trap
    assert (dev.trap.kind, "attempt to add with overflow" in dev.trap.message) == (TrapKind.PANIC, True)


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize(
    ("path", "arguments", "message"),
    [
        ("divide_by_zero.rs", [], "attempt to divide by zero"),
        ("divide_by_zero.rs", ["min"], "attempt to divide with overflow"),
        ("out_of_bounds.rs", ["slice"], "index out of bounds: the len is 3 but the index is 7"),
        ("threads.rs", [], "failed to spawn thread"),
    ],
)
def test_checks_of_rust_panic_in_every_profile(
    run: Callable[..., Run], path: str, arguments: list[str], message: str, profile: Profile
) -> None:
    result = run(f"misbehaving/{path}", *arguments, profile=profile)
    assert result.trap
    assert result.trap.kind is TrapKind.PANIC
    assert message in result.trap.message


def test_pointers_reach_only_the_guests_own_memory(run: Callable[..., Run]) -> None:
    assert run("misbehaving/out_of_bounds.rs", "null").stdout == b"the byte at address 16 is 0\n"
    result = run("misbehaving/out_of_bounds.rs")
    assert result.trap
    assert result.trap.kind is TrapKind.OUT_OF_BOUNDS


TRAPS = {
    "unreachable": TrapKind.UNREACHABLE,
    "out_of_bounds": TrapKind.OUT_OF_BOUNDS,
    "divide_by_zero": TrapKind.DIVIDE_BY_ZERO,
    "integer_overflow": TrapKind.INTEGER_OVERFLOW,
    "bad_conversion": TrapKind.BAD_CONVERSION,
    "indirect_call_type": TrapKind.INDIRECT_CALL,
    "indirect_call_null": TrapKind.INDIRECT_CALL,
    "indirect_call_beyond": TrapKind.TABLE,
    "table_out_of_bounds": TrapKind.TABLE,
    "stack_overflow": TrapKind.STACK_OVERFLOW,
}


@pytest.mark.parametrize("name", TRAPS)
def test_each_trap_has_its_kind(
    run: Callable[..., Run], artifact: Callable[..., Artifact], name: str
) -> None:
    result = run("misbehaving/traps.wat", str(list(TRAPS).index(name)))
    assert result.trap
    assert result.trap.kind is TRAPS[name]
    instance = get_runtime().instantiate(artifact("misbehaving/traps.wat"), Capabilities())
    with pytest.raises(GuestTrap) as caught:
        instance.function(name)()
    assert caught.value.trap.kind is TRAPS[name]
    assert instance.poisoned
    with pytest.raises(PoisonedError):
        instance.function("unreachable")()


def test_abort_is_a_trap_without_a_message(run: Callable[..., Run]) -> None:
    result = run("misbehaving/abort.rs")
    assert result.stdout == b"before\n"
    assert result.trap
    assert result.trap.kind is TrapKind.UNREACHABLE


@pytest.mark.parametrize("status", [0, 1, 2, 42, 125, 126, 134, 200, 255])
@pytest.mark.parametrize("audit", [False, True], ids=["plain", "audit"])
def test_any_exit_status_is_the_guests_own(run: Callable[..., Run], status: int, audit: bool) -> None:
    result = run("misbehaving/exit_code.rs", str(status), audit=audit)
    assert (result.exit_status, result.trap, result.stdout) == (status, None, b"before\n")


@pytest.mark.parametrize("target", list(Target))
@pytest.mark.parametrize("writable", [None, False, True], ids=["closed", "read-only", "writable"])
def test_no_file_outside_can_be_reached(
    run: Callable[..., Run], tmp_path: Path, writable: bool | None, target: Target
) -> None:
    secret, work = tmp_path / "secret", tmp_path / "work"
    work.mkdir()
    secret.write_text("hunter2")
    (work / "link").symlink_to(secret)
    (work / "up").symlink_to("..")
    dirs = () if writable is None else (Directory(work, "/sandbox", writable=writable),)
    arguments = [
        str(secret),
        "/sandbox/up/secret",
        "/sandbox/./link",
        "/sandbox/link/",
        "//sandbox//..//secret",
        "/sandbox/\\..\\secret",
    ]
    result = run("misbehaving/file_snooper.rs", *arguments, dirs=dirs, target=target)
    lines = result.stdout.decode().splitlines()
    assert result.exit_status == 0, lines
    assert len(lines) == 8 + len(arguments) + 6
    assert all(line.startswith("refused: ") for line in lines)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["link", "secret", "up", "work"]
    assert secret.read_text() == "hunter2"


@pytest.mark.parametrize("target", list(Target))
def test_the_environment_is_empty(
    run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, target: Target
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    result = run("misbehaving/environment_snooper.rs", target=target)
    assert (result.exit_status, result.stdout) == (0, b"0 variables\n")
    given = run("misbehaving/environment_snooper.rs", "MODE", env={"MODE": "x"}, target=target)
    assert (given.exit_status, given.stdout) == (0, b"1 variables\n")


@pytest.mark.parametrize("target", list(Target))
def test_the_network_is_closed(run: Callable[..., Run], target: Target) -> None:
    result = run("misbehaving/network_attempt.rs", target=target)
    attempts = [line.split(b":")[0] for line in result.stdout.splitlines()]
    assert attempts == [b"connect", b"listen", b"datagram", b"resolve"]
    assert result.exit_status == 0, result.stdout


def test_a_refused_thread_can_be_handled(run: Callable[..., Run]) -> None:
    result = run("misbehaving/threads.rs", "politely")
    assert result.ok
    assert result.stdout.startswith(b"no thread: ")


@pytest.mark.parametrize("audit", [False, True], ids=["plain", "audit"])
def test_output_that_is_no_text_passes_unchanged(run: Callable[..., Run], audit: bool) -> None:
    expected = b"\xff\xfe\0\x1b[31mred\x1b[0m\rback\n\xe6\x97"
    result = run("misbehaving/strange_output.rs", audit=audit)
    assert result.stdout == expected


@pytest.mark.parametrize("audit", [False, True], ids=["plain", "audit"])
@pytest.mark.parametrize("letter", "abcdefghijk")
def test_pointers_beyond_memory_do_no_harm(
    run: Callable[..., Run], tmp_path: Path, letter: str, audit: bool
) -> None:
    folder = Directory(tmp_path, "/sandbox", writable=False)
    result = run("misbehaving/bad_pointers.wat", letter, stdin=b"x" * 100, dirs=(folder,), audit=audit)
    assert result.trap or result.exit_status in {21, 28, 48}, result
    assert result.stdout == b""


@pytest.mark.parametrize("audit", [False, True], ids=["plain", "audit"])
def test_descriptors_that_are_not_open_answer_badf(run: Callable[..., Run], audit: bool) -> None:
    result = run("misbehaving/bad_descriptors.wat", audit=audit)
    assert (result.exit_status, result.stdout) == (0, b"")


@pytest.mark.parametrize("audit", [False, True], ids=["plain", "audit"])
def test_a_path_that_is_no_utf8(run: Callable[..., Run], tmp_path: Path, audit: bool) -> None:
    folder = Directory(tmp_path, "/sandbox", writable=False)
    assert run("misbehaving/non_utf8_path.wat", dirs=(folder,), audit=audit).exit_status == 25
    assert run("misbehaving/non_utf8_path.wat", audit=audit).exit_status in {8, 25}


@pytest.mark.parametrize("audit", [False, True], ids=["plain", "audit"])
def test_host_calls_without_a_memory(run: Callable[..., Run], audit: bool) -> None:
    result = run("misbehaving/no_memory.wat", audit=audit)
    assert result.trap
    assert "memory" in str(result.trap)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing_import.wat", ["moon", "phase"]),
        ("wrong_import_type.wat", ["fd_write"]),
        ("no_entry.wat", ["_start"]),
    ],
)
@pytest.mark.parametrize("audit", [False, True], ids=["plain", "audit"])
def test_what_cannot_be_loaded_says_why(
    run: Callable[..., Run], name: str, words: list[str], audit: bool
) -> None:
    with pytest.raises(LoadError) as caught:
        run(f"misbehaving/{name}", audit=audit)
    assert [word for word in words if word not in str(caught.value)] == []


def test_data_beyond_memory_is_a_trap(run: Callable[..., Run]) -> None:
    result = run("misbehaving/data_out_of_bounds.wat")
    assert result.trap
    assert result.trap.kind is TrapKind.OUT_OF_BOUNDS


def _broken(good: bytes) -> dict[str, bytes]:
    """Broken modules, as the README says how to make them, and a few more."""
    return {
        "empty": b"",
        "only the magic": good[:4],
        "only the preamble and a half": good[:12],
        "truncated": good[:1000],
        "one byte short": good[:-1],
        "bad magic": b"MZ" + good[2:],
        "bad version": good[:4] + b"\2" + good[5:],
        "a component's layer": good[:4] + b"\x0d\0\x01\0" + good[8:],
        "trailing rubbish": good + b"rubbish",
        "text": b"hello, I am no module",
        "an ELF program": b"\x7fELF\2\1\1\0" + b"\0" * 100,
    }


@pytest.mark.parametrize("what", list(_broken(b"")))
def test_broken_modules_are_refused(artifact: Callable[..., Artifact], what: str) -> None:
    good = artifact("programs/hello.rs").wasm
    broken = Artifact(wasm=_broken(good)[what], label="broken.wasm")
    with pytest.raises(LoadError) as caught:
        get_runtime().run(broken, Capabilities())
    assert "broken.wasm" in str(caught.value)
    assert get_runtime().run(Artifact(wasm=good, label="good"), Capabilities()).ok


def test_a_guest_that_misbehaves_leaves_the_next_one_alone(run: Callable[..., Run]) -> None:
    kinds: list[Any] = []
    for name, options in [
        ("endless_loop.rs", {"deadline_s": 0.05}),
        ("stack_bomb.rs", {}),
        ("memory_bomb.rs", {"memory_bytes": 16 * MIB}),
        ("output_flood.rs", {"output_bytes": 1024}),
    ]:
        result = run(f"misbehaving/{name}", **options)
        kinds.append(result.trap and result.trap.kind)
        assert run("programs/hello.rs").stdout == b"Hello from the sandbox!\n"
    assert kinds == [TrapKind.DEADLINE, TrapKind.STACK_OVERFLOW, TrapKind.ALLOCATION, TrapKind.OUTPUT]
