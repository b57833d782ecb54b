"""Is there a linker for the machine itself?

Wasm needs none: rustc brings its own. But a crate with a procedural macro (serde's derive)
or a build script runs a part of itself on this machine while it is compiled, and linking
that part takes the C compiler (or, on Windows, Visual Studio's linker). The test is to do
what cargo will do: build a program for the machine and run it.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.toolchains import memory, places

if TYPE_CHECKING:
    from wasm_lab.toolchains.rust import RustToolchain

PROBE_TIMEOUT_S = 60

#: Environment variables that change which linker rustc calls, or what it finds.
DECIDING = ("PATH", "LD_LIBRARY_PATH", "LIBRARY_PATH", "SDKROOT", "DEVELOPER_DIR", "LIB")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLinker:
    """Whether programs for this machine can be linked, and with what."""

    works: bool
    path: Path | None  #: ``cc`` on PATH; None where rustc finds its linker another way
    why: str = ""  #: when it does not work: what was said
    hint: str = ""  #: when it does not work: the command that gets one


def find_host_linker(toolchain: RustToolchain) -> HostLinker:
    """Whether ``toolchain`` can build programs that run on this machine.

    Under 1 ms when remembered, else 0.2 s. Never raises for a missing linker: most cells
    need none.
    """
    cc = shutil.which("cc")
    question = ("host linker", str(toolchain.rustc), toolchain.verbose, *map(_environment, DECIDING))
    if memory.recall(question) is not None:
        return HostLinker(works=True, path=Path(cc) if cc else None)
    why = _try(toolchain)
    if why:
        return HostLinker(works=False, path=Path(cc) if cc else None, why=why, hint=_hint())
    tools = {Path(cc), Path(cc).resolve()} if cc else set()
    memory.remember(question, {"works": True}, [str(toolchain.rustc), *map(str, tools)])
    return HostLinker(works=True, path=Path(cc) if cc else None)


def _environment(name: str) -> str:
    return f"{name}={os.environ.get(name, '')}"


def _try(toolchain: RustToolchain) -> str:
    with tempfile.TemporaryDirectory(prefix="wasm-lab-probe-") as folder:
        source = Path(folder) / "probe.rs"
        source.write_text("fn main() {}\n")
        program = Path(folder) / f"probe{places.EXE}"
        for command in ([str(toolchain.rustc), str(source), "-o", str(program)], [str(program)]):
            try:
                done = subprocess.run(
                    command,
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    encoding="utf-8",
                    errors="replace",
                    timeout=PROBE_TIMEOUT_S,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return f"{command[0]} did not answer within {PROBE_TIMEOUT_S} s"
            except OSError as error:
                return f"{command[0]} does not start ({error.strerror or error})"
            if done.returncode != 0:
                said = [line for line in done.stderr.splitlines() if line.startswith("error")]
                return said[0] if said else f"{command[0]} ended with status {done.returncode}"
    return ""


def _hint() -> str:
    system = platform.system()
    if system == "Darwin":
        return "xcode-select --install"
    if system == "Windows":
        return "winget install Microsoft.VisualStudio.2022.BuildTools, with the workload for C++"
    return "sudo apt install gcc libc6-dev (Debian, Ubuntu) or sudo dnf install gcc (Fedora)"
