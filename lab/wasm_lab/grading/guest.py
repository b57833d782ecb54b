"""The process of a guest: holds the engine and the instances, and answers plain questions of the judge.

It is a fresh interpreter that walls itself in before it is given anything of a student's: it reads Python's own
files, the engine's and this package's, writes no file, uses bounded memory, starts no process, has no network, and
ends with the judge. Its standard streams lead nowhere. It imports nothing of the judge's.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sysconfig
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.artifact import Artifact
from wasm_lab.capabilities import Capabilities, ClockMode, Directory, RandomMode
from wasm_lab.errors import GuestExit, GuestTrap, LoadError, PoisonedError, WasmLabError
from wasm_lab.grading.wire import FROM_GUEST_BYTES, TO_GUEST_BYTES, Line
from wasm_lab.runtimes.workers.ending import die_with, end_when_closed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.run import HostCall, Run, TrapInfo
    from wasm_lab.runtimes.base import Instance

#: Where this package lies.
_LAB = Path(__file__).parents[1]

#: Host calls of one audit that are told; the rest are counted.
MOST_CALLS = 20_000

#: Instances that live at once; a judge's notebook has one for each of its cells.
MOST_INSTANCES = 32

#: Bytes of output of one call that are told, from each stream.
TOLD_BYTES = 64 * 1024


def serve(number: int, parent: int, memory_bytes: int, read: Sequence[str], walls: bool) -> None:
    """Answer what comes over the socket of that number until its other end is closed.

    Args:
        parent: the judge's process; this one ends with it.
        memory_bytes: that this process may use.
        read: folders beside Python's own that it may read.
        walls: whether to wall itself in.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with(parent)
    guest = Guest()
    gc.freeze()  # what is loaded by now stays, and need not be looked at again
    work(socket.socket(fileno=number), guest, memory_bytes, read, walls=walls)


def work(end: socket.socket, guest: Guest, memory_bytes: int, read: Sequence[str], *, walls: bool) -> None:
    """Wall this process in, then answer what comes over the socket until its other end is closed."""
    if walls:
        _wall_in(memory_bytes, [Path(each) for each in read])
    threading.Thread(target=end_when_closed, args=(end.fileno(),), name="wasm-lab judge", daemon=True).start()
    line = Line(end, TO_GUEST_BYTES)
    line.send(["ready"])
    while True:
        try:
            question = line.receive()
        except EOFError:
            os._exit(0)
        line.send(_answer(guest, question))


def _answer(guest: Guest, question: list[Any]) -> list[Any]:
    try:
        answer = guest.handle(*question)
    except GuestExit as error:
        return ["exit", error.message, error.status]
    except GuestTrap as error:
        return ["trap", type(error).__name__, error.message, plain_trap(error.trap)]
    except WasmLabError as error:
        return ["refused", type(error).__name__, error.message, error.hint]
    except MemoryError:
        return ["refused", "LoadError", "The guest's process has no memory left.", ""]
    except Exception as error:
        return ["failed", f"{type(error).__name__}: {error}"[:2000]]
    return ["answer", answer]


class Guest:
    """What the questions are about: modules by their checksums, instances by their numbers."""

    def __init__(self) -> None:
        from wasm_lab.runtimes.wasmtime import WasmtimeRuntime

        self._runtime = WasmtimeRuntime()
        self._modules: dict[str, Artifact] = {}
        self._instances: dict[int, Instance] = {}  # the most recently used last
        self._said = {"stdout": bytearray(), "stderr": bytearray()}
        _load_everything()

    def handle(self, what: str, *words: Any) -> Any:
        """Answer one question with plain values."""
        return getattr(self, f"_{what}")(*words)

    def _module(self, sha256: str, label: str, wasm: bytes, fuel: bool) -> None:
        """Keep a module, and compile it."""
        from wasm_lab.runtimes.wasmtime.engine import guest_engine

        artifact = Artifact(wasm=wasm, label=label)
        guest_engine(fuel=fuel).load(artifact)
        self._modules[sha256] = artifact

    def _instantiate(self, number: int, sha256: str, capabilities: list[Any], audit: bool) -> list[bytes]:
        if len(self._instances) >= MOST_INSTANCES:
            self._drop([next(iter(self._instances))])
        self._instances[number] = self._runtime.instantiate(
            self._modules[sha256], granted(capabilities), audit=audit, output=self._keep
        )
        return self._output()

    def _drop(self, numbers: list[int]) -> None:
        for number in numbers:
            self._instances.pop(number, None)
        gc.collect()  # a store refers to itself; its memory and its files are wanted back now

    def _instance(self, number: int) -> Instance:
        instance = self._instances.pop(number, None)
        if instance is None:
            raise PoisonedError(f"The instance is gone: {MOST_INSTANCES} others were used since.")
        self._instances[number] = instance
        return instance

    def _has(self, number: int, name: str) -> None:
        self._instance(number).function(name)

    def _call(self, number: int, name: str, args: list[int | float], writes: list[list[Any]]) -> list[Any]:
        instance = self._instance(number)
        for address, data in writes:
            instance.view(address, len(data))[:] = data
        result = instance.function(name)(*args)
        if isinstance(result, tuple):
            raise LoadError(f"{name} returns several values, and one was expected.")
        return [result, *self._output()]

    def _read(self, number: int, address: int, size: int, writes: list[list[Any]]) -> bytes:
        if size > FROM_GUEST_BYTES // 2:
            raise LoadError(f"{size} bytes are more than a judge reads of a guest's memory at once.")
        instance = self._instance(number)
        for start, data in writes:
            instance.view(start, len(data))[:] = data
        return instance.read(address, size)

    def _memory(self, number: int) -> int:
        return self._instance(number).linear_memory_bytes

    def _poisoned(self, number: int) -> str:
        return self._instance(number).poisoned

    def _audit(self, number: int) -> list[list[Any]]:
        return plain_calls(self._instance(number).take_audit())

    def _run(self, sha256: str, capabilities: list[Any], audit: bool) -> list[Any]:
        return plain_run(self._runtime.run(self._modules[sha256], granted(capabilities), audit=audit))

    def _keep(self, stream: str, data: bytes) -> None:
        kept = self._said[stream]
        kept += data[: max(0, TOLD_BYTES - len(kept))]

    def _output(self) -> list[bytes]:
        """What the guest wrote since the last time."""
        told = [bytes(kept) for kept in self._said.values()]
        for kept in self._said.values():
            kept.clear()
        return told


