"""A private containerd: images and containers of the lab's own, beside whatever the machine runs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import ContainerError
from wasm_lab.services.pause import pause_archive
from wasm_lab.services.server import Server
from wasm_lab.toolchains import containerd as programs

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from wasm_lab.services.cri import Cri

ROOM = Path(__file__).with_name("containerd_room.py")

#: The image of the process that holds a pod open.
PAUSE = "localhost/wasm-lab/pause:1"

#: What crun reads of a pod and a container to choose how to run it.
PASSED_ANNOTATIONS = ("module.wasm.image/*", "run.oci.handler")

#: Seconds to unpack an image, which for a Python or Node image is much disk.
IMPORT_S = 300.0

#: The namespace that the CRI keeps its images and containers in.
NAMESPACE = "k8s.io"


class Containerd(Server):
    """containerd with its CRI, ready in about half a second. Root alone can run it.

    Its processes, mounts and cgroups lie in namespaces of its own, below a temporary folder, and end
    with this process, however this process ends. The machine's own containerd is never touched.
    Pods share the network of the machine: there is no CNI.

    Example:
        >>> with Containerd() as containerd:                      # doctest: +SKIP
        ...     containerd.handlers
        ('crun-wasm', 'crun', 'runc')
    """

    name = "containerd"

    @classmethod
    def missing(cls) -> str:
        """Why it cannot be started on this machine and how to get it; empty when it can.

        One of crun and runc is enough; `handlers` says which there are.
        """
        why = programs.containerd_missing()
        if why or programs.find_runc() or programs.find_crun(wasm=False):
            return why
        return f"There is neither crun nor runc. To get them: {programs.HOW_RUNC}; {programs.HOW_CRUN}."

    @classmethod
    def missing_handler(cls, handler: str) -> str:
        """Why pods cannot run under that handler and how to get it; empty when they can."""
        why = cls.missing()
        if why or handler in _handlers():
            return why
        lacking: dict[str, Callable[[], str]] = {
            "crun-wasm": programs.crun_missing,
            "runc": programs.runc_missing,
            "crun": lambda: f"No crun is on PATH. To get it: {programs.HOW_CRUN}.",
        }
        if handler not in lacking:
            return f"{handler} is no handler of the lab's. There are: {', '.join(lacking)}."
        return lacking[handler]()

    @property
    def handlers(self) -> tuple[str, ...]:
        """The runtime handlers that pods can name: of ``crun-wasm``, ``crun`` and ``runc``, those that are here."""
        return tuple(_handlers())

    @property
    def address(self) -> str:
        """The path of its Unix socket."""
        return str(self.folder / "containerd.sock")

    @property
    def url(self) -> str:
        """Its address as gRPC takes it: ``unix:///tmp/wasm-lab-…/containerd.sock``."""
        return f"unix://{self.address}"

    @property
    def first_process(self) -> int:
        """The number of the first process of its PID namespace, as seen from here."""
        return int((self.folder / "first").read_text())

    @property
    def memory_wall(self) -> str:
        """What keeps a container below its memory limit, such as ``cgroup v1``; empty when nothing can."""
        told = self._told()
        return f"cgroup v{told['cgroup_version']}" if told["memory_limits"] else ""

    @property
    def why_no_memory_wall(self) -> str:
        """Why a memory limit cannot be kept on this machine; empty when it can."""
        return str(self._told()["why_no_memory_limits"])

    def cri(self) -> Cri:
        """Its CRI, which refuses memory limits where they could not be kept."""
        from wasm_lab.services.cri import Cri

        return Cri(self.address, no_memory_limits=self.why_no_memory_wall)

    def import_image(self, archive: Path) -> str:
        """Take an OCI image archive in; the name by which pods know it.

        Takes a tar file of an OCI layout whose index names its image by ``io.containerd.image.name``
        or ``org.opencontainers.image.ref.name``.

        Raises:
            ContainerError: it is no such archive; with what containerd said.
        """
        said = self._ctr("images", "import", "--digests=false", str(archive))
        names = re.findall(r"^unpacking (\S+) \(", said, re.MULTILINE)
        if not names:
            raise ContainerError(
                f"containerd found no image in {archive}.", hint=f"It said: {said.strip() or 'nothing'}"
            )
        return str(names[0])

    def made_at_ns(self, container: str) -> int:
        """When crun or runc had made a container, by the state that it keeps itself, in ns since 1970.

        Takes the container's identifier; 0 when it is gone. This is before it was started: crun and runc make
        a container with everything around its program, and start the program when they are told to.
        """
        from wasm_lab.services.cri.container import nanoseconds

        state = Path(f"/proc/{self.first_process}/root/run/containerd/runc/{NAMESPACE}/{container}")
        for name in ("status", "state.json"):  # crun's and runc's
            with contextlib.suppress(OSError, ValueError, KeyError):
                return nanoseconds(json.loads((state / name).read_text())["created"])
        return 0

    def start(self) -> Self:
        """Start it and wait until it answers.

        Raises:
            ServiceError: a program is missing, this is not root, or it did not answer in time.
        """
        new = self._keeper is None
        super().start()
        if new:
            try:
                self._import_pause()
            except BaseException:
                self.close()
                raise
        return self

    def _import_pause(self) -> None:
        archive = self.folder / "pause.tar"
        archive.write_bytes(pause_archive(PAUSE))
        self.import_image(archive)

    def _ctr(self, *words: str) -> str:
        found = programs.find_containerd()
        assert found is not None
        done = subprocess.run(
            [programs.client_of(found), "--address", self.address, "--namespace", NAMESPACE, *words],
            capture_output=True,
            text=True,
            timeout=IMPORT_S,
            check=False,
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines() or ["nothing"]
            raise ContainerError(f"containerd refused {' '.join(words[:2])}.", hint=f"It said: {said[-1]}")
        return done.stdout

    def _told(self) -> dict[str, object]:
        return dict(json.loads((self.folder / "told.json").read_text()))

    def _user(self) -> None:
        """Root, as no other user may make mounts and namespaces."""

    def _prepare(self) -> None:
        found = programs.find_containerd()
        assert found is not None
        files = {"config.toml": _file(self._config(), 0o600)}
        for handler, program in _handlers().items():
            words = f"#!/bin/sh\nexec {shlex.quote(str(program))}"
            plain = f'{words} "$@"\n'
            if handler == "runc":
                files[_wrapper(handler)] = _file(plain, 0o755)
            else:
                disabled = f'{words} --cgroup-manager=disabled "$@"\n'
                limited = f'{words} --cgroup-manager=cgroupfs "$@"\n'
                files[_wrapper(handler)] = {"limits": limited, "no_limits": disabled, "mode": 0o755}
        path = os.pathsep.join(
            (str(found.program.parent), os.environ.get("PATH", os.defpath), *programs.SYSTEM)
        )
        room = {
            "command": [str(found.program), "--config", str(self.folder / "config.toml")],
            "env": {"PATH": path, "HOME": str(self.folder), "LC_ALL": "C"},
            "files": files,
        }
        (self.folder / "room.json").write_text(json.dumps(room))

    def _config(self) -> str:
        folder = self.folder
        runtimes = "".join(
            f"""
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{handler}]
    runtime_type = "io.containerd.runc.v2"
    pod_annotations = {json.dumps(PASSED_ANNOTATIONS if handler == "crun-wasm" else [])}
    container_annotations = {json.dumps(PASSED_ANNOTATIONS if handler == "crun-wasm" else [])}
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{handler}.options]
      BinaryName = {json.dumps(str(folder / _wrapper(handler)))}
      SystemdCgroup = false
"""
            for handler in _handlers()
        )
        return f"""version = 2
root = {json.dumps(str(folder / "root"))}
state = {json.dumps(str(folder / "state"))}
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.nri.v1.nri"]
[grpc]
  address = {json.dumps(self.address)}
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = {json.dumps(str(folder / "cni"))}
    conf_dir = {json.dumps(str(folder / "cni"))}
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "@SNAPSHOTTER@"
    default_runtime_name = "{next(iter(_handlers()))}"
{runtimes}"""

    def _command(self) -> list[str]:
        return [sys.executable, "-I", "-S", str(ROOM), str(self.folder)]

    def _answers(self) -> bool:
        if not Path(self.address).exists():
            return False
        try:
            self._ctr("plugins", "list")
        except ContainerError:
            return False
        return True


def _file(text: str, mode: int) -> dict[str, object]:
    return {"limits": text, "no_limits": text, "mode": mode}


def _wrapper(handler: str) -> str:
    return f"runtime-{handler}"


def _handlers() -> dict[str, Path]:
    """Handler to the program beneath it, for those that are here; the first is the default."""
    wasm, plain, runc = programs.find_crun(), programs.find_crun(wasm=False), programs.find_runc()
    found = {"crun-wasm": wasm, "crun": wasm or plain, "runc": runc}
    return {handler: one.program for handler, one in found.items() if one is not None}
