"""Finding Go: on PATH, or in the usual places."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from wasm_lab.toolchains import memory, places
from wasm_lab.toolchains.commands import ask

#: The first whose net/http has patterns with methods and wildcards.
OLDEST = (1, 22)

#: The first with ``//go:wasmexport``.
OLDEST_FOR_EXPORTS = (1, 24)

HOW = "sudo apt install golang-go · sudo dnf install golang · brew install go · winget install GoLang.Go"

#: Where Go's own installer puts it.
USUAL = Path("/usr/local/go/bin/go")

#: Seconds to tell its version.
VERSION_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Go:
    """A Go that was seen to run and is new enough."""

    program: Path
    version: str  #: such as ``1.26.8``


def find_go() -> Go | None:
    """The first Go here that is new enough; None when there is none."""
    for program in _candidates():
        version = _version(program)
        if version and numbers(version) >= OLDEST:
            return Go(program, version)
    return None


def go_missing() -> str:
    """Why there is no Go here and how to get it; empty when there is one."""
    if find_go() is not None:
        return ""
    oldest = ".".join(map(str, OLDEST))
    for program in _candidates():
        version = _version(program)
        what = f"is Go {version}, and {oldest} or later is needed" if version else "does not run"
        return f"{program} {what}. To get it: {HOW}."
    return f"No go is on PATH. To get it: {HOW}."


def _candidates() -> list[Path]:
    on_path = shutil.which("go")
    own = places.tools_folder() / "golang" / "bin" / "go"
    usual = [path for path in (USUAL, own) if path.exists()]
    return [*([Path(on_path)] if on_path else []), *usual]


def _version(program: Path) -> str:
    real = str(program.resolve())
    answer = memory.recall(("go", real))
    if answer is not None:
        return str(answer["version"])
    # Otherwise it fetches another version where a go.mod asks for one.
    said = ask([program, "version"], timeout_s=VERSION_TIMEOUT_S, changed={"GOTOOLCHAIN": "local"})
    match = re.search(r"go(\d+(?:\.\d+)+)", said.stdout) if said.ok else None
    if match is None:
        return ""
    memory.remember(("go", real), {"version": match[1]}, [real])
    return match[1]


def numbers(version: str) -> tuple[int, ...]:
    """The major and minor version, to be compared."""
    return tuple(int(part) for part in version.split(".")[:2])
