"""wasmtime in a process behind walls, as a runtime of the judge's: only numbers and bytes come across.

What a function returns lies in the guest's memory. Its bytes are read from there and made into a Python value on
this side, by decoders that hold for whatever a guest wrote (`wasm_lab.abi`).
"""

from __future__ import annotations

import shutil
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import GuestTrap, PoisonedError, UnsupportedError, WasmLabError
from wasm_lab.grading.given import Given
from wasm_lab.grading.guest_process import ASK_S, GRACE_S, GuestLost, GuestProcess, trap_of
from wasm_lab.grading.said import plain_text
from wasm_lab.grading.wire import Reply, WrongMessage
from wasm_lab.run import HostCall, Phase, Run, TrapInfo, TrapKind
from wasm_lab.runtimes.base import Enforcement, Instance, RawFunction, Runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.runtimes.base import OutputSink

#: Memory for guests, in bytes: of most, and of one whose capabilities name no limit.
_ORDINARY_BYTES, _UNBOUNDED_BYTES = 512 * 1024 * 1024, 4 * 1024 * 1024 * 1024


class WalledRuntime(Runtime):
    """Runs modules for WASI 0.1 by wasmtime in a guest's process, or in a few where one needs more than others.

    Args:
        keep: receives what guests write.
        walls: whether the processes wall themselves in.
    """

    name = "wasmtime"
    links_modules = True  # refused below, in words for whoever judges

    def __init__(self, keep: Callable[[str, bytes], None], *, walls: bool = True) -> None:
        self._keep = keep
        self._walls = walls
        self._given: Given | None = None
        self._processes: dict[tuple[int, tuple[Path, ...]], GuestProcess] = {}
        self._instances: weakref.WeakValueDictionary[tuple[str, str], RemoteInstance] = (
            weakref.WeakValueDictionary()
        )

    @property
    def version(self) -> str:
        from wasm_lab.runtimes.wasmtime.engine import version

        return version()

    def enforces(self) -> dict[str, Enforcement]:
        from wasm_lab.runtimes.wasmtime import WasmtimeRuntime

        return WasmtimeRuntime().enforces()

    def run(
        self,
        artifact: Artifact,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> Run:
        del output  # what the guest writes is data
        self._check(artifact, capabilities, audit=audit)
        capabilities, copies = self._with_copies(capabilities)
        try:
            process = self._ready(artifact, capabilities)
            reply = process.ask(_within(capabilities), "run", artifact.sha256, plain(capabilities), audit)
            run = _run_of(reply.inner(), artifact)
        except (GuestLost, WrongMessage) as lost:
            return self._stopped(artifact, TrapInfo(kind=TrapKind.OTHER, message=lost.message))
        except GuestTrap as stopped:  # the process did not answer in time
            return self._stopped(artifact, stopped.trap)
        finally:
            for copy in copies:
                shutil.rmtree(copy, ignore_errors=True)
        self._keep("stdout", run.stdout)
        self._keep("stderr", run.stderr)
        return run

    def _stopped(self, artifact: Artifact, trap: TrapInfo) -> Run:
        return Run(
            label=artifact.label,
            runtime=self.name,
            runtime_version=self.version,
            exit_status=None,
            trap=trap,
            module_sha256=artifact.sha256,
        )

    def instantiate(
        self,
        artifact: Artifact,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> Instance:
        del output
        self._check(artifact, capabilities, audit=audit)
        capabilities, _ = self._with_copies(capabilities)
        process = self._ready(artifact, capabilities)
        # A cell that is reset, or run again, has no use for the instance before, whose memory may be large.
        earlier = self._instances.get((artifact.label, artifact.sha256))
        if earlier is not None:
            earlier.retire()
        number = process.new_number()
        within = _within(capabilities)
        question = ("instantiate", number, artifact.sha256, plain(capabilities), audit)
        instance = RemoteInstance(process, number, within, self._keep)
        instance.start(question)
        self._instances[artifact.label, artifact.sha256] = instance
        return instance

    def close(self) -> None:
        """End all processes."""
        for process in self._processes.values():
            process.kill()
        self._processes.clear()
        if self._given is not None:
            self._given.close()
            self._given = None

    def _check(self, artifact: Artifact, capabilities: Capabilities, *, audit: bool) -> None:
        self.check(capabilities, audit=audit)
        _refuse(artifact, capabilities)

    def _with_copies(self, capabilities: Capabilities) -> tuple[Capabilities, list[Path]]:
        """The capabilities with folders that any process of this runtime may read, and those that are to go."""
        if not capabilities.dirs:
            return capabilities, []
        return self._copies().copied(capabilities)

    def _copies(self) -> Given:
        if self._given is None:
            self._given = Given()
        return self._given

    def _ready(self, artifact: Artifact, capabilities: Capabilities) -> GuestProcess:
        """A process that has the module."""
        given = self._copies()
        asked = capabilities.memory_bytes
        memory = _UNBOUNDED_BYTES if asked is None else max(_ORDINARY_BYTES, asked)
        read = (given.folder, *given.elsewhere(capabilities))
        process = self._processes.get((memory, read))
        if process is None or not process.alive:
            process = GuestProcess(memory_bytes=memory, read=read, walls=self._walls)
            self._processes[memory, read] = process
        process.give(artifact, fuel=capabilities.fuel is not None)
        return process


def _refuse(artifact: Artifact, capabilities: Capabilities) -> None:
    if artifact.is_component:
        raise UnsupportedError(
            f"{artifact.label} is a component, and exercises are judged as modules for WASI 0.1.",
            hint="Leave out --target wasm32-wasip2 and --world in the master.",
        )
    if artifact.libraries:
        raise UnsupportedError(
            f"{artifact.label} calls functions of other modules, and a judged one runs alone.",
            hint="Another cell of Rust can be used as a crate.",
        )
    if any(each.writable for each in capabilities.dirs):
        raise UnsupportedError(
            f"{artifact.label} is to be given a folder that it may write, and a judged guest writes to none.",
            hint="Open it with --dir-ro (dirs_ro), and have the answer write to standard output.",
        )


def _within(capabilities: Capabilities) -> float:
    if capabilities.deadline_s is None:
        raise UnsupportedError(
            "A judged guest has a deadline.", hint="Leave out --timeout none in the master, or give seconds."
        )
    return capabilities.deadline_s + GRACE_S


@dataclass(slots=True)
class _View:
    """A copy of guest memory that was handed out, and what it was, to see whether it was written to."""

    address: int
    now: bytearray
    before: bytes


class RemoteInstance(Instance):
    """An instance in a guest's process."""

    def __init__(
        self, process: GuestProcess, number: int, within_s: float, keep: Callable[[str, bytes], None]
    ) -> None:
        self._process = process
        self._number = number
        self._within = within_s
        self._keep = keep
        self._lost = ""
        self._views: list[_View] = []
        self._forget = weakref.finalize(self, process.drop, number)

    def start(self, question: tuple[Any, ...]) -> None:
        """Have it made.

        Raises:
            LoadError, GuestTrap: it cannot be made.
        """
        self._take_output(self._ask(self._within, *question).inner())

    def retire(self) -> None:
        """Have it forgotten: another has taken its place."""
        self._lost = self._lost or "another instance has taken its place"
        self._forget()

    @property
    def poisoned(self) -> str:
        if self._lost:
            return self._lost
        return plain_text(self._ask(ASK_S, "poisoned", self._number).text(), 200)

    def function(self, name: str) -> RawFunction:
        self._ask(ASK_S, "has", self._number, name)

        def call(*args: int | float) -> Any:
            if self._lost:
                raise PoisonedError(f"{name} cannot be called: {self._lost}.")
            writes = self._written()
            self._views.clear()
            reply = self._ask(self._within, "call", self._number, name, list(args), writes).inner()
            result = reply.number()
            self._take_output(reply)
            return result

        return call

    def read(self, address: int, size_bytes: int) -> bytes:
        words = (self._number, address, size_bytes, self._written())
        data = self._ask(ASK_S, "read", *words).data()
        if len(data) != size_bytes:
            self._lose("the guest's process said what is no answer")
            raise PoisonedError(f"The instance is gone: {self._lost}.")
        return data

    def view(self, address: int, size_bytes: int) -> memoryview:
        """A copy of linear memory; what is written to it reaches the guest before its next call."""
        before = self.read(address, size_bytes)
        view = _View(address, bytearray(before), before)
        self._views.append(view)
        return memoryview(view.now)

    @property
    def linear_memory_bytes(self) -> int:
        return self._ask(ASK_S, "memory", self._number).integer()

    def take_audit(self) -> tuple[HostCall, ...]:
        if self._lost:
            return ()
        return tuple(_call_of(each) for each in self._ask(ASK_S, "audit", self._number).each())

    def _written(self) -> list[list[Any]]:
        writes: list[list[Any]] = []
        for view in self._views:
            now = bytes(view.now)
            if now != view.before:
                writes.append([view.address, now])
                view.before = now
        return writes

    def _take_output(self, reply: Reply) -> None:
        for stream in ("stdout", "stderr"):
            data = reply.data()
            if data:
                self._keep(stream, data)

    def _ask(self, within_s: float, what: str, *words: Any) -> Reply:
        if self._lost:
            raise PoisonedError(f"The instance is gone: {self._lost}.")
        try:
            return self._process.ask(within_s, what, *words)
        except GuestLost as lost:
            self._lose(lost.message.rstrip(".").replace("The guest", "the guest", 1))
            raise PoisonedError(f"The instance is gone: {self._lost}.") from None
        except WrongMessage as wrong:
            self._lose(f"the guest's process said what is no answer ({wrong.message})")
            raise PoisonedError(f"The instance is gone: {self._lost}.") from None
        except WasmLabError:
            if not self._process.alive:
                self._lost = "an earlier call passed its deadline"
            raise

    def _lose(self, why: str) -> None:
        self._lost = why
        self._process.kill()


def plain(capabilities: Capabilities) -> list[Any]:
    """Capabilities as plain values, in the order that the guest's process takes them."""
    return [
        list(capabilities.args),
        capabilities.program,
        [list(pair) for pair in capabilities.env.items()],
        capabilities.stdin or b"",
        [[str(each.host.resolve()), each.guest] for each in capabilities.dirs],
        capabilities.clock.value,
        capabilities.frozen_ns,
        capabilities.random.value,
        capabilities.seed,
        capabilities.memory_bytes,
        capabilities.fuel,
        capabilities.deadline_s,
        capabilities.output_bytes,
    ]


def _call_of(reply: Reply) -> HostCall:
    name = plain_text(reply.text(), 200)
    arguments = {plain_text(each.text(), 200): _argument(each.any()) for each in reply.each()}
    return HostCall(
        name=name,
        arguments=arguments,
        result=plain_text(reply.text(), 200),
        allowed=reply.truth(),
        capability=plain_text(reply.text(), 200),
        flag=plain_text(reply.text(), 1000),
        started_ns=reply.integer(),
        duration_ns=reply.integer(),
    )


def _argument(value: Any) -> Any:
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, list):
        return [_argument(each) for each in value]
    return value


def _run_of(reply: Reply, artifact: Artifact) -> Run:
    """A run from plain values.

    Raises:
        WrongMessage: they are none.
    """
    version = plain_text(reply.text(), 100)
    status = reply.optional_integer()
    trap = reply.any()
    stdout, stderr = reply.data(), reply.data()
    phases = {each.text(): each.integer() for each in reply.each()}
    memory, fuel, audit = reply.integer(), reply.optional_integer(), reply.any()
    denied = tuple(_call_of(each) for each in reply.each())
    if (status is None) == (trap is None):
        raise WrongMessage("A run ends by an exit or by a trap.")
    return Run(
        label=artifact.label,
        runtime=WalledRuntime.name,
        runtime_version=version,
        exit_status=status,
        trap=None if trap is None else trap_of(Reply(trap)),
        stdout=stdout,
        stderr=stderr,
        phases_ns={phase: phases[phase.value] for phase in Phase if phase.value in phases},
        linear_memory_bytes=memory,
        fuel_used=fuel,
        audit=None if audit is None else tuple(_call_of(Reply(each)) for each in audit),
        denied=denied,
        module_sha256=artifact.sha256,
    )
