"""WasmEdge by its command line: interpreted, or compiled ahead of time."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.build.cache import default_cache
from wasm_lab.build.key import digest
from wasm_lab.errors import LoadError, UnsupportedError
from wasm_lab.toolchains.wasmedge import find_wasmedge

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.subjects.base import Files
    from wasm_lab.toolchains.wasmedge import WasmEdge

_KIND = "wasmedge-aot"

#: Seconds that compiling ahead of time may take.
COMPILE_S = 300

_PAGE = 65_536

#: The status and the words on standard output with which it ends when the guest trapped.
_TRAPPED = 134
_LOGGED = re.compile(rb"^\[[0-9: .-]+\] \[error\] (.*)$", re.MULTILINE)


def module_file(place: str, artifact: Artifact, files: Files) -> Path:
    """The file that WasmEdge is to run: the module, or what was compiled of it.

    Raises:
        LoadError: it cannot be compiled.
    """
    if place == "wasmedge":
        return files.write("module.wasm", artifact.wasm)
    return files.write("module.so", _compiled(artifact))


def run_command(file: Path, granted: Capabilities | None = None) -> tuple[str, ...]:
    """The command line that runs ``file`` with what it is granted."""
    words = _engine().run_command()
    if granted is not None:
        for each in granted.dirs:
            words += ["--dir", f"{each.guest}:{each.host.absolute()}{'' if each.writable else ':readonly'}"]
        for name, value in granted.env.items():
            words += ["--env", f"{name}={value}"]
        if granted.memory_bytes is not None:
            words += ["--memory-page-limit", str(max(1, granted.memory_bytes // _PAGE))]
        return (*words, "--", str(file), *granted.args)
    return (*words, str(file))


def compile_command(artifact: Artifact, files: Files) -> tuple[str, ...]:
    """The command line that compiles ``artifact`` ahead of time, for timing it."""
    module = files.write("module.wasm", artifact.wasm)
    return (*_engine().compile_command(), str(module), str(files.folder("compiled") / "timed.so"))


def stopped(status: int, stdout: bytes) -> str:
    """Why the engine itself ended a program, which it tells on the guest's own standard output; or empty."""
    said = _LOGGED.findall(stdout[-4096:])
    if said and (status == _TRAPPED or said[-1].lstrip().startswith(b"At AST node") or status == 1):
        return b"; ".join(part.strip() for part in said).decode(errors="replace")
    return ""


def _engine() -> WasmEdge:
    found = find_wasmedge()
    if found is None:
        raise UnsupportedError("There is no WasmEdge here.")
    return found


def _compiled(artifact: Artifact) -> bytes:
    engine = _engine()
    key = digest(_KIND, artifact.sha256, engine.version, str(engine.program))
    found = default_cache().get(_KIND, key)
    if found is not None:
        return found
    with tempfile.TemporaryDirectory(prefix="wasm-lab-") as name:
        module, output = Path(name, "module.wasm"), Path(name, "module.so")
        module.write_bytes(artifact.wasm)
        command = [*engine.compile_command(), str(module), str(output)]
        done = subprocess.run(command, capture_output=True, timeout=COMPILE_S, check=False)
        if done.returncode or not output.exists():
            why = stopped(1, done.stdout) or done.stderr.decode(errors="replace").strip()
            raise LoadError(f"WasmEdge cannot compile {artifact.label}: {why}.")
        data = output.read_bytes()
    default_cache().put(_KIND, key, data)
    return data
