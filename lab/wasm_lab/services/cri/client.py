"""A container runtime, asked as a kubelet asks it."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import ContainerError
from wasm_lab.services.cri.api import Api
from wasm_lab.services.cri.container import Asked, Container
from wasm_lab.services.cri.processes import Processes, listener, pss_bytes
from wasm_lab.services.cri.sandbox import container_security

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from wasm_lab.services.cri.sandbox import PodSandbox

#: Seconds until an image that was just imported must be known: containerd tells its CRI part by an event.
IMAGE_S = 1.0


class Cri:
    """The CRI of one runtime, at a Unix socket. Use it as a context manager, or `close` it.

    Example:
        >>> with Cri("/run/containerd/containerd.sock") as cri:       # doctest: +SKIP
        ...     cri.version()
        'containerd 1.7.24'
    """

    def __init__(self, address: str, *, no_memory_limits: str = "") -> None:
        """Takes the socket's path, and why memory cannot be limited where that is so.

        Raises:
            ServiceError: grpcio or protobuf is missing.
        """
        self.address = address
        self.api = Api(address)
        self._no_memory_limits = no_memory_limits
        self._logs = Path(tempfile.mkdtemp(prefix="logs-", dir=Path(address).parent))

    def version(self) -> str:
        """Name and version of the runtime."""
        told = self.api.call("Version")
        return f"{told.runtime_name} {told.runtime_version}"

    def has_image(self, name: str) -> bool:
        """Whether the runtime has an image of that name."""
        return bool(self.api.call("ImageStatus", image={"image": name}).HasField("image"))

    def run_pod(self, sandbox: PodSandbox) -> Pod:
        """Start a pod without containers; it ends with its ``with`` block.

        Raises:
            ContainerError: the runtime refused; with what it said.
        """
        folder = self._logs / f"{sandbox.namespace}_{sandbox.name}_{sandbox.uid}"
        folder.mkdir(parents=True, exist_ok=True)
        config = sandbox.as_config(str(folder))
        asked = time.time_ns()
        answer = self.api.call("RunPodSandbox", config=config, runtime_handler=sandbox.runtime_handler)
        return Pod(self, sandbox, answer.pod_sandbox_id, folder, (asked, time.time_ns()))

    def refuse_limit(self, memory_limit_bytes: int | None) -> None:
        """Refuse a memory limit that would not be kept.

        Raises:
            ContainerError: memory cannot be limited here.
        """
        if memory_limit_bytes is not None and self._no_memory_limits:
            raise ContainerError(
                "The memory of a container cannot be limited on this machine.", hint=self._no_memory_limits
            )

    def close(self) -> None:
        """End the connection and remove the logs. Pods are left to who made them."""
        self.api.close()
        shutil.rmtree(self._logs, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Pod:
    """A pod that runs. Use it as a context manager: it is stopped and removed with all its containers."""

    def __init__(
        self, cri: Cri, sandbox: PodSandbox, identifier: str, folder: Path, asked: tuple[int, int]
    ) -> None:
        self.cri = cri
        self.sandbox = sandbox
        self.id = identifier
        self.folder = folder
        self.asked_ns, self.answered_ns = asked  #: when it was asked for and was there, in ns since 1970
        self.containers: list[Container] = []

    def create(
        self,
        *,
        name: str,
        image: str,
        command: Sequence[str] = (),
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        memory_limit_bytes: int | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> Container:
        """Make a container without starting it.

        Takes what a pod's manifest says of a container: ``command`` in place of the image's entrypoint,
        ``args`` in place of its command, and the limit of its memory in bytes.

        Raises:
            ContainerError: there is no such image, memory cannot be limited here, or the runtime refused.
        """
        self.cri.refuse_limit(memory_limit_bytes)
        self._need_image(image)
        log = f"{name}-{len(self.containers)}.log"
        limit = memory_limit_bytes or 0
        config = {
            "metadata": {"name": name, "attempt": len(self.containers)},
            "image": {"image": image},
            "command": list(command),
            "args": list(args),
            "envs": [{"key": key, "value": value} for key, value in (env or {}).items()],
            "annotations": dict(annotations or {}),
            "log_path": log,
            "linux": {
                "resources": {"memory_limit_in_bytes": limit, "memory_swap_limit_in_bytes": limit},
                "security_context": container_security(),
            },
        }
        asked = time.time_ns()
        answer = self.cri.api.call(
            "CreateContainer",
            pod_sandbox_id=self.id,
            config=config,
            sandbox_config=self.sandbox.as_config(str(self.folder)),
        )
        times = Asked(create_ns=asked, created_ns=time.time_ns())
        container = Container(self.cri.api, answer.container_id, name, image, self.folder / log, times)
        self.containers.append(container)
        return container

    def start(
        self,
        *,
        name: str,
        image: str,
        command: Sequence[str] = (),
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        memory_limit_bytes: int | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> Container:
        """Make a container and start it; takes what `create` takes.

        Raises:
            ContainerError: as `create`, or the program could not be started: a Wasm image under runc.
        """
        container = self.create(
            name=name,
            image=image,
            command=command,
            args=args,
            env=env,
            memory_limit_bytes=memory_limit_bytes,
            annotations=annotations,
        )
        asked = time.time_ns()
        try:
            self.cri.api.call("StartContainer", container_id=container.id)
        except BaseException:
            with contextlib.suppress(ContainerError):
                container.remove()
            self.containers.remove(container)
            raise
        container.asked = replace(container.asked, start_ns=asked, started_ns=time.time_ns())
        return container

    @property
    def pids(self) -> list[int]:
        """The processes of its containers, by the numbers that this process knows; without shim and pause."""
        processes = self._processes()
        first = [processes.meant(number) for number in (one.number for one in self.containers) if number]
        return [each for number in first if number is not None for each in processes.family(number)]

    @property
    def pause_pid(self) -> int | None:
        """The process that holds it open; None when it is gone."""
        told = self.cri.api.call("PodSandboxStatus", pod_sandbox_id=self.id, verbose=True)
        number = int(json.loads(told.info["info"]).get("pid", 0)) if "info" in told.info else 0
        return self._processes().meant(number) if number else None

    @property
    def shim_pid(self) -> int | None:
        """The shim that it runs under, one for each pod; None when it is gone."""
        return self._processes().shim_of(self.id)

    @property
    def pss(self) -> int:
        """Memory of the processes of its containers, in bytes: proportional set sizes, without shim and pause."""
        return sum(map(pss_bytes, self.pids))

    @property
    def shim_pss(self) -> int:
        """Memory of its shim, in bytes."""
        shim = self.shim_pid
        return pss_bytes(shim) if shim else 0

    def remove(self) -> None:
        """Stop its containers by force and remove it. Removing twice is nothing."""
        self.cri.api.call("StopPodSandbox", pod_sandbox_id=self.id)
        self.cri.api.call("RemovePodSandbox", pod_sandbox_id=self.id)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _processes(self) -> Processes:
        return Processes(listener(self.cri.address))

    def _need_image(self, name: str) -> None:
        deadline = time.monotonic() + IMAGE_S
        while not self.cri.has_image(name):
            if time.monotonic() > deadline:
                raise ContainerError(
                    f"The container runtime has no image {name}.",
                    hint="Import it first: containerd.import_image(PATH OF AN OCI ARCHIVE) gives its name.",
                )
            time.sleep(0.02)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.remove()
        else:
            with contextlib.suppress(ContainerError):
                self.remove()
