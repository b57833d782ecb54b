"""Finding the programs that run containers: containerd, and runc and crun beneath it.

On PATH and in the folders of system programs, or where ``scripts/test_tools.py`` unpacked them.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from wasm_lab.toolchains import memory, places
from wasm_lab.toolchains.commands import ask

HOW_CONTAINERD = "sudo apt install containerd · sudo dnf install containerd"
HOW_RUNC = "sudo apt install runc · sudo dnf install runc"
HOW_CRUN = (
    "sudo apt install crun wasmedge (Debian 13) · sudo dnf install crun-wasm wasmedge · "
    "elsewhere build crun --with-wasmedge"
)

#: The first containerd that speaks version 1 of the CRI.
OLDEST = (1, 6)

#: Seconds to tell a version; LLVM's library is read from disk the first time.
VERSION_TIMEOUT_S = 20

#: capabilities(7)
CAP_SYS_ADMIN = 21

#: Where system programs are that an ordinary user's PATH leaves out.
SYSTEM = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin")


@dataclass(frozen=True, slots=True)
class Program:
    """A program that was seen to run."""

    program: Path
    version: str  #: such as ``1.7.24``


@dataclass(frozen=True, slots=True)
class Crun(Program):
    """A crun; ``engine`` is the Wasm engine that it was built with, empty without one."""

    engine: str


#: Libraries of engines, which crun loads when a container needs them: a package may leave them to be chosen.
LIBRARIES = {"wasmedge": "libwasmedge.so.0", "wasmtime": "libwasmtime.so", "wasmer": "libwasmer.so"}
LIBRARY_FOLDERS = (
    "/usr/lib/*",
    "/usr/lib",
    "/usr/lib64",
    "/lib/*",
    "/lib64",
    "/usr/local/lib",
    "/usr/local/lib64",
)


def find_containerd() -> Program | None:
    """A containerd of version 1.6 or later with its client ``ctr`` and its shim; None when there is none."""
    for program in _candidates("containerd", "containerd"):
        version = _version(program, r"\d+\.\d+\.\d+\S*")
        beside = [_beside(program, name) for name in ("ctr", "containerd-shim-runc-v2")]
        if version and all(beside) and _numbers(version) >= OLDEST:
            return Program(program, version)
    return None


def find_runc() -> Program | None:
    """The runc of this machine; None when there is none."""
    for program in _candidates("runc", "containerd"):
        version = _version(program, r"\d+\.\d+\.\d+\S*")
        if version:
            return Program(program, version)
    return None


def find_crun(*, wasm: bool = True) -> Crun | None:
    """The first crun here, or the first that has a Wasm engine; None when there is none.

    Under 1 ms when remembered, 20 ms otherwise.
    """
    for name in ("crun-wasm", "crun"):
        for program in _candidates(name, "wasmedge"):
            said = _said(program)
            match = re.search(r"crun version (\d[\w.]*)", said)
            engine = re.search(r"\+WASM:(\S+)", said)
            if match and (not wasm or (engine and _loads(program, engine[1]))):
                return Crun(program, match[1], engine[1] if engine else "")
    return None


def containerd_missing() -> str:
    """Why containerd cannot be started here and how to get it; empty when it is there.

    Whether this is root is asked too: containers take namespaces and mounts that are root's alone.
    """
    if sys.platform != "linux":
        return "containerd runs on Linux alone. To use it: run the lab in a virtual machine with Linux."
    if find_containerd() is None:
        own = next(iter(_candidates("containerd", "containerd")), None)
        oldest = ".".join(map(str, OLDEST))
        what = (
            f"{own} is older than {oldest}, or its ctr or containerd-shim-runc-v2 is missing"
            if own
            else "No containerd is on PATH"
        )
        return f"{what}. To get it: {HOW_CONTAINERD}. The lab starts one of its own and leaves the system's alone."
    return not_root()


def not_root() -> str:
    """Why this process may not make the mounts and namespaces that containers are made of; empty when it may."""
    if os.geteuid() != 0:
        return (
            "Containers are run as root, and this is an ordinary user. To do it: start the lab with sudo, "
            "on a machine of your own."
        )
    status = Path("/proc/self/status").read_text()
    rights = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    if rights and not int(rights[1], 16) >> CAP_SYS_ADMIN & 1:
        return (
            "Containers take mounts and namespaces, and this root may not make them (CAP_SYS_ADMIN), as in a "
            "container without privileges. To do it: run the lab on the machine itself, or with --privileged."
        )
    return ""


def crun_missing() -> str:
    """Why there is no crun with a Wasm engine and how to get it; empty when there is one."""
    if find_crun() is not None:
        return ""
    plain = find_crun(wasm=False)
    what = "No crun is on PATH"
    if plain is not None:
        lacking = f"was built for {plain.engine}, and its library is not here" if plain.engine else ""
        what = f"{plain.program} {lacking or 'was built without a Wasm engine'}"
    return f"{what}. To get it: {HOW_CRUN}."


def runc_missing() -> str:
    """Why there is no runc and how to get it; empty when there is one."""
    return "" if find_runc() else f"No runc is on PATH. To get it: {HOW_RUNC}."


def client_of(containerd: Program) -> Path:
    """The ``ctr`` that came with a containerd."""
    client = _beside(containerd.program, "ctr")
    assert client is not None
    return client


def _loads(program: Path, engine: str) -> bool:
    """Whether the library of a crun's engine is here; beside the lab's own it was unpacked."""
    name = LIBRARIES.get(engine)
    if name is None or program.is_relative_to(places.tools_folder()):
        return True
    return any(next(Path("/").glob(f"{folder[1:]}/{name}*"), None) for folder in LIBRARY_FOLDERS)


def _beside(program: Path, name: str) -> Path | None:
    for folder in (program.parent, program.resolve().parent):
        if (folder / name).exists():
            return folder / name
    found = shutil.which(name)
    return Path(found) if found else None


def _candidates(name: str, package: str) -> list[Path]:
    folders = [*os.environ.get("PATH", "").split(os.pathsep), *SYSTEM]
    found = [Path(hit) for hit in (shutil.which(name, path=folder) for folder in folders if folder) if hit]
    own = places.tools_folder() / package / "bin" / name
    return [
        *dict.fromkeys(found),
        *([own] if os.access(own, os.X_OK) else []),
    ]  # it may be in root's own folder


def _said(program: Path) -> str:
    real = str(program.resolve())
    answer = memory.recall(("container program", real))
    if answer is None:
        with contextlib.ExitStack() as stack:
            changed = {}
            if os.geteuid() == 0 and program.name.startswith("crun"):  # it makes the folder of its states
                own = stack.enter_context(tempfile.TemporaryDirectory(prefix="wasm-lab-"))
                changed = {"XDG_RUNTIME_DIR": own}
            said = ask([program, "--version"], timeout_s=VERSION_TIMEOUT_S, changed=changed)
        if not said.ok:
            return ""
        answer = {"said": said.stdout}
        memory.remember(("container program", real), answer, [real])
    return str(answer["said"])


def _version(program: Path, pattern: str) -> str:
    match = re.search(pattern, _said(program))
    return match[0] if match else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
