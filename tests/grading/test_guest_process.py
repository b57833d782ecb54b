"""The walls of a guest's process from inside, and a process that was taken over, as its judge sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wasm_lab.cells import parse_cell
from wasm_lab.confine.landlock import landlock_version
from wasm_lab.confine.syscalls import syscalls_can_be_closed
from wasm_lab.errors import MachineError, PoisonedError, WasmLabError
from wasm_lab.grading import guest_process, wire
from wasm_lab.grading.guest_process import GuestProcess
from wasm_lab.grading.judge import JudgeSession
from wasm_lab.grading.nursery import VARIABLE, open_nursery
from wasm_lab.grading.said import plain_text
from wasm_lab.grading.wire import Reply, WrongMessage, unpack
from wasm_lab.run import TrapKind

pytestmark = pytest.mark.skipif(not landlock_version(), reason="the kernel has no Landlock")

MIB = 1024 * 1024

#: Walls itself in as a guest's process does, and then does what a guest would that had broken out of wasmtime.
INSIDE = """
import ctypes, json, os, signal, socket, sys, threading
sys.path[:] = json.loads(sys.argv[1])
from pathlib import Path
from wasm_lab.grading import guest
given, folder, judge = Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
guest.Guest()
guest._wall_in(512 << 20, [given])
done = {}
def attempt(name, what):
    try:
        what()
        done[name] = "done"
    except BaseException as error:
        done[name] = type(error).__name__
libc = ctypes.CDLL(None, use_errno=True)
def checked(result):
    if result < 0: raise OSError(ctypes.get_errno(), "refused")
attempt("reads what it is given", lambda: (given / "data").read_bytes())
attempt("reads Python's files", lambda: Path(json.__file__).read_bytes())
attempt("a thread", lambda: (lambda t: (t.start(), t.join()))(threading.Thread(target=int)))
attempt("memory in bounds", lambda: bytearray(100 << 20))
for path in ("/etc/passwd", "/proc/self/environ", f"/proc/{judge}/environ", f"/proc/{judge}/maps", folder / "hidden"):
    attempt(f"reads {path}", lambda: open(path, "rb").read())
for path in ("/", "/tmp", folder, given): attempt(f"lists {path}", lambda: os.listdir(path))
for path in ("/tmp/wasm-lab-evil", folder / "new", given / "new", "/dev/shm/evil"):
    attempt(f"writes {path}", lambda: open(path, "w"))
attempt("unlinks", lambda: os.unlink(folder / "hidden"))
attempt("links", lambda: os.symlink("/", folder / "link"))
for kind in ("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"):
    for sort in ("SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW"):
        attempt(f"socket {kind} {sort}", lambda: socket.socket(getattr(socket, kind), getattr(socket, sort)))
