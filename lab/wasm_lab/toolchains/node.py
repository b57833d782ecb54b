"""Finding Node.js, for V8's WebAssembly and for JavaScript twins."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from wasm_lab.toolchains import memory
from wasm_lab.toolchains.commands import ask

#: The first whose ``node:wasi`` answers as this lab needs (``version``, ``returnOnExit``).
OLDEST = 20

HOW = "sudo apt install nodejs · sudo dnf install nodejs · brew install node · winget install nodejs"

#: Seconds to tell its version.
VERSION_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js that was seen to run and is new enough."""

    program: Path
    version: str  #: such as ``20.20.2``

    def command(self) -> list[str]:
        """The first words of a command line that runs a script in which modules use ``node:wasi``.

        Without fast calls from compiled code into Node's own: V8 may collect garbage in one, when the
        guest's memory has grown, and aborts (nodejs/node issue 46777, seen here in nine runs of ten).
        """
        return [str(self.program), "--no-warnings", "--no-turbo-fast-api-calls"]

    @property
    def home(self) -> Path:
        """The folder in which it is installed, with its libraries."""
        return self.program.resolve().parent.parent


def find_node() -> Node | None:
    """The Node.js on PATH; None when there is none, or it is too old."""
    found, version = _on_path()
    return Node(found, version) if found and _major(version) >= OLDEST else None


def node_missing() -> str:
    """Why there is no Node.js here and how to get it; empty when there is one."""
    found, version = _on_path()
    if found is None:
        return f"No node is on PATH. To get Node.js {OLDEST} or later: {HOW}."
    if not version:
        return f"{found} does not run. To get Node.js {OLDEST} or later: {HOW}."
    if _major(version) < OLDEST:
        return f"{found} is Node.js {version}, and {OLDEST} or later is needed: {HOW}."
    return ""


def _on_path() -> tuple[Path | None, str]:
    path = shutil.which("node") or shutil.which("nodejs")
    if path is None:
        return None, ""
    real = str(Path(path).resolve())
    question = ("node", real)
    answer = memory.recall(question)
    if answer is not None:
        return Path(path), str(answer["version"])
    said = ask([path, "--version"], timeout_s=VERSION_TIMEOUT_S)
    version = said.stdout.strip().removeprefix("v") if said.ok else ""
    if version:
        memory.remember(question, {"version": version}, [real])
    return Path(path), version


def _major(version: str) -> int:
    head = version.partition(".")[0]
    return int(head) if head.isdecimal() else 0
