"""Verdicts, grouping, and what a program's own words tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from wasm_lab.capabilities import Capabilities, Directory
from wasm_lab.run import HostCall
from wasm_lab.wasi.audit import AuditLog, grouped
from wasm_lab.wasi.descriptors import Descriptors
from wasm_lab.wasi.judge import judge, refused_by
from wasm_lab.wasi.refusals import audit_may_tell, folder_was_missed, refusals_in
from wasm_lab.wasi.tables import ERRNO, calls

READ_ONLY = Directory(Path("/host/ro"), "/ro", writable=False)
WRITABLE = Directory(Path("/host/rw"), "/rw")
BOTH = Capabilities(dirs=(READ_ONLY, WRITABLE))  # descriptors 3 and 4


def verdict(name, errno, *raw, capabilities=BOTH):
    call = calls()[name]
    padded = (*raw, *[0] * (len(call.core_parameters) - len(raw)))
    return judge(call, ERRNO[errno], padded, Descriptors(capabilities.dirs), capabilities)


@pytest.mark.parametrize(
    ("name", "errno", "raw", "flag"),
    [
        ("path_open", "perm", (3, 1, 0, 0, 0b1000), "--dir /host/ro::/ro"),  # to truncate
        ("path_open", "perm", (3, 1, 0, 0, 0, 1 << 6), "--dir /host/ro::/ro"),  # to write
        ("path_open", "perm", (3, 1, 0, 0, 0, 1 << 1), "--dir HOST::GUEST"),  # to read what lies outside
        ("path_unlink_file", "perm", (3,), "--dir /host/ro::/ro"),
        ("path_symlink", "perm", (0, 0, 3), "--dir /host/ro::/ro"),
        ("path_open", "perm", (4,), "--dir HOST::GUEST"),
        ("path_open", "notcapable", (4,), "--dir HOST::GUEST"),
        ("path_filestat_get", "perm", (3,), "--dir HOST::GUEST"),
        ("sock_accept", "badf", (3,), ""),
    ],
)
def test_refused(name, errno, raw, flag):
    result = verdict(name, errno, *raw)
    assert not result.allowed
    assert result.flag == flag


@pytest.mark.parametrize(
    ("name", "errno", "raw"),
    [
        ("path_open", "success", (3,)),
        ("path_open", "noent", (3,)),
        ("path_open", "acces", (4,)),  # the host's own file modes, which no flag changes
        ("fd_prestat_get", "badf", (5,)),  # how a guest finds the last opened folder
        ("fd_close", "badf", (9,)),
        ("clock_time_get", "success", (0,)),
    ],
)
def test_not_refused(name, errno, raw):
    assert verdict(name, errno, *raw).allowed


def test_a_path_where_no_folder_is_open():
    result = verdict("path_open", "badf", 3, capabilities=Capabilities())
    assert (result.allowed, result.capability, result.flag) == (False, "dirs", "--dir HOST::GUEST")


def test_every_refusal_names_a_capability():
    for capability in ("clock", "random", "dirs", "hosts"):
        assert refused_by(capability).capability == capability
        assert not refused_by(capability).allowed


def record(log, name, errno=0, *raw):
    pending = log.before(calls()[name], raw, lambda address, size: bytes(size))
    log.after(pending, errno, started_ns=10, duration_ns=5)


def test_the_log_is_bounded():
    log = AuditLog(Capabilities(), kept_calls=3)
    for _ in range(10):
        record(log, "sched_yield")
    record(log, "fd_close", ERRNO["badf"], 9)
    calls_ = log.take()
    assert len(calls_) == 5
    assert [(call.name, call.arguments) for call in calls_[3:]] == [
        ("sched_yield", {"calls": 7}),
        ("fd_close", {"calls": 1}),
    ]
    assert log.take() == ()


def call(name, result="success", allowed=True, duration_ns=1, **arguments):
    return HostCall(name=name, arguments=arguments, result=result, allowed=allowed, duration_ns=duration_ns)


def test_grouping():
    groups = grouped([
        call("fd_write", "5 bytes", fd="stdout"),
        call("path_open", "fd 4", path="a"),
        call("fd_write", "7 bytes", fd="stdout", duration_ns=3),
        call("fd_write", "7 bytes", fd="stderr"),
        call("path_open", "perm", allowed=False, path="a"),
        call("path_open", "noent", path="a"),
        call("fd_write", calls=40),
    ])  # fmt: skip
    assert [(group.name, group.subject, group.result, group.count) for group in groups] == [
        ("fd_write", "stdout", "5 bytes", 2),
        ("path_open", "a", "fd 4", 1),
        ("fd_write", "stderr", "7 bytes", 1),
        ("path_open", "a", "perm", 1),
        ("path_open", "a", "noent", 1),
        ("fd_write", "", "success", 40),
    ]
    assert groups[0].duration_ns == 4
    assert not groups[3].allowed


RUST_OLD = (
    'Error: Custom { kind: Uncategorized, error: "failed to find a pre-opened file descriptor through which '
    '\\"data/in.txt\\" could be opened" }'
)


def test_paths_that_programs_tell_of():
    assert [refused.arguments["path"] for refused in refusals_in(RUST_OLD)] == ["data/in.txt"]
    assert [
        refused.arguments["path"] for refused in refusals_in("cat: a.txt: Capabilities insufficient\n")
    ] == ["a.txt"]
    twice = "a.txt: Capabilities insufficient\n" * 2
    assert [refused.arguments["path"] for refused in refusals_in(twice)] == ["a.txt"]
    assert refusals_in('Err(Os { code: 76, message: "Capabilities insufficient" })') == ()
    go = "open /data/in.txt: Bad file number\n"
    assert [refused.arguments["path"] for refused in refusals_in(go)] == ["/data/in.txt"]
    assert refusals_in("hello") == ()


def test_a_missed_folder_needs_both_signs():
    missed = folder_was_missed("Error: No such file or directory (os error 44)")
    assert "--dir" in missed.explanation
    assert folder_was_missed("division by zero") is None


def test_when_an_audit_may_tell():
    assert audit_may_tell("thread 'main' panicked: Operation not permitted (os error 63)")
    assert audit_may_tell("operation not supported on this platform")
    assert not audit_may_tell("hello")
