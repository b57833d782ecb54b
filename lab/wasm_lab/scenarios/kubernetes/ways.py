"""The objects of each way, with the reasons for their parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.kubernetes.quantities import amount
from wasm_lab.scenarios.kubernetes.rendering import HANDLERS
from wasm_lab.scenarios.kubernetes.yaml_text import Said

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.scenarios.kubernetes.rendering import Wanted, Way

#: Who the program is in its container: nobody in particular. The number that distroless images use.
USER = 65532

_NODE = {
    "crun": "The name under which the node's containerd or CRI-O knows crun. That crun must be built with a Wasm\n"
    "engine: `crun --version` shows +WASM:wasmedge or +WASM:wasmtime.",
    "runwasi": "The name under which the node's containerd knows the shim:\n"
    '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{handler}]  runtime_type = "io.containerd.{handler}.v1"\n'
    "The program containerd-shim-{handler}-v1 must be on containerd's PATH.",
    "spinkube": "The name under which the node's containerd knows the shim for Spin:\n"
    '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{handler}]  runtime_type = "io.containerd.spin.v2"\n'
    "The program containerd-shim-spin-v2 must be on containerd's PATH.",
}


#: crun 1.21 with WasmEdge 0.14 was seen to let a module run on after SIGTERM, until it is killed.
_GRACE = Said(
    5,
    "A module under crun does not hear SIGTERM, so a pod takes all of this time to end (30 where nothing is said).\n"
    "Requests on their way can still be answered in it.",
)


def _labels(wanted: Wanted) -> dict[str, Any]:
    return {"app.kubernetes.io/name": wanted.name}


def _class_name(wanted: Wanted) -> str:
    handler = wanted.handler or HANDLERS[wanted.way]
    crun = handler if "wasm" in handler else f"{handler}-wasm"
    return {"crun": crun, "runwasi": f"{handler}-runwasi", "spinkube": "wasmtime-spin-v2"}[wanted.way]


def _runtime_class(wanted: Wanted) -> dict[str, Any]:
    handler = wanted.handler or HANDLERS[wanted.way]
    found: dict[str, Any] = {
        "apiVersion": "node.k8s.io/v1",
        "kind": Said("RuntimeClass", "Without this object, pods that name it are refused."),
        "metadata": {"name": _class_name(wanted)},
        "handler": Said(handler, _NODE[wanted.way].replace("{handler}", handler)),
    }
    if wanted.node_selector:
        found["scheduling"] = Said(
            {"nodeSelector": dict(sorted(wanted.node_selector.items()))},
            "Only nodes with this label have the runtime: kubectl label node NODE "
            + " ".join(f"{key}={value}" for key, value in sorted(wanted.node_selector.items())),
        )
    return found


def _resources(wanted: Wanted) -> dict[str, Any]:
    cpu = amount(wanted.cpu)
    assert cpu is not None  # it was checked
    most = cpu * 10
    limit = str(int(most)) if most.denominator == 1 else f"{int(most * 1000)}m"
    return {
        "requests": {"cpu": wanted.cpu, "memory": wanted.memory},
        "limits": {
            "cpu": limit,
            "memory": Said(
                wanted.memory,
                "A container that takes more is killed. Mi are units of 1024 x 1024 bytes; 32m would be 0.032 bytes.\n"
                "The engine counts, too: what a pod takes on this machine is measured by wasm-lab kube run.",
            ),
        },
    }


def _pod(wanted: Wanted, annotations: dict[str, Any], security: dict[str, Any]) -> dict[str, Any]:
    container: dict[str, Any] = {"name": wanted.name, "image": wanted.image}
    if wanted.port is not None:
        container["ports"] = [{"name": "http", "containerPort": wanted.port}]
        container |= _probes(wanted)
    container["securityContext"] = security
    container["resources"] = _resources(wanted)
    metadata: dict[str, Any] = {"labels": _labels(wanted)}
    if annotations:
        metadata["annotations"] = annotations
    ending = {"terminationGracePeriodSeconds": _GRACE} if wanted.way == "crun" else {}
    return {
        "metadata": metadata,
        "spec": {
            "runtimeClassName": _class_name(wanted),
            **ending,
            "automountServiceAccountToken": Said(False, "The program does not call the cluster's API."),
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "runAsGroup": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
        },
    }


def _probes(wanted: Wanted) -> dict[str, Any]:
    get = {"httpGet": {"path": wanted.probe, "port": "http"}}
    return {
        "readinessProbe": Said(
            {**get, "periodSeconds": 2},
            "Asked from outside, by HTTP: an exec probe would need a shell in the image, and there is none.",
        ),
        "livenessProbe": {**get, "periodSeconds": 10, "failureThreshold": 3},
    }


def _deployment(wanted: Wanted, annotations: dict[str, Any], security: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": wanted.name, "labels": _labels(wanted)},
        "spec": {
            "replicas": wanted.replicas,
            "selector": Said(
                {"matchLabels": _labels(wanted)},
                "Must match the labels of the template; cannot be changed later.",
            ),
            "template": _pod(wanted, annotations, security),
        },
    }


def _service(wanted: Wanted) -> list[dict[str, Any]]:
    if wanted.port is None:
        return []
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": wanted.name, "labels": _labels(wanted)},
            "spec": {
                "selector": _labels(wanted),
                "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
            },
        }
    ]


def _restricted(why: str) -> dict[str, Any]:
    return {
        "allowPrivilegeEscalation": Said(False, why),
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _crun(wanted: Wanted) -> list[dict[str, Any]]:
    annotations = {
        "module.wasm.image/variant": Said(
            "compat-smart",
            "Tells crun that the image holds Wasm. It works only here, on the pod: the Deployment's own annotations\n"
            "never reach crun. With -smart, containers that are no Wasm (the pause container, sidecars) still run.\n"
            'containerd passes it on where its configuration has pod_annotations = ["module.wasm.image/*"].',
        )
    }
    security = _restricted(
        "crun sets these up for its own process, in which the engine then runs the module."
    )
    return [_runtime_class(wanted), _deployment(wanted, annotations, security), *_service(wanted)]


def _runwasi(wanted: Wanted) -> list[dict[str, Any]]:
    security = _restricted(
        "The shim runs the module itself; Wasm's own walls hold it. These let the pod into namespaces that\n"
        "enforce the restricted Pod Security Standard."
    )
    runtime_class = _runtime_class(wanted)
    deployment = _deployment(wanted, {}, security)
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    container["image"] = Said(
        wanted.image,
        "An image for the platform wasi/wasm, or an OCI artifact with the media type application/wasm.\n"
        "No annotation: module.wasm.image/variant is crun's, and shims of runwasi do not read it.",
    )
    return [runtime_class, deployment, *_service(wanted)]


def _spinkube(wanted: Wanted) -> list[dict[str, Any]]:
    executor = {
        "apiVersion": "core.spinkube.dev/v1alpha1",
        "kind": Said(
            "SpinAppExecutor", "How the operator makes pods. It must be in the app's own namespace."
        ),
        "metadata": {"name": "containerd-shim-spin"},
        "spec": {
            "createDeployment": True,
            "deploymentConfig": {"runtimeClassName": _class_name(wanted), "installDefaultCACerts": True},
        },
    }
    spec: dict[str, Any] = {
        "image": Said(
            wanted.image, "An OCI artifact that `spin registry push` made; not an image with a file system."
        ),
        "executor": "containerd-shim-spin",
        "replicas": wanted.replicas,
    }
    if wanted.variables:
        spec["variables"] = Said(
            [
                {"name": name, "valueFrom": {"secretKeyRef": {"name": wanted.name, "key": name}}}
                for name in wanted.variables
            ],
            f"The values: kubectl create secret generic {wanted.name} "
            + " ".join(f"--from-literal={name}=…" for name in wanted.variables),
        )
    if wanted.port is not None:
        get = {"httpGet": {"path": wanted.probe}}
        spec["checks"] = Said(
            {"readiness": {**get, "periodSeconds": 2}, "liveness": {**get, "periodSeconds": 10}},
            "No port: the operator knows where Spin listens, and makes the Service, too.",
        )
    spec["resources"] = _resources(wanted)
    app = {
        "apiVersion": "core.spinkube.dev/v1alpha1",
        "kind": Said("SpinApp", "The operator makes a Deployment and a Service of this name."),
        "metadata": {"name": wanted.name},
        "spec": spec,
    }
    return [_runtime_class(wanted), executor, app]


OBJECTS: dict[Way, Callable[[Wanted], list[dict[str, Any]]]] = {
    "crun": _crun,
    "runwasi": _runwasi,
    "spinkube": _spinkube,
}
