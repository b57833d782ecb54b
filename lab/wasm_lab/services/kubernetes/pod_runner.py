"""One pod on this machine, run through CRI as a kubelet runs it: restarts, probes, status."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import ContainerError
from wasm_lab.services.cri import PodSandbox
from wasm_lab.services.kubernetes.pod_box import Box, is_latest, not_ready_reason, rfc3339
from wasm_lab.services.kubernetes.pod_spec import PROBES, ConfigMistake, program_of, refusals
from wasm_lab.services.kubernetes.probes import Prober

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wasm_lab.services.cri import Cri, Pod

#: Seconds between two looks at the containers of a pod.
LOOK_S = 0.1

#: Seconds before a container is started again: the first time at once, then this, each time twice as long,
#: at most the other. Those of the kubelet.
BACK_OFF_S, BACK_OFF_MAX_S = 10.0, 300.0

#: Seconds after which a container that runs counts as well, and its waits begin anew. The kubelet's, too.
WELL_S = 600.0

#: Seconds between two tries to make a sandbox.
SANDBOX_S = 2.0


class PodRunner:
    """Runs one pod in a thread until it is done or `stop` is called."""

    def __init__(
        self,
        cri: Cri,
        pod: dict[str, Any],
        *,
        handler: str,
        address: str,
        values: Callable[[str, str], Mapping[str, str] | None] = lambda _kind, _name: None,
        changed: Callable[[], None] = lambda: None,
        event: Callable[[str, str, str], None] = lambda _type, _reason, _message: None,
    ) -> None:
        """Make a runner that does not run yet.

        Args:
            cri: the container runtime.
            pod: as the API gives it: ``metadata`` with name, namespace and uid, and ``spec``.
            handler: the runtime handler of its RuntimeClass; empty for the runtime's own default.
            address: the address at which its programs are reached: all pods share the machine's network.
            values: gives the texts of a ConfigMap or Secret by kind and name, None where there is none.
            changed: is called, in the runner's thread, after its `status` changed.
            event: is called with type (``Normal`` or ``Warning``), reason and message of what happened.
        """
        self._cri, self.pod, self.handler, self.address = cri, pod, handler, address
        self._values, self._changed, self._event = values, changed, event
        spec = pod["spec"]
        self._policy = spec.get("restartPolicy", "Always")
        self.inits = [Box(one) for one in spec.get("initContainers") or []]
        self.boxes = [Box(one) for one in spec["containers"]]
        self.sandbox: Pod | None = None
        self.begun_ns = time.time_ns()
        self.asked_ns = 0  #: when the runtime was asked for the sandbox, in ns since 1970
        self.ready_ns = 0  #: when every container was first ready
        self._refused = ""
        self._stop = threading.Event()
        self._grace_s = 0
        self._lock = threading.RLock()
        self._last: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._run, name=f"pod {self.name}", daemon=True)

    @property
    def name(self) -> str:
        """The pod's name."""
        return str(self.pod["metadata"]["name"])

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, grace_s: int = 0) -> None:
        """Begin to end it: containers have ``grace_s`` seconds to end by themselves. `join` waits for it."""
        self._grace_s = grace_s
        self._stop.set()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing is left of it; whether nothing is."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def done(self) -> bool:
        """Whether every container ended for good."""
        return all(box.done for box in self.boxes) or self._failed_init()

    @property
    def ready(self) -> bool:
        """Whether every container is ready."""
        return all(box.ready for box in self.boxes)

    def log(self, container: str, *, previous: bool = False) -> str | None:
        """What a container wrote in its last run, or in the one that ended before; None where there is none."""
        runs = [one for one in (self.sandbox.containers if self.sandbox else ()) if one.name == container]
        running = any(box.running for box in (*self.inits, *self.boxes) if box.name == container)
        if previous and running:
            runs = runs[:-1]
        return runs[-1].logs() if runs else None

    def status(self) -> dict[str, Any]:
        """Its ``PodStatus``, as the API wants it."""
        with self._lock:
            phase = self._phase()
            initialized = all(box.done for box in self.inits)
            ready = phase == "Running" and self.ready
            states = {
                "PodReadyToStartContainers": self.sandbox is not None,
                "Initialized": initialized,
                "ContainersReady": ready,
                "Ready": ready,
                "PodScheduled": True,
            }
            found: dict[str, Any] = {
                "phase": phase,
                "startTime": rfc3339(self.begun_ns),
                "hostIP": self.address,
                "hostIPs": [{"ip": self.address}],
                "conditions": [
                    {"type": name, "status": str(value), **not_ready_reason(name, value, phase)}
                    for name, value in states.items()
                ],
                "containerStatuses": [box.status() for box in self.boxes],
            }
            if self.sandbox is not None:
                found |= {"podIP": self.address, "podIPs": [{"ip": self.address}]}
            if self.inits:
                found["initContainerStatuses"] = [box.status() for box in self.inits]
            if self._refused:
                found |= {"reason": "NotSupported", "message": self._refused}
            return found

    def _phase(self) -> str:
        if self._refused or self._failed_init():
            return "Failed"
        if all(box.done for box in self.boxes):
            codes = [box.state["terminated"]["exitCode"] for box in self.boxes]
            return "Failed" if any(codes) else "Succeeded"
        begun = all(
            box.running or box.restarts or "terminated" in box.state or box.last for box in self.boxes
        )
        return "Running" if begun else "Pending"

    def _failed_init(self) -> bool:
        return any(box.done and box.state["terminated"]["exitCode"] for box in self.inits)

    def _run(self) -> None:
        try:
            self._work()
            self._tell()
            self._stop.wait()
        except ContainerError as error:
            self._event("Warning", "Failed", f"{error.message} {error.hint}")
        finally:
            self._end()
            self._tell()

    def _work(self) -> None:
        why = refusals(self.pod)
        if why:
            self._refused = "; ".join(why)
            self._event("Warning", "NotSupported", self._refused)
            return
        if not self._make_sandbox():
            return
        self._tell()
        for box in self.inits:
            while not box.done:
                if self._stop.is_set():
                    return
                self._look_at(box)
                self._pause()
            if self._failed_init():
                return
        while not self._stop.is_set() and not all(box.done for box in self.boxes):
            for box in self.boxes:
                self._look_at(box)
            self._pause()

    def _pause(self) -> None:
        self._tell()
        self._stop.wait(LOOK_S)

    def _tell(self) -> None:
        status = self.status()
        if status != self._last:
            self._last = status
            self._changed()

    def _make_sandbox(self) -> bool:
        metadata = self.pod["metadata"]
        wanted = PodSandbox(
            name=self.name,
            namespace=metadata.get("namespace", "default"),
            labels=metadata.get("labels") or {},
            annotations=metadata.get("annotations") or {},
            runtime_handler=self.handler,
            uid=metadata["uid"],
        )
        while not self._stop.is_set():
            self.asked_ns = time.time_ns()
            try:
                self.sandbox = self._cri.run_pod(wanted)
                return True
            except ContainerError as error:
                self._event(
                    "Warning", "FailedCreatePodSandBox", f"Failed to create pod sandbox: {error.hint}"
                )
            self._stop.wait(SANDBOX_S)
        return False

    def _look_at(self, box: Box) -> None:
        """Start a container that is due, and see to one that ended."""
        if box.done:
            return
        if box.container is None:
            if time.monotonic() >= box.not_before:
                self._start(box)
            return
        if box.condemned:
            self._event(
                "Normal", "Killing", f"Container {box.name} failed {box.condemned}, will be restarted"
            )
            box.condemned = ""
            with contextlib.suppress(ContainerError):
                box.container.stop(self._grace())
        told = box.container.status()
        if told.state == "exited":
            self._ended(box, box in self.inits)

    def _start(self, box: Box) -> None:
        assert self.sandbox is not None
        pod = {**self.pod, "status": {"hostIP": self.address, "podIP": self.address}}
        try:
            wanted = program_of(box.spec, pod, self._values)
            self._fetch(box, wanted.image)
            container = self.sandbox.start(
                name=wanted.name,
                image=wanted.image,
                command=wanted.command,
                args=wanted.args,
                env=wanted.env,
                memory_limit_bytes=wanted.memory_limit_bytes,
                annotations=self.pod["metadata"].get("annotations") or {},
            )
        except ConfigMistake as mistake:
            self._wait(box, mistake.reason, str(mistake))
            return
        except ContainerError as error:
            self._failed_start(box, error)
            return
        told = container.status()
        with self._lock:
            box.container = container
            box.state = {"running": {"startedAt": rfc3339(told.started_at_ns)}}
            box.started = not box.spec.get("startupProbe")
            box.ready = box.started and not box.spec.get("readinessProbe")
        self._event("Normal", "Started", f"Started container {box.name}")
        self._note_ready()
        self._probe(box, PROBES if box.spec.get("startupProbe") else PROBES[1:])

    def _failed_start(self, box: Box, error: ContainerError) -> None:
        """A program that could not be started counts as one that ended, as with a kubelet."""
        if "refused StartContainer" not in error.message:
            self._wait(box, "CreateContainerError", f"{error.message} {error.hint}")
            return
        now = rfc3339(time.time_ns())
        with self._lock:
            box.state = {
                "terminated": {
                    "exitCode": 128,
                    "reason": "StartError",
                    "message": error.hint,
                    "startedAt": now,
                    "finishedAt": now,
                }
            }
        self._event("Warning", "Failed", f"Error: {error.hint}")
        self._after_end(box, 128, 0.0, False)

    def _fetch(self, box: Box, image: str) -> None:
        """See that the image is there, as the container's policy wants it."""
        policy = box.spec.get("imagePullPolicy") or ("Always" if is_latest(image) else "IfNotPresent")
        there = self._cri.has_image(image)
        if policy == "Never" and not there:
            raise ConfigMistake(
                f"Container image {image!r} is not present with pull policy of Never", "ErrImageNeverPull"
            )
        if policy == "Always" or not there:
            try:
                self._cri.api.call("PullImage", image={"image": image})
            except ContainerError as error:
                again = box.state.get("waiting", {}).get("reason") in {"ErrImagePull", "ImagePullBackOff"}
                raise ConfigMistake(error.hint, "ImagePullBackOff" if again else "ErrImagePull") from None

    def _wait(self, box: Box, reason: str, message: str) -> None:
        """Try again later, ever later."""
        with self._lock:
            before = box.state.get("waiting", {}).get("reason")
            box.state = {"waiting": {"reason": reason, "message": message}}
            box.back_off_s = min(box.back_off_s * 2 or BACK_OFF_S / 5, BACK_OFF_MAX_S)
            box.not_before = time.monotonic() + box.back_off_s
        if reason != before:
            self._event("Warning", "Failed", f"Error: {reason}: {message}")

    def _probe(self, box: Box, names: tuple[str, ...]) -> None:
        assert box.container is not None
        ports = {
            one["name"]: int(one["containerPort"]) for one in box.spec.get("ports") or [] if one.get("name")
        }
        startup = "startupProbe" in names
        for name in ("startupProbe",) if startup else names:
            probe = box.spec.get(name)
            if probe:
                prober = Prober(
                    probe,
                    host=self.address,
                    ports=ports,
                    container=box.container,
                    on_result=functools.partial(self._answered, box, name),
                )
                box.probers.append(prober)

    def _answered(self, box: Box, name: str, good: bool, why: str) -> None:
        """A probe's verdict, in the probe's thread."""
        kind = name.removesuffix("Probe").capitalize()
        if good:
            box.unwell.discard(name)
        elif name not in box.unwell:
            box.unwell.add(name)
            self._event("Warning", "Unhealthy", f"{kind} probe failed: {why}")
        with self._lock:
            if name == "readinessProbe":
                box.ready = good
            elif not good:
                box.condemned = f"{kind.lower()} probe"
                box.silence()
            elif name == "startupProbe" and not box.started:
                box.started = True
                box.ready = not box.spec.get("readinessProbe")
                box.silence()
                self._probe(box, PROBES[1:])
        self._note_ready()

    def _note_ready(self) -> None:
        with self._lock:
            if not self.ready_ns and self.ready:
                self.ready_ns = time.time_ns()

    def _ended(self, box: Box, is_init: bool) -> None:
        assert box.container is not None
        told = box.container.status()
        box.silence()
        with self._lock:
            box.state = {
                "terminated": {
                    "exitCode": told.exit_code,
                    "reason": told.reason or ("Error" if told.exit_code else "Completed"),
                    **({"message": told.message} if told.message else {}),
                    "startedAt": rfc3339(told.started_at_ns),
                    "finishedAt": rfc3339(told.finished_at_ns),
                    "containerID": f"containerd://{box.container.id}",
                }
            }
            box.ready = box.started = False
        self._after_end(box, told.exit_code, (told.finished_at_ns - told.started_at_ns) / 1e9, is_init)

    def _after_end(self, box: Box, code: int, ran_s: float, is_init: bool) -> None:
        """Whether and when a container that ended is started again."""
        again = code != 0 if is_init or self._policy == "OnFailure" else True
        if self._policy == "Never" or not again or self._stop.is_set():
            with self._lock:
                box.done = True
            return
        if ran_s > WELL_S:
            box.back_off_s = 0.0
        with self._lock:
            box.container = None
            box.last = {"terminated": box.state["terminated"]}
            box.restarts += 1
            wait = box.back_off_s
            if wait:
                message = f"back-off {wait:.0f}s restarting failed container={box.name} pod={self.name}"
                box.state = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
            box.not_before = time.monotonic() + wait
            box.back_off_s = min(wait * 2 or BACK_OFF_S, BACK_OFF_MAX_S)
        if wait:
            self._event("Warning", "BackOff", f"Back-off restarting failed container {box.name}")

    def _end(self) -> None:
        """Stop what runs and remove the sandbox with all its containers."""
        for box in (*self.inits, *self.boxes):
            box.silence()
        if self.sandbox is None:
            return
        if self._stop.is_set():
            running = [box for box in (*self.inits, *self.boxes) if box.container is not None and box.running]
            stopping = [threading.Thread(target=self._stop_box, args=(box,)) for box in running]
            for thread in stopping:
                thread.start()
            for thread in stopping:
                thread.join()
            with contextlib.suppress(ContainerError):
                self.sandbox.remove()

    def _stop_box(self, box: Box) -> None:
        assert box.container is not None
        with contextlib.suppress(ContainerError):
            box.container.stop(self._grace_s)
            self._ended(box, False)

    def _grace(self) -> int:
        return int(self.pod["spec"].get("terminationGracePeriodSeconds") or 0)
