"""Fields with a few allowed values, which the published schemas leave open, and what goes with them.

Source: the API reference (kubernetes.io/docs/reference/kubernetes-api) and the API server's own validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.kubernetes.pods import is_builtin, mapping, mappings, pod_of
from wasm_lab.scenarios.kubernetes.rules.containers import Path, name_of_port, number_of_port, say
from wasm_lab.scenarios.kubernetes.rules.forms import forms
from wasm_lab.scenarios.kubernetes.scalars import shown
from wasm_lab.scenarios.kubernetes.words import close_to, field_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.scenarios.kubernetes.documents import Document
    from wasm_lab.scenarios.kubernetes.problems import Problem

_PULL = ("Always", "IfNotPresent", "Never")
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_RESTART = ("Always", "OnFailure", "Never")
_DNS = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
_SERVICE = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
_ACCESS = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")
_PATHS = ("Exact", "Prefix", "ImplementationSpecific")
_SECCOMP = ("RuntimeDefault", "Localhost", "Unconfined")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_TOLERATES = ("Equal", "Exists", "Lt", "Gt")
_OF_LABELS = ("In", "NotIn", "Exists", "DoesNotExist")
_OF_NODES = (*_OF_LABELS, "Gt", "Lt")
_METRICS = ("Resource", "ContainerResource", "Pods", "Object", "External")
_TARGETS = ("Utilization", "Value", "AverageValue")
_RECLAIM = ("Retain", "Delete", "Recycle")
_VOLUME = ("Filesystem", "Block")
_UNSATISFIED = ("DoNotSchedule", "ScheduleAnyway")
_HOST_PATHS = (
    "DirectoryOrCreate",
    "Directory",
    "FileOrCreate",
    "File",
    "Socket",
    "CharDevice",
    "BlockDevice",
)
_MESSAGES = ("File", "FallbackToLogsOnError")

#: Single fields by apiVersion and kind.
_SINGLE: tuple[tuple[str, str, Path, tuple[str, ...]], ...] = (
    ("v1", "Service", ("spec", "externalTrafficPolicy"), ("Cluster", "Local")),
    ("v1", "Service", ("spec", "internalTrafficPolicy"), ("Cluster", "Local")),
    ("v1", "Service", ("spec", "ipFamilyPolicy"), ("SingleStack", "PreferDualStack", "RequireDualStack")),
    ("v1", "PersistentVolume", ("spec", "persistentVolumeReclaimPolicy"), _RECLAIM),
    ("v1", "PersistentVolume", ("spec", "volumeMode"), _VOLUME),
    ("v1", "PersistentVolumeClaim", ("spec", "volumeMode"), _VOLUME),
    ("batch/v1", "Job", ("spec", "completionMode"), ("NonIndexed", "Indexed")),
    ("apps/v1", "StatefulSet", ("spec", "podManagementPolicy"), ("OrderedReady", "Parallel")),
    ("storage.k8s.io/v1", "StorageClass", ("reclaimPolicy",), _RECLAIM[:2]),
    ("storage.k8s.io/v1", "StorageClass", ("volumeBindingMode",), ("Immediate", "WaitForFirstConsumer")),
)


def choices(document: Document) -> Iterator[Problem]:
    """Every such field of an object."""
    yield from _of_pod(document)
    yield from _of_kind(document)
    for api_version, kind, path, allowed in _SINGLE:
        if (document.api_version, document.kind) == (api_version, kind):
            yield from _one_of(document, path, allowed)
    yield from forms(document)


def _one_of(document: Document, path: Path, allowed: tuple[str, ...]) -> Iterator[Problem]:
    value = document.get(*path)
    if isinstance(value, str) and value and value not in allowed:
        near = close_to(value, allowed)
        yield say(
            document,
            path,
            f"`{field_path(path)}` is {shown(value)}, and must be one of {', '.join(allowed)}.",
            f"Did you mean {near}?" if near else "",
        )


def _of_pod(document: Document) -> Iterator[Problem]:
    pod = pod_of(document)
    if pod is None:
        return
    spec: Path = (*pod.path, "spec")
    yield from _one_of(document, (*spec, "dnsPolicy"), _DNS)
    yield from _restart(document, (*spec, "restartPolicy"), pod.spec)
    yield from _one_of(document, (*spec, "securityContext", "seccompProfile", "type"), _SECCOMP)
    yield from _scheduling(document, spec, pod.spec)
    yield from _operators(document, ("spec", "selector"), _OF_LABELS)
    for container in pod.containers:
        yield from _one_of(document, (*container.path, "imagePullPolicy"), _PULL)
        yield from _one_of(document, (*container.path, "terminationMessagePolicy"), _MESSAGES)
        yield from _one_of(document, (*container.path, "securityContext", "seccompProfile", "type"), _SECCOMP)
        for index, _ in mappings(container.value.get("ports")):
            yield from _one_of(document, (*container.path, "ports", index, "protocol"), _PROTOCOLS)
    for index, volume in mappings(pod.spec.get("volumes")):
        yield from _one_of(document, (*spec, "volumes", index, "hostPath", "type"), _HOST_PATHS)
        for kind in ("secret", "configMap", "projected", "downwardAPI"):
            yield from _mode(document, (*spec, "volumes", index, kind, "defaultMode"))
            for number, _ in mappings(mapping(volume.get(kind)).get("items")):
                yield from _mode(document, (*spec, "volumes", index, kind, "items", number, "mode"))


def _scheduling(document: Document, path: Path, spec: dict[str, Any]) -> Iterator[Problem]:
    """On which nodes a pod may be."""
    for index, _ in mappings(spec.get("tolerations")):
        yield from _one_of(document, (*path, "tolerations", index, "operator"), _TOLERATES)
        yield from _one_of(document, (*path, "tolerations", index, "effect"), _EFFECTS)
    for index, _ in mappings(spec.get("topologySpreadConstraints")):
        where: Path = (*path, "topologySpreadConstraints", index)
        yield from _one_of(document, (*where, "whenUnsatisfiable"), _UNSATISFIED)
        yield from _operators(document, (*where, "labelSelector"), _OF_LABELS)
    node: Path = (*path, "affinity", "nodeAffinity")
    required: Path = (*node, "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
    preferred = "preferredDuringSchedulingIgnoredDuringExecution"
    for index, _ in mappings(document.get(*required)):
        yield from _operators(document, (*required, index), _OF_NODES)
    for index, _ in mappings(document.get(*node, preferred)):
        yield from _operators(document, (*node, preferred, index, "preference"), _OF_NODES)
    for kind in ("podAffinity", "podAntiAffinity"):
        where = (*path, "affinity", kind)
        hard = "requiredDuringSchedulingIgnoredDuringExecution"
        for index, _ in mappings(document.get(*where, hard)):
            yield from _operators(document, (*where, hard, index, "labelSelector"), _OF_LABELS)
        for index, _ in mappings(document.get(*where, preferred)):
            term: Path = (*where, preferred, index, "podAffinityTerm", "labelSelector")
            yield from _operators(document, term, _OF_LABELS)


def _operators(document: Document, path: Path, allowed: tuple[str, ...]) -> Iterator[Problem]:
    """Those of a selector's conditions."""
    for index, _ in mappings(document.get(*path, "matchExpressions")):
        yield from _one_of(document, (*path, "matchExpressions", index, "operator"), allowed)


