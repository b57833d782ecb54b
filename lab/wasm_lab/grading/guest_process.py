"""A guest's process as the judge sees it: started, asked within a time, never believed, killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab import errors
from wasm_lab.errors import DeadlineExceeded, GuestExit, LoadError, MachineError, WasmLabError
from wasm_lab.grading.nursery import VARIABLE, Born, born
from wasm_lab.grading.said import plain_text
from wasm_lab.grading.wire import FROM_GUEST_BYTES, Line, Reply, WrongMessage
from wasm_lab.run import Frame, TrapInfo, TrapKind
from wasm_lab.runtimes.workers.process import from_lasting_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.artifact import Artifact

#: Seconds that a guest's process may take until it can be asked; a busy machine is slow to start one.
START_S = 60.0

#: Seconds that an answer may take beyond the guest's own deadline.
GRACE_S = 1.0

#: Seconds for the engine to compile a module.
COMPILE_S = 20.0

#: Seconds for a question that runs nothing of the guest's.
ASK_S = 5.0

#: Memory of the process beside that of the guest's instances: interpreter, engine, a compile.
OWN_BYTES = 1024 * 1024 * 1024

#: Frames of a backtrace that are told.
_MOST_FRAMES = 20

_CODE = (
    "from wasm_lab.grading.guest import serve; "
    "serve(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), json.loads(sys.argv[5]), sys.argv[6] == 'walls')"
)

#: A cache that is never there: machine code of a student's module goes to nobody else.
_ENVIRONMENT = {"WASM_LAB_CACHE": f"{os.devnull}/none"}

#: The errors that a guest's process may say it met.
_REFUSALS = frozenset({"LoadError", "UnsupportedError", "UsageError", "PoisonedError"})
_TRAPS = frozenset({"GuestTrap", "DeadlineExceeded", "OutputExceeded", "FuelExhausted"})


class GuestLost(WasmLabError):
    """The guest's process ended, or was ended, before it answered."""


