"""Inside the worker: the in-process runtime, asked over the line."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import GuestExit, GuestTrap
from wasm_lab.runtimes.wasmtime import WasmtimeRuntime
from wasm_lab.runtimes.workers.modules import Kept, Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from wasm_lab.capabilities import Capabilities
    from wasm_lab.run import Run, TrapInfo
    from wasm_lab.runtimes.base import Instance


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Run a module, or instantiate it."""

    module: Sent
    capabilities: Capabilities
    audit: bool
    stream: bool  #: whether output is to be told as it comes
    standard: tuple[int, ...] = ()  #: which of this process's standard streams come along as open files
    live: bool = False  #: make an instance that stays, rather than run it


@dataclass(frozen=True, slots=True)
class Call:
    """Call an exported function of the instance, after writing to its memory."""

    name: str
    args: tuple[int | float, ...]
    writes: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Exists:
    """Refuse unless the instance exports a function of that name that can be called."""

    name: str


@dataclass(frozen=True, slots=True)
class Write:
    """Write to the instance's memory."""

    writes: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the instance for an attribute, or call a method of it with plain arguments."""

    name: str
    args: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A call that raised: what makes up the exception, which does not cross by itself."""

    kind: str  #: the class in `wasm_lab.errors`
    message: str
    trap: TrapInfo | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Mistaken:
    """A call that was made wrongly: the message of its TypeError."""

    message: str


class Handler:
    def __init__(self) -> None:
        self._runtime = WasmtimeRuntime()
        self._kept = Kept()
        self._instance: Instance | None = None

    def handle(self, request: Any, descriptors: list[int], say: Callable[[Any], None]) -> Any:
        if isinstance(request, Command):
            with _standard_streams(request.standard, descriptors, stay=request.live):
                return self._command(request, say)
        assert self._instance is not None
        if isinstance(request, Call):
            return self._call(self._instance, request)
        if isinstance(request, Write):
            return _write(self._instance, request.writes)
        if isinstance(request, Exists):
            self._instance.function(request.name)
            return None
        found = getattr(self._instance, request.name)
        return found if request.args is None else found(*request.args)

    def idle(self) -> None:
        """Nothing is left to be done."""

    def _command(self, asked: Command, say: Callable[[Any], None]) -> Run | Failed | None:
        def tell(stream: str, data: bytes) -> None:
            say(("output", stream, data))

        artifact, sink = self._kept.take(asked.module), tell if asked.stream else None
        if asked.live:
            try:
                self._instance = self._runtime.instantiate(
                    artifact, asked.capabilities, audit=asked.audit, output=sink
                )
            except (GuestTrap, GuestExit) as error:
                return _failed(error)
            return None
        return self._runtime.run(artifact, asked.capabilities, audit=asked.audit, output=sink)

    @staticmethod
    def _call(instance: Instance, asked: Call) -> Any:
        _write(instance, asked.writes)
        try:
            return instance.function(asked.name)(*asked.args)
        except (GuestTrap, GuestExit) as error:
            return _failed(error)
        except TypeError as error:
            return Mistaken(str(error))


def _failed(error: GuestTrap | GuestExit) -> Failed:
    if isinstance(error, GuestExit):
        return Failed(type(error).__name__, error.message, status=error.status)
    return Failed(type(error).__name__, error.message, trap=error.trap)


def _write(instance: Instance, writes: Sequence[tuple[int, bytes]]) -> None:
    for address, data in writes:
        instance.view(address, len(data))[:] = data


@contextmanager
def _standard_streams(numbers: Sequence[int], descriptors: Sequence[int], *, stay: bool) -> Iterator[None]:
    """Put the parent's streams in the place of this process's own, for the guest to inherit."""
    saved = [(number, os.dup(number)) for number in numbers]
    try:
        for number, given in zip(numbers, descriptors, strict=True):
            os.dup2(given, number)
        yield
    finally:
        for number, before in saved:
            if not stay:
                os.dup2(before, number)
            os.close(before)


def handler() -> Handler:
    return Handler()