def _restart(document: Document, path: Path, spec: dict[str, Any]) -> Iterator[Problem]:
    value = spec.get("restartPolicy")
    if document.kind in ("Job", "CronJob"):
        if value in (None, "Always") and "containers" in spec:
            yield say(
                document,
                path if value else path[:-1],
                f"a {document.kind} must say restartPolicy: Never or OnFailure; "
                + ("Always would never end." if value else "the default, Always, is not allowed for it."),
                "Write restartPolicy: Never",
                key=True,
            )
            return
    elif document.kind not in ("Pod", "PodTemplate") and value in ("OnFailure", "Never"):
        yield say(
            document,
            path,
            f"the pods of a {document.kind} may only have restartPolicy: Always.",
            "Remove it; what should end is a Job.",
        )
        return
    yield from _one_of(document, path, _RESTART)


def _mode(document: Document, path: Path) -> Iterator[Problem]:
    """Permissions, which look octal and are not."""
    value = document.get(*path)
    if not isinstance(value, int) or isinstance(value, bool):
        return
    raw = document.node.at(path).raw
    octal = len(raw) == 3 and set(raw) <= set("01234567")
    if not 0 <= value <= 0o777:
        yield say(
            document,
            path,
            f"`{field_path(path)}` is {raw}, which is {value:#o} in octal; permissions go to 0777.",
            f"Write 0{raw}: without the 0 the number is decimal." if octal else "",
        )
    elif octal and raw in ("400", "440", "444", "500"):
        yield say(
            document,
            path,
            f"`{field_path(path)}` is {raw} in decimal, which is {value:#o} in octal.",
            f"Write 0{raw}, if these are permissions as chmod has them.",
            "warning",
        )


def _of_kind(document: Document) -> Iterator[Problem]:
    if document.api_version in ("v1", "apps/v1", "batch/v1"):
        match document.kind:
            case "Service" if is_builtin(document):
                yield from _service(document)
            case "Deployment":
                yield from _deployment(document)
            case "Secret" | "ConfigMap":
                yield from _encoded(document)
            case "StatefulSet" | "DaemonSet":
                yield from _one_of(
                    document, ("spec", "updateStrategy", "type"), ("RollingUpdate", "OnDelete")
                )
            case "CronJob":
                yield from _one_of(document, ("spec", "concurrencyPolicy"), ("Allow", "Forbid", "Replace"))
            case "PersistentVolumeClaim" | "PersistentVolume":
                modes = document.get("spec", "accessModes")
                for index in range(len(modes) if isinstance(modes, list) else 0):
                    yield from _one_of(document, ("spec", "accessModes", index), _ACCESS)
    elif document.api_version == "autoscaling/v2" and document.kind == "HorizontalPodAutoscaler":
        for index, metric in mappings(document.get("spec", "metrics")):
            yield from _one_of(document, ("spec", "metrics", index, "type"), _METRICS)
            for source in metric:
                yield from _one_of(document, ("spec", "metrics", index, source, "target", "type"), _TARGETS)
    elif document.api_version == "networking.k8s.io/v1" and document.kind == "NetworkPolicy":
        types = document.get("spec", "policyTypes")
        for index in range(len(types) if isinstance(types, list) else 0):
            yield from _one_of(document, ("spec", "policyTypes", index), ("Ingress", "Egress"))
        for way in ("ingress", "egress"):
            for number, rule in mappings(document.get("spec", way)):
                for index, _ in mappings(rule.get("ports")):
                    yield from _one_of(
                        document, ("spec", way, number, "ports", index, "protocol"), _PROTOCOLS
                    )
    elif document.kind == "Ingress" and document.api_version == "networking.k8s.io/v1":
        for number, rule in mappings(document.get("spec", "rules")):
            for index, _ in mappings(mapping(rule.get("http")).get("paths")):
                yield from _one_of(
                    document, ("spec", "rules", number, "http", "paths", index, "pathType"), _PATHS
                )
    yield from _replicas(document)


