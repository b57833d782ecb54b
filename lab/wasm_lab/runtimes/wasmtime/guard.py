"""What watches running guests: the interrupt, the deadline and the output limit.

wasmtime's compiled code looks at a counter, the epoch, at every loop and function
entry. One supervisor thread raises it every 10 ms while guests run. The guest that
notices calls back into Python, in its own thread: there the deadline is compared, new
output is passed on, and a pending interrupt is seen (see `interrupts`). So a guard costs
nothing for each call, and each store has a deadline of its own although all share one engine.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError
from wasm_lab.run import TrapKind
from wasm_lab.runtimes.wasmtime import native
from wasm_lab.runtimes.wasmtime.interrupts import main_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.runtimes.wasmtime.host import Host
    from wasm_lab.runtimes.wasmtime.output import Output

#: Time between two looks at a running guest, in seconds: the precision of deadlines.
TICK_S = 0.01

#: By how much the look that stops a guest comes after its deadline, so that this has surely passed.
AFTER_DEADLINE_S = 0.0002

#: Ticks without any guest after which the supervisor sleeps until it is woken.
IDLE_TICKS = 50

#: Stack that compiled code may use, in bytes: wasmtime's own default.
WASM_STACK_BYTES = 512 * 1024

#: Stack that Python and the engine need beside it in one thread, in bytes.
HOST_STACK_BYTES = 256 * 1024

_get_ident = threading.get_ident


class Guard:
    """What watches one store: one guest at a time, in one thread at a time."""

    __slots__ = (
        "_lock",
        "_owner",
        "deadline_s",
        "elsewhere",
        "host",
        "limit",
        "output",
        "pending",
        "started_s",
    )

    def __init__(self, deadline_s: float | None, output: Output) -> None:
        self.deadline_s = deadline_s
        self.output = output
        self.elsewhere = False  #: whether another thread than the guest's looks after it
        self.host: Host  #: answers the guest's host calls; set by whoever makes the store
        self.started_s = 0.0
        self.limit: TrapKind | None = None  #: which limit stopped the guest
        self.pending: BaseException | None = None  #: what a sink or a host function raised meanwhile
        self._lock = threading.Lock()
        self._owner = 0

    def begin(self) -> None:
        """Before entering the guest. Pair it with `end`, whatever happens."""
        ident = _get_ident()
        try:
            stack = _this_thread.guests
        except AttributeError:
            stack = _first_guest_of_thread(ident)
        if ident != main_thread.ident:
            self._take_turn(ident)
            stack.append(self)
        else:
            main_thread.hold()
            try:
                self._take_turn(ident)
                if main_thread.pending is not None:
                    self._lock.release()
                    raise main_thread.pending
            except BaseException:
                main_thread.release()
                raise
            stack.append(self)
        self.started_s = time.monotonic()
        if _supervisor.parked:
            _supervisor.wake()

    def _take_turn(self, ident: int) -> None:
        if not self._lock.acquire(blocking=False):
            if self._owner == ident:
                raise UsageError("This instance is already running: a guest cannot be entered twice.")
            while not self._lock.acquire(timeout=TICK_S):
                if ident == main_thread.ident and main_thread.pending is not None:
                    raise main_thread.pending
        self._owner = ident

    def end(self) -> None:
        """After leaving the guest, however it ended. Raises what a signal handler raised meanwhile."""
        ident = self._owner
        _this_thread.guests.pop()
        self._owner = 0
        self._lock.release()
        if ident == main_thread.ident:
            main_thread.release()

    @property
    def interruption(self) -> BaseException | None:
        """What a signal handler, a sink or a host function raised while the guest ran."""
        if self.pending is None and self._owner == main_thread.ident:
            return main_thread.pending
        return self.pending

    def raise_pending(self) -> None:
        """Raise what a sink or a host function raised while the guest ran."""
        error, self.pending = self.pending, None
        if error is not None:
            raise error.with_traceback(None)

    def why_stop(self, *, inside: bool = False) -> str:
        """Why the guest must stop now; empty when it may go on. Runs inside callbacks: never raises.

        Args:
            inside: called from the guest's thread, which must not look if another thread does.
        """
        try:
            if self.interruption is None and self.limit is None and not (inside and self.elsewhere):
                self.output.pump()
                if self.output.exceeded:
                    self.limit = TrapKind.OUTPUT
                elif self.deadline_s is not None and time.monotonic() - self.started_s > self.deadline_s:
                    self.limit = TrapKind.DEADLINE
        except BaseException as error:  # kept, and raised when the guest has been left
            self.pending = error
        if self.interruption is not None:
            return "interrupted"
        return self.limit.value if self.limit else ""

    def remaining_s(self) -> float | None:
        """Seconds until the deadline; None when there is none."""
        if self.deadline_s is None:
            return None
        return self.deadline_s - (time.monotonic() - self.started_s)


class _Thread(threading.local):
    """The guests that run in one thread, the innermost last; no attribute before the first."""

    guests: list[Guard]


_this_thread = _Thread()

#: The same lists by thread, for the supervisor. A number may be a later thread's; its list is then too.
_running: dict[int, list[Guard]] = {}


def current_guard() -> Guard:
    """The guard of the guest that runs in this thread; only inside a callback from it."""
    return _this_thread.guests[-1]


def _first_guest_of_thread(ident: int) -> list[Guard]:
    needed, size = WASM_STACK_BYTES + HOST_STACK_BYTES, native.thread_stack_bytes()
    if size is not None and size < needed:
        raise UsageError(
            f"This thread's stack has {size // 1024} KiB, and a guest needs {needed // 1024}.",
            hint="Call threading.stack_size with a larger size before starting the thread, or raise ulimit -s.",
        )
    _this_thread.guests = _running[ident] = []
    return _this_thread.guests


def _until_next_look_s() -> float:
    """A tick, or less where a guest's deadline comes before it: then it is stopped at once, not a tick later."""
    nap_s = TICK_S
    for guests in tuple(_running.values()):
        for guard in tuple(guests):
            left_s = guard.remaining_s()
            if left_s is not None and 0 < left_s < nap_s:
                nap_s = left_s + AFTER_DEADLINE_S
    return nap_s


