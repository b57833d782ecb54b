"""A node of a cluster: its agent registers it, and runs the pods that are bound to it through CRI.

It stands in for a kubelet where there is none, and does what a pod of a Wasm module needs: restarts with
back-off, probes, limits, environments, runtime handlers, image policies. It mounts no volumes, gives pods
the machine's own network, and says so of a pod that asks for more (see `pod_spec`).
"""

from __future__ import annotations

import contextlib
import platform
import socket
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psutil

from wasm_lab.services.kubernetes.api_server import NODE
from wasm_lab.services.kubernetes.node_logs import LogServer
from wasm_lab.services.kubernetes.pod_box import rfc3339
from wasm_lab.services.kubernetes.pod_runner import PodRunner
from wasm_lab.services.kubernetes.pod_spec import not_kept

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from wasm_lab.services.cri import Cri

#: Seconds between two signs of life. A node that gives none for 40 s is taken for dead.
LEASE_S = 10.0

#: Pods that the scheduler may put on the node; the kubelet's default.
PODS_MAX = 110

#: Seconds that one request, and one watch, may take.
REQUEST_S, WATCH_S = 30, 300


class Node:
    """A node's agent in this process. Use it as a context manager; leaving it ends its pods.

    Example:
        >>> with ApiServer() as api, Containerd() as containerd:      # doctest: +SKIP
        ...     with Node(api.node_kubeconfig, containerd.cri(), handlers=containerd.handlers):
        ...         ...  # what is applied to api.kubeconfig now runs
    """

    def __init__(
        self,
        kubeconfig: Path,
        cri: Cri,
        *,
        handlers: tuple[str, ...] = (),
        identity: tuple[Path, Path] | None = None,
    ) -> None:
        """Make an agent that does nothing yet.

        Args:
            kubeconfig: of a node's user.
            cri: the container runtime.
            handlers: that the container runtime has.
            identity: certificate and key by which the API server knows the node, and the node the API server;
                without them nobody can read logs through the API.
        """
        from kubernetes import client, config

        self._cri, self._handlers = cri, handlers
        self._api = config.new_client_from_config(str(kubeconfig))
        self._core = client.CoreV1Api(self._api)
        self._leases = client.CoordinationV1Api(self._api)
        self._classes = client.NodeV1Api(self._api)
        self.address = machine_address()
        self._server = LogServer(self.address, *identity, logs=self._logs) if identity else None
        self.runners: dict[str, PodRunner] = {}  #: by the pod's uid
        self._removing: set[str] = set()
        self._ending = threading.Event()
        self._lock = threading.RLock()
        self._threads = [
            threading.Thread(target=self._watch, name="node watch", daemon=True),
            threading.Thread(target=self._live, name="node lease", daemon=True),
        ]

    def start(self) -> Self:
        """Register the node and begin to run pods."""
        self._register()
        for thread in self._threads:
            thread.start()
        return self

    def close(self) -> None:
        """End every pod at once and give the node up."""
        self._ending.set()
        for runner in list(self.runners.values()):
            runner.stop(0)
        for runner in list(self.runners.values()):
            runner.join(30)
        if self._server is not None:
            self._server.close()
        self._api.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _register(self) -> None:
        from kubernetes.client import ApiException

        labels = {
            "kubernetes.io/hostname": NODE,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), ""),
        }
        body: Any = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "labels": labels}}
        try:
            self._core.create_node(body, _request_timeout=REQUEST_S)
        except ApiException as error:
            if error.status != 409:
                raise
        resources = {
            "cpu": str(psutil.cpu_count() or 1),
            "memory": str(psutil.virtual_memory().total),
            "pods": str(PODS_MAX),
        }
        now = rfc3339(time.time_ns())
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "message": "wasm-lab's node agent runs pods",
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        }
        status = {
            "capacity": resources,
            "allocatable": resources,
            "conditions": [ready],
            "addresses": [
                {"type": "InternalIP", "address": self.address},
                {"type": "Hostname", "address": NODE},
            ],
            "nodeInfo": {
                "architecture": labels["kubernetes.io/arch"],
                "bootID": "",
                "containerRuntimeVersion": self._cri.version().replace(" ", "://"),
                "kernelVersion": platform.release(),
                "kubeProxyVersion": "",
                "kubeletVersion": "v0.0.0-wasm-lab",
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": platform.system(),
                "systemUUID": "",
            },
            **({"daemonEndpoints": {"kubeletEndpoint": {"Port": self._server.port}}} if self._server else {}),
            "runtimeHandlers": [{"name": name} for name in self._handlers],
        }
        self._core.patch_node_status(NODE, {"status": status}, _request_timeout=REQUEST_S)

    def _live(self) -> None:
        """Renew the lease, which is the sign of life that the cluster looks at."""
        from kubernetes.client import ApiException

        name = {"name": NODE, "namespace": "kube-node-lease"}
        while not self._ending.is_set():
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            spec = {"holderIdentity": NODE, "leaseDurationSeconds": 40, "renewTime": now}
            with contextlib.suppress(Exception):  # the next one comes in a few seconds
                try:
                    self._leases.patch_namespaced_lease(
                        NODE, name["namespace"], {"spec": spec}, _request_timeout=REQUEST_S
                    )
                except ApiException as error:
                    if error.status != 404:
                        raise
                    body: Any = {
                        "apiVersion": "coordination.k8s.io/v1",
                        "kind": "Lease",
                        "metadata": name,
                        "spec": spec,
                    }
                    self._leases.create_namespaced_lease(name["namespace"], body, _request_timeout=REQUEST_S)
            self._ending.wait(LEASE_S)

    def _watch(self) -> None:
        from kubernetes import watch

        selector = f"spec.nodeName={NODE}"
        version = ""
        while not self._ending.is_set():
            try:
                if not version:
                    listed = self._plain(
                        self._core.list_pod_for_all_namespaces(
                            field_selector=selector, _request_timeout=REQUEST_S
                        )
                    )
                    version = listed["metadata"]["resourceVersion"]
                    for pod in listed["items"]:
                        self._seen(pod)
                stream = watch.Watch().stream(
                    self._core.list_pod_for_all_namespaces,
                    field_selector=selector,
                    resource_version=version,
                    timeout_seconds=WATCH_S,
                    _request_timeout=(REQUEST_S, WATCH_S + REQUEST_S),
                )
                for event in stream:
                    if self._ending.is_set():
                        return
                    pod = event["raw_object"]
                    version = pod["metadata"]["resourceVersion"]
                    if event["type"] == "DELETED":
                        self._gone(pod["metadata"]["uid"])
                    else:
                        self._seen(pod)
            except Exception:
                version = ""
                self._ending.wait(0.5)

    def _seen(self, pod: dict[str, Any]) -> None:
        uid = pod["metadata"]["uid"]
        with self._lock:
            runner = self.runners.get(uid)
            if runner is None:
                if (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"} and not pod[
                    "metadata"
                ].get("deletionTimestamp"):
                    return
                runner = self._make(pod)
                if runner is not None:
                    self.runners[uid] = runner
                    if not pod["metadata"].get("deletionTimestamp"):
                        runner.start()
            if pod["metadata"].get("deletionTimestamp") and uid not in self._removing:
                self._removing.add(uid)
                threading.Thread(target=self._remove, args=(pod, runner), name="pod end", daemon=True).start()

    def _make(self, pod: dict[str, Any]) -> PodRunner | None:
        from kubernetes.client import ApiException

        namespace = pod["metadata"]["namespace"]
        runner: PodRunner | None = None

        def event(kind: str, reason: str, message: str) -> None:
            self._event(pod, kind, reason, message)

        def changed() -> None:
            if runner is not None:
                self._report(runner)

        lacking = not_kept(pod)
        if lacking:
            event("Normal", "NotKept", f"This node does not apply: {', '.join(lacking)}")
        try:
            handler = self._handler(pod)
        except ApiException as error:  # deleted since the pod was admitted
            event("Warning", "FailedCreatePodSandBox", f"RuntimeClass cannot be read: {error.reason}")
            return None
        runner = PodRunner(
            self._cri,
            pod,
            handler=handler,
            address=self.address,
            values=lambda kind, name: self._values(namespace, kind, name),
            changed=changed,
            event=event,
        )
        return runner

    def _handler(self, pod: dict[str, Any]) -> str:
        name = pod["spec"].get("runtimeClassName")
        return str(self._classes.read_runtime_class(name, _request_timeout=REQUEST_S).handler) if name else ""

    def _values(self, namespace: str, kind: str, name: str) -> Mapping[str, str] | None:
        import base64

        from kubernetes.client import ApiException

        try:
            if kind == "ConfigMap":
                told = self._core.read_namespaced_config_map(name, namespace, _request_timeout=REQUEST_S)
                return dict(told.data or {})
            secret = self._core.read_namespaced_secret(name, namespace, _request_timeout=REQUEST_S)
        except ApiException as error:
            if error.status == 404:
                return None
            raise
        return {key: base64.b64decode(value).decode() for key, value in (secret.data or {}).items()}

    def _report(self, runner: PodRunner) -> None:
        metadata = runner.pod["metadata"]
        body = {"metadata": {"uid": metadata["uid"]}, "status": runner.status()}
        if self._ending.is_set():
            return
        with contextlib.suppress(Exception):  # deleted meanwhile, or the API is gone: there is nobody to tell
            self._core.patch_namespaced_pod_status(
                runner.name, metadata["namespace"], body, _request_timeout=REQUEST_S
            )

    def _remove(self, pod: dict[str, Any], runner: PodRunner | None) -> None:
        metadata = pod["metadata"]
        if runner is not None:
            runner.stop(int(metadata.get("deletionGracePeriodSeconds") or 0))
            runner.join()
        if self._ending.is_set():
            return
        body: Any = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
        with contextlib.suppress(Exception):  # gone already
            self._core.delete_namespaced_pod(
                metadata["name"], metadata["namespace"], body=body, _request_timeout=REQUEST_S
            )
        self._gone(metadata["uid"])

    def _gone(self, uid: str) -> None:
        with self._lock:
            runner = self.runners.pop(uid, None)
        if runner is not None:
            runner.stop(0)

    def _event(self, pod: dict[str, Any], kind: str, reason: str, message: str) -> None:
        metadata, now = pod["metadata"], rfc3339(time.time_ns())
        body: Any = {
            "metadata": {
                "name": f"{metadata['name']}.{uuid.uuid4().hex[:16]}",
                "namespace": metadata["namespace"],
            },
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
            },
            "type": kind,
            "reason": reason,
            "message": message[:1000],
            "source": {"component": "wasm-lab", "host": NODE},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        if not self._ending.is_set():
            with contextlib.suppress(Exception):  # an event that is lost harms nobody
                self._core.create_namespaced_event(metadata["namespace"], body, _request_timeout=REQUEST_S)

    def _logs(self, namespace: str, pod: str, container: str, *, previous: bool) -> str | None:
        """What a container wrote in its last run, or in the one that ended before it."""
        for runner in list(self.runners.values()):
            if (runner.pod["metadata"]["namespace"], runner.name) == (namespace, pod):
                return runner.log(container, previous=previous)
        return None

    def _plain(self, told: Any) -> dict[str, Any]:
        """An answer as the API wrote it: the client's own objects have other names for every field."""
        plain: dict[str, Any] = self._api.sanitize_for_serialization(told)
        return plain


def machine_address() -> str:
    """The address of this machine that others would reach it at; loopback where it has no other.

    An EndpointSlice takes no loopback address, so that Services need a real one.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: only asks which way it would go
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
