"""The generator of load: wrk, which keeps so many connections busy for so many seconds."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import MeasureError, ToolchainError
from wasm_lab.scenarios.loadtest.api import HELLO, JSON, SUM
from wasm_lab.toolchains.wrk import find_wrk, wrk_missing

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from wasm_lab.toolchains.wrk import Wrk

#: Seconds that wrk may take longer than it was told to.
GRACE_S = 10.0

#: Where in a load the server is weighed: late enough that its memory has grown.
WEIGHED_AT = 0.7

_MARK = "wasm-lab-load"

# Both requests are made once, and sent in turns. Percentiles are in microseconds.
_SCRIPT = """
local requests, turn = {}, 0
function init(arguments)
  requests[1] = wrk.format("%(get)s", "%(get_path)s")
  requests[2] = wrk.format("%(post)s", "%(post_path)s", {["Content-Type"] = "%(json)s"}, %(body)s)
end
function request()
  turn = turn %% 2 + 1
  return requests[turn]
end
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("%(mark)s %%d %%d %%d %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration,
    latency:percentile(50.0), latency:percentile(99.0), latency.max,
    errors.connect + errors.read + errors.write, errors.status, errors.timeout))
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one load gave."""

    requests: int  #: that were answered, whatever the status
    duration_us: int
    p50_us: int
    p99_us: int
    longest_us: int
    broken: int  #: connections that could not be made, or broke off
    refused: int  #: answers with a status of 400 or more
    late: int  #: answers that took longer than two seconds
    generator_share: float  #: of its cores' time that the generator itself was busy

    @property
    def per_second(self) -> float:
        """Requests that were answered well, in a second."""
        return max(0, self.requests - self.refused) / self.duration_us * 1e6

    @property
    def failed(self) -> int:
        return self.broken + self.refused + self.late


class Generator:
    """wrk with its script. Use it as a context manager.

    Args:
        threads: at most so many; one for each core that it has.

    Raises:
        ToolchainError: there is no wrk here.
    """

    def __init__(self, threads: int = 1) -> None:
        self.threads = max(1, threads)
        wrk = find_wrk()
        if wrk is None:
            raise ToolchainError("There is nothing here that generates load.", hint=wrk_missing())
        self.wrk: Wrk = wrk
        self._folder = tempfile.TemporaryDirectory(prefix="wasm-lab-load-")
        self._script = Path(self._folder.name) / "mix.lua"
        self._script.write_text(_SCRIPT % _words())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def run(
        self, port: int, connections: int, seconds: int, during: Callable[[], None] | None = None
    ) -> Load:
        """Load a server.

        Args:
            connections: kept open; on each the next request is sent when the last was answered.
            seconds: how long.
            during: called once, when most of the time is over.

        Raises:
            MeasureError: wrk failed, or the server answered nothing at all.
        """
        threads = min(self.threads, connections)
        words = [f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "-s", str(self._script)]
        command = [str(self.wrk.program), *words, f"http://127.0.0.1:{port}"]
        before = os.times()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            time.sleep(seconds * WEIGHED_AT)
            if during:
                during()
            said, _ = process.communicate(timeout=seconds + GRACE_S)
        except subprocess.TimeoutExpired:
            raise MeasureError(f"wrk did not end within {seconds + GRACE_S:.0f} s.") from None
        finally:
            if process.poll() is None:
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if process.stdout:
                process.stdout.close()
        after = os.times()
        busy_s = (after.children_user - before.children_user) + (
            after.children_system - before.children_system
        )
        return _read(said, busy_s / threads)


def _words() -> dict[str, str]:
    return {
        "get": HELLO.method,
        "get_path": HELLO.path,
        "post": SUM.method,
        "post_path": SUM.path,
        "json": JSON,
        "body": json.dumps(SUM.body.decode()),  # a string of Lua is written like one of JSON here
        "mark": _MARK,
    }


def _read(said: str, busy_s: float) -> Load:
    match = re.search(rf"^{_MARK}((?: \d+){{8}})$", said, re.MULTILINE)
    if match is None:
        raise MeasureError(f"wrk said nothing of what it measured, but:\n{said.strip()[-500:]}")
    requests, duration_us, p50, p99, longest, broken, refused, late = map(int, match[1].split())
    if requests - refused <= 0 or duration_us <= 0:
        raise MeasureError(
            f"Of {requests} requests none was answered well: {broken} connections broke, {late} were late."
        )
    return Load(
        requests=requests,
        duration_us=duration_us,
        p50_us=p50,
        p99_us=p99,
        longest_us=longest,
        broken=broken,
        refused=refused,
        late=late,
        generator_share=busy_s / (duration_us / 1e6),
    )