attempt("forks", os.fork)
attempt("executes", lambda: os.execv("/bin/sh", ["sh"]))
attempt("spawns", lambda: os.posix_spawn("/bin/sh", ["sh"], {}))
attempt("kills its judge", lambda: os.kill(judge, signal.SIGTERM))
attempt("signals its judge", lambda: os.kill(judge, 0))
attempt("a session of its own", os.setsid)
attempt("traces its judge", lambda: checked(libc.ptrace(16, judge, 0, 0)))
attempt("reads its judge's memory", lambda: open(f"/proc/{judge}/mem", "rb").read(1))
attempt("more memory than it may", lambda: [bytearray(64 << 20) for _ in range(10)])
attempt("more memory than it was limited to", lambda: __import__("resource").setrlimit(2, (1 << 40, 1 << 40)))
attempt("a large file in memory", lambda: os.truncate(os.memfd_create("x"), 1 << 30))
attempt("a user of its own", lambda: checked(libc.unshare(0x10000000)))
import mmap, resource
attempt("limits its judge", lambda: resource.prlimit(judge, resource.RLIMIT_NOFILE, (64, 64)))
attempt("moves its judge", lambda: os.sched_setaffinity(judge, {0}))
attempt("slows its judge", lambda: os.setpriority(os.PRIO_PROCESS, judge, 19))
attempt("slows all of its user's", lambda: os.setpriority(os.PRIO_USER, os.getuid(), 19))
attempt("stops a thread of its judge", lambda: checked(libc.syscall(234 if os.uname().machine == "x86_64" else 131, judge, judge, 19)))
attempt("memory that stays", lambda: checked(libc.shmget(0x7762, 4096, 0o1666)))
attempt("messages that stay", lambda: checked(libc.msgget(0x7762, 0o1666)))
attempt("memory that no limit counts", lambda: mmap.mmap(-1, 4 << 30))
attempt("another name for the machine", lambda: checked(libc.sethostname(b"evil", 4)))
attempt("what the kernel said", lambda: checked(libc.klogctl(10, None, 0)))
print(json.dumps(done))
"""


@pytest.fixture(scope="module")
def tried(tmp_path_factory):
    given, folder = tmp_path_factory.mktemp("given"), tmp_path_factory.mktemp("hidden")
    (given / "data").write_bytes(b"given")
    (folder / "hidden").write_bytes(b"tests")
    path = json.dumps(guest_process._search_path())
    words = [sys.executable, "-I", "-S", "-c", INSIDE, path, str(given), str(folder), str(os.getpid())]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True, env={}, cwd="/")
    assert (folder / "hidden").read_bytes() == b"tests"
    found = json.loads(done.stdout)
    assert len(found) > 45
    return found


OPEN = ("reads what it is given", "reads Python's files", "a thread", "memory in bounds")


def test_behind_the_walls_the_engine_has_what_it_needs(tried):
    assert {name: tried[name] for name in OPEN} == dict.fromkeys(OPEN, "done")
    assert [name for name in tried if name.startswith("lists ") and tried[name] == "done"] == [
        name for name in tried if name.startswith("lists ") and "given" in name
    ]


@pytest.mark.skipif(
    not syscalls_can_be_closed(), reason="calls of the kernel are closed on x86-64 and ARM alone"
)
def test_and_nothing_else(tried):
    """Some of this needs the kernel's newer Landlock, and all of it its filter of calls."""
    opened = {name for name, how in tried.items() if how == "done"}
    assert opened == {*OPEN, *(name for name in opened if name.startswith("lists ") and "given" in name)}


