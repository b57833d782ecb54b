"""componentize-py, which makes components of Python: unpacked from PyPI into the lab's own folder.

It is a library for this Python, so a copy that is installed beside Python's packages would do as well; but
another version makes other components, and the lab is tested with one.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.errors import ToolchainError
from wasm_lab.toolchains import pypi
from wasm_lab.toolchains.commands import CommandError
from wasm_lab.toolchains.install import own_folder_locked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PACKAGE = "componentize-py"

#: What it runs: the program of the package, which has no file of its own. The first argument is the folder.
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); import componentize_py; sys.exit(componentize_py.script())"


@dataclass(frozen=True, slots=True)
class ComponentizePy:
    """The package where it was unpacked."""

    folder: Path
    version: str  #: such as ``0.25.1``

    def command(self) -> list[str]:
        """The first words of a command line."""
        # Isolated: neither the current folder nor the user's settings of Python change what it does.
        return [sys.executable, "-I", "-B", "-c", _START, str(self.folder)]


def find_componentize_py() -> ComponentizePy | None:
    """componentize-py where the lab unpacked it; None when it did not."""
    folder = pypi.unpacked(PACKAGE)
    return ComponentizePy(folder, pypi.version_of(PACKAGE)) if folder else None


def ensure_componentize_py(say: Callable[[str], None]) -> ComponentizePy:
    """componentize-py, unpacked from PyPI (17 MB) when it is not there.

    Args:
        say: told, line by line, what is installed and where.

    Raises:
        ToolchainError: it could not be had; says why.
    """
    found = find_componentize_py()
    if found is None:
        try:
            with own_folder_locked():
                found = ComponentizePy(pypi.unpack(PACKAGE, say), pypi.version_of(PACKAGE))
        except (CommandError, OSError) as error:
            raise ToolchainError(
                f"Python cells need componentize-py, and it could not be installed: {error}",
                hint=f"It comes from PyPI: with a network, run the cell again. {HOW}",
            ) from None
    return found


#: How doctor says to get it.
HOW = "the first Python cell unpacks it from PyPI into the lab's own folder (17 MB)"
