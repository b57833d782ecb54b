"""The audit: each host call as a HostCall, bounded, and grouped when there are many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.run import HostCall
from wasm_lab.wasi import decode
from wasm_lab.wasi.descriptors import Descriptors
from wasm_lab.wasi.judge import Verdict, judge
from wasm_lab.wasi.tables import ERRNO, Call, errno_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wasm_lab.capabilities import Capabilities
    from wasm_lab.wasi.decode import ReadMemory

#: Calls kept one by one; those after are counted by name and result. A guest can make
#: some ten thousand audited calls in a second, and each record takes about a kilobyte.
KEPT_CALLS = 10_000


class AuditLog:
    """The host calls of one guest, as they are made.

    Example:
        >>> from wasm_lab.capabilities import Capabilities
        >>> from wasm_lab.wasi.tables import calls
        >>> log = AuditLog(Capabilities())
        >>> before = log.before(calls()["sched_yield"], [], lambda address, size: b"")
        >>> log.after(before, 0, started_ns=0, duration_ns=5)
        >>> log.take()[0].result
        'success'
    """

    def __init__(self, capabilities: Capabilities, *, kept_calls: int = KEPT_CALLS) -> None:
        self.descriptors = Descriptors(capabilities.dirs)
        self._capabilities = capabilities
        self._room = kept_calls
        self._calls: list[HostCall] = []
        self._beyond: dict[tuple[str, str, bool, str, str], list[int]] = {}

    def before(self, call: Call, raw: Sequence[int], read: ReadMemory) -> Pending:
        """What a call asks for; to be completed by `after`."""
        return Pending(call, tuple(raw), read, decode.arguments(call, raw, read, self.descriptors))

    def after(
        self,
        pending: Pending,
        errno: int,
        *,
        started_ns: int,
        duration_ns: int,
        verdict: Verdict | None = None,
    ) -> None:
        """Record what a call came back with.

        Args:
            verdict: given when the lab itself refused the call; else judged from ``errno``.
        """
        call, raw = pending.call, pending.raw
        verdict = verdict or judge(call, errno, raw, self.descriptors, self._capabilities)
        result = decode.result(call, raw, pending.read) if errno == 0 else errno_name(errno)
        if errno == 0:
            self._follow(pending)
        if len(self._calls) < self._room:
            self._calls.append(
                HostCall(
                    name=call.name,
                    arguments=pending.arguments,
                    result=result,
                    allowed=verdict.allowed,
                    capability=verdict.capability,
                    flag=verdict.flag,
                    started_ns=started_ns,
                    duration_ns=duration_ns,
                )
            )
            return
        outcome = "success" if errno == 0 else result
        key = (call.name, outcome, verdict.allowed, verdict.capability, verdict.flag)
        counted = self._beyond.setdefault(key, [0, started_ns, 0])
        counted[0] += 1
        counted[2] += duration_ns

    def take(self) -> tuple[HostCall, ...]:
        """The calls since the last time; those that were only counted come last, one for each kind."""
        counted = [
            HostCall(
                name=name,
                arguments={"calls": number},
                result=result,
                allowed=allowed,
                capability=capability,
                flag=flag,
                started_ns=started_ns,
                duration_ns=duration_ns,
            )
            for (name, result, allowed, capability, flag), (number, started_ns, duration_ns) in (
                self._beyond.items()
            )
        ]
        taken = (*self._calls, *counted)
        self._calls, self._beyond = [], {}
        return taken

    def _follow(self, pending: Pending) -> None:
        """Keep the names of descriptors right after a call that succeeded."""
        raw, name = pending.raw, pending.call.name
        try:
            if name == "path_open":
                opened = int.from_bytes(pending.read(raw[-1] & 0xFFFFFFFF, 4), "little")
                self.descriptors.opened(opened, raw[0], str(pending.arguments["path"]))
            elif name == "fd_close":
                self.descriptors.closed(raw[0])
            elif name == "fd_renumber":
                self.descriptors.renumbered(raw[0], raw[1])
        except IndexError:
            return  # another thread of the guest, or a shrunk memory: a name may be missing


@dataclass(frozen=True, slots=True)
class Pending:
    """A call that has been asked for and not yet answered."""

    call: Call
    raw: tuple[int, ...]
    read: ReadMemory
    arguments: dict[str, object]


@dataclass(frozen=True, slots=True)
class Group:
    """Calls that are alike: same name, same subject, same result."""

    name: str
    subject: str  #: the path or descriptor that they were about; empty when about none
    result: str  #: of the first of them
    allowed: bool
    capability: str
    flag: str
    count: int
    started_ns: int  #: of the first of them
    duration_ns: int  #: of all together


#: Arguments that tell what a call is about, the most telling first.
_SUBJECTS = ("path", "fd", "dir", "clock")


def grouped(calls: Iterable[HostCall]) -> tuple[Group, ...]:
    """An audit in short: one row for calls that are alike, in the order of their first.

    Results of allowed calls may differ within a group (other times, other sizes);
    refused calls are grouped by their result too.
    """
    rows: dict[tuple[str, str, bool, str], list[HostCall]] = {}
    for call in calls:
        subject = next((str(call.arguments[key]) for key in _SUBJECTS if key in call.arguments), "")
        failed = call.result if call.result in ERRNO and call.result != "success" else ""
        rows.setdefault((call.name, subject, call.allowed, failed), []).append(call)
    return tuple(
        Group(
            name=name,
            subject=subject,
            result=alike[0].result,
            allowed=allowed,
            capability=alike[0].capability,
            flag=alike[0].flag,
            count=sum(_number_of(call) for call in alike),
            started_ns=alike[0].started_ns,
            duration_ns=sum(call.duration_ns for call in alike),
        )
        for (name, subject, allowed, _), alike in rows.items()
    )


def _number_of(call: HostCall) -> int:
    number = call.arguments.get("calls", 1)
    return number if isinstance(number, int) else 1
