"""The control plane of Kubernetes, built from its published modules: nobody packages one that could be had.

API server, controller manager, scheduler and etcd are one program (``main.go``), because they share most
of their code. ``go.mod`` names every module with its version and ``go.sum`` its checksum. The program
lies in the lab's tools folder under a name made of these three files, so that a change builds it anew.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import ToolchainError
from wasm_lab.toolchains import go, places

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCES = Path(__file__).parent
FILES = ("main.go", "go.mod", "go.sum")

#: Packages that are compiled: only for saying how far it is.
PACKAGES = 2500

#: The first Go that can build this release of Kubernetes; the go.mod says the same.
OLDEST_GO = (1, 26)

#: What the folder of a build is called, beside the programs that were built.
BUILDING = ".build-"

#: Megabytes that building takes, and gives back.
ROOM_MB = 6000

SHOWN_LINES = 12


def kubernetes_version() -> str:
    """The release that is built, such as ``1.36.3``."""
    found = re.search(r"k8s\.io/kubernetes v(\S+)", (SOURCES / "go.mod").read_text())
    assert found is not None, "go.mod names it"
    return found[1]


def find_control_plane() -> Path | None:
    """The built program; None when it was not built yet."""
    program = _target()
    return program if program.exists() else None


def control_plane_missing() -> str:
    """Why no control plane can be started here and how to get one; empty when one can."""
    if find_control_plane() is not None:
        return ""
    how = "Run: python scripts/test_tools.py (it builds one from source, once, in some minutes)."
    return f"Kubernetes {kubernetes_version()} was not built here. {_go_missing() or how}"


def build_control_plane(progress: Callable[[str, int, int], None] | None = None) -> Path:
    """Build the program, or give the one that was built. Takes minutes, 6 GB for that time, and a network.

    Args:
        progress: is called with what is done, how many packages are, and how many there will be.

    Raises:
        ToolchainError: there is no Go that is new enough, no room, no network, or the build failed.
    """
    from filelock import FileLock

    target = _target()
    home = target.parent.parent
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / ".lock"):
        if target.exists():
            return target
        missing = _go_missing()
        if missing:
            raise ToolchainError(f"Kubernetes {kubernetes_version()} cannot be built here.", hint=missing)
        for left in home.glob(f"{BUILDING}*"):
            shutil.rmtree(left, ignore_errors=True)  # of a build that was killed: the lock is ours
        free_mb = shutil.disk_usage(home).free >> 20
        if free_mb < ROOM_MB:
            raise ToolchainError(
                f"Building Kubernetes takes {ROOM_MB} MB for a while, and {home} has {free_mb} MB.",
                hint="Make room, or set WASM_LAB_TOOLS to a folder that has more.",
            )
        with tempfile.TemporaryDirectory(prefix=BUILDING, dir=home) as temporary:
            built = _build(Path(temporary), progress or (lambda *_: None))
            for old in home.iterdir():
                if old.is_dir() and not old.name.startswith(BUILDING):
                    shutil.rmtree(old, ignore_errors=True)  # of another release
            target.parent.mkdir(parents=True)
            built.rename(target)
    return target


def _build(folder: Path, progress: Callable[[str, int, int], None]) -> Path:
    """Compile in ``folder``, with caches that go away with it."""
    found = go.find_go()
    assert found is not None, "asked before"
    source = folder / "source"
    source.mkdir()
    for name in FILES:
        shutil.copyfile(SOURCES / name, source / name)
    environment = {
        **os.environ,
        "GOCACHE": str(folder / "cache"),
        "GOMODCACHE": str(folder / "modules"),
        "GOFLAGS": "-trimpath -buildvcs=false -mod=readonly -modcacherw",  # rw: so that it can be removed
        "GOWORK": "off",
        "CGO_ENABLED": "0",  # a static program: no C compiler, any Linux
        "GOGC": "400",  # the compiler collects its own garbage less often
    }
    command = [
        str(found.program),
        "build",
        "-v",
        # No inlining, which a control plane of one machine has no need of, and no debug information, which
        # linking would drop: both take time.
        "-gcflags=all=-l -dwarf=false",
        f"-ldflags={_linking()}",
        "-o",
        str(folder / "control-plane"),
        ".",
    ]
    polite = ["nice", "-n", "10"] if shutil.which("nice") else []
    said: list[str] = []
    done = 0
    with subprocess.Popen(
        [*polite, *command],
        cwd=source,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as building:
        try:
            assert building.stderr is not None
            for line in building.stderr:
                said = [*said[1 - SHOWN_LINES :], line.rstrip()]
                compiled = not line.startswith("go: ")
                done += compiled
                progress(line.strip() if compiled else "modules", done, PACKAGES)
            status = building.wait()
        except BaseException:
            building.terminate()
            raise
    if status:
        raise ToolchainError(
            f"Kubernetes could not be built: go ended with status {status}.", hint="\n".join(said)
        )
    return folder / "control-plane"


def _target() -> Path:
    content = b"".join((SOURCES / name).read_bytes() for name in FILES) + _linking().encode()
    digest = hashlib.sha256(content).hexdigest()[:12]
    folder = places.tools_folder() / "kubernetes" / f"{kubernetes_version()}-{digest}"
    return folder / "control-plane"


def _linking() -> str:
    """The linker's flags: no symbols, and the version that the API tells, which is otherwise a placeholder."""
    version = kubernetes_version()
    major, minor, _ = version.split(".", 2)
    told = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    package = "k8s.io/component-base/version"
    return " ".join(["-s -w", *(f"-X {package}.{name}={value}" for name, value in told.items())])


def _go_missing() -> str:
    found = go.find_go()
    if found is None:
        return go.go_missing()
    if tuple(int(part) for part in found.version.split(".")[:2]) < OLDEST_GO:
        oldest = ".".join(map(str, OLDEST_GO))
        return f"{found.program} is Go {found.version}, and {oldest} or later is needed."
    return ""
