"""The node runtime: V8's WebAssembly with ``node:wasi``, each command in a process of its own.

``node:wasi`` says of itself that it is no safe sandbox for files. So the process is walled in by
Landlock, which also keeps read-only folders read-only; where the kernel has none, no folder is given.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from importlib import resources
from typing import TYPE_CHECKING, Any

from wasm_lab.build.symbols import demangle
from wasm_lab.confine.landlock import landlock_version
from wasm_lab.confine.process import REPORT, Bounds, run_confined
from wasm_lab.errors import LoadError
from wasm_lab.run import Frame, Phase, Run, TrapInfo, TrapKind
from wasm_lab.runtimes.aborts import rust_abort
from wasm_lab.runtimes.base import Enforcement
from wasm_lab.runtimes.frames import STACK_IN_MEMORY, own_frames, plain_name, recurses
from wasm_lab.runtimes.processes import (
    ProcessRuntime,
    enforced,
    kept_file,
    openings_for,
    refuse_components,
    scratch_folder,
    stopped,
)
from wasm_lab.toolchains.node import find_node, node_missing

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.confine.process import Ended
    from wasm_lab.runtimes.base import OutputSink

PAGE_BYTES = 65536
MOST_PAGES = 65536  #: that 32-bit addresses reach

#: As many frames as the script asks for; a stack that is full of few functions is one that overflowed.
MOST_FRAMES = 20

#: What V8 says of each trap (``src/common/message-template.h``, ``kTrap…``), and what that amounts to.
_TRAPS = {
    "unreachable": TrapKind.UNREACHABLE,
    "memory access out of bounds": TrapKind.OUT_OF_BOUNDS,
    "operation does not support unaligned accesses": TrapKind.OUT_OF_BOUNDS,
    "divide by zero": TrapKind.DIVIDE_BY_ZERO,
    "remainder by zero": TrapKind.DIVIDE_BY_ZERO,
    "divide result unrepresentable": TrapKind.INTEGER_OVERFLOW,
    "float unrepresentable in integer range": TrapKind.BAD_CONVERSION,
    "table index is out of bounds": TrapKind.TABLE,
    "table access out of bounds": TrapKind.TABLE,
    "null function or function signature mismatch": TrapKind.INDIRECT_CALL,
    "Maximum call stack size exceeded": TrapKind.STACK_OVERFLOW,
}

#: One frame in V8's stack: ``at cell.fib (wasm://wasm/cell-0123:wasm-function[7]:0x1a2)``.
_FRAME = re.compile(
    r"at (?:(?P<name>\S.*?) \()?wasm://wasm/(?:(?P<module>.*?)-)?[0-9a-f]{8}"
    r":wasm-function\[(?P<index>\d+)\]:0x(?P<at>[0-9a-f]+)"
)

_PHASES = {"compile": Phase.COMPILE, "instantiate": Phase.INSTANTIATE, "run": Phase.RUN}


class NodeRuntime(ProcessRuntime):
    """Runs WASI 0.1 commands in Node.js."""

    name = "node"

    @property
    def version(self) -> str:
        found = find_node()
        return found.version if found else ""

    def missing(self) -> str:
        return node_missing()

    def enforces(self) -> dict[str, Enforcement]:
        walls = Enforcement.WALL if landlock_version() else Enforcement.NO
        unenforced = "hosts clock frozen_ns random seed fuel audit"
        return enforced(
            "args program env stdin memory_bytes deadline_s output_bytes inherit_output",
            dirs=walls,
            **dict.fromkeys(unenforced.split(), Enforcement.NO),
        )

    def run(
        self,
        artifact: Artifact,
        capabilities: Capabilities,
        *,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> Run:
        self.check(capabilities, audit=audit)
        refuse_components(self.name, artifact)
        found = find_node()
        assert found, "check() has refused where there is none"
        script = kept_file("node/run.js", resources.files(__name__).joinpath("run.js").read_bytes())
        module = kept_file(f"{artifact.sha256}/module.wasm", artifact.wasm)
        settings = scratch_folder() / f"node/{uuid.uuid4().hex}.json"
        settings.write_text(_settings(artifact, capabilities, module), encoding="utf-8")
        ended = run_confined(
            [*found.command(), *_flags(capabilities), str(script), str(settings), REPORT],
            bounds=Bounds(
                openings=openings_for(capabilities, found.home, read=(scratch_folder(),)),
                deadline_s=capabilities.deadline_s,
                output_bytes=capabilities.output_bytes,
            ),
            # Node's own; the guest's variables are in the settings.
            env={"OPENSSL_CONF": os.devnull, "PATH": ""},
            cwd=scratch_folder(),
            stdin=capabilities.stdin,
            inherit_output=capabilities.inherit_output,
            on_output=output,
        )
        settings.unlink(missing_ok=True)
        report = _report(artifact, ended)
        trap = stopped(ended.stop) if ended.stop else _trap(report, ended)
        phases = {_PHASES[name]: took for name, took in report.get("phases", {}).items()}
        return Run(
            label=artifact.label,
            runtime=self.name,
            runtime_version=self.version,
            exit_status=None if trap else int(report["status"]),
            trap=trap,
            stdout=ended.stdout,
            stderr=b"" if capabilities.inherit_output else ended.stderr,
            phases_ns={**phases, Phase.PROCESS: ended.duration_ns},
            linear_memory_bytes=report.get("memory", 0),
            module_sha256=artifact.sha256,
        )


def _flags(capabilities: Capabilities) -> list[str]:
    if capabilities.memory_bytes is None:
        return []
    return [f"--wasm-max-mem-pages={min(capabilities.memory_bytes // PAGE_BYTES, MOST_PAGES)}"]


def _settings(artifact: Artifact, capabilities: Capabilities, module: Path) -> str:
    """What the script is told. In a file, because everybody can see command lines."""
    settings = {
        "wasm": str(module),
        "args": [capabilities.program or artifact.label, *capabilities.args],
        "env": dict(capabilities.env),
        "preopens": {each.guest: str(each.host.resolve()) for each in capabilities.dirs},
    }
    return json.dumps(settings)


def _report(artifact: Artifact, ended: Ended) -> dict[str, Any]:
    """What the script reported; empty when it was killed before.

    Raises:
        LoadError: the module cannot be loaded.
    """
    report: dict[str, Any] = json.loads(ended.report) if ended.report.endswith(b"\n") else {}
    failed = report.get("failure")
    if failed and (failed["stage"] == "load" or failed["type"] in ("LinkError", "TypeError", "CompileError")):
        raise LoadError(f"{artifact.label} cannot be loaded: {failed['message']}.")
    if report and not failed and "status" not in report:
        exports = ", ".join(report["exports"]) or "nothing"
        raise LoadError(
            f"{artifact.label} is a library, not a program: it has no _start, but exports {exports}."
        )
    return report


def _trap(report: dict[str, Any], ended: Ended) -> TrapInfo | None:
    failed = report.get("failure")
    if failed is None and "status" in report:
        return None
    if failed is None:
        said = ended.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["nothing"]
        return TrapInfo(
            kind=TrapKind.OTHER, message=f"node ended with status {ended.status} and said: {said[0]}"
        )
    message = failed["message"]
    kind = _TRAPS.get(message, TrapKind.ALLOCATION if "Out of memory" in message else TrapKind.OTHER)
    frames = _frames(failed["stack"])
    if kind is TrapKind.UNREACHABLE:
        kind, message = rust_abort(ended.stderr.decode(errors="replace")) or (kind, kind.value)
    elif kind is TrapKind.OUT_OF_BOUNDS and recurses(frames, MOST_FRAMES):
        kind, message = TrapKind.STACK_OVERFLOW, STACK_IN_MEMORY
    elif kind not in (TrapKind.OTHER, TrapKind.ALLOCATION):
        message = kind.value
    return TrapInfo(kind=kind, message=message, frames=tuple(own_frames(frames)))


def _frames(stack: str) -> list[Frame]:
    """The frames of V8's own text, innermost first."""
    frames = []
    for match in _FRAME.finditer(stack):
        name = (match["name"] or "").removeprefix(f"{match['module']}.")
        function = demangle(name) if name else f"<wasm function {match['index']}>"
        frames.append(Frame(function=plain_name(function), offset=int(match["at"], 16)))
    return frames
