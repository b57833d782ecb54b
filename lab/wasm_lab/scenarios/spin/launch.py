"""A component of an application, ready to run for an event: a request or a message."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wasm_lab.capabilities import Capabilities
from wasm_lab.components import Component, Err
from wasm_lab.errors import DeadlineExceeded
from wasm_lab.scenarios.spin.componentize import componentize
from wasm_lab.scenarios.spin.fronting import HOST, fronted
from wasm_lab.scenarios.spin.host.cli import GuestExit
from wasm_lab.scenarios.spin.host.front import FrontHost
from wasm_lab.scenarios.spin.host.guest import Guest, MustWait
from wasm_lab.scenarios.spin.host.types import IncomingRequest, ResponseOutparam
from wasm_lab.scenarios.spin.host.waiting import GuestStopped

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from wasm_lab.components import Prepared
    from wasm_lab.scenarios.spin.host.exchange import Exchange
    from wasm_lab.scenarios.spin.host.limits import Limits
    from wasm_lab.scenarios.spin.host.log import ComponentLog


class Launcher:
    """Runs one component, each time in a fresh instance, from any thread.

    Args:
        name: the component's id.
        path: its file.
        kind: of the trigger, ``http`` or ``redis``.
        imports: gives what the host provides, from the names of what the component imports.
        has_files: whether the manifest shows it files.
        log: where what it prints goes.
        limits: what each instance may use.
        report: gets a line for each guest that failed.

    Raises:
        LoadError: it is no component, or none that this host runs.
        InterfaceError: it imports what nobody here provides.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        kind: str,
        *,
        imports: Callable[[Collection[str]], Mapping[str, object]],
        has_files: bool,
        log: ComponentLog,
        limits: Limits,
        report: Callable[[str], None],
    ) -> None:
        self.name = name
        self._report = report
        label = f"The component {name!r} ({path.name})"
        guest = componentize(path.read_bytes(), label)
        self.handler = guest.handler(kind)
        provided = imports(guest.imports)
        composed = None if kind != "http" else fronted(guest, self.handler, has_files=has_files)
        self.is_fronted = composed is not None
        memory_bytes = limits.memory_bytes
        if composed is not None:
            provided = {**provided, HOST: FrontHost(log)}
            memory_bytes *= 2  # it is shared out evenly, and the front has a memory too
        component = Component.load(composed or guest.wasm, label=label)
        capabilities = Capabilities(deadline_s=limits.deadline_s, memory_bytes=memory_bytes)
        self._prepared = component.link(provided, capabilities=capabilities, pooled=True)
        self._at_once = None
        if composed is not None and all(is_harmless(each) for each in component.world.imports):
            self._at_once = AtOnce(
                component.link(
                    provided, capabilities=replace(capabilities, deadline_s=AT_ONCE_S), pooled=True
                )
            )

    def report(self, what: str) -> None:
        """Log what happened to a guest of this component."""
        self._report(f"{self.name}: {what}")

    def answer(self, exchange: Exchange) -> None:
        """Have a guest answer a request, and tell the exchange that it is over."""
        failure = None
        if not exchange.stopped.is_set():  # the client may have gone while it stood in the queue
            failure = self.enter(exchange, self._handle)
            if failure is None and exchange.response is None:
                self.report(exchange.why_no_response())
        exchange.over(failure)

    def answer_at_once(self, exchange: Exchange) -> bool:
        """Have a guest answer in this thread, the event loop's, if that is sure to be short.

        Returns:
            Whether it did; if not, nothing has happened, and `answer` must do it in a thread of its own.
        """
        at_once = self._at_once
        if at_once is None or exchange.body is not None or not at_once.worth_it():
            return False
        exchange.run_at_once()
        exchange.start()
        began_s = time.thread_time()
        try:
            with at_once.prepared.instantiate(data=exchange) as instance:
                instance.run()
        except (MustWait, DeadlineExceeded) as why:
            at_once.failed(must_wait=isinstance(why, MustWait), used_s=time.thread_time() - began_s)
            exchange.begin_again()
            return False
        except GuestExit as end:
            failure = None if end.code == 0 else self._failed(exchange, end)
        except Exception as error:
            failure = self._failed(exchange, error)
        else:
            failure = None
            if exchange.response is None:
                self.report(exchange.why_no_response())
            _let_go(instance)
        exchange.over(failure)
        return True

    def _handle(self, instance: Any, exchange: Any) -> None:
        if self.is_fronted:
            instance.run()
        else:
            instance[self.handler].handle(IncomingRequest(exchange), ResponseOutparam(exchange))

    def enter(self, guest: Guest, call: Callable[[Any, Guest], None]) -> BaseException | None:
        """Run a fresh instance; gives what ended it, None when it came back by itself.

        Args:
            guest: its own data.
            call: is given the instance, and calls what is wanted of it.
        """
        guest.start()
        try:
            with self._prepared.instantiate(data=guest) as instance:
                guest.instance = instance
                if guest.stopped.is_set():  # in the moment before
                    raise GuestStopped
                call(instance, guest)
        except GuestExit as end:
            return None if end.code == 0 else self._failed(guest, end)
        except BaseException as failure:
            return self._failed(guest, failure)
        finally:
            instance, guest.instance = guest.instance, None
            if instance is not None:
                _let_go(instance)
        return None

    def _failed(self, guest: Guest, failure: BaseException) -> BaseException:
        self.report(describe(guest, failure))
        return failure


