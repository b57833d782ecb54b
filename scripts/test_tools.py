"""Get what tests need and pip does not bring: engines, container runtimes, servers, tools that measure.

    .venv/bin/python scripts/test_tools.py

Run by `make test-tools`, which CI and `make test-all` do first; `make test` needs none of it.
With everything there it takes a fraction of a second and no network.

  WasmEdge     the packages of Debian 13 with all that they need, unpacked into a folder of the
  crun         user's own (WASM_LAB_TOOLS names another); works as an ordinary user, and on an
  Node.js      older Debian too. apt checks signatures and checksums, and the mirror is the one
  wrk          that this machine's own apt uses. Node.js only where there is none of version 20.
  skopeo       Also umoci and docker-registry, all three as those above, in one folder.
  containerd   the packages of this Debian's own release, unpacked in the same way and never
  runc         started by the system.
  Kubernetes   etcd, API server, controllers and scheduler in one program, built from their published
               Go modules, whose checksums go.sum holds; takes minutes, once. Needs Go 1.26.
  hyperfine    by apt-get, where this is run by root; otherwise the line that installs them is
  Chromium     printed.
  Redis        by apt-get, where this is run by root; otherwise the packages of this Debian's own
  PostgreSQL   release, unpacked as those above: servers start programs of their own, which run only
               with the C library they were made for.
  workerd      from npm, pinned by version and checksum, into the lab's own folder.

Exit status 1 when something is missing afterwards; the last lines say what and how to get it.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import ToolchainError
from wasm_lab.toolchains.containerd import find_containerd, find_crun, find_runc
from wasm_lab.toolchains.control_plane import build_control_plane, kubernetes_version
from wasm_lab.toolchains.image_tools import image_tools_missing
from wasm_lab.toolchains.node import find_node
from wasm_lab.toolchains.places import tools_folder
from wasm_lab.toolchains.servers import find_postgres, find_redis
from wasm_lab.toolchains.wasmedge import find_wasmedge
from wasm_lab.toolchains.workerd import ensure_workerd
from wasm_lab.toolchains.wrk import find_wrk

if TYPE_CHECKING:
    from collections.abc import Callable

SUITE = "trixie"  # the first Debian with WasmEdge
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

#: Program to the Debian package that has it.
PACKAGES = {"hyperfine": "hyperfine", "chromium": "chromium"}

#: What is unpacked: its packages, of which the first names the folder, and what finds it when it works.
UNPACKED: dict[str, tuple[str, Callable[[], object | None]]] = {
    "crun": ("wasmedge crun patchelf", find_crun),  # it loads WasmEdge's library, so both share a folder
    "WasmEdge": ("wasmedge", find_wasmedge),
    "Node.js": ("nodejs", find_node),
    "wrk": ("wrk", find_wrk),
    "skopeo": (
        "skopeo umoci docker-registry",
        lambda: not image_tools_missing() or None,
    ),
}

#: Servers, in the same form.
SERVERS: dict[str, tuple[str, Callable[[], object | None]]] = {
    "Redis": ("redis-server", find_redis),
    "PostgreSQL": ("postgresql", find_postgres),
}

#: What of a server is started, in its unpacked packages.
SERVER_PROGRAMS = (
    "usr/bin/redis-server",
    "usr/lib/postgresql/*/bin/initdb",
    "usr/lib/postgresql/*/bin/postgres",
)


class ToolsError(Exception):
    """A tool cannot be had; the message says why and what to do."""


def main() -> int:
    missing = []
    steps = [
        get_packages,
        *(functools.partial(unpack, name, *how) for name, how in UNPACKED.items()),
        get_containerd,
        *(functools.partial(get_server, name, *how) for name, how in SERVERS.items()),
        get_kubernetes,
        get_workerd,
    ]
    for step in steps:
        try:
            step()
        except ToolsError as error:
            missing.append(str(error))
    for line in missing:
        print(f"test-tools: {line}", file=sys.stderr)
    return 1 if missing else 0


def get_packages() -> None:
    """Install what is missing of `PACKAGES`."""
    packages = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if not packages:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise ToolsError(f"missing: {' '.join(packages)}. Run: sudo apt-get install {' '.join(packages)}")
    install_packages(packages)


def get_workerd() -> None:
    """Install workerd from npm into the lab's own folder."""
    try:
        ensure_workerd(lambda line: print(f"test-tools: {line}", flush=True))
    except ToolchainError as error:
        raise ToolsError(str(error)) from None