def test_it_ends_when_its_judge_does():
    code = (
        "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from wasm_lab.grading.guest_process import GuestProcess; "
        "import os; g = GuestProcess(memory_bytes=1 << 28); print(g.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    words = [sys.executable, "-c", code, json.dumps(guest_process._search_path())]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    pid = int(done.stdout)
    until = time.monotonic() + 60
    while (
        Path(f"/proc/{pid}").exists()
        and "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]
    ):
        assert time.monotonic() < until
        time.sleep(0.02)


# A process that was taken over -------------------------------------------------------------

#: Begins as a guest's process does, and then says what it likes.
TAKEN = """
import os, pickle, socket, struct, time
import msgpack
line = socket.socket(fileno=int(sys.argv[2]))
def raw(body): line.sendall(struct.pack(">I", len(body)) + body)
def say(value): raw(msgpack.packb(value))
def hear():
    size, = struct.unpack(">I", line.recv(4, socket.MSG_WAITALL))
    return msgpack.unpackb(line.recv(size, socket.MSG_WAITALL))
say(["ready"])
while True:
    asked = hear()
    if asked[0] in ("module", "has", "drop"):
        say(["answer", None]); continue
    if asked[0] == "instantiate":
        say(["answer", [b"", b""]]); continue
    if asked[0] == "poisoned":
        say(["answer", ""]); continue
    {attack}
"""

TAKEOVERS = {
    "says nothing": "time.sleep(3600)",
    "ends": "os._exit(0)",
    "kills itself": "os.kill(os.getpid(), 9)",
    "no length": "line.sendall(b'\\0\\0')\n    time.sleep(3600)",
    "a length without end": "line.sendall(b'\\xff\\xff\\xff\\xff' + b'x' * 100)",
    "a length that is not kept": "line.sendall(struct.pack('>I', 1 << 20) + b'x')\n    time.sleep(3600)",
    "bytes one by one": "line.sendall(struct.pack('>I', 1 << 20))\n    while True: line.sendall(b'x'); time.sleep(0.01)",
    "no message": "raw(os.urandom(1000))",
    "a pickle": "raw(pickle.dumps(os.getcwd))",
    "nothing": "raw(b'')",
    "very deep": "raw(b'\\x91' * 100_000 + b'\\xc0')",
    "very many": "raw(b'\\xdd\\xff\\xff\\xff\\xff' + b'\\xc0' * 100)",
    "ten million": "raw(b'\\xdd' + struct.pack('>I', 10_000_000) + b'\\xc0' * 10_000_000)",
    "a map": "say({'answer': 4})",
    "an extension": "raw(b'\\x92\\xa6answer\\xd6\\xff\\0\\0\\0\\0')",
    "no list": "say('answer')",
    "an empty list": "say([])",
    "no such answer": "say(['passed', 4])",
    "an answer without a value": "say(['answer'])",
    "text for a number": "say(['answer', ['4', b'', b'']])",
    "a truth for a number": "say(['answer', [True, b'', b'']])",
    "a number too large": "say(['answer', [2**64 - 1, b'', b'']])",
    "a number for output": "say(['answer', [4, 4, 4]])",
    "a number alone": "say(['answer', 4])",
    "no output": "say(['answer', [4]])",
    "an error of Python's": "say(['refused', 'KeyboardInterrupt', 'x', 'y'])",
    "an error that is none": "say(['refused', 'annotations', 'x', 'y'])",
    "a trap that is none": "say(['trap', 'WasmLabError', 'x', None])",
    "a trap of no kind": "say(['trap', 'GuestTrap', 'x', ['passed', 'x', []]])",
    "a trap with wrong frames": "say(['trap', 'GuestTrap', 'x', ['trap', 'x', [[1, 2]]]])",
    "an exit with no status": "say(['exit', 'x', 'y'])",
    "text that is no Unicode": "raw(b'\\x92\\xa6failed\\xa2\\xff\\xff')",
}  # fmt: skip

#: What a process that was taken over may do after all: lie about the answer, as the student's code may.
LIES = {
    "another number": ("say(['answer', [-7, b'', b'']])", -7),
    "and much output": ("say(['answer', [-7, b'x' * 10_000_000, b'\\x1b[2J']])", -7),
}


def judge_of(monkeypatch, attack):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(guest_process, "_CODE", "\n" + TAKEN.replace("{attack}", attack))
    monkeypatch.setattr("wasm_lab.grading.guest_runtime.GRACE_S", 0.2)
    session = JudgeSession(digest="", deadline_s=0.3)
    code = "pub fn add(a: i32, b: i32) -> i32 { a + b } pub fn text() -> String { String::new() }"
    return session, session.define(session.compile(parse_cell(code, name="answer")))


@pytest.mark.parametrize("name", TAKEOVERS)
def test_the_judge_survives_a_process_that_was_taken_over(monkeypatch, name):
    session, cell = judge_of(monkeypatch, TAKEOVERS[name])
    pid = cell.instance._process.pid
    started = time.monotonic()
    with pytest.raises(WasmLabError):
        cell.functions["add"](2, 2)
    assert time.monotonic() - started < 60
    artifact = session.compile(parse_cell("fn main() {}", name="program"))
    run = session.run(artifact)
    assert not run.ok
    assert run.trap is not None
    assert run.trap.kind in (TrapKind.OTHER, TrapKind.DEADLINE, TrapKind.HOST)
    session.close()
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_an_answer_like_any_other(monkeypatch, name):
    attack, value = LIES[name]
    session, cell = judge_of(monkeypatch, attack)
    assert cell.functions["add"](2, 2) == value
    assert len(session.said["stdout"]) <= 256 * 1024
    session.close()


def test_memory_that_is_not_what_was_asked_for_loses_the_instance(monkeypatch):
    session, cell = judge_of(
        monkeypatch, "say(['answer', [5 << 32, b'', b'']] if asked[0] == 'call' else ['answer', b'x'])"
    )
    with pytest.raises(PoisonedError, match="no answer"):
        cell.functions["text"]()
    with pytest.raises(PoisonedError):
        cell.functions["add"](1, 1)
    session.close()


def test_a_process_that_does_not_begin_is_told(monkeypatch):
    monkeypatch.setattr(guest_process, "_CODE", "sys.exit(3)")
    with pytest.raises(MachineError, match="did not start"):
        GuestProcess(memory_bytes=MIB)


def test_after_a_loss_a_reset_has_a_new_process():
    session = JudgeSession(digest="")
    cell = session.define(
        session.compile(parse_cell("pub fn add(a: i32, b: i32) -> i32 { a + b }", name="answer"))
    )
    process = cell.instance._process
    os.kill(process.pid, 9)
    with pytest.raises(PoisonedError, match="SIGKILL"):
        cell.functions["add"](2, 2)
    cell.reset()
    assert cell.functions["add"](2, 2) == 4
    assert cell.instance._process is not process
    session.close()


# Born in a nursery ------------------------------------------------------------------------


@pytest.fixture
def nursery(monkeypatch):
    monkeypatch.setenv(VARIABLE, "")
    nursery = open_nursery()
    assert nursery is not None
    yield nursery
    nursery.close()


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_walled(pid):
    told = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
    )
    return told["NoNewPrivs"] == "1" and told["Seccomp"] == ("2" if syscalls_can_be_closed() else "0")


