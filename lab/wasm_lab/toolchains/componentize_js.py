"""componentize-js, which makes components of JavaScript: from npm, in the lab's own folder.

The package asks for jco and so for 380 MB. Of jco it calls only what wraps a module into a component, which
wasm-tools does here, so ``componentize-js.npm.json`` leaves it out: 70 MB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.errors import ToolchainError
from wasm_lab.toolchains import npm
from wasm_lab.toolchains.commands import CommandError
from wasm_lab.toolchains.node import find_node, node_missing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wasm_lab.toolchains.node import Node

PACKAGE = "componentize-js"

#: How doctor says to get it.
HOW = "the first JavaScript cell installs it from npm into the lab's own folder (70 MB; it takes Node.js and npm)"


@dataclass(frozen=True, slots=True)
class ComponentizeJs:
    """The package where it was installed, and the Node.js that runs it."""

    folder: Path  #: holds ``node_modules``
    version: str  #: such as ``0.23.0``
    node: Node


def find_componentize_js() -> ComponentizeJs | None:
    """componentize-js where the lab installed it; None when it did not, or Node.js is missing."""
    package, node = npm.installed(PACKAGE), find_node()
    if package is None or node is None:
        return None
    return ComponentizeJs(package.folder, package.version, node)


def ensure_componentize_js(say: Callable[[str], None]) -> ComponentizeJs:
    """componentize-js, installed from npm when it is not there.

    Args:
        say: told, line by line, what is installed and where.

    Raises:
        ToolchainError: it could not be had; says why.
    """
    missing = node_missing()
    if missing:
        raise ToolchainError(f"JavaScript cells need Node.js: {missing}", hint=HOW)
    found = find_componentize_js()
    if found is None:
        try:
            npm.install(PACKAGE, say)
        except (CommandError, OSError) as error:
            raise ToolchainError(
                f"JavaScript cells need componentize-js, and it could not be installed: {error}", hint=HOW
            ) from None
        found = find_componentize_js()
        assert found is not None, "it was just installed"
    return found


def componentize_js_missing() -> str:
    """Why JavaScript cells cannot be built at once and how to mend that; empty when they can."""
    if find_componentize_js() is not None:
        return ""
    return node_missing() or npm.npm_missing() or f"componentize-js is not installed yet: {HOW}."
