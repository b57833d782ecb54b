"""WasmEdge's compiler: from a module to code of this machine, kept in the build cache."""

from __future__ import annotations

import functools
import platform
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.build.cache import default_cache
from wasm_lab.build.key import digest
from wasm_lab.build.process import run_tool
from wasm_lab.errors import LoadError

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.toolchains.wasmedge import WasmEdge

KIND = "wasmedge-aot"


def compiled(artifact: Artifact, engine: WasmEdge) -> tuple[bytes, bool]:
    """A shared library that `wasmedge run` takes in place of the module, and whether the cache had it.

    Raises:
        LoadError: WasmEdge cannot compile the module.
    """
    cache = default_cache()
    key = digest(KIND, artifact.sha256, engine.version, _processor())
    kept = cache.get(KIND, key)
    if kept is not None:
        return kept, True
    with tempfile.TemporaryDirectory(prefix="wasm-lab-aot-") as name:
        folder = Path(name)
        (folder / "module.wasm").write_bytes(artifact.wasm)
        done = run_tool([*engine.compile_command(), "module.wasm", "module.so"], cwd=folder)
        if done.status or not (folder / "module.so").exists():
            said = (done.stderr + done.stdout).strip().splitlines()[-1:] or ["nothing"]
            raise LoadError(f"{artifact.label} cannot be compiled by WasmEdge, which said: {said[0]}")
        data = (folder / "module.so").read_bytes()
    cache.put(KIND, key, data)
    return data, False


@functools.cache
def _processor() -> str:
    """What the code is good for: it uses all that this processor has."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = [platform.processor()]
    kept = {line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))}
    return f"{platform.machine()} {sorted(kept)}"