def granted(plain: list[Any]) -> Capabilities:
    """Capabilities from what the judge sent."""
    (
        args,
        program,
        env,
        stdin,
        dirs,
        clock,
        frozen_ns,
        random,
        seed,
        memory_bytes,
        fuel,
        deadline_s,
        output_bytes,
    ) = plain
    return Capabilities(
        args=tuple(args),
        program=program,
        env=dict(env),
        stdin=stdin,
        dirs=tuple(Directory(Path(host), name, writable=False) for host, name in dirs),
        clock=ClockMode(clock),
        frozen_ns=frozen_ns,
        random=RandomMode(random),
        seed=seed,
        memory_bytes=memory_bytes,
        fuel=fuel,
        deadline_s=deadline_s,
        output_bytes=output_bytes,
    )


def plain_trap(trap: TrapInfo | None) -> list[Any] | None:
    """A trap as plain values."""
    if trap is None:
        return None
    frames = [[each.function, each.file, each.line, each.column, each.offset] for each in trap.frames]
    return [trap.kind.value, trap.message, frames]


def plain_calls(calls: Sequence[HostCall]) -> list[list[Any]]:
    """An audit as plain values."""
    return [
        [
            each.name,
            [[key, _plain(value)] for key, value in each.arguments.items()],
            each.result,
            each.allowed,
            each.capability,
            each.flag,
            each.started_ns,
            each.duration_ns,
        ]
        for each in calls[:MOST_CALLS]
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value if value is None or type(value) in (bool, int, float, str, bytes) else str(value)


def plain_run(run: Run) -> list[Any]:
    """A run as plain values."""
    return [
        run.runtime_version,
        run.exit_status,
        plain_trap(run.trap),
        run.stdout,
        run.stderr,
        [[phase.value, took] for phase, took in run.phases_ns.items()],
        run.linear_memory_bytes,
        run.fuel_used,
        None if run.audit is None else plain_calls(run.audit),
        plain_calls(run.denied),
    ]


def _load_everything() -> None:
    """Import what a guest's run may need, so that a missing file shows at the start."""
    import wasm_lab.runtimes.wasmtime.command
    import wasm_lab.runtimes.wasmtime.instance
    import wasm_lab.wasi.audit
    import wasm_lab.wasi.refusals  # noqa: F401
    from wasm_lab.runtimes.wasmtime.engine import version

    version()


def _wall_in(memory_bytes: int, read: list[Path]) -> None:
    """Close everything to this process but what the engine needs."""
    import msgpack  # type: ignore[import-untyped]
    import wasmtime

    from wasm_lab.confine.landlock import Openings, wall_in_this_thread
    from wasm_lab.confine.limits import Limits, limit_process
    from wasm_lab.confine.privileges import drop_privileges_of_this_thread
    from wasm_lab.confine.syscalls import close_syscalls_in_this_thread

    if len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208
        raise RuntimeError("A thread that is there already would stay outside of the walls.")
    packages = (Path(str(module.__file__)).parent for module in (wasmtime, msgpack))
    python = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    python |= {path for path in python if path.name == "lib-dynload"}
    limit_process(Limits(memory_bytes=memory_bytes, file_bytes=64 * 1024 * 1024, files=1024))
    wall_in_this_thread(
        Openings(
            read=(*python, *packages, _LAB, *read, Path("/dev/urandom")),
            write=(Path("/dev/null"),),
        )
    )
    drop_privileges_of_this_thread()
    close_syscalls_in_this_thread(processes=True)
