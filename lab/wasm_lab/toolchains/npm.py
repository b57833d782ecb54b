"""Programs from npm, installed by the machine's own npm into a folder of the lab's own.

A file ``NAME.npm.json`` beside this module is npm's own lock file: it fixes the version and the
integrity (SHA-512) of the package and of everything it needs, and names no address, so that npm
takes them from the registry that it is set up for and refuses what has changed. To make one, in an
empty folder::

    npm install --package-lock-only --omit-lockfile-registry-resolved NAME@VERSION

and copy its ``package-lock.json``. Of ``optionalDependencies``, such as one package of programs for each
kind of machine, this machine's is installed and has to be there. No script of a package is run.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.toolchains import places
from wasm_lab.toolchains.commands import CommandError, follow
from wasm_lab.toolchains.install import own_folder_locked
from wasm_lab.toolchains.node import find_node, node_missing

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds. The largest package here is 50 MB to fetch.
TIMEOUT_S = 900

HOW_NPM = "sudo apt install npm · sudo dnf install npm · brew install node · winget install nodejs"

#: npm's codes for a registry that cannot be reached.
OFFLINE = (
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ETIMEDOUT",
    "ENETUNREACH",
    "ERR_SOCKET_TIMEOUT",
)

#: Settings of the user's npm that would install elsewhere, leave out what is needed, or run scripts.
_OPTIONS = (
    "--ignore-scripts",
    "--include=optional",
    "--global=false",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--loglevel=error",
    # Without a network npm would try for over a minute.
    "--fetch-retries=2",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=5000",
)


@dataclass(frozen=True, slots=True)
class NpmPackage:
    """A package that is installed whole."""

    name: str
    version: str
    folder: Path  #: holds ``node_modules``

    def path(self, relative: str) -> Path:
        """A file below ``node_modules``, such as ``workerd/workerd.capnp``."""
        return self.folder / "node_modules" / relative


def lock_file(name: str) -> Path:
    """npm's lock file of a package that the lab installs."""
    return Path(__file__).with_name(f"{name}.npm.json")


def version_of(name: str) -> str:
    """The version of a package that the lab installs, such as ``1.20261117.1``.

    Example:
        >>> version_of("workerd").count(".")
        2
    """
    packages: dict[str, Any] = _lock(name)["packages"]
    root = packages[""]
    first = next(iter({**root.get("dependencies", {}), **root.get("optionalDependencies", {})}))
    return str(packages[f"node_modules/{first}"]["version"])


def installed(name: str) -> NpmPackage | None:
    """The package where it was installed whole, in the version of today; else None. Asks nobody."""
    home = _home(name)
    return NpmPackage(name, version_of(name), home) if home.exists() else None


def install(name: str, say: Callable[[str], None]) -> NpmPackage:
    """Install a package with all that it needs, unless it is there already.

    Many processes may ask at once: one installs, the others wait. Safe to interrupt: the folder
    appears when it is whole.

    Args:
        name: one for which there is a `lock_file`.
        say: told, line by line, what is installed and where, and every five seconds how far it is.

    Raises:
        CommandError: there is no Node.js or no npm, the registry cannot be reached, or what it gave
            is not what the lock file names; says which, and what to do.
    """
    found = installed(name)
    if found is not None:
        return found
    npm = _npm()
    with own_folder_locked():
        found = installed(name)  # by another process, while this one waited
        if found is not None:
            return found
        home = _home(name)
        home.parent.mkdir(parents=True, exist_ok=True)
        say(f"Installing {name} {version_of(name)} from npm into {home}")
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=home.parent) as temporary:
            whole = Path(temporary) / "whole"
            whole.mkdir()
            _fill(name, npm, whole, say)
            whole.rename(home)
    return NpmPackage(name, version_of(name), home)


def npm_missing() -> str:
    """Why nothing can be installed from npm and how to mend that; empty when it can be."""
    try:
        _npm()
    except CommandError as error:
        return str(error)
    return ""


