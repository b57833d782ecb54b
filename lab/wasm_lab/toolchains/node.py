"""Finding Node.js, for V8's WebAssembly and JavaScript twins: on PATH, or where scripts/test_tools.py unpacked it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.toolchains import memory, places
from wasm_lab.toolchains.commands import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    """The first Node.js here that is new enough; None when there is none."""
    for program, version in _seen():
        if _major(version) >= OLDEST:
            return Node(program, version)
    return None


def node_missing() -> str:
    """Why there is no Node.js here and how to get it; empty when there is one."""
    if find_node() is not None:
        return ""
    how = f"To get Node.js {OLDEST} or later: {HOW}."
    for program, version in _seen():
        return f"{program} is Node.js {version}. {how}" if version else f"{program} does not run. {how}"
    return f"No node is on PATH. {how}"


def _seen() -> Iterator[tuple[Path, str]]:
    """Every Node.js and its version, which is empty where it does not run."""
    own = places.tools_folder() / "nodejs" / "bin" / "node"
    on_path = [Path(each) for each in (shutil.which("node"), shutil.which("nodejs")) if each]
    for program in (*on_path, *([own] if own.exists() else [])):
        yield program, _version(program)


def _version(program: Path) -> str:
    real = str(program.resolve())
    question = ("node", real)
    answer = memory.recall(question)
    if answer is not None:
        return str(answer["version"])
    said = ask([program, "--version"], timeout_s=VERSION_TIMEOUT_S)
    version = said.stdout.strip().removeprefix("v") if said.ok else ""
    if version:
        memory.remember(question, {"version": version}, [real])
    return version


def _major(version: str) -> int:
    head = version.partition(".")[0]
    return int(head) if head.isdecimal() else 0
