"""What of a manifest can run on this machine without a cluster: its pods, and what they refer to."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from wasm_lab.scenarios.kubernetes.given import Target

#: Kinds that make pods, and have a number of them.
REPLICATED = ("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController")

#: What the lab's own containerd calls what people call otherwise. A node whose handler is named ``crun`` has a
#: crun with a Wasm engine that gets the annotations; here that is ``crun-wasm``.
ALIASES = {"crun": "crun-wasm"}


@dataclass
class Workload:
    """One object of a manifest that makes pods."""

    target: Target
    template: dict[str, Any]  #: ``metadata`` and ``spec`` of its pods
    replicas: int
    handler: str  #: of the lab's container runtime
    made: int = field(default=0)  #: pods so far, for their names

    @property
    def can_scale(self) -> bool:
        """Whether it has a number of replicas."""
        return self.target.kind in REPLICATED

    def next_pod(self) -> dict[str, Any]:
        """Another pod, as an API server would give it."""
        self.made += 1
        metadata = self.template.get("metadata") or {}
        name = self.target.name if self.target.kind == "Pod" else f"{self.target.name}-{self.made}"
        namespace = self.target.namespace or "default"
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**metadata, "name": name, "namespace": namespace, "uid": uuid.uuid4().hex},
            "spec": self.template["spec"],
        }


@dataclass(frozen=True)
class Plan:
    """All that a manifest runs here."""

    workloads: tuple[Workload, ...]
    texts: Mapping[tuple[str, str], Mapping[str, str]]  #: of ConfigMaps and Secrets, by kind and name
    passed_over: tuple[str, ...]  #: objects that only a cluster has a use for


def local_plan(targets: Sequence[Target], handlers: Collection[str], images: Mapping[str, str]) -> Plan:
    """What runs here.

    Args:
        targets: of `checked_targets`.
        handlers: that the container runtime has.
        images: names in the manifest to names of imported images, which are never fetched.

    Raises:
        UsageError: nothing of it runs here, or a RuntimeClass or its handler is missing.
    """
    classes = {one.name: str(one.body.get("handler", "")) for one in targets if one.kind == "RuntimeClass"}
    workloads: list[Workload] = []
    passed: list[str] = []
    for target in targets:
        spec = target.body.get("spec") or {}
        if target.kind == "SpinApp":
            raise UsageError(
                f"{target.place}: a SpinApp needs SpinKube's operator, which is not here.",
                hint="wasm-lab spin up runs the application itself; wasm-lab kube apply takes it to a cluster.",
            )
        if target.kind == "CronJob":
            template = ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template")
            passed.append(f"{target.label}: its pods run once, now") if template else None
        elif target.kind == "Pod":
            template = {"metadata": target.body.get("metadata") or {}, "spec": spec}
        elif target.kind in {*REPLICATED, "DaemonSet", "Job"}:
            template = spec.get("template")
        else:
            if target.kind not in {"RuntimeClass", "ConfigMap", "Secret"}:
                passed.append(target.label)
            continue
        if not template or not (template.get("spec") or {}).get("containers"):
            raise UsageError(f"{target.place}: {target.label} has no containers.")
        replicas = (
            int(spec.get("replicas", 1)) if target.kind in REPLICATED else int(spec.get("parallelism") or 1)
        )
        handler = _handler(target, template["spec"], classes, handlers)
        workloads.append(Workload(target, _with_images(template, images), replicas, handler))
    if not workloads:
        raise UsageError(
            "The files name nothing that runs.", hint="A Pod, a Deployment, a Job and their like run."
        )
    return Plan(tuple(workloads), _texts(targets), tuple(passed))


def _handler(
    target: Target, spec: dict[str, Any], classes: Mapping[str, str], handlers: Collection[str]
) -> str:
    name = spec.get("runtimeClassName")
    if not name:
        return next((one for one in ("runc", "crun") if one in handlers), "")
    if name not in classes:
        raise UsageError(
            f"{target.place}: {target.label} names the RuntimeClass {name!r}, which these files do not have.",
            hint="Give its file too: a cluster would refuse the pods in the same way (403).",
        )
    handler = ALIASES.get(classes[name], classes[name])
    if handler not in handlers:
        raise UsageError(
            f"{target.place}: the RuntimeClass {name!r} names the handler {classes[name]!r}, "
            "and the container runtime here has none of that name.",
            hint=f"It has: {', '.join(handlers)}. `crun` and `crun-wasm` run Wasm.",
        )
    return handler


def _with_images(template: dict[str, Any], images: Mapping[str, str]) -> dict[str, Any]:
    spec = dict(template["spec"])
    for key in ("initContainers", "containers"):
        if spec.get(key):
            spec[key] = [
                {**one, "image": images[one["image"]], "imagePullPolicy": "Never"}
                if one["image"] in images
                else one
                for one in spec[key]
            ]
    return {**template, "spec": spec}


def _texts(targets: Sequence[Target]) -> dict[tuple[str, str], dict[str, str]]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for one in targets:
        if one.kind == "ConfigMap":
            found[one.kind, one.name] = {
                key: str(value) for key, value in (one.body.get("data") or {}).items()
            }
        elif one.kind == "Secret":
            coded = (one.body.get("data") or {}).items()
            plain = {key: base64.b64decode(value).decode() for key, value in coded}
            found[one.kind, one.name] = plain | (one.body.get("stringData") or {})
    return found
