"""Starting the program over and over: in a private container runtime, or as a bare process beside it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import MeasureError, ProbeError, UnsupportedError
from wasm_lab.scenarios.containers import fellows
from wasm_lab.scenarios.containers.fellows import FELLOWS, Fellow
from wasm_lab.services import Containerd
from wasm_lab.services.cri import PodSandbox
from wasm_lab.services.cri.api import cri_missing
from wasm_lab.services.cri.processes import pss_bytes
from wasm_lab.toolchains import containerd as programs
from wasm_lab.toolchains.node import find_node, node_missing
from wasm_lab.toolchains.wasmedge import find_wasmedge

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from wasm_lab.services.cri import Container, Cri, Pod

#: Seconds in which the program must say its first words.
WORDS_S = 30.0

#: Seconds between two looks at the log.
LOOK_S = 0.003


@dataclass(frozen=True)
class Subject:
    """One form of the program under one runtime."""

    fellow: Fellow
    handler: str  #: of the container runtime; empty for a bare process
    title: str
    runtime: str
    version: str


@dataclass
class Started:
    """One that runs and idles. Times are nanoseconds since 1970 by this machine's clock."""

    asked_ns: int  #: the container, or the process, was asked for
    words_ns: int  #: the program read its clock, as the first thing it did
    stop: Callable[[], None] = field(repr=False)
    weigh: Callable[[], dict[str, int]] = field(repr=False)  #: bytes of its parts
    pod_ns: int = 0  #: the pod was asked for
    start_ns: int = 0  #: the container, now made, was to start
    created_answer_ns: int = 0  #: the runtime had answered that it was made
    started_answer_ns: int = 0  #: and that it was started
    created_at_ns: int = 0  #: the runtime's own stamp of the first
    started_at_ns: int = 0  #: and of the second
    made_ns: int = 0  #: crun or runc had made it, by their own state
    logged_ns: int = 0  #: the runtime's own stamp on the first words


