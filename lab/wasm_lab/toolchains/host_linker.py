"""A linker for the machine itself.

Wasm needs none: rustc brings its own. But a crate with a procedural macro (serde's derive)
or a build script runs a part of itself on this machine while it is compiled, and linking
that part takes the C compiler (or, on Windows, Visual Studio's linker).

Where there is none, and no rights to install one, PyPI's ``ziglang`` does it: it is a whole
C compiler in one package. ``ensure_host_linker`` puts it into the lab's own folder.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import ToolchainError
from wasm_lab.toolchains import memory, places, pypi
from wasm_lab.toolchains.commands import CommandError, ask
from wasm_lab.toolchains.install import own_folder_locked

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.toolchains.rust import RustToolchain

#: Seconds. Zig compiles its C library the first time, which takes 20 s on a slow machine.
PROBE_TIMEOUT_S = 120

#: Environment variables that change which linker rustc calls, or what it finds.
DECIDING = ("PATH", "LD_LIBRARY_PATH", "LIBRARY_PATH", "SDKROOT", "DEVELOPER_DIR", "LIB")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLinker:
    """Whether programs for this machine can be linked, and with what."""

    works: bool
    path: Path | None  #: ``cc`` or the lab's own; None where rustc finds its linker another way
    own: bool = False  #: it is the lab's own, and rustc must be told of it
    why: str = ""  #: when it does not work: what was said
    hint: str = ""  #: when it does not work: the command that gets one


def find_host_linker(toolchain: RustToolchain) -> HostLinker:
    """Whether ``toolchain`` can build programs that run on this machine.

    Tried by building and running one. Under 1 ms when remembered, else 0.2 s. Never raises
    for a missing linker: most cells need none.
    """
    cc = shutil.which("cc")
    path = Path(cc) if cc else None
    question = ("host linker", str(toolchain.rustc), toolchain.verbose, *map(_environment, DECIDING))
    if memory.recall(question) is not None:
        return HostLinker(works=True, path=path)
    own = own_linker()
    if own and not cc and _own_works(toolchain, own):
        return HostLinker(works=True, path=own, own=True)
    why = _try(toolchain, None)
    if not why:
        tools = {path, path.resolve()} if path else set()
        memory.remember(question, {"works": True}, [str(toolchain.rustc), *map(str, tools)])
        return HostLinker(works=True, path=path)
    if own and cc and _own_works(toolchain, own):
        return HostLinker(works=True, path=own, own=True)
    return HostLinker(works=False, path=path, why=why, hint=_hint())


def for_host(toolchain: RustToolchain) -> RustToolchain:
    """The same compiler with the linker for programs of this machine.

    Raises:
        ToolchainError: there is none that works.
    """
    linker = find_host_linker(toolchain)
    if not linker.works:
        raise ToolchainError(
            f"Programs of this machine cannot be linked: {linker.why}.",
            hint=f"To get a linker: {linker.hint}",
        )
    return replace(toolchain, linker=linker.path if linker.own else None)


def linker_variables(toolchain: RustToolchain) -> dict[str, str]:
    """Environment variables for cargo, so that it links what runs on this machine.

    Empty where rustc finds a linker by itself, and where there is none at all.
    """
    if own_linker() is None:
        return {}
    linker = find_host_linker(toolchain)
    if not linker.own:
        return {}
    triple = toolchain.host.upper().replace("-", "_").replace(".", "_")
    return {f"CARGO_TARGET_{triple}_LINKER": str(linker.path)}


def own_linker() -> Path | None:
    """The linker that ``ensure_host_linker`` installed, if it did."""
    wrapper = _wrapper()
    return wrapper if wrapper.exists() and pypi.unpacked("ziglang") else None


def ensure_host_linker(
    toolchain: RustToolchain, *, progress: Callable[[str], None] | None = None
) -> HostLinker:
    """A linker for this machine, installed into the lab's own folder when there is none.

    Raises:
        ToolchainError: there is none, and none could be installed.
    """
    linker = find_host_linker(toolchain)
    if linker.works:
        return linker
    if os.name == "nt":  # what rustc builds there is linked against Visual Studio's libraries
        raise ToolchainError(f"There is no linker for this machine: {linker.why}", hint=linker.hint)
    say = progress or (lambda line: None)
    say(f"No C compiler is here, which some crates need: installing one into {places.own_folder()} (0.4 GB)")
    try:
        with own_folder_locked():
            home = pypi.unpack("ziglang", say)
            _write_wrapper(home)
    except CommandError as error:
        raise ToolchainError(
            f"There is no linker for this machine ({linker.why}), and installing one failed: {error}",
            hint=linker.hint,
        ) from None
    say("  trying it, which takes up to half a minute the first time")
    linker = find_host_linker(toolchain)
    if not linker.works:
        why = _try(toolchain, _wrapper())
        raise ToolchainError(f"The linker installed from PyPI does not work here: {why}", hint=linker.hint)
    return linker


def _wrapper() -> Path:
    return places.own_folder() / "host" / "cc"


def _write_wrapper(home: Path) -> None:
    wrapper = _wrapper()
    zig = shlex.quote(str(home / "ziglang" / "zig"))
    cache = shlex.quote(str(places.own_folder() / "host" / "zig-cache"))
    wrapper.parent.mkdir(exist_ok=True)
    new = wrapper.with_suffix(".new")
    new.write_text(f'#!/bin/sh\nZIG_GLOBAL_CACHE_DIR={cache} exec {zig} cc "$@"\n')
    new.chmod(0o755)
    new.replace(wrapper)


def _own_works(toolchain: RustToolchain, own: Path) -> bool:
    question = ("own host linker", str(toolchain.rustc), toolchain.verbose, str(own))
    if memory.recall(question) is None:
        if _try(toolchain, own):
            return False
        memory.remember(question, {"works": True}, [str(toolchain.rustc), str(own)])
    return True


def _try(toolchain: RustToolchain, linker: Path | None) -> str:
    """Build a program for this machine and run it; what went wrong, or nothing."""
    with tempfile.TemporaryDirectory(prefix="wasm-lab-probe-") as folder:
        source = Path(folder) / "probe.rs"
        source.write_text("fn main() {}\n")
        program = Path(folder) / f"probe{places.EXE}"
        told = [f"-Clinker={linker}"] if linker else []
        build: list[str | Path] = [toolchain.rustc, source, *told, "-o", program]
        for command in (build, [program]):
            answer = ask(command, timeout_s=PROBE_TIMEOUT_S, cwd=folder)
            if not answer.ok:
                return f"{command[0]} {answer.why}" if answer.failure else answer.why
    return ""


def _environment(name: str) -> str:
    return f"{name}={os.environ.get(name, '')}"


def _hint() -> str:
    system = platform.system()
    if system == "Windows":
        return "winget install Microsoft.VisualStudio.2022.BuildTools, with the workload for C++"
    by_system = {
        "Darwin": "xcode-select --install",
        "Linux": "sudo apt install gcc libc6-dev (Debian, Ubuntu) or sudo dnf install gcc (Fedora)",
    }
    return f"{by_system.get(system, 'install a C compiler')}, or: wasm-lab doctor --fix"