def _replicas(document: Document) -> Iterator[Problem]:
    value = document.get("spec", "replicas")
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        yield say(
            document, ("spec", "replicas"), f"`spec.replicas` is {value}: there cannot be less than none."
        )
    if document.kind == "SpinApp" and document.get("spec", "enableAutoscaling") is True and value is not None:
        yield say(
            document,
            ("spec", "replicas"),
            "`replicas` and `enableAutoscaling: true` exclude each other: the autoscaler decides.",
            "Remove replicas.",
        )
    if document.kind == "SpinAppExecutor":
        config = mapping(document.get("spec", "deploymentConfig"))
        if config.get("runtimeClassName") and config.get("spinImage"):
            yield say(
                document,
                ("spec", "deploymentConfig", "spinImage"),
                "`runtimeClassName` and `spinImage` exclude each other: by the shim, or by Spin in a container.",
                "Keep one of them.",
                key=True,
            )


def _deployment(document: Document) -> Iterator[Problem]:
    path: Path = ("spec", "strategy", "type")
    yield from _one_of(document, path, ("RollingUpdate", "Recreate"))
    if document.get(*path) == "Recreate" and document.get("spec", "strategy", "rollingUpdate") is not None:
        yield say(
            document,
            ("spec", "strategy", "rollingUpdate"),
            "`rollingUpdate` may not stand beside type: Recreate.",
            "Remove it.",
            key=True,
        )


def _encoded(document: Document) -> Iterator[Problem]:
    """``data`` of a Secret is Base64."""
    import base64
    import binascii

    field = "data" if document.kind == "Secret" else "binaryData"
    for key, value in mapping(document.get(field)).items():
        if not isinstance(value, str):
            continue
        try:
            base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError):
            hint = (
                "Plain text belongs below stringData."
                if field == "data"
                else "Plain text belongs below data."
            )
            yield say(document, (field, key), f"`{field}.{key}` is no Base64.", hint)


def _service(document: Document) -> Iterator[Problem]:
    yield from _one_of(document, ("spec", "type"), _SERVICE)
    yield from _one_of(document, ("spec", "sessionAffinity"), ("None", "ClientIP"))
    if document.get("spec", "type") == "ExternalName":
        return
    spec = mapping(document.get("spec"))
    ports = mappings(spec.get("ports"))
    misspelt = any(key != "ports" and close_to(key, ["ports"]) for key in spec)  # the schema reports that
    if spec and not spec.get("ports") and not misspelt and spec.get("clusterIP") != "None":
        yield say(
            document,
            ("spec",),
            "the Service has no ports.",
            "Add ports: [{port: 80, targetPort: …}]",
            key=True,
        )
    names: set[str] = set()
    for index, port in ports:
        path = ("spec", "ports", index)
        yield from _one_of(document, (*path, "protocol"), _PROTOCOLS)
        yield from number_of_port(document, (*path, "port"), port.get("port"))
        yield from number_of_port(document, (*path, "nodePort"), port.get("nodePort") or None)
        target = port.get("targetPort")
        if isinstance(target, int) and target:
            yield from number_of_port(document, (*path, "targetPort"), target)
        elif isinstance(target, str) and target.isdigit():
            yield say(
                document,
                (*path, "targetPort"),
                f'the port "{target}" in quotes is a name, and names have a letter.',
                f"Write {target} without quotes.",
            )
        elif isinstance(target, str):
            yield from name_of_port(document, (*path, "targetPort"), target)
        name = port.get("name")
        if len(ports) > 1 and not name:
            yield say(document, path, "a Service with several ports must name each.", "Add `name:` to it.")
        if isinstance(name, str) and name in names:
            yield say(document, (*path, "name"), f"a second port `{name}`.")
        names.add(str(name))
        node = port.get("nodePort")
        if isinstance(node, int) and node and document.get("spec", "type") in (None, "ClusterIP"):
            yield say(
                document,
                (*path, "nodePort"),
                "`nodePort` may not be used where the type is ClusterIP.",
                "Write type: NodePort, or remove it.",
                key=True,
            )
