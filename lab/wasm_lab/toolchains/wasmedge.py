"""Finding WasmEdge: on PATH, or where ``scripts/test_tools.py`` unpacked it."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from wasm_lab.toolchains import memory, places
from wasm_lab.toolchains.commands import ask

HOW = (
    "sudo apt install wasmedge (Debian 13) · sudo dnf install wasmedge · brew install wasmedge · "
    "elsewhere as https://wasmedge.org says"
)

#: Seconds to tell its version; LLVM's library is read from disk the first time.
VERSION_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class WasmEdge:
    """A WasmEdge that was seen to run."""

    program: Path
    version: str  #: such as ``0.14.1``
    can_compile: bool  #: whether it was built with its compiler

    def run_command(self) -> list[str]:
        """The first words of a command line that runs a module."""
        return [str(self.program), "run"]

    def compile_command(self) -> list[str]:
        """The first words of a command line that compiles a module ahead of time."""
        return [str(self.program), "compile"]


def find_wasmedge() -> WasmEdge | None:
    """The WasmEdge of this machine; None when there is none that runs.

    Under 1 ms when remembered, 20 ms otherwise.
    """
    found = memory.first_that_answers("wasmedge and its compiler", _candidates(), _asked)
    if found is None:
        return None
    program, answer = found
    return WasmEdge(program, str(answer["version"]), bool(answer["can_compile"]))


def wasmedge_missing() -> str:
    """Why there is no WasmEdge here and how to get it; empty when there is one."""
    if find_wasmedge() is not None:
        return ""
    found = [str(program) for program in _candidates()]
    what = f"{found[0]} does not run" if found else "No wasmedge is on PATH"
    return f"{what}. To get it: {HOW}."


def _candidates() -> list[Path]:
    own = places.tools_folder() / "wasmedge" / "bin" / "wasmedge"
    on_path = shutil.which("wasmedge")
    return [*([Path(on_path)] if on_path else []), *([own] if own.exists() else [])]


def _asked(program: Path) -> dict[str, str | bool] | None:
    """What it says of itself; None when it does not run."""
    version = ask([program, "--version"], timeout_s=VERSION_TIMEOUT_S)
    match = re.search(r"\d+\.\d+\.\d+\S*", version.stdout) if version.ok else None
    if match is None:
        return None
    can_compile = "compile" in ask([program, "--help"], timeout_s=VERSION_TIMEOUT_S).stdout
    return {"version": match[0], "can_compile": can_compile}