class _Supervisor:
    """The thread that raises the epoch of every guarded engine while guests run."""

    def __init__(self) -> None:
        self.parked = True
        self.engines: list[Callable[[], None]] = []
        self._thread: threading.Thread | None = None
        self._woken = threading.Event()
        self._starting = threading.Lock()

    def wake(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="wasm-lab epochs", daemon=True)
                self.parked = False
                self._thread.start()
        self._woken.set()

    def _watch(self) -> None:
        idle = 0
        while True:
            time.sleep(_until_next_look_s())
            if any(_running.values()):
                idle = 0
                for increment_epoch in self.engines:
                    increment_epoch()
                continue
            idle += 1
            if idle > IDLE_TICKS:
                self._park()
                idle = 0

    def _park(self) -> None:
        self._woken.clear()
        self.parked = True
        # A guest that began before it could see `parked` is seen here instead.
        if not any(_running.values()):
            self._woken.wait()
        self.parked = False


_supervisor = _Supervisor()


def watch_engine(increment_epoch: Callable[[], None]) -> None:
    """Have the supervisor raise the epoch of one more engine."""
    _supervisor.engines.append(increment_epoch)


def _after_fork() -> None:
    """A forked child has no supervisor thread: it starts its own, and knows no running guest."""
    global _supervisor  # noqa: PLW0603 - the child's own
    engines = _supervisor.engines
    _supervisor = _Supervisor()
    _supervisor.engines = engines
    _running.clear()
    _this_thread.__dict__.clear()  # or this thread's list would be one that the supervisor does not know
    main_thread.ident = threading.main_thread().ident
    main_thread.depth = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@native.EpochCallback  # type: ignore[untyped-decorator]
def on_epoch(_context: int, _data: int, delta: Any, kind: Any) -> int:
    """wasmtime calls this when a guest notices a new epoch (`wasmtime_store_epoch_deadline_callback`).

    Returns 0 to go on until the next tick, or an error that stops the guest.
    """
    delta[0] = 1
    kind[0] = native.UPDATE_DEADLINE_CONTINUE
    reason = current_guard().why_stop(inside=True)
    return native.new_error(reason) if reason else 0