class Ground(ABC):
    """Where the program is started. Use it as a context manager."""

    kind = ""  #: ``containers`` or ``processes``

    @abstractmethod
    def subjects(self) -> tuple[list[Subject], dict[str, str]]:
        """What can be started here; and titles of what cannot, with the reason."""

    @abstractmethod
    def ready(self, subject: Subject) -> None:
        """Build and import what it takes."""

    @abstractmethod
    def start(self, subject: Subject) -> Started:
        """Start one and wait for its first words."""

    @abstractmethod
    def close(self) -> None:
        """End all that was started, and remove what was made for it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Containers(Ground):
    """A private containerd. Each container gets a pod of its own, as in Kubernetes."""

    kind = "containers"

    def __init__(self) -> None:
        self.containerd = Containerd()
        self._cri: Cri | None = None
        self._images: dict[str, str] = {}
        self._number = 0

    @staticmethod
    def missing() -> str:
        """Why no container can run here and how to get what it takes; empty when they can."""
        return Containerd.missing() or cri_missing()

    def version(self) -> str:
        """Name and version of the container runtime."""
        return self._cri.version() if self._cri else ""

    def subjects(self) -> tuple[list[Subject], dict[str, str]]:
        crun, runc, plain = programs.find_crun(), programs.find_runc(), programs.find_crun(wasm=False)
        found, missing = [], {}
        for fellow in FELLOWS:
            handlers = ("crun-wasm",) if fellow.annotations else ("crun", "runc")
            for handler in handlers[:1] if fellow.name in ("python", "node") and plain else handlers:
                under = f"crun, {_engine_name(crun)}" if handler == "crun-wasm" else handler
                title = f"{fellow.title} ({under})"
                why = Containerd.missing_handler(handler) or fellow.missing()
                if why:
                    missing[title] = why
                    continue
                program = {"crun-wasm": crun, "crun": crun or plain, "runc": runc}[handler]
                found.append(Subject(fellow, handler, title, handler, program.version if program else ""))
        return found, missing

    def ready(self, subject: Subject) -> None:
        if subject.fellow.name not in self._images:
            path = fellows.archive(subject.fellow).path
            self._images[subject.fellow.name] = self.containerd.import_image(path)

    def start(self, subject: Subject) -> Started:
        assert self._cri is not None, "used as a context manager"
        self._number += 1
        annotations = dict(subject.fellow.annotations)
        name = f"{subject.fellow.name}-{self._number}"
        pod = self._cri.run_pod(
            PodSandbox(name=name, annotations=annotations, runtime_handler=subject.handler)
        )
        try:
            image = self._images[subject.fellow.name]
            container = pod.start(name="idle", image=image, annotations=annotations)
            started = _seen(pod, container, subject)
            started.made_ns = self.containerd.made_at_ns(container.id)
            return started
        except BaseException:
            with contextlib.suppress(Exception):
                pod.remove()
            raise

    def __enter__(self) -> Self:
        self.containerd.start()
        try:
            self._cri = self.containerd.cri()
        except BaseException:
            self.containerd.close()
            raise
        return self

    def close(self) -> None:
        if self._cri is not None:
            self._cri.close()
        self.containerd.close()


def _engine_name(crun: programs.Crun | None) -> str:
    names = {"wasmedge": "WasmEdge", "wasmtime": "wasmtime", "wasmer": "Wasmer", "wamr": "WAMR"}
    return names.get(crun.engine, crun.engine) if crun else "WasmEdge"


def _seen(pod: Pod, container: Container, subject: Subject) -> Started:
    deadline = time.monotonic() + WORDS_S
    while not container.log_file.exists() or not container.log_lines():
        time.sleep(LOOK_S)
        if time.monotonic() > deadline or container.status().state == "exited":
            break
    lines, status = container.log_lines(), container.status()
    if not lines or not lines[0].text.strip().isdecimal() or status.state != "running":
        said = container.logs().strip()[-300:]
        raise ProbeError(
            f"{subject.title} did not start: it is {status.state}, with status {status.exit_code}.",
            hint=f"It said: {said}" if said else "",
        )
    asked = container.asked
    return Started(
        asked_ns=asked.create_ns,
        words_ns=int(lines[0].text),
        stop=pod.remove,
        weigh=lambda: _weighed(pod),
        pod_ns=pod.asked_ns,
        start_ns=asked.start_ns,
        created_answer_ns=asked.created_ns,
        started_answer_ns=asked.started_ns,
        created_at_ns=status.created_at_ns,
        started_at_ns=status.started_at_ns,
        logged_ns=lines[0].time_ns,
    )


def _weighed(pod: Pod) -> dict[str, int]:
    pause = pod.pause_pid
    return {"container": pod.pss, "shim": pod.shim_pss, "pause": pss_bytes(pause) if pause else 0}


class Processes(Ground):
    """The same programs without any container, each as a process of this machine."""

    kind = "processes"

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._commands: dict[str, list[str]] = {}

    def subjects(self) -> tuple[list[Subject], dict[str, str]]:
        from wasm_lab.subjects.available import missing as place_missing
        from wasm_lab.subjects.available import version

        engine = find_wasmedge()
        runtimes = {
            "wasm": ("WasmEdge", engine.version) if engine else ("wasmtime in Python", version("wasmtime")),
            "wasm-compiled": ("WasmEdge", engine.version if engine else ""),
            "native": ("a process", version("native") if not place_missing("native") else ""),
            "python": ("a process", version("python")),
            "node": ("a process", version("node")),
        }
        found, missing = [], {}
        for fellow in FELLOWS:
            runtime, number = runtimes[fellow.name]
            title = f"{fellow.title} ({runtime})"
            why = fellow.missing()
            if fellow.name == "native":
                why = place_missing("native")
            if why:
                missing[title] = why
            else:
                found.append(Subject(fellow, "", title, runtime, number))
        return found, missing

    def ready(self, subject: Subject) -> None:
        name = subject.fellow.name
        if name not in self._commands:
            self._commands[name] = self._command(name)

    def start(self, subject: Subject) -> Started:
        command = [sys.executable, "-I", "-S", "-c", _EXEC, *self._commands[subject.fellow.name]]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert process.stdout is not None
        asked, line = process.stdout.readline(), process.stdout.readline()
        read = time.time_ns()

        def stop() -> None:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

        if not line.strip().isdigit():
            stop()
            raise ProbeError(f"{subject.title} did not start: it said {line!r}.")
        return Started(
            asked_ns=int(asked),
            words_ns=int(line),
            stop=stop,
            weigh=lambda: {"container": pss_bytes(process.pid)},
            logged_ns=read,
        )

    def _command(self, name: str) -> list[str]:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="wasm-lab-")
        folder = Path(self._folder.name)
        if name == "native":
            program = folder / "idle"
            program.write_bytes(fellows.native())
            program.chmod(0o700)
            return [str(program)]
        if name in ("python", "node"):
            script = folder / ("idle.py" if name == "python" else "idle.js")
            script.write_text(fellows.PYTHON if name == "python" else fellows.NODE)
            if name == "python":
                return [sys.executable, str(script)]
            node = find_node()
            if node is None:
                raise UnsupportedError(node_missing())
            return [str(node.program), str(script)]
        module = folder / f"{name}.wasm"
        module.write_bytes(fellows.module() if name == "wasm" else fellows.compiled_module())
        engine = find_wasmedge()
        if engine is not None:
            return [*engine.run_command(), str(module)]
        return [sys.executable, "-I", "-c", _IN_WASMTIME, str(module)]

    def close(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


#: Becomes the program, after it has told the time and arranged to die with its parent (prctl(2)).
_EXEC = """\
import ctypes, os, sys, time
ctypes.CDLL(None).prctl(1, 9)
os.write(1, b"%d\\n" % time.time_ns())
os.execvp(sys.argv[1], sys.argv[1:])
"""

#: Runs a module where there is no engine with a program of its own.
_IN_WASMTIME = """\
import sys, wasmtime
engine = wasmtime.Engine()
linker = wasmtime.Linker(engine)
linker.define_wasi()
store = wasmtime.Store(engine)
wasi = wasmtime.WasiConfig()
wasi.inherit_stdout()
store.set_wasi(wasi)
instance = linker.instantiate(store, wasmtime.Module.from_file(engine, sys.argv[1]))
instance.exports(store)["_start"](store)
"""


def ground(*, processes: bool = False) -> Ground:
    """Containers where they can run, unless processes are asked for.

    Raises:
        MeasureError: this system tells no proportional sizes of processes, which only Linux does.
    """
    if not Path("/proc/self/smaps_rollup").exists():
        raise MeasureError(
            "Memory is weighed as PSS, which only Linux tells.",
            hint="Measure in a virtual machine with Linux.",
        )
    return Processes() if processes or Containers.missing() else Containers()
