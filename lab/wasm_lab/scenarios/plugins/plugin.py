"""One plugin as one file had it: loaded once, with instances that wait for work.

A call takes an instance that waits, or makes a fresh one. It is put back only when the call ended
well, the plugin's own ``err`` included; after anything else nobody knows what state it is in, so it is
closed. Nothing that an instance does reaches another one.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wasm_lab.components import Component, Err
from wasm_lab.components.wit import read_world
from wasm_lab.errors import (
    DeadlineExceeded,
    GuestExit,
    GuestFailure,
    GuestTrap,
    LoadError,
    OutputExceeded,
    PluginError,
)
from wasm_lab.run import TrapInfo, TrapKind
from wasm_lab.runtimes.aborts import rust_abort
from wasm_lab.scenarios.plugins.cabinet import Cabinet, Desk
from wasm_lab.scenarios.plugins.records import Call, Outcome, measured_bytes
from wasm_lab.scenarios.plugins.wasi import wasi_imports
from wasm_lab.scenarios.spin.host.waiting import GuestStopped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.scenarios.plugins.contract import Contract

#: Instances of one plugin that are kept waiting; further ones are closed when their call is over.
MOST_WAITING = 4


class Plugin:
    """A file that was checked, loaded and asked to describe itself.

    Args:
        artifact: the component.
        generation: how many files of this name were loaded, this one counted.
        imports: what plugins may call, in the form of `wasm_lab.components`.

    Raises:
        PluginError: it does not fit the contract, cannot be loaded, or fails when it is asked what it is.
    """

    def __init__(
        self,
        name: str,
        artifact: Artifact,
        *,
        contract: Contract,
        capabilities: Capabilities,
        imports: Mapping[str, Any],
        cabinet: Cabinet,
        generation: int = 1,
    ) -> None:
        self.name = name
        self.artifact = artifact
        self.capabilities = capabilities
        self.generation = generation
        self.calls = self.failed = 0
        self._cabinet = cabinet
        self._waiting: list[_Live] = []
        self._retired = False
        self._counting = threading.Lock()
        try:
            world = read_world(artifact.wasm, name)
            self._export = contract.check(world, name)
            self.imports = tuple(world.imports)
            given = {**wasi_imports(capabilities), **imports}
            self._prepared = Component.load(artifact).link(given, capabilities=capabilities)
            self.description, _ = self.call(contract.describe)
        except (GuestFailure, LoadError) as error:
            raise PluginError(
                f"{name} cannot be used: {error.message}", plugin=name, hint=error.hint
            ) from error
        except Err as error:
            raise PluginError(f"{name} does not say what it is: {error.value}", plugin=name) from error

    @property
    def waiting(self) -> int:
        """Instances that are alive and wait for work."""
        return len(self._waiting)

    def call(self, function: str, *arguments: object) -> tuple[Any, Call]:
        """Call an exported function; its result and the record of the call.

        Raises:
            Whatever ended the call; the record of the call is its attribute ``call``.
        """
        started_s, began = time.time(), time.perf_counter_ns()
        live: _Live | None = None
        instantiate_ns = 0
        result: Any = None
        outcome = Outcome.OK
        failure: BaseException | None = None
        try:
            try:
                live = self._waiting.pop()
            except IndexError:
                live = _Live(self._prepared, self._export, self._desk())
                instantiate_ns = time.perf_counter_ns() - began
            live.desk.begin()
            result = getattr(live.functions, function)(*arguments)
        except Err as error:
            outcome, failure = Outcome.FAILURE, error
        except GuestStopped:
            trap = TrapInfo(kind=TrapKind.DEADLINE, message=TrapKind.DEADLINE.value)
            outcome, failure = Outcome.DEADLINE, DeadlineExceeded(str(trap), trap=trap)
        except BaseException as error:
            failure = _as_trap(error, live)
            outcome = _outcome(failure)
        finally:
            if live is not None:
                self._put_back(live, good=outcome in (Outcome.OK, Outcome.FAILURE))
        record = Call(
            plugin=self.name,
            generation=self.generation,
            function=function,
            outcome=outcome,
            why="" if failure is None else _why(failure),
            started_s=started_s,
            duration_ns=time.perf_counter_ns() - began,
            instantiate_ns=instantiate_ns,
            given_bytes=measured_bytes(arguments),
            got_bytes=measured_bytes(result),
            log=tuple(live.desk.log) if live else (),
            refused=tuple(live.desk.refused) if live else (),
        )
        with self._counting:
            self.calls += 1
            self.failed += outcome not in (Outcome.OK, Outcome.FAILURE)
        if failure is not None:
            failure.call = record  # type: ignore[attr-defined]
            raise failure
        return result, record

    def retire(self) -> None:
        """Close the instances that wait; those at work are closed when their call is over."""
        self._retired = True
        self.rest()

    def rest(self) -> None:
        """Close the instances that wait; the next call makes a fresh one."""
        while True:
            try:
                live = self._waiting.pop()
            except IndexError:  # another thread may have taken the last one
                return
            live.close()

    def _rest_if_retired(self) -> None:
        if self._retired:
            self.rest()

    def _desk(self) -> Desk:
        return Desk(self._cabinet, self.capabilities.output_bytes, self.capabilities.deadline_s)

    def _put_back(self, live: _Live, *, good: bool) -> None:
        if good and not self._retired and len(self._waiting) < MOST_WAITING:
            self._waiting.append(live)
            self._rest_if_retired()  # it may have been meanwhile, and did not see this one
        else:
            live.close()


class _Live:
    """An instance with its desk."""

    __slots__ = ("_instance", "desk", "functions")

    def __init__(self, prepared: Any, export: str, desk: Desk) -> None:
        self.desk = desk
        self._instance = prepared.instantiate(data=desk)
        self.functions = self._instance[export]

    @property
    def entered(self) -> bool:
        """Whether a failed call had come as far as the guest: then the instance cannot be used again."""
        return bool(self._instance.poisoned)

    def close(self) -> None:
        self._instance.close()
        self.desk.close()


def _as_trap(error: BaseException, live: _Live | None) -> BaseException:
    """What a host function raised inside the guest's call ends it as a trap does; its cause is kept."""
    if isinstance(error, GuestTrap):
        return _with_last_words(error, live)
    if (
        live is None
        or not live.entered
        or not isinstance(error, Exception)
        or isinstance(error, GuestFailure)
    ):
        return error
    said = f"{type(error).__name__}: {error}"
    stopped = GuestTrap(
        f"A function of the host stopped the plugin: {said}", trap=TrapInfo(kind=TrapKind.HOST, message=said)
    )
    stopped.__cause__ = error
    return stopped


def _with_last_words(error: GuestTrap, live: _Live | None) -> GuestTrap:
    """The same trap with what Rust said on standard error before it aborted, if it did."""
    said = "".join(text for stream, text in live.desk.log if stream == "stderr") if live else ""
    why = rust_abort(said) if error.trap.kind is TrapKind.UNREACHABLE else None
    if why is None:
        return error
    trap = replace(error.trap, kind=why[0], message=why[1])
    return GuestTrap(str(trap), trap=trap, hint=error.hint)


def _outcome(error: BaseException) -> Outcome:
    if isinstance(error, DeadlineExceeded):
        return Outcome.DEADLINE
    if isinstance(error, OutputExceeded):
        return Outcome.OUTPUT
    if isinstance(error, GuestTrap):
        return Outcome.MEMORY if error.trap.kind is TrapKind.ALLOCATION else Outcome.TRAP
    if isinstance(error, GuestExit):
        return Outcome.EXIT
    if isinstance(error, (TypeError, ValueError, OverflowError, AttributeError)):
        return Outcome.USAGE
    return Outcome.TRAP


def _why(error: BaseException) -> str:
    if isinstance(error, Err):
        return str(error.value)
    return getattr(error, "message", "") or f"{type(error).__name__}: {error}"
