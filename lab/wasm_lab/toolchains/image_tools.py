"""Finding programs that read images and keep them: on PATH, or where ``scripts/test_tools.py`` unpacked them.

The lab needs none. Tests hold its images against them, and docs/containers.md uses them.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from wasm_lab.toolchains import places

#: Program to how it is got.
HOW = {
    "skopeo": "sudo apt install skopeo · sudo dnf install skopeo · brew install skopeo",
    "umoci": "sudo apt install umoci · go install github.com/opencontainers/umoci/cmd/umoci@latest",
    "docker-registry": "sudo apt install docker-registry · sudo dnf install docker-distribution",
}

#: The folder of all of them.
OWN = "skopeo"


def find_image_tool(name: str) -> Path | None:
    """A program of `HOW`; None where it is not here."""
    found = shutil.which(name)
    own = places.tools_folder() / OWN / "bin" / name
    return Path(found) if found else own if own.exists() else None


def image_tools_missing() -> str:
    """Which of them are not here and how to get them; empty when all are."""
    lacking = [
        f"{name} is not on PATH. To get it: {how}." for name, how in HOW.items() if not find_image_tool(name)
    ]
    return " ".join(lacking)
