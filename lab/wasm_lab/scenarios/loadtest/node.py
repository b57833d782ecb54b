"""Node.js with Express, installed by npm in the versions that the lock file names."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from wasm_lab.scenarios.loadtest.stacks import Prepared
from wasm_lab.toolchains.node import HOW, find_node, node_missing

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.scenarios.loadtest.workshop import Workshop


def missing(_name: str) -> str:
    """Why Node.js or npm is not here; empty when both are."""
    return node_missing() or ("" if shutil.which("npm") else f"No npm is on PATH. To get it: {HOW} · npm.")


def prepare(_name: str, workshop: Workshop) -> Prepared:
    """Install Express."""
    node, npm = find_node(), shutil.which("npm")
    assert node, "the caller asked what is missing"
    assert npm

    def make(folder: Path) -> None:
        words = ("ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
        # npm itself is a program of Node.js, which may be on no PATH.
        path = os.pathsep.join((str(node.program.parent), os.environ.get("PATH", "")))
        workshop.run("npm ci: Express", [npm, *words], folder / "node", PATH=path)

    folder = workshop.made("Node + Express", ["node"], [], make) / "node"
    return Prepared(
        command=(str(node.program), "server.js", "{port}"),
        version=node.version,
        deployed=(folder,),
        folder=folder,
        environment={"NODE_ENV": "production"},
    )
