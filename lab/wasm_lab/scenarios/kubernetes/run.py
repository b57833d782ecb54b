"""Running a manifest's pods on this machine through CRI, without an API server, and measuring them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import ServiceError, UsageError
from wasm_lab.scenarios.kubernetes.local import Plan, Workload, local_plan
from wasm_lab.scenarios.kubernetes.trouble import Trouble, pod_troubles
from wasm_lab.services import Containerd
from wasm_lab.services.kubernetes.node import machine_address
from wasm_lab.services.kubernetes.pod_runner import PodRunner
from wasm_lab.services.kubernetes.pod_spec import not_kept

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from wasm_lab.scenarios.kubernetes.given import Target
    from wasm_lab.services.cri import Cri

#: Seconds between two looks at pods and their logs.
LOOK_S = 0.02

#: Seconds that pods have to end by themselves when the run is over.
GRACE_S = 2


@dataclass(frozen=True)
class PodStart:
    """How one pod started: our clock's times and the container runtime's own, in ms."""

    pod: str
    handler: str
    start_ms: float  #: from asking for the pod until the runtime had answered that its containers run
    runtime_ms: float  #: the same, with the runtime's stamp ``started_at`` for the end
    difference_ms: float  #: between the two ends


@dataclass(frozen=True)
class ScaleStep:
    """One step of scaling on this machine."""

    workload: str
    replicas: int
    seconds: float  #: until so many were ready, and the others were gone
    pss_bytes: int  #: of the containers' processes, without shims
    shim_pss_bytes: int


@dataclass
class LocalPod:
    """One pod of a run."""

    workload: Workload
    runner: PodRunner
    events: list[dict[str, Any]] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)  #: lines of its containers that were passed on

    @property
    def troubles(self) -> list[Trouble]:
        """What keeps it from being ready."""
        return pod_troubles({**self.runner.pod, "status": self.runner.status()}, self.events)


class LocalRun:
    """A container runtime and the pods of manifests in it. Use it as a context manager.

    Example:
        >>> targets, _ = checked_targets(["hello.yaml"])               # doctest: +SKIP
        >>> with LocalRun(targets, {"localhost/hello:1": Path("hello.tar")}) as run:  # doctest: +SKIP
        ...     run.start()
        ...     run.scale([10, 1])
    """

    def __init__(
        self,
        targets: Sequence[Target],
        images: Mapping[str, Path] | None = None,
        *,
        on_line: Callable[[str, str, str], None] = lambda _pod, _container, _text: None,
        on_note: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Takes objects, OCI archives or Wasm modules for names of images, and what to call.

        Args:
            targets: of `checked_targets`.
            images: the name in the manifest to an OCI archive (``.tar``) or a module (``.wasm``).
            on_line: is called with pod, container and each line that it writes.
            on_note: is called with what is passed over, and with warnings of pods.
        """
        self._targets, self._images = targets, dict(images or {})
        self._on_line, self._on_note = on_line, on_note
        self._containerd = Containerd()
        self._cri: Cri | None = None
        self._address = machine_address()
        self.pods: list[LocalPod] = []
        self.plan: Plan | None = None
        self._ending = threading.Event()
        self._follower = threading.Thread(target=self._follow, name="logs", daemon=True)

    @staticmethod
    def missing() -> str:
        """Why pods cannot run on this machine and how to get what lacks; empty when they can."""
        return Containerd.missing()

    def __enter__(self) -> Self:
        why = self.missing()
        if why:
            raise ServiceError("Pods cannot run on this machine.", hint=why)
        # Whatever is plainly wrong is said before anything is started.
        handlers = self._containerd.handlers
        local_plan(self._targets, handlers, {})
        try:
            self._containerd.start()
            self._cri = self._containerd.cri()
            names = {name: self._import(name, path) for name, path in self._images.items()}
            self.plan = local_plan(self._targets, handlers, names)
            for what in self.plan.passed_over:
                self._on_note(f"{what} is passed over: only a cluster has a use for it.")
            for workload in self.plan.workloads:
                lacking = not_kept({"spec": workload.template["spec"]})
                if lacking:
                    self._on_note(f"{workload.target.label}: not applied here: {', '.join(lacking)}.")
            self._follower.start()
        except BaseException:
            self._containerd.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every pod, then the container runtime, and remove all that they left."""
        try:
            for pod in self.pods:
                pod.runner.stop(0 if self._ending.is_set() else GRACE_S)
            for pod in self.pods:
                pod.runner.join(GRACE_S + 10)
            self._pass_on()
        finally:
            self._ending.set()
            if self._cri is not None:
                self._cri.close()
            self._containerd.close()

    def start(self, *, replicas: int | None = None, timeout_s: float = 60.0) -> list[PodStart]:
        """Start every pod and wait until all are ready or done.

        Args:
            replicas: in place of the number that each Deployment says.
            timeout_s: seconds until they must be.

        Raises:
            ServiceError: a pod did not get ready; with what troubles it.
        """
        assert self.plan is not None, "entered first"
        for workload in self.plan.workloads:
            if replicas is not None and workload.can_scale:
                workload.replicas = replicas
            for _ in range(workload.replicas):
                self._add(workload)
        self._until_ready(timeout_s)
        return self.starts()

    def scale(
        self,
        steps: Sequence[int],
        *,
        timeout_s: float = 60.0,
        on_step: Callable[[ScaleStep], None] = lambda _: None,
    ) -> list[ScaleStep]:
        """Bring every Deployment to each number of replicas in turn; how long each took, and the memory then.

        Raises:
            ServiceError: a pod did not get ready.
            UsageError: nothing of it can be scaled.
        """
        assert self.plan is not None, "entered first"
        scaled = [workload for workload in self.plan.workloads if workload.can_scale]
        if not scaled:
            raise UsageError("Nothing in these files has a number of replicas.", hint="A Deployment has.")
        done: list[ScaleStep] = []
        for replicas in steps:
            for workload in scaled:
                done.append(self._scale_one(workload, replicas, timeout_s))
                on_step(done[-1])
        return done

    def wait(self) -> bool:
        """Wait until every pod is done, which those that are restarted never are; whether all ended well."""
        while not all(pod.runner.done for pod in self.pods):
            time.sleep(LOOK_S)
        return all(pod.runner.status()["phase"] == "Succeeded" for pod in self.pods)

    def starts(self) -> list[PodStart]:
        """How the pods that run started."""
        found = []
        for pod in self.pods:
            sandbox = pod.runner.sandbox
            if sandbox is None or not sandbox.containers:
                continue
            ours = [one.asked.started_ns for one in sandbox.containers]
            theirs = [one.status().started_at_ns for one in sandbox.containers]
            last = max(range(len(ours)), key=lambda index: ours[index])
            found.append(
                PodStart(
                    pod=pod.runner.name,
                    handler=pod.runner.handler,
                    start_ms=(ours[last] - pod.runner.asked_ns) / 1e6,
                    runtime_ms=(theirs[last] - pod.runner.asked_ns) / 1e6,
                    difference_ms=(ours[last] - theirs[last]) / 1e6,
                )
            )
        return found

    def _scale_one(self, workload: Workload, replicas: int, timeout_s: float) -> ScaleStep:
        mine = [pod for pod in self.pods if pod.workload is workload]
        began = time.monotonic()
        ending = mine[replicas:]
        for pod in ending:
            pod.runner.stop(
                min(GRACE_S, int(workload.template["spec"].get("terminationGracePeriodSeconds", 30)))
            )
        for _ in range(replicas - len(mine)):
            self._add(workload)
        for pod in ending:
            pod.runner.join(timeout_s)
            self._pass_on()
            self.pods.remove(pod)
        self._until_ready(timeout_s)
        seconds = time.monotonic() - began
        boxes = [pod.runner.sandbox for pod in self.pods if pod.workload is workload]
        return ScaleStep(
            workload=workload.target.label,
            replicas=replicas,
            seconds=seconds,
            pss_bytes=sum(box.pss for box in boxes if box is not None),
            shim_pss_bytes=sum(box.shim_pss for box in boxes if box is not None),
        )

    def _add(self, workload: Workload) -> None:
        assert self.plan is not None
        assert self._cri is not None
        texts = self.plan.texts
        body = workload.next_pod()
        events: list[dict[str, Any]] = []

        def event(kind: str, reason: str, message: str) -> None:
            events.append({"type": kind, "reason": reason, "message": message})
            if kind == "Warning" and not self._ending.is_set():
                self._on_note(f"{body['metadata']['name']}: {reason}: {message}")

        runner = PodRunner(
            self._cri,
            body,
            handler=workload.handler,
            address=self._address,
            values=lambda kind, name: texts.get((kind, name)),
            event=event,
        )
        self.pods.append(LocalPod(workload, runner, events))
        runner.start()

    def _until_ready(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while True:
            left = [pod for pod in self.pods if not pod.runner.ready and not pod.runner.done]
            if not left:
                return
            troubles = [trouble for pod in left for trouble in pod.troubles]
            if any(trouble.final for trouble in troubles) or time.monotonic() > deadline:
                lines = [
                    f"{one.about}: {one.reason}: {one.message}\n  {one.meaning}".rstrip() for one in troubles
                ]
                names = ", ".join(pod.runner.name for pod in left)
                raise ServiceError(f"Not ready: {names}.", hint="\n".join(dict.fromkeys(lines)))
            time.sleep(LOOK_S)

    def _import(self, name: str, path: Path) -> str:
        """Take an image in; the name by which the container runtime then knows it."""
        if not path.is_file():
            raise UsageError(
                f"{path} is no file.", hint="--image takes NAME=FILE, an OCI archive or a Wasm module."
            )
        if path.read_bytes()[:4] != b"\0asm":
            return self._containerd.import_image(path)
        from wasm_lab.scenarios.containers.image import wasm_image

        archive = self._containerd.folder / "given.tar"
        try:
            wasm_image(path.read_bytes(), name).write_archive(archive)
            return self._containerd.import_image(archive)
        finally:
            archive.unlink(missing_ok=True)

    def _follow(self) -> None:
        while not self._ending.wait(LOOK_S * 2):
            self._pass_on()

    def _pass_on(self) -> None:
        """Pass on the lines that are new. Called from two threads, each line once."""
        with _lines:
            for pod in list(self.pods):
                for container in list(pod.runner.sandbox.containers) if pod.runner.sandbox else ():
                    lines = container.log_lines()
                    for line in lines[pod.seen.get(container.id, 0) :]:
                        self._on_line(pod.runner.name, container.name, line.text.rstrip("\n"))
                    pod.seen[container.id] = len(lines)


_lines = threading.Lock()
