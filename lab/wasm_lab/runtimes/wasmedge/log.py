"""WasmEdge writes its own log among the guest's standard output; here the two are told apart.

A line of the log that stands last is the engine's word on how the guest ended. A guest can write the
same and end with the same status, and so pass off an exit as a trap; that deceives only about itself.
"""

from __future__ import annotations

import re

_START = re.compile(rb"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\] \[(?:error|critical|warning|info)\] ")
#: Longer than what `_START` matches.
_START_BYTES = 48

#: Written in the middle of a run, whenever memory or a table cannot grow.
_DURING = re.compile(rb"(?:Memory|Table) Instance: ")

_VERDICT = re.compile(
    rb"(?P<stage>execution|wasmedge runtime|loading|validation|instantiation|compilation|user defined) failed: "
    rb"(?P<message>.*?), Code: 0x(?P<code>[0-9a-f]+)"
)


class LogFilter:
    """Passes the guest's output on and keeps back what may be the engine's.

    Example:
        >>> sieve = LogFilter()
        >>> sieve.feed(b"hello[2026-01-01 00:00:00.000] [error] execution failed: unreachable, Code: 0x40a\\n")
        b'hello'
        >>> sieve.finish(), sieve.verdict
        (b'', ('execution', 'unreachable'))
    """

    def __init__(self) -> None:
        self._pending = b""  # not looked at yet, or not to be told yet
        self._held: list[bytes] = []  # lines like the log's, after which nothing came so far
        self.during: list[str] = []  #: what the engine said while the guest ran
        self.verdict: tuple[str, str] | None = None  #: the stage that failed and why, once it has ended

    def feed(self, data: bytes) -> bytes:
        """What of the output so far is surely the guest's and was not passed on yet."""
        self._pending += data
        out: list[bytes] = []
        while self._pending:
            found = _START.search(self._pending)
            if found is None:
                out.append(self._without_log())
                break
            if found.start():
                out += [*self._held, self._pending[: found.start()]]
                self._held.clear()
                self._pending = self._pending[found.start() :]
            line, newline, rest = self._pending.partition(b"\n")
            if not newline:
                break
            self._pending = rest
            text = line[found.end() - found.start() :]
            if _DURING.match(text):
                self.during.append(text.decode(errors="replace"))
            else:
                self._held.append(line + newline)
        return b"".join(out)

    def _without_log(self) -> bytes:
        """All that is pending, but for an end that may be the beginning of a line of the log."""
        at = self._pending.find(b"[", max(0, len(self._pending) - _START_BYTES))
        kept = self._pending[at:] if at >= 0 else b""
        told = self._pending[: len(self._pending) - len(kept)]
        self._pending = kept
        if not told:
            return b""
        before = b"".join(self._held)
        self._held.clear()
        return before + told

    def finish(self) -> bytes:
        """The rest of the guest's output. Sets ``verdict`` when the engine gave one."""
        for position, line in enumerate(self._held):
            found = _VERDICT.search(line)
            if found and not self._pending:
                self.verdict = (found["stage"].decode(), found["message"].decode(errors="replace"))
                rest = b"".join(self._held[:position])
                self._detail = b"".join(self._held[position:])
                return rest
        return b"".join([*self._held, self._pending])

    @property
    def detail(self) -> str:
        """The lines of the verdict, without times and levels."""
        lines = getattr(self, "_detail", b"").splitlines()
        return "; ".join(_START.sub(b"", line).strip().decode(errors="replace") for line in lines)