#: Seconds that a guest may take in the event loop's thread, which serves nobody else meanwhile.
AT_ONCE_S = 0.02

#: Requests that go to other threads at once after one had to begin again; each time twice as many.
FIRST_PENALTY, MOST_PENALTY = 64, 1_000_000

#: Imports through which a guest changes nothing outside: it can be stopped and run again.
_HARMLESS = (
    HOST,
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/terminal-",
    "wasi:random/",
    "wasi:clocks/",
)


def is_harmless(imported: str) -> bool:
    """Whether a guest that calls this can be stopped and run again, and nobody notices."""
    return imported.startswith(_HARMLESS)


class AtOnce:
    """Running guests in the event loop's own thread, which saves two changes of threads for each.

    A guest that is not done in `AT_ONCE_S`, or would have to wait, is stopped there and runs again in
    a thread of its own. Its component then goes there directly for a while.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self._penalty = FIRST_PENALTY
        self._skip = 0
        self._good = 0  # since the last that failed

    def worth_it(self) -> bool:
        """Whether the next guest should be tried."""
        if self._skip:
            self._skip -= 1
            return False
        self._good += 1
        return True

    def failed(self, *, must_wait: bool, used_s: float) -> None:
        """It had to begin again.

        Args:
            must_wait: it would have had to wait.
            used_s: the processor's time that it took: on a busy machine less than the clock's.
        """
        if not must_wait and used_s < AT_ONCE_S * 0.75:
            return  # it was not the guest that took the time
        self._penalty = FIRST_PENALTY if self._good > self._penalty else min(self._penalty * 2, MOST_PENALTY)
        self._skip, self._good = self._penalty, 0


class MessageJob:
    """Has a component handle a message of a Redis channel (a `crew.Job`)."""

    def __init__(self, launcher: Launcher, channel: str, message: bytes, deadline_s: float) -> None:
        self._launcher = launcher
        self._channel = channel
        self._message = message
        self.guest = Guest(deadline_s)
        self.done = threading.Event()  # whether it has run

    def run(self) -> None:
        try:
            self._launcher.enter(self.guest, self._handle)
            self.guest.end()
        finally:
            self.done.set()

    def _handle(self, instance: Any, guest: Guest) -> None:
        try:
            instance[self._launcher.handler].handle_message(self._message)
        except Err as error:
            self._launcher.report(
                f"it returned the error {type(error.value).__name__} for a message on {self._channel}"
            )


class HttpJob:
    """Has a component answer a request (a `crew.Job`)."""

    __slots__ = ("_launcher", "guest")

    def __init__(self, launcher: Launcher, exchange: Exchange) -> None:
        self._launcher = launcher
        self.guest = exchange

    def run(self) -> None:
        self._launcher.answer(self.guest)


def _let_go(instance: Any) -> None:
    """An instance and its functions refer to each other: thousands would wait for the garbage collector."""
    instance.__dict__.clear()


def describe(guest: Guest, failure: BaseException) -> str:
    """What ended a guest, for the log."""
    if guest.stopped.is_set():
        return "stopped, for its request was over before it was"
    if isinstance(failure, GuestStopped):
        return f"stopped, for it was not done within {guest.limit_s:g} s"
    return str(failure) or type(failure).__name__
