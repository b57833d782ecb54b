"""Finding wrk, which generates load: on PATH, or where ``scripts/test_tools.py`` unpacked it."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from wasm_lab.toolchains import memory, places
from wasm_lab.toolchains.commands import ask

HOW = "sudo apt install wrk · sudo dnf install wrk · brew install wrk"

#: Seconds to tell its version.
VERSION_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Wrk:
    """A wrk that was seen to run."""

    program: Path
    version: str  #: such as ``4.1.0``


def find_wrk() -> Wrk | None:
    """The wrk of this machine; None when there is none that runs."""
    for program in _candidates():
        real = str(program.resolve())
        answer = memory.recall(("wrk", real))
        if answer is None:
            # It tells its version and ends with status 1, as after any wrong usage.
            said = ask([program, "--version"], timeout_s=VERSION_TIMEOUT_S)
            match = re.search(r"wrk\s+(?:debian/)?(\d[\w.]*)", said.stdout + said.stderr)
            if match is None:
                continue
            answer = {"version": match[1]}
            memory.remember(("wrk", real), answer, [real])
        return Wrk(program, str(answer["version"]))
    return None


def wrk_missing() -> str:
    """Why there is no wrk here and how to get it; empty when there is one."""
    return "" if find_wrk() else f"No wrk is on PATH. To get it: {HOW}."


def _candidates() -> list[Path]:
    on_path = shutil.which("wrk")
    own = places.tools_folder() / "wrk" / "bin" / "wrk"
    return [*([Path(on_path)] if on_path else []), *([own] if own.exists() else [])]
