"""Why a pod does not run, in plain words, from what the cluster knows of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Trouble:
    """One reason why an object is not ready."""

    about: str  #: such as ``Pod hello-5d9-x2x1`` or ``ReplicaSet hello-5d9``
    reason: str  #: the word that Kubernetes has for it, such as ``CrashLoopBackOff``
    message: str  #: what Kubernetes said
    meaning: str  #: what that means, and what to do
    final: bool = False  #: waiting longer cannot help


#: What a word means where no more is known of it.
MEANINGS = {
    "ErrImagePull": "The image could not be fetched: is its name right, does it exist, may this cluster read it "
    "(imagePullSecrets)?",
    "ImagePullBackOff": "The image could not be fetched, and the node waits before it tries again: is its name "
    "right, does it exist, may this cluster read it (imagePullSecrets)?",
    "ErrImageNeverPull": "imagePullPolicy is Never and the node does not have the image. Import it there "
    "(`kind load`, `k3d image import`, `ctr --namespace k8s.io images import`).",
    "InvalidImageName": "The name of the image is not one: NAME[:TAG], in small letters.",
    "CrashLoopBackOff": "The program ends again and again, and the node waits ever longer before it starts it "
    "anew. Its last lines say why; a program that is meant to end belongs into a Job.",
    "CreateContainerConfigError": "The container names a ConfigMap, a Secret or a key in one that is not there.",
    "CreateContainerError": "The container runtime could not make the container.",
    "RunContainerError": "The container was made and could not be started.",
    "StartError": "The container was made and its program could not be started.",
    "OOMKilled": "The container used more memory than resources.limits.memory allows, and the kernel ended it. "
    "A Wasm engine itself takes 10 to 20 MB: leave room for it.",
    "DeadlineExceeded": "The object ran longer than its activeDeadlineSeconds.",
    "BackoffLimitExceeded": "The Job's pods failed more often than its backoffLimit allows.",
    "Evicted": "The node ran short of memory or disk and ended the pod.",
    "FailedMount": "A volume of the pod could not be made.",
    "FailedCreatePodSandBox": "The node could not make the pod's sandbox.",
    "Unhealthy": "A probe fails: does the program listen at that port and path, and soon enough?",
}

#: Waiting cannot change these.
FINAL = {"ErrImageNeverPull", "InvalidImageName", "BackoffLimitExceeded", "DeadlineExceeded"}


def pod_troubles(pod: dict[str, Any], events: list[dict[str, Any]] = []) -> list[Trouble]:  # noqa: B006
    """What keeps a pod from being ready; empty when nothing is known to.

    Takes the pod and the events about it, as the API gives them.
    """
    name = f"Pod {pod['metadata']['name']}"
    status = pod.get("status") or {}
    found: list[Trouble] = []
    if status.get("phase") == "Failed":
        reason = status.get("reason") or _last_reason(status) or "Failed"
        found.append(_trouble(name, reason, status.get("message") or _endings(status), final=True))
    for state in _states(status):
        waiting = (state.get("state") or {}).get("waiting") or {}
        last = (state.get("lastState") or {}).get("terminated") or {}
        ended = (state.get("state") or {}).get("terminated") or {}
        reason = waiting.get("reason", "")
        if reason == "CrashLoopBackOff":
            why = _ended(last)
            killed = last.get("reason") == "OOMKilled"
            meaning = MEANINGS["OOMKilled"] if killed else _of_exit(last)
            found.append(Trouble(name, "OOMKilled" if killed else reason, f"{state['name']}: {why}", meaning))
        elif reason and reason not in {"ContainerCreating", "PodInitializing"}:
            found.append(
                _trouble(name, reason, f"{state['name']}: {waiting.get('message', '')}".rstrip(": "))
            )
        elif ended.get("reason") == "OOMKilled" and status.get("phase") != "Failed":
            found.append(_trouble(name, "OOMKilled", f"{state['name']}: {_ended(ended)}"))
    for condition in status.get("conditions") or []:
        if condition.get("reason") == "Unschedulable":
            said = str(condition.get("message", ""))
            found.append(Trouble(name, "Unschedulable", said, _of_scheduling(said)))
    known = {trouble.reason for trouble in found}
    for event in _warnings(events):
        reason = str(event.get("reason"))
        if reason in {"FailedCreatePodSandBox", "FailedMount", "Unhealthy"} and reason not in known:
            known.add(reason)
            found.append(_trouble(name, reason, str(event.get("message", ""))))
    return found


def creation_troubles(about: str, events: list[dict[str, Any]]) -> list[Trouble]:
    """Why a ReplicaSet or Job cannot make its pods: the admission's own words, from its events."""
    return [
        _trouble(about, "FailedCreate", str(event.get("message", "")))
        for event in _warnings(events)
        if event.get("reason") == "FailedCreate"
    ][-1:]


