"""A live instance in a worker process of its own."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wasm_lab import errors
from wasm_lab.errors import GuestExit, GuestTrap, PoisonedError, WasmLabError
from wasm_lab.runtimes.base import Instance, RawFunction
from wasm_lab.runtimes.wasmtime_worker.guest import Ask, Call, Command, Exists, Failed, Mistaken, Write
from wasm_lab.runtimes.workers.modules import sent
from wasm_lab.runtimes.workers.process import Worker, WorkerEnded
from wasm_lab.runtimes.workers.standard import inherited

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.run import HostCall
    from wasm_lab.runtimes.base import OutputSink


@dataclass(slots=True)
class _View:
    """A copy of guest memory that was handed out, and what it was, to see whether it was written to."""

    address: int
    now: bytearray
    before: bytes


class WorkerInstance(Instance):
    """An instance whose calls cross to a worker; the worker ends when nobody holds this any more."""

    def __init__(
        self, artifact: Artifact, capabilities: Capabilities, *, audit: bool, output: OutputSink | None
    ) -> None:
        self._output = output
        self._lost = ""  #: why the worker is gone
        self._views: list[_View] = []
        self._lock = threading.RLock()
        self._worker = Worker(
            "wasm_lab.runtimes.wasmtime_worker.guest", f"{artifact.label} in wasmtime-worker"
        )
        standard = inherited(capabilities)
        command = Command(
            module=sent(self._worker, artifact),
            capabilities=capabilities,
            audit=audit,
            stream=output is not None,
            standard=standard,
            live=True,
        )
        try:
            _raise(self._ask(command, standard))
        except BaseException:
            self._worker.kill()
            raise

    @property
    def poisoned(self) -> str:
        return self._lost or str(self._ask(Ask("poisoned")))

    def function(self, name: str) -> RawFunction:
        self._ask(Exists(name))

        def call(*args: int | float) -> Any:
            return self._call(name, args)

        return call

    def read(self, address: int, size_bytes: int) -> bytes:
        with self._lock:
            written = self._written()
            if written:
                self._ask(Write(written))
            return bytes(self._ask(Ask("read", (address, size_bytes))))

    def view(self, address: int, size_bytes: int) -> memoryview:
        """A copy of linear memory; what is written to it reaches the guest before its next call."""
        with self._lock:
            before = self.read(address, size_bytes)
            view = _View(address, bytearray(before), before)
            self._views.append(view)
            return memoryview(view.now)

    @property
    def linear_memory_bytes(self) -> int:
        return int(self._ask(Ask("linear_memory_bytes")))

    def take_audit(self) -> tuple[HostCall, ...]:
        return () if self._lost else tuple(self._ask(Ask("take_audit", ())))

    def _call(self, name: str, args: tuple[int | float, ...]) -> Any:
        with self._lock:
            if self._lost:
                raise PoisonedError(f"{name} cannot be called: {self._lost}.")
            writes = self._written()
            self._views.clear()
            result = self._ask(Call(name, args, writes))
        _raise(result)
        return result

    def _written(self) -> tuple[tuple[int, bytes], ...]:
        """What was written to views since the last time this was asked."""
        writes = []
        for view in self._views:
            now = bytes(view.now)
            if now != view.before:
                writes.append((view.address, now))
                view.before = now
        return tuple(writes)

    def _ask(self, request: Any, descriptors: Sequence[int] = ()) -> Any:
        with self._lock:
            if self._lost:
                raise PoisonedError(f"The instance is gone: {self._lost}.")
            try:
                self._worker.ask(request, descriptors)
                while (message := self._worker.next())[0] == "output":
                    assert self._output is not None
                    self._output(message[1], message[2])
            except WorkerEnded as ended:
                self._lost = f"the engine's process {ended.how}"
                raise PoisonedError(f"The instance is gone: {self._lost}.") from None
            except (WasmLabError, RuntimeError):
                raise  # the worker has answered, and goes on
            except BaseException as error:
                # In the middle of an exchange: nothing can be asked of the worker any more.
                interrupted = isinstance(error, KeyboardInterrupt)
                self._lost = "an earlier call was interrupted" if interrupted else "an earlier call was left"
                self._worker.kill()
                raise
            return message[1]


def _raise(result: Any) -> None:
    """Raise what a call raised in the worker, if it did."""
    if isinstance(result, Mistaken):
        raise TypeError(result.message)
    if isinstance(result, Failed):
        if result.trap is None:
            raise GuestExit(result.message, status=result.status or 0)
        kind: type[GuestTrap] = getattr(errors, result.kind)
        raise kind(result.message, trap=result.trap)
