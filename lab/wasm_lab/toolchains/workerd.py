"""Finding workerd, the engine of Cloudflare Workers: on PATH, or from npm in the lab's own folder."""

from __future__ import annotations

import platform
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import ToolchainError
from wasm_lab.toolchains import memory, npm
from wasm_lab.toolchains.commands import CommandError, ask
from wasm_lab.toolchains.places import EXE

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = "workerd"

HOW = (
    "wasm-lab worker install puts it into the lab's own folder (160 MB; it takes Node.js and npm) · "
    "npm install --global workerd"
)

#: Seconds to tell its version; 160 MB are read from disk the first time.
VERSION_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Workerd:
    """A workerd that was seen to run."""

    program: Path
    version: str  #: such as ``2026-11-17``: also the newest compatibility date that it knows


def find_workerd() -> Workerd | None:
    """The workerd of this machine, first the one that the lab is tested with; None when none runs.

    Under 1 ms when remembered.
    """
    found = memory.first_that_answers("workerd", _candidates(), _asked)
    return Workerd(found[0], str(found[1]["version"])) if found else None


def ensure_workerd(say: Callable[[str], None]) -> Workerd:
    """workerd, installed from npm into the lab's own folder when there is none.

    Args:
        say: told, line by line, what is installed and where.

    Raises:
        ToolchainError: it could not be had; says why.
    """
    found = find_workerd()
    if found is not None:
        return found
    try:
        npm.install(PACKAGE, say)
    except (CommandError, OSError) as error:
        raise ToolchainError(
            f"workerd could not be installed: {error}",
            hint="A workerd on PATH will do too: npm install --global workerd",
        ) from None
    found = find_workerd()
    if found is None:
        raise ToolchainError(
            f"workerd was installed from npm and does not run on this machine ({_machine()}): {_why()}",
            hint="It runs on Linux with glibc 2.35 or later; elsewhere: npm install --global workerd",
        )
    return found


def workerd_missing() -> str:
    """Why there is no workerd here and how to get it; empty when there is one."""
    if find_workerd() is not None:
        return ""
    found = [str(program) for program in _candidates()]
    what = f"{found[0]} does not run: {_why()}" if found else "No workerd is installed"
    return f"{what}. To get it: {HOW}."


def _candidates() -> list[Path]:
    home = npm.installed(PACKAGE)
    own = home.path(f"@cloudflare/workerd-{_machine()}/bin/workerd{EXE}") if home else None
    on_path = shutil.which("workerd")
    return [*([own] if own and own.exists() else []), *([Path(on_path)] if on_path else [])]


def _asked(program: Path) -> dict[str, str] | None:
    """What it says of itself; None when it does not run."""
    said = ask([program, "--version"], timeout_s=VERSION_TIMEOUT_S)
    date = re.search(r"\d{4}-\d\d-\d\d", said.stdout) if said.ok else None
    return {"version": date[0]} if date else None


def _machine() -> str:
    """The name of this machine in the names of the packages with workerd's programs."""
    system = {"linux": "linux", "darwin": "darwin", "win32": "windows"}.get(sys.platform, sys.platform)
    arm = platform.machine().lower() in ("arm64", "aarch64")
    return f"{system}-{'arm64' if arm else '64'}"


def _why() -> str:
    programs = _candidates()
    if not programs:
        return "npm has no program for this kind of machine in this version"
    return ask([programs[0], "--version"], timeout_s=VERSION_TIMEOUT_S).why
