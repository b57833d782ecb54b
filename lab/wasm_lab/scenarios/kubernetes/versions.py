"""Which versions of Kubernetes there are schemas of, and which are meant."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from wasm_lab.errors import ToolchainError, UsageError

#: The project supports its three newest minor versions (kubernetes.io/releases/version-skew-policy).
SUPPORTED = 3

INSTALL = "pip install 'wasm-lab[kubernetes]'"


@functools.cache
def schemas_folder() -> Path:
    """Where the package ``kubernetes-validate`` keeps the schemas; its code is not loaded.

    Raises:
        ToolchainError: it is not installed.
    """
    from importlib.util import find_spec

    spec = find_spec("kubernetes_validate")
    folders = list(spec.submodule_search_locations or []) if spec else []
    if not folders:
        raise ToolchainError("The schemas of Kubernetes are not installed.", hint=INSTALL)
    return Path(folders[0]) / "kubernetes-json-schema"


@functools.cache
def known_versions() -> tuple[str, ...]:
    """Every minor version with schemas, the oldest first, such as ``1.37``.

    Raises:
        ToolchainError: no schemas are installed.
    """
    found = {
        (int(match[1]), int(match[2]))
        for folder in schemas_folder().iterdir()
        if (match := re.fullmatch(r"v(\d+)\.(\d+)\.\d+-local-strict", folder.name))
    }
    return tuple(f"{major}.{minor}" for major, minor in sorted(found))


def default_versions() -> tuple[str, ...]:
    """The newest version and those that the project still supports beside it."""
    return known_versions()[-SUPPORTED:]


def wanted_versions(words: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Versions and ranges as a user gives them.

    Args:
        words: such as ``1.36``, ``v1.36.2``, ``1.34-1.36``, ``1.34..``, ``all``; empty for the default.

    Raises:
        UsageError: a word is no version, or there are no schemas of it.
        ToolchainError: no schemas are installed.

    Example:
        >>> wanted_versions(("1.30-1.32",))
        ('1.30', '1.31', '1.32')
    """
    known = known_versions()
    if not words:
        return default_versions()
    chosen: set[str] = set()
    for word in (part for each in words for part in each.replace(",", " ").split()):
        if word == "all":
            chosen |= set(known)
            continue
        first, dots, last = re.sub(r"\.\.+|-", "…", word).partition("…")
        low = _minor(first, word) if first else known[0]
        high = (_minor(last, word) if last else known[-1]) if dots else low
        within = [version for version in known if _key(low) <= _key(version) <= _key(high)]
        if not within or (not dots and low not in known):
            raise UsageError(
                f"There are no schemas of Kubernetes {word}.",
                hint=f"There are those of {known[0]} to {known[-1]}.",
            )
        chosen |= set(within)
    return tuple(version for version in known if version in chosen)


def _minor(word: str, whole: str) -> str:
    match = re.fullmatch(r"v?(\d+\.\d+)(\.\d+.*)?", word)
    if match is None:
        raise UsageError(
            f"`{whole}` is no version of Kubernetes.", hint="Such as 1.36, a range 1.34-1.36, or all."
        )
    return match[1]


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def said(versions: tuple[str, ...]) -> str:
    """Versions in words.

    Example:
        >>> said(("1.35", "1.36", "1.37")), said(("1.37",))
        ('Kubernetes 1.35 to 1.37', 'Kubernetes 1.37')
    """
    if len(versions) == 1:
        return f"Kubernetes {versions[0]}"
    known = known_versions()
    first = known.index(versions[0])
    if len(versions) > 2 and known[first : first + len(versions)] == versions:
        return f"Kubernetes {versions[0]} to {versions[-1]}"
    return "Kubernetes " + ", ".join(versions)
