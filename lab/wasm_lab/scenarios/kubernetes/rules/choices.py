"""Fields with a few allowed values, which the published schemas leave open, and what goes with them.

Source: the API reference (kubernetes.io/docs/reference/kubernetes-api) and the API server's own validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.kubernetes.pods import is_builtin, mapping, mappings, pod_of
from wasm_lab.scenarios.kubernetes.rules.containers import Path, name_of_port, number_of_port, say
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


def choices(document: Document) -> Iterator[Problem]:
    """Every such field of an object."""
    yield from _of_pod(document)
    yield from _of_kind(document)


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
    for container in pod.containers:
        yield from _one_of(document, (*container.path, "imagePullPolicy"), _PULL)
        yield from _one_of(document, (*container.path, "securityContext", "seccompProfile", "type"), _SECCOMP)
        for index, _ in mappings(container.value.get("ports")):
            yield from _one_of(document, (*container.path, "ports", index, "protocol"), _PROTOCOLS)
    for index, volume in mappings(pod.spec.get("volumes")):
        for kind in ("secret", "configMap", "projected", "downwardAPI"):
            yield from _mode(document, (*spec, "volumes", index, kind, "defaultMode"))
            for number, _ in mappings(mapping(volume.get(kind)).get("items")):
                yield from _mode(document, (*spec, "volumes", index, kind, "items", number, "mode"))


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
                yield from _schedule(document)
            case "PersistentVolumeClaim" | "PersistentVolume":
                modes = document.get("spec", "accessModes")
                for index in range(len(modes) if isinstance(modes, list) else 0):
                    yield from _one_of(document, ("spec", "accessModes", index), _ACCESS)
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


def _schedule(document: Document) -> Iterator[Problem]:
    value = document.get("spec", "schedule")
    if isinstance(value, str) and not value.startswith("@") and len(value.split()) != 5:
        yield say(
            document,
            ("spec", "schedule"),
            f"the schedule {shown(value)} has {len(value.split())} parts; cron has five.",
            'Such as "*/5 * * * *": minute, hour, day, month, weekday.',
        )


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
