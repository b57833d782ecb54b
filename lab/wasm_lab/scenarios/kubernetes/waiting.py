"""Waiting until what was applied is ready, and saying why when it is not."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import ClusterError
from wasm_lab.scenarios.kubernetes.cluster import TIMEOUT, Cluster
from wasm_lab.scenarios.kubernetes.readiness import WAITED, Readiness, readiness
from wasm_lab.scenarios.kubernetes.trouble import FINAL, Trouble, creation_troubles, of_start, pod_troubles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wasm_lab.scenarios.kubernetes.apply import Change

#: Seconds between two looks at objects, and at what troubles their pods.
LOOK_S, TROUBLE_S = 0.1, 1.0

#: Seconds that the same trouble may last before waiting is given up: it hardly ever mends itself after that.
PATIENCE_S = 15.0

#: Seconds that an object must stay ready: a program that crashes is ready for a moment, too.
SETTLE_S = 1.0

#: Seconds that a container which was started again must run before it counts as well.
RESTARTED_S = 10.0

#: Troubles that often do mend themselves: a node is added, a program takes its time to start.
PASSING = {"Unschedulable", "Unhealthy", "FailedMount"}

#: Events and log lines that are shown of a pod.
EVENTS, LOG_LINES = 5, 10


@dataclass(frozen=True)
class PodReport:
    """What there is to know of a pod that does not run."""

    name: str
    events: tuple[str, ...]
    log: str  #: the last lines of its last run, or why there are none


@dataclass
class Wait:
    """One object that is waited for."""

    change: Change
    state: Readiness = field(default_factory=lambda: Readiness(False, "not looked at yet"))
    ready_s: float | None = None  #: seconds since waiting began
    troubles: list[Trouble] = field(default_factory=list)
    pods: list[PodReport] = field(default_factory=list)
    troubled_since: dict[tuple[str, str], float] = field(default_factory=dict)
    ready_since: float = 0.0
    gave_up: str = ""  #: why waiting for it ended before it was ready

    @property
    def ready(self) -> bool:
        """Whether it became ready."""
        return self.ready_s is not None


def wait_ready(
    cluster: Cluster,
    changes: Sequence[Change],
    *,
    timeout_s: float,
    on_step: Callable[[list[Wait]], None] = lambda _: None,
) -> list[Wait]:
    """Wait until objects are ready, or plainly will not be, or the time is over.

    Args:
        cluster: where they are.
        changes: the objects; those that need no waiting are ready at once.
        timeout_s: seconds for all of them together.
        on_step: is called after each look, with all.

    Gives one record for each. One that is not ready carries its troubles, and events and logs of its pods.
    """
    began = time.monotonic()
    waits = [Wait(change) for change in changes]
    looked = began
    while True:
        now = time.monotonic()
        for wait in waits:
            if not wait.ready and not wait.gave_up:
                _look(cluster, wait, began)
        if now - looked > TROUBLE_S:
            looked = now
            for wait in waits:
                if not wait.ready and not wait.gave_up:
                    _look_for_trouble(cluster, wait, now)
        open_ones = [wait for wait in waits if not wait.ready and not wait.gave_up]
        on_step(waits)
        if not open_ones or any(wait.gave_up for wait in waits):
            break
        if now - began > timeout_s:
            for wait in open_ones:
                wait.gave_up = f"not ready within {timeout_s:g} s"
            break
        time.sleep(LOOK_S)
    for wait in waits:
        if not wait.ready:
            report(cluster, wait)
    return waits


def report(cluster: Cluster, wait: Wait) -> None:
    """Fill in what troubles an object that is not ready, with its pods' events and last log lines."""
    _look_for_trouble(cluster, wait, time.monotonic())
    wait.pods = []
    for pod in pods_of(cluster, wait.change)[:3]:
        events = _events(cluster, wait.change.namespace, pod["metadata"]["uid"])
        lines = [f"{one.get('reason', '')}: {one.get('message', '')}" for one in events[-EVENTS:]]
        wait.pods.append(PodReport(pod["metadata"]["name"], tuple(lines), _log(cluster, pod)))
    for one in wait.pods:  # some reasons stand only in what the runtime wrote into the log
        meaning = of_start(one.log)
        if meaning:
            wait.troubles = [
                replace(trouble, meaning=meaning) if trouble.reason == "CrashLoopBackOff" else trouble
                for trouble in wait.troubles
            ]


def _look(cluster: Cluster, wait: Wait, began: float) -> None:
    change = wait.change
    if change.target.kind not in WAITED:
        wait.state, wait.ready_s = Readiness(True, "there"), 0.0
        return
    found = _read(cluster, change)
    if found is None:
        wait.gave_up = "it was deleted by somebody else"
        return
    wait.state = readiness(found)
    now = time.monotonic()
    if not wait.state.ready:
        wait.ready_since = 0.0
    elif not wait.ready_since:
        wait.ready_since = now
    elif now - wait.ready_since > SETTLE_S and not _just_restarted(cluster, change):
        wait.ready_s = wait.ready_since - began
    if wait.state.ready:
        return
    if wait.state.failed:
        wait.gave_up = wait.state.failed


def _just_restarted(cluster: Cluster, change: Change) -> bool:
    """Whether a container of its pods ended and was started again, and has not run for long since."""
    for pod in pods_of(cluster, change):
        for state in (pod.get("status") or {}).get("containerStatuses") or []:
            begun = ((state.get("state") or {}).get("running") or {}).get("startedAt")
            if state.get("restartCount") and begun:
                since = datetime.now(UTC) - datetime.fromisoformat(begun)
                if since.total_seconds() < RESTARTED_S:
                    return True
    return False


