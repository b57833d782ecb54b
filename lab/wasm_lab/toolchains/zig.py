"""Finding Zig, which compiles C, C++ and Zig: on PATH where its version fits, else PyPI's ``ziglang``.

Zig's language and command line change with every minor version, so only the one that the lab is tested
with is taken from PATH. PyPI's package is unpacked on demand into the lab's own folder (see `pypi`).
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import ToolchainError
from wasm_lab.toolchains import memory, places, pypi
from wasm_lab.toolchains.commands import CommandError, ask

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = "ziglang"

#: Seconds to tell its version.
VERSION_TIMEOUT_S = 20

HOW = "the lab gets it from PyPI (100 MB) for the first C, C++ or Zig cell, into a folder of its own"


@dataclass(frozen=True, slots=True)
class Zig:
    """A Zig that was seen to run and is of the version that the lab is tested with."""

    program: Path
    version: str  #: such as ``0.17.0``

    @property
    def library(self) -> Path:
        """The folder of its own sources and headers."""
        beside = self.program.resolve().parent / "lib"
        if (beside / "std").exists():
            return beside
        return self.program.resolve().parent.parent / "lib" / "zig"


def wanted_version() -> str:
    """The minor version that fits, such as ``0.17``."""
    return ".".join(pypi.version_of(PACKAGE).split(".")[:2])


def find_zig() -> Zig | None:
    """The Zig of PATH if its version fits, else the one in the lab's own folder; None when there is neither."""
    on_path = shutil.which("zig")
    for program in ([Path(on_path)] if on_path else []) + _own():
        version = _version(program)
        if version.startswith(f"{wanted_version()}."):
            return Zig(program, version)
    return None


def ensure_zig(say: Callable[[str], None]) -> Zig:
    """The Zig that is here, else PyPI's, unpacked into the lab's own folder now.

    Args:
        say: told, line by line, what is installed and where.

    Raises:
        ToolchainError: there is none and it could not be got.
    """
    from wasm_lab.toolchains.install import own_folder_locked

    found = find_zig()
    if found is not None:
        return found
    try:
        with own_folder_locked():
            say(
                f"C, C++ and Zig are compiled by Zig, which is not here: getting it from PyPI (100 MB) "
                f"into {places.own_folder()}"
            )
            pypi.unpack(PACKAGE, say)
    except CommandError as error:
        raise ToolchainError(
            f"C, C++ and Zig are compiled by Zig, which is not here and could not be got: {error}",
            hint=_hint(),
        ) from None
    found = find_zig()
    if found is None:
        raise ToolchainError("PyPI's ziglang was unpacked, and does not run here.", hint=_hint())
    return found


def _hint() -> str:
    return (
        f"It is fetched again by the next such cell. Without a network: put a zig {wanted_version()}.x on PATH, "
        "from https://ziglang.org/download."
    )


def _own() -> list[Path]:
    home = pypi.unpacked(PACKAGE)
    return [home / "ziglang" / f"zig{places.EXE}"] if home else []


def _version(program: Path) -> str:
    real = str(program.resolve())
    answer = memory.recall(("zig", real))
    if answer is not None:
        return str(answer["version"])
    said = ask([program, "version"], timeout_s=VERSION_TIMEOUT_S)
    match = re.match(r"\d+\.\d+\.\d+\S*", said.stdout) if said.ok else None
    if match is None:
        return ""
    memory.remember(("zig", real), {"version": match[0]}, [real])
    return match[0]
