"""A server that a scenario needs: started in a folder of its own, waited for, stopped."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import ServiceError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

KEEPER = Path(__file__).with_name("keeper.py")

#: Seconds until a server must answer. Redis takes 0.02, PostgreSQL 0.7 with making its files.
READY_S = 30.0

#: Seconds a server has to end by itself before it is killed.
STOP_S = 8.0

#: Lines of the log that an error shows.
SHOWN_LINES = 12

#: Starts with another port each, should another program take it between being chosen and being used.
TRIES = 3

LOOPBACK = "127.0.0.1"


class Server(ABC):
    """One server of this machine's own programs. Use it as a context manager.

    It listens on the loopback address at a free port and on a Unix socket, asks for a password made
    for it, keeps its files in a temporary folder that only it can read, and runs as an ordinary user
    (``nobody``) where the lab runs as root. It ends with this process, however this process ends.

    Starting takes no arguments: every server is alike, so that what a chapter shows can be repeated.
    """

    name = ""  #: what people call it
    ready_s = READY_S
    stop_signal = signal.SIGTERM
    crash_signal = signal.SIGKILL
    by_descriptor = False  #: whether its program is opened for a user who cannot reach its path

    def __init__(self) -> None:
        self.password = secrets.token_hex(12)
        self.port = 0
        self.folder = Path()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._finish: weakref.finalize[..., Any] | None = None
        self._lock = threading.RLock()

    @classmethod
    @abstractmethod
    def missing(cls) -> str:
        """Why it cannot be started on this machine and how to get it; empty when it can."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Its address with user and password, as programs take it."""

    @abstractmethod
    def _prepare(self) -> list[str] | None:
        """Write its settings into the folder; the command that makes its files, if there is one."""

    @abstractmethod
    def _command(self) -> list[str]:
        """The command that runs it in the foreground."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it answers a question now."""

    def _user(self) -> tuple[int, int] | None:
        """User and group that it runs as; None: our own."""
        return server_user()

    @property
    def address(self) -> str:
        """Host and port, as ``allowed_outbound_hosts`` wants them behind the scheme."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return self._keeper is not None and bool(self._ask("state")["running"])

    @property
    def log(self) -> str:
        """What it wrote since it was first started."""
        try:
            return (self.folder / "log").read_text(errors="replace") if self._keeper else ""
        except OSError:
            return ""

    def start(self) -> Self:
        """Start it and wait until it answers; after `stop` or `crash` with the same port and data.

        Raises:
            ServiceError: its program is missing, or it did not answer in time; with the end of its log.
        """
        with self._lock:
            why = self.missing()
            if why:
                raise ServiceError(f"{self.name} cannot be started: it is missing.", hint=why)
            if self._keeper is not None:
                self._run()
                return self
            for left in reversed(range(TRIES)):
                self.port = free_port()
                self._make_keeper()
                try:
                    self._run()
                    break
                except ServiceError:
                    taken = "in use" in self.log
                    self.close()
                    if not (taken and left):
                        raise
                except BaseException:
                    self.close()
                    raise
            return self

    def stop(self) -> None:
        """Stop it as its administrator would. Its data stay for the next `start`."""
        with self._lock:
            if self._keeper is not None:
                self._ask("stop")

    def crash(self) -> None:
        """End it without warning, as a crash does. Its data stay as they then were."""
        with self._lock:
            if self._keeper is not None:
                self._ask("crash")

    def pause(self) -> None:
        """Make it hang: it keeps its connections and answers nothing until `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """Stop it and remove its folder. Closing twice is nothing."""
        with self._lock:
            if self._finish is not None:
                self._finish()
            self._keeper = self._finish = None

    def __enter__(self) -> Self:
        return self if self._keeper is not None else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = f"at {self.address}" if self._keeper else "not started"
        return f"<{self.name} {state}>"

    def _signal(self, number: int) -> None:
        with self._lock:
            if self._keeper is not None:
                self._ask("signal", number=number)

    def _run(self) -> None:
        answer = self._ask("state")
        if not answer["running"]:
            answer = self._ask("start")
            if "error" in answer:
                raise self._failed(str(answer["error"]))
        deadline = time.monotonic() + self.ready_s
        wait = 0.002
        while not self._answers():
            state = self._ask("state")
            if not state["running"]:
                raise self._failed(f"it ended with status {state['status']}")
            if time.monotonic() > deadline:
                self._ask("stop")
                raise self._failed(f"it did not answer within {self.ready_s:.0f} s")
            time.sleep(wait)
            wait = min(wait * 2, 0.1)

    def _failed(self, why: str) -> ServiceError:
        lines = [line for line in self.log.splitlines() if self.password not in line]
        said = "\n".join(lines[-SHOWN_LINES:])
        return ServiceError(
            f"{self.name} did not start: {why}.", hint=f"The end of its log:\n{said}" if said else ""
        )

    def _make_keeper(self) -> None:
        user = self._user()
        self.folder = Path(tempfile.mkdtemp(prefix="wasm-lab-", dir=folder_for(user)))
        setting = {
            "folder": str(self.folder),
            "log": str(self.folder / "log"),
            "command": self._command(),
            "prepare": self._prepare(),
            "env": {"HOME": str(self.folder), "PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            "user": user,
            "by_descriptor": self.by_descriptor and sys.platform == "linux",
            "stop_signal": int(self.stop_signal),
            "crash_signal": int(self.crash_signal),
            "stop_s": STOP_S,
            "timeout_s": self.ready_s,
        }
        (self.folder / "log").touch(mode=0o600)
        if user is not None:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, *user)
        # A session of its own: Ctrl-C in a terminal goes to the lab, which then says what is to end.
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(KEEPER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._finish = weakref.finalize(self, _end, self._keeper)
        assert self._keeper.stdin is not None
        self._keeper.stdin.write(json.dumps(setting).encode() + b"\n")
        self._keeper.stdin.flush()

    def _ask(self, what: str, **more: object) -> dict[str, Any]:
        with self._lock:
            keeper = self._keeper
            if keeper is None or keeper.stdin is None or keeper.stdout is None:
                raise ServiceError(
                    f"{self.name} is not started.", hint="Call start(), or use it in a `with`."
                )
            try:
                keeper.stdin.write(json.dumps({"do": what, **more}).encode() + b"\n")
                keeper.stdin.flush()
                line = keeper.stdout.readline()
            except OSError:
                line = b""
            if not line:
                raise ServiceError(
                    f"The process that keeps {self.name} is gone, and the server with it.",
                    hint="Make a new one; its data are lost.",
                )
            answer: dict[str, Any] = json.loads(line)
            return answer


def free_port() -> int:
    """A TCP port of the loopback address that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def server_user() -> tuple[int, int] | None:
    """User and group that servers run as; None: our own. Servers refuse root, and rightly so."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise ServiceError(
            "Servers do not run as root, and this machine has no user `nobody`.",
            hint="Run the lab as an ordinary user.",
        ) from None
    return entry.pw_uid, entry.pw_gid


def folder_for(user: tuple[int, int] | None) -> str:
    """A folder for temporary files that the server's user can reach, with a path short enough for sockets."""
    usual = tempfile.gettempdir()
    reachable = user is None or all(
        part.stat().st_mode & 0o001 for part in (Path(usual), *Path(usual).parents)
    )
    return usual if reachable and len(usual) <= 60 else "/tmp"


def _end(keeper: subprocess.Popen[bytes]) -> None:
    """Let the keeper see the end of its input, and wait until it has cleaned up."""
    for stream in (keeper.stdin, keeper.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    try:
        keeper.wait(STOP_S + 4)
    except subprocess.TimeoutExpired:
        keeper.kill()
        keeper.wait()
