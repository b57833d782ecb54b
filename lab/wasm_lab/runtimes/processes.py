"""What runtimes share that run each command in a process of its own."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.confine.landlock import Openings, landlock_version
from wasm_lab.confine.process import Stop
from wasm_lab.errors import LoadError, UnsupportedError
from wasm_lab.run import TrapInfo, TrapKind
from wasm_lab.runtimes.base import Enforcement, Instance, Runtime

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.runtimes.base import OutputSink

#: What any program needs to start: libraries, their index, and two devices.
PROGRAMS = tuple(map(Path, ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/opt", "/nix/store")))
ALWAYS = tuple(map(Path, ("/etc/ld.so.cache", "/etc/alternatives", "/dev/null", "/dev/zero", "/dev/urandom")))

#: The trap for each reason for which a process was killed.
STOPS = {Stop.DEADLINE: TrapKind.DEADLINE, Stop.OUTPUT: TrapKind.OUTPUT}


class ProcessRuntime(Runtime):
    """Runs each command in a fresh process, and cannot keep instances."""

    def instantiate(
        self,
        artifact: Artifact,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> Instance:
        del capabilities, audit, output
        raise UnsupportedError(
            f"{self.name} runs whole programs here, and {artifact.label} is to be called function by function.",
            hint="wasmtime can do that. To compare functions among runtimes, use %wasm_bench.",
        )


def refuse_components(name: str, artifact: Artifact) -> None:
    if artifact.is_component:
        raise LoadError(
            f"{artifact.label} is a component for WASI 0.2, and {name} runs modules for WASI 0.1.",
            hint="Build it for wasm32-wasip1, or run it in wasmtime.",
        )


def enforced(natively: str, **others: Enforcement) -> dict[str, Enforcement]:
    """A table for `Runtime.enforces` from the names, between blanks, of what is enforced natively."""
    return {**dict.fromkeys(natively.split(), Enforcement.NATIVE), **others}


def openings_for(capabilities: Capabilities, *programs: Path, read: tuple[Path, ...] = ()) -> Openings | None:
    """The wall around a process that is given these folders; None where the kernel has none to offer.

    Args:
        programs: what is to be run, besides what the system has in its usual places.
        read: what else it may read.
    """
    if not landlock_version():
        return None
    folders = [(each.host.resolve(), each.writable) for each in capabilities.dirs]
    return Openings(
        execute=(*PROGRAMS, *programs),
        read=(*ALWAYS, *read, *(path for path, writable in folders if not writable)),
        write=tuple(path for path, writable in folders if writable),
    )


def stopped(stop: Stop) -> TrapInfo:
    """The trap of a process that was killed for that reason."""
    return TrapInfo(kind=STOPS[stop], message=STOPS[stop].value)


@functools.cache
def scratch_folder() -> Path:
    """A folder of this process for files that engines read; removed when it ends."""
    folder = Path(tempfile.mkdtemp(prefix="wasm-lab-run-")).resolve()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def kept_file(name: str, data: bytes, *, mode: int = 0o600) -> Path:
    """A file of that name with that content in `scratch_folder`, written once."""
    file = scratch_folder() / name
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".new-", delete=False) as new:
            new.write(data)
        written = Path(new.name)
        written.chmod(mode)
        written.replace(file)
    return file