def test_a_nursery_forks_a_walled_process_for_each_judge(nursery):
    sessions = [JudgeSession(digest=""), JudgeSession(digest="")]
    artifact = sessions[0].compile(parse_cell("pub fn add(a: i32, b: i32) -> i32 { a + b }", name="answer"))
    cells = [session.define(artifact) for session in sessions]
    pids = [cell.instance._process.pid for cell in cells]
    assert len(set(pids)) == 2
    assert [parent_of(pid) for pid in pids] == [nursery.pid] * 2
    assert all(map(is_walled, pids))
    assert not is_walled(nursery.pid)
    assert [cell.functions["add"](2, 2) for cell in cells] == [4, 4]
    os.kill(pids[0], 9)
    with pytest.raises(PoisonedError, match="ended"):
        cells[0].functions["add"](2, 2)
    cells[0].reset()
    assert [cell.functions["add"](2, 3) for cell in cells] == [5, 5]
    for session in sessions:
        session.close()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_without_the_nursery_a_process_is_started_as_ever(nursery):
    nursery.close()
    process = GuestProcess(memory_bytes=MIB)
    assert parent_of(process.pid) == os.getpid()
    assert is_walled(process.pid)
    process.kill()


def test_children_end_with_their_nursery_and_with_their_judge(nursery):
    process = GuestProcess(memory_bytes=MIB)
    pid = process.pid
    nursery.close()
    until = time.monotonic() + 60
    while process.alive:
        assert time.monotonic() < until
        time.sleep(0.02)
    process.kill()
    assert (
        not Path(f"/proc/{pid}").exists()
        or "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]
    )


# Messages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b"", b"\xc1", b"\x93\x01", b"\x01\x02", b"\x81\xa1a\x01", b"\xc7\x01\x05x", b"\x91" * 5000]
)
def test_what_is_no_message_is_refused(body):
    with pytest.raises(WrongMessage):
        unpack(body)


def test_values_are_checked_as_they_are_taken():
    assert Reply([None, 1.5, -3]).number() is None
    with pytest.raises(WrongMessage):
        Reply([True]).integer()
    with pytest.raises(WrongMessage):
        Reply([1]).truth()
    with pytest.raises(WrongMessage):
        Reply([[1]]).each()
    with pytest.raises(WrongMessage):
        Reply({}).any()
    assert Reply(["x" * 100]).text(10) == "x" * 10
    assert unpack(wire.pack([1, "a", b"b", None, [2.5]])[4:]) == [1, "a", b"b", None, [2.5]]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain é 漢 😀\n\tindented", "plain é 漢 😀\n\tindented"),
        ("\x1b[31mred\x07", "\\u{1b}[31mred\\u{7}"),
        ("a\u202eb\u2066c\u200bd\ufeff", "a\\u{202e}b\\u{2066}c\\u{200b}d\\u{feff}"),
        ("\r\x85\u2028", "\\u{d}\\u{85}\\u{2028}"),
        ("<b>&", "<b>&"),
    ],
    ids=["plain", "terminal", "direction", "lines", "markup"],
)
def test_what_was_said_is_made_inert(said, shown):
    assert plain_text(said) == shown


def test_what_was_said_is_cut():
    assert plain_text("x" * 100, 10) == "xxxxxxxxxx … (100 characters)"