def _fill(name: str, npm: Path, folder: Path, say: Callable[[str], None]) -> None:
    lock = _for_this_machine(name)
    root = lock["packages"][""]
    (folder / "package.json").write_text(json.dumps({**root, "private": True}))
    (folder / "package-lock.json").write_text(json.dumps(lock))
    said: list[str] = []

    def hear(line: str) -> None:
        said.append(line)
        if "npm error" not in line and "npm warn" not in line:
            say(line)

    node = find_node()
    assert node is not None  # _npm() saw it
    # npm is a script for the `node` of PATH, which may be another or none.
    path = os.pathsep.join((str(node.program.parent), os.environ.get("PATH", os.defpath)))
    try:
        follow(
            [npm, "ci", f"--prefix={folder}", *_OPTIONS],
            hear,
            timeout_s=TIMEOUT_S,
            changed={"PATH": path, "NODE_ENV": "", "NO_UPDATE_NOTIFIER": "1"},
            watch=folder,
        )
    except CommandError as error:
        raise CommandError(_explained(name, said, str(error))) from None


def _explained(name: str, said: list[str], otherwise: str) -> str:
    """npm's own words, short, and what to do about them."""
    errors = [line.split("npm error", 1)[1].strip() for line in said if "npm error" in line]
    words = [line for line in errors if line and "complete log" not in line.lower()]
    code = next((line.removeprefix("code ") for line in words if line.startswith("code ")), "")
    told = " ".join(line for line in words if not line.startswith("code "))[:400] or otherwise
    if code in OFFLINE:
        return f"npm cannot reach its registry ({code}), and {name} is not installed yet. With a network, try again."
    if code == "EINTEGRITY":
        return (
            f"What npm was given for {name} is not what was published: its checksum differs. "
            f"Nothing was installed. A proxy or a mirror may have changed it. npm said: {told}"
        )
    if code in ("E404", "ETARGET"):
        return (
            f"The registry that npm is set up for does not have {name} {version_of(name)}. "
            f"`npm config get registry` tells which it is. npm said: {told}"
        )
    if code == "ENOSPC":
        return f"The disk is full: {name} could not be installed."
    return f"npm could not install {name}: {told}"


def _npm() -> Path:
    missing = node_missing()
    if missing:
        raise CommandError(missing)
    node = find_node()
    beside = node.program.parent / "npm" if node else None
    found = shutil.which("npm") or (str(beside) if beside and beside.exists() else None)
    if found is None:
        raise CommandError(f"Node.js is here, but no npm is on PATH. To get it: {HOW_NPM}.")
    return Path(found)


def _lock(name: str) -> dict[str, Any]:
    lock: dict[str, Any] = json.loads(lock_file(name).read_bytes())
    return lock


def _for_this_machine(name: str) -> dict[str, Any]:
    """The lock with this machine's programs alone, as packages that npm must not do without.

    Programs are published as one optional package for each kind of machine, and an optional one that
    could not be fetched npm leaves out in silence.
    """
    lock = _lock(name)
    packages = lock["packages"]
    root = packages[""]
    programs = root.pop("optionalDependencies", {})
    fitting = [each for each in programs if _fits(packages[f"node_modules/{each}"])]
    if programs and not fitting:
        raise CommandError(
            f"npm has no {name} for {_system()} on {_processor()} in the version that the lab uses."
        )
    for each in programs:
        if each in fitting:
            packages[f"node_modules/{each}"].pop("optional", None)
        else:
            del packages[f"node_modules/{each}"]
    root["dependencies"] = {**root.get("dependencies", {}), **{each: programs[each] for each in fitting}}
    return lock


def _fits(package: dict[str, Any]) -> bool:
    return _system() in package.get("os", [_system()]) and _processor() in package.get("cpu", [_processor()])


def _system() -> str:
    """This system as Node.js names it."""
    return sys.platform


def _processor() -> str:
    """This processor as Node.js names it."""
    name = platform.machine().lower()
    return {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(name, name)


def _home(name: str) -> Path:
    # Another lock file is another folder: what an older lab installed is never taken for today's.
    mark = hashlib.sha256(lock_file(name).read_bytes()).hexdigest()[:12]
    return places.own_folder() / "npm" / f"{name}-{mark}"