def get_server(name: str, package: str, find: Callable[[], object | None]) -> None:
    """Install a server where root runs this, and unpack it otherwise: root's own folder no server can read."""
    if find() is not None:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        unpack(name, package, find, suite=own_suite(), make_programs=write_server_programs)
    else:
        install_packages([package])


def get_containerd() -> None:
    """Unpack containerd and runc: installed, the system would start a daemon that nobody asked for."""

    def find() -> object | None:
        return find_containerd() and find_runc()

    unpack("containerd", "containerd runc", find, suite=own_suite(), make_programs=link_programs)


def get_kubernetes() -> None:
    """Build the control plane of Kubernetes; some minutes, once."""
    told = -1

    def tell(_what: str, done: int, total: int) -> None:
        nonlocal told
        if done * 10 // total > told:
            told = done * 10 // total
            print(f"test-tools: building Kubernetes {kubernetes_version()}: {done} of {total}", flush=True)

    try:
        build_control_plane(tell)
    except ToolchainError as error:
        raise ToolsError(str(error)) from None


def install_packages(packages: list[str]) -> None:
    """Have apt-get install packages; the lists of what there is are taken anew when it fails."""
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    print(f"test-tools: {' '.join(install)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        if subprocess.run(install, env=environment, capture_output=True, check=False).returncode:
            run(["apt-get", "update", "-q"], env=environment)  # the lists may be absent, or too old
            run(install, env=environment)
    except ToolsError as error:
        raise ToolsError(f"{' '.join(packages)} could not be installed: {error}") from None


def unpack(
    name: str,
    package: str,
    find: Callable[[], object | None],
    *,
    suite: str = SUITE,
    make_programs: Callable[[Path], None] | None = None,
) -> None:
    """Unpack packages and all that they need beside the system's own libraries."""
    if find() is not None:
        return
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise ToolsError(f"{name} is not here, and this is no Debian: install it so that it is on PATH.")
    packages = package.split()
    target = tools_folder() / packages[0]
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as temporary:
        root = Path(temporary)
        print(f"test-tools: unpacking {name} from Debian {suite} into {target}", flush=True)
        apt = own_apt(root, name, suite)
        run([*apt, "update", "-q"])
        run([*apt, "install", "-y", "-q", "--download-only", "--no-install-recommends", *packages])
        unpacked = root / packages[0]
        for archive in sorted((root / "cache" / "archives").glob("*.deb")):
            run(["dpkg-deb", "--extract", str(archive), str(unpacked)])
        (make_programs or write_programs)(unpacked)
        if "crun" in packages:
            patch_crun(unpacked, target)
        shutil.rmtree(target, ignore_errors=True)  # a broken one, or it would have been found
        unpacked.rename(target)
    if find() is None:
        raise ToolsError(f"{name} was unpacked into {target} and does not run there.")


def own_apt(root: Path, name: str, suite: str) -> list[str]:
    """apt-get with lists, cache and sources of its own in ``root``, and nothing installed."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (root / folder).mkdir(parents=True)
    (root / "status").touch()
    (root / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror(name)} {suite} main\n")
    if not KEYRING.exists():
        raise ToolsError(f"{KEYRING} is missing: sudo apt-get install debian-archive-keyring")
    settings = {
        "Dir::Etc::sourcelist": root / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State::lists": root / "lists",
        "Dir::State::status": root / "status",
        "Dir::State::extended_states": root / "extended",
        "Dir::Cache": root / "cache",
        "APT::Sandbox::User": "",  # root would otherwise download as a user who cannot write there
        "Acquire::Languages": "none",
        "Debug::NoLocking": "true",
    }
    return ["apt-get", *(f"-o{name}={value}" for name, value in settings.items())]


def mirror(name: str) -> str:
    """The address from which this machine's apt takes Debian itself."""
    done = run(["apt-get", "indextargets", "--format", "$(SITE) $(COMPONENT)", "Created-By: Packages"])
    for line in done.splitlines():
        site, _, component = line.partition(" ")
        if component == "main" and site.rstrip("/").endswith("/debian"):
            return site
    raise ToolsError(
        f"{name} is not here, and apt has no mirror of Debian: install it so that it is on PATH."
    )


def write_programs(unpacked: Path) -> None:
    """Scripts that start each program with the libraries and the loader that were unpacked with it."""
    loader = next(iter(sorted(unpacked.glob("usr/lib/*/ld-linux-*.so.*"))), None)
    if loader is None:
        raise ToolsError(f"The packages of {unpacked.name} hold no dynamic loader.")
    (unpacked / "bin").unlink(missing_ok=True)
    (unpacked / "bin").mkdir()
    programs = ("wasmedge*", "node", "wrk", "patchelf", "skopeo", "umoci", "docker-registry")
    for program in sorted(path for name in programs for path in unpacked.glob(f"usr/bin/{name}")):
        script = unpacked / "bin" / program.name
        libraries = f'"$here/{loader.parent.relative_to(unpacked)}"'
        script.write_text(
            "#!/bin/sh\nhere=${0%/bin/*}\n"
            f'exec {libraries}/{loader.name} --library-path {libraries} "$here/usr/bin/{program.name}" "$@"\n'
        )
        script.chmod(0o755)


def patch_crun(unpacked: Path, target: Path) -> None:
    """A crun that names the loader and the libraries unpacked with it, where they will be in the end.

    A script cannot start it, because crun starts itself again through /proc/self/exe, which would
    then be the loader.
    """
    loader = next(iter(sorted(unpacked.glob("usr/lib/*/ld-linux-*.so.*"))))
    libraries = target / loader.parent.relative_to(unpacked)
    crun = unpacked / "bin" / "crun"
    shutil.copy2(unpacked / "usr/bin/crun", crun)
    named = (
        "--set-interpreter",
        f"{libraries}/{loader.name}",
        "--force-rpath",
        "--set-rpath",
        str(libraries),
    )
    run([str(unpacked / "bin" / "patchelf"), *named, str(crun)])


def link_programs(unpacked: Path) -> None:
    """Links to programs that run with the system's own libraries."""
    (unpacked / "bin").mkdir()
    for name in ("bin/containerd", "bin/containerd-shim-runc-v2", "bin/ctr", "sbin/runc"):
        (unpacked / "bin" / Path(name).name).symlink_to(Path("../usr") / name)


def write_server_programs(unpacked: Path) -> None:
    """Scripts that start each server's programs with the libraries that were unpacked with them."""
    if (unpacked / "bin").is_symlink():
        (unpacked / "bin").unlink()
    shutil.rmtree(unpacked / "bin", ignore_errors=True)
    (unpacked / "bin").mkdir()
    libraries = ":".join(
        f"$here/{folder.relative_to(unpacked)}" for folder in unpacked.glob("usr/lib/*-linux-gnu*")
    )
    for program in sorted(path for pattern in SERVER_PROGRAMS for path in unpacked.glob(pattern)):
        script = unpacked / "bin" / program.name
        script.write_text(
            "#!/bin/sh\nhere=${0%/bin/*}\n"
            f'LD_LIBRARY_PATH="{libraries}" exec "$here/{program.relative_to(unpacked)}" "$@"\n'
        )
        script.chmod(0o755)


def own_suite() -> str:
    """The release of Debian that this machine has; the lab's own where it is no Debian."""
    lines = Path("/etc/os-release").read_text().splitlines() if Path("/etc/os-release").exists() else []
    told = dict(line.split("=", 1) for line in lines if "=" in line)
    return told.get("VERSION_CODENAME", SUITE).strip('"') if told.get("ID") == "debian" else SUITE


def run(command: list[str], **options: object) -> str:
    """Run a tool to its end; what it wrote.

    Raises:
        ToolsError: it failed; with the last of what it said.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise ToolsError(f"{command[0]} ended with status {done.returncode}: {said}")
    return str(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