def _look_for_trouble(cluster: Cluster, wait: Wait, now: float) -> None:
    change = wait.change
    found = _read(cluster, change) or {}
    troubles: list[Trouble] = []
    pods = pods_of(cluster, change)
    for pod in pods:
        troubles += pod_troubles(pod, _events(cluster, change.namespace, pod["metadata"]["uid"]))
    if not troubles:
        for kind, owner in [(change.target.kind, found), *_replica_sets(cluster, change)]:
            metadata = owner.get("metadata") or {}
            if metadata.get("uid") and kind != "Deployment":
                events = _events(cluster, change.namespace, metadata["uid"])
                troubles += creation_troubles(f"{kind} {metadata['name']}", events)
    wait.troubles = troubles
    keys = {(one.about, one.reason) for one in troubles}
    wait.troubled_since = {key: wait.troubled_since.get(key, now) for key in keys}
    for one in troubles:
        lasted = now - wait.troubled_since[one.about, one.reason]
        # A pod that failed is the end of that pod; what made it (a Job) may make another.
        if one.final:
            over = change.target.kind == "Pod" or one.reason in FINAL
        else:
            over = one.reason not in PASSING and lasted > PATIENCE_S
        if over:
            wait.gave_up = wait.gave_up or one.reason


def _read(cluster: Cluster, change: Change) -> dict[str, Any] | None:
    from kubernetes.client.exceptions import ApiException

    target = change.target
    resource = cluster.resource(target.api_version, target.kind)
    try:
        with cluster.explained(f"reading {target.label}"):
            found = resource.get(
                name=target.name, namespace=change.namespace or None, _request_timeout=TIMEOUT
            )
    except ApiException as error:
        if error.status == 404:
            return None
        raise
    return dict(found.to_dict())


def pods_of(cluster: Cluster, change: Change) -> list[dict[str, Any]]:
    """The pods of an object, the troubled ones first; of a Deployment those of its newest ReplicaSet."""
    target = change.target
    if target.kind == "Pod":
        found = _read(cluster, change)
        return [found] if found else []
    labels = ((target.body.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    if target.kind == "Job":
        labels = {"job-name": target.name}
    elif target.kind == "SpinApp":
        labels = {"core.spinkube.dev/app-name": target.name}
    if not labels:
        return []
    newest = [one["metadata"]["uid"] for _, one in _replica_sets(cluster, change)]
    pods = _list(cluster, "v1", "Pod", change.namespace, label_selector=_selector(labels))
    mine = [
        pod
        for pod in pods
        if not newest or any(one["uid"] in newest for one in pod["metadata"].get("ownerReferences") or [])
    ]
    return sorted(mine, key=lambda pod: readiness({"kind": "Pod", **pod}).ready)


def _replica_sets(cluster: Cluster, change: Change) -> list[tuple[str, dict[str, Any]]]:
    """The newest ReplicaSet of a Deployment."""
    target = change.target
    if target.kind not in {"Deployment", "SpinApp"}:
        return []
    found = [
        one
        for one in _list(cluster, "apps/v1", "ReplicaSet", change.namespace)
        for owner in one["metadata"].get("ownerReferences") or []
        if owner["kind"] == "Deployment" and owner["name"] == target.name
    ]
    number = "deployment.kubernetes.io/revision"
    newest = max(
        found, key=lambda one: int((one["metadata"].get("annotations") or {}).get(number, 0)), default=None
    )
    return [("ReplicaSet", newest)] if newest else []


def _events(cluster: Cluster, namespace: str, uid: str) -> list[dict[str, Any]]:
    found = _list(cluster, "v1", "Event", namespace, field_selector=f"involvedObject.uid={uid}")
    return sorted(found, key=lambda one: str(one.get("lastTimestamp") or one.get("eventTime") or ""))


def _list(cluster: Cluster, api_version: str, kind: str, namespace: str, **how: str) -> list[dict[str, Any]]:
    """Objects of a namespace; none where the user may not list them, which must not hide what else is known."""
    resource = cluster.resource(api_version, kind)
    try:
        with cluster.explained(f"listing {kind}s"):
            found = resource.get(namespace=namespace, _request_timeout=TIMEOUT, **how).to_dict()
    except ClusterError as error:
        if "cannot list" in error.message:
            return []
        raise
    return list(found.get("items") or [])


def _log(cluster: Cluster, pod: dict[str, Any]) -> str:
    """The last lines that a pod wrote: of its last run, where it ended."""
    from kubernetes import client
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    core = client.CoreV1Api(cluster.api)
    states = (pod.get("status") or {}).get("containerStatuses") or []
    for state in states:
        if not (state.get("containerID") or state.get("restartCount")):
            continue
        previous = bool(state.get("restartCount")) and "running" not in (state.get("state") or {})
        try:
            said = core.read_namespaced_pod_log(
                pod["metadata"]["name"],
                pod["metadata"]["namespace"],
                container=state["name"],
                previous=previous,
                tail_lines=LOG_LINES,
                _request_timeout=TIMEOUT,
            )
        except (ApiException, HTTPError) as error:
            return f"(its log cannot be read: {getattr(error, 'reason', None) or type(error).__name__})"
        if said:
            return str(said).rstrip()
    return ""


def _selector(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in labels.items())
