"""When an object of a cluster is ready, by the rules that kubectl's rollout status and its like go by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Readiness:
    """How far an object is."""

    ready: bool
    said: str  #: such as ``2 of 3 ready``
    failed: str = ""  #: why it will never be; empty while it may


#: Kinds whose pods take time; everything else is ready when it is there.
WAITED = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Pod",
    "Job",
    "SpinApp",
)


def readiness(found: dict[str, Any]) -> Readiness:
    """How far an object is, from what the API gives of it.

    >>> readiness({"kind": "Service", "metadata": {}}).ready
    True
    """
    kind = found.get("kind")
    spec, status = found.get("spec") or {}, found.get("status") or {}
    if kind not in WAITED:
        return Readiness(True, "there")
    seen = status.get("observedGeneration")
    if kind in {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"} and (
        seen is None or seen < found["metadata"].get("generation", 0)
    ):
        return Readiness(False, "not looked at yet")
    if kind == "Pod":
        return _pod(status)
    if kind == "Job":
        return _job(spec, status)
    if kind == "SpinApp":
        return _spin_app(spec, status)
    if kind == "DaemonSet":
        wanted = int(status.get("desiredNumberScheduled") or 0)
        ready = min(int(status.get("numberAvailable") or 0), int(status.get("updatedNumberScheduled") or 0))
        return Readiness(ready >= wanted, f"{ready} of {wanted} ready")
    wanted = int(spec.get("replicas", 1))
    return _replicas(str(kind), wanted, status)


def _replicas(kind: str, wanted: int, status: dict[str, Any]) -> Readiness:
    ready = int(status.get("readyReplicas") or 0)
    there = int(status.get("replicas") or 0)
    updated = int(status.get("updatedReplicas") or 0) if kind != "ReplicaSet" else there
    said = f"{min(ready, updated)} of {wanted} ready"
    for condition in status.get("conditions") or []:
        if condition.get("reason") == "ProgressDeadlineExceeded":
            return Readiness(False, said, str(condition.get("message", "")))
    if there > max(updated, wanted):
        return Readiness(False, f"{said}, {there - max(min(updated, wanted), 0)} old ones to end")
    return Readiness(updated == wanted == ready and there == wanted, said)


def _pod(status: dict[str, Any]) -> Readiness:
    phase = str(status.get("phase", "Pending"))
    if phase == "Failed":
        return Readiness(False, "failed", str(status.get("message") or "a container ended with an error"))
    if phase == "Succeeded":
        return Readiness(True, "ended well")
    ready = any(
        one.get("type") == "Ready" and one.get("status") == "True" for one in status.get("conditions") or []
    )
    return Readiness(ready, "ready" if ready else phase.lower())


def _job(spec: dict[str, Any], status: dict[str, Any]) -> Readiness:
    wanted = int(spec.get("completions") or 1)
    said = f"{int(status.get('succeeded') or 0)} of {wanted} ended well"
    for condition in status.get("conditions") or []:
        if condition.get("status") != "True":
            continue
        if condition.get("type") == "Complete":
            return Readiness(True, said)
        if condition.get("type") == "Failed":
            return Readiness(False, said, f"{condition.get('reason', '')}: {condition.get('message', '')}")
    if spec.get("suspend"):
        return Readiness(True, "suspended, as it says")
    return Readiness(False, said)


def _spin_app(spec: dict[str, Any], status: dict[str, Any]) -> Readiness:
    ready = int(status.get("readyReplicas") or 0)
    for condition in status.get("conditions") or []:
        if condition.get("type") == "Available" and condition.get("status") == "True":
            return Readiness(True, f"{ready} ready")
    wanted = int(spec.get("replicas") or 1)
    return Readiness(not spec.get("enableAutoscaling") and ready >= wanted, f"{ready} of {wanted} ready")
