"""Starts and ends one server, for as long as the process that asked lives. A program of its own.

It reads one JSON object a line on standard input, and answers each with one on standard output.
When its input ends, however that came, the server is stopped and the folder removed: so no server
outlives a notebook whose kernel was killed. Only the standard library, so that it starts fast.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # prctl(2)

#: Seconds between two looks at whether the parent still lives: a child of it may hold our input open.
LOOK_S = 1.0


class Keeper:
    """One server, its settings as `Server` wrote them."""

    def __init__(self, setting: dict[str, Any]) -> None:
        self.setting = setting
        self.server: subprocess.Popen[bytes] | None = None

    def start(self) -> dict[str, Any]:
        """Prepare what is not prepared, then start."""
        prepare = self.setting.pop("prepare", None)
        if prepare is not None:
            done = self._popen(prepare)
            try:
                status = done.wait(self.setting["timeout_s"])
            except subprocess.TimeoutExpired:
                done.kill()
                done.wait()
                return {"error": f"{prepare[0]} did not end within {self.setting['timeout_s']} s"}
            if status:
                return {"error": f"{prepare[0]} ended with status {status}"}
        self.server = self._popen(self.setting["command"])
        return {"pid": self.server.pid}

    def state(self) -> dict[str, Any]:
        """Whether it runs, and otherwise how it ended."""
        status = None if self.server is None else self.server.poll()
        return {"running": self.server is not None and status is None, "status": status}

    def stop(self, number: int | None = None) -> dict[str, Any]:
        """End the server: first as it likes to be ended, and by force if it does not heed that."""
        server, self.server = self.server, None
        if server is None or server.poll() is not None:
            return {"status": None if server is None else server.returncode}
        with contextlib.suppress(ProcessLookupError):
            server.send_signal(number or self.setting["stop_signal"])
            server.send_signal(signal.SIGCONT)  # one that was paused would never heed the other
        try:
            server.wait(self.setting["stop_s"])
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                server.kill()
            server.wait()
        return {"status": server.returncode}

    def crash(self) -> dict[str, Any]:
        """End the server as a crash does."""
        return self.stop(self.setting["crash_signal"])

    def signal(self, number: int) -> dict[str, Any]:
        """Send the server a signal."""
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(number)
        return self.state()

    def _popen(self, command: list[str]) -> subprocess.Popen[bytes]:
        mine = os.getpid()

        def die_with_keeper() -> None:  # after the user was changed, which would undo it
            if sys.platform == "linux":
                ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, self.setting["stop_signal"])
                if os.getppid() != mine:
                    os._exit(1)

        user = self.setting["user"]
        program: dict[str, Any] = {}
        if user is not None and self.setting["by_descriptor"]:
            # A program in root's own folder, which the other user cannot reach by its path.
            opened = os.open(command[0], os.O_RDONLY)
            program = {"executable": f"/proc/self/fd/{opened}", "pass_fds": (opened,)}
        try:
            return self._started(command, user, die_with_keeper, program)
        finally:
            for descriptor in program.get("pass_fds", ()):
                os.close(descriptor)

    def _started(
        self,
        command: list[str],
        user: list[int] | None,
        die_with_keeper: Callable[[], None],
        program: dict[str, Any],
    ) -> subprocess.Popen[bytes]:
        if user is not None:
            program |= {"user": user[0], "group": user[1], "extra_groups": []}
        with Path(self.setting["log"]).open("ab") as log:
            started: subprocess.Popen[bytes] = subprocess.Popen(
                command,
                cwd=self.setting["folder"],
                env=self.setting["env"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_keeper,  # noqa: PLW1509 - there is one thread
                **program,
            )
        return started


def main() -> None:
    """Obey until the input ends or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()
    # Unbuffered: what a reader has taken ahead, select would not see.
    source = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115 - a number, no path
    keeper = Keeper(json.loads(source.readline()))
    does = {"start": keeper.start, "state": keeper.state, "stop": keeper.stop, "crash": keeper.crash}
    try:
        while os.getppid() == parent:
            if not select.select([source], [], [], LOOK_S)[0]:
                continue
            line = source.readline()
            if not line:
                break
            asked = json.loads(line)
            what = asked["do"]
            answer = keeper.signal(asked["number"]) if what == "signal" else does[what]()
            os.write(1, json.dumps(answer).encode() + b"\n")
    except OSError:
        pass  # the parent is gone: nobody reads the answer
    finally:
        keeper.stop()
        _remove(keeper.setting["folder"])


def _remove(folder: str) -> None:
    """Remove the folder; children of the server may be writing their last meanwhile."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not Path(folder).exists():
            return
        time.sleep(0.05)


if __name__ == "__main__":
    main()