class GuestProcess:
    """A fresh interpreter behind walls, which holds the engine and a student's modules.

    Args:
        memory_bytes: that guests' memories may use in it, together.
        read: folders that guests in it may be given, to read.
        walls: whether it walls itself in; without Landlock it cannot.

    Raises:
        MachineError: it cannot be started.
    """

    def __init__(self, *, memory_bytes: int, read: Sequence[Path] = (), walls: bool = True) -> None:
        self._lock = threading.RLock()
        self._modules: set[tuple[str, bool]] = set()
        self._dropped: list[int] = []
        self._numbers = 0
        folders = [str(each) for each in read]
        ours, self._process = _child(memory_bytes + OWN_BYTES, folders, walls=walls)
        self._line = Line(ours, FROM_GUEST_BYTES)
        self._end = weakref.finalize(self, _end, self._process, self._line, os.getpid())
        try:
            ready = self._line.receive(time.monotonic() + START_S)
        except (EOFError, TimeoutError, WrongMessage):
            self.kill()
            raise MachineError(
                "The process for a guest did not start.",
                hint="It needs the packages wasmtime and msgpack, and a kernel with Landlock.",
            ) from None
        except BaseException:
            self.kill()
            raise
        if ready != ["ready"]:
            self.kill()
            raise MachineError("The process for a guest did not start.")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._end.alive and self._process.poll() is None

    def kill(self) -> None:
        """End the process and let go of it. Does nothing the second time."""
        self._end()

    def new_number(self) -> int:
        """A number for one more instance."""
        self._numbers += 1
        return self._numbers

    def drop(self, number: int) -> None:
        """Have an instance forgotten, with the next question. Asks nothing itself: a finalizer may call it."""
        self._dropped.append(number)

    def give(self, artifact: Artifact, *, fuel: bool) -> None:
        """Have a module compiled there, once.

        Raises:
            LoadError: the engine refuses it, or does not come to an end with it.
        """
        key = (artifact.sha256, fuel)
        if key in self._modules:
            return
        try:
            self.ask(COMPILE_S, "module", artifact.sha256, artifact.label, artifact.wasm, fuel)
        except (DeadlineExceeded, GuestLost) as error:
            raise LoadError(
                f"{artifact.label} could not be made into machine code: {error.message}",
                hint="Very large functions take the engine very long.",
            ) from None
        self._modules.add(key)

    def ask(self, within_s: float, what: str, *words: Any) -> Reply:
        """Ask one question; the answer, of which nothing is checked yet but its form.

        Raises:
            DeadlineExceeded: no answer came in time; the process is killed.
            GuestLost: it ended, or said what is no answer; it is killed.
            LoadError, UnsupportedError, UsageError, PoisonedError: it refused.
            GuestTrap, GuestExit: the guest was stopped.
        """
        with self._lock:
            if not self._end.alive:
                raise GuestLost("The guest's process is gone.")
            until = time.monotonic() + within_s
            try:
                dropped, self._dropped = self._dropped, []
                if dropped:
                    self._line.send(["drop", dropped], until)
                    self._line.receive(until)
                self._line.send([what, *words], until)
                return self._read(Reply(self._line.receive(until)))
            except TimeoutError:
                self.kill()
                trap = TrapInfo(kind=TrapKind.DEADLINE, message=TrapKind.DEADLINE.value)
                raise DeadlineExceeded(str(trap), trap=trap) from None
            except (EOFError, OSError):
                raise GuestLost(f"The guest's process {self._how()}.") from None
            except WrongMessage as error:
                self.kill()
                raise GuestLost(f"The guest's process said what is no answer. {error.message}") from None
            except (WasmLabError, ValueError):
                raise
            except BaseException:  # in the middle of an exchange: nothing can be asked any more
                self.kill()
                raise

    def _how(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        self.kill()
        status = self._process.returncode
        if status is None:
            return "ended"
        if status < 0:
            with suppress(ValueError):
                return f"was ended by {signal.Signals(-status).name}"
        return f"ended with status {status}"

    @staticmethod
    def _read(reply: Reply) -> Reply:
        match reply.text():
            case "answer":
                return reply
            case "exit":
                message = plain_text(reply.text())
                raise GuestExit(message, status=reply.integer())
            case "trap":
                kind, message = reply.text(), plain_text(reply.text())
                if kind not in _TRAPS:
                    raise WrongMessage("No kind of trap.")
                raise getattr(errors, kind)(message, trap=trap_of(reply.inner()))
            case "refused":
                kind, message, hint = reply.text(), plain_text(reply.text()), plain_text(reply.text())
                if kind not in _REFUSALS:
                    raise WrongMessage("No kind of refusal.")
                raise getattr(errors, kind)(message, hint=hint)
            case "failed":
                raise MachineError(f"The guest's process failed: {plain_text(reply.text())}.")
        raise WrongMessage("No kind of answer.")


def trap_of(reply: Reply) -> TrapInfo:
    """A trap from plain values.

    Raises:
        WrongMessage: they are none.
    """
    kind = _kind(TrapKind, reply.text())
    message = plain_text(reply.text())
    frames = tuple(_frame(each) for each in reply.each()[:_MOST_FRAMES])
    return TrapInfo(kind=kind, message=message, frames=frames)


def _kind(kinds: Any, value: str) -> Any:
    try:
        return kinds(value)
    except ValueError:
        raise WrongMessage(f"No {kinds.__name__}.") from None


def _frame(reply: Reply) -> Frame:
    return Frame(
        function=plain_text(reply.text(), 200),
        file=plain_text(reply.text(), 200),
        line=reply.integer(),
        column=reply.integer(),
        offset=reply.integer(),
    )


def interpreter(code: str, *words: str, pass_fds: Sequence[int]) -> subprocess.Popen[bytes]:
    """A fresh interpreter that knows this one's packages, and nothing else of this process.

    Args:
        code: finds ``json`` and ``sys`` imported, and ``words`` from ``sys.argv[2]`` on.
    """
    start = f"import json, sys; sys.path[:] = json.loads(sys.argv[1]); {code}"
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", start, json.dumps(_search_path()), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=pass_fds,
        env=_ENVIRONMENT,
        cwd="/",
        process_group=0,
    )


def _child(
    memory_bytes: int, read: list[str], *, walls: bool
) -> tuple[socket.socket, subprocess.Popen[bytes] | Born]:
    """A process for a guest and the connection to it: from the nursery, where there is one.

    Raises:
        MachineError: it cannot be started.
    """
    nursery = os.environ.get(VARIABLE)
    if nursery:
        with suppress(OSError):  # it is gone; the way below is slower, and as good
            return born(nursery, memory_bytes, read, walls=walls, within_s=START_S)
    ours, theirs = socket.socketpair()
    words = (str(theirs.fileno()), str(os.getpid()), str(memory_bytes), json.dumps(read))
    try:
        process = from_lasting_thread(
            lambda: interpreter(_CODE, *words, "walls" if walls else "no walls", pass_fds=(theirs.fileno(),))
        )
    except OSError as error:
        ours.close()
        raise MachineError(f"No process for a guest could be started: {error}.") from None
    finally:
        theirs.close()
    return ours, process


def _search_path() -> list[str]:
    """Where this process finds modules, but for folders that hold a notebook's own files."""
    here = os.getcwd()  # noqa: PTH109
    own = str(Path(__file__).parents[2])
    found = [path for path in sys.path if os.path.isabs(path) and path != here]  # noqa: PTH117
    return [*found, *([] if own in found else [own])]


def _end(process: subprocess.Popen[bytes] | Born, line: Line, owner: int) -> None:
    if isinstance(process, Born):
        process.let_go() if os.getpid() != owner else process.kill()
    elif os.getpid() != owner:  # a forked child: the process is its parent's
        process.returncode = 0
    else:
        if process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
        process.wait()
    line.close()