def _trouble(about: str, reason: str, message: str, *, final: bool = False) -> Trouble:
    meaning = MEANINGS.get(reason, "")
    handler = re.search(r"no runtime for \"?([^\"\s]*?)\"? is configured", message)
    if reason == "FailedCreatePodSandBox" and handler:
        meaning = (
            f"The RuntimeClass names the handler {handler[1]!r}, and the container runtime of that node has none of "
            "that name. Add it to its configuration (wasm-lab kube recipe kind shows how), or correct `handler`."
        )
    elif reason == "FailedCreate" and "RuntimeClass" in message and "not found" in message:
        meaning = (
            "The pods name a RuntimeClass that the cluster does not have, so that admission refuses every one "
            "(403). Apply the RuntimeClass too: wasm-lab kube render writes it."
        )
    elif reason == "FailedCreate" and "quota" in message:
        meaning = "The namespace has a ResourceQuota, and this is more than what is left of it."
    elif reason in {"Error", "Failed", "ContainerCannotRun", "StartError", "RunContainerError"}:
        meaning = of_start(message) or meaning
    return Trouble(about, reason, message, meaning, final or reason in FINAL)


def of_start(message: str) -> str:
    """What it means when a program could not be started, from what was said of it; empty where nothing is known."""
    if "exec format error" in message.lower():
        return (
            "A runtime for native programs was given a Wasm module. The pod needs the RuntimeClass of a runtime "
            "that has a Wasm engine, and with crun the annotation module.wasm.image/variant: compat-smart."
        )
    if "no such file or directory" in message.lower() or "not found" in message.lower():
        return "The image has no program of that name: compare `command` with the image's entrypoint."
    return ""


def _of_exit(ended: dict[str, Any]) -> str:
    return of_start(str(ended.get("message", ""))) or MEANINGS["CrashLoopBackOff"]


def _of_scheduling(said: str) -> str:
    if "node affinity/selector" in said or "didn't match" in said:
        return (
            "No node has the labels that the pod asks for: nodeSelector or affinity of the pod, or the scheduling "
            "of its RuntimeClass. `kubectl get nodes --show-labels` shows what there is."
        )
    if "taint" in said:
        return "Every node that would fit keeps pods off by a taint: the pod lacks a toleration, or no node is ready."
    if "Insufficient" in said:
        return "No node has that much left: lower resources.requests, or add a node."
    if "no nodes available" in said:
        return "The cluster has no node."
    return ""


def _ended(ended: dict[str, Any]) -> str:
    code = ended.get("exitCode")
    reason = ended.get("reason", "")
    said = f" {ended['message'].strip()}" if ended.get("message") else ""
    return f"ended with status {code} ({reason}).{said}" if code is not None else "ended."


def _endings(status: dict[str, Any]) -> str:
    parts = []
    for state in _states(status):
        ended = (state.get("state") or {}).get("terminated")
        if ended and ended.get("exitCode"):
            parts.append(f"{state['name']}: {_ended(ended)}")
    return " ".join(parts)


def _last_reason(status: dict[str, Any]) -> str:
    for state in _states(status):
        ended = (state.get("state") or {}).get("terminated") or {}
        if ended.get("exitCode"):
            return str(ended.get("reason", ""))
    return ""


def _states(status: dict[str, Any]) -> list[dict[str, Any]]:
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _warnings(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if event.get("type") == "Warning"]
